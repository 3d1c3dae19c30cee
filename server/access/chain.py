"""The access log as a chain: each row is sealed to the one before, so whoever alters, removes or slips in a row is found out.

It is made in batches, outside the requests that write rows: one line of rows would make them wait for each other. What the chain
cannot show by itself, that its end was cut off or all of it made anew, shows beside its head as it was kept elsewhere (an anchor).
"""

import hashlib

import msgspec

from server.store import numbers
from server.store.database import Tx, reading, writing
from server.store.engines import Row

AT_ONCE = 5_000  # rows
LATE = 3600 * 1_000_000  # µs: how long after its moment a row may come to be committed
SAID = "school, id, at, staff, phone, what, pupil, record, detail"
NOTHING_BEFORE = "0" * 64

UNLINKED = f"""
    select {SAID} from audit where school = $1 and at >= $2 and not exists (select 1 from chain where chain.audit = audit.id)
    order by at, id limit {AT_ONCE}"""
LINKED = """
    select c.n, c.audit as link, c.hash, a.school, a.id, a.at, a.staff, a.phone, a.what, a.pupil, a.record, a.detail
    from chain c left join audit a on a.id = c.audit where c.school = $1 and c.n > $2 order by c.n limit $3"""


class Head(msgspec.Struct, frozen=True):
    """How long the chain is, and what its last link says of all before it."""

    n: int = 0
    hash: str = NOTHING_BEFORE


async def link_all(school: str) -> None:
    """Safe to repeat, and to be killed anywhere."""
    while await writing(link, school) == AT_ONCE:
        pass


async def link_every_school() -> None:
    for (school,) in await reading(lambda tx: tx.rows("select id from school order by id")):
        await link_all(school)


async def link(tx: Tx, school: str) -> int:
    """How many rows were added to the chain."""
    await numbers.lock(tx, school)  # one chain, one writer
    last = await tx.row("select n, hash from chain where school = $1 order by n desc limit 1", school)
    newest = await tx.row("select max(at) from (select at from chain where school = $1 order by n desc limit $2) late", school, AT_ONCE)
    n, hash = (last["n"], last["hash"]) if last else (0, NOTHING_BEFORE)
    since = newest[0] - LATE if newest and newest[0] is not None else 0
    links = []
    for row in await tx.rows(UNLINKED, school, since):
        n, hash = n + 1, sealed(hash, row)
        links.append((school, n, row["id"], row["at"], hash))
    await tx.run_many("insert into chain (school, n, audit, at, hash) values ($1, $2, $3, $4, $5)", links)
    return len(links)


def sealed(before: str, row: Row) -> str:
    said = msgspec.json.encode([row[name] for name in SAID.split(", ")])
    return hashlib.sha256(before.encode() + said).hexdigest()


# ── Proving it ─────────────────────────────────────────────────────────────────────────────


async def problems_with(tx: Tx, school: str, anchor: Head | None) -> tuple[list[str], Head]:
    """A line for whatever is not as it was written, by number and id; and the chain's head. `anchor`: a head of before, kept elsewhere."""
    lines: list[str] = []
    head, anchored = Head(), anchor is None or anchor.n == 0
    while rows := await tx.rows(LINKED, school, head.n, AT_ONCE):
        for row in rows:
            if row["n"] != head.n + 1:
                lines.append(f"Access log: rows {head.n + 1} to {row['n'] - 1} are gone from the chain.")
            elif row["id"] is None:
                lines.append(f"Access log: row {row['n']} ({row['link']}) was removed.")
            elif sealed(head.hash, row) != row["hash"]:
                lines.append(f"Access log: row {row['n']} ({row['link']}) was altered.")
            head = Head(row["n"], row["hash"])
            anchored = anchored or head == anchor
    if anchor is not None and head.n < anchor.n:
        lines.append(f"Access log: its end was cut off: it had {anchor.n} rows when it was anchored, and has {head.n}.")
    elif not anchored:
        lines.append("Access log: it is not the one that was anchored: its chain was made anew.")
    slipped_in = await tx.rows("select id from audit where school = $1 and id not in (select audit from chain where school = $1)", school)
    lines += [f"Access log: row {row['id']} was slipped in later." for row in slipped_in]
    return lines, head
