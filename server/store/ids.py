"""Names for new things: UUIDv7, so that they sort by when they were made."""

import secrets
from uuid import UUID

from server.store.moments import now


def new_id() -> str:
    return id_at(now(), secrets.randbits(74))


def id_at(moment: int, chance: int) -> str:
    """The id of a moment (µs since 1970) and 74 bits of chance."""
    millisecond = moment // 1000 & (1 << 48) - 1
    return str(UUID(int=millisecond << 80 | 0x7 << 76 | (chance >> 62 & 0xFFF) << 64 | 0b10 << 62 | chance & (1 << 62) - 1))
