"""Undoing what I just wrote at the desk: one more ordinary edit, which writes what stood before. Only while nothing came after it."""

from typing import Any

from litestar import Request, Response, post
from litestar.params import FromPath
from litestar.response import Redirect

from server.access.rights import signed_in
from server.console.leaf import HISTORY, edit_of
from server.console.pages import frame_for, page
from server.console.record import note_writing
from server.console.records import record_for
from server.kinds.kind import Kind, Merge
from server.refusals import NotFound
from server.store.database import Tx, writing
from server.store.me import Me
from server.store.moments import now
from server.store.numbers import lock
from server.sync import desk
from server.sync.merge import Edit, fold

WHILE = 15 * 60 * 1_000_000  # µs


@post("/console/record/{record:str}/undo", guards=[signed_in], status_code=303)
async def undo(request: Request[Any, Any, Any], record: FromPath[str]) -> Response[Any]:
    form = await request.form()
    if not await writing(undone, request.state.me, record, str(form.get("edit", ""))):
        return page(await frame_for(request.state.me), request, "not_undone.html", 409, record=record)
    return Redirect(f"/console/record/{record}?done=undone", status_code=303)


async def undone(tx: Tx, me: Me, id: str, edit_id: str) -> bool:
    await lock(tx, me.school)
    kept = await record_for(tx, me, id)
    if kept is None:
        raise NotFound
    rows = sorted(await tx.rows(HISTORY, me.school, id), key=lambda row: row["seq"])
    last, before = edit_of(rows[-1]), [edit_of(row) for row in rows[:-1]]
    if not (before and rows[-1]["is_desk"] and is_mine(last, edit_id, me) and last.seq == kept.place.seq):
        return False
    folded = fold(kept.kind, before)
    if any(path.partition("/")[0] in last.values for path in folded.disputes):
        return False  # what was decided cannot be made undecided
    receipt = await desk.write(tx, me, id, kept.kind.name, as_before(kept.kind, last, folded.body), kept.version)
    if receipt.because:
        return False
    await note_writing(tx, me, id)
    return True


def is_mine(last: Edit, edit_id: str, me: Me) -> bool:
    return last.id == edit_id and last.author == me.staff and now() - last.received_at < WHILE


def as_before(kind: Kind, last: Edit, body: dict[str, Any]) -> dict[str, Any]:
    """What to write so that the fields this edit touched say what they said without it, in `body`."""
    values: dict[str, Any] = {}
    for name, value in last.values.items():
        field = kind.field(name)
        was = body.get(name)
        if field is None:
            continue
        if field.merge is Merge.GATHER:
            entries = was or {}
            keys = {*(value.get("put") or {}), *(value.get("drop") or ())}
            values[name] = {
                "put": {key: entries[key] for key in keys if key in entries},
                "drop": [key for key in sorted(keys) if key not in entries],
            }
        elif field.merge is Merge.OWN:
            values[name] = (was or {}).get(last.author, {}).get("value")
        else:
            values[name] = was
    return values


routes = [undo]
