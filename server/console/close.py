"""Where a record stands: closing it, calling it void, opening it again; each with a reason, each an ordinary edit."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from server.access.audit import looked
from server.access.rights import signed_in
from server.console.change import written
from server.console.leaf import Leaf, leaf_of
from server.console.pages import frame_for, page
from server.kinds import KINDS
from server.refusals import NotFound
from server.store.database import reading, writing
from server.store.me import Me

REASON_LIMIT = 300  # characters
STATES = {"closed": "Close this record?", "void": "Was it made in error?", "open": "Open it again?"}


@get("/console/record/{record:str}/close", guards=[signed_in])
async def ask(request: Request[Any, Any, Any], record: FromPath[str]) -> Response[str]:
    me, to = request.state.me, request.query_params.get("to", "closed")
    leaf = await found(me, record)
    await writing(looked, me, "read record", record=record)
    return await asking(request, leaf, to if to in STATES else "closed")


@post("/console/record/{record:str}/close", guards=[signed_in], status_code=303)
async def close(request: Request[Any, Any, Any], record: FromPath[str]) -> Response[Any]:
    me, form = request.state.me, await request.form()
    to, why, seen = str(form.get("to", "")), str(form.get("why", "")).strip(), str(form.get("seen", ""))
    leaf = await found(me, record)
    if to not in STATES:
        raise NotFound
    if problem := problem_with(why, to):
        return await asking(request, leaf, to, problem, why)
    answer = await writing(written, me, record, KINDS[leaf.kind], {"state": to, "state_reason": why or None}, seen or None)
    if not isinstance(answer, str):
        return await asking(request, leaf, to, " ".join(answer.values()), why)
    return Redirect(f"/console/record/{record}?done=wrote.{answer}", status_code=303)


async def found(me: Me, record: str) -> Leaf:
    leaf = await reading(leaf_of, me, record)
    if leaf is None:
        raise NotFound
    return leaf


async def asking(request: Request[Any, Any, Any], leaf: Leaf, to: str, problem: str = "", typed: str = "") -> Response[str]:
    return page(
        await frame_for(request.state.me), request, "close.html", 400 if problem else 200,
        leaf=leaf, to=to, question=STATES[to], problem=problem, typed=typed,
    )  # fmt: skip


def problem_with(why: str, to: str) -> str:
    if not why and to != "closed":
        return "Say why: it stays in the history"
    return f"Keep the reason under {REASON_LIMIT} characters" if len(why) > REASON_LIMIT else ""


routes = [ask, close]
