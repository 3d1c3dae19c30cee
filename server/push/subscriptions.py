"""Which phones can ring: each says so at every open, and under which key of ours; one that cannot any more is retired."""

import secrets

import msgspec

from server.push.keys import known, retire_unused
from server.refusals import NotFound, PhoneRevoked
from server.store.database import Tx
from server.store.me import Me
from server.store.moments import now

SIGNED_OUT, SWITCHED_OFF, SOMEBODY_ELSE = "its owner signed out", "the school switched the phone off", "somebody else uses this phone now"
FORBIDDEN = "its browser may not show notifications any more"


class Subscription(msgspec.Struct, frozen=True):
    """As a browser gives it: where it listens, and two keys to close what is sent with. `key`: ours, under which it was made."""

    endpoint: str
    public: str
    secret: str
    key: str


async def subscribe(tx: Tx, me: Me, its: Subscription) -> bool:
    """Safe to repeat, and said at every open. False where it cannot be used any more: it was made under a key that is not in use, or
    its push service has said that it is gone. Then the phone makes another.

    What waits for this phone goes to the new address. Somebody else's subscription of the same browser ends.
    """
    row = await tx.row(
        "select revoked_at from phone where school = $1 and id = $2 and staff = $3 and not is_desk", me.school, me.phone, me.staff
    )
    if row is None:
        raise NotFound
    if row["revoked_at"] is not None:
        raise PhoneRevoked
    key = await known(tx, its.key)
    if key is None or await _is_over(tx, me, its.endpoint):
        return False
    await tx.run(
        "update subscription set retired_at = $4, retired_why = $5"
        " where endpoint = $1 and retired_at is null and not (school = $2 and phone = $3)",
        its.endpoint, me.school, me.phone, now(), SOMEBODY_ELSE,
    )  # fmt: skip
    await tx.run(KEEP, me.school, me.phone, me.staff, its.endpoint, its.public, its.secret, key, now())
    still = [row["id"] for row in await tx.rows(STILL_RINGS, me.school, me.staff, now(), me.phone)]
    await tx.run_many(ALSO_HERE, [(id, me.school, me.phone, secrets.token_urlsafe(16)) for id in still])
    await retire_unused(tx)
    return True


# What was said to them before this phone could ring, and is still worth ringing for. A test is of one phone.
STILL_RINGS = """
    select a.id from alert a where a.school = $1 and a.staff = $2 and a.retired_at is null and a.ends_at > $3 and a.words <> 'test'
    and not exists (select 1 from delivery d where d.alert = a.id and d.phone = $4) order by a.made_at, a.id"""
ALSO_HERE = "insert into delivery (alert, school, phone, token) values ($1, $2, $3, $4)"


async def _is_over(tx: Tx, me: Me, endpoint: str) -> bool:
    """Whoever signed out, or forbade it for a while, may come back by the same address; whom a push service has forgotten may not."""
    row = await tx.row(
        "select 1 from subscription where school = $1 and phone = $2 and endpoint = $3 and retired_at is not null"
        " and not retired_why = any($4)",
        me.school, me.phone, endpoint, [SIGNED_OUT, SWITCHED_OFF, SOMEBODY_ELSE, FORBIDDEN],
    )  # fmt: skip
    return row is not None


KEEP = """
    insert into subscription (school, phone, staff, endpoint, public, secret, key, made_at, checked_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $8)
    on conflict (school, phone) do update set
        made_at = case when subscription.endpoint = excluded.endpoint then subscription.made_at else excluded.made_at end,
        rests_until = case when subscription.endpoint = excluded.endpoint then subscription.rests_until else 0 end,
        failures = case when subscription.endpoint = excluded.endpoint then subscription.failures else 0 end,
        staff = excluded.staff, endpoint = excluded.endpoint, public = excluded.public, secret = excluded.secret, key = excluded.key,
        checked_at = excluded.checked_at, retired_at = null, retired_why = null"""


async def retire(tx: Tx, school: str, phone: str, why: str, *, endpoint: str | None = None) -> None:
    """Safe to repeat. `endpoint`: only while it is still this one; the phone may have subscribed anew meanwhile."""
    await tx.run(
        "update subscription set retired_at = $3, retired_why = $4"
        " where school = $1 and phone = $2 and retired_at is null and ($5 = '' or endpoint = $5)",
        school, phone, now(), why, endpoint or "",
    )  # fmt: skip
    await retire_unused(tx)


class Standing(msgspec.Struct, frozen=True):
    """Whether a phone can ring, as the school knows it, and what came of its last test. Moments in µs."""

    endpoint: str | None = None  # None: the school has none that is good
    why: str | None = None  # it was retired
    test: str | None = None
    asked_at: int | None = None
    sent_at: int | None = None
    shown_at: int | None = None
    opened_at: int | None = None
    failed: str | None = None


async def standing_of(tx: Tx, me: Me) -> Standing:
    row = await tx.row(
        "select endpoint, retired_at, retired_why from subscription where school = $1 and phone = $2 and staff = $3",
        me.school, me.phone, me.staff,
    )  # fmt: skip
    if row is None:
        return Standing()
    test = await tx.row(
        "select a.id, a.made_at, d.handed_at, d.shown_at, d.opened_at, d.failed from delivery d join alert a on a.id = d.alert"
        " where d.school = $1 and d.phone = $2 and a.words = 'test' and a.staff = $3 order by a.made_at desc, a.id desc limit 1",
        me.school, me.phone, me.staff,
    )  # fmt: skip
    good = row["retired_at"] is None
    return Standing(row["endpoint"] if good else None, row["retired_why"], *(test or ()))
