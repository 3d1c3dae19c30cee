"""Telling what happened in a person's words: one of each `[this|that]`, with everybody's name and pronouns in place."""

from dataclasses import dataclass
from typing import Any

from server.demo.chance import Chance
from server.demo.people import Pupil, Staff

PRONOUNS = {
    "f": {"he": "she", "his": "her", "him": "her", "himself": "herself"},
    "m": {"he": "he", "his": "his", "him": "him", "himself": "himself"},
}


@dataclass(frozen=True)
class Spoken:
    """Somebody as they are spoken of: {a}, {a.he}, {a.His}."""

    name: str
    sex: str
    year: int = 0

    def __str__(self) -> str:
        return self.name

    def __getattr__(self, word: str) -> str:
        found = PRONOUNS[self.sex].get(word.lower())
        if found is None:
            raise AttributeError(word)
        return found.capitalize() if word[0].isupper() else found


def pupil(one: Pupil) -> Spoken:
    return Spoken(one.name, one.sex, one.year)


def colleague(one: Staff) -> Spoken:
    return Spoken(one.name, one.sex)


def told(chance: Chance, text: str, **names: Any) -> str:
    """The text as somebody would have written it, each sentence beginning with a capital."""
    said = chance.spin(text).format(**names)
    return _capitals(" ".join(said.split()))


def _capitals(text: str) -> str:
    """After a full stop a name may have become a small word: 'dad rang. she said'."""
    out, start = [], True
    for letter in text:
        out.append(letter.upper() if start and letter.isalpha() else letter)
        if letter.isalnum():
            start = False
        elif letter in ".!?" and not start:
            start = True
    return "".join(out)
