"""What happens in a school in a day, before anybody has written it down: who, where, when, and who saw it."""

from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate
from typing import Any

from server.demo.acts import place_of
from server.demo.chance import Chance
from server.demo.people import Pupil, Staff, words
from server.demo.school import BY_CODE, SECOND, Lesson, Place, School, clock, place_for
from server.demo.staffroom import SUBJECTS

PER_PUPIL = 0.029  # incidents a day
IN_A_SMALL_SCHOOL = 1.8  # times as many, so that there is something to look at
UNEVENNESS, MOST = 1.25, 18.0  # sigma of how prone pupils are to be in one, and what nobody exceeds
YEARS = {7: 0.7, 8: 1.2, 9: 1.35, 10: 1.0, 11: 0.65}
WEEKDAYS = (0.95, 0.92, 1.0, 1.02, 1.15)
PERIODS = {
    "arrival": 0.5,
    "p1": 0.6,
    "p2": 0.85,
    "break": 1.0,
    "p3": 1.0,
    "between": 0.9,
    "lunch": 1.7,
    "p4": 1.35,
    "p5": 1.5,
    "leaving": 0.8,
}
LESSONS = ("p1", "p2", "p3", "p4", "p5")
CHANGES = ("10:00", "12:19", "14:05")
HOT: dict[str, dict[str, float]] = {"break": {"stairwell_c": 2}, "lunch": {"stairwell_c": 2.5, "yard_toilets": 1.5}}
BETTER, BETTER_FOR = "canteen", 10  # two members of staff stand at its door since then (school days)
LESSON_GROUPS = {"lesson_science": "Science", "lesson_dt": "Design and technology"}


@dataclass
class Scene:
    story: dict[str, Any]
    at: int
    place: Place
    period: str
    pupils: list[Pupil]
    parts: list[str]
    first: Staff  # who writes it down
    second: Staff  # who came, or stood near
    lesson: Lesson | None

    @property
    def in_lesson(self) -> bool:
        return self.lesson is not None and self.place is place_for(self.lesson.subject)


class Proneness:
    """How likely each pupil is to be in an incident: most hardly ever, some often, and rather more those who are away much."""

    def __init__(self, school: School) -> None:
        self.pupils = school.pupils
        self.own = [self._of(school, one) for one in school.pupils]
        self.weights = list(accumulate(self.own))

    def _of(self, school: School, one: Pupil) -> float:
        own = min(school.chance("wild", one.id).lognormvariate(0, UNEVENNESS), MOST)
        away = school.register.absent(one) / max(1, school.register.possible(one))
        return own * YEARS[one.year] * (1.25 if one.sex == "m" else 0.85) * (0.7 + 4 * min(away, 0.3))

    def one(self, chance: Chance) -> Pupil:
        return self.pupils[bisect(self.weights, chance.random() * self.weights[-1])]

    def most(self, count: int) -> list[Pupil]:
        return [self.pupils[at] for at in sorted(range(len(self.own)), key=self.own.__getitem__, reverse=True)[:count]]


def scenes(school: School, day: date, prone: Proneness) -> Iterator[tuple[Scene, Chance]]:
    chance = school.chance("scenes", day)
    much = PER_PUPIL * (IN_A_SMALL_SCHOOL if school.size.pupils < 300 else 1)
    for at in range(round(school.size.pupils * much * WEEKDAYS[day.weekday()] * chance.uniform(0.75, 1.25)) or 1):
        one = chance.apart(at)
        if scene := _scene(school, one, prone, day):
            yield scene, one.apart("written")


def _scene(school: School, chance: Chance, prone: Proneness, day: date) -> Scene | None:
    stories = words("incidents")["story"]
    story = chance.weighted(stories, [one["share"] for one in stories])
    codes = [code for when in story["when"] for code in (LESSONS if when == "lesson" else (when,))]
    period = chance.weighted(codes, [PERIODS[code] for code in codes])
    moment = moment_in(chance, day, period)
    group = chance.choice([one for one in story["where"] if period in LESSONS or not one.startswith("lesson")] or story["where"])
    taught = group.startswith("lesson") and period in LESSONS
    parts = ["responsible"] * 2 if chance.happens(story.get("pair_often", 0)) else story["parts"]
    pupils = _pupils(school, chance, prone, len(parts), day, session_of(moment, day), same_year=taught)
    if pupils is None:
        return None
    lesson = _lesson(school, chance, LESSON_GROUPS.get(group), pupils[0]) if period in LESSONS else None
    place = place_for(lesson.subject) if lesson and taught else place_of(chance, group, period, HOT.get(period))
    if place is None or (place.code == BETTER and day in school.written_days[-BETTER_FOR:] and chance.happens(0.6)):
        return None
    first = lesson.teacher if lesson and taught else on_duty(school, chance, pupils[0])
    return Scene(story, moment, place, period, pupils, parts[: len(pupils)], first, another(school, chance, first), lesson)


def moment_in(chance: Chance, day: date, period: str) -> int:
    if period == "between":
        return clock(day, chance.choice(CHANGES), chance.uniform(-60, 300))
    one = BY_CODE[period]
    start, end = clock(day, one.starts), clock(day, one.ends)
    return int(start + (end - start) * chance.betavariate(1.6, 1.3)) // SECOND * SECOND


def session_of(moment: int, day: date) -> str:
    return "am" if moment < clock(day, "12:20") else "pm"


def somebody_in(school: School, chance: Chance, prone: Proneness, day: date, moment: int) -> Pupil | None:
    """Somebody who was at school then: the register says so."""
    session = session_of(moment, day)
    return next((one for one in (prone.one(chance) for _ in range(60)) if school.register.is_in(one, day, session)), None)


def _pupils(
    school: School, chance: Chance, prone: Proneness, wanted: int, day: date, session: str, *, same_year: bool
) -> list[Pupil] | None:
    first = next((one for one in (prone.one(chance) for _ in range(60)) if school.register.is_in(one, day, session)), None)
    if first is None:
        return None
    found = [first]
    near = [one for one in school.pupils if abs(one.year - first.year) <= (0 if same_year else 1) and one.family != (first.family or "")]
    for _ in range(40 * (wanted - 1)):
        if len(found) < wanted:
            other = chance.choice(near) if same_year or chance.happens(0.6) else prone.one(chance)
            if other not in found and abs(other.year - first.year) <= 1 and school.register.is_in(other, day, session):
                found.append(other)
    return found if len(found) >= min(2, wanted) else None


def _lesson(school: School, chance: Chance, subject: str | None, one: Pupil) -> Lesson:
    return school.lesson_of(one, subject or chance.weighted(list(SUBJECTS), [share for share, _ in SUBJECTS.values()]))


def on_duty(school: School, chance: Chance, one: Pupil) -> Staff:
    """The team that walks the school sees much of what happens outside lessons."""
    team = [*school.by_role["responder"] * 3, *school.by_role["leader"], school.head_of(one.year), *school.by_role["manager"]]
    return chance.choice(team) if chance.happens(0.45) else chance.choice(school.by_role["teacher"])


def another(school: School, chance: Chance, first: Staff) -> Staff:
    team: Sequence[Staff] = [*school.by_role["responder"] * 3, *school.by_role["head_of_year"], *school.by_role["leader"]]
    return chance.choice([one for one in team if one is not first])
