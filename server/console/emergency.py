"""Opening a pupil's record in an emergency: who may, their reason, their password once more."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from server.access.asking_again import be_sure
from server.access.audit import looked
from server.access.emergency import canary_opened, close_record, open_record, rules_of
from server.access.rights import may, signed_in
from server.console.directory import pupil_line
from server.console.pages import frame_for, page
from server.console.showing import PupilLine
from server.kinds import KINDS
from server.kinds.roles import Role
from server.refusals import NotFound, Refusal
from server.store import numbers
from server.store.database import Tx, reading, writing
from server.store.engines import Row
from server.store.me import Me
from server.sync.audience import kinds_held

REASON_LIMIT, REASON_LEAST = 300, 8  # characters


@get("/console/pupil/{pupil:str}/emergency", guards=[signed_in])
async def ask(request: Request[Any, Any, Any], pupil: FromPath[str]) -> Response[str]:
    line, minutes = await writing(asked, request.state.me, pupil)
    return await shown(request, line, minutes)


@post("/console/pupil/{pupil:str}/emergency", guards=[signed_in], status_code=303)
async def open_now(request: Request[Any, Any, Any], pupil: FromPath[str]) -> Response[Any]:
    me, form = request.state.me, await request.form()
    line, minutes = await reading(openable, me, pupil)
    reason = " ".join(str(form.get("reason", "")).split())[:REASON_LIMIT]
    if len(reason) < REASON_LEAST:
        return await shown(request, line, minutes, 400, problems={"reason": "Say what has happened, in a few words"}, typed=reason)
    try:
        await be_sure(request, str(form.get("password", "")))
    except Refusal as refusal:
        wrong = "That is not your password" if refusal.retry_after is None else refusal.said
        answer = await shown(request, line, minutes, refusal.status, problems={"password": wrong}, typed=reason)
        answer.headers.update(refusal.headers)
        return answer
    await writing(opened, me, pupil, reason)
    return Redirect(f"/console/pupil/{pupil}", status_code=303)


@post("/console/pupil/{pupil:str}/emergency/over", guards=[signed_in], status_code=303)
async def close_now(request: Request[Any, Any, Any], pupil: FromPath[str]) -> Redirect:
    await writing(close_record, request.state.me, pupil)
    return Redirect(f"/console/pupil/{pupil}", status_code=303)


async def shown(
    request: Request[Any, Any, Any],
    line: PupilLine,
    minutes: int,
    status: int = 200,
    problems: dict[str, str] | None = None,
    typed: str = "",
) -> Response[str]:
    return page(
        await frame_for(request.state.me), request, "emergency.html", status,
        line=line, minutes=minutes, problems=problems or {}, typed=typed, limit=REASON_LIMIT,
    )  # fmt: skip


async def asked(tx: Tx, me: Me, pupil: str) -> tuple[PupilLine, int]:
    found = await openable(tx, me, pupil)
    if await tx.row("select 1 from pupil where school = $1 and id = $2 and canary", me.school, pupil):
        await canary_opened(tx, me, pupil)
    await looked(tx, me, "ask to open in an emergency", pupil=pupil)
    return found


async def opened(tx: Tx, me: Me, pupil: str, reason: str) -> None:
    await numbers.lock(tx, me.school)  # pressed twice, it is opened once
    await openable(tx, me, pupil)  # their role, or the pupil's year, may have changed meanwhile
    await open_record(tx, me, pupil, reason)


async def openable(tx: Tx, me: Me, pupil: str) -> tuple[PupilLine, int]:
    """The pupil, and for how many minutes. Raises NotFound where there is no such pupil, or nothing that would open."""
    row = await tx.row("select * from pupil where school = $1 and id = $2", me.school, pupil)
    if row is None or not await may_be_opened(tx, me, row):
        raise NotFound
    return pupil_line(row), (await rules_of(tx, me.school)).minutes


async def may_be_opened(tx: Tx, me: Me, pupil: Row) -> bool:
    """Whether this pupil's record is out of my scope, and my role may open such a one."""
    if me.role not in (await rules_of(tx, me.school)).roles or await in_my_scope(tx, me, pupil):
        return False
    holds_all = set(kinds_held(me)) == set(KINDS) and may(me, "contacts")
    return not holds_all


async def in_my_scope(tx: Tx, me: Me, pupil: Row) -> bool:
    if pupil["year"] in me.years:
        return True
    mine = "select 1 from caseload where school = $1 and staff = $2 and pupil = $3"
    return await tx.row(mine, me.school, me.staff, pupil["id"]) is not None


async def may_see_contacts(tx: Tx, me: Me, pupil: Row) -> bool:
    """Roles that ring families; a head of year, those of their own pupils; and whoever opened the record in an emergency."""
    if pupil["id"] in me.opened:
        return True
    return may(me, "contacts") and (me.role != Role.HEAD_OF_YEAR or await in_my_scope(tx, me, pupil))


routes = [ask, open_now, close_now]
