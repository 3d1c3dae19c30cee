"""A call for help on its ladder: it begins when its record arrives, by whatever way, and climbs until a named person answers."""

from typing import Any

import msgspec

from server.kinds import KINDS
from server.oncall.followed import Followed, held, keep, note, rung_so_far, tell_quietly
from server.oncall.ladders import Ladder, Rung, ladder_for, whom, zone_of
from server.oncall.steps import Due, drop_due, due, step
from server.push.alerts import alert, any_rings, retire_alerts
from server.store.database import Tx

SECOND = 1_000_000
MINUTE = 60 * SECOND
ASKED_AFTER = 60 * SECOND  # older on arrival: whether it is still needed is asked first
ASKED_FOR = 60 * SECOND  # and after so long without a word it is taken to be
WORTH = 15 * MINUTE  # older on arrival: a missed call
HISTORY = 12 * 60 * MINUTE  # had long been here before anybody looked: a demo's, or a server's that was away
AGAIN_EVERY, AGAIN_AT_MOST = 120 * SECOND, 10  # everyone is rung again, past the last rung
RINGS_FOR_S = 15 * 60  # how long an alert is worth handing over
TOLD_FOR_S = 5 * 60

CALL_OUT = KINDS["call_out"]
URGENT = ("now", "danger")
GOING, THERE = "going", "there"
OVER = ("over", "not_needed")
WAITING = ("asking", "ringing")  # for an answer
LADDER = ("call.still", "call.rung", "call.again")  # its steps; never call.moved, which carries somebody's edit


class Call(Followed):
    TABLE, PAGE = "call", "call"

    state: str
    caller: str
    place: str
    zone: str
    urgency: str
    ladder: str
    asked_at: int
    received_at: int
    began_at: int | None
    rung: int
    alone_at: int | None
    answered_by: str | None
    answered_at: int | None
    there_at: int | None
    over_at: int | None

    @property
    def rungs(self) -> tuple[Rung, ...]:
        return msgspec.json.decode(self.ladder, type=Ladder).rungs if self.ladder != "{}" else ()


class Said(msgspec.Struct, frozen=True):
    """What the record says, as far as a call goes by it."""

    author: str
    state: str
    asked_at: int
    received_at: int
    body: dict[str, Any]

    @property
    def is_over(self) -> bool:
        return self.state != "open" or self.body.get("progress") in OVER

    @property
    def urgency(self) -> str:
        return self.body.get("urgency") or "now"

    def part_of(self, staff: str) -> str | None:
        return ((self.body.get("responders") or {}).get(staff) or {}).get("part")


# When it was asked for, by the school's clock: a phone's own may be wrong by years.
SAID = (
    "select author, state, received_at, body, (select min(ordered_at) from edit"
    " where edit.school = record.school and edit.record = record.id and edit.seq is not null) as asked_at"
    " from record where school = $1 and id = $2 and kind = $3"
)
WROTE = 'select "values" from edit where school = $1 and record = $2 and author <> $3 and seq is not null order by seq'
BEGIN = (
    "insert into call (school, record, state, caller, place, zone, urgency, asked_at, received_at)"
    " values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (school, record) do nothing returning 1"
)


async def said_in(tx: Tx, school: str, record: str) -> Said | None:
    row = await tx.row(SAID, school, record, CALL_OUT.name)
    if row is None:
        return None
    return Said(row["author"], row["state"], row["asked_at"], row["received_at"], msgspec.json.decode(row["body"]))


async def coming_in(tx: Tx, record: str, school: str, said: Said) -> dict[str, str]:
    """Who is going or there, whoever is there first. Whom the caller has put down has not answered, nor has the caller."""
    put: dict[str, str | None] = {}
    for row in await tx.rows(WROTE, school, record, said.author):
        entries = (msgspec.json.decode(row["values"]).get("responders") or {}).get("put") or {}
        put |= {staff: (entry or {}).get("part") for staff, entry in entries.items()}
    found = {staff: said.part_of(staff) for staff, part in put.items() if part in (GOING, THERE) and staff != said.author}
    return {staff: part for which in (THERE, GOING) for staff, part in found.items() if part == which}


# ── The record has moved ───────────────────────────────────────────────────────────────────


@step("call.moved")
async def moved(tx: Tx, its: Due, at: int) -> None:
    await follow(tx, its.school, its.about, at)


async def follow(tx: Tx, school: str, record: str, at: int) -> Call | None:
    """Brings the call to what its record says. Safe to repeat. None where it is no call, or was over before it came, or came long ago."""
    said = await said_in(tx, school, record)
    call = await held(tx, Call, school, record)
    if said is None or (call is None and (said.is_over or at - said.received_at > HISTORY)):
        return None
    if call is None:
        return await begin(tx, school, record, said, at)
    place = said.body.get("place") or ""
    if (place, said.urgency) != (call.place, call.urgency):
        await keep(tx, call, place=place, zone=await zone_of(tx, school, place), urgency=said.urgency)
    if call.state in OVER:
        return call
    if said.is_over:
        await end(tx, call, "not_needed" if said.body.get("progress") == "not_needed" or said.state == "void" else "over", at)
    else:
        await go_by(tx, call, said, at)
    return call


async def go_by(tx: Tx, call: Call, said: Said, at: int) -> None:
    """Who comes, as the record says it: an answer given, taken back, or that somebody is there."""
    coming = await coming_in(tx, call.record, call.school, said)
    if call.answered_by is not None and is_taken_back(call, said.part_of(call.answered_by)):
        await go_on_without(tx, call, call.answered_by, next(iter(coming), None), at)
    elif call.answered_by is None and call.state in (*WAITING, "missed") and coming:
        await answered(tx, call, next(iter(coming)), at)
    with_them = next((staff for staff, part in coming.items() if part == THERE), None)
    if call.state == "answered" and with_them is not None:
        await keep(tx, call, state="there", there_at=at)
        await note(tx, call, "there", at, with_them)


def is_taken_back(call: Call, part: str | None) -> bool:
    """Whoever has been there and has left has not taken it back."""
    return part in (None, "cannot") or (part == "left" and call.state == "answered")


async def go_on_without(tx: Tx, call: Call, was: str, heir: str | None, at: int) -> None:
    """Whoever answered cannot come after all: it is on the ladder again, or somebody else's who is coming as well."""
    await note(tx, call, "gave back", at, was)
    if heir is None:
        await ring(tx, call, at)
        return
    await keep(tx, call, state="answered", answered_by=heir, answered_at=at, there_at=None)
    await note(tx, call, "answered", at, heir)
    await alert(tx, call.school, call.caller, "call.coming", opens=call.opens, topic=call.topic, ttl_s=TOLD_FOR_S)


async def begin(tx: Tx, school: str, record: str, said: Said, at: int) -> Call:
    """The first that is heard of it. How old it is decides: it rings, or its caller is asked first, or it is a missed call."""
    place = said.body.get("place") or ""
    zone = await zone_of(tx, school, place)
    age = at - said.asked_at
    state = "missed" if age > WORTH else "asking" if age > ASKED_AFTER else "ringing"
    begun = await tx.row(BEGIN, school, record, state, said.author, place, zone, said.urgency, said.asked_at, said.received_at)
    call = await held(tx, Call, school, record)
    assert call is not None
    if begun is None:
        return call  # by somebody else, this very moment
    await note(tx, call, "received", said.received_at, said.author)
    if await coming_in(tx, record, school, said):
        await go_by(tx, call, said, at)
    elif state == "missed":
        await note(tx, call, "missed", at)
    elif state == "asking":
        await note(tx, call, "asking", at)
        await due(tx, school, at + ASKED_FOR, "call.still", record)
    else:
        await ring(tx, call, at)
    return call


@step("call.still")
async def taken_to_be_needed(tx: Tx, its: Due, at: int) -> None:
    """A call came late, and its caller has not said whether it is still needed: it rings."""
    call = await held(tx, Call, its.school, its.about)
    if call and call.state == "asking":
        await note(tx, call, "no word", at)
        await ring(tx, call, at)


# ── The ladder ─────────────────────────────────────────────────────────────────────────────


async def ring(tx: Tx, call: Call, at: int) -> None:
    """From the first rung. One that reaches nobody is not waited for; where none does, the caller is told at once."""
    ladder = await ladder_for(tx, call.school, call.zone, at)
    await drop_due(tx, call.school, call.record, *LADDER)
    kept = msgspec.json.encode(ladder).decode()
    await keep(
        tx, call, state="ringing", ladder=kept, began_at=at, rung=-1, alone_at=None, answered_by=None, answered_at=None, there_at=None
    )
    for n, rung in enumerate(ladder.rungs):
        if n:
            await due(tx, call.school, at + rung.after_s * SECOND, "call.rung", call.record, n=n, began_at=at)
    last_s = max(rung.after_s for rung in ladder.rungs)
    await due(tx, call.school, at + last_s * SECOND + AGAIN_EVERY, "call.again", call.record, n=1, began_at=at)
    for n, rung in enumerate(ladder.rungs):
        if rung.who != "caller" and await climb(tx, call, n, at):
            return
    await nobody(tx, call, at)


@step("call.rung")
async def next_rung(tx: Tx, its: Due, at: int) -> None:
    call = await held(tx, Call, its.school, its.about)
    if call is None or call.state != "ringing" or call.began_at != its.more["began_at"]:
        return
    n = its.more["n"]
    if call.rungs[n].who == "caller":
        await keep(tx, call, rung=n)
        await nobody(tx, call, at)
    else:
        await climb(tx, call, n, at)


@step("call.again")
async def everyone_again(tx: Tx, its: Due, at: int) -> None:
    """Past the last rung, everyone is rung again; and when that has been often enough, it is a missed call."""
    call = await held(tx, Call, its.school, its.about)
    if call is None or call.state != "ringing" or call.began_at != its.more["began_at"]:
        return
    n = its.more["n"]
    if n > AGAIN_AT_MOST:
        await keep(tx, call, state="missed")
        await note(tx, call, "missed", at)
        await retire_alerts(tx, call.school, call.topic)
        return
    await tell(tx, call, await whom(tx, call.school, "everyone", call.zone, at), "call.everybody", at, who="everyone")
    if call.alone_at is None:
        await nobody(tx, call, at)
    await due(tx, call.school, at + AGAIN_EVERY, "call.again", call.record, n=n + 1, began_at=call.began_at)


async def climb(tx: Tx, call: Call, n: int, at: int) -> bool:
    """Whether anybody is on that rung whose phone rings."""
    who = call.rungs[n].who
    words = "call.everybody" if who == "everyone" else "call.again" if n else "call.urgent" if call.urgency in URGENT else "call"
    await keep(tx, call, rung=n)
    return await tell(tx, call, await whom(tx, call.school, who, call.zone, at), words, at, who=who)


async def tell(tx: Tx, call: Call, staff: list[str], words: str, at: int, **how: Any) -> bool:
    """Whether any phone of theirs rings. Not the caller's, nor, until everyone is asked, of those who have said that they cannot come."""
    cannot = set() if how.get("who") == "everyone" else await who_cannot(tx, call)
    staff = [one for one in staff if one != call.caller and one not in cannot]
    for one in staff:
        await alert(tx, call.school, one, words, opens=call.opens, topic=call.topic, ttl_s=RINGS_FOR_S, place=call.place or None)
    if staff:
        await note(tx, call, "rang", at, rang=staff, **how)
    return await any_rings(tx, call.school, staff)


async def who_cannot(tx: Tx, call: Call) -> set[str]:
    sql = "select staff from call_moment where school = $1 and record = $2 and what = 'gave back'"
    return {row["staff"] for row in await tx.rows(sql, call.school, call.record)}


async def nobody(tx: Tx, call: Call, at: int) -> None:
    """The caller is told, so that they do not wait for nobody."""
    if call.alone_at is None:
        await keep(tx, call, alone_at=at)
        await note(tx, call, "nobody", at)
    await alert(tx, call.school, call.caller, "call.unanswered", opens=call.opens, topic=call.topic, ttl_s=TOLD_FOR_S)


# ── Answered, and over ─────────────────────────────────────────────────────────────────────


async def answered(tx: Tx, call: Call, by: str, at: int) -> None:
    """The ladder stops. Who was rung need not go, and the caller hears that somebody is coming."""
    others = await rung_so_far(tx, call) - {by, call.caller}
    await keep(tx, call, state="answered", answered_by=by, answered_at=at, began_at=call.began_at or at)
    await drop_due(tx, call.school, call.record, *LADDER)
    await note(tx, call, "answered", at, by)
    await retire_alerts(tx, call.school, call.topic)
    await tell_quietly(tx, call, others, "call.taken", TOLD_FOR_S, call.place or None)
    await alert(tx, call.school, call.caller, "call.coming", opens=call.opens, topic=call.topic, ttl_s=TOLD_FOR_S)


async def end(tx: Tx, call: Call, how: str, at: int, by: str | None = None) -> None:
    """`how`: over, not_needed."""
    sent_for = await rung_so_far(tx, call) if call.state in WAITING else await coming_so_far(tx, call)
    await keep(tx, call, state=how, over_at=at)
    await drop_due(tx, call.school, call.record, *LADDER)
    await note(tx, call, how, at, by)
    await retire_alerts(tx, call.school, call.topic)
    await tell_quietly(tx, call, sent_for - {by, call.caller}, "call.over", TOLD_FOR_S, call.place or None)


async def coming_so_far(tx: Tx, call: Call) -> set[str]:
    """Who is on the way, as far as is known: whoever answered, who came too, and who was rung since, for more were asked for."""
    if call.state == "missed":
        return set()
    came: set[str | None] = {call.answered_by}
    rang: set[str | None] = set()
    sql = "select what, staff, detail from call_moment where school = $1 and record = $2 order by n"
    for moment in await tx.rows(sql, call.school, call.record):
        match moment["what"]:
            case "answered":
                rang = set()
            case "came too":
                came.add(moment["staff"])
            case "gave back":
                came.discard(moment["staff"])
            case "rang":
                rang |= set(msgspec.json.decode(moment["detail"])["rang"])
    return {one for one in came | rang if one is not None}
