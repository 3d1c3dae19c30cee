"""A pupil's record opened out of scope because somebody has to: with a reason, for a while, and never unnoticed.

It is for reading at the desk and widens nothing else: no phone is sent more for it, nobody may write more, and what only
some roles may see stays closed. The page of a canary, a made-up pupil whom nobody has reason to open, is noticed the same way.
"""

from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from server.access.audit import looked
from server.access.settings_of import said, within
from server.kinds.roles import Role
from server.store import numbers
from server.store.database import Tx
from server.store.ids import new_id
from server.store.me import Me
from server.store.moments import now

MINUTE = 60 * 1_000_000  # µs
MINUTES = (60, 5, 240)  # where nothing is said, at least, at most
CANARY_AGAIN = 60 * MINUTE  # one who opens it over and over is told of once in so long
MAY = (Role.RESPONDER, Role.OFFICER, Role.MANAGER, Role.HEAD_OF_YEAR, Role.LEADER)  # where nothing is said

OPEN = """
    select id, pupil, ends_at from opening where school = $1 and staff = $2 and why = 'emergency' and ends_at > $3 and session = $4
    order by ends_at desc, id desc"""


class Rules(msgspec.Struct, frozen=True):
    roles: tuple[str, ...]
    minutes: int


class Open(msgspec.Struct, frozen=True):
    """What I have open just now."""

    id: str
    pupil: str
    ends_at: int


async def rules_of(tx: Tx, school: str) -> Rules:
    rules = await said(tx, school, "emergency")
    roles = rules.get("roles")
    named = roles if isinstance(roles, list) else list(MAY)
    return Rules(
        tuple(role.value for role in Role if role.value in named and role is not Role.ADMIN), within(rules.get("minutes"), *MINUTES)
    )


async def open_record(tx: Tx, me: Me, pupil: str, reason: str) -> None:
    """Whether they may is for the caller to know, and that they gave their password again. Safe to repeat while it is open.

    Wants the school's lock.
    """
    if pupil in [one.pupil for one in (await with_openings(tx, me))[1]]:
        return
    at = now()
    until = at + (await rules_of(tx, me.school)).minutes * MINUTE
    id = await _note(tx, me, pupil, "emergency", reason, at, until)
    await looked(tx, me, "open in an emergency", pupil=pupil, detail={"opening": id})


async def close_record(tx: Tx, me: Me, pupil: str) -> None:
    """Safe to repeat."""
    rows = await tx.rows(
        "update opening set ends_at = $4 where school = $1 and staff = $2 and pupil = $3 and why = 'emergency' and ends_at > $4"
        " returning id",
        me.school, me.staff, pupil, now(),
    )  # fmt: skip
    for row in rows:
        await looked(tx, me, "close after an emergency", pupil=pupil, detail={"opening": row["id"]})


async def close_all(tx: Tx, me: Me) -> None:
    """What I have open at this desk, as I sign out."""
    for one in (await with_openings(tx, me))[1]:
        await close_record(tx, me, one.pupil)


async def end_opening(tx: Tx, me: Me, id: str) -> bool:
    """Whether there is such a one. Whoever looks after openings ends it for somebody else; safe to repeat."""
    row = await tx.row(
        "update opening set ends_at = case when ends_at > $3 then $3 else ends_at end where school = $1 and id = $2 and why = 'emergency'"
        " returning pupil, staff",
        me.school, id, now(),
    )  # fmt: skip
    if row is not None:
        await looked(tx, me, "end an opening", pupil=row["pupil"], detail={"opening": id, "staff": row["staff"]})
    return row is not None


async def canary_opened(tx: Tx, me: Me, pupil: str) -> None:
    at = now()
    told = "select 1 from opening where school = $1 and staff = $2 and pupil = $3 and why = 'canary' and at > $4"
    if await tx.row(told, me.school, me.staff, pupil, at - CANARY_AGAIN) is None:
        await _note(tx, me, pupil, "canary", "", at, at)


async def with_openings(tx: Tx, me: Me) -> tuple[Me, list[Open]]:
    """Me, as I may read a page of this desk just now, while my role still may."""
    if me.role not in (await rules_of(tx, me.school)).roles:
        return me, []
    found = [Open(*row) for row in await tx.rows(OPEN, me.school, me.staff, now(), me.session)]
    return replace(me, opened=tuple({one.pupil for one in found})) if found else me, found


async def looked_in_emergency(tx: Tx, me: Me, opening: Open, what: str, **about: Any) -> None:
    await looked(tx, me, in_emergency(what), detail=under(opening), **about)


def under(opening: Open | None) -> dict[str, str] | None:
    """What the access log says of a look beside what was looked at."""
    return {"opening": opening.id} if opening else None


def in_emergency(what: str) -> str:
    return f"{what} in an emergency"


async def unseen_count(tx: Tx, school: str) -> int:
    row = await tx.row("select count(*) from opening where school = $1 and seen_at is null", school)
    return int(row[0]) if row else 0


async def seen(tx: Tx, me: Me, id: str) -> bool:
    """Whether there is such a one, and not my own. Somebody has looked into it; the first who did is kept."""
    row = await tx.row(
        "update opening set seen_at = coalesce(seen_at, $3), seen_by = coalesce(seen_by, $4)"
        " where school = $1 and id = $2 and staff <> $4 returning id",
        me.school, id, now(), me.staff,
    )  # fmt: skip
    if row is not None:
        await looked(tx, me, "looked into an opening", detail={"opening": id})
    return row is not None


async def _note(tx: Tx, me: Me, pupil: str, why: Literal["emergency", "canary"], reason: str, at: int, until: int) -> str:
    await numbers.draw(tx, me.school, [numbers.NewStep("people")])  # open desks hear of it at once
    id = new_id()
    await tx.run(
        "insert into opening (id, school, staff, pupil, why, reason, at, ends_at, session) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        id, me.school, me.staff, pupil, why, reason, at, until, me.session,
    )  # fmt: skip
    return id
