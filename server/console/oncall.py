"""On call at the desk: who is green, which calls are open and who is coming, how the last ones went, and how long calls wait."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Struct

from server.access.rights import needs
from server.console.pages import frame_for, page
from server.kinds.call_out import PROGRESS
from server.oncall import answers
from server.oncall.rota import ENOUGH, PARTS, Duty, Shift, on_now, shifts_of
from server.oncall.standing import CallCard, card_of, live, told_as_account
from server.oncall.steps import look_soon
from server.oncall.times import WEEK, Times, Took, times_by, times_of, took_since
from server.push import delivery
from server.refusals import NotFound, TooLate
from server.store.database import Tx, reading, writing
from server.store.me import Me
from server.store.moments import from_wire, now
from server.sync.audience import may_hold

WEEKS = 8  # that response times are told of

# The words on each button, in the order in which they are offered.
SAY = {
    "accept": "I am going",
    "come_too": "I am going too",
    "still_needed": "Still needed",
    "there": "Somebody is with them",
    "on_my_way": "On my way",
    "more": "More people needed",
    "give_back": "Cannot come",
    "stand_down": "No longer needed",
    "close": "It is over",
}
LATEST = 15  # calls in the history


class OnDuty(Struct, frozen=True):
    """Somebody who should be on duty, or has gone on it."""

    name: str
    duty: Duty | None
    shift: Shift | None

    @property
    def green(self) -> bool:
        return self.shift is not None and self.shift.green


class Board(Struct, frozen=True):
    people: list[OnDuty]
    calls: list[CallCard]
    places: dict[str, str]
    periods: dict[str, str]
    last: list[Took]
    all: Times
    by_place: list[Times]
    by_period: list[Times]

    @property
    def green(self) -> int:
        return sum(one.green for one in self.people)


@get("/console/oncall", guards=[needs("calls")])
async def board(request: Request[Any, Any, Any]) -> Response[str]:
    return await shown(request)


@post("/console/oncall/{record:str}", guards=[needs("calls")], status_code=303)
async def say(request: Request[Any, Any, Any], record: FromPath[str]) -> Response[Any]:
    """`what`: one of SAY, or incident; the record of the incident is what opens then."""
    me, what = request.state.me, str((await request.form()).get("what", ""))
    try:
        made = await writing(said, me, record, what)
    except TooLate as late:
        return await shown(request, 409, late.said)
    delivery.look_soon()
    look_soon()
    request.app.state.hub.look_soon()
    return Redirect(f"/console/record/{made}" if made else "/console/oncall?done=call", status_code=303)


async def said(tx: Tx, me: Me, record: str, what: str) -> str:
    at = now()
    if what != "incident":
        await answers.do(tx, me, record, what, at)
        return ""
    card = await card_of(tx, me, record, at) if await may_hold(tx, me, record) else None
    if card is None:
        raise NotFound
    return await answers.make_incident(tx, me, record, told_as_account(card), at)


async def shown(request: Request[Any, Any, Any], status: int = 200, problem: str = "") -> Response[str]:
    me = request.state.me
    found = await reading(board_of, me)
    return page(
        await frame_for(me), request, "oncall.html", status,
        board=found, problem=problem, enough=ENOUGH, parts=PARTS, say=SAY, progress=PROGRESS, weeks=WEEKS, moment=from_wire,
    )  # fmt: skip


async def board_of(tx: Tx, me: Me) -> Board:
    at = now()
    shifts = {shift.staff: shift for shift in await shifts_of(tx, me.school, at)}
    duties = await on_now(tx, me.school, at)
    besides = [OnDuty(shift.name, None, shift) for staff, shift in shifts.items() if staff not in {one.staff for one in duties}]
    cards = [await card_of(tx, me, call.record, at) for call in await live(tx, me.school, at) if await may_hold(tx, me, call.record)]
    took = await took_since(tx, me.school, at - WEEKS * WEEK)
    places = await tx.rows("select code, label from list_entry where school = $1 and list = 'places'", me.school)
    periods = await tx.rows("select code, label from period where school = $1", me.school)
    return Board(
        [*(OnDuty(one.name, one, shifts.get(one.staff)) for one in duties), *besides],
        [card for card in cards if card is not None],
        {row["code"]: row["label"] for row in places},
        {row["code"]: row["label"] for row in periods},
        took[:LATEST],
        times_of("", took),
        times_by(took, lambda one: one.place),
        times_by(took, lambda one: one.period),
    )


routes = [board, say]
