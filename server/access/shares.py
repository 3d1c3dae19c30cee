"""The school's half of what opens a phone's own store: handed out for the right PIN, and counting the wrong ones.

What a phone sends (`auth`) is made from the PIN and its own salt; the school keeps only its SHA-256. A new share stands
beside the one before until it was opened once: an answer that was lost on the way costs nobody what their phone holds.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable

import msgspec

from server.access import base64url
from server.access.audit import looked
from server.access.settings_of import decide, said, within
from server.refusals import NoVault, PhoneRevoked, Refusal, TooMany, WrongPin
from server.store import numbers
from server.store.database import Tx, writing
from server.store.engines import Row
from server.store.me import Me
from server.store.moments import now

SECOND = 1_000_000
SHARE_BYTES = AUTH_BYTES = 32
TRIES = 10  # wrong PINs, then what the share opens is gone
FREE_TRIES = 5  # from then on each costs a rest
REST_S = 15 * 60
UNOPENED = 4  # new shares that may wait beside the one that was opened last

random_bytes: Callable[[int], bytes] = secrets.token_bytes


class Share(msgspec.Struct, array_like=True):
    auth: str  # SHA-256 of what asks for it
    share: str
    opened: bool = False


async def new_share(me: Me, phone: str, auth: bytes) -> str:
    """Raises NoVault, PhoneRevoked."""
    return await writing(_new_share, me, phone, auth)


async def open_share(me: Me, phone: str, auth: bytes, offline_failures: int) -> str:
    """Raises WrongPin, TooMany, NoVault, PhoneRevoked: after the try was counted, in a transaction of its own."""
    answer = await writing(_try, me, phone, auth, offline_failures)
    if isinstance(answer, Refusal):
        raise answer
    return answer


async def drop_shares(tx: Tx, school: str, phone: str) -> None:
    """What this phone holds can be opened no more. Safe to repeat."""
    await tx.run("delete from vault where school = $1 and phone = $2", school, phone)


async def drop_all_shares(tx: Tx, school: str, staff: str) -> None:
    await tx.run("delete from vault where school = $1 and phone in (select id from phone where school = $1 and staff = $2)", school, staff)


async def _new_share(tx: Tx, me: Me, phone: str, auth: bytes) -> str:
    await _mine(tx, me, phone)
    row = await _locked(tx, me, phone)
    share = Share(_kept_as(auth), base64url.write(random_bytes(SHARE_BYTES)))
    before = _shares(row) if row else []
    shares = [share, *[one for one in before if not one.opened][: UNOPENED - 1], *[one for one in before if one.opened]]
    await tx.run(
        "insert into vault (school, phone, shares, made_at) values ($1, $2, $3, $4) on conflict (school, phone)"
        " do update set shares = excluded.shares, failures = 0, rests_until = 0, made_at = excluded.made_at",
        me.school, phone, _json(shares), now(),
    )  # fmt: skip
    await looked(tx, me, "new vault share", detail={"phone": phone})
    return share.share


async def _try(tx: Tx, me: Me, phone: str, auth: bytes, offline_failures: int) -> str | Refusal:
    """Refusals are answered, not raised: what was counted must stay."""
    await _mine(tx, me, phone)
    row = await _locked(tx, me, phone)
    if row is None:
        return NoVault()
    if row["rests_until"] > now():
        return TooMany(retry_after=-(-(row["rests_until"] - now()) // SECOND))
    failures = max(row["failures"], min(offline_failures, TRIES))  # an answer that was lost is no second try
    shares, asked = _shares(row), _kept_as(auth)
    right = [n for n, share in enumerate(shares) if hmac.compare_digest(share.auth, asked)]
    if right and failures < TRIES:
        return await _opened(tx, me, phone, shares[: right[0] + 1])
    failures += not right
    if failures >= TRIES:
        await drop_shares(tx, me.school, phone)
        await looked(tx, me, "vault destroyed after wrong PINs", detail={"phone": phone})
        return NoVault()
    rests_until = now() + REST_S * SECOND if failures >= FREE_TRIES else 0
    await tx.run(
        "update vault set failures = $3, rests_until = $4 where school = $1 and phone = $2", me.school, phone, failures, rests_until
    )
    await looked(tx, me, "wrong PIN", detail={"phone": phone, "failures": failures})
    return WrongPin(left=TRIES - failures)


async def _opened(tx: Tx, me: Me, phone: str, shares: list[Share]) -> str:
    """The last of these; those made before it have served."""
    shares[-1].opened = True
    await tx.run(
        "update vault set shares = $3, failures = 0, rests_until = 0 where school = $1 and phone = $2", me.school, phone, _json(shares)
    )
    await looked(tx, me, "open vault", detail={"phone": phone})
    return shares[-1].share


async def _mine(tx: Tx, me: Me, phone: str) -> None:
    row = await tx.row(
        "select revoked_at from phone where school = $1 and id = $2 and staff = $3 and not is_desk", me.school, phone, me.staff
    )
    if row is None:
        raise NoVault
    if row["revoked_at"] is not None:
        raise PhoneRevoked


async def _locked(tx: Tx, me: Me, phone: str) -> Row | None:
    """Of two tries at one moment, the second counts on from the first."""
    return await tx.row(
        "update vault set failures = failures where school = $1 and phone = $2 returning shares, failures, rests_until", me.school, phone
    )


def _shares(row: Row) -> list[Share]:
    return msgspec.json.decode(row["shares"], type=list[Share])


def _json(shares: list[Share]) -> str:
    return msgspec.json.encode(shares).decode()


def _kept_as(auth: bytes) -> str:
    return hashlib.sha256(auth).hexdigest()


# ── What a school allows its phones ────────────────────────────────────────────────────────

# Where nothing is said, at least, at most.
LEASE_HOURS, HIDDEN_S, IDLE_S, TAKEN_ALONG_HOURS = (12, 0, 72), (60, 30, 600), (180, 60, 600), (24, 1, 24)


class Rules(msgspec.Struct):
    """How long a phone may be opened without the school, when it locks itself, and how long it keeps what was taken along."""

    lease_hours: int
    hidden_s: int
    idle_s: int
    taken_along_hours: int


async def rules_of(tx: Tx, school: str) -> Rules:
    vault = await said(tx, school, "vault")
    return Rules(
        within(vault.get("lease_hours"), *LEASE_HOURS),
        within(vault.get("hidden_s"), *HIDDEN_S),
        within(vault.get("idle_s"), *IDLE_S),
        within(vault.get("taken_along_hours"), *TAKEN_ALONG_HOURS),
    )


# ── What it keeps back from them ───────────────────────────────────────────────────────────

CONTACTS = "contacts"  # beside the names of kinds


async def keep_back(tx: Tx, school: str, offline: dict[str, list[str]]) -> None:
    """By role. The phones of a role for which it changes fill their store anew."""
    await numbers.lock(tx, school)  # before it is read: whoever decides at the same time waits
    before = await said(tx, school, "offline")
    await decide(tx, school, "offline", offline)
    changed = [role for role in {*before, *offline} if set(before.get(role, ())) != set(offline.get(role, ()))]
    await tx.run("update staff set rights = rights + 1 where school = $1 and role = any($2)", school, changed)
    await numbers.draw(tx, school, [numbers.NewStep("audience")])
