"""A school's numbers: dense, drawn under one lock, so commit order is number order and no reader sees 7 before 6."""

import re
import secrets
from collections.abc import Callable, Sequence

import msgspec

from server.store.database import Tx
from server.store.moments import now

MARK_BITS = 64
WRITTEN = re.compile(r"([1-9][0-9]{0,17})\.([0-9a-f]{16})", re.ASCII)

random_bits: Callable[[], int] = lambda: secrets.randbits(MARK_BITS)  # noqa: E731  the demo and tests put a seeded one here


class NewStep(msgspec.Struct, frozen=True):
    what: str  # taken, held, settled, forgotten, people, lists, audience
    record: str | None = None
    edit: str | None = None


class Place(msgspec.Struct, frozen=True):
    """A place in history. The mark tells it from the same number drawn again after a backup was put back."""

    seq: int
    mark: int  # signed, as both engines keep it

    def __str__(self) -> str:
        return f"{self.seq}.{self.mark % 2**MARK_BITS:016x}"


def read_place(text: str) -> Place | None:
    """None where it is none of ours."""
    if found := WRITTEN.fullmatch(text):
        return Place(int(found[1]), _signed(int(found[2], 16)))
    return None


async def lock(tx: Tx, school: str) -> int:
    """Holds the school until the transaction ends, and answers the last number it drew. Call it before any other statement."""
    return await _draw(tx, school, 0)


async def draw(tx: Tx, school: str, steps: Sequence[NewStep]) -> list[Place]:
    """A place for each step, in the order given."""
    if not steps:
        return []
    at, marks = now(), [_signed(random_bits()) for _ in steps]
    if tx.engine == "postgres":
        rows = await tx.rows(
            DRAW_AND_STEP, school, len(steps), marks, [step.record for step in steps], [step.edit for step in steps],
            [step.what for step in steps], at,
        )  # fmt: skip
        return [Place(*row) for row in rows]
    last = await _draw(tx, school, len(steps))
    places = [Place(seq, mark) for seq, mark in enumerate(marks, last - len(steps) + 1)]
    await tx.run_many(
        "insert into step (school, seq, mark, record, edit, what, at) values ($1, $2, $3, $4, $5, $6, $7)",
        [(school, place.seq, place.mark, step.record, step.edit, step.what, at) for place, step in zip(places, steps, strict=True)],
    )
    return places


async def _draw(tx: Tx, school: str, how_many: int) -> int:
    counter = await tx.row(DRAW, school, how_many)
    assert counter is not None
    return int(counter[0])


DRAW = "insert into counter (school, seq) values ($1, $2) on conflict (school) do update set seq = counter.seq + excluded.seq returning seq"

# In one round trip, which SQLite can neither do nor needs.
DRAW_AND_STEP = (
    f"with drawn as ({DRAW}), stepped as ("
    "  insert into step (school, seq, mark, record, edit, what, at)"
    "  select $1, drawn.seq - $2 + new.n, new.mark, new.record, new.edit, new.what, $7 from drawn,"
    "  unnest($3::bigint[], $4::text[], $5::text[], $6::text[]) with ordinality as new (mark, record, edit, what, n)"
    "  returning seq, mark"
    ") select seq, mark from stepped order by seq"
)


def _signed(bits: int) -> int:
    return bits - 2**MARK_BITS if bits >= 2 ** (MARK_BITS - 1) else bits
