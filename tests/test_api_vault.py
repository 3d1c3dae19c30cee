"""The school's half of what opens a phone: for the right PIN only, ten tries, and no answer that is lost costs anybody their phone."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from server.access import base64url
from server.access.shares import REST_S
from server.store.moments import from_wire
from tests.school import DAY, SECOND, School
from tests.sealing import Sealer
from tests.world import PASSWORD

RIGHT, WRONG, OTHER = (base64url.write(bytes([n]) * 32) for n in (1, 2, 3))
HOUR = 3600 * SECOND


async def ask(school: School, method: str, auth: str, staff: str = "amira", phone: str | None = None, **more: Any) -> httpx.Response:
    said = {"phone": phone or f"{staff}-phone", "auth": auth} | more
    return await school.door.request(method, "/api/vault", json=said, headers={"Cookie": f"lanyard={school.sessions[staff]}"})


async def choose(school: School, auth: str = RIGHT) -> str:
    answer = await ask(school, "PUT", auth)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["share"])


async def open_it(school: School, auth: str = RIGHT, **more: Any) -> tuple[int, Any]:
    answer = await ask(school, "POST", auth, **more)
    said = answer.json()
    return answer.status_code, said["share"] if answer.status_code == 200 else (said["refusal"], said.get("left"))


async def after_a_rest(school: School) -> None:
    school.now += REST_S * SECOND


async def test_the_right_pin_gets_the_share_and_a_lease(school: School) -> None:
    answer = (await ask(school, "PUT", RIGHT)).json()
    assert len(base64url.read(answer["share"]) or b"") == 32
    assert (from_wire(answer["lease_until"]) or 0) - (from_wire(answer["now"]) or 0) == 12 * HOUR
    school.now += DAY
    opened = (await ask(school, "POST", RIGHT)).json()
    assert opened.keys() == answer.keys()
    assert (opened["share"], from_wire(opened["now"])) == (answer["share"], school.now)


async def test_what_asks_for_it_is_kept_only_as_a_hash(school: School) -> None:
    await choose(school)
    assert RIGHT not in str(await school.rows("select * from vault"))


async def test_how_long_a_phone_may_be_opened_without_the_school_is_the_schools_to_say_within_bounds(school: School) -> None:
    for said, hours, hidden, idle in (
        ({}, 12, 60, 180),
        ({"lease_hours": 0, "hidden_s": 30, "idle_s": 60}, 0, 30, 60),
        ({"lease_hours": 1_000, "hidden_s": 1, "idle_s": 99_999}, 72, 30, 600),
        ({"lease_hours": "many", "hidden_s": None, "idle_s": True}, 12, 60, 180),
    ):
        await school.do("update school set settings = $1 where id = 'northgate'", json.dumps({"vault": said}))
        rules = (await school.door.get("/api/school", headers={"Cookie": f"lanyard={school.sessions['amira']}"})).json()["vault"]
        assert rules == {"lease_hours": hours, "hidden_s": hidden, "idle_s": idle, "taken_along_hours": 24, "kept_back": []}
        answer = (await ask(school, "PUT", RIGHT)).json()
        assert (from_wire(answer["lease_until"]) or 0) - (from_wire(answer["now"]) or 0) == hours * HOUR


async def test_a_wrong_pin_ten_times_and_what_it_opened_is_gone(school: School) -> None:
    await choose(school)
    for left in (9, 8, 7, 6, 5):
        assert await open_it(school, WRONG) == (403, ("wrong_pin", left))
    for left in (4, 3, 2, 1):
        for auth in (WRONG, RIGHT):  # while it rests nothing is tried, and nothing is counted
            answer = await ask(school, "POST", auth)
            assert (answer.status_code, answer.json()["refusal"]) == (429, "too_many")
            assert 0 < int(answer.headers["retry-after"]) <= REST_S
        await after_a_rest(school)
        assert await open_it(school, WRONG) == (403, ("wrong_pin", left))
    await after_a_rest(school)
    assert await open_it(school, WRONG) == (404, ("no_vault", None))
    assert await open_it(school) == (404, ("no_vault", None))
    assert await school.rows("select * from vault") == []
    await school.do("update session set signed_in_at = $1", school.now)
    assert await choose(school)  # whoever has the password begins again
    assert (await open_it(school))[0] == 200


async def test_the_right_pin_forgives_the_wrong_ones_before(school: School) -> None:
    share = await choose(school)
    for _ in range(5):
        for _ in range(4):
            assert (await open_it(school, WRONG))[0] == 403
        assert await open_it(school) == (200, share)


async def test_wrong_pins_without_signal_count_when_they_are_told(school: School) -> None:
    share = await choose(school)
    assert await open_it(school, WRONG, offline_failures=3) == (403, ("wrong_pin", 6))
    assert await open_it(school, offline_failures=2) == (200, share)
    assert await open_it(school, offline_failures=10) == (404, ("no_vault", None))
    await choose(school)
    assert await open_it(school, WRONG, offline_failures=2_000_000_000) == (404, ("no_vault", None))


async def test_a_wrong_pin_whose_answer_was_lost_is_told_again_and_counted_once(school: School) -> None:
    await choose(school)
    for told in range(4):  # the phone heard nothing, so it counts them all
        assert await open_it(school, WRONG, offline_failures=told) == (403, ("wrong_pin", 9 - told))


async def test_a_hundred_tries_at_once_are_a_hundred_tries(school: School) -> None:
    await choose(school)
    answers = await asyncio.gather(*(ask(school, "POST", WRONG) for _ in range(100)))
    said = [answer.status_code for answer in answers]
    assert (said.count(403), said.count(429)) == (5, 95)


async def test_a_new_share_stands_beside_the_one_before_until_it_is_opened(school: School) -> None:
    before = await choose(school)
    assert await open_it(school) == (200, before)
    lost = await choose(school, OTHER)  # the answer never arrived, and was asked for again
    after = await choose(school, OTHER)
    assert len({before, lost, after}) == 3
    assert await open_it(school) == (200, before)
    assert await open_it(school, OTHER) == (200, after)
    assert await open_it(school) == (403, ("wrong_pin", 9))


async def test_however_many_answers_are_lost_the_one_that_was_opened_last_stands(school: School) -> None:
    before = await choose(school)
    assert (await open_it(school))[0] == 200
    for _ in range(20):
        await choose(school, OTHER)
    assert await open_it(school) == (200, before)


async def test_choosing_a_pin_wants_the_password_given_lately(school: School) -> None:
    await school.do("update session set signed_in_at = $1 where staff = 'amira'", school.now - 15 * 60 * SECOND - 1)
    answer = await ask(school, "PUT", RIGHT)
    assert (answer.status_code, answer.json()["refusal"]) == (401, "sign_in_again")
    assert await school.rows("select * from vault") == []


async def test_a_share_is_its_persons_and_its_phones_alone(school: School) -> None:
    await choose(school)
    for staff, phone in (("ben", "amira-phone"), ("dan", "amira-phone"), ("amira", "ben-phone"), ("amira", "nobodys")):
        for method in ("PUT", "POST"):
            answer = await ask(school, method, RIGHT, staff, phone)
            assert (answer.status_code, answer.json()["refusal"]) == (404, "no_vault"), (staff, phone)
    assert [row["phone"] for row in await school.rows("select phone from vault")] == ["amira-phone"]


async def test_a_phone_that_is_switched_off_gets_nothing(school: School) -> None:
    await choose(school)
    await school.do("update phone set revoked_at = 1 where id = 'amira-phone'")
    for method in ("PUT", "POST"):
        answer = await ask(school, method, RIGHT)
        assert (answer.status_code, answer.json()["refusal"]) == (403, "phone_revoked")


async def test_nobody_who_is_not_signed_in_gets_anything(school: School) -> None:
    for method in ("PUT", "POST"):
        answer = await school.door.request(method, "/api/vault", json={"phone": "amira-phone", "auth": RIGHT})
        assert (answer.status_code, answer.json()["refusal"]) == (401, "sign_in")


@pytest.mark.parametrize("auth", ["", "A" * 42, "A" * 44, "A" * 42 + "B", "A" * 43 + "\n", "=" * 43, 3, None, "é" * 43])
async def test_what_is_not_thirty_two_bytes_is_no_try(school: School, auth: Any) -> None:
    await choose(school)
    for method in ("PUT", "POST"):
        assert (await ask(school, method, auth)).status_code == 400
    assert [row["failures"] for row in await school.rows("select failures from vault")] == [0]


async def test_every_try_is_written_down_by_ids_alone(school: School) -> None:
    await choose(school)
    await open_it(school, WRONG)
    await open_it(school)
    rows = await school.rows("select what, staff, detail from audit where what <> 'sign in' order by at, id")
    assert {row["what"] for row in rows} == {"new vault share", "wrong PIN", "open vault"}
    assert all(row["staff"] == "amira" and "amira-phone" in row["detail"] and RIGHT not in row["detail"] for row in rows)


# ── The phone's own key ────────────────────────────────────────────────────────────────────


async def tell(school: School, public: str, phone: str = "amira-phone", staff: str = "amira") -> httpx.Response:
    headers = {"Cookie": f"lanyard={school.sessions[staff]}"}
    return await school.door.put("/api/phone", json={"phone": phone, "public": public}, headers=headers)


async def test_a_phone_tells_its_key_once_and_no_other_replaces_it(school: School) -> None:
    mine, other = Sealer("amira", "amira-phone").public, Sealer("amira", "amira-phone").public
    for public, status in ((mine, 204), (mine, 204), (other, 409), (mine, 204)):
        assert (await tell(school, public)).status_code == status
    assert (await school.rows("select public from phone where id = 'amira-phone'"))[0]["public"] == mine
    assert [row["what"] for row in await school.rows("select what from audit where what like '%refused'")] == ["another phone key refused"]
    for staff, phone in (("ben", "amira-phone"), ("dan", "amira-phone"), ("amira", "nobodys")):
        assert (await tell(school, mine, phone, staff)).status_code == 404


async def test_what_is_no_point_of_the_curve_is_no_key(school: School) -> None:
    for public in ("A" * 87, "B" + "A" * 86, base64url.write(b"\4" + bytes(64)), "", "x", 3):
        assert (await tell(school, public)).status_code == 400  # type: ignore[arg-type]


async def test_a_phone_that_signs_in_with_another_key_is_another_phone(school: School) -> None:
    async def sign_in(public: str | None) -> str:
        card = {"id": "amira-phone", "name": "x"} | ({"public": public} if public else {})
        answer = await school.door.post("/api/session", json={"username": "amira", "password": PASSWORD, "phone": card})
        return str(answer.json()["phone"])

    mine, other = Sealer("amira", "amira-phone").public, Sealer("amira", "amira-phone").public
    assert await sign_in(mine) == await sign_in(mine) == await sign_in(None) == "amira-phone"
    again = await sign_in(other)
    assert again != "amira-phone"
    keys = {
        row["id"]: row["public"] for row in await school.rows("select id, public from phone where staff = 'amira' and public is not null")
    }
    assert keys == {"amira-phone": mine, again: other}
