"""What a record's edits add up to: fold(). Pure, and blind to the order in which they came.

An edit writes fields. A write is *superseded* by a later one whose author had seen it, or by the same phone's higher
number; where only the newest counts (`latest`), also by a later one of the same author. What nobody superseded are the
field's *heads*. One stands; where they differ, people disagreed without knowing it, and the field is disputed until
somebody who has seen them writes it again.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any

import msgspec

from server.kinds.kind import Field, Kind, Merge
from server.store.moments import from_wire, to_wire

SHOWN = 10  # values of one dispute

DROPPED: Any = object()  # what a drop writes: it supersedes what its author had seen, and is never a head itself


class Edit(msgspec.Struct):
    """An edit that was taken, as far as the fold asks about it."""

    id: str
    author: str
    role: str
    phone: str  # with its author: numbers belong to both
    number: int
    seq: int  # the step that took it in
    seen: int  # the step its author had seen; 0: none
    ordered_at: int
    made_at: int | None  # as its phone claimed; None: unreadable
    received_at: int
    values: dict[str, Any]


Write = tuple[Edit, Any]


class Folded(msgspec.Struct):
    author: str  # of its first edit, as are the next three
    made_at: int
    received_at: int
    happened_at: int  # by the kind's own moment, where somebody gave it
    edits: int
    state: str = "open"
    body: dict[str, Any] = {}
    disputes: dict[str, list[dict[str, Any]]] = {}  # by field, or `field/key`: the values that differ, newest first
    disputed: dict[str, int] = {}  # how many there are, where that is more than are shown
    gaps: list[str] = []


def fold(kind: Kind, edits: Iterable[Edit]) -> Folded:
    """The record that these edits make; there is at least one."""
    line = in_line(edits)
    record = begun_by(line[0], len(line))
    for name, writes in writes_by_field(line).items():
        if (field := kind.field(name)) and not field.hushed:
            combine(kind, field, writes, record)
    record.state = record.body.get("state") or "open"
    record.gaps = kind.gaps(record.body)
    moment = record.body.get(kind.moment) if kind.moment else None
    if moment and (happened_at := from_wire(moment["at"])) is not None:
        record.happened_at = happened_at
    return record


def begun_by(first: Edit, edits: int) -> Folded:
    return Folded(
        author=first.author,
        made_at=first.received_at if first.made_at is None else first.made_at,
        received_at=first.received_at,
        happened_at=first.ordered_at,
        edits=edits,
    )


def writes_by_field(line: Iterable[Edit]) -> dict[str, list[Write]]:
    by_field: defaultdict[str, list[Write]] = defaultdict(list)
    for edit in line:
        for name, value in edit.values.items():
            by_field[name].append((edit, value))
    return by_field


def combine(kind: Kind, field: Field, writes: list[Write], record: Folded) -> None:
    if field.merge is Merge.OWN:
        record.body[field.name] = statements(writes)
    elif field.merge is Merge.GATHER:
        entries = record.body[field.name] = {}
        for key, of_key in writes_by_key(writes).items():
            if found := heads(kind, field, of_key):
                entries[key] = settle(field, f"{field.name}/{key}", found, record)
    else:
        record.body[field.name] = settle(field, field.name, heads(kind, field, writes), record)


def statements(writes: Iterable[Write]) -> dict[str, dict[str, Any]]:
    """Each author's newest, and how many there were. Nobody else can touch it."""
    newest: dict[str, Write] = {}
    versions: Counter[str] = Counter()
    for write in writes:
        newest[write[0].author] = write
        versions[write[0].author] += 1
    return {
        author: {"value": value, "at": to_wire(edit.ordered_at), "versions": versions[author]} for author, (edit, value) in newest.items()
    }


def writes_by_key(writes: Iterable[Write]) -> dict[str, list[Write]]:
    """In one edit drops come first, so a key both dropped and put was put."""
    by_key: defaultdict[str, list[Write]] = defaultdict(list)
    for edit, value in writes:
        put = value.get("put", {})
        for key in value.get("drop", ()):
            if key not in put:
                by_key[key].append((edit, DROPPED))
        for key, entry in put.items():
            by_key[key].append((edit, entry))
    return by_key


def heads(kind: Kind, field: Field, writes: Sequence[Write]) -> list[Write]:
    """The writes that nobody superseded, newest first. Walks back along the line, remembering what the later ones knew."""
    found: list[Write] = []
    seen = 0  # the furthest any later author had seen
    numbers: dict[str, int] = {}  # the highest later number of each phone
    authors: set[str] = set()
    for write in reversed(writes):
        edit = write[0]
        superseded = edit.seq <= seen or edit.number < numbers.get(edit.phone, 0) or edit.author in authors
        if not superseded and write[1] is not DROPPED:
            found.append(write)
        if field.only and not kind.visible(field, edit.role):
            continue  # whoever could not see the field supersedes nothing in it
        if edit.seen > seen:
            seen = edit.seen
        if edit.number > numbers.get(edit.phone, 0):
            numbers[edit.phone] = edit.number
        if field.merge is Merge.LATEST:
            authors.add(edit.author)
    return found


def settle(field: Field, name: str, found: list[Write], record: Folded) -> Any:
    """The value that stands among these heads. Heads that differ are a dispute."""
    if len(found) == 1:
        return found[0][1]
    distinct: dict[Any, Write] = {}
    for write in found:
        distinct.setdefault(identity(write[1]), write)  # of several who wrote one value, the newest is named
    differing = list(distinct.values())
    standing = max(differing, key=lambda write: gravity(field, write[1])) if field.merge is Merge.GRAVEST else differing[0]
    if len(differing) > 1:
        shown = differing[:SHOWN] if standing in differing[:SHOWN] else [*differing[: SHOWN - 1], standing]
        record.disputes[name] = [
            {"value": value, "by": edit.author, "at": to_wire(edit.ordered_at), "edit": edit.id} for edit, value in shown
        ]
        if len(differing) > SHOWN:
            record.disputed[name] = len(differing)
    return standing[1]


def identity(value: Any) -> Any:
    """Equal for the same JSON, and only then."""
    return value if type(value) is str else msgspec.json.encode(value, order="sorted")


def gravity(field: Field, value: Any) -> int:
    return -1 if value is None else field.rank(value)


# ── The line: one order of a record's edits ────────────────────────────────────────────────

by_clock = attrgetter("ordered_at", "id")
by_seq = attrgetter("seq")


def in_line(edits: Iterable[Edit]) -> list[Edit]:
    """Every edit after all that its author had seen, and after its phone's lower numbers; otherwise by the clock.

    That it is one line keeps superseding free of circles, so a field with writes has a head: the last of them at least.
    """
    line = sorted(edits, key=by_clock)
    return line if in_step(line) else put_in_step(line)


def in_step(line: Iterable[Edit]) -> bool:
    highest: dict[str, int] = {}
    for edit in line:
        if edit.number < highest.get(edit.phone, 0):
            return False
        highest[edit.phone] = edit.number
    return True


def put_in_step(line: Sequence[Edit]) -> list[Edit]:
    """The clock's line with every phone's numbers in order. Rare: clocks that jumped between letters that overtook each other.

    What was seen is certain (nobody sees what is not there), so it beats numbers: an edit that has seen a higher number of
    its own phone was written on a copy of that phone, and comes after it.
    """
    order = sorted(line, key=by_seq)
    life = lives(order)
    phones: defaultdict[str, list[Edit]] = defaultdict(list)
    for edit in sorted(order, key=lambda edit: life[edit.id]):
        phones[edit.phone].append(edit)
    next_seen = 0  # in `order`: all before it are placed
    next_of_phone = dict.fromkeys(phones, 0)
    placed: dict[str, Edit] = {}

    def waits_for(edit: Edit) -> Edit | None:
        nonlocal next_seen
        while next_seen < len(order) and order[next_seen].id in placed:
            next_seen += 1
        if next_seen < len(order) and order[next_seen].seq <= edit.seen:
            return order[next_seen]
        phone, at = phones[edit.phone], next_of_phone[edit.phone]
        while at < len(phone) and phone[at].id in placed:
            at += 1
        next_of_phone[edit.phone] = at
        return phone[at] if at < len(phone) and life[phone[at].id] < edit.number else None

    for edit in line:
        stack = [edit]
        while stack:
            if stack[-1].id in placed:
                stack.pop()
            elif earlier := waits_for(stack[-1]):
                stack.append(earlier)
            else:
                done = stack.pop()
                placed[done.id] = done
    return list(placed.values())


def lives(order: Sequence[Edit]) -> dict[str, int]:
    """For each edit its number, or the highest number of its own phone that it had seen. `order` is by seq."""
    life: dict[str, int] = {}
    highest: defaultdict[str, int] = defaultdict(int)
    arrived = 0
    for edit in sorted(order, key=attrgetter("seen")):
        while arrived < len(order) and order[arrived].seq <= edit.seen:
            highest[order[arrived].phone] = max(highest[order[arrived].phone], order[arrived].number)
            arrived += 1
        life[edit.id] = max(edit.number, highest[edit.phone])
    return life


def moment_for(moment: int, received_at: int, phone: str, number: int, seen: int, taken: Iterable[Edit]) -> int:
    """`ordered_at` of an edit that is being taken in: fixed once, here. `moment`: when it was made, by the school's clock.

    Never later than its arrival, and before what the same phone numbered later; but above all after every edit of its record
    (`taken`) that its author had seen, or wrote earlier on the same phone.
    """
    moment, after = min(moment, received_at), None
    for edit in taken:
        if edit.seq <= seen or (edit.phone == phone and edit.number < number):
            after = edit.ordered_at if after is None else max(after, edit.ordered_at)
        elif edit.phone == phone and edit.number > number:
            moment = min(moment, edit.ordered_at - 1)
    return moment if after is None else max(moment, after + 1)
