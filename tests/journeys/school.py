"""A real `lanyard serve` on a port of its own, with the people of `tests/world.py`: it can be stopped, killed and started again."""

import asyncio
import contextlib
import os
import shutil
import signal
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Coroutine
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from server.kinds.lists import LISTS
from server.settings import CHECKOUT, Settings
from server.store.database import Tx, close_database, open_database, writing
from server.store.migrations import migrate
from tests.nursery import free_port, lanyard
from tests.world import make_world

DIST = CHECKOUT / "pwa" / "dist"
STARTS_WITHIN_S, GOES_WITHIN_S = 120, 60  # a busy machine is no failure
HELP_NUMBER = "01632 960140"


class School:
    """`filled`: a database with tables, people and words, of which this school gets a copy."""

    def __init__(self, folder: Path, filled: Path, dist: Path = DIST, host: str = "127.0.0.1") -> None:
        self.host = host  # passkeys want a name
        self.database = folder / "school.db"
        shutil.copyfile(filled, self.database)
        self.dist = dist
        self.log = folder / "school.log"
        self.port = free_port()
        self.process: BaseProcess | None = None
        self.more: dict[str, str] = {}  # of what its server is told

    @property
    def address(self) -> str:
        return f"http://{self.host}:{self.port}"

    def start(self) -> None:
        self.process = lanyard(
            ["serve", "--port", str(self.port)],
            self.log,
            LANYARD_DATABASE=str(self.database),
            LANYARD_DIST=str(self.dist),
            LANYARD_KEPT=str(self.database.parent / "kept"),
            LANYARD_ORIGINS=self.address,
            **self.more,
        )
        until = time.monotonic() + STARTS_WITHIN_S
        while not self._answers():
            if self.process.exitcode is not None or time.monotonic() > until:
                raise RuntimeError(f"The school did not start:\n{self.log.read_text()}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(self.address, timeout=1).read()
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    def stop(self, how: int = signal.SIGTERM) -> None:
        if self.process:
            assert self.process.pid
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, how)
            self.process.join(GOES_WITHIN_S)
            assert self.process.exitcode is not None, "the school does not stop"
            self.process = None


def fill(database: Path) -> Path:
    apart(lambda: _fill(Settings(database=str(database))))
    return database


async def _fill(settings: Settings) -> None:
    await migrate(settings)
    await open_database(settings)
    try:
        await writing(make_world)
        await writing(add_the_other_lists)
    finally:
        await close_database()


async def add_the_other_lists(tx: Tx) -> None:
    """The world has a few lists in its own words; the rest are those that a new school starts with. And a number to ring."""
    known = {row[0] for row in await tx.rows("select distinct list from list_entry where school = 'northgate'")}
    entries = [
        ("northgate", name, code, label, position)
        for name, words in LISTS.items()
        if name not in known
        for position, (code, label) in enumerate(words.words.items())
    ]
    await tx.run_many("insert into list_entry (school, list, code, label, position) values ($1, $2, $3, $4, $5)", entries)
    await tx.run("update school set settings = $1 where id = 'northgate'", f'{{"phone": "{HELP_NUMBER}", "radio": "channel 3"}}')


def apart(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Runs it on a loop in a thread of its own: the browser's driver keeps one in this thread."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(work())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
