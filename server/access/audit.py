"""Who looked at what, and who changed what is not a record. Rows are only ever added."""

from collections.abc import Mapping
from typing import Any

import msgspec

from server.store.database import Tx, reading, writing
from server.store.ids import new_id
from server.store.me import Me
from server.store.moments import now

ADD = """insert into audit (id, school, at, staff, phone, what, pupil, record, detail) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)"""


async def looked(
    tx: Tx, me: Me, what: str, *, pupil: str | None = None, record: str | None = None, detail: Mapping[str, Any] | None = None
) -> None:
    """Notes that I looked at, or did, something: `what` in the words the access log shows. Ids and counts only in `detail`."""
    noted = msgspec.json.encode(detail or {}).decode()
    await tx.run(ADD, new_id(), me.school, now(), me.staff, me.phone, what, pupil, record, noted)


STILL_OPEN = 12 * 3600 * 1_000_000  # µs: no desk stays signed in longer
KNOWN = """
    select 1 from audit where school = $1 and staff = $2 and at > $3 and what = $4
    and coalesce(pupil, '') = $5 and coalesce(record, '') = $6 limit 1"""


async def still_looks(me: Me, what: str, *, pupil: str | None = None, record: str | None = None) -> None:
    """For a page that says it draws itself again: no new looking, but anybody can say so, and then it is noted like any other."""
    since = now() - STILL_OPEN
    known = await reading(lambda tx: tx.row(KNOWN, me.school, me.staff, since, what, pupil or "", record or ""))
    if known is None:
        await writing(lambda tx: looked(tx, me, what, pupil=pupil, record=record))
