"""Whoever has somebody's phone, and all day: a thousand PINs, requests said again, blobs in every order. Nothing is lost."""

import json
from typing import Any

import httpx
import pytest

from server.access import base64url
from tests.school import SECOND, School
from tests.sealing import Handset, handset_of
from tests.visitor import try_signing_in

RIGHT = base64url.write(b"r" * 32)
REST = 16 * 60 * SECOND


@pytest.fixture
async def amira(school: School) -> Handset:
    phone = await handset_of(school.door, "amira")
    await try_signing_in(school.door, "amira", phone="amira-handset")
    assert (await vault(phone, "PUT", RIGHT)).status_code == 200
    return phone


async def vault(phone: Handset, method: str, auth: str, **more: Any) -> httpx.Response:
    return await phone.door.request(method, "/api/vault", json={"phone": phone.sealer.phone, "auth": auth} | more)


async def test_of_a_thousand_wrong_pins_ten_are_heard_and_what_waits_still_comes(school: School, amira: Handset) -> None:
    told = [amira.write() for _ in range(3)]
    heard: dict[tuple[int, str], int] = {}
    for n in range(1_000):
        answer = await vault(amira, "POST", base64url.write(n.to_bytes(32)), offline_failures=n % 2)
        said = answer.status_code, answer.json()["refusal"]
        heard[said] = heard.get(said, 0) + 1
        school.now += REST if answer.status_code == 429 and n < 100 else 0
    assert heard.keys() == {(403, "wrong_pin"), (429, "too_many"), (404, "no_vault")}
    assert heard[403, "wrong_pin"] == 9
    assert (await vault(amira, "POST", RIGHT)).status_code == 404
    assert len(await amira.kept(*(amira.sealer.seal(one) for one in told))) == 3
    rows = await school.rows("select outcome from edit")
    assert [row["outcome"] for row in rows] == ["taken"] * 3


async def test_a_request_for_the_share_that_is_said_again_opens_no_more_than_the_phone_may(school: School, amira: Handset) -> None:
    first = await vault(amira, "POST", RIGHT)
    again = [await vault(amira, "POST", RIGHT) for _ in range(20)]
    assert {answer.json()["share"] for answer in again} == {first.json()["share"]}
    cookies = dict(amira.door.cookies)
    await amira.door.delete("/api/session")
    amira.door.cookies.update(cookies)  # whoever had listened still says it
    assert (await vault(amira, "POST", RIGHT)).status_code == 401
    amira.door.cookies.clear()
    await try_signing_in(amira.door, "amira", phone="amira-handset")
    await school.do("update phone set revoked_at = 1 where id = 'amira-handset'")
    answer = await vault(amira, "POST", RIGHT)
    assert (answer.status_code, answer.json()["refusal"]) == (403, "phone_revoked")


async def test_blobs_said_again_in_every_order_are_each_one_edit(school: School, amira: Handset) -> None:
    told = [amira.write() for _ in range(10)]
    sealed = [amira.sealer.seal(one) for one in told]
    for n in range(30):
        school.chance.shuffle(sealed)
        await amira.kept(*sealed[: n % 10 + 1], *sealed[: n % 3])
    await amira.kept(*sealed)
    rows = await school.rows("select id, author, number, original from edit where seq is not null order by number")
    assert [(row["id"], row["author"], row["number"]) for row in rows] == [(one["id"], "amira", one["number"]) for one in told]
    assert [json.loads(row["original"]) for row in rows] == told
    counted = await school.rows("select sum(edits) as edits, count(*) as records from record")
    assert (int(counted[0]["edits"]), counted[0]["records"]) == (10, 10)
