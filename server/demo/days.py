"""When there is school: terms, half terms, training days and bank holidays of any school year, as English schools fall into them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

DAY = timedelta(days=1)
MONDAY, TUESDAY, FRIDAY = 0, 1, 4


@dataclass(frozen=True)
class Term:
    name: str
    starts_on: date
    ends_on: date


@dataclass(frozen=True)
class SchoolYear:
    begins: int  # the calendar year of its September
    terms: tuple[Term, Term, Term]
    closed: dict[date, str]  # weekdays inside a term without school

    def days(self) -> Iterator[date]:
        for term in self.terms:
            for day in span(term.starts_on, term.ends_on):
                if day.weekday() <= FRIDAY and day not in self.closed:
                    yield day


@cache
def school_year(begins: int) -> SchoolYear:
    year = begins + 1
    easter = easter_sunday(year)
    early = easter <= date(year, 3, 31)  # then the holiday begins on Good Friday
    autumn = Term(f"Autumn {begins}", _weekday_from(date(begins, 9, 1)), _last(FRIDAY, date(begins, 12, 22)))
    spring_ends = easter - DAY * (3 if early else 9)
    spring = Term(f"Spring {year}", _weekday_from(date(year, 1, 4)), spring_ends)
    summer = Term(f"Summer {year}", easter + DAY * (15 if early else 8), _last(MONDAY, date(year, 7, 21)) + DAY)
    return SchoolYear(begins, (autumn, spring, summer), _closed(autumn, spring, summer, begins))


def _closed(autumn: Term, spring: Term, summer: Term, begins: int) -> dict[date, str]:
    year = begins + 1
    halves = [_last(MONDAY, date(begins, 10, 28)), _last(MONDAY, date(year, 2, 17)), _last(MONDAY, date(year, 5, 31))]
    closed = {monday + DAY * at: "Half term" for monday in halves for at in range(5)}
    closed[_last(MONDAY, date(year, 5, 7))] = "Bank holiday"
    training = [autumn.starts_on, _weekday_from(autumn.starts_on + DAY), _last(FRIDAY, date(begins, 11, 30)), spring.starts_on]
    return closed | dict.fromkeys([*training, _last(FRIDAY, date(year, 6, 28))], "Training day")


def easter_sunday(year: int) -> date:
    """The Gregorian computus, in the form of Meeus, Jones and Butcher."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = divmod(b, 4)
    f = (b + 8) // 25
    g = (b - f + 1) // 3
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    weekday = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * weekday) // 451
    month, day = divmod(h + weekday - 7 * m + 114, 31)
    return date(year, month, day + 1)


def begins_of(day: date) -> int:
    """The September of the school year a day belongs to; August looks forward."""
    return day.year if day.month >= 8 else day.year - 1


def school_days(first: date, last: date) -> list[date]:
    """Every day with school, both ends included."""
    years = range(begins_of(first), begins_of(last) + 1)
    return [day for begins in years for day in school_year(begins).days() if first <= day <= last]


def span(first: date, last: date) -> Iterator[date]:
    for at in range((last - first).days + 1):
        yield first + DAY * at


def _weekday_from(day: date) -> date:
    return day if day.weekday() <= FRIDAY else day + DAY * (7 - day.weekday())


def _last(weekday: int, day: date) -> date:
    """The last such weekday on or before a day."""
    return day - DAY * ((day.weekday() - weekday) % 7)
