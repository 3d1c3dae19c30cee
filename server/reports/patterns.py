"""Where and when incidents happen: counted once each, with a rate beside every number and nothing that points at a child.

`patterns()` is what the page, the print and the spreadsheet ask, so that a number is the same wherever it appears.
"""

import asyncio
from collections import Counter
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from msgspec import Struct
from msgspec.structs import replace

from server.kinds import KINDS
from server.reports.frames import Frames, frames
from server.reports.suppression import SMALLEST_GROUP, SMALLEST_SHOWN, Counts, Mask, hidden_in_grid, hidden_in_line
from server.reports.timetable import BEFORE, CLOSED, NO_PERIODS, OUTSIDE, Days, Timetable, timetable_of
from server.store.database import Tx, reading

TOO_FEW = 20  # incidents, to call anything of them a pattern
SCHOOL_WEEK = 5  # days
LONGEST = 3 * 366  # days, from the first to the last that are asked about
NOT_SAID = "not_said"
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
LISTED = {"place": "places", "category": "categories"}  # a field: the school's list of its words
OF_THAT_PERIOD = "per 100 of that period"
COUNTED = "Incidents, not pupils: each once, on the day it happened. Void ones are left out."


class Question(Struct, frozen=True):
    """Which incidents. With a year, or for a reader from outside (`anonymous`), small numbers are hidden."""

    first: date
    last: date
    category: str | None = None
    place: str | None = None
    year: str | None = None
    anonymous: bool = False

    @property
    def hides(self) -> bool:
        return self.anonymous or self.year is not None


class Heading(Struct, frozen=True):
    code: str
    label: str


class Line(Struct, frozen=True):
    """Counts side by side. None is hidden: too small to show, or it would give away one that is."""

    headings: list[Heading]
    counts: list[int | None]
    rates: list[float | None]  # None also where there was no school to count over
    rate_of: str  # what a rate is, in words


class Grid(Struct, frozen=True):
    """Counts by two headings at once. The totals of its rows and columns are the counts of these lines."""

    rows: Line
    columns: Line
    counts: list[list[int | None]]
    rates: list[list[float | None]]
    rate_of: str
    highest: tuple[int, int] | None  # the cell with the most in it, if there is only one such and none is hidden


class Patterns(Struct, frozen=True):
    question: Question  # as it was answered: up to today
    counted: str  # what a number here is, in words
    total: int | None  # None: hidden, and all else with it
    too_few: bool  # to call anything here a pattern
    days: int  # of school, over which they were counted
    pupils: int  # on roll now, in the year that was asked about
    years: Line
    places: Line
    periods: Line
    weekdays: Line
    weeks: Line
    categories: Line
    place_by_period: Grid
    weekday_by_period: Grid | None  # none where numbers are hidden: two grids beside each other tell more than one


class School(Struct, frozen=True):
    """What the numbers are read against."""

    timetable: Timetable
    words: dict[str, dict[str, str]]  # list, code: label
    years: dict[str, str]  # pupil: year, of all who ever were here
    roll: dict[str, int]  # year: pupils who are here now


async def patterns(school: str, question: Question, today: date) -> Patterns:
    """The answer as things stand. The first question reads every incident; later ones only what has moved since."""
    found = await frames(school, KINDS["incident"])
    against = await reading(school_of, school)
    return await asyncio.to_thread(answer, found, against, question, today)


async def school_of(tx: Tx, school: str) -> School:
    words: dict[str, dict[str, str]] = {}
    for row in await tx.rows("select list, code, label from list_entry where school = $1 order by list, position, code", school):
        words.setdefault(row[0], {})[row[1]] = row[2]
    pupils = await tx.rows("select id, year, left_at from pupil where school = $1 and not canary", school)
    roll = Counter(row[1] for row in pupils if row[2] is None)
    return School(await timetable_of(tx, school), words, {row[0]: row[1] for row in pupils}, dict(roll))


# ── The answer: pure, from here down ───────────────────────────────────────────────────────


def answer(found: Frames, school: School, question: Question, today: date) -> Patterns:
    question = bounded(question, today)
    days = school.timetable.school_days(question.first, question.last)
    events = standing(found, school.timetable, question)
    involved = years_involved(found, school, events)
    years = years_line(involved, events, school, question, len(days) / SCHOOL_WEEK)
    if question.year:
        events = events[events["seq"].isin(involved.loc[involved["year"] == question.year, "seq"])]
    if question.hides and is_too_small(len(events), years, question):
        return nothing_shown(question, years, len(days), pupils_asked_about(school, question))
    return all_lines(events, years, school, question, days)


def bounded(question: Question, today: date) -> Question:
    """To today and no further, and back from there as far as we count at once."""
    last = min(question.last, today)
    earliest = date.fromordinal(max(last.toordinal() - LONGEST, 1))
    return replace(question, first=max(question.first, earliest), last=last)


def standing(found: Frames, timetable: Timetable, question: Question) -> pd.DataFrame:
    """The incidents asked about, of every year, with the day and the period they were in."""
    records = found.records
    day, period = timetable.periods_of(records["at"], records["lesson"])
    asked = (records["state"] != "void").to_numpy() & (day >= np.datetime64(question.first)) & (day <= np.datetime64(question.last))
    for name in ("category", "place"):
        if wanted := getattr(question, name):
            asked &= (records[name] == wanted).to_numpy()
    return records.assign(day=day, period=period).loc[asked, ["seq", "day", "period", "place", "category"]]


def years_involved(found: Frames, school: School, events: pd.DataFrame) -> pd.DataFrame:
    """Each incident once for every year that a pupil named in it is in, as they are now."""
    named = found.entries[found.entries["field"] == "pupils"]
    named = named[named["seq"].isin(events["seq"])]
    year_of_each = named["key"].cat.categories.map(lambda pupil: school.years.get(pupil, "")).to_numpy()
    years = pd.Categorical(year_of_each[named["key"].cat.codes.to_numpy()])
    return pd.DataFrame({"seq": named["seq"].to_numpy(), "year": years}).drop_duplicates()


def years_line(involved: pd.DataFrame, events: pd.DataFrame, school: School, question: Question, weeks: float) -> Line:
    counts: dict[Any, int] = {**dict.fromkeys(school.roll, 0), **involved["year"].value_counts().to_dict()}
    years = sorted(counts, key=lambda year: (len(year), year))
    headings = [Heading(year, f"Year {year or 'not known'}") for year in years] + [Heading(NOT_SAID, "Nobody named")]
    pupils = np.array([*(school.roll.get(year, 0) for year in years), 0])
    found = np.array([*(counts[year] for year in years), len(events) - involved["seq"].nunique()])
    few = (pupils < SMALLEST_GROUP) & (np.arange(len(found)) < len(years))
    return line_of(headings, found, pupils / 100 * weeks, "per 100 pupils of the year, a week", question.hides, few)


def is_too_small(total: int, years: Line, question: Question) -> bool:
    of_year = [count for heading, count in zip(years.headings, years.counts, strict=True) if heading.code == question.year]
    return 0 < total < SMALLEST_SHOWN or None in of_year


def pupils_asked_about(school: School, question: Question) -> int:
    return school.roll.get(question.year, 0) if question.year else sum(school.roll.values())


def nothing_shown(question: Question, years: Line, days: int, pupils: int) -> Patterns:
    line = Line([], [], [], "")
    grid = Grid(line, line, [], [], "", None)
    return Patterns(question, counted(question), None, True, days, pupils, years, line, line, line, line, line, grid, None)


def counted(question: Question) -> str:
    return COUNTED + (f" Those in which a pupil of year {question.year} had any part." if question.year else "")


def all_lines(events: pd.DataFrame, years: Line, school: School, question: Question, days: Days) -> Patterns:
    weeks, pupils = len(days) / SCHOOL_WEEK, pupils_asked_about(school, question)
    place, category = (listed(events[name], school.words.get(words, {}), question) for name, words in LISTED.items())
    period, weekday, week = in_periods(events, school.timetable), on_weekdays(events), in_weeks(events, days)
    days_of_period = np.array([0 if heading.code == CLOSED else len(days) for heading in period.headings])
    days_of_weekday = np.array([np.sum(weekday_of(days) == int(heading.code)) for heading in weekday.headings])
    days_of_week = np.array([np.sum(monday_of(days).astype(str) == heading.code) for heading in week.headings])

    def line(axis: Axis, over: Any, rate_of: str) -> Line:
        return line_of(axis.headings, axis.counts, over, rate_of, question.hides)

    places = line(place, weeks, "a week")
    periods = line(period, days_of_period / 100, OF_THAT_PERIOD)
    weekdays = line(weekday, days_of_weekday, "a day")
    by_weekday = np.outer(days_of_weekday, days_of_period > 0) / 100
    return Patterns(
        question=question,
        counted=counted(question),
        total=len(events),
        too_few=len(events) < TOO_FEW,
        days=len(days),
        pupils=pupils,
        years=years,
        places=places,
        periods=periods,
        weekdays=weekdays,
        weeks=line(week, pupils / 100 * days_of_week / SCHOOL_WEEK, "per 100 pupils, in a week of five days"),
        categories=line(category, weeks, "a week"),
        place_by_period=grid_of(place, places, period, periods, days_of_period / 100, question.hides),
        weekday_by_period=None if question.hides else grid_of(weekday, weekdays, period, periods, by_weekday, False),
    )


# ── Along which headings each incident stands ──────────────────────────────────────────────


class Axis(Struct, frozen=True):
    headings: list[Heading]
    codes: Any  # of each incident, the number of its heading

    @property
    def counts(self) -> Counts:
        return np.bincount(self.codes, minlength=len(self.headings))


def listed(column: "pd.Series[str]", words: dict[str, str], question: Question) -> Axis:
    """Along the school's own words, most first; in the order of the alphabet where an order would tell of hidden numbers."""
    codes, names = column.cat.codes.to_numpy(), list(column.cat.categories)
    headings = [*(Heading(name, words.get(name, name)) for name in names), Heading(NOT_SAID, "Not said")]
    codes = np.where(codes < 0, len(names), codes)
    counts = np.bincount(codes, minlength=len(headings))

    def rank(number: int) -> tuple[bool, int, str]:
        return number == len(names), 0 if question.hides else -int(counts[number]), headings[number].label

    return kept(headings, codes, sorted(np.flatnonzero(counts).tolist(), key=rank))


def in_periods(events: pd.DataFrame, timetable: Timetable) -> Axis:
    labels = {period.code: period.label for period in timetable.periods} | OUTSIDE
    if not timetable.periods:
        labels[BEFORE] = NO_PERIODS  # nobody can say that it was before school
    headings = [Heading(code, labels[code]) for code in events["period"].cat.categories]
    codes = events["period"].cat.codes.to_numpy()
    shown = np.bincount(codes, minlength=len(headings)) + [heading.code not in OUTSIDE for heading in headings]
    return kept(headings, codes, np.flatnonzero(shown).tolist())


def on_weekdays(events: pd.DataFrame) -> Axis:
    codes = weekday_of(events["day"].to_numpy().astype("M8[D]"))
    shown = np.bincount(codes, minlength=7) + [number < SCHOOL_WEEK for number in range(7)]
    return kept([Heading(str(number), label) for number, label in enumerate(WEEKDAYS)], codes, np.flatnonzero(shown).tolist())


def in_weeks(events: pd.DataFrame, days: Days) -> Axis:
    """By the Monday of the week: every week of school, and any other in which something happened."""
    mondays = monday_of(np.concatenate([days, events["day"].to_numpy().astype("M8[D]")]))
    weeks, codes = np.unique(mondays, return_inverse=True)
    return Axis([Heading(str(week), f"{week.item():%-d %B}") for week in weeks], codes[len(days) :])


def kept(headings: list[Heading], codes: Any, order: list[int]) -> Axis:
    """Only these headings, in this order."""
    places = np.zeros(len(headings), dtype="int64")
    places[order] = np.arange(len(order))
    return Axis([headings[number] for number in order], places[codes])


def weekday_of(days: Days) -> Any:
    return (days.astype("int64") + 3) % 7  # 1 January 1970 was a Thursday


def monday_of(days: Days) -> Days:
    monday: Days = days - weekday_of(days).astype("m8[D]")
    return monday


# ── Numbers, with what is too small hidden ─────────────────────────────────────────────────


def line_of(headings: list[Heading], counts: Counts, over: Any, rate_of: str, hides: bool, few: Mask | None = None) -> Line:
    hidden = hidden_in_line(counts, few) if hides else np.zeros(len(counts), dtype=bool)
    return Line(headings, shown(counts, hidden), rates(counts, over, hidden), rate_of)


def grid_of(row: Axis, rows: Line, column: Axis, columns: Line, over: Any, hides: bool) -> Grid:
    shape = len(row.headings), len(column.headings)
    counts = np.bincount(row.codes * shape[1] + column.codes, minlength=shape[0] * shape[1]).reshape(shape)
    no_rows, no_columns = (np.array([count is None for count in line.counts], dtype=bool) for line in (rows, columns))
    hidden = hidden_in_grid(counts, no_rows, no_columns) if hides else np.zeros(shape, dtype=bool)
    top = None if hidden.any() else highest(counts)
    return Grid(rows, columns, shown(counts, hidden), rates(counts, over, hidden), OF_THAT_PERIOD, top)


def shown(counts: Counts, hidden: Mask) -> Any:
    numbers = counts.astype("object")
    numbers[hidden] = None
    return numbers.tolist()


def rates(counts: Counts, over: Any, hidden: Mask) -> Any:
    over = np.broadcast_to(np.asarray(over, dtype="float64"), counts.shape)
    known = ~hidden & (over > 0)
    found = np.round(np.divide(counts, over, where=known, out=np.zeros(counts.shape)), 2).astype("object")
    found[~known] = None
    return found.tolist()


def highest(counts: Counts) -> tuple[int, int] | None:
    top = np.argwhere(counts == counts.max(initial=1))
    return (int(top[0][0]), int(top[0][1])) if len(top) == 1 else None
