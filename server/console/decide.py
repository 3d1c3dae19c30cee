"""Deciding a dispute: one of the answers, written as an ordinary edit by whoever had seen them all. Of two who decide at once, one does."""

from typing import Any

from litestar import Request, Response, post
from litestar.params import FromPath
from msgspec import Struct

from server.access.rights import signed_in
from server.console.leaf import leaf_of
from server.console.pages import frame_for, page
from server.console.record import note_writing, onward
from server.console.records import Kept, record_for
from server.kinds import KINDS
from server.kinds.kind import Merge
from server.refusals import NotFound, Unreadable
from server.store.database import Tx, reading, writing
from server.store.me import Me
from server.store.numbers import lock
from server.sync import desk


class Offered(Struct, frozen=True):
    """What a decision says: which dispute, what stood on the page, and which of the answers."""

    path: str
    seen: str
    answers: str  # the edits whose answers stood there
    edit: str  # the one whose answer it is to be


@post("/console/record/{record:str}/decide", guards=[signed_in], status_code=303)
async def decide(request: Request[Any, Any, Any], record: FromPath[str]) -> Response[Any]:
    me, form = request.state.me, await request.form()
    offered = Offered(**{name: str(form.get(name, "")) for name in Offered.__struct_fields__})
    if await writing(decided, me, record, offered) is None:
        return await too_late(request, record, offered)
    back = str(form.get("back", "")) or f"/console/record/{record}"
    return onward(back, f"decided.{record}")


async def decided(tx: Tx, me: Me, id: str, offered: Offered) -> str | None:
    """The edit that decides it; None if what stood on the page is no longer what differs. The school's lock makes one of two the first."""
    await lock(tx, me.school)
    kept = await record_for(tx, me, id)
    if kept is None:
        raise NotFound
    heads = kept.disputes.get(offered.path, [])
    if " ".join(sorted(head["edit"] for head in heads)) != offered.answers or not heads:
        return None
    chosen = next((head for head in heads if head["edit"] == offered.edit), None)
    if chosen is None:
        raise Unreadable
    receipt = await desk.write(tx, me, id, kept.kind.name, to_write(kept, offered.path, chosen["value"]), offered.seen or None)
    if receipt.because:
        return None
    await note_writing(tx, me, id)
    return receipt.id


def to_write(kept: Kept, path: str, value: Any) -> dict[str, Any]:
    name, _, key = path.partition("/")
    field = kept.kind.field(name)
    if field is not None and field.merge is Merge.GATHER:
        return {name: {"put": {key: value}, "drop": []}}
    return {name: value}


async def too_late(request: Request[Any, Any, Any], record: str, offered: Offered) -> Response[Any]:
    """Says what happened meanwhile, and that nothing was written."""
    me = request.state.me
    leaf = await reading(leaf_of, me, record)
    if leaf is None:
        raise NotFound
    name = offered.path.partition("/")[0]
    field = KINDS[leaf.kind].field(name)
    return page(
        await frame_for(me), request, "too_late.html", 409,
        leaf=leaf, field=name, question=field.question if field else "",
        dispute_now=next((one for one in leaf.disputes if one.path == offered.path), None),
        decision=next((told for told in leaf.history if name in told.fields), None), back=f"/console/record/{record}",
    )  # fmt: skip


routes = [decide]
