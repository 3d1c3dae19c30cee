"""Reading a letter: strictly, and each edit by itself. Pure. What cannot be read of one edit never touches the next."""

import hashlib
import json
import math
import re
from typing import Any, TypeGuard, TypeVar

import msgspec
from msgspec import Raw

from server.refusals import Protocol, TooLarge, Unreadable
from server.store.moments import from_wire
from server.store.numbers import Place, read_place
from server.sync.wire import SPEAKS, Because

BYTES_LIMIT = 1_000_000  # of a letter, inflated
EDITS_LIMIT = 100
DEPTH_LIMIT = 100
EDIT_BYTES_LIMIT = 128_000  # as it lies in the letter
EDIT_DEPTH_LIMIT = 16
ID_LIMIT = 100  # characters
NUMBER_LIMIT = 2**53 - 1  # what a phone can count to
DIGITS_LIMIT = 19
REASON_LIMIT = 1_000  # characters
LOST_LIMIT = 10_000  # numbers that one letter may give up
NO_PHONE = ""  # where a letter names its own: it came in none

UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
UNFIT = re.compile("[\0-\x1f\x7f\ud800-\udfff\ufffd]")  # in an id: what nobody mints and not every database keeps

MENDED = "characters that cannot be kept were replaced"
NO_MOMENT = "the time it was made could not be read"


class Sent(msgspec.Struct, kw_only=True):
    """An edit as it came: with an id, so it gets a receipt, and whatever else of it could be read."""

    id: str
    phone: str
    number: int  # 0: none that counts
    record: str
    kind: str
    made_at: int | None
    seen: Place | None
    values: Any
    amends: str | None
    set_aside: str | None  # why its author lets the held edit rest that it amends
    original: str
    remarks: list[str]
    because: Because  # why it cannot be taken, as far as reading it tells


class Nameless(msgspec.Struct):
    """Something among the edits that has no id to receipt."""

    index: int
    original: str

    @property
    def hash(self) -> str:
        return hashlib.sha256(self.original.encode()).hexdigest()


class Letter(msgspec.Struct, kw_only=True):
    build: str
    phone: str
    sent_at: int | None
    cursor: str | None
    receipted: int
    waiting: int
    lost: list[int]
    edits: list[Sent]
    nameless: list[Nameless]


class Braces(msgspec.Struct, kw_only=True):
    """The outermost of whatever a phone sends. Unknown keys beside those that are named are ignored."""

    protocol: Any = None


class Frame(Braces, kw_only=True):
    edits: list[Raw]
    build: Any = ""
    phone: Any = None
    sent_at: Any = None
    cursor: Any = None
    receipted: Any = 0
    waiting: Any = 0
    lost: Any = ()


def read_letter(body: bytes) -> Letter:
    """Refuses only the letter as a whole: too large, no JSON, another protocol."""
    frame, mended = read_braces(body, Frame, BYTES_LIMIT, "The letter is not the JSON of a letter.")
    if len(frame.edits) > EDITS_LIMIT:
        raise TooLarge(EDITS_LIMIT, "edits")
    if not is_id(frame.phone) or not frame.phone:  # no name at all would be the same phone for everybody
        raise Unreadable("The letter does not say which phone it is from.")
    edits = [read_edit(index, *pair) for index, pair in enumerate(as_they_lay(frame.edits, mended, body))]
    return Letter(
        build=frame.build[:ID_LIMIT] if is_id(frame.build) else "",
        phone=frame.phone,
        sent_at=read_moment(frame.sent_at),
        cursor=frame.cursor if frame.cursor is None or type(frame.cursor) is str else "",
        receipted=frame.receipted if is_number(frame.receipted) else 0,
        waiting=frame.waiting if is_number(frame.waiting) else 0,
        lost=[number for number in frame.lost[:LOST_LIMIT] if is_number(number)] if type(frame.lost) is list else [],
        edits=[edit for edit in edits if isinstance(edit, Sent)],
        nameless=[edit for edit in edits if isinstance(edit, Nameless)],
    )


Outermost = TypeVar("Outermost", bound=Braces)


def read_braces(body: bytes, kind: type[Outermost], limit: int, otherwise: str) -> tuple[Outermost, bytes]:
    """And the body with what cannot be kept replaced. `otherwise`: what is said where it is nothing of the kind."""
    if len(body) > limit:
        raise TooLarge(limit, "bytes")
    if deeper_than(DEPTH_LIMIT, body):
        raise TooLarge(DEPTH_LIMIT, "depth")
    mended = mend(body)
    try:
        body.decode()  # msgspec does not look at the text of what it leaves raw
        braces = msgspec.json.decode(mended, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise_protocol_if_unknown(mended)
        raise Unreadable(otherwise) from error
    except RecursionError as error:
        raise TooLarge(DEPTH_LIMIT, "depth") from error
    if type(braces.protocol) is not int or braces.protocol not in SPEAKS:
        raise Protocol(SPEAKS)
    return braces, mended


def raise_protocol_if_unknown(body: bytes) -> None:
    """What speaks a protocol yet to come may look like anything."""
    try:
        said = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return
    if type(said) is dict and type(said.get("protocol")) is int and said["protocol"] not in SPEAKS:
        raise Protocol(SPEAKS)


# ── One edit ───────────────────────────────────────────────────────────────────────────────


def read_edit(index: int, mended: bytes, lay: bytes) -> Sent | Nameless:
    original = lay.decode()
    said, because = parse(mended.decode())
    if type(said) is not dict or not is_id(said.get("id")):
        return Nameless(index, original)
    remarks = [MENDED] if mended != lay else []
    made_at = read_moment(said.get("made_at"))
    if made_at is None:
        remarks.append(NO_MOMENT)
    seen, amends, set_aside = said.get("seen"), said.get("amends"), said.get("set_aside")
    phone, number, record, kind = said.get("phone"), said.get("number"), said.get("record"), said.get("kind")
    if len(lay) > EDIT_BYTES_LIMIT:
        because["edit"] = f"too large: {len(lay):,} bytes, where {EDIT_BYTES_LIMIT:,} is the most"
    if deeper_than(EDIT_DEPTH_LIMIT, lay):
        because["edit"] = f"nested more than {EDIT_DEPTH_LIMIT} deep"
    if not UUID.fullmatch(said["id"]):
        because["id"] = "not an id"
    if not is_id(record) or not UUID.fullmatch(record):
        because["record"] = "not a record’s id"
    if not is_id(phone) or not phone:
        because["phone"] = "not a phone’s id"
    if not is_number(number) or number == 0:
        because["number"] = "not a number to count by"
    if seen is not None and type(seen) is not str:
        because["seen"] = "not a version of a record"
    return Sent(
        id=said["id"],
        phone=phone if is_id(phone) else "",
        number=number if is_number(number) else 0,
        record=record if is_id(record) else "",
        kind=kind if is_id(kind) else "",
        made_at=made_at,
        seen=read_place(seen) if type(seen) is str else None,
        values=said.get("values"),
        amends=amends if is_id(amends) else None,
        set_aside=set_aside[:REASON_LIMIT] if is_id(amends) and type(set_aside) is str else None,
        original=original,
        remarks=remarks,
        because=because,
    )


def is_id(value: Any) -> TypeGuard[str]:
    return type(value) is str and len(value) <= ID_LIMIT and not UNFIT.search(value)


def is_number(value: Any) -> TypeGuard[int]:
    return type(value) is int and 0 <= value <= NUMBER_LIMIT


def read_moment(value: Any) -> int | None:
    """None also for what lies outside the calendar, seen from here."""
    moment = from_wire(value) if type(value) is str else None
    return moment if moment is not None and EARLIEST <= moment <= LATEST else None


EARLIEST, LATEST = from_wire("0001-01-01T00:00:00Z") or 0, from_wire("9999-12-31T23:59:59.999Z") or 0


class Ambiguous(ValueError):
    """JSON that two readers may read in two ways."""


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    said = dict(pairs)
    if len(said) < len(pairs):
        raise Ambiguous("something is said twice in it")
    return said


def exactly(digits: str) -> int:
    if len(digits) > DIGITS_LIMIT:
        raise Ambiguous("a number in it is too large to keep exactly")
    return int(digits)


def finite(digits: str) -> float:
    if math.isinf(value := float(digits)):
        raise Ambiguous("a number in it is too large to keep exactly")
    return value


STRICT = json.JSONDecoder(object_pairs_hook=once, parse_int=exactly, parse_float=finite)
LENIENT = json.JSONDecoder(parse_int=str, parse_float=str)  # for an edit that is held whatever its numbers say


def parse(text: str) -> tuple[Any, Because]:
    try:
        return STRICT.decode(text), {}
    except Ambiguous as why:
        return LENIENT.decode(text), {"edit": str(why)}
    except ValueError:
        return None, {}


# ── Bytes ──────────────────────────────────────────────────────────────────────────────────

STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
LONE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a pair: one character
    rb"|(?P<lone>\\u(?:0000|[dD][89a-fA-F][0-9a-fA-F]{2}))"
    rb"|\\.",
    re.DOTALL,
)


def mend(body: bytes) -> bytes:
    """NUL and lone surrogates replaced, in as many bytes, so that everything still lies where it lay."""
    if b"\\u" not in body:
        return body
    return LONE.sub(lambda found: rb"\ufffd" if found["lone"] else found[0], body)


def as_they_lay(edits: list[Raw], mended: bytes, body: bytes) -> list[tuple[bytes, bytes]]:
    """Each edit as it is read, and as it was sent."""
    as_read = [bytes(edit) for edit in edits]
    if mended is body:
        return [(edit, edit) for edit in as_read]
    pairs, at = [], 0
    for edit in as_read:
        at = mended.index(edit, at)
        pairs.append((edit, body[at : at + len(edit)]))
        at += len(edit)
    return pairs


def deeper_than(limit: int, text: bytes) -> bool:
    """Told from its brackets alone, before anything tries to read it. What is not even balanced, its reader will refuse."""
    if text.count(b"{") + text.count(b"[") <= limit:
        return False
    brackets = STRING.sub(b"", text).translate(AS_SQUARE, delete=NO_BRACKETS)
    for _ in range(limit):
        brackets = brackets.replace(b"[]", b"")  # the innermost of every nest
    return b"[]" in brackets


AS_SQUARE = bytes.maketrans(b"{}", b"[]")
NO_BRACKETS = bytes(set(range(256)) - set(b"{}[]"))
