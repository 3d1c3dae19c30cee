"""How a call stands, for whoever called, whoever was rung, and the desk: each step with its time, and who has said what."""

from typing import Any

import msgspec

from server.oncall.answers import acts_of
from server.oncall.calls import CALL_OUT, Call
from server.oncall.followed import read
from server.oncall.ladders import WHO
from server.oncall.plans import PlanCard, plans_for
from server.oncall.rota import local
from server.push.alerts import Told, told_of
from server.store.database import Tx
from server.store.me import Me
from server.store.moments import from_wire, to_wire

SECOND = 1_000_000
OPEN_FOR = 12 * 3600 * SECOND  # a call that nobody has closed is not live for ever
LISTED = 50

STATES = {
    "asking": "Late: is it still needed?",
    "ringing": "Nobody has answered yet",
    "answered": "Somebody is going",
    "there": "Somebody is there",
    "over": "Over",
    "not_needed": "No longer needed",
    "missed": "Missed: nobody answered",
}

WORDS = {
    "received": "The school has the call",
    "asking": "It came late: {who} is asked whether it is still needed",
    "still needed": "{who} says that it is still needed",
    "no word": "No word from the caller: it rings",
    "rang": "Rang {rang}",
    "nobody": "Nobody could be told, or has answered: the caller is told to ring the school",
    "answered": "{who} answered: going",
    "came too": "{who} is going as well",
    "on the way": "{who} is on the way",
    "gave back": "{who} cannot come",
    "there": "{who} says: somebody is with them",
    "more": "{who} asks for more people",
    "over": "{who} closed it",
    "not_needed": "{who} called it off",
    "missed": "A missed call: nobody answered in time",
    "incident": "{who} made it an incident",
}


class Line(msgspec.Struct):
    """One line of the timeline, in words."""

    at: str
    what: str
    words: str


class Rang(msgspec.Struct):
    """How far the alerts came: how many people were rung, and of their phones, how many each step reached and when the first did."""

    people: int = 0
    handed: int = 0
    handed_at: str | None = None
    shown: int = 0
    shown_at: str | None = None
    opened: int = 0
    opened_at: str | None = None


class Next(msgspec.Struct):
    """What the ladder does next, if nobody answers."""

    at: str
    words: str


class CallCard(msgspec.Struct, kw_only=True):
    """`may`: what I may do to it now. `who`: names of the staff that are in it, by id. `plans`: of whom it is about, while I go to it."""

    record: str
    state: str
    words: str
    place: str
    urgency: str
    asked_at: str
    received_at: str
    caller: str
    rang: Rang
    next: Next | None
    alone_at: str | None
    answered_by: str | None
    answered_at: str | None
    there_at: str | None
    over_at: str | None
    incident: str | None
    who: dict[str, str]
    timeline: list[Line]
    may: list[str]
    plans: list[PlanCard]
    now: str


async def card_of(tx: Tx, me: Me, record: str, at: int, *, with_plans: bool = False) -> CallCard | None:
    """None where no call is known by that name. Whether it is theirs to see is asked before; that they read plans, written down after."""
    call = await read(tx, Call, me.school, record)
    if call is None:
        return None
    moments = await tx.rows(
        "select at, what, staff, detail from call_moment where school = $1 and record = $2 order by n", call.school, record
    )
    details = [msgspec.json.decode(moment["detail"]) for moment in moments]
    ids = {call.caller, call.answered_by or ""} | {moment["staff"] or "" for moment in moments}
    names = await names_of(tx, me.school, ids.union(*(detail.get("rang", ()) for detail in details)) - {""})
    body = await tx.row("select body from record where school = $1 and id = $2", me.school, record)
    said: dict[str, Any] = msgspec.json.decode(body["body"]) if body else {}
    return CallCard(
        record=record,
        state=call.state,
        words=STATES[call.state],
        place=call.place,
        urgency=call.urgency,
        asked_at=to_wire(call.asked_at),
        received_at=to_wire(call.received_at),
        caller=call.caller,
        rang=rang_so_far(call, await told_of(tx, me.school, call.topic)),
        next=await next_of(tx, call),
        alone_at=wired(call.alone_at),
        answered_by=call.answered_by,
        answered_at=wired(call.answered_at),
        there_at=wired(call.there_at),
        over_at=wired(call.over_at),
        incident=said.get("incident"),
        who=names,
        timeline=[line_of(moment, detail, names) for moment, detail in zip(moments, details, strict=True)],
        may=acts_of(me, call),
        plans=await plans_for(tx, me, call, said, at) if with_plans else [],
        now=to_wire(at),
    )


def line_of(moment: Any, detail: dict[str, Any], names: dict[str, str]) -> Line:
    rang = ", ".join(names.get(staff, "somebody") for staff in detail.get("rang", ()))
    who = names.get(moment["staff"] or "", "Somebody")
    return Line(to_wire(moment["at"]), moment["what"], WORDS.get(moment["what"], moment["what"]).format(who=who, rang=rang))


def rang_so_far(call: Call, told: list[Told]) -> Rang:
    """What is told to the caller is not counted: it is the others who are to come."""
    ours = [one for one in told if one.staff != call.caller and one.words not in ("call.taken", "call.over")]
    found = Rang(people=len({one.staff for one in ours}))
    for step in ("handed", "shown", "opened"):
        at = {one.staff: getattr(one, f"{step}_at") for one in ours if getattr(one, f"{step}_at") is not None}
        setattr(found, step, len(at))
        setattr(found, f"{step}_at", to_wire(min(at.values())) if at else None)
    return found


async def next_of(tx: Tx, call: Call) -> Next | None:
    if call.state not in ("asking", "ringing"):
        return None
    row = await tx.row(
        "select at, does, more from due_step where school = $1 and about = $2 and taken_at is null and does <> 'call.moved'"
        " order by at, id limit 1",
        call.school,
        call.record,
    )
    if row is None:
        return None
    if row["does"] == "call.still":
        return Next(to_wire(row["at"]), "It rings, if nobody says that it is not needed")
    n = msgspec.json.decode(row["more"]).get("n", 0)
    who = call.rungs[n].who if row["does"] == "call.rung" else "everyone"
    words = "You are told whom to ring" if who == "caller" else f"{WHO[who]} {'are' if who != 'everyone' else 'is'} rung"
    return Next(to_wire(row["at"]), words)


async def live(tx: Tx, school: str, at: int) -> list[Call]:
    """Those that are not over, newest first."""
    where = f"school = $1 and state = any($2) and received_at > $3 order by received_at desc limit {LISTED}"
    states = ["asking", "ringing", "answered", "there", "missed"]
    return [Call(*row) for row in await tx.rows(f"select {Call.columns()} from call where {where}", school, states, at - OPEN_FOR)]


async def names_of(tx: Tx, school: str, ids: set[str]) -> dict[str, str]:
    rows = await tx.rows("select id, name from staff where school = $1 and id = any($2)", school, sorted(ids))
    return {row["id"]: row["name"] for row in rows}


def wired(at: int | None) -> str | None:
    return None if at is None else to_wire(at)


def told_as_account(card: CallCard) -> str:
    """The timeline as it is put into an incident: times by the clock on the wall."""
    lines = [f"{local(from_wire(line.at) or 0).clock} {line.words}." for line in card.timeline if line.what != "incident"]
    return "\n".join([f"{CALL_OUT.label}, as the school kept it:", *lines])
