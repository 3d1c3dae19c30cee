"""Whom a call for help rings, and after how long: the school's ladders, by period and zone."""

from collections.abc import Sequence

import msgspec

from server.kinds.roles import Role
from server.oncall.rota import MAY_ANSWER, OnCall, local, on_call
from server.store.database import Tx

WHO = {
    "first": "Those on duty",
    "next": "Next on duty",
    "everyone": "Everyone on duty and senior leaders",
    "leaders": "Senior leaders",
    "caller": "The caller: “Nobody has answered, ring …”",
}
RUNGS_LIMIT = 12
LATEST_S = 3600


class Rung(msgspec.Struct, frozen=True):
    after_s: int
    who: str  # one of WHO


class Ladder(msgspec.Struct, frozen=True):
    name: str
    rungs: tuple[Rung, ...]
    id: str = ""  # empty: what a school starts with
    period: str = ""
    zone: str = ""


FIRST = Ladder("Any call", (Rung(0, "first"), Rung(30, "first"), Rung(60, "next"), Rung(120, "everyone"), Rung(180, "caller")))

LADDERS = "select name, rungs, id, period, zone from ladder where school = $1 and removed_at is null order by position, id"
PERIODS = "select code, starts, ends from period where school = $1 order by starts, code"


async def ladders_of(tx: Tx, school: str) -> list[Ladder]:
    """The school's, in the order in which they are tried; the one it starts with where it has none."""
    rows = await tx.rows(LADDERS, school)
    decode = msgspec.json.decode
    return [Ladder(name, decode(rungs, type=tuple[Rung, ...]), *where) for name, rungs, *where in rows] or [FIRST]


async def ladder_for(tx: Tx, school: str, zone: str, at: int) -> Ladder:
    """The first that fits; what a school starts with, where none does: nobody calls into nothing."""
    clock = local(at).clock
    periods = {row["code"] for row in await tx.rows(PERIODS, school) if row["starts"] <= clock < row["ends"]}
    fits = (each for each in await ladders_of(tx, school) if each.period in ("", *periods) and each.zone in ("", zone))
    return next(fits, FIRST)


async def zone_of(tx: Tx, school: str, place: str) -> str:
    row = await tx.row("select zone from zone where school = $1 and place = $2", school, place)
    return row["zone"] if row else ""


async def whom(tx: Tx, school: str, who: str, zone: str, at: int) -> list[str]:
    """The staff of one rung, as things are now. Each once."""
    found = people_of(await on_call(tx, school, at), who, zone)
    if who in ("everyone", "leaders"):
        found += await leaders_of(tx, school)
    return list(dict.fromkeys(found))


def people_of(on: Sequence[OnCall], who: str, zone: str) -> list[str]:
    here = [one for one in on if one.zone in ("", zone)]
    match who:
        case "first":
            return [one.staff for one in here if one.part == "first"]
        case "next":
            return [one.staff for one in here if one.part == "next"] + [one.staff for one in on if one not in here and one.part == "first"]
        case "everyone":
            return [one.staff for one in on]
    return []


async def leaders_of(tx: Tx, school: str) -> list[str]:
    assert Role.LEADER in MAY_ANSWER
    rows = await tx.rows("select id from staff where school = $1 and role = $2 and left_at is null order by id", school, Role.LEADER.value)
    return [row["id"] for row in rows]
