"""Held: what the school has and could not add to a record, and settling it: taken in as it is, or set aside, with a reason."""

from typing import Any, Literal

from litestar import Request, Response, get, post
from litestar.response import Redirect

from server.access.audit import looked
from server.access.rights import may, needs, signed_in
from server.console.holding import HeldEdit, held_edit, held_edits, look_at_held, scraps_of
from server.console.pages import frame_for, page
from server.intake.tending import unopened
from server.refusals import NotFound
from server.store.database import Tx, reading, writing
from server.store.me import Me
from server.sync import desk

REASON_LIMIT = 300  # characters

How = Literal["taken", "set aside"]


@get("/console/held", guards=[signed_in])
async def held(request: Request[Any, Any, Any]) -> Response[str]:
    """All that wait; or one of them, named in the query: its id may be any text at all."""
    me, edit = request.state.me, request.query_params.get("edit", "")
    if not edit:
        edits, scraps = await reading(held_edits, me), await reading(scraps_of, me)
        sealed = await reading(unopened, me) if may(me, "sealed") else []
        return page(await frame_for(me), request, "held.html", edits=edits, scraps=scraps, sealed=sealed)
    return await show(request, await found(me, edit, is_read=True))


@post("/console/held", guards=[needs("settle")], status_code=303)
async def settle_held(request: Request[Any, Any, Any]) -> Response[Any]:
    """Taken in as it is, or set aside; either way with a reason, and by name."""
    me, form = request.state.me, await request.form()
    edit, why = str(form.get("edit", "")), str(form.get("why", "")).strip()
    how: How = "taken" if form.get("how") == "taken" else "set aside"
    held = await found(me, edit)
    if problem := problem_with(why):
        return await show(request, held, 400, problem, why)
    if held.settled:
        return await show(request, held, 409)
    if problem := await writing(settle, me, edit, how, why):
        return await show(request, await found(me, edit), 409, problem, why)
    return Redirect("/console/held?done=" + ("taken" if how == "taken" else "set-aside"), status_code=303)


async def found(me: Me, edit: str, is_read: bool = False) -> HeldEdit:
    held = await (writing(look_at_held, me, edit) if is_read else reading(held_edit, me, edit))
    if held is None:
        raise NotFound
    return held


async def show(request: Request[Any, Any, Any], held: HeldEdit, status: int = 200, problem: str = "", typed: str = "") -> Response[str]:
    return page(await frame_for(request.state.me), request, "one_held.html", status, held=held, problem=problem, typed=typed)


def problem_with(why: str) -> str:
    if not why:
        return "Give a reason: it stays with the record"
    return f"Keep the reason under {REASON_LIMIT} characters" if len(why) > REASON_LIMIT else ""


async def settle(tx: Tx, me: Me, edit: str, how: How, why: str) -> str:
    """Answers why it could not be done, or nothing."""
    await looked(tx, me, f"settle held: {how}", detail={"edit": edit})
    answer = await desk.settle(tx, me, edit, how, why)
    if isinstance(answer, dict):
        return "It cannot be taken in as it is: " + "; ".join(answer.values())
    return "" if answer.by == me.staff and answer.how == how else "Somebody settled it a moment before you"


routes = [held, settle_held]
