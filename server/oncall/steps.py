"""What falls due, and the one loop that takes it: each step once, in one transaction with what it does, over restarts and processes."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from server.store.database import Tx, reading, writing
from server.store.due import drop_due, due
from server.store.engines import passes
from server.store.moments import now

SECOND = 1_000_000  # µs
LATE_AFTER = 2 * SECOND
LOOK_EVERY_S = 1.0  # for what another process laid
SOONEST_S = 0.01  # where another process has what is due in hand
KEPT_FOR = 30 * 24 * 3600 * SECOND  # steps that were taken
FIRST_RETRY, LAST_RETRY = 2 * SECOND, 60 * SECOND  # of one that failed
AT_ONCE = 1000  # taken in one go, so that nothing else waits for ever

log = logging.getLogger("lanyard.oncall")

__all__ = ["Due", "drop_due", "due", "look_soon", "run", "step", "take_due"]


class Due(msgspec.Struct, frozen=True):
    """A step whose time has come. `late`: nobody was there to take it in time."""

    id: str
    school: str
    at: int
    does: str
    about: str
    more: dict[str, Any]
    late: bool


Does = Callable[[Tx, Due, int], Awaitable[None]]  # what is due, and when it is taken
STEPS: dict[str, Does] = {}


def step(name: str) -> Callable[[Does], Does]:
    """Registers what is done under this name. It must look how things stand itself: they may have changed a moment ago."""

    def register(does: Does) -> Does:
        assert name not in STEPS
        STEPS[name] = does
        return does

    return register


# ── Taking what is due ─────────────────────────────────────────────────────────────────────

FIRST = "select id, school, at, does, about, more from due_step where taken_at is null and not_before <= $1 order by not_before, id limit 1"
NEXT_AT = "select min(not_before) from due_step where taken_at is null"
TAKE = "update due_step set taken_at = $2, late = $3 where id = $1"
PUT_OFF = "update due_step set tries = tries + 1, not_before = $2 where id = $1 and taken_at is null"
FORGET = "delete from due_step where taken_at < $1"


class Failed(Exception):
    """A step that could not be done; its transaction is rolled back."""

    def __init__(self, id: str) -> None:
        self.id = id


async def take_due(at: int | None = None) -> int:
    """Does all that is due by then, one transaction each; answers how many. Safe to call from several places at once."""
    taken = 0
    while taken < AT_ONCE:
        moment = now() if at is None else at
        try:
            if not await writing(take_one, moment):
                break
            taken += 1
        except Failed as failed:
            log.error("a step failed (%s); it is tried again", type(failed.__cause__).__name__)
            await writing(put_off, failed.id, moment)
    return taken


async def take_one(tx: Tx, at: int) -> bool:
    """Whether there was one. Of several workers nobody waits for another: each takes what no other has in hand."""
    row = await tx.row(FIRST + (" for update skip locked" if tx.engine == "postgres" else ""), at)
    if row is None:
        return False
    late = at - row["at"] > LATE_AFTER
    due = Due(row["id"], row["school"], row["at"], row["does"], row["about"], msgspec.json.decode(row["more"]), late)
    await tx.run(TAKE, due.id, at, late)
    if does := STEPS.get(due.does):
        try:
            await does(tx, due, at)
        except Exception as error:
            if passes(error):
                raise  # the database was busy: the same again, at once
            raise Failed(due.id) from error
    else:  # a newer version than this one laid it: it waits for whoever knows
        log.error("nobody here knows how to do %s", due.does)
        raise Failed(due.id) from LookupError(due.does)
    return True


async def put_off(tx: Tx, id: str, at: int) -> None:
    """One that fails holds up no other, and is tried again, ever later."""
    row = await tx.row("select tries from due_step where id = $1", id)
    tries = row["tries"] if row else 0
    await tx.run(PUT_OFF, id, at + min(FIRST_RETRY * 2 ** min(tries, 10), LAST_RETRY))


async def forget_taken() -> None:
    await writing(lambda tx: tx.run(FORGET, now() - KEPT_FOR))


# ── The loop ───────────────────────────────────────────────────────────────────────────────

_soon: asyncio.Event | None = None


def look_soon() -> None:
    """Something was just laid here: do not wait out the second."""
    if _soon is not None:
        _soon.set()


async def run(taken: Callable[[], None] = lambda: None) -> None:
    """Until it is cancelled; `taken` hears of every time that something was. Whatever goes wrong is noted, and tried again."""
    global _soon
    soon = _soon = asyncio.Event()
    try:
        while True:
            soon.clear()
            wait_s = LOOK_EVERY_S
            try:
                if await until_next() == 0 and await take_due():  # reads first: what is idle writes nothing
                    taken()
                wait_s = max(await until_next(), SOONEST_S)
            except Exception as error:  # the database is away, or busy
                log.warning("what is due could not be taken (%s); trying again", type(error).__name__)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(soon.wait(), wait_s)
    finally:
        _soon = None


async def until_next() -> float:
    row = await reading(lambda tx: tx.row(NEXT_AT))
    if row is None or row[0] is None:
        return LOOK_EVERY_S
    return float(min(max((row[0] - now()) / SECOND, 0), LOOK_EVERY_S))
