"""A PostgreSQL of the tests' own: started once, reached by a socket in its own folder, gone with the process that started it."""

import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

START_S = 60
PR_SET_PDEATHSIG = 1


class Missing(Exception):
    """PostgreSQL's own programs are not on this machine."""


@contextlib.contextmanager
def cluster(*, safe: bool = False) -> Iterator[str]:
    """Its address without a database name: `address.format("name")`. `safe`: what it commits would outlive the power, as in a school."""
    programs, owner = find_programs(), "postgres" if os.getuid() == 0 else None  # PostgreSQL will not run as root
    folder = Path(tempfile.mkdtemp(prefix="lanyard-pg-"))
    server = None
    try:
        if owner:
            shutil.chown(folder, owner, pwd.getpwnam(owner).pw_gid)
        settled = [programs / "initdb", "-D", folder / "data", "-U", "lanyard", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        subprocess.run(settled, user=owner, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        with (folder / "log").open("w") as log:
            settings = ["max_connections=100", "listen_addresses=", "deadlock_timeout=50ms"]
            quick = [] if safe else ["fsync=off", "full_page_writes=off", "autovacuum=off", "max_wal_size=2GB"]
            options = [f"--{setting}" for setting in settings + quick]
            command = [programs / "postgres", "-D", folder / "data", "-k", folder, *options]
            server = subprocess.Popen(command, user=owner, cwd=folder, stdout=log, stderr=log, preexec_fn=end_with_parent)
        wait_until_ready(server, folder, programs)
        yield f"postgresql://lanyard@/{{}}?host={folder}"
    finally:
        if server is not None:
            server.send_signal(signal.SIGQUIT)
            server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def find_programs() -> Path:
    """The folder of `initdb` and `postgres`; the newest, where there are several."""
    on_path = shutil.which("initdb")
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name), reverse=True)
    for folder in folders:
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            return folder
    raise Missing("These tests need PostgreSQL: sudo apt-get install --no-install-recommends postgresql")


def end_with_parent() -> None:
    """So that tests that are killed leave no server behind."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)


def wait_until_ready(server: "subprocess.Popen[bytes]", folder: Path, programs: Path) -> None:
    give_up_at = time.monotonic() + START_S
    while subprocess.run([programs / "pg_isready", "-q", "-h", folder], check=False).returncode != 0:
        if server.poll() is not None or time.monotonic() > give_up_at:
            raise RuntimeError((folder / "log").read_text())
        time.sleep(0.05)
