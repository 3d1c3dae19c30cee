"""Builds every record again from its edits, and says in words what differs. It changes nothing, and quotes nothing."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from server.kinds import KINDS
from server.store.database import Tx
from server.sync.finding import OF_THE_FOLD, decode, edit_of
from server.sync.keeping import keys_of
from server.sync.merge import Edit, Folded, fold

AT_ONCE = 500  # records


async def rebuild_all(tx: Tx, school: str) -> list[str]:
    """A line for each thing that is not as the school's edits make it. None: all is well."""
    lines = await check_steps(tx, school)
    ids = [row[0] for row in await tx.rows(RECORDS, school)]
    for first in range(0, len(ids), AT_ONCE):
        for kept in await kept_as(tx, school, ids[first : first + AT_ONCE]):
            lines += [f"Record {kept.id}: {difference}." for difference in differences(kept)]
    return lines


# Those that stand, and those that should.
RECORDS = "select id from record where school = $1 union select record from edit where school = $1 and seq is not null order by 1"


class Kept(msgspec.Struct):
    """A record as it is kept, and the edits it should be made of."""

    id: str
    row: dict[str, Any] | None = None
    kind: str = ""
    edits: list[Edit] = []
    last_step: tuple[int, int] | None = None
    pupils: set[str] = set()
    staff: set[str] = set()
    writers: set[str] = set()
    links: set[tuple[str, str]] = set()


async def kept_as(tx: Tx, school: str, ids: Sequence[str]) -> list[Kept]:
    kept = {id: Kept(id) for id in ids}
    of_these = "where school = $1 and record = any($2)"
    for row in await tx.rows(f"select {', '.join(COLUMNS)}, id from record where school = $1 and id = any($2)", school, ids):
        kept[row["id"]].row = dict(zip(COLUMNS, row, strict=False))
    for row in await tx.rows(f"select {OF_THE_FOLD}, record, kind from edit {of_these} and seq is not null", school, ids):
        kept[row[11]].edits.append(edit_of(row))
        kept[row[11]].kind = row[12]
    for record, seq, mark in await tx.rows(f"select record, seq, mark from step {of_these} order by seq", school, ids):
        kept[record].last_step = (seq, mark)
    for record, pupil in await tx.rows(f"select record, pupil from record_pupil {of_these} and dropped_seq is null", school, ids):
        kept[record].pupils.add(pupil)
    for record, staff, wrote in await tx.rows(
        f"select record, staff, wrote from record_staff {of_these} and dropped_seq is null", school, ids
    ):
        kept[record].staff.add(staff)
        if wrote:
            kept[record].writers.add(staff)
    for record, field, other in await tx.rows(f"select record, field, other from record_link {of_these}", school, ids):
        kept[record].links.add((field, other))
    return list(kept.values())


PLAIN = ("state", "author", "made_at", "received_at", "happened_at", "edits")
AS_JSON = ("gaps", "body", "disputes", "disputed")
COLUMNS = ("kind", "seq", "mark", *PLAIN, *AS_JSON)


def differences(kept: Kept) -> Iterator[str]:
    row, kind = kept.row, KINDS.get(kept.kind)
    if row is None:
        yield f"{len(kept.edits)} edits were taken into it, and it is not there"
    elif not kept.edits:
        yield "it is there, and no edit made it"
    elif kind is None or row["kind"] != kept.kind:
        yield f"its edits are of the kind {kept.kind!r}, and it is kept as {row['kind']!r}"
    else:
        folded = fold(kind, kept.edits)
        if kept.last_step != (row["seq"], row["mark"]):
            yield "its version is not the last step that moved it"
        for name in PLAIN:
            if row[name] != getattr(folded, name):
                yield f"its {name} is not what its edits say"
        for name in AS_JSON:
            yield from differing(name, decode(row[name] or "{}"), getattr(folded, name))
        yield from misnamed(kept, folded)


def differing(name: str, stands: Any, should: Any) -> Iterator[str]:
    should = decode(msgspec.json.encode(should))
    if isinstance(stands, dict) and isinstance(should, dict):
        for field in sorted(stands.keys() | should.keys()):
            if field not in stands or field not in should or stands[field] != should[field]:
                yield f"its {name} differs in {field}"
    elif stands != should:
        yield f"its {name} differ"


def misnamed(kept: Kept, folded: Folded) -> Iterator[str]:
    kind, authors = KINDS[kept.kind], {edit.author for edit in kept.edits}
    if kept.pupils != keys_of(folded.body, kind.about_fields):
        yield "it is filed under other pupils than it names"
    if kept.writers != authors or kept.staff != authors | keys_of(folded.body, kind.staff_fields):
        yield "it is open to other staff than wrote in it or are named"
    if kept.links != {(field, folded.body[field]) for field in kind.link_fields if folded.body.get(field)}:
        yield "it is linked to other records than it names"


async def check_steps(tx: Tx, school: str) -> list[str]:
    lines = []
    counter = await tx.row("select seq from counter where school = $1", school)
    steps = await tx.row("select count(*), coalesce(min(seq), 1), coalesce(max(seq), 0) from step where school = $1", school)
    last = counter[0] if counter else 0
    if steps is None or tuple(steps) != (last, 1, last):
        lines.append(f"The school has drawn {last} numbers, and does not have a step for each.")
    for (edit,) in await tx.rows(UNSTEPPED, school):
        lines.append(f"Edit {edit}: the step that took it in or held it says something else.")
    return lines


UNSTEPPED = (
    "select edit.id from edit left join step on step.school = edit.school and step.seq = coalesce(edit.seq, edit.held_seq)"
    " where edit.school = $1 and (step.edit is null or step.edit <> edit.id or (edit.seq is not null and step.record <> edit.record))"
)
