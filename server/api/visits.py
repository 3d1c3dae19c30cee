"""Visits that somebody is watching, for whoever is online: how each stands, and what a buddy or a lead says of it. The rest is edits."""

from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, get, post, put
from litestar.params import FromPath, JSONBody

from server.access.asking_again import be_sure
from server.access.audit import looked, still_looks
from server.access.rights import signed_in
from server.api.oncall import wake
from server.oncall import closing_words, visits
from server.oncall.visits import may_follow
from server.oncall.whereabouts import VisitCard, card_of
from server.refusals import NotFound
from server.store.database import Tx, reading, writing
from server.store.me import Me
from server.store.moments import now, to_wire

Word = Annotated[str, msgspec.Meta(max_length=closing_words.LONGEST, pattern=r"^[^\x00]*$")]


class VisitAnswer(msgspec.Struct, omit_defaults=True):
    """What somebody says of a visit. `why`: how a lead knows that they are safe."""

    what: Literal["seen_safe", "spoken_to", "on_it"]
    why: Annotated[str, msgspec.Meta(max_length=1000, pattern=r"^[^\x00]*$")] = ""


class ClosingWordsCard(msgspec.Struct):
    """Whether I close a visit with a word. The words themselves are told to nobody."""

    set: bool
    set_at: str | None


class NewClosingWords(msgspec.Struct):
    """Both empty: I close without a word from now on."""

    password: str
    safe: Word
    alarm: Word


@get("/api/visits", guards=[signed_in])
async def list_visits(request: Request[Any, Any, Any]) -> list[VisitCard]:
    """Those that are out: I go, I am the buddy, I was told, or I lead. Soonest back first."""
    return await reading(visits.cards_for, request.state.me, now())


@get("/api/visits/{record:str}", guards=[signed_in])
async def follow_visit(request: Request[Any, Any, Any], record: FromPath[str]) -> VisitCard:
    me: Me = request.state.me
    card = await reading(seen, me, record)
    await still_looks(me, "follow visit", record=record, detail={"address": True} if card.help and card.help.addresses else None)
    return card


@post("/api/visits/{record:str}", status_code=200, guards=[signed_in])
async def answer_visit(data: JSONBody[VisitAnswer], request: Request[Any, Any, Any], record: FromPath[str]) -> VisitCard:
    card = await writing(done, request.state.me, record, data)
    wake(request)
    return card


@get("/api/closing-words", guards=[signed_in])
async def tell_closing_words(request: Request[Any, Any, Any]) -> ClosingWordsCard:
    me: Me = request.state.me
    at = await reading(closing_words.set_at, me.school, me.staff)
    return ClosingWordsCard(at is not None, None if at is None else to_wire(at))


@put("/api/closing-words", status_code=204, guards=[signed_in])
async def keep_closing_words(data: JSONBody[NewClosingWords], request: Request[Any, Any, Any]) -> Response[None]:
    await be_sure(request, data.password)
    await writing(closing_words.keep, request.state.me, data.safe, data.alarm)
    return Response(None, status_code=204)


# ── Inside one transaction ─────────────────────────────────────────────────────────────────


async def seen(tx: Tx, me: Me, record: str) -> VisitCard:
    """Raises NotFound where there is no such visit, or it is not theirs to see: the same for both."""
    card = await card_of(tx, me, record, now()) if await may_follow(tx, me, record) else None
    if card is None:
        raise NotFound
    return card


async def done(tx: Tx, me: Me, record: str, said: VisitAnswer) -> VisitCard:
    await visits.do(tx, me, record, said.what, said.why, now())
    card = await seen(tx, me, record)
    if card.help and card.help.addresses:
        await looked(tx, me, "follow visit", record=record, detail={"address": True})
    return card
