"""One's own sign-in at the desk: codes are set up, asked for, fallen back on, and begun again when the phone is gone."""

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from litestar import Litestar

from server.access import keys, totp
from server.access.settings_of import decide
from server.access.sign_in import set_password
from server.console import own
from server.settings import Settings
from server.store import moments
from server.store.database import reading, writing
from server.store.me import Me
from tests.desk import Desk, Page, at_desk
from tests.visitor import visitor
from tests.world import ADA, AMIRA, CAROL, DAN, DEE, LENA, PASSWORD

SECOND = 1_000_000


@pytest.fixture(autouse=True)
def squares(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What each square that was drawn says, the newest last."""
    said: list[str] = []
    real = own.square
    monkeypatch.setattr(own, "square", lambda text, title: said.append(text) or real(text, title))
    return said


def later(seconds: int) -> None:
    before = moments._clock
    moments.set_clock(lambda: before() + seconds * SECOND)


def code_now(secret: str) -> str:
    return totp.code_at(secret, moments.now() // SECOND // totp.STEP_S)


async def set_up(desk: Desk, squares: list[str]) -> tuple[str, list[str]]:
    shown = await desk.send("/console/own", {"do": "codes", "password": PASSWORD})
    assert shown.status == 201 or shown.status == 200, shown.text
    secret = parse_qs(urlsplit(squares[-1]).query)["secret"][0]
    assert secret in shown.text.replace(" ", "")
    wrong = await desk.send("/console/own", {"do": "confirm", "code": "000000" if code_now(secret) != "000000" else "111111"})
    assert "That is not the code the app shows now" in wrong
    page = await desk.send("/console/own", {"do": "confirm", "code": code_now(secret)})
    later(60)
    return secret, re.findall(r"[a-z0-9]{5}-[a-z0-9]{5}", page.text)


async def second(desk: Desk, asked: Page, code: str) -> Page:
    return await desk.send("/console/sign-in", asked.form("/console/sign-in") | {"code": code})


async def test_codes_are_set_up_and_then_asked_for(desk_app: Litestar, squares: list[str]) -> None:
    secret, codes = await set_up(await at_desk(desk_app, CAROL), squares)
    assert len(set(codes)) == 10
    desk = Desk(desk_app)
    asked = await desk.sign_in(CAROL)
    assert "One more step" in asked
    assert (await desk.open("/console/review")).goes_to.startswith("/console/sign-in")
    assert (await second(desk, asked, "123")).status == 401
    assert await reading(lambda tx: tx.rows("select 1 from audit where what = 'wrong second factor' and staff = 'carol'"))
    asked = await desk.sign_in(CAROL)
    assert (await second(desk, asked, code_now(secret))).goes_to == "/console/review"
    assert (await desk.open("/console/review")).status == 200
    other = Desk(desk_app)
    assert (await second(other, await other.sign_in(CAROL), codes[0])).goes_to == "/console/review"
    assert "9 recovery codes left" in await other.open("/console/own")
    form = {"do": "remove_codes", "password": PASSWORD}
    assert (await other.send("/console/own", form | {"password": "wrong"})).status == 401
    assert (await other.send("/console/own", form)).status == 303
    assert (await Desk(desk_app).sign_in(CAROL)).status == 303
    noted = [row[0] for row in await reading(lambda tx: tx.rows("select what from audit where staff = 'carol' order by at, id"))]
    assert [what for what in noted if "code" in what] == [
        "set up codes", "new recovery codes", "sign in with a code", "use recovery code", "sign in with a code", "remove codes",
    ]  # fmt: skip


async def test_a_ticket_ends_with_the_password_it_was_given_for(desk_app: Litestar, squares: list[str]) -> None:
    secret, _ = await set_up(await at_desk(desk_app, CAROL), squares)
    thief = Desk(desk_app)
    asked = await thief.sign_in(CAROL)
    await (await at_desk(desk_app, ADA)).send("/console/people/carol/password", {"password": PASSWORD})
    answer = await second(thief, asked, code_now(secret))
    assert (answer.status, "That did not work" in answer) == (401, True)


async def test_a_mistyped_code_is_typed_again_without_the_password(desk_app: Litestar, squares: list[str]) -> None:
    secret, _ = await set_up(await at_desk(desk_app, CAROL), squares)
    desk = Desk(desk_app)
    asked = await desk.sign_in(CAROL)
    again = await second(desk, asked, "12345")
    assert (again.status, "That did not work" in again, "One more step" in again) == (401, True, True)
    assert (await second(desk, again, code_now(secret))).goes_to == "/console/review"
    asked = await desk.sign_in(CAROL)
    for _ in range(4):
        asked = await second(desk, asked, "12345")
        assert "One more step" in asked
    over = await second(desk, asked, "12345")  # the fifth try at that ticket was its last
    assert (over.status, "Sign in to the desk" in over) == (401, True)


async def test_whoever_must_and_has_none_sets_it_up_before_anything_else(desk_app: Litestar, squares: list[str]) -> None:
    await writing(decide, "northgate", "second_factor", {"roles": ["dsl"], "grace_days": 1, "since": moments.now()})
    dee = await at_desk(desk_app, DEE)
    assert "Set one of these up by Thu 19 Nov 2026." in await dee.open("/console/own")
    later(25 * 3600)
    dee = await at_desk(desk_app, DEE)
    assert (await dee.open("/console/pupil/zoe")).goes_to == "/console/own"
    assert "Nothing else opens until then" in await dee.open("/console/own")
    secret, codes = await set_up(dee, squares)
    assert len(codes) == 10
    assert (await dee.open("/console/review")).goes_to.startswith("/console/sign-in")  # that session was for this alone
    assert (await second(dee, await dee.sign_in(DEE), code_now(secret))).goes_to == "/console/review"
    assert (await dee.open("/console/pupil/zoe")).status == 200


async def test_a_session_that_set_nothing_up_opens_nothing_even_where_something_is_set_up_meanwhile(
    desk_app: Litestar, squares: list[str]
) -> None:
    first = await at_desk(desk_app, DEE)
    await writing(decide, "northgate", "second_factor", {"roles": ["dsl"], "grace_days": 0, "since": moments.now()})
    limited = await at_desk(desk_app, DEE)
    await set_up(first, squares)
    door = (await limited.open("/console/own")).goes_to
    assert door.startswith("/console/sign-in")
    assert (await limited.open(door)).status == 200  # and is not sent round in a circle
    for do in ("codes", "recovery", "remove_codes"):
        assert (await limited.send("/console/own", {"do": do, "password": PASSWORD})).status == 401


async def on_a_phone(app: Litestar, me: Me) -> httpx.AsyncClient:
    browser = visitor(app)
    said = {"username": me.staff, "password": PASSWORD, "phone": {"id": f"{me.staff}-phone", "name": "x"}}
    assert (await browser.post("/api/session", json=said)).status_code == 200
    return browser


async def test_with_the_first_factor_whoever_came_in_by_a_password_alone_is_shut_out_of_the_desk(
    desk_app: Litestar, squares: list[str]
) -> None:
    other, phone, mine = await at_desk(desk_app, CAROL), await on_a_phone(desk_app, CAROL), await at_desk(desk_app, CAROL)
    wrong = {"do": "confirm", "code": "12345"}
    await mine.send("/console/own", {"do": "codes", "password": PASSWORD})
    await mine.send("/console/own", wrong)
    assert (await other.open("/console/review")).status == 200  # the premise: nothing is set up yet
    await set_up(mine, squares)
    assert (await other.open("/console/review")).goes_to.startswith("/console/sign-in")
    assert (await phone.get("/api/school")).status_code == 200
    assert (await phone.get("/console/review")).status_code == 303
    assert (await phone.post("/api/passkeys/new", json={"password": PASSWORD})).json()["refusal"] == "sign_in_again"
    assert (await mine.open("/console/review")).status == 200


async def test_a_session_for_setting_up_alone_cannot_finish_once_its_owner_has(desk_app: Litestar, squares: list[str]) -> None:
    await writing(decide, "northgate", "second_factor", {"roles": ["dsl"], "grace_days": 0, "since": moments.now()})
    limited = await at_desk(desk_app, DEE)
    await limited.send("/console/own", {"do": "codes", "password": PASSWORD})
    secret = parse_qs(urlsplit(squares[-1]).query)["secret"][0]
    public = "insert into passkey (id, school, staff, name, public, made_at) values ('k', 'northgate', 'dee', 'Hers', '', 1)"
    await writing(lambda tx: tx.run(public))
    answer = await limited.send("/console/own", {"do": "confirm", "code": code_now(secret)})
    assert (answer.status, re.findall(r"[a-z0-9]{5}-[a-z0-9]{5}", answer.text)) == (401, [])
    assert await reading(lambda tx: tx.rows("select 1 from generator where confirmed_at is not null")) == []


async def test_a_secret_is_shown_for_a_password_alone_and_waits_ten_minutes(desk_app: Litestar, squares: list[str]) -> None:
    desk = await at_desk(desk_app, CAROL)
    shown = await desk.send("/console/own", {"do": "codes", "password": PASSWORD})
    secret = parse_qs(urlsplit(squares[-1]).query)["secret"][0]
    assert "data-once" in shown.html  # pressed twice, the second answer would hide the codes that the first shows
    again = await desk.send("/console/own", {"do": "confirm", "code": "12345"})
    assert "That is not the code the app shows now" in again
    assert secret not in again.text.replace(" ", "")
    assert len(squares) == 1
    later(10 * 60)
    late = await desk.send("/console/own", {"do": "confirm", "code": code_now(secret)})
    assert (late.status, late.goes_to) == (303, "/console/own")


async def test_when_the_days_are_over_whoever_is_signed_in_sets_it_up_too(desk_app: Litestar, squares: list[str]) -> None:
    await writing(decide, "northgate", "second_factor", {"roles": ["dsl"], "grace_days": 1, "since": moments.now()})
    later(23 * 3600)
    dee, phone, carol = await at_desk(desk_app, DEE), await on_a_phone(desk_app, DEE), await at_desk(desk_app, CAROL)
    assert (await dee.open("/console/pupil/zoe")).status == 200
    assert (await phone.get("/api/school")).status_code == 200
    later(3600 + 60)
    assert (await dee.open("/console/pupil/zoe")).goes_to == "/console/own"
    assert (await phone.get("/api/school")).status_code == 401
    assert (await carol.open("/console/review")).status == 200
    await set_up(dee, squares)
    assert (await phone.get("/api/school")).status_code == 200  # and it is not shut out for good


async def test_a_role_that_is_asked_later_gives_the_others_no_more_days(desk_app: Litestar) -> None:
    ada = await at_desk(desk_app, ADA)
    await ada.send("/console/safety", {"do": "second_factor", "role": "dsl", "grace_days": "2", "password": PASSWORD})
    later(24 * 3600)
    ada = await at_desk(desk_app, ADA)
    both = {"do": "second_factor", "role": ["dsl", "leader"], "grace_days": "2", "password": PASSWORD}
    assert (await ada.send("/console/safety", both)).status == 303
    later(25 * 3600)
    assert (await (await at_desk(desk_app, DEE)).open("/console/pupil/zoe")).goes_to == "/console/own"
    assert (await (await at_desk(desk_app, LENA)).open("/console/pupil/zoe")).status == 200


async def test_an_administrator_lets_somebody_begin_again_and_they_are_told(desk_app: Litestar, squares: list[str]) -> None:
    await set_up(await at_desk(desk_app, AMIRA), squares)
    later(60)
    ada = await at_desk(desk_app, ADA)
    assert "begin again" in await ada.open("/console/people/amira")
    assert "begin again" not in await ada.open("/console/people/ben")
    carol = await at_desk(desk_app, CAROL)
    assert "begin again" not in await carol.open("/console/people/amira")
    assert (await carol.send("/console/people/amira/factor", {})).status == 403
    assert (await ada.send("/console/people/dan/factor", {})).status == 404
    assert (await ada.send("/console/people/amira/factor", {})).status == 303
    said = {"username": "amira", "password": PASSWORD, "phone": {"id": "amira-phone", "name": "x"}}
    answer = (await visitor(desk_app).post("/api/session", json=said)).json()
    assert "Ada Quigley removed your passkeys and codes on 2026-11-18" in answer["told"]


async def test_whoever_runs_the_server_can_let_an_only_administrator_back_in(desk_app: Litestar, squares: list[str]) -> None:
    await set_up(await at_desk(desk_app, ADA), squares)
    assert await set_password("ada", PASSWORD)
    assert (await Desk(desk_app).sign_in(ADA)).status == 303


@pytest.fixture
def unlocked_again() -> Iterator[None]:
    yield
    keys.unlock(Settings())


async def test_the_secret_of_an_app_is_closed_by_the_passphrase_and_goes_on_working(
    desk_app: Litestar, squares: list[str], unlocked_again: None
) -> None:
    in_the_clear, _ = await set_up(await at_desk(desk_app, CAROL), squares)
    keys.unlock(Settings(keys_passphrase="seven brass umbrellas"))
    assert await writing(keys.close_all) == 1
    secret, _ = await set_up(await at_desk(desk_app, AMIRA), squares)
    kept = {row["staff"]: row["secret"] for row in await reading(lambda tx: tx.rows("select staff, secret from generator"))}
    assert kept.keys() == {"amira", "carol"}
    assert not any(one in text for one in (in_the_clear, secret) for text in kept.values())
    for me, known in ((CAROL, in_the_clear), (AMIRA, secret)):
        desk = Desk(desk_app)
        assert (await second(desk, await desk.sign_in(me), code_now(known))).goes_to == "/console/review"
    with pytest.raises(keys.Locked):
        keys.opened_text(kept["carol"], "amira")
    assert await reading(keys.problems) == (0, 0)
    keys.unlock(Settings())
    assert (await reading(keys.problems))[1] >= 2


async def test_one_persons_own_page_is_nobody_elses(desk_app: Litestar, squares: list[str]) -> None:
    await set_up(await at_desk(desk_app, CAROL), squares)
    for me in (AMIRA, DAN):
        desk = await at_desk(desk_app, me)
        assert "Set up an authenticator app" in await desk.open("/console/own")
        assert (await desk.send("/console/own", {"do": "remove", "id": "x", "password": PASSWORD})).status == 404
        assert (await desk.send("/console/own", {"do": "recovery", "password": PASSWORD})).status == 404
        assert (await desk.send("/console/own", {"do": "", "password": PASSWORD})).status == 404
    assert "One more step" in await Desk(desk_app).sign_in(CAROL)


@pytest.mark.parametrize("passkey", ["", "{", "[]", "null", '{"rawId": 1}', "[" * 5_000, "\0", '"x"'])
async def test_a_broken_passkey_at_the_door_is_refused_in_words(desk_app: Litestar, passkey: str) -> None:
    desk = Desk(desk_app)
    for ticket in ("x", (await visitor(desk_app).post("/api/passkeys/sign-in", json={})).json()["ticket"]):
        answer = await desk.send("/console/sign-in", {"ticket": ticket, "passkey": passkey, "next": ""})
        assert (answer.status, "That did not work" in answer) == (401, True)
