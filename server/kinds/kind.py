"""A kind of record: what it asks, who may hold it, and how two people's edits of it combine."""

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from typing import Any

from msgspec import Struct
from msgspec.structs import force_setattr, replace

from server.kinds.roles import Role
from server.kinds.shapes import BROKEN, Choice, Known, Line, Link, Misfit, Pupils, Shape, Staff, tidy

NAME = re.compile(r"[a-z][a-z0-9_]{0,40}", re.ASCII)  # of kinds and fields: they are columns of the school's views, too
SAID_BACK_LIMIT = 100  # characters of a name that nobody here knows
NOT_ASKED = "this kind of record does not ask for it"

Values = dict[str, Any]


class Merge(StrEnum):
    LATEST = "latest"  # a fact anyone allowed may correct: the newest shows
    GATHER = "gather"  # keys that people add: nothing added is lost
    OWN = "own"  # one statement for each author: nobody else can touch it
    GRAVEST = "gravest"  # the most serious shows until somebody who has seen it lowers it


class Field(Struct, frozen=True):
    name: str
    question: str
    shape: Shape
    merge: Merge = Merge.LATEST
    needed: bool = False
    instead: str = ""  # the field whose answer will do in place of this one's
    group: str = ""  # the heading of the long form it stands under
    quick: bool = False  # asked on the first screen
    hint: str = ""
    only: tuple[Role, ...] = ()  # who may see and write it; empty: all who hold the record
    apart: bool = False  # kept at the desk: never sent to a phone
    hushed: bool = False  # taken in and told to nobody, its author neither: the school only compares it
    presses: dict[str, str] = {}  # answers that somebody should read soon, and how a list says so
    retired: bool = False  # still taken, no longer asked

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise TypeError(f"{self.name}: a name is small letters, digits and underlines")
        if self.shape.gathers != (self.merge is Merge.GATHER):
            raise TypeError(f"{self.name}: {self.shape.control} does not combine by {self.merge}")
        if self.merge is Merge.GRAVEST and not getattr(self.shape, "options", None):
            raise TypeError(f"{self.name}: gravest needs its answers in order")
        if not self.presses.keys() <= set(getattr(self.shape, "options", ())):
            raise TypeError(f"{self.name}: nobody can give an answer that presses")

    def rank(self, value: str) -> int:
        """How serious an answer is, for gravest: 0 is the least."""
        return list(getattr(self.shape, "options", ())).index(value)

    def describe(self) -> dict[str, Any]:
        always = {"name": self.name, "question": self.question, "shape": self.shape.describe(), "merge": self.merge, "needed": self.needed}
        extras = {name: getattr(self, name) for name in ("instead", "group", "quick", "hint", "retired")}
        return always | {name: extra for name, extra in extras.items() if extra}


def under(heading: str, *fields: Field) -> tuple[Field, ...]:
    """These fields, asked under one heading of the long form."""
    return tuple(replace(field, group=heading) for field in fields)


STATE = under(
    "State",
    Field("state", "Where does it stand?", Choice({"open": "Open", "closed": "Closed", "void": "Void: made in error"})),
    Field("state_reason", "Why?", Line()),
)


class Watched(Struct, frozen=True):
    """Which of its fields say who is out, by when they are to be back, and that they are safe: the server watches for them."""

    goes: str
    buddy: str
    leaves: str
    due_back: str
    left: str
    safe: str
    word: str  # the closing word that is given with it
    marks: tuple[str, ...] = ()  # moments on the way
    help: tuple[str, ...] = ()  # what whoever looks for them wants to know, besides where
    where: str = ""  # the answer "other" means the address in the next
    address: str = ""


class Judged(Struct):
    """What came of reading some values: the ones that fit in canonical form (the others as they came), and what to say of them."""

    values: Values
    problems: dict[str, str]  # in a teacher's words, by field
    remarks: list[str]  # what was mended


class Kind(Struct, frozen=True, eq=False, dict=True):
    name: str
    label: str
    plural: str
    icon: str
    fields: tuple[Field, ...]
    title: tuple[str, ...]  # the fields that name a record in a list
    moment: str | None = None  # the field that says when it happened
    written_by: tuple[Role, ...] = ()  # who may begin one; empty: all
    held_by: tuple[Role, ...] = ()  # who hold all of the school's
    scoped_to: tuple[Role, ...] = ()  # who hold those about pupils in their years or caseload
    # Whoever wrote in a record, or is named in it as staff, may always hold it.
    at_desk: bool = False  # no phone is sent one, told how to ask it, or may write one
    stirs: str = ""  # what is due at once whenever one of them moves; empty: nothing
    watched: Watched | None = None  # somebody is out until they say that they are safe

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise TypeError(f"{self.name}: a name is small letters, digits and underlines")
        force_setattr(self, "fields", self.fields + STATE)
        if len(self._fields) != len(self.fields):
            raise TypeError(f"{self.name} names a field twice")

    @cached_property
    def _fields(self) -> dict[str, Field]:
        return {field.name: field for field in self.fields}

    @cached_property
    def _asked(self) -> dict[str, Shape]:
        return {field.name: field.shape for field in self.fields}

    def field(self, name: str) -> Field | None:
        return self._fields.get(name)

    def of_shape(self, shape: type[Shape]) -> tuple[Field, ...]:
        return tuple(field for field in self.fields if isinstance(field.shape, shape))

    @cached_property
    def pupil_fields(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.of_shape(Pupils))

    @cached_property
    def about_fields(self) -> tuple[str, ...]:
        """Those of whose pupils it is: whoever is only named beside them is not who it is about."""
        return tuple(field.name for field in self.of_shape(Pupils) if not getattr(field.shape, "beside", False))

    @cached_property
    def staff_fields(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.of_shape(Staff))

    @cached_property
    def link_fields(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.of_shape(Link))

    def judge(self, values: Any, known: Known) -> Judged:
        """Whether these values may be taken, and how they are kept. Null clears a field, but not a gathered one."""
        if type(values) is not dict:
            return Judged({}, {"values": "cannot be read"}, [])
        judged = Judged(dict(values), {}, [])
        for name, value in values.items():
            asked = self._asked.get(name)
            if asked is None:
                judged.problems[tidy(str(name)[:SAID_BACK_LIMIT])] = NOT_ASKED
            elif value is not None or asked.gathers:
                self._fit(asked, name, value, known, judged)
        return judged

    def _fit(self, shape: Shape, name: str, value: Any, known: Known, judged: Judged) -> None:
        try:
            fitted = shape.fit(value, known)
        except Misfit as misfit:
            judged.problems[name] = str(misfit)
            return
        if fitted is not value:
            judged.values[name] = fitted
            if BROKEN.search(text_in(value)):
                judged.remarks.append(f"{name}: characters that cannot be kept were replaced")

    def problems(self, values: Any, known: Known) -> dict[str, str]:
        return self.judge(values, known).problems

    def normalise(self, values: Any, known: Known) -> tuple[Values, list[str]]:
        judged = self.judge(values, known)
        return judged.values, judged.remarks

    def gaps(self, body: Mapping[str, Any]) -> list[str]:
        """The needed fields that nobody has answered yet."""
        return [
            field.name
            for field in self._needed
            if not answered(field, body) and not (field.instead and answered(self._fields[field.instead], body))
        ]

    @cached_property
    def _needed(self) -> tuple[Field, ...]:
        return tuple(field for field in self.fields if field.needed and not field.retired)

    def visible(self, field: Field | str, role: Role | str) -> bool:
        """Whether this role may see and write the field."""
        return (field if isinstance(field, str) else field.name) not in self.hidden_from(role)

    def hidden_from(self, role: Role | str) -> frozenset[str]:
        return self._unwritten[Role(role)] | self.hushed

    def kept_from(self, role: Role | str) -> frozenset[str]:
        """Fields that this role may not write."""
        return self._unwritten[Role(role)]

    @cached_property
    def _unwritten(self) -> dict[Role, frozenset[str]]:
        return {role: frozenset(field.name for field in self.fields if field.only and role not in field.only) for role in Role}

    @cached_property
    def hushed(self) -> frozenset[str]:
        """Fields that are written and never read."""
        return frozenset(field.name for field in self.fields if field.hushed)

    @cached_property
    def apart(self) -> frozenset[str]:
        """Fields that stay at the desk: a body loses them before it leaves for a phone."""
        return frozenset(field.name for field in self.fields if field.apart or self.at_desk)

    def describe(self, role: Role | str | None = None) -> dict[str, Any]:
        """The kind as a phone reads it; for one role, only what that role may see."""
        kept_back = self.apart | (self.hidden_from(role) if role else self.hushed)
        mine = {"may_write": not self.written_by or role in self.written_by} if role else {}
        return mine | {
            "name": self.name,
            "label": self.label,
            "plural": self.plural,
            "icon": self.icon,
            "moment": self.moment,
            "title": list(self.title),
            "fields": [field.describe() for field in self.fields if field.name not in kept_back],
        }


def text_in(value: Any) -> str:
    """The free text of a value that fits: a line, a note, the lesson of a moment."""
    if type(value) is dict:
        value = value.get("lesson")
    return value if type(value) is str else ""


def answered(field: Field, body: Mapping[str, Any]) -> bool:
    value = body.get(field.name)
    if field.merge is Merge.OWN and value:
        return any(statement["value"] not in (None, "") for statement in value.values())
    return value not in (None, "", {}, [])


def asked_about(kind: Kind, values: Any) -> tuple[set[str], set[str]]:
    """The pupils and the staff whom these values name, to be looked up before they are judged. Safe with any JSON."""
    if type(values) is not dict:
        return set(), set()
    return put_in(values, kind.pupil_fields), put_in(values, kind.staff_fields)


def put_in(values: Values, names: tuple[str, ...]) -> set[str]:
    keys: set[str] = set()
    for name in names:
        value = values.get(name)
        if type(value) is dict and type(put := value.get("put")) is dict:
            keys.update(put)
    return keys
