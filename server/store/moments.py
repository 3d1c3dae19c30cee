"""Moments: whole microseconds since 1970 in UTC inside, ISO text on the wire."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def _wall_clock() -> int:
    return time.time_ns() // 1000


_clock = _wall_clock


def now() -> int:
    return _clock()


def set_clock(clock: Callable[[], int] | None) -> None:
    """For tests and the demo: what `now()` answers, in microseconds. None: the machine's own clock again."""
    global _clock
    _clock = clock or _wall_clock


def to_wire(moment: int) -> str:
    """`2026-11-21T08:02:11.120Z`. What is finer than a millisecond is dropped."""
    return (EPOCH + moment // 1000 * 1000 * MICROSECOND).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_wire(text: str) -> int | None:
    """None where it cannot be read, or does not say which zone it is in."""
    try:
        moment = datetime.fromisoformat(text)
        return None if moment.tzinfo is None else (moment - EPOCH) // MICROSECOND
    except (ValueError, OverflowError):
        return None
