"""A hint that something moved, while somebody looks. Never data: whoever hears it asks for what is new in the usual way.

The counter of each school that is listened to is read once a second, so it does not matter which process took an edit in.
"""

import asyncio
import contextlib
import logging
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

from litestar import Request, get
from litestar.response import Stream

from server.access.rights import signed_in
from server.access.sessions import find
from server.store.database import reading

LOOK_EVERY_S = 1.0
PING_EVERY_S = 20.0  # proxies hang up on silence; and whether I am still signed in is asked again
HINT, PING = b"event: moved\ndata: moved\n\n", b": still here\n\n"

log = logging.getLogger("lanyard.live")


class Hub:
    """Who is listening in this process. One reader of counters, however many they are."""

    def __init__(self) -> None:
        self.listeners: dict[str, set[asyncio.Event]] = defaultdict(set)
        self.last: dict[str, int] = {}  # the counter as read last, by school
        self.closing = False
        self.looking: asyncio.Task[None] | None = None
        self.soon = asyncio.Event()

    def look_soon(self) -> None:
        """Something was just written here: do not wait out the second."""
        self.soon.set()

    def close(self) -> None:
        """Ends every stream. Safe to repeat, and from a signal's handler."""
        self.closing = True
        for waiting in self.listeners.values():
            for moved in waiting:
                moved.set()
        self.soon.set()

    @contextlib.contextmanager
    def listening(self, school: str) -> Any:
        moved = asyncio.Event()
        self.listeners[school].add(moved)
        if school in self.last:
            moved.set()
        else:
            self.look_soon()
        if self.looking is None or self.looking.done():
            self.looking = asyncio.create_task(self._look())
        try:
            yield moved
        finally:
            self.listeners[school].discard(moved)
            if not self.listeners[school]:
                del self.listeners[school]
                self.last.pop(school, None)

    async def _look(self) -> None:
        while self.listeners and not self.closing:
            try:
                for school, seq in await reading(lambda tx: tx.rows(COUNTERS, list(self.listeners))):
                    if self.last.get(school) != seq:  # also when it is first read: that is everybody's first hint
                        self.last[school] = seq
                        for moved in self.listeners.get(school, ()):
                            moved.set()
            except Exception as error:  # whatever it was, those who listen now must hear of the next move
                log.warning("the counters could not be read (%s); trying again", type(error).__name__)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.soon.wait(), LOOK_EVERY_S)
            self.soon.clear()


COUNTERS = "select school, seq from counter where school = any($1)"


@get("/api/live", guards=[signed_in])
async def listen(request: Request[Any, Any, Any]) -> Stream:
    hub: Hub = request.app.state.hub
    return Stream(hints(hub, request.state.me.school, request.state.token), media_type="text/event-stream")


async def hints(hub: Hub, school: str, token: str) -> AsyncIterator[bytes]:
    """Begins with a hint, as soon as what comes after it cannot be missed. Ends when I am signed out, or the server goes down."""
    with hub.listening(school) as moved:
        asked_at = time.monotonic()
        while not hub.closing:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(moved.wait(), PING_EVERY_S)
            if time.monotonic() - asked_at >= PING_EVERY_S:  # also while so much moves that it is never silent
                if (await find(token, in_use=False)).me is None:
                    return
                asked_at = time.monotonic()
            has_moved = moved.is_set()
            moved.clear()
            if not hub.closing:
                yield HINT if has_moved else PING
