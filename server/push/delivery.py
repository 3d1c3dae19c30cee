"""The loop that hands alerts over to the phones' push services."""

import asyncio

_wake = asyncio.Event()


def look_soon() -> None:
    """Call it after a transaction that may have made an alert: it is handed over now, and not at the loop's next look."""
    _wake.set()
