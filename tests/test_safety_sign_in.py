"""Signing in: nobody is told apart, nobody is locked out, and no token is anybody's but the one it was made for."""

import asyncio
import hashlib
import time

import httpx
import pytest
from litestar import Litestar
from msgspec.structs import replace

from server.access import passwords, throttle
from server.access.sessions import DESK_AT_MOST_S, DESK_IDLE_S, PHONE_IDLE_S, find
from server.access.sign_in import Comer, set_password, sign_in
from server.app import create_app
from server.refusals import TooMany, WrongPair
from server.settings import Settings
from server.store import moments
from server.store.database import reading, writing
from tests.visitor import no_phone_app, signed_in, try_signing_in, visitor
from tests.world import AMIRA, BEN, PASSWORD

SECOND = 1_000_000
AT_A_DESK = Comer(Settings())


@pytest.fixture
def app(world: Settings) -> Litestar:
    return create_app(world)


class Clock:
    def __init__(self) -> None:
        self.now = time.time_ns() // 1000

    def __call__(self) -> int:
        return self.now

    def pass_s(self, seconds: float) -> None:
        self.now += int(seconds * SECOND)


@pytest.fixture
def clock():
    made = Clock()
    moments.set_clock(made)
    yield made
    moments.set_clock(None)


# ── One answer for every failure ───────────────────────────────────────────────────────────


async def failures(app: Litestar) -> dict[str, httpx.Response]:
    await writing(lambda tx: tx.run("update staff set left_at = 1 where id = 'ben'"))
    await writing(lambda tx: tx.run("update staff set password = null where id = 'olu'"))
    tries = {
        "a wrong password": ("amira", "not this one"),
        "nobody": ("nobody", PASSWORD),
        "somebody who has left": ("ben", PASSWORD),
        "somebody with no password": ("olu", PASSWORD),
        "nothing at all": ("", ""),
        "a very long password": ("amira", "x" * 100_000),
        "a NUL": ("amira\0", "\0"),
        "not quite UTF-8's best": ("ämira\u202e", "🜏"),
    }
    return {why: await try_signing_in(visitor(app), *pair) for why, pair in tries.items()}


async def test_every_failed_sign_in_gets_the_same_bytes(app: Litestar) -> None:
    answers = await failures(app)
    assert {answer.status_code for answer in answers.values()} == {401}
    assert len({answer.content for answer in answers.values()}) == 1
    without_id = [{name: value for name, value in answer.headers.items() if name != "x-request-id"} for answer in answers.values()]
    assert all(headers == without_id[0] for headers in without_id)
    assert "set-cookie" not in without_id[0]


async def test_every_failed_sign_in_does_the_same_work(app: Litestar, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[bool] = []
    real = passwords._verify
    monkeypatch.setattr(passwords, "_verify", lambda kept, password: checked.append(kept.startswith("$argon2id$")) or real(kept, password))
    answers = await failures(app)
    assert checked == [True] * len(answers)


async def test_the_dummy_costs_what_a_real_password_costs() -> None:
    def cost(kept: str) -> str:
        return kept.split("$")[3]  # m=…,t=…,p=…

    assert cost(passwords._nobody) == cost(await passwords.hashed(PASSWORD))


# ── Sessions ───────────────────────────────────────────────────────────────────────────────


async def test_a_planted_session_is_not_the_one_signed_in_to(app: Litestar) -> None:
    planted = "a" * 43
    victim = visitor(app)
    victim.cookies.set("lanyard", planted)
    assert (await try_signing_in(victim, "amira")).status_code == 200
    attacker = visitor(app, Cookie=f"lanyard={planted}")
    assert (await attacker.get("/api/school")).status_code == 401
    assert planted not in [cookie.value for cookie in victim.cookies.jar if cookie.name == "lanyard" and cookie.domain != ""]


async def test_signing_in_again_ends_the_session_before(app: Litestar) -> None:
    browser = await signed_in(app, AMIRA)
    before = browser.cookies["lanyard"]
    await try_signing_in(browser, "ben", phone="ben-phone")
    assert browser.cookies["lanyard"] != before
    assert (await visitor(app, Cookie=f"lanyard={before}").get("/api/school")).status_code == 401
    assert (await browser.get("/api/school")).json()["me"]["id"] == "ben"


async def test_a_token_is_kept_only_as_its_hash(app: Litestar) -> None:
    browser = await signed_in(app, AMIRA)
    token = browser.cookies["lanyard"]
    kept = await reading(lambda tx: tx.rows("select * from session"))
    assert [row["hash"] for row in kept] == [hashlib.sha256(token.encode()).hexdigest()]
    assert not any(token in str(value) for row in kept for value in row)


async def test_a_password_is_kept_only_as_argon2id(app: Litestar) -> None:
    await set_password("amira", "four wet umbrellas")
    row = await reading(lambda tx: tx.row("select password from staff where id = 'amira'"))
    assert row is not None
    assert row[0].startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_signing_out_ends_the_session_at_once(app: Litestar) -> None:
    browser = await signed_in(app, AMIRA)
    token = browser.cookies["lanyard"]
    assert (await browser.delete("/api/session")).status_code == 204
    assert "lanyard" not in browser.cookies
    assert (await visitor(app, Cookie=f"lanyard={token}").get("/api/school")).status_code == 401
    assert (await browser.delete("/api/session")).status_code == 204


async def test_a_new_password_signs_its_owner_out_everywhere(app: Litestar) -> None:
    phone, other = await signed_in(app, AMIRA), await signed_in(app, BEN)
    assert await set_password(" Amira", "four wet umbrellas")
    assert (await phone.get("/api/school")).status_code == 401
    assert (await other.get("/api/school")).status_code == 200
    assert (await try_signing_in(visitor(app), "amira", "four wet umbrellas")).status_code == 200


async def test_a_phone_that_is_switched_off_is_told_so_and_its_owner_may_use_another(app: Litestar) -> None:
    browser = await signed_in(app, AMIRA)
    await writing(lambda tx: tx.run("update phone set revoked_at = 1 where id = 'amira-phone'"))
    answer = await browser.get("/api/school")
    assert (answer.status_code, answer.json()["refusal"]) == (403, "phone_revoked")
    again = await try_signing_in(browser, "amira", phone="amira-phone")
    assert (again.status_code, again.json()["refusal"]) == (403, "phone_revoked")
    assert (await try_signing_in(browser, "amira", phone="a-new-phone")).status_code == 200
    assert (await browser.get("/api/school")).status_code == 200


async def test_somebody_who_has_left_is_out_at_the_next_request(app: Litestar) -> None:
    browser = await signed_in(app, AMIRA)
    await writing(lambda tx: tx.run("update staff set left_at = 1 where id = 'amira'"))
    assert (await browser.get("/api/school")).status_code == 403


async def test_a_phone_stays_signed_in_while_it_is_used_and_not_for_ever(app: Litestar, clock: Clock) -> None:
    browser = await signed_in(app, AMIRA)
    for _ in range(5):
        clock.pass_s(PHONE_IDLE_S - 60)
        assert (await browser.get("/api/school")).status_code == 200
    clock.pass_s(PHONE_IDLE_S + 60)
    assert (await browser.get("/api/school")).status_code == 401


async def test_a_desk_is_signed_out_when_idle_and_at_the_end_of_the_day(app: Litestar, clock: Clock) -> None:
    async def sign_in_at_the_desk() -> httpx.AsyncClient:
        welcome = await sign_in("carol", PASSWORD, AT_A_DESK)
        assert welcome.grant is None
        return visitor(app, Cookie=f"lanyard={welcome.token}")

    desk = await sign_in_at_the_desk()
    clock.pass_s(DESK_IDLE_S + 1)
    assert (await desk.get("/api/school")).status_code == 401
    desk = await sign_in_at_the_desk()
    for _ in range(DESK_AT_MOST_S // 3600 - 1):
        clock.pass_s(3600)
        assert (await desk.get("/api/school")).status_code == 200
    clock.pass_s(3600 + 1)
    assert (await desk.get("/api/school")).status_code == 401


@pytest.mark.parametrize(("path", "headers"), [("/api/live", {}), ("/console/review", {"X-Lanyard-Live": "1"})])
async def test_a_page_that_keeps_itself_up_to_date_does_not_keep_a_desk_signed_in(
    world: Settings, clock: Clock, path: str, headers: dict[str, str]
) -> None:
    app = create_app(no_phone_app(world))
    welcome = await sign_in("carol", PASSWORD, AT_A_DESK)
    desk = visitor(app, Cookie=f"lanyard={welcome.token}")
    for _ in range(DESK_IDLE_S // 900 - 1):
        clock.pass_s(900)
        app.state.hub.closing = True  # so that the stream of hints ends
        assert (await desk.get(path, headers=headers)).status_code == 200
    clock.pass_s(901)
    assert (await desk.get("/api/school")).status_code == 401


async def test_the_stream_of_hints_itself_is_no_use_of_a_session(world: Settings, clock: Clock) -> None:
    welcome = await sign_in("carol", PASSWORD, AT_A_DESK)
    clock.pass_s(DESK_IDLE_S - 1)
    assert (await find(welcome.token, in_use=False)).me is not None
    clock.pass_s(2)
    assert (await find(welcome.token)).me is None


async def test_a_phone_that_is_signed_in_for_months_opens_the_desk_only_on_the_day_of_its_password(app: Litestar, clock: Clock) -> None:
    phone = await signed_in(app, AMIRA)
    assert (await phone.get("/console/review")).status_code == 200
    clock.pass_s(DESK_AT_MOST_S + 1)
    assert (await phone.get("/console/review")).headers["location"].startswith("/console/sign-in")
    assert (await phone.get("/console/sign-in")).status_code == 200
    assert (await phone.get("/api/school")).status_code == 200


async def test_who_is_given_a_new_password_is_told_so_once_and_it_is_audited(app: Litestar) -> None:
    await signed_in(app, AMIRA)
    assert await set_password("amira", "four wet umbrellas")
    first = await try_signing_in(visitor(app), "amira", "four wet umbrellas")
    assert first.json()["told"].startswith("whoever runs the server gave you a new password on ")
    assert "told" not in (await try_signing_in(visitor(app), "amira", "four wet umbrellas")).json()
    assert "told" not in (await try_signing_in(visitor(app), "ben")).json()
    (row,) = await reading(lambda tx: tx.rows("select detail from audit where what = 'set password'"))
    assert row["detail"] == '{"staff":"amira","by":"whoever runs the server"}'


async def test_one_person_has_one_desk_however_often_they_sign_in(world: Settings) -> None:
    first, second = [await sign_in("carol", PASSWORD, AT_A_DESK) for _ in range(2)]
    assert first.me.phone == second.me.phone
    assert first.token != second.token


async def test_a_tab_left_open_for_one_person_does_not_act_as_the_next(app: Litestar) -> None:
    browser = await signed_in(app, AMIRA)
    await try_signing_in(browser, "ben", phone="ben-phone")
    assert (await browser.get("/api/school", headers={"Lanyard-Phone": "ben-phone"})).status_code == 200
    assert (await browser.get("/api/school", headers={"Lanyard-Phone": "amira-phone"})).status_code == 401


async def test_a_phone_id_belongs_to_one_person(app: Litestar) -> None:
    mine = await try_signing_in(visitor(app), "amira", phone="handset")
    theirs = await try_signing_in(visitor(app), "ben", phone="handset")
    assert mine.json()["phone"] == "handset"
    assert theirs.json()["phone"] != "handset"
    assert (await try_signing_in(visitor(app), "amira", phone="handset")).json()["phone"] == "handset"


# ── Guessing ───────────────────────────────────────────────────────────────────────────────


async def test_guessing_soon_takes_a_quarter_of_an_hour_a_guess(world: Settings, clock: Clock) -> None:
    judged = 0
    for _ in range(720):
        try:
            await writing(throttle.take_a_try, "amira", None, clock())
            judged += 1
        except TooMany:
            clock.pass_s(5)
    assert throttle.FREE_TRIES <= judged <= 20  # in an hour


async def test_a_hundred_guesses_at_once_are_no_more_than_one_after_another(app: Litestar, clock: Clock) -> None:
    answers = await asyncio.gather(*(try_signing_in(visitor(app), "amira", f"guess {n}") for n in range(30)))
    assert sum(answer.status_code == 401 for answer in answers) == throttle.FREE_TRIES
    assert {answer.status_code for answer in answers} == {401, 429}
    waits = [answer for answer in answers if answer.status_code == 429]
    assert all(1 <= int(answer.headers["retry-after"]) <= throttle.LONGEST_WAIT_S for answer in waits)


async def test_pupils_who_guess_do_not_keep_a_teacher_out_of_her_own_phone(app: Litestar, clock: Clock) -> None:
    phone = await signed_in(app, AMIRA)
    stranger = visitor(app)
    for _ in range(40):
        await try_signing_in(stranger, "amira", "a guess")
    assert (await try_signing_in(visitor(app), "amira")).status_code == 429  # the premise: strangers wait, right or wrong
    assert (await try_signing_in(phone, "amira", phone="amira-phone")).status_code == 200


async def test_the_account_of_nobody_rests_like_anybodys(app: Litestar, clock: Clock) -> None:
    async def statuses(username: str) -> list[tuple[int, str | None]]:
        answers = [await try_signing_in(visitor(app), username, "a guess") for _ in range(12)]
        return [(answer.status_code, answer.headers.get("retry-after")) for answer in answers]

    assert await statuses("amira") == await statuses("nobody-at-all")


async def test_a_known_phone_that_guesses_on_becomes_a_stranger(world: Settings, clock: Clock) -> None:
    device = (await sign_in("amira", PASSWORD, AT_A_DESK)).device
    lanes = set()
    for _ in range(throttle.KNOWN_TRIES + 1):
        lanes.add((await writing(throttle.take_a_try, "amira", device, clock())).lane)
        clock.pass_s(throttle.LONGEST_WAIT_S)
    assert lanes == {throttle.known_lane("amira", device), throttle.lane_of("amira")}


async def test_somebody_elses_device_is_a_stranger(world: Settings) -> None:
    device = (await sign_in("ben", PASSWORD, AT_A_DESK)).device
    assert (await writing(throttle.take_a_try, "amira", device, moments.now())).lane == throttle.lane_of("amira")


async def test_a_new_password_lets_its_owner_in_at_once(app: Litestar, clock: Clock) -> None:
    for _ in range(20):
        await try_signing_in(visitor(app), "amira", "a guess")
    assert (await try_signing_in(visitor(app), "amira")).status_code == 429
    await set_password("amira", "four wet umbrellas")
    assert (await try_signing_in(visitor(app), "amira", "four wet umbrellas")).status_code == 200


async def test_strangers_guessing_at_many_accounts_are_slowed_together_and_known_phones_are_not(app: Litestar, clock: Clock) -> None:
    phone = await signed_in(app, AMIRA)
    clock.now -= clock.now % (60 * SECOND)
    names = [name for name in (f"guess{n}" for n in range(200)) if await reading(throttle.strangers_lane, name) == "strangers:northgate"]
    guesses = [await try_signing_in(visitor(app), name, "a guess") for name in names[: throttle.STRANGERS_A_MINUTE + 5]]
    assert [guess.status_code for guess in guesses] == [401] * throttle.STRANGERS_A_MINUTE + [429] * 5
    assert (await try_signing_in(visitor(app), "ben")).status_code == 429
    assert (await try_signing_in(visitor(app), "dan")).status_code == 200  # of another school
    assert (await try_signing_in(phone, "amira", phone="amira-phone")).status_code == 200
    clock.pass_s(60)
    assert (await try_signing_in(visitor(app), "ben")).status_code == 200


async def test_strangers_who_guess_at_the_same_moment_are_each_counted(world: Settings, clock: Clock) -> None:
    clock.now -= clock.now % (60 * SECOND)
    await asyncio.gather(*(writing(throttle.take_a_try, f"guess{n}", None, clock()) for n in range(40)))
    counted = await reading(lambda tx: tx.rows("select failures from attempt where key like 'strangers:%'"))
    assert sum(row[0] for row in counted) == 40


async def test_a_known_phone_that_guesses_many_times_at_one_moment_is_counted_each_time(world: Settings, clock: Clock) -> None:
    await sign_in("amira", PASSWORD, replace(AT_A_DESK, device="amiras"))
    tries = (writing(throttle.take_a_try, "amira", "amiras", clock()) for _ in range(throttle.KNOWN_TRIES + 5))
    taken = [one.lane for one in await asyncio.gather(*tries, return_exceptions=True) if not isinstance(one, BaseException)]
    assert taken.count(throttle.known_lane("amira", "amiras")) == throttle.KNOWN_TRIES


async def test_who_mistypes_on_her_own_phone_waits_but_the_right_password_lets_her_in(app: Litestar, clock: Clock) -> None:
    phone = await signed_in(app, AMIRA)
    statuses = [(await try_signing_in(phone, "amira", "a slip")).status_code for _ in range(throttle.FREE_TRIES + 2)]
    assert statuses == [401] * throttle.FREE_TRIES + [429] * 2
    assert (await try_signing_in(phone, "amira", phone="amira-phone")).status_code == 200


async def test_a_morning_when_everybody_signs_in_on_a_new_phone_is_not_guessing(world: Settings, clock: Clock) -> None:
    clock.now -= clock.now % (60 * SECOND)
    for _ in range(throttle.STRANGERS_A_MINUTE + 5):
        await sign_in("amira", PASSWORD, AT_A_DESK)
    with pytest.raises(WrongPair):
        await sign_in("ben", "a guess", AT_A_DESK)


async def test_what_no_longer_says_anything_is_let_go_at_the_next_sign_in(app: Litestar, clock: Clock) -> None:
    await signed_in(app, BEN)
    await try_signing_in(visitor(app), "nobody", "a guess")
    clock.pass_s(PHONE_IDLE_S + 1)
    await signed_in(app, AMIRA)
    sessions = await reading(lambda tx: tx.rows("select staff from session"))
    lanes = await reading(lambda tx: tx.rows("select key from attempt where key like 'account:%'"))
    known = await reading(lambda tx: tx.rows("select key from attempt where key like 'known:%'"))
    assert [row[0] for row in sessions] == ["amira"]
    assert (len(lanes), len(known)) == (0, 2)  # a device stays known for longer
