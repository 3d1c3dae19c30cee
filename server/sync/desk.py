"""What is done at the school's own desk: writing, settling what is held, and judging it again. A desk is a phone too."""

import json
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from server.kinds import KINDS
from server.kinds.kind import Kind, Merge
from server.refusals import NotAllowed, NotFound
from server.store import ids, moments, numbers
from server.store.database import Tx, reading, writing
from server.store.me import Me
from server.store.moments import to_wire
from server.store.numbers import read_place
from server.sync import finding, wire
from server.sync.audience import fingerprint, kinds_held, may_hold
from server.sync.finding import decode
from server.sync.keeping import Coming, Decision
from server.sync.letter import Sent, mend, read_edit
from server.sync.phones import desk_of, keep_phones
from server.sync.taking import Intake
from server.sync.unsealed import brought_by_me
from server.sync.wire import Because, Receipt, Settled

AGAIN_AT_ONCE = 25  # held edits: the work of each of their authors takes one of a transaction's savepoints

# ── Writing ────────────────────────────────────────────────────────────────────────────────


class NotTaken(Exception):
    """Rolls back what would be held: at a desk the reason is said at once, to somebody who is still there."""


async def write(tx: Tx, me: Me, record: str, kind: str, values: Mapping[str, Any], seen: str | None) -> Receipt:
    """An ordinary edit, from this person's desk phone. `seen`: the version they were looking at; None for a new record.

    Taken, or else not kept at all and `because` says why: also where somebody else wrote one of the fields meanwhile, so that
    of two who decide one dispute at the same moment, one decides, and the other is told.
    """
    at = moments.now()
    last = await numbers.lock(tx, me.school)
    me = await finding.member(tx, me.school, me.staff)
    edit = wire.Edit(id=ids.new_id(), phone="", number=0, record=record, kind=kind, made_at=to_wire(at), seen=seen, values=dict(values))
    because = await written_meanwhile(tx, me, edit)
    try:
        async with tx.savepoint():
            because = because or await take(tx, me, edit, at, last)
            if because:
                raise NotTaken
    except NotTaken:
        return Receipt(id=edit.id, outcome="held", because=because)
    return Receipt(id=edit.id, outcome="taken")


async def take(tx: Tx, me: Me, edit: wire.Edit, at: int, last: int) -> Because:
    desk = await desk_of(tx, me, at)
    desk.arrives(desk.highest + 1)
    edit.phone, edit.number, desk.seen_at = desk.id, desk.highest, at
    await keep_phones(tx, me, [desk], at)
    lay = json.dumps(msgspec.to_builtins(edit)).encode()  # which can write what UTF-8 cannot
    sent = read_edit(0, mend(lay), lay)
    assert isinstance(sent, Sent)
    coming = Coming(sent=sent, id=sent.id, role=me.role, received_at=at, moment=at, at_desk=True)
    await Intake(tx, me.school, at, last).take_in(me, [coming])
    return coming.because


async def written_meanwhile(tx: Tx, me: Me, edit: wire.Edit) -> Because:
    """Which of its fields somebody else wrote after the version that was looked at, and who."""
    kind = KINDS.get(edit.kind)
    if kind is None or edit.seen is None or not await may_hold(tx, me, edit.record):
        return {}
    place = read_place(edit.seen)
    found = place and await tx.row(VERSION, me.school, place.seq, place.mark, edit.record)
    rows = await tx.rows(
        'select staff.name, "values" from edit join staff on staff.id = edit.author'
        " where edit.school = $1 and record = $2 and edit.seq > $3 and author <> $4 order by edit.seq",
        me.school,
        edit.record,
        place.seq if place and found else 0,
        me.staff,
    )
    mine = touched(kind, edit.values) - kind.hidden_from(me.role)
    return {field: f"{name} wrote this meanwhile. Look again" for name, values in rows for field in touched(kind, decode(values)) & mine}


VERSION = "select 1 from step where school = $1 and seq = $2 and mark = $3 and record = $4"


def touched(kind: Kind, values: Mapping[str, Any]) -> set[str]:
    """The fields, or `field/key`, in which somebody else's write could be overlooked."""
    names: set[str] = set()
    for name, value in values.items():
        merge = field.merge if (field := kind.field(name)) else None
        if merge is Merge.GATHER and isinstance(value, dict):
            names |= {f"{name}/{key}" for key in (*(value.get("put") or ()), *(value.get("drop") or ()))}
        elif merge in (Merge.LATEST, Merge.GRAVEST):
            names.add(name)
    return names


# ── Settling what is held ──────────────────────────────────────────────────────────────────


async def settle(tx: Tx, me: Me, edit: str, how: Literal["taken", "set aside"], why: str) -> Settled | Because:
    """How a held edit is settled: by me now, or by whoever did so before. Or, where it cannot be taken in as it is, why not.

    `edit`: the id under which it is kept. Raises NotFound; NotAllowed where its kind is not mine to hold.
    """
    at = moments.now()
    last = await numbers.lock(tx, me.school)
    me = await finding.member(tx, me.school, me.staff)
    row = await tx.row("select id, kind, record, outcome, phone, original from edit where school = $1 and id = $2", me.school, edit)
    if row is None or row["outcome"] != "held":
        raise NotFound
    if row["kind"] in KINDS and row["kind"] not in kinds_held(me) and not await may_hold(tx, me, row["record"]):
        raise NotAllowed
    if settled := await settled_as(tx, me, edit):
        return settled
    if await brought_by_me(tx, me, [row]):
        return {"phone": "You brought the copy that it came in. Somebody else decides whether it is true"}
    intake = Intake(tx, me.school, at, last)
    if how == "set aside":
        await intake.settle([(edit, row["record"])], how, me.staff, why)
    else:
        ((author, coming),) = await finding.held_edits(tx, me.school, [edit])
        await intake.take_in(await finding.member(tx, me.school, author), [coming], Decision(me.staff, why))
        if not coming.taken:
            return coming.because
    settled = await settled_as(tx, me, edit)
    assert settled is not None
    return settled


async def settled_as(tx: Tx, me: Me, edit: str) -> Settled | None:
    row = await tx.row(
        "select settled_how, settled_by, settled_at, settled_why from edit where school = $1 and id = $2 and settled_at is not null",
        me.school,
        edit,
    )
    return Settled(how=row[0], by=row[1], at=to_wire(row[2]), why=row[3]) if row else None


# ── Judging again ──────────────────────────────────────────────────────────────────────────


async def rights_changed(tx: Tx, school: str, staff: str) -> None:
    """Call it in the transaction that changes somebody's role, years or caseload.

    Their phones then fill a new store with what they may hold now; and what was held of theirs is judged by what they may do now.
    """
    await numbers.lock(tx, school)
    await tx.run("update staff set rights = rights + 1 where school = $1 and id = $2", school, staff)
    await judge_again(tx, school, staff)


async def judge_again(tx: Tx, school: str, staff: str | None = None) -> None:
    """What is held and not settled, of one person or of everybody."""
    last = await numbers.lock(tx, school)
    await Intake(tx, school, moments.now(), last).judge_again(await held_of(tx, school, staff))


async def judge_all_again(school: str) -> None:
    """After an upgrade: this version may understand what the one before could only hold. Some at a time, so that no phone waits long.

    Where its kinds let others hold what they ask, everybody's phones fill a new store.
    """
    await writing(note_audience, school)
    held = await reading(held_of, school)
    for first in range(0, len(held), AGAIN_AT_ONCE):
        await writing(judge_these_again, school, held[first : first + AGAIN_AT_ONCE])


async def note_audience(tx: Tx, school: str) -> None:
    await numbers.lock(tx, school)
    row = await tx.row("select settings from school where id = $1", school)
    assert row is not None
    settings = decode(row[0])
    if settings.get("audience") != fingerprint():
        await tx.run("update school set settings = $2 where id = $1", school, json.dumps(settings | {"audience": fingerprint()}))
        await tx.run("update staff set rights = rights + 1 where school = $1", school)


async def judge_these_again(tx: Tx, school: str, held: list[str]) -> None:
    last = await numbers.lock(tx, school)
    await Intake(tx, school, moments.now(), last).judge_again(held)


async def held_of(tx: Tx, school: str, staff: str | None = None) -> list[str]:
    rows = await tx.rows(
        "select id from edit where school = $1 and held_seq is not null and settled_at is null and ($2 = '' or author = $2)"
        " order by held_seq",
        school,
        staff or "",
    )
    return [row[0] for row in rows]
