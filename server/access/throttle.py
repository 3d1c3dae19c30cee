"""Slows guessing down, without letting anybody lock a teacher out.

Three lanes, all in the database, so that several processes count together. A try from a phone or desk that has signed in
as this person before is counted in that device's own lane; a stranger's, in the account's lane and in that of all strangers
at the account's school. Pupils guessing at a teacher's password so make other strangers at their school wait, never the
teacher's own phone, nor another school. A lane is never an address: a school sits behind one.
"""

import hashlib
import secrets
from typing import NamedTuple

from server.refusals import TooMany
from server.store.database import Tx

SECOND = 1_000_000  # moments are microseconds
FREE_TRIES = 5
LONGEST_WAIT_S = 15 * 60
FORGOTTEN_AFTER_S = 24 * 3600  # a lane nobody failed in for a day starts afresh
KNOWN_TRIES = 20  # then a device is a stranger again
STRANGERS_A_MINUTE = 60  # failures, by all strangers at one school together
KNOWN_FOR_S = 400 * 24 * 3600

# Each answers only when whoever counts in that lane has committed: a number read before its lock is one that others count from too.
LOCK = "update attempt set failures = failures where key = $1 returning failures, failed_at, free_at"
LOCK_STRANGERS = """
    insert into attempt (key, failures, failed_at, free_at) values ($1, 0, $2, 0)
    on conflict (key) do update set failures = attempt.failures returning failures, free_at"""
TAKE = """
    insert into attempt (key, failures, failed_at, free_at) values ($1, $2, $3, $4)
    on conflict (key) do update set failures = excluded.failures, failed_at = excluded.failed_at, free_at = excluded.free_at"""


def lane_of(username: str) -> str:
    return "account:" + _digest(username)


def known_lane(username: str, device: str) -> str:
    """`device`: the long-lived cookie given at the last good sign-in. It proves nothing but that there was one."""
    return "known:" + _digest(f"{device}\0{username}")


def new_device() -> str:
    return secrets.token_urlsafe(24)


def handset_of(device: str) -> str:
    """As it is kept: whoever reads the database cannot pass for that device."""
    return _digest("handset\0" + device)


class Try(NamedTuple):
    lane: str  # in which it was counted
    rest_s: int = 0  # how long this device has to wait: it is let in with the right password, and hears of nothing else


async def take_a_try(tx: Tx, username: str, device: str | None, now: int) -> Try:
    """Counts a try as failed before it is judged, so that a hundred at once count as a hundred.

    Raises TooMany while a stranger's lane rests. A refused try does not lengthen the rest.
    """
    if device is not None:
        lane = known_lane(username, device)
        known = await tx.row(LOCK, lane)
        if known is not None and known["failures"] < KNOWN_TRIES:
            await tx.run(TAKE, lane, known["failures"] + 1, now, max(known["free_at"], now + rest_after(known["failures"] + 1) * SECOND))
            return Try(lane, _left(known["free_at"], now))
    await _count_stranger(tx, await strangers_lane(tx, username), now)
    lane = lane_of(username)
    row = await tx.row(LOCK, lane)
    if row is None or row["failed_at"] < now - FORGOTTEN_AFTER_S * SECOND:
        await _count(tx, lane, 0, 0, now)
    else:
        await _count(tx, lane, row["failures"], row["free_at"], now)
    return Try(lane)


async def strangers_lane(tx: Tx, username: str) -> str:
    """Of the account's school. A name of nobody's falls to one of the schools, always the same, so that waiting tells it from no other."""
    row = await tx.row("select school from staff where username = $1", username)
    if row is None:
        schools = await tx.rows("select id from school order by id")
        row = schools[int(_digest(username), 16) % len(schools)] if schools else ("",)
    return f"strangers:{row[0]}"


async def forgive(tx: Tx, username: str, lane: str, device: str, now: int) -> None:
    """The pair was right: the lane starts afresh, and this device is known from now on."""
    if lane == lane_of(username):  # first the strangers', then the account's: the order in which a try takes them
        strangers = await strangers_lane(tx, username)
        await tx.run("update attempt set failures = failures - 1 where key = $1 and failures > 0", strangers)
    await tx.run("delete from attempt where key = $1", lane)
    await know(tx, username, device, now)


async def know(tx: Tx, username: str, device: str, now: int) -> None:
    """This device has signed in as this person."""
    await tx.run(
        "insert into attempt (key, failures, failed_at, free_at) values ($1, 0, $2, 0) on conflict (key) do nothing",
        known_lane(username, device),
        now,
    )


async def forget(tx: Tx, username: str) -> None:
    """Nobody waits for this account any more: its password was just set by somebody who may."""
    await tx.run("delete from attempt where key = $1", lane_of(username))


CODES_A_MINUTE = 10  # failures, in one of their lanes


async def take_a_code(tx: Tx, typed: str, now: int) -> None:
    """Raises TooMany. Nobody is named in a pairing code, so those that begin with the same two letters share a lane: a stranger
    who tries them stops the few codes of one lane, and would have to try eighty a second to stop them all.
    """
    await _count_stranger(tx, _codes_lane(typed), now, CODES_A_MINUTE)


async def forgive_code(tx: Tx, typed: str) -> None:
    await tx.run("update attempt set failures = failures - 1 where key = $1 and failures > 0", _codes_lane(typed))


def _codes_lane(typed: str) -> str:
    return f"codes:{typed[:2]}"


async def sweep(tx: Tx, now: int) -> None:
    """Lets go of lanes that no longer say anything."""
    await tx.run(
        "delete from attempt where failed_at < $1 and key like 'account:%' or failed_at < $2",
        now - FORGOTTEN_AFTER_S * SECOND,
        now - KNOWN_FOR_S * SECOND,
    )


def rest_after(failures: int) -> int:
    """Seconds. 0 for the first tries, then 1, 2, 4 … up to a quarter of an hour."""
    return 0 if failures < FREE_TRIES else min(2 ** min(failures - FREE_TRIES, 30), LONGEST_WAIT_S)


async def _count(tx: Tx, lane: str, failures: int, free_at: int, now: int) -> None:
    if free_at > now:
        raise TooMany(retry_after=_left(free_at, now))
    await tx.run(TAKE, lane, failures + 1, now, now + rest_after(failures + 1) * SECOND)


def _left(free_at: int, now: int) -> int:
    """Seconds, the last begun one whole."""
    return max(0, -(-(free_at - now) // SECOND))


async def _count_stranger(tx: Tx, lane: str, now: int, at_most: int = STRANGERS_A_MINUTE) -> None:
    """`free_at` of this lane is the minute being counted."""
    row = await tx.row(LOCK_STRANGERS, lane, now)
    assert row is not None  # it is there now
    started = now - now % (60 * SECOND)
    failures = row["failures"] if row["free_at"] == started else 0
    if failures >= at_most:
        raise TooMany(retry_after=60 - (now - started) // SECOND)
    await tx.run(TAKE, lane, failures + 1, now, started)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
