"""A real server, killed with -9 while phones are sending, again and again: no receipted edit is missing, and none is applied twice."""

import asyncio
import contextlib
import os
import random
import sys
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from server.access import sessions
from server.settings import Settings
from server.store.database import Tx, close_database, open_database, reading, writing
from server.sync.check import rebuild_all
from tests.chance import SEED
from tests.databases import Databases
from tests.nursery import begun, free_port
from tests.phone import Phone
from tests.world import AMIRA, BEN, CAROL

KILLS = 10  # on each engine
KILLS_IN_SOAK = 200
PHONES_EACH = 2
UNDER_LOAD_S = (0.2, 1.2)
RECEIPTS_WITHIN_S = 60  # a busy machine is no failure


async def test_a_server_killed_ten_times_loses_and_doubles_nothing(databases: Databases) -> None:
    await kill_again_and_again(databases, KILLS)


@pytest.mark.soak
async def test_a_server_killed_two_hundred_times_loses_and_doubles_nothing(databases: Databases) -> None:
    await kill_again_and_again(databases, KILLS_IN_SOAK)


async def kill_again_and_again(databases: Databases, kills: int) -> None:
    settings = Settings(database=databases.address("killed"))
    await databases.copy("world", "killed")
    try:
        outside = Outside(await signed_in(settings), random.Random(SEED))
        for n in range(kills):
            async with a_server(settings) as (outside.address, kill):
                working = [asyncio.create_task(outside.work(phone)) for phone in outside.phones]
                await asyncio.sleep(outside.chance.uniform(*UNDER_LOAD_S))
                await until_there_are(n + 1, outside)  # or nothing was sent, and nothing shown
                kill()
                await asyncio.gather(*working)
        async with a_server(settings) as (outside.address, _):
            for phone in outside.phones:
                await phone.sync_all()
        await nothing_lost_or_doubled(settings, outside)
        await outside.door.aclose()
    finally:
        await databases.drop("killed")


async def until_there_are(receipts: int, outside: "Outside") -> None:
    async with asyncio.timeout(RECEIPTS_WITHIN_S):
        while outside.receipts < receipts:  # noqa: ASYNC110  counted by tasks of this loop
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def a_server(
    settings: Settings, serve: Callable[[Settings, int], None] | None = None
) -> AsyncIterator[tuple[str, Callable[[], None]]]:
    """A process of its own, ready; its address, and how to kill it. Forked from one that has everything imported already."""
    port = free_port()
    address, process = f"http://localhost:{port}", begun(serve or serve_quietly, settings, port)
    try:
        for _ in range(2_400):
            with contextlib.suppress(OSError):
                (await asyncio.open_connection("localhost", port))[1].close()
                break
            await asyncio.sleep(0.05)
        yield address, process.kill
    finally:
        process.kill()
        await asyncio.to_thread(process.join)


def serve_quietly(settings: Settings, port: int) -> None:
    from server.__main__ import serve

    sys.stdout = open(os.devnull, "w")  # noqa: SIM115  as long as the process
    serve(settings, port)


class Outside:
    """Phones that go on writing and sending whatever becomes of the school's server."""

    def __init__(self, cookies: dict[str, str], chance: random.Random) -> None:
        self.chance, self.address, self.receipts = chance, "", 0
        self.door = httpx.AsyncClient(timeout=30, verify=False)
        self.written: dict[str, str] = {}  # the record of each
        self.phones = [self.phone(staff, cookie) for staff, cookie in cookies.items() for _ in range(PHONES_EACH)]

    def phone(self, staff: str, cookie: str) -> Phone:
        headers = {"X-Lanyard": "1", "Content-Type": "application/json", "Cookie": f"lanyard={cookie}"}

        async def send(letter: bytes) -> tuple[int, Any]:
            try:
                answer = await self.door.post(f"{self.address}/api/sync", content=letter, headers=headers | {"Origin": self.address})
            except httpx.TransportError:
                return 0, None
            assert answer.status_code in (200, 503), answer.text
            return answer.status_code, answer.json()

        return Phone(send, lambda: time.time_ns() // 1000, lambda: self.chance.getrandbits(74))

    async def work(self, phone: Phone) -> None:
        """Until the school is not there any more."""
        reached = True
        while reached:
            for _ in range(self.chance.randint(1, 5)):
                record = self.chance.choice([None, *phone.records])
                edit = phone.write({"category": self.chance.choice(("fight", "damage")), "account": "He ran."}, record)
                self.written[edit["id"]] = edit["record"]
            answer = await phone.sync()
            reached = answer is not None
            self.receipts += len(answer["receipts"]) if answer else 0


async def signed_in(settings: Settings) -> dict[str, str]:
    async def begin(tx: Tx) -> dict[str, str]:
        return {me.staff: await sessions.begin(tx, me, is_desk=False) for me in (AMIRA, BEN, CAROL)}

    await open_database(settings)
    try:
        return await writing(begin)
    finally:
        await close_database()


async def nothing_lost_or_doubled(settings: Settings, outside: Outside) -> None:
    await open_database(settings)
    try:
        stored = {row[0]: row[1] for row in await reading(lambda tx: tx.rows("select id, record from edit where seq is not null"))}
        assert stored == outside.written
        counted = await reading(lambda tx: tx.rows("select sum(edits) from record"))
        assert counted[0][0] == len(outside.written)
        assert await reading(rebuild_all, "northgate") == []
    finally:
        await close_database()
