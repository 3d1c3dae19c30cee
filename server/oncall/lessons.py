"""Where somebody's own timetable puts them, today and on the next days with school: cover and changes of room included."""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any

import msgspec

from server.oncall.rota import moment_of
from server.store.database import Tx
from server.store.moments import to_wire

DAYS = 6  # with school: a phone that has no signal for a week still knows
LOOKED_AHEAD = 14  # days: past any half term

OF_A_WEEK = "select week, weekday, period, place, words from lesson where school = $1 and staff = $2 and on_day = '' order by week"
OF_A_DAY = "select on_day, period, place, words from lesson where school = $1 and staff = $2 and on_day = any($3)"
PERIODS = "select code, starts, ends from period where school = $1"

HasSchool = Callable[[str], bool]


class Lesson(msgspec.Struct, frozen=True):
    """`place`: a code of the school's list of places; empty where it is in none."""

    starts_at: str
    ends_at: str
    place: str
    words: str


async def lessons_of(tx: Tx, school: str, staff: str, today: str, has_school: HasSchool) -> list[Lesson]:
    """This person's, and nobody else's, in order."""
    ahead = [(date.fromisoformat(today) + timedelta(days=n)).isoformat() for n in range(LOOKED_AHEAD)]
    days = [day for day in ahead if has_school(day)][:DAYS]
    known = await tx.row("select week_a from timetable where school = $1", school)
    if known is None:
        return []
    weekly = await tx.rows(OF_A_WEEK, school, staff)
    changed = await tx.rows(OF_A_DAY, school, staff, days)
    clocks = {row["code"]: (row["starts"], row["ends"]) for row in await tx.rows(PERIODS, school)}
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for day in days:
        week = week_of(day, known["week_a"], has_school) if known["week_a"] else ""
        found |= {(day, row["period"]): (row["place"], row["words"]) for row in on_that_day(weekly, day, week)}
    for row in changed:
        when = (row["on_day"], row["period"])
        found[when] = as_changed(found.get(when, ("", "")), row["place"], row["words"])
    lessons = []
    for (day, period), (place, words) in found.items():
        if period in clocks and (place or words):
            starts, ends = (to_wire(moment_of(day, clock)) for clock in clocks[period])
            lessons.append(Lesson(starts, ends, place, words))
    return sorted(lessons, key=lambda lesson: lesson.starts_at)


def on_that_day(weekly: Iterable[Any], day: str, week: str) -> list[Any]:
    return [row for row in weekly if row["weekday"] == date.fromisoformat(day).weekday() and row["week"] in ("", week)]


def as_changed(before: tuple[str, str], place: str, words: str) -> tuple[str, str]:
    """Another room for the same class, another class, or nothing at all then."""
    if not place and not words:
        return "", ""
    if words and words != before[1]:
        return place, words
    return place or before[0], before[1]


def week_of(day: str, week_a: str, has_school: HasSchool) -> str:
    """A or B, counted from a week that is known to be A: week about, and a week without school does not count."""
    here, there = monday_of(week_a), monday_of(day)
    first, last = sorted((here, there))
    weeks = sum(any(has_school((monday + timedelta(days=n)).isoformat()) for n in range(5)) for monday in mondays(first, last))
    return "AB"[weeks % 2]


def mondays(first: date, last: date) -> list[date]:
    """From the one, up to and without the other."""
    return [first + timedelta(weeks=n) for n in range((last - first).days // 7)]


def monday_of(day: str) -> date:
    at = date.fromisoformat(day)
    return at - timedelta(days=at.weekday())
