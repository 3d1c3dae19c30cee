"""Edits and records in the database: what is read before edits are judged, and what is written when they are."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from server.kinds import KINDS
from server.store.database import Tx
from server.store.engines import Row
from server.store.me import Me
from server.store.numbers import Place
from server.sync.audience import holds
from server.sync.judging import Story
from server.sync.letter import Sent, mend, read_edit
from server.sync.merge import Edit, Folded
from server.sync.wire import Because

ALREADY_USED = {"id": "this id was used already, by somebody else"}
STUCK = ("number", "phone")  # reasons that lie outside the edit, and stay whenever it is judged again

decode = msgspec.json.decode
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


# ── What is read ───────────────────────────────────────────────────────────────────────────

OF_THE_FOLD = "id, author, role, author || ' ' || phone, number, seq, seen, ordered_at, made_at, received_at, \"values\""


async def stories(tx: Tx, me: Me, records: set[str]) -> defaultdict[str, Story]:
    """What the school knows of these records, as far as this person's edits of them are concerned."""
    found: defaultdict[str, Story] = defaultdict(Story)
    if not records:
        return found
    sql, args = holds(me, first=3)
    for id, kind, mine in await tx.rows(
        f"select r.id, r.kind, {sql} from record r where r.school = $1 and r.id = any($2)", me.school, list(records), *args
    ):
        found[id] = Story(kind=kind, mine=mine)
    for row in await tx.rows(
        f"select {OF_THE_FOLD}, record from edit where school = $1 and record = any($2) and (seq is not null or settled_at is null)",
        me.school,
        list(records),
    ):
        story = found[row[11]]
        if row[5] is None:
            story.waiting.append(row[0])
        else:
            story.edits.append(edit_of(row))
    return found


def edit_of(row: Row) -> Edit:
    """Of a row that begins with the columns OF_THE_FOLD."""
    id, author, role, phone, number, seq, seen, ordered_at, made_at, received_at, values = row[:11]
    return Edit(id, author, role, phone, number, seq, seen, ordered_at, made_at, received_at, decode(values))


async def versions(tx: Tx, school: str, edits: Iterable[Sent]) -> dict[Place, str | None]:
    """The record of each place in history that these edits have seen. A number found with another mark is not in it."""
    seen = {sent.seen.seq for sent in edits if sent.seen}
    if not seen:
        return {}
    rows = await tx.rows("select seq, mark, record from step where school = $1 and seq = any($2)", school, list(seen))
    return {Place(seq, mark): record for seq, mark, record in rows}


async def member(tx: Tx, school: str, staff: str) -> Me:
    """A member of staff as they are now."""
    row = await tx.row("select role, years, rights from staff where school = $1 and id = $2", school, staff)
    assert row is not None  # an edit has an author; the database sees to it
    return Me(staff=staff, school=school, role=row[0], years=tuple(decode(row[1])), rights=row[2])


async def held_edits(tx: Tx, school: str, ids: Sequence[str]) -> list[tuple[str, Coming]]:
    """Those of them that nobody has settled, each with its author, in the order in which they were held."""
    if not ids:
        return []
    rows = await tx.rows(
        "select edit.id, author, role, edit.received_at, ordered_at, original, because, remarks, coalesce(phone.is_desk, $3)"
        " from edit left join phone on phone.school = edit.school and phone.id = edit.phone"
        " where edit.school = $1 and edit.id = any($2) and outcome = 'held' and settled_at is null order by held_seq",
        school,
        ids,
        False,
    )
    return [(row["author"], held(*row)) for row in rows]


def held(
    id: str, author: str, role: str, received_at: int, moment: int, original: str, because: str, remarks: str, at_desk: bool
) -> Coming:
    """Read again from what was sent, so that what a later version of the school understands better is understood."""
    lay = original.encode()
    sent = read_edit(0, mend(lay), lay)
    assert isinstance(sent, Sent)
    sent.remarks = sorted({*sent.remarks, *decode(remarks)})
    if id != sent.id:
        sent.because |= ALREADY_USED
    return Coming(
        sent=sent,
        id=id,
        role=role,
        received_at=received_at,
        moment=moment,
        at_desk=bool(at_desk),
        stuck={field: words for field, words in decode(because).items() if field in STUCK},
        is_held=True,
    )


Named = tuple[str, str]  # an edit, and its record


async def amended(tx: Tx, author: Me, names: set[str]) -> list[Named]:
    """The held edits among these names that an edit of the same author's, taken, has replaced."""
    replaced = await tx.rows(
        "select distinct amends from edit where school = $1 and author = $2 and amends = any($3) and seq is not null",
        author.school,
        author.staff,
        list(names),
    )
    return [edit for _, edit in await still_held(tx, author, [row[0] for row in replaced])]


async def let_rest(tx: Tx, author: Me, names: set[str]) -> list[tuple[Named, str]]:
    """The held edits among these names that their author lets rest, and why."""
    rows = await tx.rows(
        "select amends, settled_why from edit where school = $1 and author = $2 and amends = any($3)"
        " and settled_how = 'set aside' and settled_by = author",
        author.school,
        author.staff,
        list(names),
    )
    reasons = {row[0]: row[1] for row in rows}
    return [(edit, reasons[name]) for name, edit in await still_held(tx, author, list(reasons))]


async def still_held(tx: Tx, author: Me, names: Sequence[str]) -> list[tuple[str, Named]]:
    """Of this author's, each with the name it was sent under."""
    if not names:
        return []
    rows = await tx.rows(
        "select id, record from edit where school = $1 and author = $2 and id = any($3) and outcome = 'held' and settled_at is null",
        author.school,
        author.staff,
        [key for name in names for key in (name, kept_apart(name, author.staff))],
    )
    return [(as_sent(row[0]), (row[0], row[1])) for row in rows]


def kept_apart(id: str, author: str) -> str:
    """Under what an edit is kept whose id somebody else had used. No id on the wire has a line break in it."""
    return f"{id}\n{author}"


def as_sent(id: str) -> str:
    return id.partition("\n")[0]


# ── What is written ────────────────────────────────────────────────────────────────────────

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

IN_ORDER = (KEEP_RECORD, NAME_PUPIL, DROP_PUPILS, NAME_STAFF, DROP_STAFF, DROP_LINKS, NAME_LINK)


async def keep_edits(tx: Tx, author: Me, comings: Iterable[Coming]) -> None:
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
        pupils, named = keys_of(folded.body, kind.pupil_fields), keys_of(folded.body, kind.staff_fields)
        writer = story.edits[-1].author
        rows[NAME_PUPIL] += [(school, record, pupil) for pupil in pupils]
        rows[NAME_STAFF] += [(school, record, staff, staff == writer) for staff in named | {writer}]
        rows[NAME_LINK] += [(school, record, field, folded.body[field]) for field in kind.link_fields if folded.body.get(field)]
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
