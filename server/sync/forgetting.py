"""Forgetting: words that the school may not keep any longer go out of every edit that said them. That somebody wrote stays, and says so."""

import json
from collections.abc import Collection, Mapping
from typing import Any

from server.kinds import KINDS
from server.store import numbers
from server.store.database import Tx
from server.store.engines import Row
from server.store.moments import now
from server.store.numbers import NewStep
from server.sync.finding import OF_THE_FOLD, as_sent, decode, edit_of
from server.sync.keeping import as_json
from server.sync.merge import fold, in_line
from server.sync.unsealed import said_in

NOTE = "insert into forgotten (school, record, seq, at, edits) values ($1, $2, $3, $4, $5)"
EDITS = 'select id, phone, number, record, kind, seq, held_seq, "values", original, remarks from edit where school = $1 and record = $2'
NAMED_BY = ("phone", "number", "record", "kind")
HELD_AGAIN = "update edit set held_seq = $3 where school = $1 and id = $2"  # whoever wrote it is sent it as it is now
ALTER = 'update edit set "values" = $3, original = $4, remarks = $5 where school = $1 and id = $2'
OF_RECORD = f"select {OF_THE_FOLD}, kind from edit where school = $1 and record = $2 and seq is not null"
KEEP = (
    "update record set seq = $3, mark = $4, gaps = $5, body = $6, disputes = $7, disputed = $8, happened_at = $9"
    " where school = $1 and id = $2"
)
UNSEAL = "delete from sealed where school = $1 and edit = any($2) and outcome = 'opened'"  # what was sealed says it too


async def forget(tx: Tx, school: str, record: str, fields: Collection[str], instead: Mapping[str, Any], why: str) -> int:
    """Takes these fields out of all edits of a record, also held ones, and folds it again; answers how many had said something.

    `instead`: what its first edit says from now on; `why`: the remark on each edit that something was taken out of. Phones hear of it
    by its number, as of an edit. Safe to repeat. The school must be locked.
    """
    rows = await tx.rows(EDITS, school, record)
    line = in_line(edit_of(row) for row in await tx.rows(OF_RECORD, school, record))
    saying = {row["id"]: without(row, fields, instead) for row in rows}
    told = [id for id, (_, _, said) in saying.items() if said]
    held = [row["id"] for row in rows if row["held_seq"] is not None and row["id"] in told]
    steps = [*(NewStep("forgotten", None, edit) for edit in held), NewStep("forgotten", record if line else None)]
    *places, place = await numbers.draw(tx, school, steps)
    await tx.run(NOTE, school, record, place.seq, now(), len(told))  # first: the database lets nothing else be altered
    for row in rows:
        values, original, said = saying[row["id"]]
        if line and row["id"] == line[0].id and told:
            values |= instead
        elif not said:
            continue
        remarks = decode(row["remarks"]) if why in row["remarks"] else [*decode(row["remarks"]), why]
        await tx.run(ALTER, school, row["id"], as_json(values), original, as_json(remarks))
    await tx.run_many(HELD_AGAIN, [(school, edit, drawn.seq) for edit, drawn in zip(held, places, strict=True)])
    await tx.run(UNSEAL, school, [as_sent(row["id"]) for row in rows])
    if line:
        await fold_again(tx, school, record, place)
    return len(told)


def without(row: Row, fields: Collection[str], instead: Mapping[str, Any]) -> tuple[dict[str, Any], str, bool]:
    """An edit's values and its letter's text without these fields, and whether they said anything but what stands there instead."""
    values = decode(row["values"])
    gone = {name for name, value in values.items() if name in fields and value != instead.get(name)}
    lay, is_words = said_in(row["original"]), False
    if not lay:  # nobody can say what is in it: what names the edit stays
        lay, is_words = {"id": as_sent(row["id"]), **{name: row[name] for name in NAMED_BY}}, True
    elif isinstance(said := lay.get("values"), dict):
        is_words = not said.keys().isdisjoint(fields)
        lay["values"] = {name: value for name, value in said.items() if name not in fields}
    elif said:
        lay["values"], is_words = None, True
    if not gone and not is_words:
        return values, row["original"], False
    return {name: value for name, value in values.items() if name not in gone}, json.dumps(lay), True


async def fold_again(tx: Tx, school: str, record: str, place: numbers.Place) -> None:
    rows = await tx.rows(OF_RECORD, school, record)
    folded = fold(KINDS[rows[0]["kind"]], [edit_of(row) for row in rows])
    await tx.run(
        KEEP, school, record, place.seq, place.mark, as_json(folded.gaps), as_json(folded.body),
        as_json(folded.disputes) if folded.disputes else None, as_json(folded.disputed) if folded.disputed else None, folded.happened_at,
    )  # fmt: skip
