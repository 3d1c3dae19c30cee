"""What people write down: one act is one edit, by one person, at one moment, on their phone or at their desk."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from server.demo.chance import Chance
from server.demo.people import Staff
from server.demo.school import MINUTE, PLACE, SECOND, Place, School, period_at
from server.store.moments import to_wire

Values = dict[str, Any]


@dataclass
class Act:
    id: str
    at: int  # when it was truly written (µs)
    by: Staff
    record: str
    kind: str
    values: Values
    saw: int | None = None  # the moment up to which their phone had seen the record; None: as far as it could
    sent: int | None = None  # when it reached the school, where the story needs that; None: as the signal allows
    amends: str | None = None


@dataclass
class DeskAct:
    """Done at the school's desk: written there, or a held edit settled."""

    at: int
    by: Staff
    record: str
    kind: str
    values: Values = field(default_factory=dict)
    settles: str | None = None  # the id of a held edit
    how: Literal["taken", "set aside"] = "set aside"
    why: str = ""
    begins: bool = False  # a record that nobody wrote in before


@dataclass
class MorningAct:
    """What the school does by itself: it makes the list of families to ring on a day, or looks which promises were kept."""

    at: int
    day: str
    does: Literal["make", "kept"]


Acts = list[Act | DeskAct | MorningAct]


class Diary:
    """Writes acts down as they are made up, each with an id of its own."""

    def __init__(self, school: School, chance: Chance) -> None:
        self.school, self.chance = school, chance
        self.acts: Acts = []

    def begin(self, at: int, by: Staff, kind: str, values: Values, **more: Any) -> str:
        """A new record; answers its id."""
        record = self.chance.id(at)
        self.add(at, by, record, kind, values, **more)
        return record

    def add(self, at: int, by: Staff, record: str, kind: str, values: Values, **more: Any) -> Act:
        act = Act(self.chance.id(at), at, by, record, kind, said(values), **more)
        self.acts.append(act)
        return act

    def at_desk(self, at: int, by: Staff, record: str, kind: str, values: Values) -> None:
        self.acts.append(DeskAct(at, by, record, kind, said(values)))

    def begin_at_desk(self, at: int, by: Staff, kind: str, values: Values) -> None:
        self.acts.append(DeskAct(at, by, self.chance.id(at), kind, said(values), begins=True))

    def settle(self, at: int, by: Staff, held: Act, how: Literal["taken", "set aside"], why: str) -> None:
        self.acts.append(DeskAct(at, by, held.record, held.kind, settles=held.id, how=how, why=why))


# ── Values as they go over the wire ────────────────────────────────────────────────────────


def said(values: Values) -> Values:
    """Without what was not answered."""
    return {name: value for name, value in values.items() if value not in (None, "", {}, [])}


def exact(moment: int) -> Values:
    return {"at": to_wire(moment // SECOND * SECOND), "precision": "exact"}


def about(moment: int) -> Values:
    """To the five minutes before, as people say it."""
    return {"at": to_wire(moment // (5 * MINUTE) * 5 * MINUTE), "precision": "about"}


def in_lesson(moment: int) -> Values:
    period = period_at(moment)
    if period is None:
        return about(moment)
    return {"at": to_wire(moment // MINUTE * MINUTE), "precision": "lesson", "lesson": period.code}


def put(entries: Values) -> Values | None:
    return {"put": entries, "drop": []} if entries else None


def tags(codes: Iterable[str]) -> Values | None:
    return put({code: {} for code in codes})


# ── Where ──────────────────────────────────────────────────────────────────────────────────


def place_of(chance: Chance, group: str, period: str, hot: dict[str, float] | None = None) -> Place | None:
    """One of a group's places where somebody is at that time; `hot` makes some likelier for now."""
    found = [one for one in PLACE.values() if group in one.groups and not one.retired and (not one.when or period in one.when)]
    return chance.weighted(found, [one.groups[group] * (hot or {}).get(one.code, 1) for one in found]) if found else None
