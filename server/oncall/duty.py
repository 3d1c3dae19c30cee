"""Going on duty: a real test is sent to this phone, and tapping it is what makes somebody green. And a warning when too few are."""

from server.kinds.roles import Role
from server.oncall.rota import ENOUGH, MAY_ANSWER, Shift, duties_of, duties_today, local, moment_of, next_start, on_call, on_now, shifts_of
from server.oncall.steps import Due, due, step
from server.push.alerts import alert
from server.refusals import NotAllowed
from server.store.database import Tx
from server.store.ids import new_id
from server.store.me import Me

SECOND = 1_000_000
HOUR = 3600 * SECOND
WITHOUT_A_DUTY = 3 * HOUR  # how long a shift lasts that is on no rota
AT_LEAST = HOUR // 2
TEST_LASTS_S = 120
LOOKED_AT_AFTER = 5 * 60 * SECOND  # of a duty: by then people have gone on duty
WARNED_FOR_S = 1800

BEGIN = "insert into shift (school, id, staff, phone, began_at, ends_at, test) values ($1, $2, $3, $4, $5, $6, $7)"
END = "update shift set ended_at = $3 where school = $1 and staff = $2 and ended_at is null"


async def go_on_duty(tx: Tx, me: Me, at: int) -> Shift:
    """Safe to repeat: the test is sent again. It lasts to the end of today's duties, or a few hours."""
    if me.role not in MAY_ANSWER:
        raise NotAllowed("People with your role are not called to help: they could not read what for.")
    await tx.run(END, me.school, me.staff, at)
    test = await alert(tx, me.school, me.staff, "test", opens="/duty", topic=f"test/{me.phone}", ttl_s=TEST_LASTS_S, phone=me.phone)
    id, ends_at = new_id(), await end_of(tx, me, at)
    await tx.run(BEGIN, me.school, id, me.staff, me.phone, at, ends_at, test)
    await due(tx, me.school, ends_at, "duty.look", "rota", once=True)
    return next(shift for shift in await shifts_of(tx, me.school, at) if shift.id == id)


async def go_off_duty(tx: Tx, me: Me, at: int) -> None:
    """Safe to repeat."""
    await tx.run(END, me.school, me.staff, at)
    await warn_if_thin(tx, me.school, at)


async def end_of(tx: Tx, me: Me, at: int) -> int:
    day = local(at)
    mine = [moment_of(day.day, one.ends) for one in await duties_today(tx, me.school, at) if one.staff == me.staff and one.ends > day.clock]
    return max([*mine, at + AT_LEAST]) if mine else at + WITHOUT_A_DUTY


# ── Too few ────────────────────────────────────────────────────────────────────────────────


async def green_of(tx: Tx, school: str, at: int) -> list[Shift]:
    return [shift for shift in await shifts_of(tx, school, at) if shift.green]


async def watch(tx: Tx, school: str, at: int) -> None:
    """Whenever a duty has begun, it is looked at who can ring. Call it when the rota has changed; it then goes on by itself."""
    await tx.run("delete from due_step where school = $1 and does = 'duty.look' and taken_at is null and more = '{}'", school)
    if (start := next_start(await duties_of(tx, school), at)) is not None:
        await due(tx, school, start + LOOKED_AT_AFTER, "duty.look", "rota")


@step("duty.look")
async def look(tx: Tx, its: Due, at: int) -> None:
    await warn_if_thin(tx, its.school, at)
    if not its.more:
        await watch(tx, its.school, at)


async def warn_if_thin(tx: Tx, school: str, at: int) -> None:
    """Fewer than two phones known to ring, while the rota says that somebody is on: whoever leads is told."""
    if not await on_now(tx, school, at) or len(await green_of(tx, school, at)) >= ENOUGH:
        return
    leads = {one.staff for one in await on_call(tx, school, at) if one.part == "lead"}
    if not leads:
        rows = await tx.rows("select id from staff where school = $1 and role = $2 and left_at is null", school, Role.LEADER.value)
        leads = {row["id"] for row in rows}
    for lead in sorted(leads):
        await alert(tx, school, lead, "duty.thin", opens="/duty", topic="duty", ttl_s=WARNED_FOR_S, urgent=False)
