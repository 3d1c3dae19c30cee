"""A record's history as a page tells it: who wrote what, when they wrote it, when the school had it, and what was odd about it."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from server.console import words
from server.console.showing import Directory, entry_of, in_words, value_in_words
from server.kinds.kind import Field, Kind, Merge
from server.kinds.shapes import Gathered

CLOCK_IS_OFF = 2 * words.MINUTE  # nearer than this, a phone's clock is right


class Written(Struct, frozen=True):
    """One edit that was taken in."""

    id: str
    author: str
    phone: str  # its name, in words
    is_desk: bool
    made_at: int | None  # as its phone claimed
    ordered_at: int  # by the school's clock
    received_at: int
    seq: int
    values: dict[str, Any]
    remarks: list[str]


class Change(Struct, frozen=True):
    question: str
    text: str
    is_voice: bool


class Told(Struct, frozen=True):
    """One line of the history."""

    edit: str
    who: str
    did: str
    at: int  # when the school had it
    wrote_at: int
    changes: list[Change]
    remarks: list[str]
    fields: list[str]  # which it wrote


def told(kind: Kind, written: list[Written], hidden: frozenset[str], directory: Directory) -> list[Told]:
    """Newest first. `written` is in the order of the record's own line."""
    return [tell(kind, one, n == 0, hidden, directory) for n, one in enumerate(written)][::-1]


def tell(kind: Kind, one: Written, began: bool, hidden: frozenset[str], directory: Directory) -> Told:
    changes = [change for name, value in one.values.items() if name not in hidden for change in changes_of(kind, name, value, directory)]
    who = directory.staff.get(one.author, "Somebody who has left")
    return Told(
        one.id,
        who,
        did(one, began),
        one.received_at,
        one.ordered_at,
        changes,
        remarks_of(one),
        [name for name in one.values if name not in hidden],
    )


def did(one: Written, began: bool) -> str:
    if one.values.get("state") == "void":
        return "marked it void"
    if one.values.get("state") == "closed":
        return "closed it"
    return "began it" if began else "wrote"


def changes_of(kind: Kind, name: str, value: Any, directory: Directory) -> list[Change]:
    field = kind.field(name)
    if field is None:
        return []
    if isinstance(field.shape, Gathered):
        return gathered(field, field.shape, value, directory)
    return [Change(asked(field), value_in_words(field, name, value, directory), field.merge is Merge.OWN)]


def asked(field: Field) -> str:
    """Its question, as it reads over somebody else's words."""
    return "Account" if field.name == "account" else field.question


def gathered(field: Field, shape: Gathered, value: Mapping[str, Any], directory: Directory) -> list[Change]:
    put = in_words(shape, value.get("put") or {}, directory)
    dropped = ", ".join(entry_of(shape, key, {}, directory).name for key in value.get("drop") or () if key not in (value.get("put") or {}))
    told = [put] if put else []
    return [Change(field.question, text, False) for text in (*told, *([f"Taken out: {dropped}"] if dropped else []))]


def remarks_of(one: Written) -> list[str]:
    remarks = list(one.remarks)
    if one.made_at is None:
        remarks.append("Its phone gave no time that could be read; the time shown is when it came in.")
    elif abs(one.made_at - one.ordered_at) > CLOCK_IS_OFF:
        remarks.append(f"Its phone’s clock said {words.full_day(one.made_at)}, {words.clock(one.made_at)}; the time shown is the school’s.")
    return remarks


def times_of(one: Written | None, at: int, happened_at: int) -> str:
    """`Wrote 10:49, 7 min after. Received 11:20.`"""
    wrote = f"Wrote {words.beside(at, happened_at)}, {words.after(at, happened_at)}."
    return wrote if one is None else f"{wrote} Received {words.beside(one.received_at, at)}."
