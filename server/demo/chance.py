"""Chance that repeats itself: everything made up is drawn from a seed and a path of words, never from the clock or the machine."""

import re
from collections.abc import Sequence
from random import Random
from typing import TypeVar

from server.store.ids import id_at

T = TypeVar("T")
SPIN = re.compile(r"\[([^\[\]]*\|[^\[\]]*)\]")


class Chance(Random):
    """A stream of its own for each path, so that one part may change without moving the others."""

    def __init__(self, *path: object) -> None:
        super().__init__("/".join(map(str, path)))
        self.path = path

    def apart(self, *path: object) -> "Chance":
        return Chance(*self.path, *path)

    def happens(self, share: float) -> bool:
        return self.random() < share

    def weighted(self, options: Sequence[T], weights: Sequence[float]) -> T:
        return self.choices(options, weights)[0]

    def id(self, moment: int) -> str:
        """A UUIDv7 as a phone would have minted it then."""
        return id_at(moment, self.getrandbits(74))

    def spin(self, text: str) -> str:
        """One of each `[this|that]`, from the inside out."""
        while (turned := SPIN.sub(lambda found: self.choice(found[1].split("|")), text, count=1)) != text:
            text = turned
        return text
