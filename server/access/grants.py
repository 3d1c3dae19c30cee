"""A phone's standing permission to send what one person wrote on it, and nothing else.

It outlives signing out and somebody else signing in on the same phone, so that an outbox is never stranded. It reads
nothing. For the exchange it ends when the phone is switched off or the person leaves; the sealed intake takes in even then.
"""

from typing import Any

import msgspec
from litestar.connection import ASGIConnection

from server.access.tokens import claims_of, signed
from server.refusals import PhoneRevoked, SignIn
from server.store.database import Tx, reading
from server.store.me import Me
from server.store.moments import now

PURPOSE = "lanyard:send"
LASTS_S = 400 * 24 * 3600
WHO = """
    select staff.role, staff.years, staff.rights, staff.left_at, phone.revoked_at, phone.id as phone
    from staff left join phone on phone.school = staff.school and phone.staff = staff.id and phone.id = $3
    where staff.id = $1 and staff.school = $2"""


class Bearer(msgspec.Struct, frozen=True):
    """Whose grant it is, and how they stand with the school now."""

    me: Me
    known: bool  # the school knows this phone as theirs
    left: bool
    revoked: bool


async def grant(tx: Tx, me: Me) -> str:
    return await signed(tx, PURPOSE, me.school, me.staff, ends_at_s=now() // 1_000_000 + LASTS_S, phone=me.phone)


def grant_in(connection: ASGIConnection[Any, Any, Any, Any]) -> str | None:
    """The grant a request comes under, unread; None where it comes under none."""
    scheme, _, grant = connection.headers.get("authorization", "").partition(" ")
    if not scheme:
        return None
    if scheme.lower() != "bearer":
        raise SignIn
    return grant.strip()


async def sender(token: str) -> Me:
    """Who may send with this grant. Raises SignIn where it is none of ours, PhoneRevoked where it has been withdrawn."""
    bearer = await bearer_of(token)
    if not bearer.known:
        raise SignIn  # a backup was put back that knows nothing of this phone: nobody has switched it off
    if bearer.left or bearer.revoked:
        raise PhoneRevoked
    return bearer.me


async def bearer_of(token: str) -> Bearer:
    """Raises SignIn where the grant is none of ours, or the school knows nobody of that name."""
    claims = await claims_of(token, PURPOSE, "phone")
    if claims is None:
        raise SignIn
    row = await reading(lambda tx: tx.row(WHO, claims["sub"], claims["iss"], claims["phone"]))
    if row is None:
        raise SignIn
    me = Me(staff=claims["sub"], school=claims["iss"], role=row["role"], rights=row["rights"], phone=claims["phone"])
    return Bearer(me, row["phone"] is not None, row["left_at"] is not None, row["revoked_at"] is not None)
