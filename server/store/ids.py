"""Names for new things: UUIDv7, so that they sort by when they were made."""

import secrets
from collections.abc import Callable
from uuid import UUID, uuid5

from server.store.moments import now

OURS = UUID("6f1c1f0e-6a3b-4d0e-9a55-1a4e8b0c7d21")  # the space of the ids that we make from others

random_bits: Callable[[], int] = lambda: secrets.randbits(74)  # noqa: E731  the demo puts a seeded one here


def desk_of(school: str, staff: str) -> str:
    """The phone that a person at a desk is: always the same one."""
    return str(uuid5(OURS, f"desk/{school}/{staff}"))


def new_id() -> str:
    return id_at(now(), random_bits())


def id_at(moment: int, chance: int) -> str:
    """The id of a moment (µs since 1970) and 74 bits of chance."""
    millisecond = moment // 1000 & (1 << 48) - 1
    return str(UUID(int=millisecond << 80 | 0x7 << 76 | (chance >> 62 & 0xFFF) << 64 | 0b10 << 62 | chance & (1 << 62) - 1))
