"""Nothing was heard of somebody by their time: they are asked, then their buddy, then those who lead, until somebody sees to it."""

import logging
from datetime import date, timedelta

from server.kinds.roles import Role
from server.oncall.followed import held, keep, note
from server.oncall.going import MINUTE, plan_of
from server.oncall.ladders import leaders_of
from server.oncall.rota import local, moment_of, on_call
from server.oncall.steps import Due, due, step
from server.oncall.watch import BUDDY, DAY, LEAD, WORKER, Watch, follow, of, tell
from server.push.alerts import RINGING
from server.store.database import Tx
from server.store.due import hold_move
from server.store.engines import passes

log = logging.getLogger("lanyard.oncall")

AGAIN_EVERY, OFTEN = 5 * MINUTE, 24  # those who lead are told again, while nobody sees to it; so often, then every hour
MORNING = "08:00"  # and once somebody does, or a day has gone by: then, every day until it is closed
HOUR = 60 * MINUTE
RINGS_FOR_S = 30 * 60

# What each step does, in words, while it is waited for.
NEXT = {
    "visit.overdue_worker": "Whoever goes is asked whether they are safe",
    "visit.overdue_buddy": "The buddy is told",
    "visit.overdue_lead": "The safeguarding leads and those on duty are told",
    "visit.again": "They are told again",
}

DSLS = "select id from staff where school = $1 and role = $2 and left_at is null order by id"
STILL_HERE = "select id from staff where school = $1 and id = any($2) and left_at is null"


@step("visit.overdue_worker")
async def ask_them(tx: Tx, its: Due, at: int) -> None:
    if watch := await waited_for(tx, its, at):
        await keep(tx, watch, rung=max(watch.rung, WORKER))
        plan = await plan_of(tx, watch.school, watch.record)
        others = [one for one in plan.people(plan.watched.goes) if one not in watch.goes] if plan else []
        await ring(tx, watch, watch.goes + others, "visit.overdue", at, "worker", its.late)  # whoever put them down


@step("visit.overdue_buddy")
async def tell_the_buddy(tx: Tx, its: Due, at: int) -> None:
    """Where there is none whose phone can ring, those who lead are told at once."""
    if watch := await waited_for(tx, its, at):
        await keep(tx, watch, rung=max(watch.rung, BUDDY))
        buddies = await here(tx, watch.school, watch.expected_by)
        if buddies:
            await ring(tx, watch, buddies, "visit.buddy", at, "buddy", its.late)
        if watch.rung < LEAD and not [one for one in buddies if await tx.row(RINGING, watch.school, one)]:
            await note(tx, watch, "no buddy", at)
            await tell_those_who_lead(tx, watch, at, its.late)


@step("visit.overdue_lead")
async def raise_it(tx: Tx, its: Due, at: int) -> None:
    watch = await waited_for(tx, its, at)
    if watch and watch.rung < LEAD:
        await tell_those_who_lead(tx, watch, at, its.late)


@step("visit.alarm")
async def answer_the_alarm(tx: Tx, its: Due, at: int) -> None:
    """The closing word was the other one."""
    watch = await held(tx, Watch, its.school, its.about)
    if watch and watch.is_open and watch.alarm_at is not None:
        await tell_those_who_lead(tx, watch, at, its.late)


@step("visit.again")
async def tell_them_again(tx: Tx, its: Due, at: int) -> None:
    watch = await as_said(tx, its, at)
    if watch and watch.is_open and watch.raised_at == its.more["raised_at"]:
        if its.more["n"] > 0:  # 0: from when it was not told of for ever
            words = "visit.open" if is_daily(watch, at) else "visit.alarm"
            await ring(tx, watch, await to_tell(tx, watch, at), words, at, "lead", its.late)
        await again(tx, watch, at, its.more["n"] + 1)


async def waited_for(tx: Tx, its: Due, at: int) -> Watch | None:
    """None where they have been heard of, be it a moment ago, or the step was laid for another time.

    Steps that are due at one moment, since the buddy had put them off, are taken in any order.
    """
    watch = await as_said(tx, its, at)
    waits = watch is not None and watch.is_open and watch.alarm_at is None and its.more["of"] == of(watch)
    return watch if waits else None


async def as_said(tx: Tx, its: Due, at: int) -> Watch | None:
    """With whatever has come and nobody has looked at yet."""
    if plan := await plan_of(tx, its.school, its.about):
        await hold_move(tx, its.school, plan.kind.stirs, its.about)  # then the watch: in this order wherever both are held
    try:
        async with tx.savepoint():
            return await follow(tx, its.school, its.about, at)
    except Exception as error:
        if passes(error):
            raise
        log.error("what was said of a visit could not be read (%s); it is told as overdue", type(error).__name__)
        return await held(tx, Watch, its.school, its.about)


async def tell_those_who_lead(tx: Tx, watch: Watch, at: int, late: bool) -> None:
    await keep(tx, watch, rung=LEAD, raised_at=at)
    await ring(tx, watch, await to_tell(tx, watch, at), "visit.alarm", at, "lead", late)
    await again(tx, watch, at, 1)


async def again(tx: Tx, watch: Watch, at: int, n: int) -> None:
    """Losing contact never ends it: neither does being told of it often enough."""
    next_at = next_morning(at) if is_daily(watch, at) else at + (AGAIN_EVERY if n <= OFTEN else HOUR)
    await due(tx, watch.school, next_at, "visit.again", watch.record, n=n, raised_at=watch.raised_at)


def is_daily(watch: Watch, at: int) -> bool:
    return watch.taken_by is not None or watch.raised_at is None or at >= watch.raised_at + DAY


def next_morning(at: int) -> int:
    here = local(at)
    days = 0 if here.clock < MORNING else 1
    return moment_of((date.fromisoformat(here.day) + timedelta(days=days)).isoformat(), MORNING)


async def to_tell(tx: Tx, watch: Watch, at: int) -> list[str]:
    """Safeguarding leads and whoever is on duty, where there are none senior leaders; of an alarm, the buddy as well. Never who goes."""
    people = [row["id"] for row in await tx.rows(DSLS, watch.school, Role.DSL.value)] + [
        one.staff for one in await on_call(tx, watch.school, at)
    ]
    if not set(people) - set(watch.goes):
        people = await leaders_of(tx, watch.school)
    if watch.alarm_at is not None:
        people += await here(tx, watch.school, watch.expected_by)
    return [one for one in dict.fromkeys(people) if one not in watch.goes]


async def here(tx: Tx, school: str, staff: list[str]) -> list[str]:
    rows = await tx.rows(STILL_HERE, school, staff)
    still = {row["id"] for row in rows}
    return [one for one in staff if one in still]


async def ring(tx: Tx, watch: Watch, staff: list[str], words: str, at: int, who: str, late: bool) -> None:
    """`who`: worker, buddy, lead."""
    await tell(tx, watch, staff, words, RINGS_FOR_S)
    if staff:
        await note(tx, watch, "rang" if who != "worker" else "asked", at, rang=staff, who=who, late=late)
    else:
        await note(tx, watch, "nobody", at)
