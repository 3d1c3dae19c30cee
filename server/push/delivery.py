"""The loop that hands alerts over to phones' push services. Each process runs one; a claim on its row keeps two from sending one alert.

A claim is for a few seconds more than a push service is waited for, so that whatever a process was at when it died is taken up by
another. While something is on its way to a phone nothing else is sent there; one that is slow, or asks for patience, holds up no other.
"""

import asyncio
import contextlib
import logging
from typing import Any

from server.push import second
from server.push.keys import NEWEST, PUSH
from server.push.posting import PATIENCE_S, REFUSED, Answer, Parcel, Post
from server.push.subscriptions import retire
from server.settings import Settings
from server.store.database import Tx, reading, writing
from server.store.moments import now

SECOND = 1_000_000  # µs
AT_ONCE = 100  # on their way together
LOOK_EVERY_S = 2.0  # for what another process has left, or has made
CLAIMED_FOR = int((PATIENCE_S + 5) * SECOND)
BACK_OFF_S = (2, 5, 15, 30, 60)  # after the first, the second … failure in a row, where the push service asks for nothing
SHOWN_WITHIN = 20 * SECOND  # or the second channel is asked
LOOKED_BACK = 3600 * SECOND  # and no longer, also where the server was down
REFUSED_FOR = 24 * 3600 * SECOND  # our signature, by one subscription: then it is the subscription that is wrong
TOO_LATE = "its time was over before a push service took it"

log = logging.getLogger("lanyard.push")

_loops: set["Delivery"] = set()


def look_soon() -> None:
    """Call it after a transaction that may have made an alert: it is handed over now, and not at the loop's next look."""
    for loop in _loops:
        loop.woken.set()


class Delivery:
    def __init__(self, settings: Settings) -> None:
        self.post = Post(settings)
        self.out: dict[asyncio.Task[Answer], Parcel] = {}
        self.asking: set[asyncio.Task[None]] = set()
        self.woken = asyncio.Event()

    async def run(self) -> None:
        """Until it is cancelled; then what is on its way is still heard of."""
        _loops.add(self)
        try:
            while True:
                await self._turn_or_say()
                await self._wait()
        finally:
            _loops.discard(self)
            with contextlib.suppress(Exception):
                await self.finish()
            await self.post.close()

    async def _turn_or_say(self) -> None:
        try:
            await self.turn()
        except Exception as error:
            log.warning("handing alerts over did not go well (%s); trying again", type(error).__name__)
            await asyncio.sleep(LOOK_EVERY_S)

    async def _wait(self) -> None:
        woken = asyncio.create_task(self.woken.wait())
        try:
            await asyncio.wait({woken, *self.out}, timeout=LOOK_EVERY_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            woken.cancel()

    async def turn(self) -> None:
        """Keeps what came of those that were out, and sends what has become due."""
        self.woken.clear()
        done = {task: parcel for task, parcel in self.out.items() if task.done()}
        heard = [(parcel, task.result()) for task, parcel in done.items()]
        if not heard and not await reading(anything_to_do):
            return
        taken, unshown = await writing(keep_and_take, heard, AT_ONCE - len(self.out) + len(done))
        for task in done:
            del self.out[task]
        for parcel in taken:
            self.out[asyncio.create_task(self._send(parcel))] = parcel
        for row in unshown:
            asking = asyncio.create_task(self._ask_the_second_channel(*row))
            self.asking.add(asking)
            asking.add_done_callback(self.asking.discard)

    async def finish(self) -> None:
        """Waits for what is out, and keeps what came of it: for a process that stops, and for tests."""
        if self.asking:
            await asyncio.wait(self.asking)
        while self.out:
            await asyncio.wait(self.out)
            done = {task: self.out.pop(task) for task in list(self.out) if task.done()}
            await writing(keep, [(parcel, task.result()) for task, parcel in done.items()])

    async def _send(self, parcel: Parcel) -> Answer:
        try:
            return await self.post.send(parcel, now())
        except Exception as error:
            log.error("alert %s could not be made ready (%s)", parcel.alert, type(error).__name__)
            return Answer(over=True, failed="something went wrong at the school; it has been noted")

    async def _ask_the_second_channel(self, *row: Any) -> None:
        try:
            await asyncio.wait_for(second.SECOND_CHANNEL.tell(*row), PATIENCE_S)
        except Exception as error:
            log.error("the second channel failed (%s)", type(error).__name__)


async def deliver_all(settings: Settings) -> None:
    """One look, and everything that it sends seen through."""
    delivery = Delivery(settings)
    try:
        await delivery.turn()
        await delivery.finish()
    finally:
        await delivery.post.close()


# ── Rows ───────────────────────────────────────────────────────────────────────────────────

DUE = """
    select d.alert, d.school, d.phone, d.token, a.title, a.body, a.opens, a.topic, a.urgent, a.ends_at,
           s.endpoint, s.public, s.secret, k.private, s.failures
    from delivery d join alert a on a.id = d.alert join subscription s on s.school = d.school and s.phone = d.phone
    join key k on k.id = s.key join phone p on p.school = d.school and p.id = d.phone join staff on staff.id = s.staff
    where d.waiting and d.claimed_until <= $1 and a.retired_at is null and a.ends_at > $1 and a.staff = s.staff
    and s.retired_at is null and s.rests_until <= $1 and p.revoked_at is null and staff.left_at is null
    order by a.urgent desc, a.made_at, d.alert, d.phone limit {room}"""
CLAIM = "update delivery set claimed_until = $3, tries = tries + 1 where alert = $1 and phone = $2"
HOLD = "update subscription set rests_until = $3 where school = $1 and phone = $2"
LEFT = "waiting and claimed_until <= $1 and exists (select 1 from alert a where a.id = delivery.alert and "
IS_OVER, IS_TAKEN_BACK = LEFT + "a.ends_at <= $1)", LEFT + "a.retired_at is not null)"
IS_UNSHOWN = """
    urgent and seconded_at is null and retired_at is null and words <> 'test' and made_at <= $2 and made_at > $3 and ends_at > $1
    and not exists (select 1 from delivery d where d.alert = alert.id and d.shown_at is not null)"""
OVER = f"update delivery set waiting = false, failed = coalesce(failed, '{TOO_LATE}') where {IS_OVER}"
TAKEN_BACK = f"update delivery set waiting = false where {IS_TAKEN_BACK}"
UNSHOWN = f"update alert set seconded_at = $1 where {IS_UNSHOWN} returning school, staff, id, title, body"

FOR_GOOD = """
    select 1 from subscription s where s.school = $1 and s.phone = $2 and s.endpoint = $3 and (s.key <> $4 or exists
        (select 1 from delivery d join alert a on a.id = d.alert
         where d.school = $1 and d.phone = $2 and d.failed = $5 and a.made_at >= s.made_at and a.made_at <= $6
         and not exists (select 1 from delivery later where later.school = $1 and later.phone = $2 and later.handed_at > a.made_at)))"""


async def anything_to_do(tx: Tx) -> bool:
    """Looked at before anything is written: a school is quiet most of the time."""
    at = now()
    looks: list[tuple[Any, ...]] = [
        (DUE.format(room=1), at),
        (f"select 1 from delivery where {IS_OVER} limit 1", at),
        (f"select 1 from delivery where {IS_TAKEN_BACK} limit 1", at),
        (f"select 1 from alert where {IS_UNSHOWN} limit 1", at, at - SHOWN_WITHIN, at - LOOKED_BACK),
    ]
    for look in looks:
        if await tx.row(*look) is not None:
            return True
    return False


async def keep_and_take(tx: Tx, heard: list[tuple[Parcel, Answer]], room: int) -> tuple[list[Parcel], list[tuple[Any, ...]]]:
    await keep(tx, heard)
    at = now()
    await tx.run(TAKEN_BACK, at)
    await tx.run(OVER, at)
    unshown = [tuple(row) for row in await tx.rows(UNSHOWN, at, at - SHOWN_WITHIN, at - LOOKED_BACK)]
    return await take(tx, room, at), unshown


async def take(tx: Tx, room: int, at: int) -> list[Parcel]:
    """What is due and nobody else's, claimed from here on; no more than one for each phone."""
    alone = " for update of d, s skip locked" if tx.engine == "postgres" else ""  # SQLite's writer is alone already
    due = [Parcel(*row) for row in await tx.rows(DUE.format(room=max(room, 0)) + alone, at)]
    mine = list({(parcel.school, parcel.phone): parcel for parcel in reversed(due)}.values())[::-1]
    await tx.run_many(CLAIM, [(parcel.alert, parcel.phone, at + CLAIMED_FOR) for parcel in mine])
    await tx.run_many(HOLD, [(parcel.school, parcel.phone, at + CLAIMED_FOR) for parcel in mine])
    return mine


async def keep(tx: Tx, heard: list[tuple[Parcel, Answer]]) -> None:
    """What came of each."""
    for parcel, answer in heard:
        await _keep_one(tx, parcel, answer, now())


async def _keep_one(tx: Tx, parcel: Parcel, answer: Answer, at: int) -> None:
    waits = not (answer.taken or answer.over)  # also where the address has gone: the phone may come back with another
    failed = answer.failed or answer.gone
    await tx.run(
        "update delivery set waiting = waiting and $3, claimed_until = 0, handed_at = coalesce(handed_at, $4), failed = $5"
        " where alert = $1 and phone = $2",
        parcel.alert, parcel.phone, waits, at if answer.taken else None, failed,
    )  # fmt: skip
    gone = REFUSED if answer.refused and await _is_refused_for_good(tx, parcel, at) else answer.gone
    if gone:
        await retire(tx, parcel.school, parcel.phone, gone, endpoint=parcel.endpoint)
        return
    failures = parcel.failures + 1 if waits else 0
    rests_until = at + int(SECOND * rest_s(answer, failures)) if waits else 0
    await tx.run(
        "update subscription set rests_until = $4, failures = $5 where school = $1 and phone = $2 and endpoint = $3",
        parcel.school, parcel.phone, parcel.endpoint, rests_until, failures,
    )  # fmt: skip
    if failed:
        log.warning("alert %s: %s", parcel.alert, failed)


async def _is_refused_for_good(tx: Tx, parcel: Parcel, at: int) -> bool:
    """A wrong clock of ours, or a wrong contact, has every phone's refused; none of them is thrown away for that."""
    newest = await tx.row(NEWEST, PUSH)
    row = await tx.row(FOR_GOOD, parcel.school, parcel.phone, parcel.endpoint, newest["id"] if newest else "", REFUSED, at - REFUSED_FOR)
    return row is not None


def rest_s(answer: Answer, failures: int) -> float:
    """As the push service asks; else longer each time."""
    return answer.wait_s if answer.wait_s is not None else BACK_OFF_S[min(failures, len(BACK_OFF_S)) - 1]
