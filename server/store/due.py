"""What is due and when: rows that are written in the transaction that causes them, and taken by the one loop of oncall/steps.py."""

from typing import Any

import msgspec

from server.store.database import Tx
from server.store.ids import new_id

ADD = "insert into due_step (id, school, at, does, about, more, not_before) values ($1, $2, $3, $4, $5, $6, $3)"

# One row for all the moves of one record: whoever takes it sees them all. It waits for whoever takes it just now, and is then due again.
STIR = (
    "insert into due_step (id, school, at, does, about, not_before) values ($1, $2, $3, $4, $5, $3)"
    " on conflict (id) do update set at = excluded.at, not_before = excluded.not_before, tries = 0, taken_at = null, late = false"
)


async def due(tx: Tx, school: str, at: int, does: str, about: str, **more: Any) -> str:
    """Once it is `at` (µs), what `does` names is done about this, once. `more` is given to it. Its id."""
    id = new_id()
    await tx.run(ADD, id, school, at, does, about, msgspec.json.encode(more).decode())
    return id


async def drop_due(tx: Tx, school: str, about: str, *does: str) -> None:
    """What waits of these is not done any more. What is being done this very moment still is: it must look how things stand itself."""
    locked = " for update skip locked" if tx.engine == "postgres" else ""  # or the two would wait for each other
    await tx.run(
        "delete from due_step where id in (select id from due_step where school = $1 and about = $2 and taken_at is null"
        f" and does = any($3){locked})",
        school,
        about,
        list(does),
    )


def stirring(school: str, record: str, does: str, at: int) -> tuple[Any, ...]:
    """A row for STIR: a record that something watches has moved."""
    return (move_of(school, does, record), school, at, does, record)


def move_of(school: str, does: str, record: str) -> str:
    return f"{does}/{school}/{record}"


async def hold_move(tx: Tx, school: str, does: str, record: str) -> None:
    """Before what it is about is held, by whoever is going to move the record: whoever takes the step holds them in that order."""
    if tx.engine == "postgres":
        await tx.row("select 1 from due_step where id = $1 for update", move_of(school, does, record))
