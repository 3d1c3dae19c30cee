"""The installation's own key, by which a push service knows who sends (VAPID, RFC 8292). A phone subscribes under one and no other."""

import time
from functools import lru_cache
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from py_vapid import Vapid02

from server.access.keys import new_key, opened, raw, signing_key
from server.settings import Settings
from server.store.database import Tx, reading, writing
from server.store.moments import now

PUSH = "lanyard:push"
HOURS = 12  # that a signature is good for; a push service takes no more than 24
NOBODY = "mailto:nobody@localhost"
NEWEST = "select id, public from key where purpose = $1 and retired_at is null order by made_at desc, id desc limit 1"


async def key_in_use() -> tuple[str, str]:
    """Its id, and the public half as browsers want it. Phones subscribe under this one from their next open on."""
    known = await reading(_newest)
    return await writing(_made) if known is None else known


async def _newest(tx: Tx) -> tuple[str, str] | None:
    row = await tx.row(NEWEST, PUSH)
    return (row["id"], raw(_read(row["public"]))) if row else None


async def _made(tx: Tx) -> tuple[str, str]:
    id, private = await signing_key(tx, PUSH)
    return id, raw(private.public_key())


async def new_push_key(tx: Tx) -> int:
    """How many phones go on being rung under the old ones, until each has opened the app again."""
    await new_key(tx, PUSH)
    row = await tx.row("select count(*) from subscription where retired_at is null")
    return int(row[0]) if row else 0


async def known(tx: Tx, public: str) -> str | None:
    """The id of the key in use, if this is its public half."""
    newest = await _newest(tx)
    return newest[0] if newest and newest[1] == public else None


async def retire_unused(tx: Tx) -> None:
    """Keys under which no phone is subscribed any more, and none will be."""
    newest = await _newest(tx)
    await tx.run(
        "update key set retired_at = $3 where purpose = $1 and id <> $2 and retired_at is null"
        " and not exists (select 1 from subscription s where s.key = key.id and s.retired_at is null)",
        PUSH, newest[0] if newest else "", now(),
    )  # fmt: skip


def _read(pem: str) -> EllipticCurvePublicKey:
    key = load_pem_public_key(pem.encode())
    assert isinstance(key, EllipticCurvePublicKey)
    return key


# ── Signing ────────────────────────────────────────────────────────────────────────────────


def authorization(private: str, origin: str, contact: str) -> str:
    """The header that says who sends. Raises Locked, where the passphrase does not open this key."""
    return _signed(private, origin, contact, int(time.time()) // (HOURS * 1800))  # a new one when half its time is over


@lru_cache(200)
def _signed(private: str, origin: str, contact: str, turn: int) -> str:
    claims = {"aud": origin, "sub": contact, "exp": (turn + 2) * HOURS * 1800}
    header: str = Vapid02(opened(private)).sign(claims)["Authorization"]
    return header


def contact_of(settings: Settings) -> str:
    """Whom a push service may write to. Apple's wants one, and takes no port."""
    if settings.push_contact:
        return settings.push_contact
    return f"https://{urlsplit(settings.origins[0]).hostname}" if settings.secure else NOBODY
