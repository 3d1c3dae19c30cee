"""A record in words: its title, its answers, its disputes. Pure; what codes and ids stand for comes from the directory."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, structs

from server.console import words
from server.kinds.kind import Field, Kind, Merge
from server.kinds.shapes import (
    Choice,
    Choices,
    Code,
    Duration,
    Gathered,
    Line,
    Link,
    Moment,
    Note,
    Place,
    Pupils,
    Shape,
    Staff,
    Tags,
    YesNo,
)
from server.store.moments import from_wire


class PupilLine(Struct, frozen=True):
    id: str
    name: str
    form: str
    year: str


class Directory(Struct):
    """What the school's codes and ids stand for, as far as one page needs them."""

    lists: dict[str, dict[str, str]] = {}  # list: code: label
    retired: dict[str, set[str]] = {}  # list: codes no longer offered
    staff: dict[str, str] = {}
    left: set[str] = set()  # of the staff
    pupils: dict[str, PupilLine] = {}
    periods: dict[str, str] = {}
    codes: dict[str, str] = {}
    records: dict[str, str] = {}  # titles of those I may hold

    def entry(self, list_name: str, code: str) -> str:
        return self.lists.get(list_name, {}).get(code, code)


class Entry(Struct, frozen=True):
    """One of those gathered: a person or a tick, with their part and what came of it."""

    key: str
    name: str
    note: str  # "10 BRO · responsible", or empty
    of: str  # pupil, staff, or empty

    @property
    def initials(self) -> str:
        return words.initials(self.name)


class Answer(Struct, frozen=True):
    """A field and what stands in it."""

    field: Field
    text: str
    entries: list[Entry]
    link: str = ""  # the record it names, if I may hold it

    @property
    def is_long(self) -> bool:
        return isinstance(self.field.shape, Note)


class Side(Struct, frozen=True):
    """One of the answers that differ."""

    value: Any
    text: str
    by: str
    at: int
    edit: str
    stands: bool


class Dispute(Struct, frozen=True):
    path: str  # the field, or field/key
    field: Field
    question: str
    sides: list[Side]  # in the order they were written
    count: int  # of all that differ, shown or not
    why: str  # why one of them stands for now

    @property
    def heading(self) -> str:
        return f"{words.number(self.count)} answers: {words.lower_first(self.question)}"

    @property
    def answers(self) -> str:
        """The edits a person has before them, to be sent back with their decision."""
        return " ".join(sorted(side.edit for side in self.sides))


# ── One value ──────────────────────────────────────────────────────────────────────────────


def in_words(shape: Shape, value: Any, directory: Directory) -> str:
    if value is None or value == "":
        return ""
    match shape:
        case Line() | Note():
            return str(value)
        case Place():
            return directory.entry("places", value)
        case Choices():
            return words.joined([label_of(shape, code, directory) for code in value])
        case Choice() | YesNo():
            return label_of(shape, value, directory)
        case Moment():
            return day_in_words(value) if shape.whole_day else moment_in_words(value, directory)
        case Duration():
            return words.count(value, "minute")
        case Link():
            return directory.records.get(value, "A record that has not come in, or is not yours to see")
        case Code():
            return f"{value}: {directory.codes[value]}" if value in directory.codes else str(value)
        case Gathered():
            return "; ".join(f"{entry.name} ({entry.note})" if entry.note else entry.name for entry in entries_of(shape, value, directory))
    raise TypeError(f"The desk cannot show {shape.control} yet")


def label_of(shape: Choice | Tags, code: str, directory: Directory) -> str:
    return directory.entry(shape.list, code) if shape.list else str(shape.options.get(code, code))


def moment_in_words(value: Mapping[str, str], directory: Directory) -> str:
    at = from_wire(value["at"])
    if at is None:
        return value["at"]
    lesson = directory.periods.get(value.get("lesson", ""), value.get("lesson", ""))
    match value.get("precision"):
        case "lesson" if lesson:
            return f"{words.full_day(at)}, in {words.lower_first(lesson)}"
        case "about":
            return f"{words.full_day(at)}, about {words.clock(at)}"
    return f"{words.full_day(at)}, {words.clock(at)}" + (f", {words.lower_first(lesson)}" if lesson else "")


def day_in_words(value: Mapping[str, str]) -> str:
    at = from_wire(value["at"])
    return value["at"] if at is None else words.full_day(at)


def entries_of(shape: Gathered, value: Mapping[str, Mapping[str, str]], directory: Directory) -> list[Entry]:
    return sorted((entry_of(shape, key, entry or {}, directory) for key, entry in value.items()), key=lambda entry: entry.name.casefold())


def entry_of(shape: Gathered, key: str, entry: Mapping[str, str], directory: Directory) -> Entry:
    told = [words.lower_first(answers)] if (answers := entry_words(shape, entry, directory)) else []
    match shape:
        case Pupils():
            pupil = directory.pupils.get(key)
            return Entry(
                key, pupil.name if pupil else "A pupil not known here", " · ".join([pupil.form, *told] if pupil else told), "pupil"
            )
        case Staff():
            return Entry(key, directory.staff.get(key, "Somebody who is not on the staff list"), " · ".join(told), "staff")
        case Tags():
            return Entry(key, label_of(shape, key, directory), " · ".join(told), "")
    raise TypeError(f"The desk cannot show {shape.control} yet")


def entry_words(shape: Gathered, entry: Mapping[str, str], directory: Directory) -> str:
    """`Responsible, warning`: the part they had, and what came of it."""
    part, outcome = entry.get("part"), entry.get("outcome")
    told = [str(shape.parts.get(part, part))] if part else []
    return ", ".join([*told, directory.entry(shape.outcomes, outcome)] if outcome else told)


def value_in_words(field: Field, path: str, value: Any, directory: Directory) -> str:
    """A value as an edit or a dispute holds it: for one key of a gathered field, its entry alone."""
    if "/" in path and isinstance(field.shape, Gathered):
        return entry_words(field.shape, value or {}, directory) or "No part given"
    return in_words(field.shape, value, directory) or "Nothing: cleared"


# ── A whole record ─────────────────────────────────────────────────────────────────────────


def title_of(kind: Kind, body: Mapping[str, Any], disputed: Mapping[str, Any], directory: Directory) -> str:
    """What a list calls it. A value in dispute is not in it: a title takes no side."""
    told: list[str] = []
    for field in filter(None, map(kind.field, kind.title)):
        if field.name not in disputed and not isinstance(field.shape, (Pupils, Staff, Moment)):
            text = in_words(field.shape, body.get(field.name), directory)
            is_word = isinstance(field.shape, Choice) and not isinstance(field.shape, Place)  # not somebody's or somewhere's name
            told += [words.lower_first(text) if told and is_word else text] if text else []
    return ", ".join(told) or kind.label


def called(kind: Kind, title: str) -> str:
    """`Incident: fight, Yard`: a record named among others."""
    return title if title == kind.label else f"{kind.label}: {words.lower_first(title)}"


def people_of(kind: Kind, body: Mapping[str, Any], disputed: Mapping[str, Any], directory: Directory) -> list[Entry]:
    """The pupils it is about, with their parts."""
    return [
        entry
        for name in kind.about_fields
        if (field := kind.field(name)) and isinstance(field.shape, Gathered) and body.get(name)
        for entry in undecided(name, entries_of(field.shape, body[name], directory), disputed, directory)
    ]


def undecided(name: str, entries: list[Entry], disputed: Mapping[str, Any], directory: Directory) -> list[Entry]:
    """A part that people disagree on is nobody's yet."""
    return [
        structs.replace(entry, note=note_undecided(entry, directory)) if f"{name}/{entry.key}" in disputed else entry for entry in entries
    ]


def note_undecided(entry: Entry, directory: Directory) -> str:
    pupil = directory.pupils.get(entry.key)
    return f"{pupil.form} · not decided" if pupil else "not decided"


def answers_of(
    kind: Kind, body: Mapping[str, Any], disputed: Mapping[str, Any], hidden: frozenset[str], directory: Directory
) -> list[tuple[str, list[Answer]]]:
    """What has been answered, under the form's own headings. Accounts stand elsewhere, under their authors."""
    groups: dict[str, list[Answer]] = {}
    for field in kind.fields:
        value = body.get(field.name)
        if field.name in hidden or field.merge is Merge.OWN or value in (None, "", {}, []) or field.group == "State":
            continue
        entries = entries_of(field.shape, value, directory) if isinstance(field.shape, Gathered) else []
        if field.name in disputed:
            groups.setdefault(field.group or kind.label, []).append(Answer(field, "", []))
            continue
        entries = undecided(field.name, entries, disputed, directory)
        link = value if isinstance(field.shape, Link) and value in directory.records else ""
        groups.setdefault(field.group or kind.label, []).append(Answer(field, in_words(field.shape, value, directory), entries, link))
    return list(groups.items())


def disputes_of(
    kind: Kind,
    body: Mapping[str, Any],
    disputed: Mapping[str, list[dict[str, Any]]],
    counts: Mapping[str, int],
    hidden: frozenset[str],
    directory: Directory,
) -> list[Dispute]:
    shown = []
    for path, heads in disputed.items():
        name, _, key = path.partition("/")
        field = kind.field(name)
        if field is None or name in hidden:
            continue
        stands = (body.get(name) or {}).get(key) if key else body.get(name)
        sides = [side_of(field, path, head, stands, directory) for head in heads]
        question = question_of_key(field, key, directory) if key else field.question
        why = "it is the more serious" if field.merge is Merge.GRAVEST else "it is newer"
        shown.append(Dispute(path, field, question, sorted(sides, key=lambda side: side.at), counts.get(path, len(heads)), why))
    return shown


def side_of(field: Field, path: str, head: dict[str, Any], stands: Any, directory: Directory) -> Side:
    text = value_in_words(field, path, head["value"], directory)
    by = directory.staff.get(head["by"], "Somebody who has left")
    return Side(head["value"], text, by, from_wire(head["at"]) or 0, head["edit"], head["value"] == stands)


def question_of_key(field: Field, key: str, directory: Directory) -> str:
    name = key_in_words(field, key, directory)
    if isinstance(field.shape, (Pupils, Staff)):
        return f"What was {name}’s part?"
    return f"{field.question} {name}"


def key_in_words(field: Field, key: str, directory: Directory) -> str:
    return entry_of(field.shape, key, {}, directory).name if isinstance(field.shape, Gathered) else key


def pressing(kind: Kind, body: Mapping[str, Any], disputed: Mapping[str, Any]) -> list[str]:
    """Why somebody should read it soon, in the words of its kind: nothing, for most. What is disputed says nothing yet."""
    return [
        field.presses[value]
        for field in kind.fields
        if field.name not in disputed and isinstance(value := body.get(field.name), str) and value in field.presses
    ]


# ── Whom and what it names, to look up first ───────────────────────────────────────────────


def pupils_named(kind: Kind, body: Mapping[str, Any]) -> set[str]:
    return {key for name in kind.pupil_fields for key in body.get(name) or ()}


def records_named(kind: Kind, body: Mapping[str, Any]) -> set[str]:
    return {body[name] for name in kind.link_fields if body.get(name)}
