"""What is held, put into words: whose it is, why it could not be added, and the words as they were written."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from server.access.audit import looked
from server.access.rights import may
from server.console.directory import directory_for
from server.console.history import Change, changes_of
from server.console.records import from_json, linked_records, seen_of
from server.console.showing import Directory, title_of
from server.kinds import KINDS
from server.kinds.kind import asked_about
from server.store.database import Tx
from server.store.engines import Row
from server.store.me import Me
from server.sync.letter import NO_PHONE
from server.sync.unsealed import brought_by_me

SHOWN = 200
SCRAPS = 20
SHOWN_OF_ONE = 20_000  # characters of one odd value; the whole of it is kept

HELD = """
    select e.id, e.record, e.kind, e.author, e.phone, e.made_at, e.received_at, e."values", e.because, e.remarks, e.original,
           e.settled_how, e.settled_by, e.settled_at, e.settled_why, coalesce(p.name, '') as phone_name
    from edit e left join phone p on p.school = e.school and p.id = e.phone
    where e.school = $1 and e.outcome = 'held'"""
COUNTED = "select e.id, e.author, e.kind, e.phone, case when e.phone = e.id then e.original else '' end as original from edit e"
UNSETTLED = "e.held_seq is not null and e.settled_at is null"  # as its index says it


class HeldEdit(Struct, frozen=True):
    id: str
    record: str
    label: str
    icon: str
    title: str
    people: str
    author: str
    is_mine: bool
    made_at: int | None
    received_at: int
    because: list[tuple[str, str, str]]  # the field, its question, why
    changes: list[Change]
    remarks: list[str]
    known: bool  # the record it was for is here, and mine to see
    may_settle: bool
    settled: str  # how, by whom, when; or empty
    settled_why: str


async def held_edits(tx: Tx, me: Me) -> list[HeldEdit]:
    """Mine, and those of others which I may settle: newest first."""
    rows = await tx.rows(f"{HELD} and {UNSETTLED} order by e.received_at desc, e.id limit {SHOWN}", me.school)
    return await drawn(tx, me, await for_me(tx, me, rows))


async def held_in(tx: Tx, me: Me, record: str) -> list[HeldEdit]:
    """Those that were meant for one record."""
    rows = await tx.rows(f"{HELD} and {UNSETTLED} and e.record = $2 order by e.received_at limit {SHOWN}", me.school, record)
    return await drawn(tx, me, await for_me(tx, me, rows))


async def held_edit(tx: Tx, me: Me, id: str) -> HeldEdit | None:
    rows = await for_me(tx, me, await tx.rows(f"{HELD} and e.id = $2", me.school, id))
    return (await drawn(tx, me, rows))[0] if rows else None


async def look_at_held(tx: Tx, me: Me, id: str) -> HeldEdit | None:
    """What is held may name pupils like any record: reading it is noted."""
    held = await held_edit(tx, me, id)
    if held is not None:
        await looked(tx, me, "read held", record=held.record, detail={"edit": held.id})
    return held


async def held_count(tx: Tx, me: Me) -> int:
    rows = await tx.rows(f"{COUNTED} where e.school = $1 and {UNSETTLED} limit 1000", me.school)
    return len(await for_me(tx, me, rows))


async def for_me(tx: Tx, me: Me, rows: Iterable[Row]) -> list[Row]:
    """Its author's, and theirs who may settle what is held and hold all records of its kind; an unknown kind is any settler's.

    Never theirs who brought it in a copy that does not prove whose it is, or took it in.
    """
    mine = [row for row in rows if row["author"] == me.staff or may_decide(me, row["kind"])]
    brought = await brought_by_me(tx, me, [row for row in mine if row["author"] != me.staff])
    return [row for row in mine if row["id"] not in brought]


def may_decide(me: Me, kind_name: str) -> bool:
    kind = KINDS.get(kind_name)
    return may(me, "settle") and (kind is None or me.role in kind.held_by)


async def drawn(tx: Tx, me: Me, rows: list[Row]) -> list[HeldEdit]:
    if not rows:
        return []
    named: set[str] = set()
    for row in rows:
        if kind := KINDS.get(row["kind"]):
            named |= asked_about(kind, from_json(row["values"]))[0]
    directory = await directory_for(tx, me.school, named)
    mine = {record.id for record in await linked_records(tx, me, {row["record"] for row in rows})}
    return [draw(row, me, directory, row["record"] in mine) for row in rows]


def draw(row: Row, me: Me, directory: Directory, known: bool) -> HeldEdit:
    kind = KINDS.get(row["kind"])
    values = values_of(row, me)
    pupils = asked_about(kind, values)[0] if kind else set()
    because = from_json(row["because"])
    settled = f"{row['settled_how'].capitalize()} by {directory.staff.get(row['settled_by'], 'the school')}" if row["settled_at"] else ""
    return HeldEdit(
        id=row["id"],
        record=row["record"],
        label=kind.label if kind else "Of a kind this school does not know yet",
        icon=kind.icon if kind else "note",
        title=title_of(kind, plain(values), {}, directory) if kind else row["kind"][:60],
        people=", ".join(directory.pupils[id].name for id in sorted(pupils) if id in directory.pupils),
        author=directory.staff.get(row["author"], "Somebody who has left"),
        is_mine=row["author"] == me.staff,
        made_at=row["made_at"],
        received_at=row["received_at"],
        because=[(name, question_of(row["kind"], name), str(why)) for name, why in because.items()] if isinstance(because, dict) else [],
        changes=changes(row["kind"], values, directory),
        remarks=from_json(row["remarks"]),
        known=known,
        may_settle=may(me, "settle") and row["settled_at"] is None,
        settled=settled,
        settled_why=row["settled_why"] or "",
    )


def values_of(row: Row, me: Me) -> dict[str, Any]:
    kind = KINDS.get(row["kind"])
    values = from_json(row["values"])
    if not isinstance(values, dict):
        return {}
    if kind is None:
        return values
    return seen_of(values, kind.hushed if row["author"] == me.staff else kind.hidden_from(me.role))


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Only what a title may trust: held values were never judged."""
    return {name: value for name, value in values.items() if isinstance(value, str)}


def question_of(kind_name: str, name: str) -> str:
    kind = KINDS.get(kind_name)
    field = kind.field(name) if kind else None
    return field.question if field else ""


def changes(kind_name: str, values: Mapping[str, Any], directory: Directory) -> list[Change]:
    """The words as they were written. What does not fit its question is shown as it came."""
    kind = KINDS.get(kind_name)
    shown: list[Change] = []
    for name, value in values.items():
        try:
            shown += changes_of(kind, name, value, directory) if kind and kind.field(name) else [Change(name, as_it_came(value), False)]
        except (TypeError, ValueError, KeyError, AttributeError):
            shown.append(Change(question_of(kind_name, name) or name, as_it_came(value), False))
    return shown


def as_it_came(value: Any) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= SHOWN_OF_ONE else f"{text[:SHOWN_OF_ONE]} … ({len(text):,} characters in all; the school keeps the whole)"


# ── What could not even be read ────────────────────────────────────────────────────────────


class Scrap(Struct, frozen=True):
    """Something in a letter that had no id: kept as it came, and no part of anything."""

    who: str  # whose phone it is from, or who took it in
    is_brought: bool
    received_at: int
    text: str


async def scraps_of(tx: Tx, me: Me) -> list[Scrap]:
    """For whoever settles what is held of every kind: nobody can tell what these are about."""
    if not all(me.role in kind.held_by for kind in KINDS.values()) or not may(me, "settle"):
        return []
    rows = await tx.rows(
        "select coalesce(s.name, u.staff) as who, u.phone, u.received_at, u.original from unreadable u"
        " left join staff s on s.school = u.school and s.id = u.staff"
        f" where u.school = $1 order by u.received_at desc, u.hash limit {SCRAPS}",
        me.school,
    )
    return [Scrap(row["who"], row["phone"] == NO_PHONE, row["received_at"], as_it_came(row["original"])) for row in rows]
