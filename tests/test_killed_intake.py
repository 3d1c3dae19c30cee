"""The server, killed with -9 while it takes in what came sealed: whatever it had stored is opened at its next start, exactly once."""

import asyncio
import os
import signal
from functools import partial
from importlib import import_module
from typing import Any

import httpx
import pytest

from server.settings import Settings
from server.store.database import close_database, open_database, reading
from server.sync.check import rebuild_all
from tests.databases import Databases
from tests.sealing import handset_of
from tests.test_killed_server import a_server, serve_quietly
from tests.visitor import OURS

HOW_MANY = 20

# Where it dies: as it calls this.
AFTER_STORING = ("server.api.intake", "open_sealed")
HALF_INTO_A_RECORD = ("server.sync.keeping", "keep_records")
BEFORE_OPENING_COMMITS = ("server.intake.opening", "mark")
BEFORE_THE_ANSWER = ("server.api.intake", "Kept")


LONG = [pytest.param(where, marks=pytest.mark.soak) for where in (HALF_INTO_A_RECORD, BEFORE_THE_ANSWER)]


@pytest.mark.parametrize("where", [AFTER_STORING, BEFORE_OPENING_COMMITS, *LONG], ids=lambda where: where[1])
async def test_killed_between_storing_and_answering_nothing_is_lost_or_doubled(databases: Databases, where: tuple[str, str]) -> None:
    settings = Settings(database=databases.address("killed_intake"))
    await databases.copy("world", "killed_intake")
    try:
        async with httpx.AsyncClient(headers=OURS, timeout=30) as door:
            async with a_server(settings, partial(serve_until, where)) as (door.base_url, _):
                amira = await handset_of(door, "amira")
                told = [amira.write() for _ in range(HOW_MANY)]
                sealed = [amira.sealer.seal(one) for one in told]
                with pytest.raises(httpx.TransportError):
                    await amira.send(*sealed)
            waiting, taken = (HOW_MANY, []) if where != BEFORE_THE_ANSWER else (0, sorted(one["id"] for one in told))
            assert await stored(settings) == (waiting, taken)  # the premise: all of it is here, and was opened or was not
            async with a_server(settings) as (door.base_url, _):
                for _ in range(600):
                    if await waiting_in(settings) == 0:
                        break
                    await asyncio.sleep(0.1)
                assert await stored(settings) == (0, sorted(one["id"] for one in told))
                assert await amira.kept(*sealed) == [one["id"] for one in told]  # the phone heard nothing, so it sends it all again
        assert await stored(settings) == (0, sorted(one["id"] for one in told))
    finally:
        await databases.drop("killed_intake")


def serve_until(where: tuple[str, str], settings: Settings, port: int) -> None:
    def die(*_: Any, **__: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(import_module(where[0]), where[1], die)
    serve_quietly(settings, port)


async def waiting_in(settings: Settings) -> int:
    """One look: the server is at work meanwhile, and two would not agree."""
    await open_database(settings)
    try:
        rows = await reading(lambda tx: tx.rows("select count(*) from sealed where outcome = 'waiting'"))
        return int(rows[0][0])
    finally:
        await close_database()


async def stored(settings: Settings) -> tuple[int, list[str]]:
    """How many wait to be opened, and the edits that are taken: each once, as Amira’s."""
    await open_database(settings)
    try:
        waiting = await reading(lambda tx: tx.row("select count(*) from sealed where outcome = 'waiting'"))
        rows = await reading(lambda tx: tx.rows("select id, author from edit where seq is not null order by id"))
        counted = await reading(lambda tx: tx.row("select coalesce(sum(edits), 0), count(*) from record"))
        assert waiting is not None
        assert counted is not None
        assert {row[1] for row in rows} <= {"amira"}
        assert (int(counted[0]), counted[1]) == (len(rows), len(rows))
        assert await reading(rebuild_all, "northgate") == []
        return waiting[0], [row[0] for row in rows]
    finally:
        await close_database()
