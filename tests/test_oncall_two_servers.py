"""Two servers on one database: one winner whichever is asked, each rung climbed once, and nothing left undone where one is killed."""

import asyncio
import contextlib
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from server.access import base64url, keys, sessions
from server.push.keys import key_in_use
from server.settings import Settings
from server.store.database import Tx, reading, writing
from server.store.ids import new_id
from tests.serving import Serving, serving
from tests.visitor import OURS, no_phone_app
from tests.world import AMIRA, BEN, CAROL, DEE, LENA

ANSWER = (BEN, CAROL, DEE, LENA)
RUNGS = '[{"after_s":0,"who":"first"},{"after_s":1,"who":"first"},{"after_s":2,"who":"next"},{"after_s":3,"who":"everyone"}]'
CLIMBED = ["first", "first", "next", "everyone"]
FEW, ALL = 12, 50  # simultaneous answers
TIMES = 20
WITHIN_S = 60  # a busy machine is no failure

pytestmark = pytest.mark.parametrize("databases", ["postgres"], indirect=True)  # a file of SQLite's is one server's


async def test_two_servers_keep_one_call_as_one_would_and_one_does_the_rest_where_the_other_is_killed(
    world: Settings, tmp_path: Path
) -> None:
    await two_servers(world, tmp_path, FEW, 1)


@pytest.mark.soak
async def test_they_do_so_again_and_again(world: Settings, tmp_path: Path) -> None:
    await two_servers(world, tmp_path, ALL, TIMES)


async def two_servers(world: Settings, tmp_path: Path, answers: int, times: int) -> None:
    key, _ = await key_in_use()
    cookies = await writing(a_school_on_call, key)
    settings, alone = no_phone_app(world), {"LANYARD_PUSH_STAND_IN": "http://127.0.0.1:9"}  # no alert leaves the machine
    with serving(settings, tmp_path / "one", **alone) as one:
        for _ in range(times):
            with serving(settings, tmp_path / "other", **alone) as other:
                await Callers(cookies, one, other).call(answers)


class Callers:
    def __init__(self, cookies: dict[str, str], one: Serving, other: Serving) -> None:
        self.cookies, self.one, self.other = cookies, one, other

    async def call(self, answers: int) -> None:
        async with httpx.AsyncClient(headers=OURS, timeout=WITHIN_S) as self.door:
            await self.one_winner(answers)
            climbs = await self.calls(self.other) if answers == ALL else None
            left = await self.calls(self.other)
            await until(left, CLIMBED[:3])
            self.other.process.kill()
            for record in filter(None, (climbs, left)):
                await until(record, CLIMBED)
                assert await taken_once(record) == [1, 2, 3]
                assert (await self.ask(self.one, AMIRA.staff, record, "stand_down"))[0] == 200

    async def one_winner(self, answers: int) -> None:
        record = await self.calls(self.one)
        said = await asyncio.gather(
            *(self.ask((self.one, self.other)[n // 4 % 2], ANSWER[n % 4].staff, record, "accept") for n in range(answers))
        )
        rows = await reading(lambda tx: tx.rows("select staff from call_moment where record = $1 and what = 'answered'", record))
        [winner] = [row["staff"] for row in rows]
        for n, (status, answer) in enumerate(said):
            if ANSWER[n % 4].staff == winner:
                assert (status, answer["answered_by"]) == (200, winner)
            else:
                assert (status, answer["refusal"], answer["by"]) == (409, "too_late", winner)
                assert answer["words"].endswith(" is going already.")
        assert (await self.ask(self.other, AMIRA.staff, record, "stand_down"))[0] == 200

    async def calls(self, server: Serving) -> str:
        said = {"place": "b12", "urgency": "now", "record": new_id()}
        status, card = await self.post(server, AMIRA.staff, "/api/calls", said)
        assert status == 201, card
        return str(card["record"])

    async def ask(self, server: Serving, who: str, record: str, what: str) -> tuple[int, Any]:
        return await self.post(server, who, f"/api/calls/{record}", {"what": what})

    async def post(self, server: Serving, who: str, path: str, said: dict[str, Any]) -> tuple[int, Any]:
        """Again while the school is busy, or hangs up before it has answered, as a phone does: all of it is safe to repeat."""
        headers = {"Cookie": f"lanyard={self.cookies[who]}", "Origin": server.address}
        ends = time.monotonic() + WITHIN_S
        while time.monotonic() < ends:
            with contextlib.suppress(httpx.TransportError):
                answer = await self.door.post(server.address + path, json=said, headers=headers)
                if answer.status_code != 503:
                    return answer.status_code, answer.json()
            await asyncio.sleep(0.1)
        raise AssertionError(f"no answer to {said}")


async def a_school_on_call(tx: Tx, key: str) -> dict[str, str]:
    """Whatever the hour is, by a ladder that takes three seconds; their sessions."""
    await tx.run(
        "insert into ladder (school, id, name, period, zone, rungs, position) values ('northgate', 'quick', 'Quick', '', '', $1, 0)", RUNGS
    )
    for me, part in ((BEN, "first"), (CAROL, "next")):
        await tx.run(
            "insert into subscription (school, phone, staff, endpoint, public, secret, key, made_at, checked_at)"
            " values ('northgate', $1, $2, 'https://fcm.googleapis.com/' || $2, $3, $4, $5, 0, 0)",
            me.phone, me.staff, keys.raw(generate_private_key(SECP256R1()).public_key()), base64url.write(b"s" * 16), key,
        )  # fmt: skip
        for weekday in range(7):
            await tx.run(
                "insert into duty (school, id, staff, weekday, starts, ends, zone, part, made_at)"
                " values ('northgate', $1, $2, $3, '00:00', '24:00', '', $4, 0)",
                f"{me.staff}-{weekday}", me.staff, weekday, part,
            )  # fmt: skip
    return {me.staff: await sessions.begin(tx, me, is_desk=False) for me in (AMIRA, *ANSWER)}


async def rungs_of(record: str) -> list[str]:
    sql = "select detail::json ->> 'who' as who from call_moment where record = $1 and what = 'rang' order by n"
    return [row["who"] for row in await reading(lambda tx: tx.rows(sql, record))]


async def taken_once(record: str) -> list[int]:
    sql = "select (more::json ->> 'n')::int as n from due_step where about = $1 and does = 'call.rung' and taken_at is not null order by 1"
    return [row["n"] for row in await reading(lambda tx: tx.rows(sql, record))]


async def until(record: str, wanted: list[str]) -> None:
    """At least that far; what is climbed twice never compares."""
    ends = time.monotonic() + WITHIN_S
    while len(climbed := await rungs_of(record)) < len(wanted):
        assert time.monotonic() < ends, f"no further than {climbed}"
        await asyncio.sleep(0.05)
    assert climbed[: len(wanted)] == wanted
