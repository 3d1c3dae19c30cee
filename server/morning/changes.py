"""What is done to a list at the desk: made now, shared out again, a family given to somebody or taken off; and how lists are made."""

import re
from typing import Any

import msgspec

from server.access.audit import looked
from server.kinds.listed_family import OFF_LIST
from server.morning.days import day_after, school_days_of
from server.morning.evening import (
    FAMILY,
    MOST_LIMIT,
    Morning,
    callers_of,
    caseloads_of,
    keep_morning,
    make,
    may_ring,
    morning_of,
    rows_of_day,
)
from server.morning.listing import Family, shared_out
from server.oncall.rota import local
from server.store.database import Tx
from server.store.me import Me
from server.store.moments import now
from server.sync import desk

CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
AHEAD = 14  # days for which a list can be made


class Wrong(ValueError):
    """Why it cannot be done so, in words."""


class Asked(msgspec.Struct):
    """What a form says. `do`: make, share, give, off, on, settings; `row`: which family, `seen`: the version that was looked at."""

    do: str = ""
    day: str = ""
    row: str = ""
    seen: str = ""
    staff: str = ""
    why: str = ""
    hour: str = ""
    most: str = ""
    is_on: str = ""
    callers: list[str] = []


async def change(tx: Tx, me: Me, asked: Asked) -> None:
    """Raises Wrong, and then nothing is changed."""
    do = CHANGES.get(asked.do)
    if do is None:
        raise Wrong("That cannot be done to a list")
    await do(tx, me, asked)


async def make_now(tx: Tx, me: Me, asked: Asked) -> None:
    day, today = day_in(asked.day), local(now()).day
    if not today <= day <= day_after(today, AHEAD):
        raise Wrong(f"A list can be made for today, or for one of the next {AHEAD} days")
    if not (await school_days_of(tx, me.school)).has_school(day):
        raise Wrong("There is no school on that day")
    await make(tx, await morning_of(tx, me.school), day, now())
    await looked(tx, me, "make morning list", detail={"day": day})


async def share_out(tx: Tx, me: Me, asked: Asked) -> None:
    """Those that nobody has taken or rung yet, anew among those who share the calls. Whom somebody has taken they keep."""
    day = day_in(asked.day)
    callers = await callers_of(tx, await morning_of(tx, me.school))
    if not callers:
        raise Wrong("Nobody here may ring families: an attendance officer, a manager, a safeguarding or a senior leader")
    rows = [row for row in await rows_of_day(tx, me.school, day) if is_to_share(row.body) and not row.rung]
    families = [Family(row.id, tuple(row.body.get("pupils") or ()), (), "", 0) for row in rows]
    shares = shared_out(families, callers, await caseloads_of(tx, me.school))
    for row in rows:
        if list(row.body.get("caller") or ()) != [shares[row.id]]:
            await give_to(tx, me, row.id, shares[row.id], row.version)


def is_to_share(body: dict[str, Any]) -> bool:
    return not body.get("off_list") and not any(one.get("value") for one in (body.get("claimed") or {}).values())


async def give(tx: Tx, me: Me, asked: Asked) -> None:
    if asked.staff not in await may_ring(tx, me.school):
        raise Wrong("Choose somebody who may ring families")
    await give_to(tx, me, asked.row, asked.staff, asked.seen)


async def give_to(tx: Tx, me: Me, row: str, staff: str, seen: str) -> None:
    body = await body_of(tx, me.school, row)
    others = [one for one in body.get("caller") or () if one != staff]
    await write(tx, me, row, {"caller": {"put": {staff: {}}, "drop": others}}, seen)


async def take_off(tx: Tx, me: Me, asked: Asked) -> None:
    if asked.why not in OFF_LIST:
        raise Wrong("Choose why nobody rings them")
    await write(tx, me, asked.row, {"off_list": asked.why}, asked.seen)


async def put_back(tx: Tx, me: Me, asked: Asked) -> None:
    await write(tx, me, asked.row, {"off_list": None}, asked.seen)


async def write(tx: Tx, me: Me, row: str, values: dict[str, Any], seen: str) -> None:
    await body_of(tx, me.school, row)
    receipt = await desk.write(tx, me, row, FAMILY, values, seen)
    if receipt.outcome == "held":
        raise Wrong("; ".join((receipt.because or {}).values()) or "It could not be taken in")


async def body_of(tx: Tx, school: str, row: str) -> dict[str, Any]:
    found = await tx.row("select body from record where school = $1 and id = $2 and kind = $3", school, row, FAMILY)
    if found is None:
        raise Wrong("That family is not on a list here")
    body: dict[str, Any] = msgspec.json.decode(found["body"])
    return body


async def set_how(tx: Tx, me: Me, asked: Asked) -> None:
    if not CLOCK.fullmatch(asked.hour):
        raise Wrong("Enter the hour like 18:00")
    most = int(asked.most) if asked.most.isascii() and asked.most.isdigit() and len(asked.most) <= 3 else 0
    if not 1 <= most <= MOST_LIMIT:
        raise Wrong(f"A list holds 1 to {MOST_LIMIT} families")
    may = await may_ring(tx, me.school)
    if any(one not in may for one in asked.callers):
        raise Wrong("Choose people who may ring families")
    morning = Morning(me.school, asked.hour, most, tuple(dict.fromkeys(asked.callers)), asked.is_on == "yes")
    await keep_morning(tx, morning, now())
    await looked(tx, me, "change morning", detail={"hour": morning.hour, "most": most, "callers": list(morning.callers), "on": morning.on})


def day_in(text: str) -> str:
    if not DAY.fullmatch(text):
        raise Wrong("Enter the day")
    try:
        day_after(text, AHEAD)
        return day_after(day_after(text, -1))
    except (ValueError, OverflowError):
        raise Wrong("Enter the day") from None


CHANGES: dict[str, Any] = {
    "make": make_now,
    "share": share_out,
    "give": give,
    "off": take_off,
    "on": put_back,
    "settings": set_how,
}
