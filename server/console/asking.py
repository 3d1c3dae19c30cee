"""The desk's form of any kind: what stands in a record as boxes filled in, and boxes filled in as what to write.

Both ways go through the same flat strings that a browser sends (`Typed`), so that what was typed can be shown again as it was.
"""

import datetime
from collections.abc import Mapping
from typing import Any

from server.console.words import SCHOOL_TIME, local
from server.kinds.kind import Field, Kind, Merge
from server.kinds.shapes import Choice, Choices, Code, Duration, Gathered, Line, Link, Moment, Note
from server.store.moments import from_wire

Typed = dict[str, list[str]]  # the name of a box: what is in it
CLEARED: tuple[Any, ...] = ("", None, [], {})


class Mistyped(ValueError):
    """Why a box cannot be read, in words for whoever filled it in."""


# ── From a record to boxes ─────────────────────────────────────────────────────────────────


def boxes(field: Field, body: Mapping[str, Any], me: str) -> Typed:
    """A field as it stands, in the boxes that ask for it. Of an account: mine, and nobody else's."""
    name = field.name
    value: Any = body.get(name)
    if field.merge is Merge.OWN:
        value = (value or {}).get(me, {}).get("value")
    if value in CLEARED:
        return {}
    match field.shape:
        case Moment():
            filled = moment_boxes(name, value)
            return {box: texts for box, texts in filled.items() if box.endswith(".day")} if field.shape.whole_day else filled
        case Gathered():
            return gathered_boxes(name, value)
        case Choices():
            return {name: list(value)}
        case Duration():
            return {name: [str(value)]}
    return {name: [value]}


def moment_boxes(name: str, value: Mapping[str, str]) -> Typed:
    at = from_wire(value["at"])
    if at is None:
        return {}
    told = local(at)
    typed = {f"{name}.day": [told.date().isoformat()], f"{name}.time": [f"{told:%H:%M}"], f"{name}.precision": [value["precision"]]}
    return typed | ({f"{name}.lesson": [value["lesson"]]} if value.get("lesson") else {})


def gathered_boxes(name: str, value: Mapping[str, Mapping[str, str]]) -> Typed:
    typed = {f"{name}.keep": sorted(value)}
    for key, entry in value.items():
        for answer, code in (entry or {}).items():
            typed[f"{name}.{key}.{answer}"] = [code]
    return typed


# ── From boxes to what to write ────────────────────────────────────────────────────────────


def touched(kind: Kind, names: list[str], was: Typed, typed: Typed, added: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The values to write: only of fields whose boxes were changed. And what cannot be read, by field.

    `added`: for each field in which somebody was named to be added, who that turned out to be.
    """
    values: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for name in names:
        field = kind.field(name)
        before, after = of_field(name, was), of_field(name, typed)
        if field is None or (before == after and name not in added):
            continue
        try:
            values[name] = read(field, before, after, added.get(name))
        except Mistyped as mistyped:
            problems[name] = str(mistyped)
    return {name: value for name, value in values.items() if value != {"put": {}, "drop": []}}, problems


def of_field(name: str, typed: Typed) -> Typed:
    """Its boxes, without the empty ones: an empty box says nothing."""
    mine = {box: [text for text in texts if text.strip()] for box, texts in typed.items() if box == name or box.startswith(f"{name}.")}
    return {box: sorted(texts) for box, texts in mine.items() if texts and not box.endswith((".add", ".add.part"))}


def read(field: Field, before: Typed, after: Typed, added: str | None) -> Any:
    name = field.name
    first = after.get(name, [""])[0]
    match field.shape:
        case Gathered():
            return read_gathered(name, before, after, added)
        case Moment():
            at_noon = {f"{name}.time": ["12:00"], f"{name}.precision": ["about"]} if field.shape.whole_day and after else {}
            return read_moment(name, after | at_noon)
        case Choices():
            return after.get(name) or None
        case Duration():
            return read_minutes(first)
        case Line() | Note() | Choice() | Link() | Code():
            return first.replace("\r\n", "\n") or None
    raise TypeError(f"The desk cannot ask for {field.shape.control} yet")


def read_minutes(text: str) -> int | None:
    if not text:
        return None
    if not (text.strip().isascii() and text.strip().isdigit()):
        raise Mistyped("Enter whole minutes, like 25")
    return int(text)


def read_moment(name: str, typed: Typed) -> dict[str, str] | None:
    day, time = typed.get(f"{name}.day", [""])[0], typed.get(f"{name}.time", [""])[0]
    precision, lesson = typed.get(f"{name}.precision", ["exact"])[0], typed.get(f"{name}.lesson", [""])[0]
    if not day and not time:
        return None
    if not day:
        raise Mistyped("Enter the day as well")
    if not time and not lesson:
        raise Mistyped("Enter the time, or choose the lesson it was in")
    try:
        at = datetime.datetime.combine(datetime.date.fromisoformat(day), datetime.time.fromisoformat(time or "12:00"), SCHOOL_TIME)
        told = at.astimezone(datetime.UTC).isoformat()
    except (ValueError, OverflowError):
        raise Mistyped("Enter a real day and time, like 24/11/2026 and 10:42") from None
    return {"at": told, "precision": precision if time else "lesson"} | ({"lesson": lesson} if lesson else {})


def read_gathered(name: str, before: Typed, after: Typed, added: str | None) -> dict[str, Any]:
    was, now = entries(name, before), entries(name, after)
    put = {key: entry for key, entry in now.items() if was.get(key) != entry}
    if added and added not in now:
        part = after.get(f"{name}.added.part", [""])[0]
        put[added] = {"part": part} if part else {}
    return {"put": put, "drop": [key for key in was if key not in now]}


def entries(name: str, typed: Typed) -> dict[str, dict[str, str]]:
    return {
        key: {answer: typed[box][0] for answer in ("part", "outcome") if typed.get(box := f"{name}.{key}.{answer}")}
        for key in typed.get(f"{name}.keep", [])
    }
