"""Storing first: what came is in the database, as it came, before anybody looks into it."""

from collections.abc import Mapping

from server.access.grants import Bearer
from server.intake.crate import Blob, Crate
from server.refusals import TooMuch
from server.store.database import Tx
from server.store.me import Me

# Of one phone, opened or not, so that a stolen grant does not fill the disk. A phone that was away for a year brings less.
A_DAY, A_DAY_SIZE = 20_000, 100_000_000  # things; characters
ALTOGETHER, ALTOGETHER_SIZE = 50_000, 300_000_000  # of what is kept: what was opened is let go after thirty days
DAY = 24 * 3600 * 1_000_000  # µs
TRY_AFTER_S = 3600

REVOKED = "this phone had been switched off"
LEFT = "its author had left the school"
UNKNOWN = "the school does not know this phone"
NO_ID = "it has no id"

KNOWN = "select hash from sealed where school = $1 and hash = any($2)"
BROUGHT = """
    select count(*), coalesce(sum(size), 0),
           count(*) filter (where received_at > $3), coalesce(sum(size) filter (where received_at > $3), 0)
    from sealed where school = $1 and phone = $2"""
KEEP = """
    insert into sealed (school, hash, staff, phone, edit, what, kid, lay, size, sent_at, received_at, review, taken_by, outcome, why)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) on conflict (school, hash) do nothing"""


async def keep(tx: Tx, bearer: Bearer, crate: Crate, received_at: int) -> Crate:
    """All of it, kept. A repeat is kept once; other bytes under the same id beside what was kept before.

    Where the phone has brought its fill, nothing more is kept: only what is here already; raises TooMuch where that is nothing.
    """
    me = bearer.me
    rows = {blob.hash(me.staff): blob for blob in crate.blobs}
    known = {row[0] for row in await tx.rows(KNOWN, me.school, list(rows))}
    new = {hash: blob for hash, blob in rows.items() if hash not in known}
    if new and not await has_room(tx, me, received_at):
        return here_already(crate, {blob.id for blob in new.values()})
    await store(tx, me, new, received_at, sent_at=crate.sent_at, review=why_look(bearer))
    return crate


def here_already(crate: Crate, left: set[str]) -> Crate:
    here = [blob for blob in crate.blobs if blob.id and blob.id not in left]
    if not here:
        raise TooMuch(retry_after=TRY_AFTER_S)
    return Crate(crate.sent_at, here)


async def has_room(tx: Tx, me: Me, at: int) -> bool:
    row = await tx.row(BROUGHT, me.school, me.phone, at - DAY)
    assert row is not None
    return all(brought < most for brought, most in zip(row, (ALTOGETHER, ALTOGETHER_SIZE, A_DAY, A_DAY_SIZE), strict=True))


async def store(
    tx: Tx, me: Me, blobs: Mapping[str, Blob], at: int, *, sent_at: int | None, review: str | None, taken_by: str | None = None
) -> None:
    """By their hashes."""
    await tx.run_many(
        KEEP,
        [
            (
                me.school, hash, me.staff, me.phone, blob.id, blob.what, blob.kid, blob.lay, len(blob.lay), sent_at, at, review, taken_by,
                *as_stored(blob),
            )
            for hash, blob in blobs.items()
        ],
    )  # fmt: skip


def why_look(bearer: Bearer) -> str | None:
    """Why somebody has to look at whatever this grant brings."""
    if bearer.revoked:
        return REVOKED
    if bearer.left:
        return LEFT
    return None if bearer.known else UNKNOWN


def as_stored(blob: Blob) -> tuple[str, str | None]:
    return ("waiting", None) if blob.id else ("unopened", NO_ID)
