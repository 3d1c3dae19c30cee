"""With the school gone, a phone asks ever more seldom; a browser that believes itself online may not have it ask without end."""

import contextlib
import re
import signal
import socket
import threading
import time
from collections.abc import Iterator

from tests.journeys.handset import Handset
from tests.journeys.school import School
from tests.journeys.test_without_signal import ready, wait_until, write_an_incident

LOOKED_FOR_MS = 20_000
FIRST_PAUSE_MS = 2_000 / 2  # of which each is twice the one before, give or take half
AT_ONCE = 6  # opening the form, what was saved, its ten seconds of Undo, what was under way; alerts, which a browser asks of twice
UNDER_WAY = 4  # once it is saved


def test_a_phone_whose_school_is_gone_does_not_hammer_it(phone: Handset, school: School) -> None:
    ready(phone, "amira")
    school.stop(signal.SIGKILL)
    with listening(school.port) as asked:
        write_an_incident(phone)
        asked.clear()  # how much that is, is a matter of how far the page before had come
        began = time.monotonic()
        phone.page.wait_for_timeout(LOOKED_FOR_MS)
        looked_for_ms = (time.monotonic() - began) * 1000
        assert len(asked) <= most_within(looked_for_ms) + UNDER_WAY, asked
        wait_until(lambda: "/api/sync" in asked, phone.page)  # it does go on trying


def most_within(milliseconds: float) -> int:
    """How often somebody asks who makes each pause as short as it may be."""
    tries, pause, spent = 0, FIRST_PAUSE_MS, 0.0
    while (spent := spent + pause) <= milliseconds:
        tries, pause = tries + 1, pause * 2
    return tries


@contextlib.contextmanager
def listening(port: int) -> Iterator[list[str]]:
    """Takes every connection, notes what it asks of the school, and hangs up."""
    asked: list[str] = []
    door = socket.create_server(("127.0.0.1", port))

    def answer() -> None:
        with contextlib.suppress(OSError):  # the door was closed
            while True:
                caller, _ = door.accept()
                with caller, contextlib.suppress(OSError):
                    caller.settimeout(2)
                    asked.extend(re.findall(r"^\w+ (/api/\S*)", caller.recv(65_536).decode(errors="replace")))

    waiting = threading.Thread(target=answer)
    waiting.start()
    try:
        yield asked
    finally:
        door.shutdown(socket.SHUT_RDWR)
        door.close()
        waiting.join()
