"""Where each member of staff is, period by period: the lessons of a week, and changes on one date, which are cover and other rooms.

Of whoever the file gives lessons of a week it tells the whole week: what is not in it any more is taken out. A row with a date
changes that one day: another room, another class, or, with neither, nothing at all then.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

from server.imports import values
from server.imports.headings import Table
from server.imports.plan import Addition, Change, Fields, Plan, differences
from server.imports.said import Said
from server.imports.sheet import Unusable

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
DAY = re.compile(r"(?:week ?)?([ab12])? ?(mon|tue|wed|thu|fri)(?:day|s|sday|nesday|r|rs|rsday)? ?(?:week ?)?([ab12])?")
WEEK = re.compile(r"(?:week ?|wk ?)?([ab12])")
LETTER = {"a": "A", "1": "A", "b": "B", "2": "B"}
LONG_AGO, AHEAD = timedelta(days=30), timedelta(days=400)
WORDS_LIMIT = 100  # characters of a class


class When(NamedTuple):
    """Whose and when: there is one lesson of it."""

    staff: str
    on_day: str
    week: str
    weekday: int
    period: str


Lessons = Mapping[When, Mapping[str, Any]]


class Known:
    """The school's staff, periods and places, by whatever a timetable may call them. What two are called is nobody's."""

    def __init__(self, staff: Iterable[Any], periods: Iterable[Any], places: Iterable[Any]) -> None:
        people, rooms = list(staff), list(places)
        self.names = {row["id"]: row["name"] for row in people}
        self.usernames = alone((name, row["id"]) for row in people for name in {row["username"], row["username"].partition("@")[0]})
        self.people = alone((values.fold(row["name"]), row["id"]) for row in people)
        self.labels = {row["code"]: row["label"] for row in periods}
        said = [(code, word) for code, label in self.labels.items() for word in {values.fold(code), values.fold(label)}]
        self.periods = alone([(word, code) for code, word in said])
        figures = alone({(found[0], code) for code, word in said if (found := re.search(r"\d+", word))})
        self.periods = figures | self.periods
        self.places = alone({(values.fold(word), row["code"]) for row in rooms for word in (row["label"], row["code"])})


def alone(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, set[str]] = defaultdict(set)
    for word, one in pairs:
        found[word].add(one)
    return {word: next(iter(those)) for word, those in found.items() if len(those) == 1}


def lacking(fields: set[str]) -> str | None:
    """What a timetable cannot do without."""
    if not fields & {"username", "whole_name"}:
        return "There is nothing to say whose lessons they are: no username, email or name of staff."
    if not fields & {"weekday", "on_day"}:
        return "There is no column for the day, or for the date of a change."
    if "period" not in fields:
        return "There is no column for the period."
    return None if fields & {"place", "words"} else "There is no column for the room or the class."


def plan(table: Table, known: Known, kept: Lessons, week_a: str, today: date) -> Plan:
    """`kept`: the lessons that are there. `week_a`: a day of a week A, where that is known."""
    made, now, unsure = Plan("timetable"), dict[When, Fields](), set[str]()
    for row in table.rows:
        said = Said(row, table.headings)
        when = None if said.refuse_formulas() else read(said, known, today)
        if when and now.setdefault(when, said.fields) != said.fields:
            said.wrong("words" if said.given("words") else "period", "another lesson at that time is further up")
        if not said.is_usable:
            unsure.add(whose(said, known) or "")
        made.problems += said.problems
    if not week_a and any(when.week for when in now):
        raise Unusable("It has weeks A and B. Say which is which: --week-a and any day of a week A, like 07/09/2026.")
    for when, lesson in sorted(now.items()):
        before, who = kept.get(when), told(when, known)
        if before is None:
            made.added.append(Addition(who, {**when._asdict(), **lesson}))
        elif after := differences(before, lesson):
            made.changed.append(Change(who, "", {**when._asdict(), **before}, after))
        else:
            made.unchanged += 1
    weekly = {when.staff for when in now if not when.on_day}
    gone = [when for when in kept if not when.on_day and when not in now]
    made.removed = [Addition(told(when, known), when._asdict()) for when in sorted(gone) if when.staff in weekly - unsure]
    made.absent = sorted({known.names.get(when.staff, "somebody") for when in gone if when.staff not in weekly})
    return made


def told(when: When, known: Known) -> str:
    day = (
        f"{date.fromisoformat(when.on_day):%d/%m/%Y}" if when.on_day else f"{WEEKDAYS[when.weekday]}{' ' + when.week if when.week else ''}"
    )
    return f"{known.names.get(when.staff, 'somebody')}, {day}, {known.labels.get(when.period, when.period)}"


# ── One row ────────────────────────────────────────────────────────────────────────────────


def read(said: Said, known: Known, today: date) -> When | None:
    """When it is, with its room and class in `said.fields`; or what is wrong is noted."""
    staff = whose(said, known)
    if staff is None:
        column = next((name for name in ("username", "whole_name") if said.given(name)), "username")
        said.wrong(column, "is nobody on the staff list, or more than one: give their username")
    period = known.periods.get(values.fold(said.given("period")))
    if period is None:
        said.wrong("period", "is no period of the school day, as School year has it")
    day = day_of_change(said, today) if said.given("on_day") else day_of_week(said)
    place = known.places.get(values.fold(said.given("place")), "")
    if said.given("place") and not place:
        said.check("place", "is not in the school’s list of places: the class is known without it")
    said.fields = {"place": place, "words": said.given("words")[:WORDS_LIMIT]}
    is_free = not said.given("on_day") and not said.given("place") and not said.given("words")
    return When(staff, *day, period) if staff and period and day and said.is_usable and not is_free else None


def whose(said: Said, known: Known) -> str | None:
    username = said.given("username").strip().lower()
    found = known.usernames.get(username) or known.usernames.get(username.partition("@")[0])
    return found or known.people.get(values.fold(values.person(said.given("whole_name"))))


def day_of_change(said: Said, today: date) -> tuple[str, str, int] | None:
    day = values.day(said.given("on_day"))
    if day is None or not today - LONG_AGO <= day <= today + AHEAD:
        said.wrong("on_day", "is no date near today: write 23/11/2026")
        return None
    return day.isoformat(), "", day.weekday()


def day_of_week(said: Said) -> tuple[str, str, int] | None:
    found = DAY.fullmatch(" ".join(said.given("weekday").casefold().replace("-", " ").split()))
    if found is None:
        said.wrong("weekday", "is no day of the week: write Monday to Friday")
        return None
    week = found[1] or found[3] or ""
    if said.given("week"):
        other = WEEK.fullmatch(said.given("week").casefold().strip())
        if other is None:
            said.wrong("week", "is neither week A nor week B")
            return None
        week = other[1]
    return "", LETTER.get(week, ""), [name[:3].casefold() for name in WEEKDAYS].index(found[2])
