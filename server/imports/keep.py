"""An import against the real store: read what the school knows, plan, and if asked, write it in the same transaction."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from server.imports import contacts, marks, pupils
from server.imports.headings import Table
from server.imports.plan import Change, Plan
from server.store.database import Tx
from server.store.due import due
from server.store.moments import now
from server.store.numbers import NewStep, draw, lock

PUPIL_COLUMNS = ("id", "mis_id", "upn", "admission_no", "forename", "surname", "preferred", "year", "form", "born_on", "family",
                 "address", "address_withheld", "left_at")  # fmt: skip
CONTACT_COLUMNS = ("id", "pupil", "person", "position", "name", "relationship", "phone", "other_phone", "email", "address",
                   "parental_responsibility", "do_not_contact", "address_withheld", "note", "gone")  # fmt: skip
FLAGS = {"address_withheld", "do_not_contact", "parental_responsibility", "gone"}

OF_PUPILS = {  # nobody's list has the made-up ones
    "pupil": "school = $1 and not canary",
    "contact": "school = $1 and pupil not in (select id from pupil where school = $1 and canary)",
}

LATEST_DAYS = 14  # of marks that came in: what was promised longer ago is not asked after
Mint = Callable[[], str]


async def plan(tx: Tx, school: str, what: str, table: Table, mint: Mint, today: date) -> Plan:
    """What taking this table in would do. Writes nothing."""
    known_pupils = await _all(tx, school, "pupil", PUPIL_COLUMNS)
    if what == "pupils":
        return pupils.plan(table, known_pupils, mint, today)
    if what == "marks":
        return marks.plan(table, known_pupils, await _register(tx, school, table), await _codes(tx), today)
    return contacts.plan(table, known_pupils, await _all(tx, school, "contact", CONTACT_COLUMNS), mint)


async def apply(tx: Tx, school: str, what: str, table: Table, mint: Mint, today: date) -> Plan:
    """Takes a table in, whole or not at all. Safe to repeat: the second time there is nothing to change, and no step is drawn."""
    await lock(tx, school)  # before planning: what is compared must be what is changed
    made = await plan(tx, school, what, table, mint, today)
    if made.is_empty:
        return made
    if what == "marks":
        await _mark(tx, school, made, today)
        await _note(tx, school, what, table, made, mint)
        return made
    [place] = await draw(tx, school, [NewStep("people")])
    columns = PUPIL_COLUMNS if what == "pupils" else CONTACT_COLUMNS
    await _add(tx, school, what, columns, made, place.seq)
    await _change(tx, school, what, made.changed, place.seq)
    await _change(tx, school, "pupils", made.families, place.seq)
    await _move_rights(tx, school, made.changed)
    await _note(tx, school, what, table, made, mint)
    return made


async def _note(tx: Tx, school: str, what: str, table: Table, made: Plan, mint: Mint) -> None:
    await tx.run(
        "insert into import (id, school, at, staff, what, hash, counts) values ($1, $2, $3, $4, $5, $6, $7)",
        mint(), school, now(), None, what, fingerprint(table), json.dumps(counts(made)),
    )  # fmt: skip


def counts(made: Plan) -> dict[str, int]:
    return {
        "added": len(made.added),
        "changed": len(made.changed),
        "unchanged": made.unchanged,
        "absent": len(made.absent),
        "problems": len(made.problems),
    }


def fingerprint(table: Table) -> str:
    said = [[row.number, sorted(row.values.items())] for row in table.rows]
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode("utf-8", "replace")).hexdigest()


async def taken_before(tx: Tx, school: str, table: Table) -> int | None:
    """When this very list was last taken in."""
    row = await tx.row("select max(at) from import where school = $1 and hash = $2", school, fingerprint(table))
    return row[0] if row else None


async def _all(tx: Tx, school: str, name: str, columns: Sequence[str]) -> list[dict[str, Any]]:
    whose = OF_PUPILS[name]
    rows = await tx.rows(f"select {', '.join(columns)} from {name} where {whose} order by id", school)
    return [{column: bool(value) if column in FLAGS else value for column, value in zip(columns, row, strict=True)} for row in rows]


async def _add(tx: Tx, school: str, what: str, columns: Sequence[str], made: Plan, seq: int) -> None:
    places = ", ".join(f"${at}" for at in range(1, len(columns) + 3))
    await tx.run_many(
        f"insert into {what.removesuffix('s')} (school, seq, {', '.join(columns)}) values ({places})",
        [(school, seq, *(one.row[column] for column in columns)) for one in made.added],
    )


async def _change(tx: Tx, school: str, what: str, changes: Sequence[Change], seq: int) -> None:
    """The same statement for all rows that change the same columns."""
    alike: dict[tuple[str, ...], list[Change]] = {}
    for one in changes:
        alike.setdefault(tuple(sorted(one.after)), []).append(one)
    for columns, group in alike.items():
        says = ", ".join(f"{column} = ${at}" for at, column in enumerate(columns, start=4))
        await tx.run_many(
            f"update {what.removesuffix('s')} set seq = $1, {says} where school = $2 and id = $3",
            [(seq, school, one.id, *(one.after[column] for column in columns)) for one in group],
        )


# ── Marks ──────────────────────────────────────────────────────────────────────────────────


async def _register(tx: Tx, school: str, table: Table) -> marks.Marked:
    """Of the days that the file speaks of, and no other."""
    days = sorted(marks.days_in(table))
    rows = await tx.rows("select pupil, on_day, am, pm from attendance_day where school = $1 and on_day = any($2)", school, days)
    return {(row["pupil"], row["on_day"]): {"am": row["am"], "pm": row["pm"]} for row in rows}


async def _codes(tx: Tx) -> set[str]:
    return {row["code"] for row in await tx.rows("select distinct code from attendance_code")}


async def _mark(tx: Tx, school: str, made: Plan, today: date) -> None:
    """And what goes by the marks is looked at again: the list of families to ring, and what they promised."""
    await tx.run_many(
        "insert into attendance_day (school, pupil, on_day, am, pm) values ($1, $2, $3, $4, $5)",
        [(school, one.row["pupil"], one.row["on_day"], one.row["am"], one.row["pm"]) for one in made.added],
    )
    for one in made.changed:
        pupil, _, day = one.id.rpartition(" ")
        marked = {**one.before, **one.after}
        await tx.run(
            "update attendance_day set am = $4, pm = $5 where school = $1 and pupil = $2 and on_day = $3",
            school, pupil, day, marked["am"], marked["pm"],
        )  # fmt: skip
    days = {one.row["on_day"] for one in made.added} | {one.id.rpartition(" ")[2] for one in made.changed}
    for day in sorted(day for day in days if day <= today.isoformat())[-LATEST_DAYS:]:
        for does in ("morning.marks", "morning.kept"):
            await due(tx, school, now(), does, day)


async def _move_rights(tx: Tx, school: str, changed: Sequence[Change]) -> None:
    """A pupil who changes year leaves one head of year's records and enters another's: both fetch theirs anew."""
    years = {year for one in changed if "year" in one.after for year in (one.before["year"], one.after["year"])}
    if not years:
        return
    staff = await tx.rows("select id, years from staff where school = $1 and left_at is null", school)
    touched = [row[0] for row in staff if years & set(json.loads(row[1]))]
    await tx.run("update staff set rights = rights + 1 where school = $1 and id = any($2)", school, touched)


# ── What a school's own headings mean ──────────────────────────────────────────────────────


async def profile(tx: Tx, school: str, name: str) -> Mapping[str, str] | None:
    found: Mapping[str, str] | None = (await _settings(tx, school)).get("import_profiles", {}).get(name)
    return found


async def keep_profile(tx: Tx, school: str, name: str, says: Mapping[str, str]) -> None:
    settings = await _settings(tx, school)
    profiles = settings.setdefault("import_profiles", {})
    if profiles.get(name) != dict(says):
        profiles[name] = dict(says)
        await tx.run("update school set settings = $2 where id = $1", school, json.dumps(settings, ensure_ascii=False))


async def _settings(tx: Tx, school: str) -> dict[str, Any]:
    row = await tx.row("select settings from school where id = $1", school)
    found: dict[str, Any] = json.loads(row[0]) if row and row[0] else {}
    return found
