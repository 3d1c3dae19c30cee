"""Recovered drafts: what somebody was typing on a phone that they can no longer open. Theirs alone, for thirty days."""

from typing import Any

import msgspec
from msgspec import Raw

from server.access.audit import looked
from server.store.database import Tx
from server.store.me import Me
from server.store.moments import now, to_wire
from server.sync.letter import DEPTH_LIMIT, deeper_than, mend, read_moment
from server.sync.unsealed import written_from

KEPT_FOR = 30 * 24 * 3600 * 1_000_000  # µs
SHOWN = 200


class Recovered(msgspec.Struct):
    id: str
    draft: Raw
    received_at: str


async def keep(tx: Tx, me: Me, id: str, plain: bytes, made_at: Any, received_at: int) -> bool:
    """The later of two stands. False where it is no draft."""
    if deeper_than(DEPTH_LIMIT, plain):
        return False
    try:
        draft = mend(plain).decode()
        msgspec.json.decode(draft, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    await tx.run(
        "insert into draft (school, staff, id, draft, made_at, received_at) values ($1, $2, $3, $4, $5, $6)"
        " on conflict (school, staff, id) do update set draft = excluded.draft, made_at = excluded.made_at,"
        " received_at = excluded.received_at where excluded.made_at >= draft.made_at",
        me.school, me.staff, id, draft, read_moment(made_at) or received_at, received_at,
    )  # fmt: skip
    return True


async def recovered(tx: Tx, me: Me) -> list[Recovered]:
    """Mine whose edit never came, newest first."""
    rows = await tx.rows(
        "select id, draft, received_at from draft where school = $1 and staff = $2 and received_at > $3"
        f" order by received_at desc, id limit {SHOWN}",
        me.school, me.staff, now() - KEPT_FOR,
    )  # fmt: skip
    about = {row["id"]: str(msgspec.json.decode(row["draft"]).get("record", "")) for row in rows}
    written = await written_from(tx, me, about) if about else set()
    found = [Recovered(row["id"], Raw(row["draft"].encode()), to_wire(row["received_at"])) for row in rows if row["id"] not in written]
    if found:
        await looked(tx, me, "recovered drafts", detail={"drafts": len(found)})
    return found


async def forget(tx: Tx, me: Me, id: str) -> None:
    """Safe to repeat."""
    await tx.run("delete from draft where school = $1 and staff = $2 and id = $3", me.school, me.staff, id)


async def sweep(tx: Tx) -> None:
    await tx.run("delete from draft where received_at <= $1", now() - KEPT_FOR)
