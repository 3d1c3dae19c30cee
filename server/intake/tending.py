"""Looking after what is sealed: opening what waits, trying again what could not be opened, and letting go of what is long open."""

import msgspec

from server.intake import copies, drafts
from server.intake.opening import open_sealed
from server.store.database import Tx, reading, writing
from server.store.me import Me
from server.store.moments import now

AT_ONCE, AT_ONCE_SIZE = 100, 4_000_000  # opened together: things; characters, but one at least
KEPT_FOR = 30 * 24 * 3600 * 1_000_000  # µs: an opened one is a second source for so long
LONG = 3600 * 1_000_000  # µs: whoever looks after the school is told of what waits longer
SHOWN = 200

WAITS = "it waits to be opened; the school tries every quarter of an hour"


class Unopened(msgspec.Struct, frozen=True):
    """What the school keeps and could not open: who sent it, and why. Nobody can say what is in it."""

    who: str
    phone: str
    what: str
    received_at: int
    why: str
    kid: str
    hash: str

    @property
    def number(self) -> str:
        """By which the log names it."""
        return self.hash[:12]


async def begin() -> None:
    """As the server starts: a key may have been put back meanwhile, or its passphrase."""
    await open_all(again=True)
    await writing(sweep)


async def tend() -> None:
    """Now and then: what was stored, and never opened. What could not be opened an hour ago can be no more now."""
    await open_all(again=False)
    await writing(sweep)


async def open_all(school: str | None = None, *, again: bool) -> None:
    """What waits to be opened, oldest first. `again`: also what could not be."""
    outcomes = ["waiting", "unopened"] if again else ["waiting"]
    for owner in [school] if school else await reading(schools):
        after = (0, "")
        while some := await reading(next_some, owner, outcomes, after):
            await open_sealed(owner, [hash for _, hash in some])
            after = some[-1]


async def schools(tx: Tx) -> list[str]:
    return [row[0] for row in await tx.rows("select id from school order by id")]


NEXT = f"""
    select received_at, hash, size from sealed where school = $1 and outcome <> 'opened' and outcome = any($2)
    and (received_at > $3 or (received_at = $3 and hash > $4)) order by received_at, hash limit {AT_ONCE}"""


async def next_some(tx: Tx, school: str, outcomes: list[str], after: tuple[int, str]) -> list[tuple[int, str]]:
    """When each came, and its hash: no more than may be held in memory together."""
    some: list[tuple[int, str]] = []
    room = AT_ONCE_SIZE
    for received_at, hash, size in await tx.rows(NEXT, school, outcomes, *after):
        room -= size
        if some and room < 0:
            break
        some.append((received_at, hash))
    return some


async def sweep(tx: Tx) -> None:
    await tx.run("delete from sealed where outcome = 'opened' and opened_at <= $1", now() - KEPT_FOR)
    await drafts.sweep(tx)
    await copies.sweep(tx)


# ── For the desk, and for whoever runs the server ──────────────────────────────────────────

NOT_OPENED = "sealed.outcome <> 'opened' and (sealed.outcome = 'unopened' or sealed.received_at <= $2)"


async def unopened(tx: Tx, me: Me) -> list[Unopened]:
    rows = await tx.rows(
        "select staff.name as who, coalesce(phone.name, '') as phone, sealed.what, sealed.received_at, sealed.why, sealed.kid, sealed.hash"
        " from sealed join staff on staff.school = sealed.school and staff.id = sealed.staff"
        " left join phone on phone.school = sealed.school and phone.id = sealed.phone"
        f" where sealed.school = $1 and {NOT_OPENED} order by received_at desc, hash limit {SHOWN}",
        me.school,
        now() - LONG,
    )
    return [Unopened(who, phone, what, at, why or WAITS, kid, hash) for who, phone, what, at, why, kid, hash in rows]


async def unopened_count(tx: Tx, school: str) -> int:
    """What could not be opened, and what has waited long."""
    return sum(await not_opened(tx, school))


async def not_opened(tx: Tx, school: str) -> tuple[int, int]:
    """How many could not be opened, and how many have waited long to be."""
    row = await tx.row(
        f"select count(*), count(*) filter (where outcome = 'unopened') from sealed where school = $1 and {NOT_OPENED}",
        school,
        now() - LONG,
    )
    assert row is not None
    return row[1], row[0] - row[1]
