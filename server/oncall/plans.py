"""A pupil's plan on one card: for the top of their page, and for whoever goes to a call about them. Read from the newest that is open."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from server.kinds import KINDS
from server.kinds.pupil_plan import CAREFUL, ON_A_CARD
from server.oncall.calls import HISTORY, OVER, WAITING, Call, coming_so_far
from server.oncall.followed import rung_so_far
from server.oncall.rota import MAY_ANSWER, local
from server.store.database import Tx
from server.store.me import Me
from server.store.moments import from_wire

PLAN = KINDS["pupil_plan"]

OPEN = """
    select about.pupil, r.id, r.body from record r
    join record_pupil about on about.school = r.school and about.record = r.id and about.dropped_seq is null
    where r.school = $1 and r.kind = $2 and r.state = 'open' order by r.happened_at, r.id"""
PUPILS = "select id, coalesce(preferred, forename) || ' ' || surname || ', ' || form as name from pupil where school = $1 and id = any($2)"
STAFF = "select id, name from staff where school = $1 and id = any($2) and left_at is null"


class PlanLine(msgspec.Struct, frozen=True):
    label: str
    words: str
    careful: bool  # a hazard, or whom to keep apart: read first


class PlanCard(msgspec.Struct, frozen=True):
    """`record`: the plan; empty where none is kept of this pupil, and only another's says to keep the two apart. `review`: a day."""

    pupil: str
    record: str
    lines: list[PlanLine]
    ring_if_absent: bool
    review: str | None
    overdue: bool  # it was to be looked at again before today


async def plans_of(tx: Tx, school: str, pupils: Sequence[str], at: int) -> list[PlanCard]:
    """One for each of them of whom there is anything to know, in their order. Whose it is to read is for the caller to know."""
    newest = await newest_plans(tx, school)
    plans = {pupil: newest.get(pupil, ("", {})) for pupil in pupils}
    apart = {pupil: {*(body.get("keep_apart") or ()), *keeping_apart_from(pupil, newest)} for pupil, (_, body) in plans.items()}
    fetch = {staff for _, body in plans.values() for staff in body.get("fetch") or ()}
    names = {row["id"]: row["name"] for row in await tx.rows(PUPILS, school, sorted(set[str]().union(*apart.values())))}
    names |= {row["id"]: row["name"] for row in await tx.rows(STAFF, school, sorted(fetch))}
    return [
        card(pupil, record, {**body, "keep_apart": apart[pupil]}, names, at)
        for pupil, (record, body) in plans.items()
        if record or apart[pupil]
    ]


async def newest_plans(tx: Tx, school: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """By pupil: the record, and what it says."""
    rows = await tx.rows(OPEN, school, PLAN.name)
    return {pupil: (id, msgspec.json.decode(body)) for pupil, id, body in rows}


def keeping_apart_from(pupil: str, newest: Mapping[str, tuple[str, Mapping[str, Any]]]) -> set[str]:
    """Whose plans say so of this one: it goes for both."""
    return {other for other, (_, body) in newest.items() if pupil in (body.get("keep_apart") or ()) and other != pupil}


def card(pupil: str, record: str, body: Mapping[str, Any], names: Mapping[str, str], at: int) -> PlanCard:
    fields = [field for name in ON_A_CARD if (field := PLAN.field(name)) and body.get(name)]
    lines = [PlanLine(field.question, in_words(body[field.name], names), field.name in CAREFUL) for field in fields]
    review = day_of(body.get("review_by"))
    return PlanCard(pupil, record, lines, body.get("ring_if_absent") == "yes", review, review is not None and review < local(at).day)


def in_words(value: str | Iterable[str], names: Mapping[str, str]) -> str:
    return value if isinstance(value, str) else "; ".join(sorted(names.get(key, "somebody who has left") for key in value))


def day_of(moment: Any) -> str | None:
    at = from_wire(moment["at"]) if moment else None
    return None if at is None else local(at).day


async def plans_for(tx: Tx, me: Me, call: Call, body: Mapping[str, Any], at: int) -> list[PlanCard]:
    """Those that somebody needs who goes to this call, or is rung by it just now: not its caller, nor whoever only looks on."""
    pupils = sorted(body.get("pupils") or ())
    part = ((body.get("responders") or {}).get(me.staff) or {}).get("part")
    is_over = call.state in OVER or at - call.received_at > HISTORY  # one that nobody closed does not show them for ever
    if not pupils or me.role not in MAY_ANSWER or me.staff == call.caller or is_over or part in ("cannot", "left"):
        return []
    wanted = rung_so_far if call.state in (*WAITING, "missed") else coming_so_far
    return await plans_of(tx, call.school, pupils, at) if me.staff in await wanted(tx, call) else []


async def to_ring_if_absent(tx: Tx, school: str) -> set[str]:
    """Pupils whose plan says so."""
    return {pupil for pupil, (_, body) in (await newest_plans(tx, school)).items() if body.get("ring_if_absent") == "yes"}
