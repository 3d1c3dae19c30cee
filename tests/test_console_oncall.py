"""On call at the desk: the rota says what it lacks; the board shows who comes; how long calls wait is told of places, not of people."""

import re
from typing import Any

from litestar import Litestar

from server.oncall.steps import take_due
from server.store.database import reading, writing
from tests.desk import NOW, Desk, at_desk, phone_sends
from tests.test_oncall_calls import let_ring
from tests.world import ADA, AMIRA, BEN, CAROL, LENA, OLU

ROTA = "/console/oncall/rota"
WEDNESDAY = "2026-11-18"


async def rows(sql: str, *args: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in await reading(lambda tx: tx.rows(sql, *args))]


async def add_duty(desk: Desk, staff: str, **more: str) -> Any:
    return await desk.send(ROTA, {"do": "duty", "staff": staff, "weekday": "2", "period": "break", "part": "first"} | more)


async def test_a_duty_is_added_shown_and_removed(desk_app: Litestar) -> None:
    carol = await at_desk(desk_app, CAROL)
    assert (await add_duty(carol, "ben", zone="B")).status == 303
    page = await carol.open(ROTA)
    assert "Ben Price Break, 11:00 to 11:20 · First to go · B" in page
    duty = (await rows("select id from duty"))[0]["id"]
    await carol.send(ROTA, {"do": "remove", "id": duty})
    assert "Ben Price Break" not in await carol.open(ROTA)
    changed = await rows("select staff, what from audit where what = 'change rota'")
    assert [row["staff"] for row in changed] == ["carol", "carol"]


async def test_a_rota_with_a_hole_says_so_in_words(desk_app: Litestar) -> None:
    carol = await at_desk(desk_app, CAROL)
    assert "Nobody is first to go" not in await carol.open(ROTA)
    for weekday in range(5):
        await add_duty(carol, "ben", weekday=str(weekday), period="", starts="08:00", ends="12:20")
        await add_duty(carol, "ben", weekday=str(weekday), period="", starts="12:20", ends="16:00" if weekday else "13:10")
    page = await carol.open(ROTA)
    assert "Nobody is first to go: Monday: Period 4, Period 5 A call then" in page


async def test_a_duty_swapped_twice_is_refused_in_words_and_nothing_changes(desk_app: Litestar) -> None:
    carol = await at_desk(desk_app, CAROL)
    await add_duty(carol, "ben")
    await add_duty(carol, "lena", period="lunch")
    ben, lena = [(await rows("select id from duty where staff = $1", who))[0]["id"] for who in ("ben", "lena")]
    swap = {"do": "swap", "id": ben, "other": lena, "day": WEDNESDAY, "other_day": WEDNESDAY}
    assert (await carol.send(ROTA, swap)).status == 303
    assert sorted((row["duty"], row["staff"]) for row in await rows("select duty, staff from cover")) == sorted(
        [(ben, "lena"), (lena, "ben")]
    )
    again = await carol.send(ROTA, swap)
    assert (again.status, "That duty has been swapped on that day already: Lena Fisk does it. Take that back first" in again) == (400, True)
    assert len(await rows("select 1 as n from cover")) == 2
    await carol.send(ROTA, {"do": "uncover", "id": ben, "day": WEDNESDAY})
    halfway = await carol.send(ROTA, swap)
    assert halfway.status == 400
    assert len(await rows("select 1 as n from cover")) == 1  # both, or neither


async def test_what_a_rota_cannot_hold_is_said(desk_app: Litestar) -> None:
    carol = await at_desk(desk_app, CAROL)
    await add_duty(carol, "ben")
    duty = (await rows("select id from duty"))[0]["id"]
    for said, words in (
        ({"do": "duty", "staff": "ben", "weekday": "2", "period": "break"}, "They have that duty already"),
        ({"do": "duty", "staff": "olu", "weekday": "2", "period": "break"}, "somebody whose role may read calls for help"),
        ({"do": "duty", "staff": "dan", "weekday": "2", "period": "break"}, "somebody whose role may read calls for help"),
        ({"do": "duty", "staff": "ben", "weekday": "2", "starts": "11:00", "ends": "10:00"}, "Choose a period, or enter when it starts"),
        ({"do": "duty", "staff": "ben", "weekday": "9", "period": "break"}, "Choose a day and a part"),
        ({"do": "cover", "id": duty, "day": "2026-11-19", "staff": "carol"}, "Thu 19 Nov is no Wednesday"),
        ({"do": "cover", "id": duty, "day": "soon", "staff": "carol"}, "Enter the day"),
        ({"do": "cover", "id": duty, "day": WEDNESDAY, "staff": "ben"}, "It is theirs already"),
        ({"do": "cover", "id": "nothing", "day": WEDNESDAY, "staff": "carol"}, "That duty is not on the rota any more"),
        ({"do": "ladder", "name": "", "after": "0", "who": "first"}, "Say what the ladder is called"),
        ({"do": "ladder", "name": "A", "after": ["5", "9"], "who": ["first", "caller"]}, "The first rung is at 0 seconds"),
        ({"do": "ladder", "name": "A", "after": "0", "who": "first"}, "One rung tells the caller"),
        ({"do": "ladder", "name": "A", "after": "soon", "who": "first"}, "Each rung says after how many seconds"),
        ({"do": "zone", "place": "moon", "zone": "B"}, "Choose a place"),
        ({"do": "dance"}, "That cannot be done to a rota"),
        ({}, "That cannot be done to a rota"),
    ):
        answer = await carol.send(ROTA, said)
        assert (answer.status, words in answer) == (400, True), (said, answer.text[:600])


async def test_the_schools_own_ladder_is_the_one_that_is_climbed(desk_app: Litestar) -> None:
    carol = await at_desk(desk_app, CAROL)
    assert "Any call" in (await carol.open(ROTA)).html
    await carol.send(ROTA, {"do": "ladder", "name": "Break", "period": "break", "after": ["10", "0"], "who": ["caller", "leaders"]})
    await writing(let_ring, "lena")
    await call(at=NOW)
    await take_due(NOW + 5_000_000)
    assert [row["staff"] for row in await rows("select staff from alert")] == ["lena"]
    await take_due(NOW + 16_000_000)
    assert {row["words"] for row in await rows("select words from alert where staff = 'amira'")} == {"call.unanswered"}


async def call(at: int) -> str:
    record = await phone_sends(AMIRA, "call_out", {"place": "b12", "urgency": "now", "asked_at": "2026-11-18T11:06:40Z"}, at=at)
    await take_due(at)
    return record


async def test_the_board_shows_a_call_and_who_is_coming(desk_app: Litestar) -> None:
    carol, ben = await at_desk(desk_app, CAROL), await at_desk(desk_app, BEN)
    await add_duty(carol, "ben")
    await writing(let_ring, "ben")
    record = await call(at=NOW)
    page = await ben.open("/console/oncall")
    assert "Amira Haddad called" in page
    assert "1 person rung" in page, page.text
    assert "Ben Price First to go · everywhere · to 11:20 Not gone on duty yet" in page
    assert "Nobody is green." in page
    assert (await ben.send(f"/console/oncall/{record}", {"what": "accept"})).status == 303
    page = await carol.open("/console/oncall")
    assert "Ben Price answered at" in page
    late = await carol.send(f"/console/oncall/{record}", {"what": "accept"})
    assert (late.status, "Ben Price is going already." in late) == (409, True)
    made = await carol.send(f"/console/oncall/{record}", {"what": "incident"})
    assert made.goes_to.startswith("/console/record/")
    assert "Ben Price answered: going" in await carol.open(made.goes_to)


async def test_response_times_are_by_place_and_period_and_name_nobody(desk_app: Litestar) -> None:
    for minute in range(4):
        asked = f"2026-11-18T09:{10 + minute}:00Z"
        answered = f"2026-11-18T09:{11 + minute}:30Z"
        said = {"place": "b12", "urgency": "soon", "asked_at": asked, "answered_at": answered, "progress": "over", "state": "closed"}
        await phone_sends(AMIRA, "call_out", said)
    page = (await (await at_desk(desk_app, LENA)).open("/console/oncall")).html
    times = re.search(r'<section[^>]*id="times".*?</section>', page, re.S)
    assert times
    assert re.search(r"B12</td><td class=\"n\">4</td><td class=\"n\">1 min 30 s</td><td class=\"n\">–</td>", times[0])
    assert "Period 1" in times[0]
    assert not [name for name in ("Amira", "Ben", "Carol") if name in times[0]]


async def test_who_may_see_the_board_and_who_may_change_the_rota(desk_app: Litestar) -> None:
    for me, board, rota in ((AMIRA, 403, 403), (OLU, 403, 403), (BEN, 200, 403), (CAROL, 200, 200), (LENA, 200, 200), (ADA, 403, 200)):
        desk = await at_desk(desk_app, me)
        assert (await desk.open("/console/oncall")).status == board, me.staff
        assert (await desk.open(ROTA)).status == rota, me.staff
        assert (await add_duty(desk, "ben", zone=me.staff)).status == (303 if rota == 200 else 403), me.staff


async def test_the_watch_is_laid_when_the_rota_changes(desk_app: Litestar) -> None:
    carol = await at_desk(desk_app, CAROL)
    await add_duty(carol, "ben")
    await add_duty(carol, "carol", weekday="3")
    waiting = await rows("select at from due_step where does = 'duty.look' and taken_at is null")
    assert len(waiting) == 1
    await writing(lambda tx: tx.run("update duty set removed_at = 1"))
