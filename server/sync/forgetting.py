"""Forgetting: words that the school may not keep any longer go out of every edit that said them. That somebody wrote stays, and says so."""

import json
from collections.abc import Collection, Mapping
from typing import Any

from server.kinds import KINDS
from server.store import numbers
from server.store.database import Tx
from server.store.moments import now
from server.store.numbers import NewStep
from server.sync.finding import OF_THE_FOLD, as_sent, decode, edit_of
from server.sync.keeping import as_json
from server.sync.merge import fold, in_line

NOTE = "insert into forgotten (school, record, seq, at, edits) values ($1, $2, $3, $4, $5)"
EDITS = 'select id, seq, "values", original, remarks from edit where school = $1 and record = $2'
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
    saying = {row["id"]: without(row["values"], row["original"], fields, instead) for row in rows}
    told = [id for id, (_, _, said) in saying.items() if said]
    [place] = await numbers.draw(tx, school, [NewStep("forgotten", record if line else None)])
    await tx.run(NOTE, school, record, place.seq, now(), len(told))  # first: the database lets nothing else be altered
    for row in rows:
        values, original, said = saying[row["id"]]
        if line and row["id"] == line[0].id and told:
            values |= instead
        elif not said:
            continue
        remarks = decode(row["remarks"]) if why in row["remarks"] else [*decode(row["remarks"]), why]
        await tx.run(ALTER, school, row["id"], as_json(values), original, as_json(remarks))
    await tx.run(UNSEAL, school, [as_sent(row["id"]) for row in rows])
    if line:
        await fold_again(tx, school, record, place)
    return len(told)


def without(values: str, original: str, fields: Collection[str], instead: Mapping[str, Any]) -> tuple[dict[str, Any], str, bool]:
    """An edit's values and its letter's text without these fields, and whether they said anything but what stands there instead."""
    gone = {name for name, value in decode(values).items() if name in fields and value != instead.get(name)}
    kept = {name: value for name, value in decode(values).items() if name not in gone}
    try:
        lay = json.loads(original)
        gone |= lay["values"].keys() & set(fields)
    except (ValueError, KeyError, TypeError, AttributeError):
        return kept, "{}", bool(gone) or original != "{}"
    lay["values"] = {name: value for name, value in lay["values"].items() if name not in fields}
    return kept, json.dumps(lay) if gone else original, bool(gone)


async def fold_again(tx: Tx, school: str, record: str, place: numbers.Place) -> None:
    rows = await tx.rows(OF_RECORD, school, record)
    folded = fold(KINDS[rows[0]["kind"]], [edit_of(row) for row in rows])
    await tx.run(
        KEEP, school, record, place.seq, place.mark, as_json(folded.gaps), as_json(folded.body),
        as_json(folded.disputes) if folded.disputes else None, as_json(folded.disputed) if folded.disputed else None, folded.happened_at,
    )  # fmt: skip
