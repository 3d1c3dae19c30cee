"""A school to play with: the real app over a database of its own, a clock that moves when told to, chance from a seed, and backups."""

import random
import time
from functools import partial
from types import TracebackType
from typing import Any
from unittest import mock

import httpx
import msgspec

from server.access import grants, sessions
from server.settings import Settings
from server.store import ids, moments, numbers
from server.store.database import Tx, close_database, open_database, reading, writing
from tests.databases import Databases
from tests.phone import Kept, Phone
from tests.visitor import HERE, the_app, visitor
from tests.world import EVERYBODY, MONDAY

SECOND, DAY = 1_000_000, 24 * 3600 * 1_000_000  # µs


def signed_in(session: str) -> dict[str, str]:
    return {"Cookie": f"lanyard={session}"}


def by_grant(grant: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {grant}"}


PAIR = "insert into phone (school, id, staff, name, paired_at) values ($1, $2, $3, 'Phone', $4) on conflict (school, id) do nothing"


class School:
    def __init__(self, databases: Databases, name: str, seed: int = 0) -> None:
        self.databases, self.name = databases, name
        self.settings = Settings(database=databases.address(name))
        self.now = MONDAY + 7 * DAY
        self.chance = random.Random(f"school {seed}")
        self.backup: str | None = None
        self.sessions: dict[str, str] = {}
        self.grants: dict[str, str] = {}
        self.fixed = [
            mock.patch.object(numbers, "random_bits", partial(self.chance.getrandbits, 64)),
            mock.patch.object(ids.secrets, "randbits", self.chance.getrandbits),
        ]

    async def __aenter__(self) -> "School":
        for patch in self.fixed:
            patch.start()
        moments.set_clock(lambda: self.now)
        await self.databases.copy("world", self.name)
        await self.open()
        self.door = visitor(the_app(), Origin=HERE)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        await self.door.aclose()
        await close_database()
        for name in filter(None, (self.name, self.backup)):
            await self.databases.drop(name)
        moments.set_clock(None)
        for patch in self.fixed:
            patch.stop()

    async def open(self) -> None:
        await open_database(self.settings)
        await writing(self.sign_everybody_in)

    async def sign_everybody_in(self, tx: Tx) -> None:
        for me in EVERYBODY:
            self.sessions[me.staff] = await sessions.begin(tx, me, is_desk=False)
            await tx.run(PAIR, me.school, me.phone, me.staff, self.now)
            with mock.patch.object(grants, "now", return_value=time.time_ns() // 1000):  # the library that reads them asks the machine
                self.grants[me.staff] = await grants.grant(tx, me)

    def phone(self, staff: str, wrong_by: int = 0, kept: Kept | None = None) -> Phone:
        async def send(letter: bytes) -> tuple[int, Any]:
            answer = await self.post(staff, letter)
            return answer.status_code, answer.json()

        return Phone(send, lambda: self.now, lambda: self.chance.getrandbits(74), wrong_by, kept)

    async def post(self, staff: str, letter: bytes, *, sending_only: bool = False) -> httpx.Response:
        """A letter to the exchange, from somebody who is signed in; or who was once, and may still send."""
        return await self.hear("/api/sync", letter, by_grant(self.grants[staff]) if sending_only else signed_in(self.sessions[staff]))

    async def hear(self, path: str, said: bytes, by: dict[str, str], method: str = "POST") -> httpx.Response:
        return await self.door.request(method, path, content=said, headers={"Content-Type": "application/json", **by})

    async def pair(self, staff: str, phone: str, public: str) -> tuple[str, str]:
        """As somebody signs in on a handset: its session, and its grant."""
        me = msgspec.structs.replace(next(one for one in EVERYBODY if one.staff == staff), phone=phone)

        async def signed(tx: Tx) -> tuple[str, str]:
            await tx.run(PAIR, me.school, phone, staff, self.now)
            await tx.run("update phone set public = $3 where school = $1 and id = $2 and public is null", me.school, phone, public)
            with mock.patch.object(grants, "now", return_value=time.time_ns() // 1000):
                return await sessions.begin(tx, me, is_desk=False), await grants.grant(tx, me)

        return await writing(signed)

    async def rows(self, sql: str, *args: Any) -> list[dict[str, Any]]:
        """By the names of their columns."""
        return [dict(row) for row in await reading(lambda tx: tx.rows(sql, *args))]

    async def do(self, sql: str, *args: Any) -> None:
        await writing(lambda tx: tx.run(sql, *args))

    async def back_up(self) -> None:
        await close_database()
        if self.backup:
            await self.databases.drop(self.backup)
        self.backup = f"{self.name}_backup"
        await self.databases.copy(self.name, self.backup)
        await self.open()

    async def restore(self) -> None:
        """Everything since the backup has never been."""
        assert self.backup
        await close_database()
        await self.databases.drop(self.name)
        await self.databases.copy(self.backup, self.name)
        await self.open()
