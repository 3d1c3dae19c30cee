"""What the school's server writes by itself: ordinary edits, whose author is called Lanyard, with a remark that says why.

Lanyard is a row among the school's staff that has left before it came: it has no password, is on no rota, in no list of people to
choose from, and holds nothing; a history names it like anybody else who has left.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid5

import msgspec

from server.kinds.roles import Role
from server.store import ids, moments, numbers
from server.store.database import Tx
from server.store.moments import to_wire
from server.sync import finding, wire
from server.sync.keeping import Coming
from server.sync.letter import Sent, mend, read_edit
from server.sync.phones import desk_of, keep_phones
from server.sync.taking import Intake
from server.sync.wire import Because

NAME = "Lanyard"
AT_ONCE = 100  # edits taken in together


class Writing(msgspec.Struct, frozen=True):
    """One edit. `seen`: the version that was looked at; None begins a record."""

    record: str
    kind: str
    values: Mapping[str, Any]
    seen: str | None = None


def lanyard_of(school: str) -> str:
    return str(uuid5(ids.OURS, f"lanyard/{school}"))


async def write_by_itself(tx: Tx, school: str, writings: Sequence[Writing], remark: str) -> dict[str, Because]:
    """Taken, or held and shown at the desk like anybody's; answers by record why one is held. Draws numbers: whoever writes waits."""
    at, held = moments.now(), dict[str, Because]()
    if not writings:
        return held
    last = await numbers.lock(tx, school)
    await keep_lanyard(tx, school, at)
    me = await finding.member(tx, school, lanyard_of(school))
    intake = Intake(tx, school, at, last)
    for first in range(0, len(writings), AT_ONCE):
        desk = await desk_of(tx, me, at)
        comings = []
        for writing in writings[first : first + AT_ONCE]:
            desk.arrives(desk.highest + 1)
            sent = sent_of(writing, desk.id, desk.highest, at)
            sent.remarks.append(remark)
            comings.append(Coming(sent=sent, id=sent.id, role=me.role, received_at=at, moment=at, at_desk=True))
        await keep_phones(tx, me, [desk], at)
        await intake.take_in(me, comings)
        held |= {coming.sent.record: coming.because for coming in comings if coming.because}
    return held


def sent_of(writing: Writing, phone: str, number: int, at: int) -> Sent:
    edit = wire.Edit(
        id=ids.new_id(), phone=phone, number=number, record=writing.record, kind=writing.kind, made_at=to_wire(at),
        seen=writing.seen, values=dict(writing.values),
    )  # fmt: skip
    lay = json.dumps(msgspec.to_builtins(edit)).encode()
    sent = read_edit(0, mend(lay), lay)
    assert isinstance(sent, Sent)
    return sent


async def keep_lanyard(tx: Tx, school: str, at: int) -> None:
    await tx.run(
        "insert into staff (id, school, username, name, role, left_at) values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
        lanyard_of(school), school, f"lanyard/{school}", NAME, Role.OFFICER.value, at,
    )  # fmt: skip
