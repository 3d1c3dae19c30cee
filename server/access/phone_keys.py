"""A phone's own signing key: told once, when its person signs in on it or soon after, and never replaced."""

from server.access.audit import looked
from server.access.keys import point
from server.refusals import AnotherKey, NotFound, PhoneRevoked, Unreadable
from server.store.database import Tx, writing
from server.store.me import Me


async def tell_key(me: Me, phone: str, public: str) -> None:
    """Safe to repeat. Raises AnotherKey where the phone has one already; Unreadable where this is none."""
    if point(public) is None:
        raise Unreadable(where="public")
    if not await writing(_tell, me, phone, public):
        raise AnotherKey


async def _tell(tx: Tx, me: Me, phone: str, public: str) -> bool:
    row = await tx.row(
        "update phone set public = coalesce(public, $4) where school = $1 and id = $2 and staff = $3 and not is_desk"
        " returning public, revoked_at",
        me.school, phone, me.staff, public,
    )  # fmt: skip
    if row is None:
        raise NotFound
    if row["revoked_at"] is not None:
        raise PhoneRevoked
    same: bool = row["public"] == public
    await looked(tx, me, "phone key" if same else "another phone key refused", detail={"phone": phone})
    return same
