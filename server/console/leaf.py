"""One record, put together for the eye: who it is about, what differs, each account, what was answered, and how it came to be."""

from typing import Any

from msgspec import Struct

from server.console import words
from server.console.history import Told, Written, times_of, told
from server.console.records import Kept, directory_of, from_json, record_for, records_where
from server.console.showing import (
    Answer,
    Directory,
    Dispute,
    Entry,
    answers_of,
    called,
    disputes_of,
    in_words,
    people_of,
    title_of,
)
from server.kinds.kind import Field, Merge
from server.store.database import Tx
from server.store.engines import Row
from server.store.me import Me
from server.sync.merge import Edit, in_line

OTHERS_AT_MOST = 100  # records that name this one

HISTORY = """
    select e.id, e.author, e.role, e.phone, e.number, e.seq, e.seen, e.ordered_at, e.made_at, e.received_at, e."values", e.remarks,
           coalesce(p.name, '') as phone_name, coalesce(p.is_desk, false) as is_desk
    from edit e left join phone p on p.school = e.school and p.id = e.phone
    where e.school = $1 and e.record = $2 and e.seq is not null"""


class Voice(Struct, frozen=True):
    author: str
    text: str
    times: str
    versions: int


class Other(Struct, frozen=True):
    """A record that names this one."""

    id: str
    called: str
    people: str
    happened_at: int


class Leaf(Struct, frozen=True):
    id: str
    kind: str
    version: str
    seq: int
    label: str
    icon: str
    title: str
    when: str
    happened_at: int
    author: str
    received_at: int
    sent_from: str
    state: str
    state_reason: str
    people: list[Entry]
    disputes: list[Dispute]
    accounts: list[tuple[str, list[Voice]]]
    answers: list[tuple[str, list[Answer]]]
    gaps: list[str]
    history: list[Told]
    others: list[Other]
    may_decide: bool

    @property
    def undecided(self) -> list[str]:
        return [f"“{dispute.question}”" for dispute in self.disputes]


async def leaf_of(tx: Tx, me: Me, id: str) -> Leaf | None:
    kept = await record_for(tx, me, id)
    if kept is None:
        return None
    written = await written_in(tx, me.school, id)
    others = [record for record, _ in await records_where(
        tx, me, "r.id in (select record from record_link where school = $1 and other = $2)", me.school, id,
        after=f"order by r.happened_at limit {OTHERS_AT_MOST}",
    )]  # fmt: skip
    spoken_of = {key for one in written for name in kept.kind.pupil_fields for key in put_and_dropped(one.values.get(name))}
    directory = await directory_of(tx, me, [kept, *others], spoken_of)
    return put_together(kept, written, others, directory)


async def written_in(tx: Tx, school: str, record: str) -> list[Written]:
    """Every edit that was taken in, in the order of the record's line."""
    rows = {row["id"]: row for row in await tx.rows(HISTORY, school, record)}
    return [written(rows[edit.id]) for edit in in_line(edit_of(row) for row in rows.values())]


def edit_of(row: Row) -> Edit:
    return Edit(
        row["id"], row["author"], row["role"], row["phone"], row["number"], row["seq"], row["seen"],
        row["ordered_at"], row["made_at"], row["received_at"], from_json(row["values"]),
    )  # fmt: skip


def written(row: Row) -> Written:
    return Written(
        row["id"], row["author"], row["phone_name"], bool(row["is_desk"]), row["made_at"], row["ordered_at"], row["received_at"],
        row["seq"], from_json(row["values"]), from_json(row["remarks"]),
    )  # fmt: skip


def put_together(kept: Kept, written: list[Written], others: list[Kept], directory: Directory) -> Leaf:
    kind, body = kept.kind, kept.body
    first = written[0] if written else None
    return Leaf(
        id=kept.id,
        kind=kind.name,
        version=kept.version,
        seq=kept.place.seq,
        label=kind.label,
        icon=kind.icon,
        title=heading(kept, directory),
        when=when_of(kept, directory),
        happened_at=kept.happened_at,
        author=directory.staff.get(kept.author, "Somebody who has left"),
        received_at=kept.received_at,
        sent_from=sent_from(first, directory, kept.happened_at) if first else "",
        state=kept.state,
        state_reason=body.get("state_reason") or "",
        people=people_of(kind, body, kept.disputes, directory),
        disputes=disputes_of(kind, body, kept.disputes, kept.disputed, kept.hidden, directory),
        accounts=accounts_of(kept, written, directory),
        answers=[(group, answers) for group, answers in answers_of(kind, body, kept.disputes, kept.hidden, directory) if answers],
        gaps=[field.question for name in kept.gaps if (field := kind.field(name))],
        history=told(kind, written, kept.hidden, directory),
        others=[other_of(other, directory) for other in others],
        may_decide=kept.state != "void",
    )  # fmt: skip


def other_of(kept: Kept, directory: Directory) -> Other:
    people = ", ".join(entry.name for entry in people_of(kept.kind, kept.body, kept.disputes, directory))
    return Other(kept.id, called(kept.kind, title_of(kept.kind, kept.body, kept.disputes, directory)), people, kept.happened_at)


def heading(kept: Kept, directory: Directory) -> str:
    """`Fight, Yard, 10:42`; where people name a record, and no title names people, what it is comes first."""
    kind, title = kept.kind, title_of(kept.kind, kept.body, kept.disputes, directory)
    named = called(kind, title) if kind.title[0] in kind.pupil_fields else title
    return f"{named}, {words.clock(kept.happened_at)}"


def when_of(kept: Kept, directory: Directory) -> str:
    moment = kept.body.get(kept.kind.moment or "")
    field = kept.kind.field(kept.kind.moment or "")
    if moment and field and kept.kind.moment not in kept.disputes:
        return in_words(field.shape, moment, directory)
    return f"{words.full_day(kept.happened_at)}, {words.clock(kept.happened_at)}"


def sent_from(first: Written, directory: Directory, happened_at: int) -> str:
    author = directory.staff.get(first.author, "somebody who has left")
    where = "at the desk" if first.is_desk else f"on {author}’s phone"
    late = first.received_at - first.ordered_at
    return f"Written {words.beside(first.ordered_at, happened_at)} {where}" + (
        f", sent {words.span(late)} later" if late > words.AT_ONCE else ""
    )


def accounts_of(kept: Kept, written: list[Written], directory: Directory) -> list[tuple[str, list[Voice]]]:
    """Each question that everybody answers for themselves, and each answer under its author's name, in the order they came."""
    told = []
    for field in kept.kind.fields:
        if field.merge is not Merge.OWN or field.name in kept.hidden or not kept.body.get(field.name):
            continue
        statements = sorted(kept.body[field.name].items(), key=lambda item: item[1]["at"])
        told.append((heading_of(field.name, field.question, len(statements)), [
            voice(field, author, statement, kept, written, directory) for author, statement in statements
        ]))  # fmt: skip
    return told


def heading_of(name: str, question: str, how_many: int) -> str:
    if name == "account":
        return "One account" if how_many == 1 else f"{words.number(how_many)} accounts"
    return question


def voice(field: Field, author: str, statement: dict[str, Any], kept: Kept, written: list[Written], directory: Directory) -> Voice:
    edit = next((one for one in reversed(written) if one.author == author and field.name in one.values), None)
    wrote_at = edit.ordered_at if edit else kept.made_at
    return Voice(
        directory.staff.get(author, "Somebody who has left"),
        in_words(field.shape, statement["value"], directory),
        times_of(edit, wrote_at, kept.happened_at),
        statement["versions"],
    )


def put_and_dropped(value: Any) -> set[str]:
    return set(value.get("put") or ()) | set(value.get("drop") or ()) if isinstance(value, dict) else set()
