"""The real server, as an operator starts it: a process of its own on a free port."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path

import httpx

from server.settings import Settings
from tests.nursery import free_port, lanyard

READY_WITHIN_S = 120  # a busy machine is no failure


class Serving:
    def __init__(self, process: BaseProcess, address: str, log: Path) -> None:
        self.process, self.address, self.log = process, address, log


@contextmanager
def serving(settings: Settings, log: Path, **more: str) -> Iterator[Serving]:
    """`more`: further words of the environment, LANYARD_… and all."""
    port = free_port()
    told = {"LANYARD_DATABASE": settings.database, "LANYARD_DIST": str(settings.dist), "LANYARD_KEPT": str(settings.kept)}
    process = lanyard(["serve", "--port", str(port)], log, **told | more)
    try:
        address = f"http://localhost:{port}"
        wait_for(process, address, log)
        yield Serving(process, address, log)
    finally:
        process.kill()
        process.join()


def wait_for(process: BaseProcess, address: str, log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline and process.exitcode is None:
        try:
            httpx.get(f"{address}/api/here")
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"The server did not start:\n{log.read_text()}")
