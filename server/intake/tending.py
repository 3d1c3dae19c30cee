"""Looking after what is sealed: opening what waits, trying again what could not be opened, and letting go of what is long open."""

import msgspec

from server.intake import drafts
from server.intake.opening import open_sealed
from server.store.database import Tx, reading, writing
from server.store.me import Me
from server.store.moments import now

AT_ONCE = 100
KEPT_FOR = 30 * 24 * 3600 * 1_000_000  # µs: an opened one is a second source for so long
SHOWN = 200


class Unopened(msgspec.Struct, frozen=True):
    """What the school keeps and could not open: who sent it, and why. Nobody can say what is in it."""

    who: str
    phone: str
    what: str
    received_at: int
    why: str
    kid: str


async def tend() -> None:
    await open_all(again=True)
    await writing(sweep)


async def open_all(school: str | None = None, *, again: bool) -> None:
    """What waits to be opened, oldest first. `again`: also what could not be."""
    waiting = await reading(unopened_hashes, school, ["waiting", "unopened"] if again else ["waiting"])
    for owner, hashes in waiting.items():
        for first in range(0, len(hashes), AT_ONCE):
            await open_sealed(owner, hashes[first : first + AT_ONCE])


async def unopened_hashes(tx: Tx, school: str | None, outcomes: list[str]) -> dict[str, list[str]]:
    rows = await tx.rows(
        "select school, hash from sealed where outcome <> 'opened' and outcome = any($1) and ($2 = '' or school = $2)"
        " order by school, received_at, hash",
        outcomes,
        school or "",
    )
    found: dict[str, list[str]] = {}
    for owner, hash in rows:
        found.setdefault(owner, []).append(hash)
    return found


async def sweep(tx: Tx) -> None:
    await tx.run("delete from sealed where outcome = 'opened' and opened_at <= $1", now() - KEPT_FOR)
    await drafts.sweep(tx)


# ── For the desk ───────────────────────────────────────────────────────────────────────────


async def unopened(tx: Tx, me: Me) -> list[Unopened]:
    rows = await tx.rows(
        "select staff.name as who, coalesce(phone.name, '') as phone, sealed.what, sealed.received_at, sealed.why, sealed.kid"
        " from sealed join staff on staff.school = sealed.school and staff.id = sealed.staff"
        " left join phone on phone.school = sealed.school and phone.id = sealed.phone"
        f" where sealed.school = $1 and outcome = 'unopened' order by received_at desc, hash limit {SHOWN}",
        me.school,
    )
    return [Unopened(*row) for row in rows]


async def unopened_count(tx: Tx, school: str) -> int:
    row = await tx.row("select count(*) from sealed where school = $1 and outcome = 'unopened'", school)
    assert row is not None
    return int(row[0])
