"""Writing it down: the edits that came in, and the records that they moved."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from server.kinds import KINDS
from server.store.database import Tx
from server.store.due import STIR, stirring
from server.store.me import Me
from server.sync.judging import Story
from server.sync.letter import Sent
from server.sync.merge import Folded
from server.sync.wire import Because

encoder = msgspec.json.Encoder()


class Coming(msgspec.Struct, kw_only=True):
    """An edit on its way in, and what becomes of it."""

    sent: Sent
    id: str  # under which it is kept
    role: str  # its author's when it arrived: what they could see
    received_at: int
    moment: int  # when it was made, by the school's clock
    at_desk: bool = False
    stuck: Because = {}  # why it is held whatever it says
    is_held: bool = False  # and kept already: it is being judged again
    our_fault: bool = False

    # What becomes of it
    because: Because = {}  # empty: it is taken
    values: Any = None
    remarks: list[str] = []
    seen: int = 0
    ordered_at: int = 0
    seq: int = 0  # the step that takes it in, or holds it
    mark: int = 0

    @property
    def taken(self) -> bool:
        return not self.because

    @property
    def moves(self) -> bool:
        """One that was held and still is has not moved."""
        return self.taken or not self.is_held


class Decision(msgspec.Struct, frozen=True):
    """Somebody at the desk takes a held edit in as it is."""

    by: str
    why: str


def as_json(value: Any) -> str:
    return encoder.encode(value).decode()


KEEP_EDIT = (
    "insert into edit (school, id, phone, number, record, kind, author, role, made_at, received_at, ordered_at, seen, seq,"
    ' "values", original, amends, remarks, outcome, because, held_seq)'
    " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)"
)

TAKE_HELD = (
    'update edit set ordered_at = $3, seen = $4, seq = $5, held_seq = $5, "values" = $6, remarks = $7,'
    " settled_how = 'taken', settled_by = $8, settled_at = $9, settled_why = $10 where school = $1 and id = $2"
)

KEEP_RECORD = (
    "insert into record (school, id, kind, seq, mark, state, author, made_at, received_at, happened_at, edits, gaps, body,"
    " disputes, disputed) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
    " on conflict (school, id) do update set seq = excluded.seq, mark = excluded.mark, state = excluded.state,"
    " author = excluded.author, made_at = excluded.made_at, received_at = excluded.received_at,"
    " happened_at = excluded.happened_at, edits = excluded.edits, gaps = excluded.gaps, body = excluded.body,"
    " disputes = excluded.disputes, disputed = excluded.disputed"
)

NAME_PUPIL = (
    "insert into record_pupil (school, record, pupil) values ($1, $2, $3)"
    " on conflict (school, record, pupil) do update set dropped_seq = null where record_pupil.dropped_seq is not null"
)

DROP_PUPILS = "update record_pupil set dropped_seq = $3 where school = $1 and record = $2 and dropped_seq is null and pupil <> all($4)"

NAME_STAFF = (
    "insert into record_staff (school, record, staff, wrote) values ($1, $2, $3, $4)"
    " on conflict (school, record, staff) do update set dropped_seq = null, wrote = record_staff.wrote or excluded.wrote"
    " where record_staff.dropped_seq is not null or (excluded.wrote and not record_staff.wrote)"
)

DROP_STAFF = (
    "update record_staff set dropped_seq = $3 where school = $1 and record = $2 and dropped_seq is null and not wrote and staff <> all($4)"
)

DROP_LINKS = "delete from record_link where school = $1 and record = $2"
NAME_LINK = "insert into record_link (school, record, field, other) values ($1, $2, $3, $4)"

IN_ORDER = (KEEP_RECORD, NAME_PUPIL, DROP_PUPILS, NAME_STAFF, DROP_STAFF, DROP_LINKS, NAME_LINK, STIR)


async def keep_edits(tx: Tx, author: Me, comings: Sequence[Coming]) -> None:
    rows = [
        (
            author.school,
            coming.id,
            coming.sent.phone,
            coming.sent.number,
            coming.sent.record,
            coming.sent.kind,
            author.staff,
            coming.role,
            coming.sent.made_at,
            coming.received_at,
            coming.ordered_at,
            coming.seen,
            coming.seq if coming.taken else None,
            as_json(coming.values if type(coming.values) is dict else {}),
            coming.sent.original,
            coming.sent.amends,
            as_json(coming.remarks) if coming.remarks else "[]",
            "taken" if coming.taken else "held",
            None if coming.taken else as_json(coming.because),
            None if coming.taken else coming.seq,
        )
        for coming in comings
    ]
    if rows:
        await tx.run_many(KEEP_EDIT, rows)
    if calls := [coming for coming in comings if not coming.taken and may_call_for_help(coming)]:
        stirs = [stirring(author.school, coming.sent.record, KINDS[coming.sent.kind].stirs, coming.received_at) for coming in calls]
        await tx.run_many(STIR, stirs)


def may_call_for_help(coming: Coming) -> bool:
    """A closing word is looked at though it is held."""
    kind = KINDS.get(coming.sent.kind)
    return kind is not None and bool(kind.stirs) and type(coming.values) is dict and not kind.hushed.isdisjoint(coming.values)


async def take_held(tx: Tx, school: str, comings: Iterable[Coming], decision: Decision | None, at: int) -> None:
    by, why = (decision.by, decision.why) if decision else (None, None)
    for edit in comings:
        values, remarks = as_json(edit.values), as_json(edit.remarks)
        await tx.run(TAKE_HELD, school, edit.id, edit.ordered_at, edit.seen, edit.seq, values, remarks, by, at, why)


async def keep_records(tx: Tx, school: str, records: Iterable[tuple[Coming, Folded, Story]]) -> None:
    """Each with the last edit that moved it."""
    rows: dict[str, list[Sequence[Any]]] = {sql: [] for sql in IN_ORDER}
    for last, folded, story in records:
        record, kind = last.sent.record, KINDS[last.sent.kind]
        rows[KEEP_RECORD].append(record_row(school, last, folded))
        pupils, named = keys_of(folded.body, kind.about_fields), keys_of(folded.body, kind.staff_fields)
        writer = story.edits[-1].author
        rows[NAME_PUPIL] += [(school, record, pupil) for pupil in pupils]
        rows[NAME_STAFF] += [(school, record, staff, staff == writer) for staff in named | {writer}]
        rows[NAME_LINK] += [(school, record, field, folded.body[field]) for field in kind.link_fields if folded.body.get(field)]
        if kind.stirs:
            rows[STIR].append(stirring(school, record, kind.stirs, last.received_at))
        if not story.begun:
            rows[DROP_PUPILS].append((school, record, last.seq, list(pupils)))
            rows[DROP_STAFF].append((school, record, last.seq, list(named)))
            rows[DROP_LINKS].append((school, record))
    for sql in IN_ORDER:
        if rows[sql]:
            await tx.run_many(sql, rows[sql])


def keys_of(body: dict[str, Any], fields: Iterable[str]) -> set[str]:
    return {key for field in fields for key in body.get(field) or ()}


def record_row(school: str, last: Coming, folded: Folded) -> Sequence[Any]:
    return (
        school,
        last.sent.record,
        last.sent.kind,
        last.seq,
        last.mark,
        folded.state,
        folded.author,
        folded.made_at,
        folded.received_at,
        folded.happened_at,
        folded.edits,
        as_json(folded.gaps),
        as_json(folded.body),
        as_json(folded.disputes) if folded.disputes else None,
        as_json(folded.disputed) if folded.disputed else None,
    )
