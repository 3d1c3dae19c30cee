"""Young people whom nobody knew are forgotten once the school's days are over: a step each night, and a row of the access log for each."""

from datetime import datetime, time, timedelta

from server.access.audit import noted
from server.access.settings_of import said, within
from server.kinds.sighting import FORGOTTEN, TELLS_WHO
from server.oncall.rota import WALL_CLOCK
from server.oncall.steps import Due, step
from server.store import numbers
from server.store.database import Tx, reading, writing
from server.store.due import ADD, due
from server.store.moments import now
from server.sync.forgetting import forget

DAYS = (28, 1, 365)  # where the school says nothing, at least, at most
DAY = 24 * 3600 * 1_000_000  # µs
AT_NIGHT = time(3, 10)
AT_ONCE = 50  # of one transaction
STEP = "sweep.forget"
NIGHTLY = f"{ADD} on conflict (id) do nothing"
REMARK = "What could tell who this was is forgotten: nobody had known them within the school’s days"

# Of a record `r` of a school: nobody is named in it, nor was within the days, nor would be by what waits to be decided; and no concern
# is written there. Words that came to be held since it was forgotten are forgotten too.
UNKNOWN = """
    r.kind = 'sighting' and not exists (
        select 1 from record_pupil p where p.school = r.school and p.record = r.id and p.dropped_seq is null)"""
OF_NO_CONCERN = """r.body not like '%"concern":"yes"%'"""
OVER = f"""
    select r.id from record r where r.school = $1 and {UNKNOWN} and {OF_NO_CONCERN} and r.received_at <= $2
    and not exists (
        select 1 from record_pupil p join step s on s.school = p.school and s.seq = p.dropped_seq
        where p.school = r.school and p.record = r.id and s.at > $2)
    and not exists (
        select 1 from forgotten f where f.school = r.school and f.record = r.id and f.seq >= r.seq and not exists (
            select 1 from edit e where e.school = f.school and e.record = f.record and e.held_seq > f.seq and e.received_at <= $2))
    and not exists (
        select 1 from edit e where e.school = r.school and e.record = r.id and e.seq is null and e.settled_at is null
        and e."values" like '%"pupils":%')
    order by r.received_at, r.id limit {AT_ONCE}"""
SET_ASIDE = f"""
    select distinct e.record from edit e where e.school = $1 and e.kind = 'sighting' and e.received_at <= $2 and e.settled_how = 'set aside'
    and not exists (select 1 from record r where r.school = e.school and r.id = e.record)
    and not exists (select 1 from forgotten f where f.school = e.school and f.record = e.record and f.seq > e.held_seq)
    and not exists (
        select 1 from edit o where o.school = e.school and o.record = e.record and (o.settled_at is null or o.received_at > $2))
    order by e.record limit {AT_ONCE}"""


SEALED_AGAIN = """
    delete from sealed where school = $1 and outcome = 'opened' and edit in (
        select e.id from edit e join forgotten f on f.school = e.school and f.record = e.record where e.school = $1)"""


async def days_of(tx: Tx, school: str) -> int:
    return within((await said(tx, school, "sightings")).get("days"), *DAYS)


async def watch_nights() -> None:
    """Now and then: each school's next night is laid, once, whatever became of the one before."""
    schools = await reading(lambda tx: tx.rows("select id from school order by id"))
    for (school,) in schools:
        await writing(lay_night, school, now())


async def lay_night(tx: Tx, school: str, after: int) -> None:
    local = datetime.fromtimestamp(after // 1_000_000, WALL_CLOCK)
    on = local.date() + timedelta(days=local.time() >= AT_NIGHT)
    at = int(datetime.combine(on, AT_NIGHT, WALL_CLOCK).timestamp()) * 1_000_000
    await tx.run(NIGHTLY, f"{STEP}/{school}/{on}", school, at, STEP, school, "{}")


@step(STEP)
async def forget_unknown(tx: Tx, step: Due, at: int) -> None:
    """Whoever is matched at this moment is matched first, or told that it was too late: both hold the school."""
    await numbers.lock(tx, step.school)
    days = await days_of(tx, step.school)
    over = await tx.rows(OVER, step.school, at - days * DAY)
    aside = await tx.rows(SET_ASIDE, step.school, at - days * DAY)
    for (record,) in (*over, *aside):
        edits = await forget(tx, step.school, record, TELLS_WHO, {"description": FORGOTTEN}, REMARK)
        if edits:
            await noted(tx, step.school, "forgot who was seen", record=record, detail={"days": days, "edits": edits})
    await tx.run(SEALED_AGAIN, step.school)
    if AT_ONCE in (len(over), len(aside)):
        await due(tx, step.school, at, STEP, step.school)


async def forget_soon(tx: Tx, school: str, at: int) -> None:
    """The school's days were changed: whoever is over by the new ones need not wait for the night."""
    await due(tx, school, at, STEP, school)


def kept_until(since: int, days: int) -> int:
    """When the days of somebody are over, in µs. They are forgotten the night after."""
    return since + days * DAY


__all__ = ["DAYS", "STEP", "UNKNOWN", "days_of", "forget_soon", "kept_until", "lay_night", "watch_nights"]
