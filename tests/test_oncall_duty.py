"""Who is on duty, by the clock on the wall; who is green; and that too few are told of."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from server.kinds.roles import Role
from server.oncall.changes import Asked, Wrong, change
from server.oncall.duty import watch
from server.oncall.ladders import ladders_of
from server.oncall.rota import Duty, local, moment_of, next_start, on_call, running
from server.oncall.steps import take_due
from server.store.database import reading, writing
from server.store.me import Me
from server.store.moments import from_wire
from tests.school import SECOND, School
from tests.test_oncall_calls import ask, on_duty, rung, subscribed

HOUR = 3600 * SECOND
SPRING, AUTUMN = "2027-03-28", "2026-10-25"  # Sundays: the clock jumps from 01:00 to 02:00, and from 02:00 back to 01:00


def duty(starts: str, ends: str, weekday: int = 6) -> Duty:
    return Duty("night", "ben", "Ben", weekday, "", "", starts, ends, "", "first")


def minutes_on(day: str, starts: str, ends: str) -> int:
    midnight = from_wire(f"{day}T00:00:00Z") or 0
    start = midnight - HOUR
    return sum(bool(running([duty(starts, ends)], start + n * 60 * SECOND)) for n in range(26 * 60))


def test_a_duty_is_as_long_as_the_wall_clock_says_on_the_nights_when_it_changes() -> None:
    assert minutes_on("2026-11-22", "00:30", "02:30") == 120
    assert minutes_on(SPRING, "00:30", "02:30") == 60
    assert minutes_on(AUTUMN, "00:30", "02:30") == 180
    assert minutes_on(SPRING, "01:00", "02:00") == 0  # there is no such hour
    assert minutes_on(AUTUMN, "01:00", "02:00") == 120  # there are two


def test_there_is_no_hole_between_two_duties_when_the_clock_changes() -> None:
    for day in (SPRING, AUTUMN):
        start = moment_of(day, "00:00")
        both = [duty("00:00", "01:00"), duty("01:00", "02:00"), duty("02:00", "03:00")]
        end = moment_of(day, "03:00")
        assert all(len(running(both, at)) == 1 for at in range(start, end, 60 * SECOND)), day


def test_every_moment_goes_to_the_wall_and_back() -> None:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    for hours in range(0, 366 * 24, 7):
        at = int((begin + timedelta(hours=hours)).timestamp()) * SECOND
        there = local(at)
        again = moment_of(there.day, there.clock)
        assert again == at or (again == at - HOUR and there.day == AUTUMN)


def test_the_next_duty_is_found_across_the_week_and_the_clocks() -> None:
    friday = moment_of("2026-10-23", "16:00")
    assert next_start([duty("08:40", "09:00", 0)], friday) == moment_of("2026-10-26", "08:40")
    assert next_start([duty("16:00", "17:00", 4)], friday) == moment_of("2026-10-30", "16:00")
    assert next_start([], friday) is None


async def people(school: School) -> list[tuple[str, str, bool]]:
    return sorted((one.staff, one.part, one.green) for one in await reading(on_call, "northgate", school.now))


async def tapped(school: School, who: str) -> None:
    """The service worker says so, with the token that only the notification had."""
    rows = await school.rows(
        "select d.alert, d.token from delivery d join alert a on a.id = d.alert where a.staff = $1 and a.words = 'test'"
        " and a.retired_at is null", who,
    )  # fmt: skip
    await school.do("update delivery set shown_at = $2, opened_at = $2 where alert = $1", rows[-1]["alert"], school.now)


async def test_somebody_is_green_once_the_test_on_this_phone_is_tapped_and_until_the_shift_is_over(school: School) -> None:
    await on_duty(school, "ben")
    assert await people(school) == [("ben", "first", False)]
    status, card = await ask(school, "ben", "/api/duty")
    assert status == 200
    assert card["mine"]["tested_at"] is None
    assert await people(school) == [("ben", "first", False)]
    await tapped(school, "ben")
    assert await people(school) == [("ben", "first", True)]
    _, card = await ask(school, "ben", "/api/duty", method="GET")
    assert card["mine"]["tested_at"]
    await school.do("update subscription set retired_at = 1, retired_why = 'its owner signed out'")
    assert await people(school) == [("ben", "first", False)]
    _, card = await ask(school, "ben", "/api/duty", method="GET")
    assert card["mine"]["tested_at"] is None
    school.now += 9 * HOUR
    assert await people(school) == []
    _, card = await ask(school, "ben", "/api/duty", method="GET")
    assert card["mine"] is None


async def test_whoever_goes_on_duty_without_being_on_the_rota_is_called_too(school: School) -> None:
    await subscribed(school, "carol")
    await ask(school, "carol", "/api/duty")
    assert await people(school) == [("carol", "first", False)]
    await ask(school, "carol", "/api/duty", method="DELETE")
    assert await people(school) == []


async def test_somebody_whose_role_may_not_read_calls_cannot_go_on_duty(school: School) -> None:
    status, said = await ask(school, "olu", "/api/duty")
    assert (status, said["refusal"]) == (403, "not_allowed")
    assert (await ask(school, "olu", "/api/duty", method="GET"))[1]["can"] is False


async def test_cover_is_for_one_day(school: School) -> None:
    await on_duty(school, "ben")
    await school.do(
        "insert into cover (school, duty, on_day, staff, said_by, said_at)"
        " values ('northgate', 'ben-first-', '2026-11-23', 'carol', 'ada', 0)"
    )
    assert await people(school) == [("carol", "first", False)]
    school.now += 7 * 24 * HOUR
    assert await people(school) == [("ben", "first", False)]


async def test_a_shift_lasts_to_the_end_of_a_duty_that_is_covered_for_somebody(school: School) -> None:
    await on_duty(school, "ben")
    await school.do(
        "insert into cover (school, duty, on_day, staff, said_by, said_at)"
        " values ('northgate', 'ben-first-', '2026-11-23', 'carol', 'ada', 0)"
    )
    _, carol = await ask(school, "carol", "/api/duty")
    _, ben = await ask(school, "ben", "/api/duty")
    assert from_wire(carol["mine"]["ends_at"]) == moment_of("2026-11-23", "16:00")
    assert from_wire(ben["mine"]["ends_at"]) == school.now + 3 * HOUR
    assert [len(card["today"]) for card in (carol, ben)] == [1, 0]
    await school.do("insert into closed_day (school, on_day, why) values ('northgate', '2026-11-23', 'Snow')")
    assert (await ask(school, "carol", "/api/duty", method="GET"))[1]["today"] == []


async def test_a_ladder_is_as_long_as_it_says_and_can_be_changed_when_there_are_as_many_as_there_may_be(school: School) -> None:
    me = Me(staff="ada", school="northgate", role=Role.MANAGER)
    rungs: Any = {"who": ["first", "caller"], "after": ["0", "60"]}
    for n in range(30):
        await writing(change, me, Asked(do="ladder", id=f"ladder {n}", name="One", **rungs))
    await writing(change, me, Asked(do="ladder", id="ladder 7", name="Another", **rungs))
    with pytest.raises(Wrong):
        await writing(change, me, Asked(do="ladder", name="One more", **rungs))
    with pytest.raises(Wrong):
        await writing(change, me, Asked(do="ladder", id="ladder 7", name="Long", who=rungs["who"], after=["0", "000000999999999999999"]))
    await writing(change, me, Asked(do="drop", id="ladder 7"))
    await writing(change, me, Asked(do="ladder", id="ladder 7", name="Back", **rungs))
    assert "Back" in {one.name for one in await reading(ladders_of, "northgate")}


async def test_nobody_is_on_duty_by_the_rota_when_there_is_no_school(school: School) -> None:
    await on_duty(school, "ben")
    await school.do("insert into closed_day (school, on_day, why) values ('northgate', '2026-11-23', 'Snow')")
    assert await people(school) == []


async def test_too_few_green_phones_are_told_to_whoever_leads_and_the_watch_goes_on(school: School) -> None:
    await on_duty(school, "ben")
    await on_duty(school, "dee", part="lead")
    school.now = moment_of("2026-11-23", "07:30")
    await writing(watch, "northgate", school.now)
    school.now = moment_of("2026-11-23", "08:05")
    await take_due(school.now)
    assert await rung(school) == [("dee", "duty.thin")]
    waiting = await school.rows("select at, more from due_step where taken_at is null")
    assert [(row["at"], json.loads(row["more"])) for row in waiting] == [(moment_of("2026-11-30", "08:05"), {})]


async def test_enough_green_phones_are_no_news(school: School) -> None:
    await on_duty(school, "ben", "carol")
    for who in ("ben", "carol"):
        await subscribed(school, who)
        await ask(school, who, "/api/duty")
        await tapped(school, who)
    await writing(watch, "northgate", school.now - 2 * HOUR)
    await take_due(school.now)
    assert [words for _, words in await rung(school) if words != "test"] == []


def test_the_clock_of_the_tests_is_a_monday() -> None:
    from tests.world import MONDAY

    told: Any = local(MONDAY + 7 * 24 * HOUR)
    assert (told.weekday, told.day, told.clock) == (0, "2026-11-23", "08:30")
