"""The people of a made-up school, as plain values, and the names they may have. No name is anybody's in particular."""

import tomllib
import unicodedata
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

UPN_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"


@dataclass
class Contact:
    id: str
    person: str
    position: int
    name: str
    relationship: str
    phone: str
    other_phone: str | None
    email: str | None
    address: str | None
    parental_responsibility: bool
    do_not_contact: bool
    address_withheld: bool
    note: str

    @property
    def spoken_of(self) -> str:
        return f"{self.name}, {self.relationship[0].lower()}{self.relationship[1:]}"


@dataclass
class Pupil:
    id: str
    mis_id: str
    upn: str
    admission_no: str
    forename: str
    surname: str
    preferred: str | None
    sex: str  # f, m
    year: int
    form: str
    born_on: date
    family: str | None
    address: str
    address_withheld: bool
    observes: str | None
    contacts: list[Contact] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.preferred or self.forename

    @property
    def whole_name(self) -> str:
        return f"{self.name} {self.surname}"

    @property
    def to_ring(self) -> list[Contact]:
        return [contact for contact in self.contacts if not contact.do_not_contact and contact.relationship != "Social worker"]


@dataclass
class Staff:
    id: str
    username: str
    title: str
    forename: str
    surname: str
    sex: str
    role: str
    years: list[str]
    subject: str = ""
    room: str = ""
    form: str = ""

    @property
    def whole_name(self) -> str:
        return f"{self.forename} {self.surname}"

    @property
    def name(self) -> str:
        """As pupils and colleagues say it: Ms Brook."""
        return f"{self.title} {self.surname}"


@dataclass(frozen=True)
class Origin:
    share: float
    surnames: list[tuple[str, str]]  # a man's, a woman's
    girls: list[str]
    boys: list[str]
    mothers: list[str]
    fathers: list[str]
    known_as: dict[str, str]
    observes: str | None


@cache
def origins() -> list[Origin]:
    return [
        Origin(
            share=one["share"],
            surnames=[_pair(name) for name in _several(one["surnames"])],
            girls=_several(one["girls"]),
            boys=_several(one["boys"]),
            mothers=_several(one["mothers"]),
            fathers=_several(one["fathers"]),
            known_as={name.replace("_", " "): short for name, short in one.get("known_as", {}).items()},
            observes=one.get("observes"),
        )
        for one in words("names")["people"]
    ]


@cache
def streets() -> tuple[list[str], list[str]]:
    """(streets, districts)"""
    found = words("names")["streets"]
    return found["names"].split("|"), found["districts"].split("|")


@cache
def words(name: str) -> dict[str, Any]:
    return tomllib.loads((files("server.demo") / "words" / f"{name}.toml").read_text("utf-8"))


def upn(figures: str) -> str:
    """A unique pupil number with the check letter that belongs to its twelve figures."""
    return UPN_LETTERS[sum(weight * int(one) for weight, one in enumerate(figures, start=2)) % 23] + figures


def mailbox(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    return "".join(letter for letter in plain if letter.isalpha())


def _several(text: str) -> list[str]:
    return [name.replace("_", " ") for name in text.split()]


def _pair(name: str) -> tuple[str, str]:
    his, _, hers = name.partition("/")
    return his, hers or his
