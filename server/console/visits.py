"""Visits at the desk: who is out and due back when, overdue first; one visit with what happened in it; and saying that they are safe."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Struct

from server.access.audit import still_looks
from server.access.rights import needs, signed_in
from server.console.pages import frame_for, page
from server.console.records import directory_of, record_for
from server.console.showing import called, title_of
from server.console.words import joined
from server.oncall import visits
from server.oncall.steps import look_soon
from server.oncall.visits import may_follow
from server.oncall.whereabouts import VisitCard, card_of
from server.push import delivery
from server.refusals import NotFound, Refusal
from server.store.database import Tx, reading, writing
from server.store.me import Me
from server.store.moments import from_wire, now
from server.sync.audience import may_hold

BADGES = {"alarm": "alarm", "overdue": "needs", "out": "waiting", "planned": "draft", "safe": "sent", "over": "sent"}
SAY = {"on_it": "I will see to it", "spoken_to": "I have spoken to them"}


class Opened(Struct, frozen=True):
    card: VisitCard
    title: str  # empty: they were told of it, and may not read the record


@get("/console/visits", guards=[needs("visits")])
async def board(request: Request[Any, Any, Any]) -> Response[str]:
    me = request.state.me
    found = await reading(visits.board_of, me, now())
    return page(await frame_for(me), request, "visits.html", board=found, badges=BADGES, going=going, moment=from_wire)


@get("/console/visits/{record:str}", guards=[signed_in])
async def visit(request: Request[Any, Any, Any], record: FromPath[str]) -> Response[str]:
    me = request.state.me
    opened = await reading(opened_by, me, record)
    if opened is None:
        raise NotFound
    shows = bool(opened.card.help and opened.card.help.addresses)
    await still_looks(me, "follow visit", record=record, detail={"address": True} if shows else None)
    return await shown(request, opened)


@post("/console/visits/{record:str}", guards=[signed_in], status_code=303)
async def say(request: Request[Any, Any, Any], record: FromPath[str]) -> Response[Any]:
    """`what`: one of SAY, or seen_safe with `why`."""
    me, form = request.state.me, await request.form()
    what, why = str(form.get("what", "")), str(form.get("why", ""))[:1000]
    if what not in visits.NOT_YOURS:
        raise NotFound
    try:
        await writing(lambda tx: visits.do(tx, me, record, what, why, now(), at_desk=True))
    except NotFound:
        raise
    except Refusal as refusal:
        opened = await reading(opened_by, me, record)
        if opened is None:
            raise NotFound from None
        return await shown(request, opened, refusal.status, refusal.said)
    delivery.look_soon()
    look_soon()
    request.app.state.hub.look_soon()
    return Redirect(f"/console/visits/{record}?done=call", status_code=303)


async def shown(request: Request[Any, Any, Any], opened: Opened, status: int = 200, problem: str = "") -> Response[str]:
    return page(
        await frame_for(request.state.me), request, "visit.html", status,
        visit=opened.card, title=opened.title, badges=BADGES, say=SAY, problem=problem, going=going, moment=from_wire,
    )  # fmt: skip


def going(card: VisitCard) -> str:
    return joined([card.who.get(one, "Somebody who has left") for one in card.goes]) or "Nobody named"


async def opened_by(tx: Tx, me: Me, record: str) -> Opened | None:
    card = await card_of(tx, me, record, now()) if await may_follow(tx, me, record, at_desk=True) else None
    if card is None:
        return None
    kept = await record_for(tx, me, record) if await may_hold(tx, me, record) else None
    if kept is None:
        return Opened(card, "")
    directory = await directory_of(tx, me, [kept])
    return Opened(card, called(kept.kind, title_of(kept.kind, kept.body, kept.disputes, directory)))


routes = [board, visit, say]
