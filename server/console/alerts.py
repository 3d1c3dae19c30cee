"""Alerts: which phones the school can ring, as far as anybody knows, when that was last proved, and what stands in the way of others."""

from typing import Any

from litestar import Request, Response, get
from msgspec import Struct

from server.access.rights import needs
from server.console.pages import frame_for, page
from server.kinds.roles import Role
from server.push import second
from server.store.database import Tx, reading
from server.store.me import Me

PHONES = """
    select staff.id, staff.name, staff.role, phone.name as phone, s.retired_at, s.retired_why, s.checked_at, phone.seen_at,
        (select max(d.shown_at) from delivery d join alert a on a.id = d.alert
         where d.school = s.school and d.phone = s.phone and a.words = 'test') as tested_at,
        (select d.failed from delivery d where d.school = s.school and d.phone = s.phone order by d.alert desc limit 1) as failed
    from subscription s join phone on phone.school = s.school and phone.id = s.phone join staff on staff.id = s.staff
    where s.school = $1 and phone.revoked_at is null and staff.left_at is null
    order by s.retired_at is not null, staff.name, phone.name, s.phone"""
SILENT = """
    select count(*) from staff where school = $1 and left_at is null and password is not null and not exists
        (select 1 from subscription s join phone on phone.school = s.school and phone.id = s.phone
         where s.school = staff.school and s.staff = staff.id and s.retired_at is null and phone.revoked_at is null)"""


class Phone(Struct, frozen=True):
    staff: str
    whose: str
    role: str
    name: str
    rings: bool
    tested_at: int | None
    seen_at: int
    trouble: str | None  # why it does not ring, or what went wrong with the last alert


@get("/console/alerts", guards=[needs("phones")])
async def alerts(request: Request[Any, Any, Any]) -> Response[str]:
    me: Me = request.state.me
    phones, silent = await reading(phones_of, me.school)
    return page(
        await frame_for(me), request, "alerts.html",
        phones=phones, silent=silent, honestly=second.HONESTLY, second=second.SECOND_CHANNEL,
    )  # fmt: skip


async def phones_of(tx: Tx, school: str) -> tuple[list[Phone], int]:
    """Those that were ever to be rung; and how many people have none that is."""
    silent = await tx.row(SILENT, school)
    return [
        Phone(
            row["id"], row["name"], Role(row["role"]).label, row["phone"] or "A phone", row["retired_at"] is None, row["tested_at"],
            max(row["checked_at"], row["seen_at"] or 0), row["retired_why"] or row["failed"],
        )
        for row in await tx.rows(PHONES, school)
    ], silent[0] if silent else 0  # fmt: skip


routes = [alerts]
