"""What a school has decided for itself: one JSON object in its row, a part of it for each thing that can be decided."""

from typing import Any

import msgspec

from server.store import numbers
from server.store.database import Tx


async def said(tx: Tx, school: str, part: str) -> dict[str, Any]:
    """That part as it was decided; empty where nothing was, or nothing that can be read."""
    found = (await _all(tx, school)).get(part)
    return found if isinstance(found, dict) else {}


async def decide(tx: Tx, school: str, part: str, says: dict[str, Any]) -> None:
    """Whoever decides something at the same time waits."""
    await numbers.lock(tx, school)
    settings = await _all(tx, school) | {part: says}
    await tx.run("update school set settings = $2 where id = $1", school, msgspec.json.encode(settings).decode())


def within(said: Any, otherwise: int, least: int, most: int) -> int:
    return max(least, min(said, most)) if type(said) is int else otherwise


async def _all(tx: Tx, school: str) -> dict[str, Any]:
    row = await tx.row("select settings from school where id = $1", school)
    assert row is not None
    found: dict[str, Any] = msgspec.json.decode(row["settings"])
    return found
