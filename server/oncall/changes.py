"""Changing the rota, the ladders and the zones. What cannot be is said in words; who changed what is in the access log."""

import re
from datetime import date
from typing import Any

import msgspec

from server.access.audit import looked
from server.oncall.duty import watch
from server.oncall.ladders import LATEST_S, RUNGS_LIMIT, WHO, Ladder, Rung, ladders_of
from server.oncall.rota import PARTS, WEEKDAYS, Duty, duties_of, names_of
from server.store import numbers
from server.store.database import Tx
from server.store.engines import Row
from server.store.ids import new_id
from server.store.me import Me
from server.store.moments import now

CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)
NAME_LIMIT = 60
DUTIES_LIMIT, LADDERS_LIMIT = 500, 30


class Wrong(ValueError):
    """Why it cannot be changed so, in words."""


class Asked(msgspec.Struct):
    """What a form says. `do`: duty, remove, cover, uncover, swap, ladder, drop, zone; `id`: of what."""

    do: str = ""
    id: str = ""
    staff: str = ""
    weekday: str = ""
    period: str = ""
    starts: str = ""
    ends: str = ""
    zone: str = ""
    part: str = "first"
    day: str = ""
    other: str = ""  # the duty, or the day, of the other half of a swap
    other_day: str = ""
    name: str = ""
    place: str = ""
    after: list[str] = []  # of each rung
    who: list[str] = []


async def change(tx: Tx, me: Me, asked: Asked) -> None:
    """Raises Wrong, and then nothing is changed. Who changes the same at the same moment waits."""
    await numbers.lock(tx, me.school)
    do = CHANGES.get(asked.do)
    if do is None:
        raise Wrong("That cannot be done to a rota")
    await do(tx, me, asked)
    said = {name: value for name in Asked.__struct_fields__ if (value := getattr(asked, name))}
    await looked(tx, me, "change rota", detail=said)
    await watch(tx, me.school, now())


# ── Duties ─────────────────────────────────────────────────────────────────────────────────


async def add_duty(tx: Tx, me: Me, asked: Asked) -> None:
    await check_person(tx, me.school, asked.staff)
    if asked.weekday not in map(str, range(len(WEEKDAYS))) or asked.part not in PARTS:
        raise Wrong("Choose a day and a part")
    if asked.period:
        if await tx.row("select 1 from period where school = $1 and code = $2", me.school, asked.period) is None:
            raise Wrong("That period is not in the school day")
        asked.starts = asked.ends = ""
    elif not CLOCK.fullmatch(asked.starts) or not CLOCK.fullmatch(asked.ends) or asked.ends <= asked.starts:
        raise Wrong("Choose a period, or enter when it starts and ends, like 10:15 and 10:30")
    duties = await duties_of(tx, me.school)
    same = (asked.staff, int(asked.weekday), asked.period, asked.zone)
    if any((one.staff, one.weekday, one.period, one.zone) == same and (asked.period or one.starts == asked.starts) for one in duties):
        raise Wrong("They have that duty already")
    if len(duties) >= DUTIES_LIMIT:
        raise Wrong(f"A rota holds {DUTIES_LIMIT} duties at most")
    await tx.run(
        "insert into duty (school, id, staff, weekday, period, starts, ends, zone, part, made_at)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        me.school, new_id(), asked.staff, int(asked.weekday), asked.period, asked.starts, asked.ends, named(asked.zone), asked.part, now(),
    )  # fmt: skip


async def remove_duty(tx: Tx, me: Me, asked: Asked) -> None:
    await duty_named(tx, me.school, asked.id)
    await tx.run("update duty set removed_at = $3 where school = $1 and id = $2", me.school, asked.id, now())


async def add_cover(tx: Tx, me: Me, asked: Asked) -> None:
    await cover(tx, me, asked.id, asked.day, asked.staff)


async def swap(tx: Tx, me: Me, asked: Asked) -> None:
    """Two duties change hands, each on its day: both, or neither."""
    one, other = await duty_named(tx, me.school, asked.id), await duty_named(tx, me.school, asked.other)
    if one.staff == other.staff:
        raise Wrong("Both are the same person’s")
    await cover(tx, me, one.id, asked.day, other.staff)
    await cover(tx, me, other.id, asked.other_day or asked.day, one.staff)


async def cover(tx: Tx, me: Me, id: str, day: str, staff: str) -> None:
    duty, on = await duty_named(tx, me.school, id), day_in(day)
    names = await names_of(tx, me.school)
    if on.weekday() != duty.weekday:
        raise Wrong(f"{on:%a} {on.day} {on:%b} is no {WEEKDAYS[duty.weekday]}: that duty is on {WEEKDAYS[duty.weekday]}s")
    row = await tx.row("select staff from cover where school = $1 and duty = $2 and on_day = $3", me.school, id, on.isoformat())
    if row is not None:
        by = names.get(row["staff"], "somebody who has left")
        raise Wrong(f"That duty has been swapped on that day already: {by} does it. Take that back first")
    if staff not in names:
        raise Wrong("Choose who does it: somebody whose role may read calls for help")
    if staff == duty.staff:
        raise Wrong("It is theirs already")
    await tx.run(
        "insert into cover (school, duty, on_day, staff, said_by, said_at) values ($1, $2, $3, $4, $5, $6)",
        me.school, id, on.isoformat(), staff, me.staff, now(),
    )  # fmt: skip


async def take_cover_back(tx: Tx, me: Me, asked: Asked) -> None:
    """Safe to repeat."""
    await tx.run("delete from cover where school = $1 and duty = $2 and on_day = $3", me.school, asked.id, day_in(asked.day).isoformat())


async def duty_named(tx: Tx, school: str, id: str) -> Duty:
    found = next((one for one in await duties_of(tx, school) if one.id == id), None)
    if found is None:
        raise Wrong("That duty is not on the rota any more")
    return found


async def check_person(tx: Tx, school: str, staff: str) -> None:
    if staff not in await names_of(tx, school):
        raise Wrong("Choose who: somebody whose role may read calls for help")


def day_in(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Wrong("Enter the day") from None


def named(text: str) -> str:
    said = " ".join(text.split())
    if len(said) > NAME_LIMIT:
        raise Wrong(f"Keep it under {NAME_LIMIT} characters")
    return said


# ── Holes ──────────────────────────────────────────────────────────────────────────────────


def holes(duties: list[Duty], periods: list[Row]) -> list[str]:
    """When nobody is first to go, in words: “Tuesday: Period 3, Lunch”. None while the rota is empty: that says itself."""
    if not duties:
        return []
    found = []
    for weekday, day in enumerate(WEEKDAYS[:5]):
        today = [one for one in duties if one.weekday == weekday and one.part == "first"]
        empty = [row["label"] for row in periods if not is_covered(today, row["starts"], row["ends"])]
        if empty:
            found.append(f"{day}: {', '.join(empty) if len(empty) < len(periods) else 'all day'}")
    return found


def is_covered(duties: list[Duty], starts: str, ends: str) -> bool:
    """From its first minute to its last, by one or by several."""
    at = starts
    for one in sorted(duties, key=lambda duty: duty.starts):
        if one.starts <= at < one.ends:
            at = one.ends
    return at >= ends


# ── Ladders and zones ──────────────────────────────────────────────────────────────────────


async def keep_ladder(tx: Tx, me: Me, asked: Asked) -> None:
    if not (name := named(asked.name)):
        raise Wrong("Say what the ladder is called")
    rungs = rungs_in(asked)
    ladders = [one for one in await ladders_of(tx, me.school) if one.id]
    if asked.id not in {one.id for one in ladders} and len(ladders) >= LADDERS_LIMIT:
        raise Wrong(f"{LADDERS_LIMIT} ladders at most")
    said = Ladder(name, rungs, asked.id or new_id(), asked.period, named(asked.zone))
    # One for a period and a zone is tried before one for either, and that before one for any call.
    position = (said.period == "") + (said.zone == "")
    await tx.run(
        "insert into ladder (school, id, name, position, period, zone, rungs) values ($1, $2, $3, $4, $5, $6, $7)"
        " on conflict (school, id) do update set name = excluded.name, position = excluded.position, period = excluded.period,"
        " zone = excluded.zone, rungs = excluded.rungs, removed_at = null",
        me.school, said.id, name, position, said.period, said.zone, msgspec.json.encode(rungs).decode(),
    )  # fmt: skip


def rungs_in(asked: Asked) -> tuple[Rung, ...]:
    """In the order of their time. A line without anybody is left out."""
    rungs = []
    for after, who in zip(asked.after, asked.who, strict=False):
        if not who:
            continue
        after_s = int(after) if len(after) <= 4 and after.isascii() and after.isdigit() else -1
        if who not in WHO or not 0 <= after_s <= LATEST_S:
            raise Wrong(f"Each rung says after how many seconds, 0 to {LATEST_S}, and who")
        rungs.append(Rung(after_s, who))
    rungs.sort(key=lambda rung: rung.after_s)
    if not rungs or rungs[0].after_s != 0 or rungs[0].who == "caller":
        raise Wrong("The first rung is at 0 seconds, and rings somebody")
    if len(rungs) > RUNGS_LIMIT:
        raise Wrong(f"A ladder has {RUNGS_LIMIT} rungs at most")
    if not any(rung.who == "caller" for rung in rungs):
        raise Wrong("One rung tells the caller that nobody has answered")
    return tuple(rungs)


async def drop_ladder(tx: Tx, me: Me, asked: Asked) -> None:
    await tx.run("update ladder set removed_at = $3 where school = $1 and id = $2", me.school, asked.id, now())


async def keep_zone(tx: Tx, me: Me, asked: Asked) -> None:
    """Which part of the site a place is in; none: it is in no zone."""
    place, zone = asked.place, named(asked.zone)
    if await tx.row("select 1 from list_entry where school = $1 and list = 'places' and code = $2", me.school, place) is None:
        raise Wrong("Choose a place of the school’s list")
    await tx.run("delete from zone where school = $1 and place = $2", me.school, place)
    if zone:
        await tx.run("insert into zone (school, place, zone) values ($1, $2, $3)", me.school, place, zone)


CHANGES: dict[str, Any] = {
    "duty": add_duty,
    "remove": remove_duty,
    "cover": add_cover,
    "uncover": take_cover_back,
    "swap": swap,
    "ladder": keep_ladder,
    "drop": drop_ladder,
    "zone": keep_zone,
}
