"""Calls for help and duties, for whoever is online: calling, answering, going on duty. What is said becomes edits of the record."""

from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, delete, get, post
from litestar.params import FromPath, JSONBody

from server.access.audit import still_looks
from server.access.rights import signed_in
from server.api.passkeys import Nothing
from server.oncall import answers, duty, standing
from server.oncall.rota import ENOUGH, MAY_ANSWER, PARTS, Shift, duties_today, shifts_of
from server.oncall.standing import CallCard, card_of, told_as_account
from server.oncall.steps import look_soon
from server.push import delivery
from server.refusals import NotFound
from server.store.database import Tx, reading, writing
from server.store.ids import new_id
from server.store.me import Me
from server.store.moments import now, to_wire
from server.sync.audience import may_be_sent

Text = Annotated[str, msgspec.Meta(max_length=300, pattern=r"^[^\x00]*$")]
Id = Annotated[str, msgspec.Meta(max_length=100, pattern=r"^[0-9A-Za-z-]+(?!\n)$")]


class CallAsked(msgspec.Struct, omit_defaults=True):
    """A call for help, as it is asked for by somebody who is online. `record`: the phone's own name for it, so that it is called once."""

    place: Text
    urgency: Text = "now"
    record: Id | None = None
    pupils: list[Id] = []
    note: Text = ""
    lesson: Text = ""


What = Literal["accept", "come_too", "on_my_way", "there", "more", "give_back", "stand_down", "close", "still_needed", "incident"]


class CallAnswer(msgspec.Struct):
    """What somebody says to a call, or of it."""

    what: What


class ShiftCard(msgspec.Struct):
    """Somebody on duty. `tested_at`: they tapped the test on that phone; then they are green. `failed`: what became of it, in words."""

    staff: str
    name: str
    began_at: str
    ends_at: str
    sent_at: str | None
    shown_at: str | None
    tested_at: str | None
    seen_at: str | None
    failed: str | None


class DutyLine(msgspec.Struct):
    """One duty of mine today."""

    label: str
    starts: str
    ends: str
    zone: str
    part: str


class DutyCard(msgspec.Struct):
    """`can`: people with my role may be called to help. `enough`: how many green phones there should be at least."""

    can: bool
    mine: ShiftCard | None
    today: list[DutyLine]
    on: list[ShiftCard]
    enough: int
    now: str


@get("/api/duty", guards=[signed_in])
async def tell_duty(request: Request[Any, Any, Any]) -> DutyCard:
    return await reading(duty_of, request.state.me)


@post("/api/duty", status_code=200, guards=[signed_in])
async def go_on_duty(data: JSONBody[Nothing], request: Request[Any, Any, Any]) -> DutyCard:
    """A test is sent to this phone; tapping it is what counts. Safe to repeat: it is sent again."""
    me: Me = request.state.me
    await writing(duty.go_on_duty, me, now())
    wake(request)
    return await reading(duty_of, me)


@delete("/api/duty", status_code=204, guards=[signed_in])
async def go_off_duty(request: Request[Any, Any, Any]) -> None:
    """Safe to repeat."""
    await writing(duty.go_off_duty, request.state.me, now())
    wake(request)


@get("/api/calls", guards=[signed_in])
async def list_calls(request: Request[Any, Any, Any]) -> list[CallCard]:
    """Those that are not over, of those that are mine to see. Newest first."""
    return await reading(calls_of, request.state.me)


@post("/api/calls", status_code=201, guards=[signed_in])
async def call_for_help(data: JSONBody[CallAsked], request: Request[Any, Any, Any]) -> CallCard:
    me: Me = request.state.me
    record = data.record or new_id()
    card = await writing(called, me, record, values_of(data))
    wake(request)
    return card


@get("/api/calls/{record:str}", guards=[signed_in])
async def follow_call(request: Request[Any, Any, Any], record: FromPath[str]) -> CallCard:
    me: Me = request.state.me
    card = await reading(seen, me, record)
    await still_looks(me, "follow call", record=record)
    return await plans_read(me, card)


@post("/api/calls/{record:str}", status_code=200, guards=[signed_in])
async def answer_call(data: JSONBody[CallAnswer], request: Request[Any, Any, Any], record: FromPath[str]) -> CallCard:
    card = await writing(done, request.state.me, record, data.what)
    wake(request)
    return await plans_read(request.state.me, card)


async def plans_read(me: Me, card: CallCard) -> CallCard:
    """The same, once it is written down whose plans are in it."""
    for plan in card.plans:
        await still_looks(me, "read plan for a call", pupil=plan.pupil, record=card.record, detail={"plan": plan.record})
    return card


def wake(request: Request[Any, Any, Any]) -> None:
    delivery.look_soon()
    look_soon()
    request.app.state.hub.look_soon()


# ── Inside one transaction ─────────────────────────────────────────────────────────────────


def values_of(asked: CallAsked) -> dict[str, Any]:
    said = {name: value for name in ("place", "urgency", "note", "lesson") if (value := getattr(asked, name))}
    return said | ({"pupils": {"put": {pupil: {} for pupil in asked.pupils}, "drop": []}} if asked.pupils else {})


async def called(tx: Tx, me: Me, record: str, values: dict[str, Any]) -> CallCard:
    at = now()
    await answers.call_for_help(tx, me, record, values, at)
    return await card(tx, me, record, at)


async def done(tx: Tx, me: Me, record: str, what: str) -> CallCard:
    at = now()
    if what == "incident":
        await answers.make_incident(tx, me, record, told_as_account(await card(tx, me, record, at)), at)
    else:
        await answers.do(tx, me, record, what, at)
    return await card(tx, me, record, at)


async def seen(tx: Tx, me: Me, record: str) -> CallCard:
    return await card(tx, me, record, now())


async def card(tx: Tx, me: Me, record: str, at: int) -> CallCard:
    """Raises NotFound where there is no such call, or it is not theirs to see: the same for both."""
    found = await card_of(tx, me, record, at, with_plans=True) if await may_be_sent(tx, me, record) else None
    if found is None:
        raise NotFound
    return found


async def calls_of(tx: Tx, me: Me) -> list[CallCard]:
    at = now()
    mine = [call.record for call in await standing.live(tx, me.school, at) if await may_be_sent(tx, me, call.record)]
    cards = [await card_of(tx, me, record, at) for record in mine]
    return [one for one in cards if one is not None]


async def duty_of(tx: Tx, me: Me) -> DutyCard:
    at = now()
    shifts = await shifts_of(tx, me.school, at)
    mine = [
        DutyLine(one.label, one.starts, one.ends, one.zone, PARTS[one.part])
        for one in await duties_today(tx, me.school, at)
        if one.staff == me.staff
    ]
    cards = {shift.staff: shift_card(shift) for shift in shifts}
    can = me.role in MAY_ANSWER
    return DutyCard(can, cards.get(me.staff), mine, list(cards.values()) if can else [], ENOUGH, to_wire(at))


def shift_card(shift: Shift) -> ShiftCard:
    tested_at = shift.tested_at if shift.green else None
    sent, shown, tested, seen = map(standing.wired, (shift.handed_at, shift.shown_at, tested_at, shift.seen_at))
    return ShiftCard(shift.staff, shift.name, to_wire(shift.began_at), to_wire(shift.ends_at), sent, shown, tested, seen, shift.failed)
