"""A year of register marks in the proportions that the DfE publishes, with the few who are away much and the many who are not.

Each code has its share of all possible sessions and is given out in spells, until the share is used up, to pupils who are
prone to it. What is left is present. So the shares hold for any school, and persistent absence comes out of how uneven people are.
"""

from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate

from server.demo.chance import Chance
from server.demo.days import begins_of, school_year
from server.demo.people import Pupil

PRESENT = {"am": "/", "pm": "\\"}
ON_SITE = {"/", "\\", "L", "U"}
NOT_ABSENT = {"/", "\\", "L", "K", "V", "P", "W", "B"}

UNEVENNESS = 1.12  # sigma of how prone pupils are to be away; sets how many are persistently absent
MOST_AWAY = 0.93  # of a pupil's sessions
YEARS = {7: 0.78, 8: 0.95, 9: 1.05, 10: 1.12, 11: 1.15}
WINTER = {11: 1.3, 12: 1.5, 1: 1.4, 2: 1.2, 6: 0.8, 7: 0.7}  # illness by month
AFTERNOON = {"L": 0.26, "U": 0.15}  # the share of single sessions; for others it is 0.45
RECENT = 8  # school days within which a reason may still be wanting
EID = [date(2024, 4, 10), date(2024, 6, 17), date(2025, 3, 31), date(2025, 6, 6), date(2026, 3, 20), date(2026, 5, 27), date(2027, 3, 10),
       date(2027, 5, 17), date(2028, 2, 28), date(2028, 5, 5)]  # fmt: skip


@dataclass(frozen=True)
class Spell:
    """How a code comes: how strongly it goes with being away much, how long it lasts (sessions) and on which days it starts."""

    leaning: float
    lengths: dict[int, float]
    weekdays: tuple[float, float, float, float, float] = (1, 1, 1, 1, 1)
    whole_days: bool = True
    from_year: int = 7


SPELLS = {
    "I": Spell(0.8, {1: 8, 2: 52, 4: 20, 6: 11, 8: 4, 10: 5}, (1.3, 1, 0.9, 0.95, 1.15)),
    "O": Spell(1.5, {1: 22, 2: 50, 4: 16, 6: 6, 10: 6}, (1.35, 0.95, 0.85, 0.9, 1.3)),
    "C": Spell(0.9, {1: 25, 2: 55, 4: 15, 10: 5}),
    "M": Spell(0.35, {1: 85, 2: 15}, whole_days=False),
    "G": Spell(0.6, {2: 8, 4: 12, 10: 60, 20: 20}, (1.6, 0.6, 0.7, 1, 1.6)),
    "E": Spell(1.5, {2: 30, 4: 30, 6: 20, 10: 20}, from_year=8),
    "U": Spell(1.25, {1: 100}, (1.3, 1, 0.9, 0.9, 1.1), whole_days=False),
    "N": Spell(1.0, {1: 30, 2: 60, 4: 10}),
    "J1": Spell(0, {1: 70, 2: 30}, whole_days=False, from_year=11),
    "C1": Spell(0, {2: 70, 6: 30}),
    "T": Spell(0.5, {20: 50, 30: 50}),
    "L": Spell(0.75, {1: 100}, (1.25, 1, 0.95, 0.95, 1.05), whole_days=False),
}


class Register:
    """Two marks a day for each pupil, over the days on which there was school."""

    def __init__(self, pupils: Sequence[Pupil], days: Sequence[date]) -> None:
        self.pupils, self.days = list(pupils), list(days)
        self.at = {day: index for index, day in enumerate(self.days)}
        blank = [PRESENT["am"], PRESENT["pm"]] * len(self.days)
        self.marks = {pupil.id: list(blank) for pupil in self.pupils}
        self.joined = {pupil.id: self._first_session(pupil) for pupil in self.pupils}
        for pupil in self.pupils:
            self.marks[pupil.id][: self.joined[pupil.id]] = [""] * self.joined[pupil.id]

    def _first_session(self, pupil: Pupil) -> int:
        """Pupils of Year 7 were elsewhere before their first September."""
        came = date(begins_of(self.days[-1]) - (pupil.year - 7), 9, 1)
        return 2 * next((at for at, day in enumerate(self.days) if day >= came), len(self.days))

    def mark(self, pupil: Pupil, day: date, session: str) -> str:
        """`am` or `pm`; nothing on a day without school."""
        return self.marks[pupil.id][2 * self.at[day] + (session == "pm")] if day in self.at else ""

    def is_in(self, pupil: Pupil, day: date, session: str) -> bool:
        return self.mark(pupil, day, session) in ON_SITE

    def possible(self, pupil: Pupil) -> int:
        return sum(bool(mark) for mark in self.marks[pupil.id])

    def absent(self, pupil: Pupil) -> int:
        return sum(bool(mark) and mark not in NOT_ABSENT for mark in self.marks[pupil.id])

    def rows(self) -> Iterator[tuple[str, date, str, str]]:
        for pupil in self.pupils:
            marks = self.marks[pupil.id]
            for at in range(self.joined[pupil.id] // 2, len(self.days)):
                yield pupil.id, self.days[at], marks[2 * at], marks[2 * at + 1]


def register(seed: Chance, pupils: Sequence[Pupil], days: Sequence[date], shares: dict[str, float]) -> Register:
    """`shares`: of every 100 possible sessions, how many have each code."""
    made = Register(pupils, days)
    possible = sum(made.possible(pupil) for pupil in made.pupils)
    giving = Giving(seed, made, {code: round(possible * share / 100) for code, share in shares.items()})
    giving.together()
    giving.few()
    for code in SPELLS:
        if code != "L":
            giving.spells(code)
    giving.spells("L")
    return made


class Giving:
    """Gives out each code's share."""

    def __init__(self, seed: Chance, made: Register, quota: dict[str, int]) -> None:
        self.seed, self.made, self.quota = seed, made, quota
        self.prone = {one.id: seed.apart("prone", one.id).lognormvariate(0, UNEVENNESS) * YEARS[one.year] for one in made.pupils}
        self.away = {one.id: 0 for one in made.pupils}
        self.most = {one.id: int(MOST_AWAY * made.possible(one)) for one in made.pupils}

    # ── One by one ─────────────────────────────────────────────────────────────────────────

    def spells(self, code: str) -> None:
        chance, spell, left = self.seed.apart(code), SPELLS[code], self.quota.get(code, 0)
        days = self._days(code, spell)
        pupils = self._pupils(code, spell)
        if not days or not pupils:
            return
        weights = list(accumulate(self.prone[one.id] ** spell.leaning for one in pupils))
        starts = list(accumulate(weight for _, weight in days))
        for _ in range(20 * left):
            if left <= 0:
                return
            pupil = pupils[bisect(weights, chance.random() * weights[-1])]
            day = days[bisect(starts, chance.random() * starts[-1])][0]
            left -= self._give(code, pupil, day, min(chance.weighted(list(spell.lengths), list(spell.lengths.values())), left), chance)

    def _pupils(self, code: str, spell: Spell) -> list[Pupil]:
        found = [one for one in self.made.pupils if one.year >= spell.from_year]
        few = {"E": 0.06, "T": 0.003, "C1": 0.002}.get(code)
        if few is None:
            return found
        found.sort(key=lambda one: (-self.prone[one.id] * self.seed.apart(code, one.id).random(), one.id))
        return found[: max(1, round(len(found) * few))]

    def _days(self, code: str, spell: Spell) -> list[tuple[int, float]]:
        """Where a spell may start, with how likely each is."""
        days = self.made.days
        found = [(at, spell.weekdays[day.weekday()] * _season(code, day)) for at, day in enumerate(days)]
        return found[-RECENT:] if code == "N" else found

    def _give(self, code: str, pupil: Pupil, day: int, length: int, chance: Chance) -> int:
        """Marks a spell where the pupil was present, and answers how many sessions it took."""
        whole = SPELLS[code].whole_days and length > 1
        first = 2 * day + (0 if whole else chance.happens(AFTERNOON.get(code, 0.45)))
        marks, given = self.made.marks[pupil.id], 0
        last = len(marks) if SPELLS[code].whole_days else 2 * (day + 1)
        for at in range(max(first, self.made.joined[pupil.id]), min(first + length, last, len(marks))):
            if marks[at] == PRESENT["pm" if at % 2 else "am"] and (code == "L" or self.away[pupil.id] < self.most[pupil.id]):
                marks[at] = code
                given += 1
        if code != "L":
            self.away[pupil.id] += given
        return given

    # ── Whole groups at once ───────────────────────────────────────────────────────────────

    def together(self) -> None:
        """Trips and matches of a form, work experience of Year 10, study leave of Year 11, Eid."""
        for code, some in (("V", 0.97), ("P", 0.35)):
            self._groups(code, some)
        self._year_group("W", 10, (7, 1), (7, 12))
        self._year_group("S", 11, (5, 25), (6, 19))
        self._eid()

    def _groups(self, code: str, some: float) -> None:
        chance, left = self.seed.apart(code), self.quota.get(code, 0)
        forms: dict[str, list[Pupil]] = {}
        for pupil in self.made.pupils:
            forms.setdefault(pupil.form, []).append(pupil)
        for _ in range(len(self.made.days) * 4):
            form, day = chance.choice(sorted(forms)), chance.randrange(len(self.made.days))
            for pupil in forms[form]:
                if left > 0 and chance.happens(some):
                    left -= self._mark(pupil, day, code, 2 if code == "V" else 1)
            if left <= 0:
                return

    def _year_group(self, code: str, year: int, first: tuple[int, int], last: tuple[int, int]) -> None:
        """Those who were in that year on those days: a pupil now in Year 11 was in Year 10 last July."""
        chance, left, now = self.seed.apart(code), self.quota.get(code, 0), begins_of(self.made.days[-1])
        days = [at for at, day in enumerate(self.made.days) if first <= (day.month, day.day) <= last]
        for pupil in sorted(self.made.pupils, key=lambda one: self.seed.apart(code, one.id).random()):
            for at in days:
                if pupil.year - (now - begins_of(self.made.days[at])) == year and left > 0 and (code == "W" or chance.happens(0.4)):
                    left -= self._mark(pupil, at, code, 2)

    def _eid(self) -> None:
        left = self.quota.get("R", 0)
        for at, day in enumerate(self.made.days):
            for pupil in self.made.pupils:
                if left > 0 and pupil.observes == "Eid" and any(0 <= (day - eid).days <= 1 for eid in EID):
                    left -= self._mark(pupil, at, "R", 2) if self.seed.apart("R", pupil.id, at).happens(0.5) else 0

    # ── A few, week after week ─────────────────────────────────────────────────────────────

    def few(self) -> None:
        """Part-time timetables, and days with another provider: the same days for some weeks."""
        for code, session in (("C2", "pm"), ("B", "both"), ("K", "both")):
            left, ranked = self.quota.get(code, 0), sorted(self.made.pupils, key=lambda one: -self.prone[one.id] * (one.year >= 8))
            chance = self.seed.apart(code)
            for pupil in chance.sample(ranked[: max(4, len(ranked) // 12)], k=max(4, len(ranked) // 12)):
                if left <= 0:
                    break
                weekdays = chance.sample(range(5), k=chance.choice([2, 3, 5]) if code == "C2" else chance.choice([1, 2]))
                first = chance.randrange(max(1, len(self.made.days) - 20))
                for at in range(first, min(first + chance.choice([30, 60, 90]), len(self.made.days))):
                    if left > 0 and self.made.days[at].weekday() in weekdays:
                        left -= self._mark(pupil, at, code, 2 if session == "both" else 1, afternoon=session == "pm")

    def _mark(self, pupil: Pupil, day: int, code: str, sessions: int, afternoon: bool | None = None) -> int:
        marks, given = self.made.marks[pupil.id], 0
        at = 2 * day + (sessions == 1 if afternoon is None else afternoon)
        for place in range(at, min(at + sessions, 2 * day + 2)):
            if place >= self.made.joined[pupil.id] and marks[place] == PRESENT["pm" if place % 2 else "am"]:
                marks[place] = code
                given += 1
        if code not in NOT_ABSENT:
            self.away[pupil.id] += given
        return given


def _season(code: str, day: date) -> float:
    if code == "I":
        return WINTER.get(day.month, 1.0)
    if code == "G":
        return 6.0 if _beside_a_holiday(day) else 1.0
    return 1.0


def _beside_a_holiday(day: date) -> bool:
    terms = school_year(begins_of(day)).terms
    return any(0 <= (term.ends_on - day).days <= 7 or 0 <= (day - term.starts_on).days <= 3 for term in terms)
