"""A cursor: how far one person's phone has read, in a form that only the school can read back."""

import hashlib
import re

import msgspec

from server.store.me import Me
from server.store.numbers import Place, read_place

START = "0.0000000000000000"
WRITTEN = re.compile(
    r"([0-9]+\.[0-9a-f]{16})\.([0-9]{1,18})\.([0-9]+\.[0-9a-f]{16})\.([0-9a-f]{16})(?:\.([0-9]+\.[0-9a-f]{16}))?", re.ASCII
)


class Cursor(msgspec.Struct, frozen=True):
    place: Place | None  # the last step it covers; None: before the first
    rights: int  # of the person, when it was given
    fresh_to: Place | None  # up to this step the phone is filling a new store, and is told of nothing that is settled already
    drawn_at: Place | None = None  # while pages are to come: the last step there was. What this page left out for having moved on is there

    @property
    def seq(self) -> int:
        return self.place.seq if self.place else 0

    def write(self, me: Me) -> str:
        drawn_at = f".{self.drawn_at}" if self.drawn_at else ""
        return f"{self.place or START}.{self.rights}.{self.fresh_to or START}.{owner(me)}{drawn_at}"


def read_cursor(text: str, me: Me) -> Cursor | None:
    """None where it is none of ours, or not this person's."""
    found = WRITTEN.fullmatch(text)
    if found is None or found[4] != owner(me):
        return None
    places = found[1], found[3], found[5] or START
    if any(place != START and read_place(place) is None for place in places):
        return None
    return Cursor(read_place(found[1]), int(found[2]), read_place(found[3]), read_place(found[5] or START))


def owner(me: Me) -> str:
    return hashlib.blake2b(f"{me.school}/{me.staff}".encode(), digest_size=8).hexdigest()
