"""An import against the real store: read what the school knows, plan, and if asked, write it in the same transaction."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from server.imports import contacts, marks, pupils, timetable
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


async def plan(tx: Tx, school: str, what: str, table: Table, mint: Mint, today: date, week_a: str = "") -> Plan:
    """What taking this table in would do. Writes nothing."""
    if what == "timetable":
        return timetable.plan(table, *await _timetabled(tx, school), week_a or await _week_a(tx, school), today)
    known_pupils = await _all(tx, school, "pupil", PUPIL_COLUMNS)
    if what == "pupils":
        return pupils.plan(table, known_pupils, mint, today)
    if what == "marks":
        return marks.plan(table, known_pupils, await _register(tx, school, table), await _codes(tx), today)
    return contacts.plan(table, known_pupils, await _all(tx, school, "contact", CONTACT_COLUMNS), mint)


async def apply(tx: Tx, school: str, what: str, table: Table, mint: Mint, today: date, week_a: str = "") -> Plan:
    """Takes a table in, whole or not at all. Safe to repeat: the second time there is nothing to change, and no step is drawn."""
    await lock(tx, school)  # before planning: what is compared must be what is changed
    made = await plan(tx, school, what, table, mint, today, week_a)
    if what == "timetable":
        await _note_timetable(tx, school, week_a)
    if made.is_empty and not week_a:
        return made
    if what == "timetable":
        await _teach(tx, school, made, today)
        await draw(tx, school, [NewStep("lists")])  # phones hear of it
        await _note(tx, school, what, table, made, mint)
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
        "removed": len(made.removed),
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


# ── The timetable ──────────────────────────────────────────────────────────────────────────

LESSON_KEY = "school = $1 and staff = $2 and on_day = $3 and week = $4 and weekday = $5 and period = $6"


async def _timetabled(tx: Tx, school: str) -> tuple[timetable.Known, timetable.Lessons]:
    known = timetable.Known(
        await tx.rows("select id, username, name from staff where school = $1 and left_at is null order by id", school),
        await tx.rows("select code, label from period where school = $1 order by starts", school),
        await tx.rows("select code, label from list_entry where school = $1 and list = 'places' and not retired", school),
    )
    rows = await tx.rows("select staff, on_day, week, weekday, period, place, words from lesson where school = $1", school)
    return known, {timetable.When(*list(row)[:5]): {"place": row["place"], "words": row["words"]} for row in rows}


async def _week_a(tx: Tx, school: str) -> str:
    row = await tx.row("select week_a from timetable where school = $1", school)
    return row["week_a"] if row else ""


async def _note_timetable(tx: Tx, school: str, week_a: str) -> None:
    await tx.run(
        "insert into timetable (school, taken_at, week_a) values ($1, $2, $3) on conflict (school) do update set"
        " taken_at = excluded.taken_at, week_a = case when $3 = '' then timetable.week_a else $3 end",
        school, now(), week_a,
    )  # fmt: skip


async def _teach(tx: Tx, school: str, made: Plan, today: date) -> None:
    """What was changed for one day goes when the day is over."""
    await tx.run("delete from lesson where school = $1 and on_day <> '' and on_day < $2", school, today.isoformat())
    await tx.run_many(f"delete from lesson where {LESSON_KEY}", [lesson_key(school, one.row) for one in made.removed])
    await tx.run_many(
        "insert into lesson (school, staff, on_day, week, weekday, period, place, words) values ($1, $2, $3, $4, $5, $6, $7, $8)",
        [(*lesson_key(school, one.row), one.row["place"], one.row["words"]) for one in made.added],
    )
    changed = [{**one.before, **one.after} for one in made.changed]
    await tx.run_many(
        f"update lesson set place = $7, words = $8 where {LESSON_KEY}",
        [(*lesson_key(school, row), row["place"], row["words"]) for row in changed],
    )


def lesson_key(school: str, row: Mapping[str, Any]) -> tuple[Any, ...]:
    return (school, *(row[name] for name in timetable.When._fields))


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
