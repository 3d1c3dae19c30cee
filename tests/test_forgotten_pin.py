"""The PIN forgotten, one phone switched off, the cache gone, keys changed twice: what lies sealed on phones still arrives, or is held.

Over real HTTP: a tenth of a thousand edits in `make test`, all of them in `make soak`.
"""

import json
from typing import Any

import httpx
import pytest

from server.intake.keys import new_intake_key
from server.settings import Settings
from server.store.database import Tx, close_database, open_database, reading, writing
from server.sync.check import rebuild_all
from tests.databases import Databases
from tests.sealing import Blob, Handset, handset_of
from tests.test_killed_server import a_server
from tests.visitor import OURS, try_signing_in

AT_ONCE = 100
RIGHT, WRONG = "A" * 43, "A" * 42 + "E"


async def test_a_hundred_of_a_hundred_arrive_or_are_held(databases: Databases) -> None:
    await forget_everything(databases, 100)


@pytest.mark.soak
async def test_a_thousand_of_a_thousand_arrive_or_are_held(databases: Databases) -> None:
    await forget_everything(databases, 1_000)


async def forget_everything(databases: Databases, how_many: int) -> None:
    settings = Settings(database=databases.address("forgotten"))
    await databases.copy("world", "forgotten")
    try:
        async with a_server(settings) as (address, _), httpx.AsyncClient(base_url=address, headers=OURS, timeout=60) as door:
            amira, ben = await handset_of(door, "amira"), await handset_of(door, "ben")
            outboxes: dict[str, list[Blob]] = {"amira": [], "ben": []}
            told: dict[str, dict[str, Any]] = {}
            for part in range(3):
                for phone in (amira, ben):
                    outboxes[phone.sealer.staff] += seal_some(phone, told, how_many // 6 + (part == 0) * (how_many % 6 // 2))
                await change(settings, lambda tx: new_intake_key(tx, "northgate"))
                await hear_of_keys(door, amira)
                ben.sealer.keys = amira.sealer.keys
            assert len(told) == how_many
            assert len({blob["kid"] for blob in outboxes["amira"]}) == 3
            for phone in (amira, ben):
                await forget_pin(door, phone)
            await change(settings, lambda tx: tx.run("update phone set revoked_at = 1 where id = 'ben-handset'"))
            for phone in (amira, ben):
                waiting = outboxes[phone.sealer.staff]
                for first in range(0, len(waiting), AT_ONCE):
                    some = waiting[first : first + AT_ONCE]
                    assert await phone.kept(*some) == [blob["id"] for blob in some]
        await all_here(settings, told)
    finally:
        await databases.drop("forgotten")


def seal_some(phone: Handset, told: dict[str, dict[str, Any]], how_many: int) -> list[Blob]:
    """All that the phone still has of them is what it sealed."""
    some = [phone.write() for _ in range(how_many)]
    told |= {one["id"]: {"author": phone.sealer.staff, "values": one["values"]} for one in some}
    return [phone.sealer.seal(one) for one in some]


async def hear_of_keys(door: httpx.AsyncClient, phone: Handset) -> None:
    answer = await try_signing_in(door, phone.sealer.staff, phone=phone.sealer.phone)
    phone.sealer.learn((await door.get("/api/school")).json()["intake"], answer.json()["keys"]["public"])
    await door.delete("/api/session")


async def forget_pin(door: httpx.AsyncClient, phone: Handset) -> None:
    """Ten wrong ones, nine of them where there was no signal: what the school had kept of the PIN is gone."""
    assert (await try_signing_in(door, phone.sealer.staff, phone=phone.sealer.phone)).status_code == 200
    said = {"phone": phone.sealer.phone, "auth": RIGHT}
    assert (await door.put("/api/vault", json=said)).status_code == 200
    answer = await door.post("/api/vault", json=said | {"auth": WRONG, "offline_failures": 9})
    assert (answer.status_code, answer.json()["refusal"]) == (404, "no_vault")
    assert (await door.post("/api/vault", json=said)).status_code == 404  # nor does the right one open it now
    await door.delete("/api/session")


async def change(settings: Settings, work: Any) -> None:
    """By an operator, while the server runs."""
    await open_database(settings)
    try:
        await writing(work)
    finally:
        await close_database()


async def all_here(settings: Settings, told: dict[str, dict[str, Any]]) -> None:
    async def found(tx: Tx) -> list[Any]:
        return await tx.rows("select id, author, original, outcome, because from edit")

    await open_database(settings)
    try:
        rows = {row["id"]: row for row in await reading(found)}
        assert {id: {"author": row["author"], "values": json.loads(row["original"])["values"]} for id, row in rows.items()} == told
        became = {(row["author"], row["outcome"]) for row in rows.values()}
        assert became == {("amira", "taken"), ("ben", "held")}
        assert await reading(rebuild_all, "northgate") == []
    finally:
        await close_database()
