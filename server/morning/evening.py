"""The evening before a day with school: its list is made, once, and rings whoever shares it at 07:25. Steps of oncall/steps.py.

One step waits at a time, `morning.make`, about the day it is for; taken, it lays the next, in the transaction in which the list is made:
killed between, neither or both are there. After a time without a server it makes the list of the day that is begun, and none that is past.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any

import msgspec

from server.kinds import KINDS
from server.kinds.roles import Role
from server.morning.days import day_after, school_days_of
from server.morning.gathering import gather, nobody_may_be_rung
from server.morning.listing import Family, families_to_ring, shared_out
from server.oncall.rota import local, moment_of, on_now
from server.oncall.steps import Due, due, step
from server.push.alerts import alert
from server.store import moments, numbers
from server.store.database import Tx, reading, writing
from server.store.due import drop_due
from server.store.ids import id_at
from server.store.moments import to_wire
from server.store.numbers import Place
from server.sync.by_itself import Writing, lanyard_of, write_by_itself

FAMILY = KINDS["listed_family"].name
ABOUT = "morning"
HOUR = "18:00"  # of the evening before, by the clock on the wall, unless the school says another
BEGINS = "07:30"  # when the calls begin
RINGS = "07:25"
PAST = "12:00"  # from then on a day's list is not made any more, nor rung for
REGISTERS = ("10:30", "15:30")  # when the marks are looked at for what was promised
RUNG_FOR_S = 2 * 3600
MOST, MOST_LIMIT = 60, 200  # families on a list
EXPLAINED = "known"  # of the reasons why nobody rings: what the family is listed for is explained by now
REMARK = "Written by Lanyard itself, when it made the morning’s list from the register, the calls and the caseloads"


class Morning(msgspec.Struct, frozen=True):
    """How a school has its lists made."""

    school: str
    hour: str = HOUR
    most: int = MOST
    callers: tuple[str, ...] = ()  # who shares the calls; empty: every attendance officer
    on: bool = False


class Made(msgspec.Struct, frozen=True):
    """What came of making a list: families to ring now, and how many of them are new."""

    families: int
    new: int
    said: str = ""  # what somebody should know about it, in words


async def morning_of(tx: Tx, school: str) -> Morning:
    row = await tx.row("select hour, most, callers, is_on from morning where school = $1", school)
    if row is None:
        return Morning(school)
    return Morning(school, row["hour"], row["most"], tuple(msgspec.json.decode(row["callers"])), bool(row["is_on"]))


async def keep_morning(tx: Tx, morning: Morning, at: int) -> None:
    """Safe to repeat: one step waits for the next evening, or none while it is off."""
    await tx.run(
        "insert into morning (school, hour, most, callers, is_on) values ($1, $2, $3, $4, $5) on conflict (school) do update set"
        " hour = excluded.hour, most = excluded.most, callers = excluded.callers, is_on = excluded.is_on",
        morning.school, morning.hour, morning.most, msgspec.json.encode(morning.callers).decode(), morning.on,
    )  # fmt: skip
    await drop_due(tx, morning.school, ABOUT, "morning.make")
    if morning.on:
        await lay_next(tx, morning, local(at).day, at)


async def lay_next(tx: Tx, morning: Morning, after: str, at: int) -> None:
    """The first evening whose morning is after that day, and not past."""
    today = local(at).day
    day = max(day_after(after), today)
    if at >= moment_of(day, PAST):
        day = day_after(day)
    evening = moment_of(day_after(day, -1), morning.hour)
    more = msgspec.json.encode({"day": day}).decode()
    await tx.run(NEXT, f"morning.make/{morning.school}/{day}", morning.school, evening, "morning.make", ABOUT, more)


# One for a school and day, whoever lays it: a change of the settings and the step that is just being taken make no second chain.
NEXT = """
    insert into due_step (id, school, at, does, about, more, not_before) values ($1, $2, $3, $4, $5, $6, $3)
    on conflict (id) do update set at = excluded.at, not_before = excluded.not_before, tries = 0, taken_at = null, late = false"""
LOST = """
    select school from morning m where is_on and not exists
    (select 1 from due_step d where d.school = m.school and d.does = 'morning.make' and d.taken_at is null)"""


async def watch_evenings() -> None:
    """Where lists are made and no step waits for the next, one is laid: however it was lost, mornings go on. Safe to repeat."""
    for (school,) in await reading(lambda tx: tx.rows(LOST)):
        await writing(go_on, school)


async def go_on(tx: Tx, school: str) -> None:
    at, morning = moments.now(), await morning_of(tx, school)
    today = local(at).day
    await lay_next(tx, morning, today if await list_made(tx, school, today) else day_after(today, -1), at)


@step("morning.make")
async def make_in_time(tx: Tx, its: Due, at: int) -> None:
    morning, day = await morning_of(tx, its.school), its.more["day"]
    if not morning.on:
        return
    if at < moment_of(day, PAST) and (await school_days_of(tx, its.school)).has_school(day):
        await make(tx, morning, day, at)
    await lay_next(tx, morning, day, at)


@step("morning.marks")
async def marks_came(tx: Tx, its: Due, at: int) -> None:
    """Marks of a day have come in: the list that goes by them is made again, if it was made already and the calls have not begun."""
    days, morning = await school_days_of(tx, its.school), await morning_of(tx, its.school)
    day = days.next(day_after(its.about))
    if day and at < moment_of(day, BEGINS) and await list_made(tx, its.school, day):
        await make(tx, morning, day, at)


# ── Making a list ──────────────────────────────────────────────────────────────────────────


async def make(tx: Tx, morning: Morning, day: str, at: int) -> Made:
    """Safe to repeat: what people did with a row stays. Who is new is added; a row that only Lanyard wrote in and that has no reason
    any more is taken off."""
    school = morning.school
    gathered = await gather(tx, school, day, await school_days_of(tx, school))  # before the lock: it is the long part
    families = families_to_ring(gathered.children, gathered.last_days)
    barred, codes = await nobody_may_be_rung(tx, school), await codes_of(tx, school)
    await numbers.lock(tx, school)
    there = {row.id: row for row in await rows_of_day(tx, school, day)}
    known = await rows_of(tx, school, (row_id(school, day, one.key) for one in families))
    wanted = {row_id(school, day, one.key): one for one in families}
    explained, again = set[str](), set[str]()
    for id, row in (there | known).items():
        if not row.rung and row.body.get("off_list") in (None, EXPLAINED) and await only_ours(tx, school, id):
            if id in wanted:
                again |= {id} if row.body.get("off_list") else set()
            elif gathered.has_marks and not row.body.get("off_list"):
                explained.add(id)
    on_it = sum(not row.body.get("off_list") for row in there.values()) - len(explained) + len(again)
    fresh = [one for id, one in wanted.items() if id not in known][: max(morning.most - on_it, 0)]
    shares = shared_out(fresh, await callers_of(tx, morning), await caseloads_of(tx, school))
    place = max((place_of(row.body) for row in there.values() if place_of(row.body) <= MOST_LIMIT), default=0)
    writings = []
    for at_place, one in enumerate(fresh, start=place + 1):
        values = values_of(one, day, at_place, shares.get(one.key), codes, barred.issuperset(one.pupils))
        writings.append(Writing(row_id(school, day, one.key), FAMILY, values))
    for id, row in known.items():
        more = what_is_new(wanted[id], row.body, codes, await taken_out(tx, school, id))
        if more := more | ({"off_list": None} if id in again else {}):
            writings.append(Writing(id, FAMILY, more, row.version))
    writings += [Writing(id, FAMILY, {"off_list": EXPLAINED}, there[id].version) for id in sorted(explained)]
    await write_by_itself(tx, school, writings, REMARK)
    said = "" if gathered.has_marks else "No marks of the last day with school had come in."
    count = on_it + len(fresh)
    await keep_list(tx, school, day, at, gathered.last_days[-1] if gathered.has_marks else "", count, said)
    return Made(count, len(fresh), said)


def values_of(family: Family, day: str, place: int, caller: str | None, codes: set[str], barred: bool) -> dict[str, Any]:
    values: dict[str, Any] = {
        "for_day": {"at": to_wire(moment_of(day, BEGINS)), "precision": "exact"},
        "pupils": {"put": {pupil: {} for pupil in family.pupils}, "drop": []},
        "reasons": {"put": {code: {} for code in family.reasons if code in codes}, "drop": []},
        "because": family.because,
        "place_in_list": str(place),
    }
    if caller:
        values["caller"] = {"put": {caller: {}}, "drop": []}
    return values | ({"off_list": "nobody"} if barred else {})


def what_is_new(family: Family, body: dict[str, Any], codes: set[str], out: set[str]) -> dict[str, Any]:
    """Of a family that is on the list already: who joined, and why. What a person took out stays out."""
    wanted = {"pupils": family.pupils, "reasons": [code for code in family.reasons if code in codes]}
    more: dict[str, Any] = {}
    for name, keys in wanted.items():
        put: dict[str, Any] = {key: {} for key in keys if key not in (body.get(name) or {}) and f"{name}/{key}" not in out}
        if put:
            more[name] = {"put": put, "drop": []}
    return more | {"because": family.because} if "pupils" in more else more


async def taken_out(tx: Tx, school: str, record: str) -> set[str]:
    """What edits have ever dropped from it, as field/key."""
    rows = await tx.rows('select "values" from edit where school = $1 and record = $2 and seq is not null', school, record)
    said = [msgspec.json.decode(row[0]) for row in rows]
    return {f"{name}/{key}" for values in said for name in ("pupils", "reasons") for key in (values.get(name) or {}).get("drop", ())}


async def only_ours(tx: Tx, school: str, record: str) -> bool:
    sql = "select 1 from edit where school = $1 and record = $2 and author <> $3"
    return await tx.row(sql, school, record, lanyard_of(school)) is None


def row_id(school: str, day: str, family: str) -> str:
    """The same for the same family and day, so that nothing is listed twice."""
    chance = int.from_bytes(blake2b(f"{school}/{day}/{family}".encode(), digest_size=10).digest()) >> 6
    return id_at(moment_of(day, BEGINS), chance)


class Row(msgspec.Struct, frozen=True):
    """A family on a list. `rung`: somebody rang them, however it went."""

    id: str
    version: str
    body: dict[str, Any]
    rung: bool = False


async def rows_of(tx: Tx, school: str, ids: Iterable[str]) -> dict[str, Row]:
    rows = await tx.rows("select id, seq, mark, body from record where school = $1 and id = any($2)", school, sorted(ids))
    return {row["id"]: row_from(row) for row in rows}


def row_from(row: Any, rung: bool = False) -> Row:
    return Row(row["id"], str(Place(row["seq"], row["mark"])), msgspec.json.decode(row["body"]), rung)


async def codes_of(tx: Tx, school: str) -> set[str]:
    """A school that began with fewer words, or has its own, is given no other."""
    return {row[0] for row in await tx.rows("select code from list_entry where school = $1 and list = 'call_reasons'", school)}


# ── Who rings ──────────────────────────────────────────────────────────────────────────────


async def callers_of(tx: Tx, morning: Morning) -> list[str]:
    """Those whom the school named, as far as they are here and may hold a list; else every attendance officer."""
    may = await may_ring(tx, morning.school)
    return [one for one in morning.callers if one in may] or [one for one, role in may.items() if role == Role.OFFICER]


async def may_ring(tx: Tx, school: str) -> dict[str, str]:
    """Who is here and may hold a whole list: their role, by id."""
    rows = await tx.rows(
        "select id, role from staff where school = $1 and left_at is null and role = any($2) order by name, id",
        school, sorted(KINDS[FAMILY].held_by),
    )  # fmt: skip
    return {row["id"]: row["role"] for row in rows}


async def caseloads_of(tx: Tx, school: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for staff, pupil in await tx.rows("select staff, pupil from caseload where school = $1", school):
        found.setdefault(staff, set()).add(pupil)
    return found


# ── A list that is made ────────────────────────────────────────────────────────────────────


async def list_made(tx: Tx, school: str, day: str) -> bool:
    return await tx.row("select 1 from morning_list where school = $1 and for_day = $2", school, day) is not None


async def keep_list(tx: Tx, school: str, day: str, at: int, marks_of: str, families: int, said: str) -> None:
    """The first time, what follows from it is laid."""
    first = not await list_made(tx, school, day)
    await tx.run(
        "insert into morning_list (school, for_day, made_at, again_at, marks_of, families, said) values ($1, $2, $3, $3, $4, $5, $6)"
        " on conflict (school, for_day) do update set again_at = excluded.again_at, marks_of = excluded.marks_of,"
        " families = excluded.families, said = excluded.said",
        school, day, at, marks_of, families, said,
    )  # fmt: skip
    if first:
        await due(tx, school, max(at, moment_of(day, RINGS)), "morning.ready", day)
        for clock in REGISTERS:
            await due(tx, school, moment_of(day, clock), "morning.kept", day)


@step("morning.ready")
async def ring_callers(tx: Tx, its: Due, at: int) -> None:
    """Each with the number of their own families, and of those for whom they stand in. Nobody who has none, and nobody for a morning
    that is past, or was closed since."""
    if at >= moment_of(its.about, PAST) or not (await school_days_of(tx, its.school)).has_school(its.about):
        return
    may, nobodys = await may_ring(tx, its.school), await stand_ins(tx, its.school, its.about)
    counts: Counter[str] = Counter()
    for row in await rows_of_day(tx, its.school, its.about):
        if not row.body.get("off_list"):
            counts.update((row.body.get("caller") or {}).keys() & may.keys() or nobodys)
    for caller in sorted(counts):
        words = "morning.ready" if counts[caller] > 1 else "morning.ready.one"
        await alert(tx, its.school, caller, words, opens="/calls", topic=f"morning/{its.about}", ttl_s=RUNG_FOR_S, count=counts[caller])


async def stand_ins(tx: Tx, school: str, day: str) -> set[str]:
    """For a family that is nobody's, or whose caller has left: those on duty as the calls begin who may ring; else all who share."""
    may = await may_ring(tx, school)
    on_duty = {duty.staff for duty in await on_now(tx, school, moment_of(day, BEGINS))}
    return on_duty & may.keys() or set(await callers_of(tx, await morning_of(tx, school)))


OF_DAY = """
    select r.id, r.seq, r.mark, r.body, exists (
        select 1 from record_link l join record c on c.school = l.school and c.id = l.record
        where l.school = r.school and l.other = r.id and l.field = 'listed' and c.state <> 'void') as rung
    from record r where r.school = $1 and r.kind = $2 and r.state = 'open' and r.happened_at >= $3 and r.happened_at < $4"""


async def rows_of_day(tx: Tx, school: str, day: str) -> list[Row]:
    """In the order of the list."""
    rows = await tx.rows(OF_DAY, school, FAMILY, moment_of(day, "00:00"), moment_of(day_after(day), "00:00"))
    return sorted((row_from(row, bool(row["rung"])) for row in rows), key=lambda row: (place_of(row.body), row.id))


def place_of(body: Mapping[str, Any]) -> int:
    """Last, where it says no number."""
    said = body.get("place_in_list") or ""
    return int(said) if said.isascii() and said.isdigit() else MOST_LIMIT + 1
