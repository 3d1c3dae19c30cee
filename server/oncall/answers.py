"""What people do to a call: each an edit of its record, as that person, and the ladder moved in the same transaction."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from server.kinds.roles import Role
from server.oncall.calls import (
    CALL_OUT,
    GOING,
    LADDER,
    OVER,
    THERE,
    WAITING,
    Call,
    answered,
    begin,
    coming_in,
    end,
    follow,
    go_on_without,
    ring,
    said_in,
    tell,
)
from server.oncall.followed import held, keep, note
from server.oncall.ladders import whom
from server.oncall.rota import MAY_ANSWER, local
from server.oncall.steps import drop_due
from server.refusals import NotAllowed, NotFound, TooLate, Unreadable
from server.store import numbers
from server.store.database import Tx
from server.store.due import hold_move
from server.store.ids import new_id
from server.store.me import Me
from server.store.moments import to_wire
from server.store.numbers import Place
from server.sync import desk
from server.sync.audience import may_hold

SETTLE = (Role.MANAGER, Role.DSL, Role.LEADER)  # may end any call, and give it back to the ladder
INCIDENT = "incident"

Act = Callable[[Tx, Me, Call, int], Awaitable[None]]
ACTS: dict[str, Act] = {}


def act(do: Act) -> Act:
    ACTS[do.__name__] = do
    return do


async def call_for_help(tx: Tx, me: Me, record: str, values: Mapping[str, Any], at: int) -> Call:
    """Written down as this person, and on the ladder, at once. Safe to repeat with the same record: it is called once."""
    await numbers.lock(tx, me.school)
    if known := await held(tx, Call, me.school, record):
        if known.caller != me.staff:
            raise NotFound
        return known
    asked: dict[str, Any] = {"asked_at": exactly(at), "progress": "asked"}
    said = asked | dict(values)
    for _ in range(2):
        receipt = await desk.write(tx, me, record, CALL_OUT.name, said, None)
        if not receipt.because:
            break
        said = without(said, set(receipt.because))  # nobody is left without help for a word that is not in a list
    call = await follow(tx, me.school, record, at)
    if call is None:
        raise NotFound
    return call


def without(said: dict[str, Any], wrong: set[str]) -> dict[str, Any]:
    """A place that is in no list is still said, in words."""
    names = {name.partition("/")[0] for name in wrong}
    left = {name: value for name, value in said.items() if name not in names}
    if "place" in names and not left.get("note"):
        left["note"] = " ".join(str(said["place"]).split())
    return left


async def do(tx: Tx, me: Me, record: str, what: str, at: int) -> Call:
    """Raises NotFound where it is not theirs to see, TooLate with words where it is over, NotAllowed where it is not theirs to say."""
    await numbers.lock(tx, me.school)  # then the step, then the call: in this order wherever several are held
    if what not in ACTS or not await may_hold(tx, me, record):
        raise NotFound
    await hold_move(tx, me.school, CALL_OUT.stirs, record)
    said = await said_in(tx, me.school, record)
    if said is None:
        raise NotFound
    call = await follow(tx, me.school, record, at)  # somebody's edit may have come a moment ago
    if call is None:
        if said.is_over:
            raise TooLate("This call is over. Nobody needs to come.")
        call = await begin(tx, me.school, record, said, at)
    if call.state in OVER:
        raise TooLate(await how_it_ended(tx, call))
    await ACTS[what](tx, me, call, at)
    return call


# ── Answering ──────────────────────────────────────────────────────────────────────────────


@act
async def accept(tx: Tx, me: Me, call: Call, at: int) -> None:
    """The first answer wins. Whoever comes second hears who goes already, and may go as well."""
    if me.role not in MAY_ANSWER or me.staff == call.caller:
        raise NotAllowed("You cannot answer your own call." if me.staff == call.caller else None)
    if call.answered_by == me.staff:
        return
    if call.answered_by is not None:
        raise TooLate(f"{await name_of(tx, call.answered_by)} is going already.", by=call.answered_by)
    if call.there_at is not None:  # the caller said that somebody is: whoever goes now comes as well, and nothing is set back
        await go_as_well(tx, me, call, at)
        return
    await write(tx, me, call, responders=part(me, GOING), progress="answered", answered_at=exactly(at))
    await answered(tx, call, me.staff, at)


@act
async def come_too(tx: Tx, me: Me, call: Call, at: int) -> None:
    """Somebody goes already, and I go as well."""
    if me.role not in MAY_ANSWER or me.staff == call.caller:
        raise NotAllowed
    if call.answered_by in (None, me.staff):
        await accept(tx, me, call, at)
    else:
        await go_as_well(tx, me, call, at)


async def go_as_well(tx: Tx, me: Me, call: Call, at: int) -> None:
    said = await said_in(tx, call.school, call.record)
    if said is None or said.part_of(me.staff) not in (GOING, THERE):
        await write(tx, me, call, responders=part(me, GOING))
        await note(tx, call, "came too", at, me.staff)


@act
async def on_my_way(tx: Tx, me: Me, call: Call, at: int) -> None:
    """Said once of each answer."""
    if call.answered_by != me.staff:
        raise TooLate("You have not answered this call.")
    sql = "select what from call_moment where school = $1 and record = $2 and staff = $3 and what = any($4) order by n desc limit 1"
    last = await tx.row(sql, call.school, call.record, me.staff, ["answered", "on the way"])
    if last and last["what"] == "on the way":
        return
    await note(tx, call, "on the way", at, me.staff)


@act
async def there(tx: Tx, me: Me, call: Call, at: int) -> None:
    """Somebody is with them: said by whoever came, or by the caller."""
    said = await said_in(tx, call.school, call.record)
    comes = said is not None and said.part_of(me.staff) in (GOING, THERE)
    if me.staff not in (call.caller, call.answered_by) and me.role not in MAY_ANSWER and not comes:
        raise NotAllowed("Whoever called, or has come, can say that somebody is there.")
    if call.answered_by is None and me.staff != call.caller:
        await accept(tx, me, call, at)
    if call.there_at is not None:
        return
    who = call.answered_by if me.staff == call.caller else me.staff
    values: dict[str, Any] = {"progress": "there", "arrived_at": exactly(at)}
    if who is not None:
        values["responders"] = {"put": {who: {"part": THERE}}, "drop": []}
    await write(tx, me, call, **values)
    await keep(tx, call, state="there", there_at=at)
    await drop_due(tx, call.school, call.record, *LADDER)
    await note(tx, call, "there", at, me.staff)


@act
async def more(tx: Tx, me: Me, call: Call, at: int) -> None:
    """One is not enough: everyone on duty is rung, and senior leaders."""
    if me.staff not in (call.caller, call.answered_by) and me.role not in SETTLE:
        raise NotAllowed("Whoever called, or is there, can ask for more.")
    await note(tx, call, "more", at, me.staff)
    people = [one for one in await whom(tx, call.school, "everyone", call.zone, at) if one not in (me.staff, call.answered_by)]
    await tell(tx, call, people, "call.more", at, who="everyone")


@act
async def give_back(tx: Tx, me: Me, call: Call, at: int) -> None:
    """I cannot come: whoever comes as well has it, or the ladder from its first rung. Before anybody answers, I am not rung again."""
    if call.answered_by == me.staff or (call.answered_by is not None and me.role in SETTLE):
        was = call.answered_by
        assert was is not None
        said = await said_in(tx, call.school, call.record)
        heir = next((one for one in await coming_in(tx, call.record, call.school, said) if one != was), None) if said else None
        how_far = {"progress": "answered", "answered_at": exactly(at)} if heir else {"progress": "asked", "answered_at": None}
        await write(tx, me, call, responders={"put": {was: {"part": "cannot"}}, "drop": []}, **how_far)
        await go_on_without(tx, call, was, heir, at)
    elif call.answered_by is None and me.role in MAY_ANSWER and me.staff != call.caller:
        await write(tx, me, call, responders=part(me, "cannot"))
        await note(tx, call, "gave back", at, me.staff)
    else:
        raise NotAllowed("Only whoever has answered can give it back.")


@act
async def stand_down(tx: Tx, me: Me, call: Call, at: int) -> None:
    """Nobody needs to come any more."""
    may_end(me, call)
    await write(tx, me, call, progress="not_needed", over_at=exactly(at))
    await end(tx, call, "not_needed", at, me.staff)


@act
async def close(tx: Tx, me: Me, call: Call, at: int) -> None:
    may_end(me, call)
    await write(tx, me, call, progress="over", over_at=exactly(at))
    await end(tx, call, "over", at, me.staff)


@act
async def still_needed(tx: Tx, me: Me, call: Call, at: int) -> None:
    """The caller of a call that came late, or was missed: it rings now."""
    if me.staff != call.caller:
        raise NotAllowed("Only whoever called can say whether help is still needed.")
    if call.state not in ("asking", "missed"):
        return
    await note(tx, call, "still needed", at, me.staff)
    await ring(tx, call, at)


def may_end(me: Me, call: Call) -> None:
    if me.staff not in (call.caller, call.answered_by) and me.role not in SETTLE:
        raise NotAllowed("Whoever called, or has answered, says when it is over.")


def acts_of(me: Me, call: Call) -> list[str]:
    """What this person may do now: the buttons to draw. What is pressed is judged again."""
    mine, answers = me.staff == call.caller, me.role in MAY_ANSWER and me.staff != call.caller
    if call.state in ("over", "not_needed"):
        return []
    found: list[str] = []
    if mine and call.state in ("asking", "missed"):
        found += ["still_needed", "stand_down"]
        return found
    if answers and call.answered_by is None and call.there_at is None:
        found += ["accept", "give_back"]
    if answers and call.answered_by != me.staff and (call.answered_by or call.there_at is not None):
        found.append("come_too")
    if call.answered_by == me.staff and call.there_at is None:
        found += ["there", "on_my_way", "give_back"]
    if mine and call.answered_by and call.there_at is None:
        found.append("there")
    ends = mine or call.answered_by == me.staff or me.role in SETTLE
    if ends and call.state not in WAITING:
        found += ["more", "close"]
    if ends and call.there_at is None:
        found.append("stand_down")
    return found


# ── Afterwards ─────────────────────────────────────────────────────────────────────────────


async def make_incident(tx: Tx, me: Me, record: str, timeline: str, at: int) -> str:
    """An incident with what the call knows already, and its timeline as my account. Its id; the one there is, where there is one."""
    await numbers.lock(tx, me.school)
    said = await said_in(tx, me.school, record)
    if said is None or not await may_hold(tx, me, record):
        raise NotFound
    if isinstance(made := said.body.get(INCIDENT), str):
        return made
    body, incident = said.body, new_id()
    pupils = {pupil: {"part": "involved"} for pupil in body.get("pupils") or {}}
    came = {staff: {"part": "called"} for staff, entry in (body.get("responders") or {}).items() if (entry or {}).get("part") != "cannot"}
    values = {
        "place": body.get("place"), "happened_at": body.get("asked_at"), "lesson": body.get("lesson"),
        "called_at": body.get("asked_at"), "arrived_at": body.get("arrived_at"), "settled_at": body.get("over_at"),
        "account": timeline,
    }  # fmt: skip
    said_of_it = {name: value for name, value in values.items() if value}
    gathered = {"pupils": pupils, "staff": {said.author: {"part": "present"}} | came}
    said_of_it |= {name: {"put": entries, "drop": []} for name, entries in gathered.items() if entries}
    for kind, about, what in ((INCIDENT, incident, said_of_it), (CALL_OUT.name, record, {INCIDENT: incident})):
        seen = await version_of(tx, me.school, record) if about == record else None
        receipt = await desk.write(tx, me, about, kind, what, seen)
        if receipt.because:
            raise Unreadable(because=receipt.because)
    if call := await held(tx, Call, me.school, record):
        await note(tx, call, "incident", at, me.staff)
    return incident


# ── Writing it down ────────────────────────────────────────────────────────────────────────


async def write(tx: Tx, me: Me, call: Call, **values: Any) -> None:
    """As somebody who sees how the record stands now: they decide, and dispute nothing."""
    receipt = await desk.write(tx, me, call.record, CALL_OUT.name, values, await version_of(tx, me.school, call.record))
    if receipt.because:
        raise Unreadable(because=receipt.because)


async def version_of(tx: Tx, school: str, record: str) -> str | None:
    row = await tx.row("select seq, mark from record where school = $1 and id = $2", school, record)
    return str(Place(*row)) if row else None


def part(me: Me, which: str) -> dict[str, Any]:
    return {"put": {me.staff: {"part": which}}, "drop": []}


def exactly(at: int) -> dict[str, str]:
    return {"at": to_wire(at), "precision": "exact"}


async def how_it_ended(tx: Tx, call: Call) -> str:
    if call.state == "missed":
        return "Nobody answered this call in time. It is a missed call now."
    sql = "select staff from call_moment where school = $1 and record = $2 and what = any($3) order by n desc limit 1"
    row = await tx.row(sql, call.school, call.record, list(OVER))
    by = f" by {await name_of(tx, row['staff'])}" if row and row["staff"] else ""
    done = "closed" if call.state == "over" else "called off"
    when = f" at {local(call.over_at).clock}" if call.over_at else ""
    return f"This call was {done}{when}{by}. Nobody needs to come."


async def name_of(tx: Tx, staff: str) -> str:
    row = await tx.row("select name from staff where id = $1", staff)
    return row["name"] if row else "Somebody"
