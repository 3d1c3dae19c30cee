"""What a field may hold. A shape puts what fits it into one canonical form, and says in a teacher's words why something does not fit."""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from typing import Any, ClassVar
from unicodedata import normalize

from msgspec import Struct, field

LINE_LIMIT = 300  # characters
NOTE_LIMIT = 60_000  # bytes of UTF-8, as sent
MINUTES_LIMIT = 7 * 24 * 60
CHOICES_LIMIT = 50
ENTRIES_LIMIT = 500  # of one gathered field, in one edit
PERIOD_CODE_LIMIT = 40  # characters

YES_NO = {"no": "No", "unknown": "Not known", "yes": "Yes"}  # least serious first

BROKEN = re.compile("[\0\ud800-\udfff]")  # what PostgreSQL or UTF-8 cannot hold
ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.:-]{0,99}")  # so never __proto__


class Misfit(ValueError):
    """Why a value does not fit, in words for the person who wrote it."""


class Known(Struct, frozen=True):
    """What the school knows, as far as an edit may name it."""

    lists: Mapping[str, AbstractSet[str]] = {}  # the codes of each of the school's lists, retired ones too
    pupils: AbstractSet[str] = frozenset()
    staff: AbstractSet[str] = frozenset()
    codes: AbstractSet[str] = frozenset()  # attendance codes, retired ones too


class Shape(Struct, frozen=True, tag_field="control", tag=str.lower):
    gathers: ClassVar[bool] = False  # it holds many keys, each of which combines by itself

    @property
    def control(self) -> str:
        return str(self.__struct_config__.tag)

    def fit(self, value: Any, known: Known) -> Any:
        """The value in its canonical form. Whatever JSON can say either fits or is a Misfit."""
        raise NotImplementedError

    def describe(self) -> dict[str, Any]:
        """The shape as a phone reads it."""
        return {"control": self.control}


class Line(Shape, frozen=True):
    longest: int = LINE_LIMIT

    def fit(self, value: Any, known: Known) -> str:
        if type(value) is not str:
            raise Misfit("write it in words")
        if len(value) > self.longest:
            raise Misfit(f"too long: {len(value):,} characters, where {self.longest:,} is the most")
        return tidy(value)

    def describe(self) -> dict[str, Any]:
        return super().describe() | {"longest": self.longest}


class Note(Shape, frozen=True):
    def fit(self, value: Any, known: Known) -> str:
        if type(value) is not str:
            raise Misfit("write it in words")
        if len(value) * 4 > NOTE_LIMIT and (size := bytes_in(value)) > NOTE_LIMIT:
            raise Misfit(f"too long: {size:,} bytes, where {NOTE_LIMIT:,} is the most")
        return tidy(value)

    def describe(self) -> dict[str, Any]:
        return super().describe() | {"longest_bytes": NOTE_LIMIT}


class Choice(Shape, frozen=True):
    """One of fixed options, or of one of the school's lists."""

    options: Mapping[str, str] = {}  # code: label
    list: str = ""

    def takes(self, code: Any, known: Known) -> bool:
        if type(code) is not str:
            return False
        if self.list:
            return code in known.lists.get(self.list, ())
        return code in self.options

    def fit(self, value: Any, known: Known) -> str:
        if self.takes(value, known):
            return value  # type: ignore[no-any-return]
        raise Misfit(f"not in the school’s list of {self.list}" if self.list else "choose one of the answers")

    def describe(self) -> dict[str, Any]:
        return super().describe() | ({"list": self.list} if self.list else {"options": described(self.options)})


class Place(Choice, frozen=True):
    list: str = "places"


class YesNo(Choice, frozen=True):
    options: Mapping[str, str] = field(default_factory=lambda: YES_NO)


class Choices(Choice, frozen=True):
    """Several of them, as one answer."""

    def fit(self, value: Any, known: Known) -> Any:
        if type(value) is not list or len(value) > CHOICES_LIMIT:
            raise Misfit(f"choose from the answers, {CHOICES_LIMIT} at most")
        return sorted({super(Choices, self).fit(code, known) for code in value})


class Duration(Shape, frozen=True):
    def fit(self, value: Any, known: Known) -> int:
        if type(value) in (int, float) and 0 <= value <= MINUTES_LIMIT and value == int(value):
            return int(value)
        raise Misfit(f"give whole minutes, from 0 to {MINUTES_LIMIT:,}")

    def describe(self) -> dict[str, Any]:
        return super().describe() | {"unit": "minutes", "most": MINUTES_LIMIT}


class Moment(Shape, frozen=True):
    """When, and how exactly: to the minute, about then, or in a lesson. A bare time is exact."""

    whole_day: bool = False  # the desk asks for the day alone; it is kept as about noon

    PRECISIONS: ClassVar = {"exact": "Exactly then", "about": "About then", "lesson": "In that lesson"}

    def fit(self, value: Any, known: Known) -> dict[str, str]:
        if type(value) is str:
            return {"at": utc(value), "precision": "exact"}
        if type(value) is not dict or not value.keys() <= {"at", "precision", "lesson"}:
            raise Misfit("not a time we can read")
        precision, lesson = value.get("precision", "exact"), value.get("lesson")
        if type(precision) is not str or precision not in self.PRECISIONS:
            raise Misfit("say whether the time is exact, about, or a lesson")
        fitted = {"at": utc(value.get("at")), "precision": precision}
        if lesson is not None:
            fitted["lesson"] = period_code(lesson)
        return fitted

    def describe(self) -> dict[str, Any]:
        return super().describe() | {"precisions": described(self.PRECISIONS)}


class Link(Shape, frozen=True, tag="record"):
    """Another record, which may not have arrived yet. Of this kind; of any, if none is named."""

    kind: str = ""

    def fit(self, value: Any, known: Known) -> str:
        if type(value) is str and ID.fullmatch(value):
            return value
        raise Misfit("not a record we can find")

    def describe(self) -> dict[str, Any]:
        return super().describe() | ({"kind": self.kind} if self.kind else {})


class Code(Shape, frozen=True):
    """An attendance code."""

    def fit(self, value: Any, known: Known) -> str:
        if type(value) is str and value in known.codes:
            return value
        raise Misfit("not an attendance code")


class Gathered(Shape, frozen=True):
    """Many keys, each with an entry: the part it has and what came of it. On the wire: what to put and what to drop."""

    gathers: ClassVar[bool] = True
    stranger: ClassVar[str] = "not at this school"

    parts: Mapping[str, str] = {}
    outcomes: str = ""  # the school's list of them

    def takes(self, key: str, known: Known) -> bool:
        raise NotImplementedError

    def fit(self, value: Any, known: Known) -> dict[str, Any]:
        if type(value) is not dict or not value.keys() <= {"put", "drop"}:
            raise Misfit("say what to put and what to drop")
        put, drop = value.get("put", {}), value.get("drop", [])
        if type(put) is not dict or type(drop) is not list:
            raise Misfit("say what to put and what to drop")
        if len(put) > ENTRIES_LIMIT or len(drop) > ENTRIES_LIMIT:
            raise Misfit(f"too many at once: {ENTRIES_LIMIT} is the most")
        for key in drop:
            if type(key) is not str or not ID.fullmatch(key):
                raise Misfit("cannot tell what to drop")
        return {"put": {self.fit_key(key, known): self.fit_entry(entry, known) for key, entry in put.items()}, "drop": drop}

    def fit_key(self, key: str, known: Known) -> str:
        if self.takes(key, known):
            return key
        raise Misfit(self.stranger)

    def fit_entry(self, entry: Any, known: Known) -> dict[str, str]:
        if type(entry) is not dict:
            raise Misfit("cannot read what was said of one of them")
        for name, value in entry.items():
            if value is not None and (type(value) is not str or not self.takes_answer(name, value, known)):
                raise Misfit("choose one of the answers for each of them")
        return {name: value for name, value in entry.items() if value is not None}

    def takes_answer(self, name: str, value: str, known: Known) -> bool:
        if name == "part":
            return value in self.parts
        return name == "outcome" and bool(self.outcomes) and value in known.lists.get(self.outcomes, ())

    def describe(self) -> dict[str, Any]:
        parts = {"parts": described(self.parts)} if self.parts else {}
        outcomes = {"outcomes": {"list": self.outcomes}} if self.outcomes else {}
        return super().describe() | parts | outcomes


class Pupils(Gathered, frozen=True):
    beside: bool = False  # named in it, without its being about them

    def takes(self, key: str, known: Known) -> bool:
        return key in known.pupils


class Staff(Gathered, frozen=True):
    def takes(self, key: str, known: Known) -> bool:
        return key in known.staff


class Tags(Gathered, frozen=True, tag="choices"):
    """Several answers that people add to: what one ticks never hides what another did."""

    stranger: ClassVar[str] = "choose from the answers"

    options: Mapping[str, str] = {}
    list: str = ""

    def takes(self, key: str, known: Known) -> bool:
        return key in (known.lists.get(self.list, ()) if self.list else self.options)

    def describe(self) -> dict[str, Any]:
        return super().describe() | ({"list": self.list} if self.list else {"options": described(self.options)})


class Retired(str):
    """The label of an option that is still taken, and no longer offered."""


def described(options: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"code": code, "label": str(label), "retired": isinstance(label, Retired)} for code, label in options.items()]


def tidy(text: str) -> str:
    """NFC, with what cannot be stored replaced."""
    if text.isascii():
        return text.replace("\0", "\ufffd") if "\0" in text else text
    return normalize("NFC", BROKEN.sub("\ufffd", text))


def bytes_in(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def utc(text: Any) -> str:
    """The same moment in UTC, to the millisecond: 2026-11-21T08:02:11.120Z. One that does not say its zone cannot be read."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
    except (TypeError, ValueError, OverflowError):
        pass
    raise Misfit("not a time we can read")


def period_code(code: Any) -> str:
    """Any short code: timetables change, and a note of an old lesson still stands."""
    if type(code) is str and 0 < len(code) <= PERIOD_CODE_LIMIT:
        return tidy(code)
    raise Misfit("not a lesson we know")
