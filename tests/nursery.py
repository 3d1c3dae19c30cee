"""Real servers in processes of their own, forked from one that has imported everything already: a start costs no seconds of importing."""

import contextlib
import itertools
import multiprocessing
import os
import random
import socket
import sys
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from server.settings import CHECKOUT

NURSERY = multiprocessing.get_context("forkserver")
NURSERY.set_forkserver_preload(
    [
        "server.__main__",
        # What an app imports only as it is made, and its server only as it starts: a third of what a start costs.
        "litestar.plugins.attrs",
        "litestar.plugins.pydantic",
        "uvicorn.protocols.http.auto",
        "uvicorn.protocols.websockets.auto",
        "anyio._backends._asyncio",
    ]
)

# Of its own for each worker, and none that an outgoing connection is given: a school that was stopped must find its port free when
# it starts again.
PORTS_EACH = 1_000
FIRST_PORT = 20_000 + PORTS_EACH * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
PORTS = itertools.cycle(random.sample(range(FIRST_PORT, FIRST_PORT + PORTS_EACH), PORTS_EACH))


def free_port() -> int:
    for port in PORTS:
        with socket.socket() as door, contextlib.suppress(OSError):
            door.bind(("127.0.0.1", port))
            return port
    raise AssertionError("they never end")


def lanyard(words: list[str], log: Path, **environment: str) -> BaseProcess:
    """As an operator would run it: `lanyard serve --port 8000`. What it says goes to the end of `log`."""
    return begun(_run, words, str(log), os.environ | environment)


def begun(work: Callable[..., Any], *given: Any) -> BaseProcess:
    process = NURSERY.Process(target=work, args=given, daemon=True)
    process.start()
    return process


def _run(words: list[str], log: str, environment: dict[str, str]) -> None:
    told = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(told, stream)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(CHECKOUT)

    from server.__main__ import main

    sys.exit(main(words))
