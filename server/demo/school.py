"""A made-up school before anything is written down: its people, days, places and registers, all from one seed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from server.demo.attendance import Register, register
from server.demo.chance import Chance
from server.demo.days import begins_of, school_days
from server.demo.families import roll
from server.demo.people import Pupil, Staff, mailbox, words
from server.demo.staffroom import OUTSIDER, SUBJECTS, forms, named, staffroom
from server.kinds.codes import session_shares
from server.kinds.lists import LISTS

LONDON = ZoneInfo("Europe/London")
A_YEAR = timedelta(days=365)
SECOND, MINUTE, HOUR = 1_000_000, 60_000_000, 3_600_000_000  # µs
CLASSES = 5  # sets in a year


@dataclass(frozen=True)
class Size:
    pupils: int
    staff: int
    weeks: int  # of records


@dataclass(frozen=True)
class Period:
    code: str
    label: str
    starts: str
    ends: str
    lesson: bool


@dataclass(frozen=True)
class Place:
    code: str
    label: str
    at: str  # "on stairwell C"
    groups: dict[str, float]
    when: tuple[str, ...] = ()  # periods at which anybody is there; none: any
    retired: bool = False

    @property
    def bare(self) -> str:
        return self.at.split(" ", 1)[-1]


@dataclass(frozen=True)
class Lesson:
    teacher: Staff
    group: str  # 9X2
    subject: str

    @property
    def line(self) -> str:
        return f"{self.group} {self.subject}, {self.teacher.room}"


@dataclass
class School:
    id: str
    name: str
    size: Size
    seed: Chance
    as_at: int  # µs
    staff: list[Staff]
    pupils: list[Pupil]
    days: list[date]  # a year of them, up to the last one
    register: Register

    @property
    def written_days(self) -> list[date]:
        """The days of which there are records."""
        return self.days[-5 * self.size.weeks :]

    def chance(self, *path: object) -> Chance:
        return self.seed.apart(*path)

    @cached_property
    def by_role(self) -> dict[str, list[Staff]]:
        found: dict[str, list[Staff]] = {}
        for one in self.staff:
            found.setdefault(one.role, []).append(one)
        return found

    @cached_property
    def teachers(self) -> dict[str, list[Staff]]:
        found: dict[str, list[Staff]] = {}
        for one in self.staff:
            if one.subject:
                found.setdefault(one.subject, []).append(one)
        return found

    @cached_property
    def families(self) -> dict[str, list[Pupil]]:
        """By family; an only child is one by its own id."""
        found: dict[str, list[Pupil]] = {}
        for pupil in self.pupils:
            found.setdefault(pupil.family or pupil.id, []).append(pupil)
        return found

    def head_of(self, year: int) -> Staff:
        return next(one for one in self.by_role["head_of_year"] if str(year) in one.years)

    def tutor_of(self, pupil: Pupil) -> Staff | None:
        return next((one for one in self.staff if one.form == pupil.form), None)

    def lesson_of(self, pupil: Pupil, subject: str) -> Lesson:
        """The same pupil has the same teacher for a subject all year."""
        group = 1 + self.chance("set", pupil.id).randrange(CLASSES)
        teacher = self.chance("class", pupil.year, group, subject).choice(self.teachers[subject])
        return Lesson(teacher, f"{pupil.year}{'XY'[group % 2]}{group}", subject)

    def at_work(self, moment: int) -> int:
        """The same, or the next morning with school if it is too late to be ringing people and deciding things."""
        day = local(moment).date()
        if day in self.register.at and moment <= clock(day, "18:20"):
            return moment
        later = [each for each in self.written_days if each > day]
        return clock(later[0], "07:50", moment // SECOND % 2400) if later else moment + 20 * HOUR


def clock(day: date, text: str, seconds: float = 0) -> int:
    """A time of the school's own day, in µs."""
    hour, minute = map(int, text.split(":"))
    return int(datetime.combine(day, time(hour, minute), LONDON).timestamp()) * SECOND + int(seconds * SECOND)


def local(moment: int) -> datetime:
    return datetime.fromtimestamp(moment / SECOND, LONDON)


PERIODS = [Period(**one) for one in words("places")["periods"]]
BY_CODE = {period.code: period for period in PERIODS}
PLACES = [Place(at=one.pop("at", ""), **one) for one in map(dict, words("places")["place"])]
PLACE = {place.code: place for place in PLACES}


def place_for(subject: str) -> Place:
    """Where a lesson is, as the school's list of places has it."""
    return PLACE[{"Science": "science_labs", "Design and technology": "workshops", "PE": "sports_hall"}.get(subject, "classroom")]


def period_at(moment: int) -> Period | None:
    text = f"{local(moment):%H:%M}"
    return next((period for period in PERIODS if period.starts <= text < period.ends), None)


def lists() -> dict[str, dict[str, tuple[str, bool]]]:
    """list → code → (label, retired): what every school starts with, in this one's words, and its own places."""
    own = words("places")["lists"]
    found = {name: {code: (label, False) for code, label in (dict(one.words) | own.get(name, {})).items()} for name, one in LISTS.items()}
    found["areas"] = {code: (label, False) for code, label in own["areas"].items()}
    found["places"] = {place.code: (place.label, place.retired) for place in PLACES}
    return found


def made_school(seed: Chance, name: str, size: Size, as_at: int, number: int) -> School:
    """`number`: the first of a database is the one whose roles sign in by their names, the second the outsider's."""
    last = school_days(local(as_at).date() - timedelta(days=80), local(as_at).date())[-1]
    began = begins_of(last)
    moment = int(datetime(began, 8, 20, 9, tzinfo=LONDON).timestamp()) * SECOND
    staff = staffroom(seed.apart("staff"), size.staff, moment, signing_in=number == 0, prefix=f"{mailbox(name)[:2]}." if number else "")
    if number == 1:
        at = next(at for at, one in enumerate(staff) if one.role == "teacher")
        staff[at] = replace(named(seed.apart("staff"), OUTSIDER, moment), subject="History", room="H9")
    _somebody_for_each(staff)
    pupils = roll(seed.apart("pupils"), size.pupils, forms(staff, size.pupils), began)
    days = school_days(last - A_YEAR + timedelta(days=1), last)
    marks = register(seed.apart("register"), pupils, days, session_shares())
    return School(seed.apart("id").id(moment), name, size, seed, as_at, staff, pupils, days, marks)


def _somebody_for_each(staff: Sequence[Staff]) -> None:
    """A small school still teaches every subject: some teach two rooms' worth, by name of the block."""
    there = {one.subject for one in staff}
    spare = [one for one in staff if one.role == "teacher" and sum(other.subject == one.subject for other in staff) > 1]
    for subject in sorted(set(SUBJECTS) - there):
        if spare:
            one = spare.pop()
            if sum(other.subject == one.subject for other in staff) > 1:
                one.subject, one.room = subject, f"{SUBJECTS[subject][1]}9"
