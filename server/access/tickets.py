"""Tickets: what is asked of somebody (a challenge, a second factor) is signed and handed to them, so nothing is kept for strangers.

Each is good once, for one thing, for five minutes; only that it was used is remembered.
"""

import secrets

import msgspec

from server.access import base64url
from server.access.tokens import LEEWAY_S, claims_of, signed
from server.store.database import Tx, reading
from server.store.moments import now

SECOND = 1_000_000
LASTS_S = 5 * 60 - LEEWAY_S
CHALLENGE_BYTES = 32
TRIES = 5  # at one ticket, where what is asked for can be mistyped
USED_UP = 1_000


class Ticket(msgspec.Struct, frozen=True):
    id: str
    school: str
    staff: str  # empty: nobody in particular
    challenge: bytes
    stands_on: str = ""


async def new_ticket(tx: Tx, purpose: str, school: str = "", staff: str = "", stands_on: str = "") -> tuple[str, Ticket]:
    """`stands_on`: what must still be so when it is used, as a hash. Wants a writing transaction."""
    challenge = secrets.token_bytes(CHALLENGE_BYTES)
    id = secrets.token_urlsafe(16)
    ends = now() // SECOND + LASTS_S
    token = await signed(tx, purpose, school, staff, ends_at_s=ends, id=id, challenge=base64url.write(challenge), stands_on=stands_on)
    return token, Ticket(id, school, staff, challenge, stands_on)


async def read_ticket(token: str, purpose: str) -> Ticket | None:
    """None where it is none of ours, for something else, or over."""
    claims = await claims_of(token, purpose, "challenge", "stands_on")
    challenge = base64url.read(claims["challenge"]) if claims else None
    return Ticket(claims["jti"], claims["iss"], claims["sub"], challenge, claims["stands_on"]) if claims and challenge else None


async def is_good(token: str, purpose: str) -> bool:
    """Whether there is another try at it."""
    ticket = await read_ticket(token, purpose)
    row = await reading(lambda tx: tx.row("select tries from ticket where id = $1", ticket.id)) if ticket else None
    return ticket is not None and (row is None or row["tries"] < TRIES)


async def use(tx: Tx, ticket: Ticket, *, up: bool) -> bool:
    """Whether it was still good. `up`: it is good for nothing more, whatever comes of this."""
    await tx.run("delete from ticket where ends_at < $1", now())
    row = await tx.row(
        "insert into ticket (id, tries, ends_at) values ($1, $2, $3) on conflict (id) do update set tries = ticket.tries + $2"
        " returning tries",
        ticket.id, USED_UP if up else 1, now() + 2 * (LASTS_S + 2 * LEEWAY_S) * SECOND,
    )  # fmt: skip
    assert row is not None
    tries: int = row["tries"]
    return tries <= USED_UP + TRIES - 1 if up else tries <= TRIES
