"""Whose a visit is to follow, and what a buddy or a safeguarding lead says of it."""

from collections.abc import Collection

import msgspec

from server.oncall.followed import keep, note, read
from server.oncall.going import KINDS_WATCHED
from server.oncall.overdue import again
from server.oncall.standing import names_of
from server.oncall.steps import drop_due
from server.oncall.watch import DAY, Watch, close, follow, lay, lying
from server.oncall.whereabouts import Seen, VisitCard, acts_of, cards_of, clock, seen_by
from server.refusals import NotAllowed, NotFound, TooLate, Unreadable
from server.store.database import Tx
from server.store.due import hold_move
from server.store.me import Me
from server.store.moments import from_wire
from server.sync.audience import holds, sent

ORDER = ("alarm", "overdue", "out", "planned")  # of those that are not over
WHY_LIMIT = 300  # characters
LISTED = 200
NEVER_CLOSED = 50  # of those that are shown, newest first
SHOWN_FOR = DAY  # that one which is over stays on the board

OUT = f"closed_at is null and (due_back_at > $2 or alarm_at > $2) order by due_back_at, record limit {LISTED}"
OVER = f"closed_at > $2 order by closed_at desc, record limit {LISTED}"
LEFT_OPEN = (
    f"closed_at is null and due_back_at <= $2 and coalesce(alarm_at, 0) <= $2 order by due_back_at desc, record limit {NEVER_CLOSED}"
)


class Board(msgspec.Struct, frozen=True):
    """`never_closed`: nobody has said for a day how they ended. Each still waits, and is told of every morning."""

    out: list[VisitCard]
    over: list[VisitCard]
    never_closed: list[VisitCard]

    def counted(self, state: str) -> int:
        return sum(card.state == state for card in self.out)


async def may_follow(tx: Tx, me: Me, record: str, *, at_desk: bool = False) -> bool:
    """Whoever may hold the record, on a phone where theirs may; those who go or expect the call; and whoever was told to look."""
    if await those_held(tx, me, [record], at_desk=at_desk):
        return True
    watch = await read(tx, Watch, me.school, record)
    return watch is not None and any(is_in_it(me, seen) for seen in await seen_by(tx, me, [watch]))


def is_in_it(me: Me, seen: Seen) -> bool:
    return me.staff in {*seen.watch.goes, *seen.watch.expected_by, *seen.told}


async def those_held(tx: Tx, me: Me, records: Collection[str], *, at_desk: bool) -> set[str]:
    sql, args = (holds if at_desk else sent)(me, first=2)
    return {row["id"] for row in await tx.rows(f"select r.id from record r where r.id = any($1) and {sql}", list(records), *args)}


async def cards_for(tx: Tx, me: Me, at: int) -> list[VisitCard]:
    """Those that are out, and mine: I go, I am the buddy, I was told, or I lead. Soonest back first."""
    found = await seen_by(tx, me, await lying(tx, me.school, at - DAY, OUT))
    held = await those_held(tx, me, [seen.watch.record for seen in found], at_desk=False)
    mine = [seen for seen in found if is_in_it(me, seen) or (seen.knows and seen.watch.record in held)]
    return await cards_of(tx, me, [seen for seen in mine if seen.state(at) != "safe"], at)


async def board_of(tx: Tx, me: Me, at: int) -> Board:
    """At the desk, those I may follow. To whoever may not know how it really stands, one with an alarm is over."""
    since = at - SHOWN_FOR
    found = await seen_by(tx, me, [watch for where in (OUT, OVER, LEFT_OPEN) for watch in await lying(tx, me.school, since, where)])
    held = await those_held(tx, me, [seen.watch.record for seen in found], at_desk=True)
    cards = await cards_of(tx, me, [seen for seen in found if seen.watch.record in held or is_in_it(me, seen)], at)
    left_open = {seen.watch.record for seen in found if seen.is_never_closed(at)}
    going = [card for card in cards if card.state in ORDER]
    over = [card for card in cards if card.state not in ORDER and card.closed_at and (from_wire(card.closed_at) or 0) > since]
    return Board(
        out=sorted(
            (card for card in going if card.record not in left_open), key=lambda card: (ORDER.index(card.state), card.due_back or "")
        ),
        over=sorted(over, key=lambda card: card.closed_at or "", reverse=True),
        never_closed=[card for card in going if card.record in left_open],
    )


# ── What others may say ────────────────────────────────────────────────────────────────────


async def do(tx: Tx, me: Me, record: str, what: str, why: str, at: int, *, at_desk: bool = False) -> Watch:
    """Raises NotFound where it is not theirs to see, TooLate with words where it is over, NotAllowed where it is not theirs to say."""
    kind = await kind_of(tx, me, record, at_desk=at_desk)
    await hold_move(tx, me.school, KINDS_WATCHED[kind].stirs, record)  # then the watch: in this order wherever both are held
    watch = await follow(tx, me.school, record, at)
    if watch is None:
        raise NotFound
    [seen] = await seen_by(tx, me, [watch])
    if not watch.is_open or seen.is_hushed:
        raise TooLate(await how_it_ended(tx, seen))
    if what not in acts_of(me, seen, at):
        raise NotAllowed(NOT_YOURS[what])
    match what:
        case "seen_safe":
            if not (said := " ".join(why.split())[:WHY_LIMIT]):
                raise Unreadable("Say how you know that they are safe.")
            await close(tx, watch, "closed", at, me.staff, why=said)
        case "spoken_to":
            await keep(tx, watch, put_off_at=at)
            await note(tx, watch, "spoken to", at, me.staff)
            await lay(tx, watch)
        case "on_it":
            await keep(tx, watch, taken_by=me.staff)
            await drop_due(tx, watch.school, watch.record, "visit.again")
            await note(tx, watch, "taken", at, me.staff)
            await again(tx, watch, at, 1)
    return watch


NOT_YOURS = {
    "seen_safe": "Only they themselves, or a safeguarding lead who has not gone along, can say that they are safe.",
    "spoken_to": "Only the buddy can say that, once: from when they are overdue until those who lead are told.",
    "on_it": "That can be said once, by somebody who was told that they need help.",
}


async def kind_of(tx: Tx, me: Me, record: str, *, at_desk: bool) -> str:
    row = await tx.row("select kind from record where school = $1 and id = $2", me.school, record)
    if row is None or row["kind"] not in KINDS_WATCHED or not await may_follow(tx, me, record, at_desk=at_desk):
        raise NotFound
    return str(row["kind"])


async def how_it_ended(tx: Tx, seen: Seen) -> str:
    watch = seen.watch
    closed_by = seen.closed[1] or ""
    by = (await names_of(tx, watch.school, {closed_by})).get(closed_by, "Somebody")
    if watch.how == "closed" and not seen.is_hushed:
        return f"{by} closed this visit at {clock(watch.closed_at or 0)}. Nobody needs to do anything."
    if watch.how == "called off":
        return f"{by} called this visit off. Nobody went."
    return f"{by} was safe at {clock(watch.safe_at or watch.closed_at or 0)}. Nobody needs to do anything."
