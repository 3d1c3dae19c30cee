"""Passkeys and the second factor over the phone's door: what lets somebody in, once, and what never does."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from litestar import Litestar

from server.access import totp
from server.access.factors import confirm_generator, new_generator, new_recovery
from server.access.pairing import new_code
from server.access.sessions import begin
from server.access.settings_of import decide
from server.access.tickets import LASTS_S, LEEWAY_S
from server.store import moments
from server.store.database import reading, writing
from server.store.me import Me
from tests.authenticator import PRESENT, Authenticator
from tests.desk import Desk, desk_over
from tests.visitor import signed_in, visitor
from tests.world import ADA, AMIRA, CAROL, DEE, PASSWORD

SECOND = 1_000_000
DAY = 24 * 3600 * SECOND
CARD = {"id": "a-phone", "name": "Test phone"}


@pytest.fixture
def app(world: Any) -> Iterator[Litestar]:
    with desk_over(world) as app:
        yield app


async def with_passkey(app: Litestar, me: Me = AMIRA) -> tuple[httpx.AsyncClient, Authenticator]:
    browser, device = await signed_in(app, me), Authenticator()
    asked = (await browser.post("/api/passkeys/new", json={"password": PASSWORD})).json()
    kept = await browser.post(
        "/api/passkeys", json={"ticket": asked["ticket"], "name": "My phone", "passkey": device.create(asked["publicKey"])}
    )
    assert kept.status_code == 201, kept.text
    return browser, device


async def asked_for(browser: httpx.AsyncClient) -> dict[str, Any]:
    answer = await browser.post("/api/passkeys/sign-in", json={})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def show(browser: httpx.AsyncClient, asked: dict[str, Any], card: Any, phone: dict[str, str] = CARD) -> httpx.Response:
    return await browser.post("/api/session", json={"phone": phone, "ticket": asked["ticket"], "passkey": card})


async def by_password(browser: httpx.AsyncClient, me: Me = AMIRA, **more: Any) -> httpx.Response:
    return await browser.post("/api/session", json={"phone": CARD, "username": me.staff, "password": PASSWORD, **more})


def refused(answer: httpx.Response, name: str, status: int = 401) -> None:
    assert (answer.status_code, answer.json()["refusal"]) == (status, name), answer.text
    assert "set-cookie" not in answer.headers


def later(seconds: float) -> None:
    before = moments._clock
    moments.set_clock(lambda: before() + int(seconds * SECOND))


def stop_the_clock() -> None:
    at = moments.now()
    moments.set_clock(lambda: at)


async def keep(browser: httpx.AsyncClient, asked: dict[str, Any], card: Any) -> httpx.Response:
    return await browser.post("/api/passkeys", json={"ticket": asked["ticket"], "name": "My phone", "passkey": card})


async def rows(sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await reading(lambda tx: tx.rows(sql))]


async def test_a_passkey_is_made_signs_in_and_is_removed(app: Litestar) -> None:
    browser, device = await with_passkey(app)
    (mine,) = (await browser.get("/api/passkeys")).json()
    assert (mine["name"], mine["used_at"]) == ("My phone", None)
    stranger = visitor(app)
    asked = await asked_for(stranger)
    assert (asked["publicKey"]["userVerification"], asked["publicKey"].get("allowCredentials", [])) == ("required", [])
    answer = await show(stranger, asked, device.get(asked["publicKey"]))
    assert answer.status_code == 200, answer.text
    assert answer.json()["staff"]["id"] == "amira"
    assert (await stranger.get("/api/school")).status_code == 200
    assert (await stranger.get("/console/review")).status_code == 200  # it counts as both factors
    assert (await browser.get("/api/passkeys")).json()[0]["used_at"]
    wrong = await browser.post("/api/passkeys/remove", json={"password": "wrong", "id": mine["id"]})
    refused(wrong, "wrong_pair")
    assert (await browser.post("/api/passkeys/remove", json={"password": PASSWORD, "id": mine["id"]})).status_code == 204
    asked = await asked_for(stranger)
    refused(await show(visitor(app), asked, device.get(asked["publicKey"])), "wrong_factor")
    noted = [row[0] for row in await rows("select what from audit where staff = 'amira' order by at, id")]
    assert [what for what in noted if "passkey" in what] == ["add passkey", "sign in by passkey", "remove passkey"]


async def test_none_is_made_without_the_password_or_for_somebody_else(app: Litestar) -> None:
    amira, carol, device = await signed_in(app, AMIRA), await signed_in(app, CAROL), Authenticator()
    refused(await amira.post("/api/passkeys/new", json={"password": "wrong"}), "wrong_pair")
    asked = (await amira.post("/api/passkeys/new", json={"password": PASSWORD})).json()
    made = device.create(asked["publicKey"])
    refused(await keep(carol, asked, made), "wrong_factor")
    assert (await keep(amira, asked, made)).status_code == 201
    again = (await carol.post("/api/passkeys/new", json={"password": PASSWORD})).json()
    refused(await keep(carol, again, device.create(again["publicKey"])), "wrong_factor")
    id = (await amira.get("/api/passkeys")).json()[0]["id"]
    assert (await carol.post("/api/passkeys/remove", json={"password": PASSWORD, "id": id})).status_code == 204  # safe to repeat
    assert [one["id"] for one in (await amira.get("/api/passkeys")).json()] == [id]
    assert (await carol.get("/api/passkeys")).json() == []


@pytest.mark.parametrize(
    "lie",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://localhost:8001"},
        {"type": "webauthn.get"},
        {"challenge": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
        {"rp": "evil.example"},
    ],
)
async def test_a_new_passkey_that_is_not_what_was_asked_for_is_not_kept(app: Litestar, lie: dict[str, Any]) -> None:
    browser, device = await signed_in(app, AMIRA), Authenticator()
    asked = (await browser.post("/api/passkeys/new", json={"password": PASSWORD})).json()
    said = {"ticket": asked["ticket"], "passkey": device.create(asked["publicKey"], **lie)}
    refused(await browser.post("/api/passkeys", json=said), "wrong_factor")
    said["passkey"] = device.create(asked["publicKey"])
    refused(await browser.post("/api/passkeys", json=said), "wrong_factor")  # the ticket is used up
    assert await rows("select id from passkey") == []


async def test_a_device_that_did_not_ask_for_its_lock_is_not_enough(app: Litestar) -> None:
    browser, device = await signed_in(app, AMIRA), Authenticator(flags=PRESENT)
    asked = (await browser.post("/api/passkeys/new", json={"password": PASSWORD})).json()
    refused(await keep(browser, asked, device.create(asked["publicKey"])), "wrong_factor")
    _, device = await with_passkey(app)
    device.flags = PRESENT
    asked = await asked_for(visitor(app))
    refused(await show(visitor(app), asked, device.get(asked["publicKey"])), "wrong_factor")


async def test_every_way_of_being_wrong_gets_the_one_answer_and_is_never_our_fault(app: Litestar) -> None:
    _, device = await with_passkey(app)
    _, other = await with_passkey(app, CAROL)
    answers = set()
    for lie in (
        {"origin": "https://evil.example"}, {"origin": "http://localhost:8000.evil.example"}, {"type": "webauthn.create"},
        {"challenge": "AAAA"}, {"rp": "evil.example"}, {"key": generate_private_key(SECP256R1())}, {"user": other.user}, {"user": 7},
    ):  # fmt: skip
        asked = await asked_for(visitor(app))
        answer = await show(visitor(app), asked, device.get(asked["publicKey"], **lie))
        refused(answer, "wrong_factor")
        answers.add(answer.content)
        later(3600)
    good = device.get((await asked_for(visitor(app)))["publicKey"])
    for card in (
        {}, {"rawId": 7}, {"rawId": "\0"}, {"rawId": "é"}, {"rawId": good["rawId"]}, good | {"response": None}, good | {"response": {}},
        good | {"id": "AAAA"}, good | {"response": good["response"] | {"signature": "!"}},
        good | {"response": good["response"] | {"authenticatorData": "AA"}},
        good | {"response": good["response"] | {"clientDataJSON": "e30"}},
        {"rawId": "bm9ib2R5"}, good | {"clientExtensionResults": [[[]]]},
    ):  # fmt: skip
        asked = await asked_for(visitor(app))
        answer = await show(visitor(app), asked, card)
        refused(answer, "wrong_factor")
        answers.add(answer.content)
        later(3600)
    asked = await asked_for(visitor(app))
    for ticket in ("", "a.b.c", asked["ticket"][:-2], asked["ticket"] + "x", "\0"):
        answers.add((await show(visitor(app), {"ticket": ticket}, device.get(asked["publicKey"]))).content)
    assert len(answers) == 1
    assert (await show(visitor(app), asked, device.get(asked["publicKey"]))).status_code == 200  # the premise


async def test_a_ticket_is_good_once_for_one_thing_and_five_minutes(app: Litestar) -> None:
    browser, device = await with_passkey(app)
    asked = await asked_for(visitor(app))
    card = device.get(asked["publicKey"])
    assert (await show(visitor(app), asked, card)).status_code == 200
    refused(await show(visitor(app), asked, card), "wrong_factor")
    for new in ((await browser.post("/api/passkeys/new", json={"password": PASSWORD})).json(),):
        there = {"rpId": "localhost", "challenge": new["publicKey"]["challenge"]}
        refused(await show(visitor(app), new, device.get(there)), "wrong_factor")
    asked = await asked_for(visitor(app))
    later(LASTS_S + LEEWAY_S + 5)
    refused(await show(visitor(app), asked, device.get(asked["publicKey"])), "wrong_factor")


async def test_two_at_once_with_one_ticket_are_one(app: Litestar) -> None:
    _, device = await with_passkey(app)
    asked = await asked_for(visitor(app))
    card = device.get(asked["publicKey"])
    answers = await asyncio.gather(*(show(visitor(app), asked, card) for _ in range(4)))
    assert [answer.status_code == 200 for answer in answers].count(True) == 1


async def test_a_copied_passkey_is_noticed_by_its_count(app: Litestar) -> None:
    _, device = await with_passkey(app)
    for counter, status in ((3, 200), (4, 200), (4, 401), (2, 401), (0, 401), (5, 200)):
        device.counter = counter
        asked = await asked_for(visitor(app))
        assert (await show(visitor(app), asked, device.get(asked["publicKey"]))).status_code == status, counter
        later(3600)


async def test_somebody_who_has_left_comes_in_by_no_passkey(app: Litestar) -> None:
    _, device = await with_passkey(app)
    await writing(lambda tx: tx.run("update staff set left_at = 1 where id = 'amira'"))
    asked = await asked_for(visitor(app))
    refused(await show(visitor(app), asked, device.get(asked["publicKey"])), "wrong_factor")


async def test_shown_passkeys_are_slowed_down_like_passwords(app: Litestar) -> None:
    _, device = await with_passkey(app)
    stop_the_clock()
    statuses = []
    for _ in range(8):
        asked = await asked_for(visitor(app))
        statuses.append(
            (await show(visitor(app), asked, device.get(asked["publicKey"], key=generate_private_key(SECP256R1())))).status_code
        )
    assert statuses[0] == 401
    assert statuses[-1] == 429


# ── The second factor ──────────────────────────────────────────────────────────────────────


async def with_codes(me: Me = AMIRA) -> tuple[str, list[str]]:
    secret = await writing(new_generator, me)
    codes = await writing(confirm_generator, me, "all", totp.code_at(secret, moments.now() // SECOND // totp.STEP_S))
    assert codes is not None
    later(60)
    return secret, codes


def code_now(secret: str) -> str:
    return totp.code_at(secret, moments.now() // SECOND // totp.STEP_S)


async def test_codes_are_those_of_the_rfc() -> None:
    # RFC 6238, appendix B, SHA-1
    secret = totp.base64.b32encode(b"12345678901234567890").decode()
    for at, said in (
        (59, "94287082"), (1111111109, "07081804"), (1111111111, "14050471"), (1234567890, "89005924"), (2000000000, "69279037"),
        (20000000000, "65353130"),
    ):  # fmt: skip
        assert totp.code_at(secret, at // 30, 8) == said
        assert totp.step_of(secret, said[2:], at, 0) == at // 30
        assert totp.step_of(secret, said[2:], at + 30, 0) == at // 30
        assert totp.step_of(secret, said[2:], at + 90, 0) is None
        assert totp.step_of(secret, said[2:], at, at // 30) is None


async def test_a_password_alone_lets_nobody_in_who_has_set_up_codes(app: Litestar) -> None:
    secret, _ = await with_codes()
    browser = visitor(app)
    asked = await by_password(browser)
    refused(asked, "second_factor")
    assert (asked.json()["ways"], asked.json()["publicKey"]) == (["code", "recovery"], None)
    assert (await browser.get("/api/school")).status_code == 401
    code = code_now(secret)
    said = {"phone": CARD, "ticket": asked.json()["ticket"], "code": f"{code[:3]} {code[3:]}"}
    assert (await browser.post("/api/session", json=said)).status_code == 200
    assert (await browser.get("/api/school")).status_code == 200
    again = (await by_password(visitor(app))).json()
    refused(await visitor(app).post("/api/session", json=said | {"ticket": again["ticket"]}), "wrong_factor")  # that code was used


async def test_a_recovery_code_that_is_typed_twice_is_said_to_have_been_used(app: Litestar) -> None:
    codes = await set_up_codes(AMIRA)

    async def typed(code: str) -> httpx.Response:
        ticket = (await by_password(visitor(app))).json()["ticket"]
        return await visitor(app).post("/api/session", json={"phone": CARD, "ticket": ticket, "code": code})

    assert (await typed(codes[0])).status_code == 200
    again, wrong = await typed(codes[0].upper()), await typed("abcde-fghjk")
    for answer in (again, wrong):
        refused(answer, "wrong_factor")
    assert "this recovery code was used before" in again.json()["words"]
    assert "used before" not in wrong.json()["words"]
    assert (await typed(codes[1])).status_code == 200


async def test_a_passkey_is_a_second_factor_too(app: Litestar) -> None:
    _, device = await with_passkey(app)
    _, others = await with_passkey(app, CAROL)
    browser = visitor(app)
    asked = (await by_password(browser)).json()
    assert asked["ways"] == ["passkey"]
    refused(await show(visitor(app), asked, others.get(asked["publicKey"])), "wrong_factor")
    refused(await show(visitor(app), asked, device.get(asked["publicKey"])), "wrong_factor")  # that ticket is used up
    asked = (await by_password(browser)).json()
    assert (await show(browser, asked, device.get(asked["publicKey"]))).status_code == 200


async def test_a_recovery_code_is_good_once(app: Litestar) -> None:
    _, codes = await with_codes()
    assert len(set(codes)) == 10
    for code, status in ((codes[0], 200), (codes[0], 401), (codes[1].upper().replace("-", " "), 200), ("aaaaa-aaaaa", 401)):
        asked = (await by_password(visitor(app))).json()
        answer = await visitor(app).post("/api/session", json={"phone": CARD, "ticket": asked["ticket"], "code": code})
        assert answer.status_code == status, code
        later(3600)
    new = await writing(new_recovery, AMIRA)
    asked = (await by_password(visitor(app))).json()
    refused(await visitor(app).post("/api/session", json={"phone": CARD, "ticket": asked["ticket"], "code": codes[5]}), "wrong_factor")
    assert (await visitor(app).post("/api/session", json={"phone": CARD, "ticket": asked["ticket"], "code": new[0]})).status_code == 200
    assert not [row for row in await rows("select hash from recovery") if row[0].isalpha()]


async def test_guessing_at_codes_is_hopeless_and_the_right_password_is_no_way_round(app: Litestar) -> None:
    secret, _ = await with_codes()
    stop_the_clock()
    wrong = [f"{n:06}" for n in range(100) if f"{n:06}" != code_now(secret)]
    judged = 0
    for guess in wrong[:30]:
        asked = await by_password(visitor(app))
        if asked.status_code == 429:
            break
        answer = await visitor(app).post("/api/session", json={"phone": CARD, "ticket": asked.json()["ticket"], "code": guess})
        judged += answer.status_code == 401
    assert judged <= 5
    later(3600)
    ticket = (await by_password(visitor(app))).json()["ticket"]
    for guess in wrong[:5]:
        later(3600 / 60)
        await visitor(app).post("/api/session", json={"phone": CARD, "ticket": ticket, "code": guess})
    answer = await visitor(app).post("/api/session", json={"phone": CARD, "ticket": ticket, "code": code_now(secret)})
    assert answer.status_code in (401, 429)  # five tries at one ticket, or its time


async def test_a_role_that_must_have_one_is_told_and_then_asked_to_set_it_up(app: Litestar) -> None:
    rules = {"roles": ["dsl"], "grace_days": 7, "since": moments.now()}
    await writing(decide, "northgate", "second_factor", rules)
    told = await by_password(visitor(app), DEE)
    assert "your role needs a second way" in told.json()["told"]
    assert "told" not in (await by_password(visitor(app), AMIRA)).json()
    later(8 * 24 * 3600)
    refused(await by_password(visitor(app), DEE), "set_up_factor", 403)
    desk = Desk(app)
    assert (await desk.sign_in(DEE)).status == 303
    for path in ("/console/review", "/console/pupil/zoe", "/console/people"):
        assert (await desk.open(path)).goes_to == "/console/own", path
    desk.browser.headers["X-Lanyard"] = "1"
    for path in ("/api/school", "/api/people", "/api/drafts"):
        refused(await desk.browser.get(path), "set_up_factor", 403)
    refused(await desk.browser.post("/api/sync", json={}), "set_up_factor", 403)
    assert (await desk.browser.get("/api/passkeys")).json() == []


async def test_a_code_from_the_desk_opens_a_phone_and_not_the_desk_of_somebody_with_a_second_factor(app: Litestar) -> None:
    _, device = await with_passkey(app, DEE)
    await writing(new_code, ADA, "dee")
    code = (await rows("select code from pairing where used_at is null"))[0][0]
    browser = visitor(app)
    assert (await browser.post("/api/session", json={"phone": CARD, "pairing": code})).status_code == 200
    assert (await browser.get("/api/school")).status_code == 200
    assert (await browser.get("/console/review")).headers["location"].startswith("/console/sign-in")
    refused(await browser.post("/api/passkeys/new", json={"password": PASSWORD}), "sign_in_again")
    id = (await browser.get("/api/passkeys")).json()[0]["id"]
    refused(await browser.post("/api/passkeys/remove", json={"password": PASSWORD, "id": id}), "sign_in_again")
    assert device.user


async def test_a_code_for_somebody_with_a_second_factor_is_made_only_by_whoever_has_just_shown_theirs(app: Litestar) -> None:
    await writing(decide, "northgate", "second_factor", {"roles": ["dsl"], "grace_days": 7, "since": moments.now()})
    ada = Desk(app)
    await ada.sign_in(ADA)
    assert (await ada.send("/console/people/amira/pair", {})).status == 303  # the premise: a teacher need show none
    page = await ada.send("/console/people/dee/pair", {})
    assert (page.status, "Set up your own second factor first" in page) == (403, True)
    codes = await set_up_codes(ADA)
    asked = await ada.sign_in(ADA)
    ticket = asked.form("/console/sign-in")["ticket"]
    assert (await ada.send("/console/sign-in", {"ticket": ticket, "code": codes[0], "next": "/console/people"})).status == 303
    assert "/pair/" in (await ada.send("/console/people/dee/pair", {})).goes_to
    later(16 * 60)
    page = await ada.send("/console/people/dee/pair", {})
    assert (page.status, "Give your password" in page) == (401, True)
    assert len(await rows("select id from pairing where staff = 'dee'")) == 1


async def set_up_codes(me: Me) -> list[str]:
    """Their recovery codes."""

    async def set_up(tx: Any) -> list[str]:
        secret = await new_generator(tx, me)
        return await confirm_generator(tx, me, "all", code_now(secret)) or []

    return await writing(set_up)


async def test_a_new_password_from_an_administrator_takes_no_second_factor_away(app: Litestar) -> None:
    await with_passkey(app)
    ada = Desk(app)
    await ada.sign_in(ADA)
    page = await ada.send("/console/people/amira/password", {})
    password = page.html.split('class="once">')[2].split("<")[0]
    answer = await visitor(app).post("/api/session", json={"phone": CARD, "username": "amira", "password": password})
    refused(answer, "second_factor")


async def test_sessions_open_all_unless_said_otherwise(app: Litestar) -> None:
    await writing(begin, AMIRA, True)
    assert {row[0] for row in await rows("select opens from session")} == {"all"}
