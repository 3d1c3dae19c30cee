"""Pairing by a square shown at the desk: once, within ten minutes, for the one person it was made for."""

import re
from typing import Any
from xml.etree import ElementTree

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from litestar import Litestar

from server.access import throttle
from server.access.keys import signing_key
from server.access.pairing import LASTS_S, LETTERS, PURPOSE
from server.console import pairing
from server.store import moments
from server.store.database import reading, writing
from tests.desk import Desk, Page, at_desk
from tests.visitor import HERE, visitor
from tests.world import ADA, CAROL, insert

SECOND = 1_000_000


@pytest.fixture(autouse=True)
def squares(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What each square that was drawn says, the newest last."""
    said: list[str] = []
    real = pairing.square
    monkeypatch.setattr(pairing, "square", lambda text: said.append(text) or real(text))
    return said


async def made(desk: Desk, squares: list[str], staff: str = "amira") -> tuple[str, str]:
    """Where a new code is shown, and what its square says."""
    answer = await desk.send(f"/console/people/{staff}/pair", {})
    assert answer.status == 303, answer.text
    assert (await desk.open(answer.goes_to)).status == 200
    return answer.goes_to, squares[-1]


async def pair(app: Litestar, token: str, phone: str = "new-handset") -> httpx.Response:
    said = {"pairing": token, "phone": {"id": phone, "name": "Amira’s own"}}
    return await visitor(app).post("/api/session", json=said)


def token_of(address: str) -> str:
    return address.partition("#")[2]


async def test_the_desk_shows_a_square_and_says_when_it_was_used(desk_app: Litestar, squares: list[str]) -> None:
    desk = await at_desk(desk_app, ADA)
    assert "Pair a phone" in await desk.open("/console/people/amira")
    path, address = await made(desk, squares)
    shown = await desk.open(path)
    assert address.startswith(f"{HERE}/pair#")
    assert "It works once" in shown
    drawn = ElementTree.fromstring(re.findall(r"<svg[^>]*class=\"qr\".*?</svg>", shown.html, re.S)[0])
    assert len(drawn.findall("{*}path") or drawn.findall("path")) == 2
    assert not re.search(r"<style|style=|<script|onload", shown.html.partition('class="qr"')[2])
    answer = await pair(desk_app, token_of(address))
    assert (answer.status_code, answer.json()["staff"]["id"], answer.json()["phone"]) == (200, "amira", "new-handset")
    after = await desk.open(path)
    assert "Used" in after
    assert "Amira’s own" in after
    assert "<svg viewBox" not in after.html or 'class="qr"' not in after.html


async def test_whoever_pairs_is_signed_in_like_anybody_and_no_password_is_wanted(desk_app: Litestar, squares: list[str]) -> None:
    await writing(lambda tx: tx.run("update staff set password = null where id = 'amira'"))
    _, address = await made(await at_desk(desk_app, ADA), squares)
    browser = visitor(desk_app)
    answer = await browser.post("/api/session", json={"pairing": token_of(address), "phone": {"id": "p", "name": "x"}})
    assert answer.json().keys() == {"staff", "school", "phone", "grant", "keys"}
    assert (await browser.get("/api/school")).json()["me"]["id"] == "amira"
    share = await browser.put("/api/vault", json={"phone": "p", "auth": "A" * 43})
    assert share.status_code == 200  # choosing a PIN wants no password on top


async def test_whoever_was_paired_is_told_when_they_next_sign_in(desk_app: Litestar, squares: list[str]) -> None:
    ben = BY_PASSWORD | {"username": "amira", "phone": {"id": "amira-phone", "name": ""}}

    async def told() -> str:
        return str((await visitor(desk_app).post("/api/session", json=ben)).json().get("told", ""))

    assert await told() == ""
    desk = await at_desk(desk_app, ADA)
    _, address = await made(desk, squares)
    assert "told" not in (await pair(desk_app, token_of(address))).json()
    await desk.send("/console/people/amira/factor", {"password": "three wet umbrellas"})
    said = await told()
    assert "A phone was signed in as you by a code from the desk on 2026-11-18." in said
    assert "Ada Quigley removed your passkeys and codes on 2026-11-18." in said
    assert await told() == ""


async def test_they_are_told_at_the_desk_too_on_the_first_page_they_see(desk_app: Litestar, squares: list[str]) -> None:
    await at_desk(desk_app, CAROL)
    _, address = await made(await at_desk(desk_app, ADA), squares, "carol")
    assert (await pair(desk_app, token_of(address))).status_code == 200
    carol = await at_desk(desk_app, CAROL)
    assert "A phone was signed in as you by a code from the desk on 2026-11-18." in await carol.open("/console/review")
    assert "A phone was signed in as you" not in await carol.open("/console/review")


async def test_a_code_works_once(desk_app: Litestar, squares: list[str]) -> None:
    _, address = await made(await at_desk(desk_app, ADA), squares)
    assert (await pair(desk_app, token_of(address))).status_code == 200
    for phone in ("new-handset", "a-thief"):
        await refused(await pair(desk_app, token_of(address), phone))
    assert await reading(lambda tx: tx.rows("select id from phone where id = 'a-thief'")) == []


async def refused(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.json()["refusal"]) == (401, "wrong_code")
    assert "set-cookie" not in answer.headers


async def test_a_code_is_over_after_ten_minutes_or_when_another_is_made(desk_app: Litestar, squares: list[str]) -> None:
    desk = await at_desk(desk_app, ADA)
    first_path, first = await made(desk, squares)
    path, address = await made(desk, squares)
    await refused(await pair(desk_app, token_of(first)))
    assert "This code is over" in await desk.open(first_path)
    before = moments._clock
    moments.set_clock(lambda: before() + LASTS_S * SECOND)
    await refused(await pair(desk_app, token_of(address)))
    assert "This code is over" in await desk.open(path)


async def test_a_code_that_is_almost_right_gets_the_one_refusal(desk_app: Litestar, squares: list[str]) -> None:
    desk = await at_desk(desk_app, ADA)
    _, address = await made(desk, squares)
    token = token_of(address)
    kid, private = await writing(signing_key, PURPOSE)
    good = jwt.decode(token, options={"verify_signature": False})
    public = await reading(lambda tx: tx.row("select public from key where id = $1", kid))
    assert public is not None
    grant = (await visitor(desk_app).post("/api/session", json=BY_PASSWORD)).json()["grant"]

    def signed(key: Any = private, **changes: Any) -> str:
        return jwt.encode(good | changes, key, algorithm="ES256", headers={"kid": kid})

    head = jwt.utils.base64url_encode(b'{"alg":"HS256","typ":"JWT","kid":"%s"}' % kid.encode())
    body = token.split(".")[1].encode()
    mac = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(head + b"." + body, public[0].encode())
    for why, wrong in {
        "unsigned": jwt.encode(good, None, algorithm="none", headers={"kid": kid}),  # type: ignore[arg-type]
        "signed with the public key as a secret": b".".join((head, body, jwt.utils.base64url_encode(mac))).decode(),
        "another key": signed(generate_private_key(SECP256R1())),
        "another audience": signed(aud="lanyard:send"),
        "a grant": grant,
        "another person": signed(sub="ben"),
        "another school": signed(iss="southfield"),
        "another school and its person": signed(iss="southfield", sub="dan"),
        "another code": signed(jti="nobodys"),
        "a longer life": signed(exp="never"),
        "cut": token[:-3],
        "nonsense": "a.b.c",
        "empty": "",
        "a NUL": "\0",
    }.items():
        answer = await pair(desk_app, wrong)
        assert (answer.status_code, answer.json()["refusal"]) == (401, "wrong_code"), why
    assert (await pair(desk_app, token)).status_code == 200  # the premise; and no failed try had used it up


BY_PASSWORD = {"username": "ben", "password": "three wet umbrellas", "phone": {"id": "ben-phone", "name": ""}}


async def test_somebody_who_has_left_pairs_nothing(desk_app: Litestar, squares: list[str]) -> None:
    desk = await at_desk(desk_app, ADA)
    _, address = await made(desk, squares)
    await desk.send("/console/people/amira/leave", {})
    await refused(await pair(desk_app, token_of(address)))
    assert (await desk.send("/console/people/amira/pair", {})).status == 404


@pytest.mark.parametrize("staff", ["dan", "nobody"])
async def test_a_code_is_made_by_an_administrator_for_their_own_school(desk_app: Litestar, squares: list[str], staff: str) -> None:
    assert (await (await at_desk(desk_app, ADA)).send(f"/console/people/{staff}/pair", {})).status == 404
    carol = await at_desk(desk_app, CAROL)
    assert (await carol.send("/console/people/amira/pair", {})).status == 403
    path, _ = await made(await at_desk(desk_app, ADA), squares)
    assert (await carol.open(path)).status == 403


async def test_a_code_says_nothing_to_another_schools_administrator(desk_app: Litestar, squares: list[str]) -> None:
    path, _ = await made(await at_desk(desk_app, ADA), squares)
    await writing(lambda tx: insert(tx, "staff", {"id": "don", "school": "southfield", "username": "don", "name": "Don", "role": "admin"}))
    await writing(lambda tx: tx.run("update staff set password = (select password from staff where id = 'dan') where id = 'don'"))
    desk = Desk(desk_app)
    await desk.send("/console/sign-in", {"username": "don", "password": "three wet umbrellas", "next": "/console/review"})
    shown: Page = await desk.open(path)
    assert shown.status == 404


# ── Letters to type ────────────────────────────────────────────────────────────────────────


async def letters_shown(desk: Desk, path: str) -> str:
    return re.findall(r"\b[A-Z]{4}-[A-Z]{4}\b", (await desk.open(path)).text)[0]


async def test_eight_letters_pair_a_phone_that_has_no_camera(desk_app: Litestar, squares: list[str]) -> None:
    desk = await at_desk(desk_app, ADA)
    path, address = await made(desk, squares)
    letters = await letters_shown(desk, path)
    assert f"open {HERE.partition('://')[2]}/pair and type {letters}" in await desk.open(path)
    assert set(letters) <= {*LETTERS, "-"}
    assert not set(LETTERS) & set("IOL01")
    answer = await pair(desk_app, f" {letters.lower()} ")
    assert answer.status_code == 200, answer.text
    assert answer.json()["staff"]["id"] == "amira"
    assert "Used" in await desk.open(path)
    assert letters not in (await desk.open(path)).text
    await refused(await pair(desk_app, letters, "a-thief"))
    await refused(await pair(desk_app, token_of(address), "a-thief"))  # they are one code


async def test_letters_are_over_when_the_square_is(desk_app: Litestar, squares: list[str]) -> None:
    desk = await at_desk(desk_app, ADA)
    path, _ = await made(desk, squares)
    first = await letters_shown(desk, path)
    path, _ = await made(desk, squares)
    await refused(await pair(desk_app, first))
    second = await letters_shown(desk, path)
    before = moments._clock
    moments.set_clock(lambda: before() + LASTS_S * SECOND)
    await refused(await pair(desk_app, second))


@pytest.mark.parametrize("typed", ["", "ABCD", "ABCD-EFG1", "ABCD-EFGHJ", "ÀBCD-EFGH", "ABCD EFGH' --", "\0" * 8, "%%%%%%%%"])
async def test_letters_that_are_no_code_get_the_one_refusal(desk_app: Litestar, squares: list[str], typed: str) -> None:
    await made(await at_desk(desk_app, ADA), squares)
    await refused(await pair(desk_app, typed))


async def test_guessing_at_letters_is_slowed_down_and_the_square_still_works(desk_app: Litestar, squares: list[str]) -> None:
    desk = await at_desk(desk_app, ADA)
    path, address = await made(desk, squares)
    letters = await letters_shown(desk, path)
    at = moments.now()
    moments.set_clock(lambda: at)
    guesses = [f"{letters[:2]}CD-EF{one}{two}" for one in LETTERS[:4] for two in LETTERS[:4]]
    statuses = [(await pair(desk_app, guess)).status_code for guess in guesses if guess != letters]
    assert (statuses[0], statuses[-1]) == (401, 429)
    assert statuses.count(401) <= throttle.CODES_A_MINUTE
    assert (await pair(desk_app, letters)).status_code == 429
    assert (await pair(desk_app, token_of(address))).status_code == 200


async def test_a_stranger_who_tries_codes_stops_few_others_from_pairing(desk_app: Litestar, squares: list[str]) -> None:
    path, _ = await made(await at_desk(desk_app, ADA), squares)
    letters = await letters_shown(await at_desk(desk_app, ADA), path)
    at = moments.now()
    moments.set_clock(lambda: at)
    begins = next(letter for letter in LETTERS if letter != letters[0])
    guesses = [f"{begins}{letter}CD-EF{one}{two}" for letter in LETTERS[:6] for one in LETTERS[:4] for two in LETTERS[:4]]
    statuses = [(await pair(desk_app, guess)).status_code for guess in guesses]
    assert 429 in statuses  # the premise
    assert (await pair(desk_app, letters)).status_code == 200


async def test_whoever_may_not_pair_is_told_why(desk_app: Litestar) -> None:
    assert "Only an administrator pairs a phone" in await (await at_desk(desk_app, CAROL)).open("/console/people/amira")
    assert "Only an administrator pairs a phone" not in await (await at_desk(desk_app, ADA)).open("/console/people/amira")
