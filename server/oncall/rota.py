"""Who is on call: duties by weekday, period, zone and part, with cover; and who has gone on duty on a phone that is known to ring."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from server.kinds import KINDS
from server.store.database import Tx

WALL_CLOCK = ZoneInfo("Europe/London")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
PARTS = {"first": "First to go", "next": "Next", "lead": "Lead"}
ENOUGH = 2  # green: fewer, and the lead is warned
MAY_ANSWER = frozenset(KINDS["call_out"].held_by)  # whoever is rung must be able to read what for


class Duty(msgspec.Struct, frozen=True):
    """One duty of the week, with its times as they are now."""

    id: str
    staff: str
    name: str
    weekday: int  # 0: Monday
    period: str  # whose times they are; empty: its own
    label: str  # "Period 3", or "10:15 to 10:30"
    starts: str  # by the clock on the wall
    ends: str
    zone: str  # empty: everywhere
    part: str


class OnCall(msgspec.Struct, frozen=True):
    """Somebody who is on duty at a moment: by the rota, or because they have gone on duty."""

    staff: str
    part: str
    zone: str
    green: bool  # a test was sent to their phone this shift, and tapped


class Local(msgspec.Struct, frozen=True):
    """A moment as the clock on the wall shows it. In the hour that comes twice in October, both are the same."""

    day: str  # 2026-11-24
    weekday: int
    clock: str  # 10:42


def local(at: int) -> Local:
    try:
        there = (EPOCH + timedelta(microseconds=at)).astimezone(WALL_CLOCK)
    except OverflowError:  # a moment that somebody's clock made up: the nearest end of the calendar
        there = datetime(9999, 12, 31, tzinfo=WALL_CLOCK) if at > 0 else datetime(1, 1, 1, tzinfo=WALL_CLOCK)
    return Local(there.date().isoformat(), there.weekday(), there.strftime("%H:%M"))


def moment_of(day: str, clock: str) -> int:
    """When that is, in µs; of an hour that comes twice the first, of one that never comes the moment the clock jumps past it."""
    hours, minutes = map(int, clock.split(":"))
    there = datetime.combine(date.fromisoformat(day), datetime.min.time(), WALL_CLOCK).replace(hour=hours, minute=minutes)
    return (there.astimezone(UTC) - EPOCH) // timedelta(microseconds=1)


# ── By the rota ────────────────────────────────────────────────────────────────────────────

DUTIES = """
    select d.id, d.staff, s.name, d.weekday, d.period, coalesce(p.label, d.starts || ' to ' || d.ends) as label,
           coalesce(p.starts, d.starts) as starts, coalesce(p.ends, d.ends) as ends, d.zone, d.part
    from duty d join staff s on s.school = d.school and s.id = d.staff
    left join period p on p.school = d.school and p.code = d.period
    where d.school = $1 and d.removed_at is null and s.left_at is null and s.role = any($2)
    order by d.weekday, starts, d.part, s.name, d.id"""
COVERS = "select duty, staff from cover where school = $1 and on_day = $2"
IS_OPEN = """
    select exists (select 1 from closed_day where school = $1 and on_day = $2) as is_closed,
           exists (select 1 from term where school = $1) as has_terms,
           exists (select 1 from term where school = $1 and starts_on <= $2 and ends_on >= $2) as in_term"""


async def duties_of(tx: Tx, school: str) -> list[Duty]:
    return [Duty(*row) for row in await tx.rows(DUTIES, school, sorted(MAY_ANSWER))]


async def covers_of(tx: Tx, school: str, day: str) -> dict[str, str]:
    """Who does which duty of another's on that day."""
    return {row["duty"]: row["staff"] for row in await tx.rows(COVERS, school, day)}


async def is_school_day(tx: Tx, school: str, day: str) -> bool:
    row = await tx.row(IS_OPEN, school, day)
    return row is not None and not row["is_closed"] and (not row["has_terms"] or bool(row["in_term"]))


def running(duties: Sequence[Duty], at: int) -> list[Duty]:
    """Those that are on at this moment, whatever day of the year it is."""
    there = local(at)
    return [duty for duty in duties if duty.weekday == there.weekday and duty.starts <= there.clock < duty.ends]


def next_start(duties: Sequence[Duty], after: int) -> int | None:
    """When the next duty of the week begins."""
    there = local(after)
    today = date.fromisoformat(there.day)
    starts = [
        moment_of((today + timedelta(days=days)).isoformat(), duty.starts)
        for duty in duties
        for days in ((duty.weekday - there.weekday) % 7, (duty.weekday - there.weekday) % 7 + 7)
    ]
    return min((start for start in starts if start > after), default=None)


# ── On duty ────────────────────────────────────────────────────────────────────────────────

SHIFTS = """
    select f.id, f.staff, s.name, f.phone, p.name as phone_name, p.seen_at, f.began_at, f.ends_at, d.handed_at, d.shown_at, d.opened_at,
           d.failed, exists (select 1 from subscription u where u.school = f.school and u.phone = f.phone and u.staff = f.staff
                             and u.retired_at is null) as rings
    from shift f join staff s on s.school = f.school and s.id = f.staff
    left join phone p on p.school = f.school and p.id = f.phone
    left join delivery d on d.alert = f.test and d.phone = f.phone
    where f.school = $1 and f.ended_at is null and f.ends_at > $2 and s.left_at is null and p.revoked_at is null
    order by f.began_at, f.id"""


class Shift(msgspec.Struct, frozen=True):
    """Somebody who has gone on duty, and what became of the test that was sent to their phone. Moments in µs."""

    id: str
    staff: str
    name: str
    phone: str
    phone_name: str
    seen_at: int | None
    began_at: int
    ends_at: int
    handed_at: int | None
    shown_at: int | None
    tested_at: int | None  # it was tapped
    failed: str | None
    rings: bool  # as far as the school knows: its browser has not taken the alerts back since

    @property
    def green(self) -> bool:
        return self.tested_at is not None and bool(self.rings)


async def shifts_of(tx: Tx, school: str, at: int) -> list[Shift]:
    return [Shift(*row) for row in await tx.rows(SHIFTS, school, at)]


async def on_call(tx: Tx, school: str, at: int) -> list[OnCall]:
    """Everybody who is on duty now, by the rota and its cover, and whoever has gone on duty besides: they are first to go."""
    shifts = {shift.staff: shift for shift in await shifts_of(tx, school, at)}
    duties = await on_now(tx, school, at)
    by_rota = {one.staff for one in duties}
    return [
        *(OnCall(one.staff, one.part, one.zone, one.staff in shifts and shifts[one.staff].green) for one in duties),
        *(OnCall(staff, "first", "", shift.green) for staff, shift in shifts.items() if staff not in by_rota),
    ]


async def on_now(tx: Tx, school: str, at: int) -> list[Duty]:
    """The duties that are on, each with whoever does it today."""
    return running(await duties_today(tx, school, at), at)


async def duties_today(tx: Tx, school: str, at: int) -> list[Duty]:
    """Of that day, each with whoever does it then; none while there is no school."""
    there = local(at)
    duties = [duty for duty in await duties_of(tx, school) if duty.weekday == there.weekday]
    if not duties or not await is_school_day(tx, school, there.day):
        return []
    return covered(duties, await covers_of(tx, school, there.day), await names_of(tx, school))


async def names_of(tx: Tx, school: str) -> dict[str, str]:
    """Who may do a duty: of the staff, those who may read what they are called to."""
    rows = await tx.rows(
        "select id, name from staff where school = $1 and left_at is null and role = any($2) order by name", school, sorted(MAY_ANSWER)
    )
    return {row["id"]: row["name"] for row in rows}


def covered(duties: Sequence[Duty], covers: Mapping[str, str], names: Mapping[str, str]) -> list[Duty]:
    """As they are done on that day. Somebody who has left, or may not answer any more, covers nothing."""
    return [
        msgspec.structs.replace(duty, staff=covers[duty.id], name=names[covers[duty.id]]) if covers.get(duty.id) in names else duty
        for duty in duties
    ]
