"""A cursor: how far one person's phone has read, in a form that only the school can read back."""

import hashlib
import re

import msgspec

from server.store.me import Me
from server.store.numbers import Place, read_place

START = "0.0000000000000000"
WRITTEN = re.compile(r"([0-9]+\.[0-9a-f]{16})\.([0-9]{1,18})\.([0-9]+\.[0-9a-f]{16})\.([0-9a-f]{16})", re.ASCII)


class Cursor(msgspec.Struct, frozen=True):
    place: Place | None  # the last step it covers; None: before the first
    rights: int  # of the person, when it was given
    fresh_to: Place | None  # up to this step the phone is filling a new store, and is told of nothing that is settled already

    @property
    def seq(self) -> int:
        return self.place.seq if self.place else 0

    def write(self, me: Me) -> str:
        return f"{self.place or START}.{self.rights}.{self.fresh_to or START}.{owner(me)}"


def read_cursor(text: str, me: Me) -> Cursor | None:
    """None where it is none of ours, or not this person's."""
    found = WRITTEN.fullmatch(text)
    if found is None or found[4] != owner(me) or any(place != START and read_place(place) is None for place in (found[1], found[3])):
        return None
    return Cursor(read_place(found[1]), int(found[2]), read_place(found[3]))


def owner(me: Me) -> str:
    return hashlib.blake2b(f"{me.school}/{me.staff}".encode(), digest_size=8).hexdigest()
