"""What the school has already: the records that edits are for, the versions they had seen, and the edits that are held."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from server.store.database import Tx
from server.store.engines import Row
from server.store.me import Me
from server.store.numbers import Place
from server.sync.audience import holds
from server.sync.judging import Story
from server.sync.keeping import Coming
from server.sync.letter import Sent, mend, read_edit
from server.sync.merge import Edit

ALREADY_USED = {"id": "this id was used already, by somebody else"}
STUCK = ("number", "phone")  # reasons that lie outside the edit, and stay whenever it is judged again

decode = msgspec.json.decode

OF_THE_FOLD = "id, author, role, author || ' ' || phone, number, seq, seen, ordered_at, made_at, received_at, \"values\""


async def stories(tx: Tx, me: Me, records: set[str]) -> defaultdict[str, Story]:
    """What the school knows of these records, as far as this person's edits of them are concerned."""
    found: defaultdict[str, Story] = defaultdict(Story)
    if not records:
        return found
    rows = await tx.rows(
        f"select {OF_THE_FOLD}, record from edit where school = $1 and record = any($2) and (seq is not null or settled_at is null)",
        me.school,
        list(records),
    )
    if begun := {row[11] for row in rows if row[5] is not None}:
        sql, args = holds(me, first=3)
        for id, kind, mine in await tx.rows(
            f"select r.id, r.kind, {sql} from record r where r.school = $1 and r.id = any($2)", me.school, list(begun), *args
        ):
            found[id] = Story(kind=kind, mine=mine)
    for row in rows:
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
        "select distinct amends from edit where school = $1 and author = $2 and amends = any($3)"
        " and (seq is not null or settled_how = 'amended')",
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


async def replaced_by(tx: Tx, author: Me, ids: list[str]) -> set[str]:
    """The names of what these edits were written to replace."""
    if not ids:
        return set()
    rows = await tx.rows("select amends from edit where school = $1 and id = any($2) and amends is not null", author.school, ids)
    return {row[0] for row in rows}


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
