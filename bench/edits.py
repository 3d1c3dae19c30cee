"""Edits of about 600 bytes of JSON each, for measuring: the same for the same seed."""

import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

WORDS = (
    *("corridor", "stairwell", "refused", "left", "class", "phone", "uniform", "shouted", "returned", "parent", "called"),
    *("lesson", "calm", "walked", "door", "agreed", "form", "tutor", "late", "yard", "bus", "gate"),
)
BEGAN = datetime(2026, 9, 1, 8, tzinfo=UTC)


def incidents(
    count: int, *, pupils: list[str], places: list[str], categories: list[str], phone: str, seed: int = 22, first: int = 1
) -> Iterator[dict]:
    """One new incident an edit, numbered from `first`, as one phone would have written them."""
    chance = random.Random(f"{seed}/{phone}")
    for number in range(first, first + count):
        made_at = BEGAN + timedelta(seconds=37 * number, milliseconds=chance.randint(0, 999))
        yield {
            "id": uuid7(chance, made_at),
            "phone": phone,
            "number": number,
            "record": uuid7(chance, made_at),
            "kind": "incident",
            "made_at": wire(made_at),
            "seen": None,
            "values": {
                "category": chance.choice(categories),
                "place": chance.choice(places),
                "pupils": {"put": {chance.choice(pupils): {"part": "responsible"}}, "drop": []},
                "account": " ".join(chance.choices(WORDS, k=34)),
            },
        }


def wire(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def uuid7(chance: random.Random, moment: datetime) -> str:
    milliseconds = int(moment.timestamp() * 1000)
    return str(uuid.UUID(int=milliseconds << 80 | 7 << 76 | chance.getrandbits(12) << 64 | 2 << 62 | chance.getrandbits(62)))
