"""What the edits of a visit say: who goes, by when they are to be back, each moment by the school's clock; and whose word counts."""

from collections.abc import Sequence
from typing import Any

import msgspec

from server.kinds import KINDS
from server.kinds.kind import Kind, Watched
from server.kinds.roles import Role
from server.store.database import Tx
from server.store.moments import from_wire

MINUTE = 60 * 1_000_000
WRONG = 2 * MINUTE  # a phone's clock that differs by more from the school's; a letter's own way is shorter
AHEAD = 5 * MINUTE
LONGEST = 24 * 60 * MINUTE  # nobody is waited for longer than that from leaving, or from saying so: a wrong year is soon typed
EARLIEST, LATEST = 0, 32_503_680_000 * 1_000_000  # 1970 and 3000
CLOSES = Role.DSL  # for somebody else

KINDS_WATCHED = {kind.name: kind for kind in KINDS.values() if kind.watched}


class Plan(msgspec.Struct, frozen=True):
    """As the record has it, whoever wrote it, by the clocks of their phones."""

    kind: Kind
    state: str
    body: dict[str, Any]

    @property
    def watched(self) -> Watched:
        assert self.kind.watched is not None
        return self.kind.watched

    def moment(self, name: str) -> int | None:
        return moment_in(self.body.get(name))

    def people(self, name: str) -> list[str]:
        return sorted(self.body.get(name) or {}, key=lambda one: ((self.body[name][one] or {}).get("part") != "leads", one))


class Wrote(msgspec.Struct, frozen=True):
    """One edit of the record."""

    author: str
    role: str
    seq: int
    made_at: int | None  # by the clock of the phone that wrote it, as the moments in it are
    at: int  # by the school's
    received_at: int
    values: dict[str, Any]
    is_held: bool
    is_unproved: bool

    @property
    def drift(self) -> int:
        """How far ahead its phone's clock ran, µs; 0 where that may be the letter's way.

        The exchange compares the clocks as an edit is sent, so one that waited for signal is not thereby wrong. Of what came in a
        copy and nobody has proved, only the hour of its coming is known.
        """
        ahead = 0 if self.made_at is None or self.is_unproved else self.made_at - self.at
        return ahead if abs(ahead) > WRONG else 0

    def moment(self, name: str) -> int | None:
        said = moment_in(self.values.get(name))
        return None if said is None else within(said - self.drift)

    def readings(self, name: str) -> list[int]:
        """Of a time to come: as it was said, for it may have been read off a wall, and as its phone would have reckoned it."""
        said, meant = moment_in(self.values.get(name)), self.moment(name)
        return [one for one in (said, meant) if one is not None]

    def due(self, name: str) -> int | None:
        """The earlier one; where that had gone by as it was written, and the other had not, the other."""
        found = self.readings(name)
        return min([one for one in found if one > self.at] or found, default=None)

    def is_planned(self, name: str) -> bool:
        """When somebody means to do it: no word that they have."""
        said = moment_in(self.values.get(name))
        return said is not None and said > (self.at if self.made_at is None else self.made_at) + AHEAD


class Agreed(msgspec.Struct):
    """What the school goes by: the plan as whoever made it, those who go and the safeguarding leads have it."""

    goes: list[str]
    leaves_at: int | None = None
    due_back_at: int | None = None
    said_at: int = 0  # the edit that says when they are back
    drift: int = 0  # of its phone


def moment_in(value: Any) -> int | None:
    """Of a moment as a record holds it. One beyond any clock is as near to it as can be waited for."""
    said = from_wire(value["at"]) if value else None
    return None if said is None else within(said)


def within(at: int) -> int:
    return min(max(at, EARLIEST), LATEST)


def agreed(plan: Plan, edits: list[Wrote]) -> Agreed:
    """Of all edits of a record. Where whoever made the plan put nobody down, those that stand in it go."""
    asked, found = plan.watched, Agreed([])
    for edit in edits:
        counts = may_change(edit, found.goes, edits[0].author)
        if counts:
            found.goes = goes_after(edit, found.goes, plan)
        if asked.leaves in edit.values and (counts or found.leaves_at is None):
            found.leaves_at = min(edit.readings(asked.leaves), default=None)
        due_back = edit.due(asked.due_back)
        if due_back is None or edit.at < found.said_at:
            continue
        if counts or found.due_back_at is None or due_back < found.due_back_at:
            found.due_back_at, found.said_at, found.drift = due_back, edit.at, edit.drift
    found.goes = found.goes or plan.people(asked.goes)
    if found.due_back_at is not None:
        found.due_back_at = no_longer(found.due_back_at, found.leaves_at, found.said_at)
    return found


def no_longer(due_back: int, leaves_at: int | None, said_at: int) -> int:
    return min(due_back, max(leaves_at or 0, said_at) + LONGEST)


def may_change(edit: Wrote, goes: list[str], planner: str) -> bool:
    """Who goes, and that they take longer."""
    return edit.author in goes or edit.author == planner or edit.role == CLOSES


def goes_after(edit: Wrote, goes: list[str], plan: Plan) -> list[str]:
    """Never nobody: somebody may be out."""
    said, people = edit.values.get(plan.watched.goes) or {}, plan.people(plan.watched.goes)
    left = [one for one in goes if one in people or one not in said.get("drop", ())]
    came = [one for one in said.get("put", ()) if one in people and one not in left]
    order = {one: n for n, one in enumerate(people)}
    return sorted(left + came, key=lambda one: order.get(one, len(order))) or goes


# ── As they lie ────────────────────────────────────────────────────────────────────────────

EDITS = (  # those that are held, too: a call for help in them is heard
    'select author, role, coalesce(seq, held_seq) as at_number, made_at, ordered_at, received_at, "values", seq is null as is_held,'
    " phone = id as is_unproved from edit where school = $1 and record = $2 and coalesce(seq, held_seq) > $3 order by at_number"
)
PLANNER = "select author from edit where school = $1 and record = $2 and seq is not null order by seq limit 1"


async def plan_of(tx: Tx, school: str, record: str) -> Plan | None:
    return (await plans_of(tx, school, [record])).get(record)


async def plans_of(tx: Tx, school: str, records: Sequence[str]) -> dict[str, Plan]:
    """By record; of what is watched."""
    rows = await tx.rows("select id, kind, state, body from record where school = $1 and id = any($2)", school, list(records))
    return {
        row["id"]: Plan(KINDS[row["kind"]], row["state"], msgspec.json.decode(row["body"])) for row in rows if row["kind"] in KINDS_WATCHED
    }


async def edits_since(tx: Tx, school: str, record: str, read_to: int) -> list[Wrote]:
    rows = await tx.rows(EDITS, school, record, read_to)
    return [
        Wrote(who, role, n, made, at, came, msgspec.json.decode(values), bool(is_held), bool(is_unproved))
        for who, role, n, made, at, came, values, is_held, is_unproved in rows
    ]


async def planner_of(tx: Tx, school: str, record: str) -> str:
    """By the school's own numbers: no phone's clock makes anybody the first."""
    row = await tx.row(PLANNER, school, record)
    return str(row["author"]) if row else ""
