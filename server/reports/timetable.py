"""A school's day and year: which lesson a moment falls in, and on which days there was school, by the clock on the wall."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from msgspec import Struct

from server.store.database import Tx

WALL_CLOCK = "Europe/London"

BEFORE, BETWEEN, AFTER, CLOSED = "before_school", "between_lessons", "after_school", "no_school"
OUTSIDE = {BEFORE: "Before school", BETWEEN: "Between lessons", AFTER: "After school", CLOSED: "No school that day"}
NO_PERIODS = "The school has set no periods"

Days = np.ndarray[Any, np.dtype[Any]]  # of datetime64[D]


class Period(Struct, frozen=True):
    code: str
    label: str
    starts: int  # minutes after midnight
    ends: int
    is_lesson: bool


class Term(Struct, frozen=True):
    name: str
    first: date
    last: date


class Timetable(Struct, frozen=True):
    periods: tuple[Period, ...]  # in the order of the day
    terms: tuple[Term, ...]  # in the order of the year
    closed: frozenset[date]

    def term_of(self, day: date) -> Term:
        """The term the day is in; between terms, the one before. Where the school has said none, the school year."""
        begun = [term for term in self.terms if term.first <= day]
        if begun or self.terms:
            return begun[-1] if begun else self.terms[0]
        september = date(day.year if day.month >= 9 else day.year - 1, 9, 1)
        return Term("This school year", september, september.replace(year=september.year + 1, month=8, day=31))

    def school_days(self, first: date, last: date) -> Days:
        """The days from first to last on which there was school."""
        days: Days = np.arange(np.datetime64(first), np.datetime64(last) + 1)
        open_days: Days = days[self._is_open(days)]
        return open_days

    def _is_open(self, days: Days) -> Any:
        """Of each of these days, however far from ours, whether there was school."""
        in_term = np.full(len(days), not self.terms)
        for term in self.terms:
            in_term |= (days >= np.datetime64(term.first)) & (days <= np.datetime64(term.last))
        closed = np.array(sorted(self.closed), dtype="M8[D]")
        return in_term & np.is_busday(days) & ~np.isin(days, closed)

    def periods_of(self, at: "pd.Series[pd.Timestamp]", lesson: "pd.Series[str]") -> tuple[Days, Any]:
        """The day and the period of each moment: the lesson that was named, or else what the clock said."""
        names = [BEFORE, *(period.code for period in self.periods), BETWEEN, AFTER, CLOSED]
        local = at.dt.tz_convert(WALL_CLOCK).dt.tz_localize(None).to_numpy()
        days = local.astype("M8[D]")
        named = lesson.cat.set_categories(names).cat.codes.to_numpy()
        codes = np.where(named >= 0, named, self._by_the_clock((local - days).astype("m8[m]").astype("int64")))
        codes = np.where(self._is_open(days), codes, names.index(CLOSED))
        return days, pd.Categorical.from_codes(codes, categories=pd.Index(names))

    def _by_the_clock(self, minutes: Any) -> Any:
        """0 before the first period, its number from 1 during one, and after that: between two, after the last."""
        count = len(self.periods)
        starts, ends = (np.array([getattr(period, edge) for period in self.periods], dtype="int64") for edge in ("starts", "ends"))
        begun = np.searchsorted(starts, minutes, side="right")  # how many periods have begun
        is_over = minutes >= np.concatenate([[0], ends])[begun]
        return np.select([begun == 0, minutes >= ends.max(initial=0), is_over], [0, count + 2, count + 1], begun)


async def timetable_of(tx: Tx, school: str) -> Timetable:
    periods = await tx.rows("select code, label, starts, ends, is_lesson from period where school = $1 order by starts, ends", school)
    terms = await tx.rows("select name, starts_on, ends_on from term where school = $1 order by starts_on", school)
    closed = await tx.rows("select on_day from closed_day where school = $1", school)
    return Timetable(
        tuple(Period(row[0], row[1], minutes(row[2]), minutes(row[3]), bool(row[4])) for row in periods),
        tuple(Term(row[0], date.fromisoformat(row[1]), date.fromisoformat(row[2])) for row in terms),
        frozenset(date.fromisoformat(row[0]) for row in closed),
    )


def minutes(clock: str) -> int:
    hours, minutes = clock.split(":")[:2]
    return int(hours) * 60 + int(minutes)
