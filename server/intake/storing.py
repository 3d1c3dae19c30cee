"""Storing first: what came is in the database, as it came, before anybody looks into it."""

from server.access.grants import Bearer
from server.intake.crate import Blob, Crate
from server.refusals import TooMany
from server.store.database import Tx

UNOPENED_LIMIT, UNOPENED_SIZE_LIMIT = 20_000, 200_000_000  # of one phone, in characters: a stolen grant must not fill the disk
TRY_AFTER_S = 3600

REVOKED = "this phone had been switched off"
LEFT = "its author had left the school"
UNKNOWN = "the school does not know this phone"
NO_ID = "it has no id"

UNOPENED = "select count(*), coalesce(sum(length(lay)), 0) from sealed where school = $1 and phone = $2 and outcome <> 'opened'"
KEEP = """
    insert into sealed (school, hash, staff, phone, edit, what, kid, lay, sent_at, received_at, review, outcome, why)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) on conflict (school, hash) do nothing"""


async def keep(tx: Tx, bearer: Bearer, crate: Crate, received_at: int) -> list[str]:
    """The hashes of all that came. A repeat is kept once; other bytes under the same id beside what was kept before."""
    me, review = bearer.me, why_look(bearer)
    row = await tx.row(UNOPENED, me.school, me.phone)
    if row is not None and (row[0] >= UNOPENED_LIMIT or row[1] >= UNOPENED_SIZE_LIMIT):
        raise TooMany(retry_after=TRY_AFTER_S)
    rows = {blob.hash(me.staff): blob for blob in crate.blobs}
    await tx.run_many(
        KEEP,
        [
            (
                me.school,
                hash,
                me.staff,
                me.phone,
                blob.id,
                blob.what,
                blob.kid,
                blob.lay,
                crate.sent_at,
                received_at,
                review,
                *as_stored(blob),
            )
            for hash, blob in rows.items()
        ],
    )
    return list(rows)


def why_look(bearer: Bearer) -> str | None:
    """Why somebody has to look at whatever this grant brings."""
    if bearer.revoked:
        return REVOKED
    if bearer.left:
        return LEFT
    return None if bearer.known else UNKNOWN


def as_stored(blob: Blob) -> tuple[str, str | None]:
    return ("waiting", None) if blob.id else ("unopened", NO_ID)
