"""A day's marks against the register the school has: a row for each pupil and day, or for each pupil and session.

A blank takes no mark away. A pupil is known by a number alone: by a name, a mark could go to a namesake.
"""

from collections.abc import Iterable, Mapping, Set
from datetime import date, timedelta
from typing import Any

from server.imports import values
from server.imports.headings import Row, Table
from server.imports.known import KEYS, Known, NotPlain, by_keys, who
from server.imports.plan import Addition, Change, Fields, Plan, differences
from server.imports.said import Said

LONG_AGO, AHEAD = timedelta(days=400), timedelta(days=120)  # leave and visits are marked ahead
SESSIONS = ("am", "pm")
Marked = dict[tuple[str, str], Fields]  # by pupil and day


def lacking(fields: set[str]) -> str | None:
    """What a list of marks cannot do without."""
    if not fields & {"am", "pm"} and not {"session", "mark"} <= fields:
        return "There is no column for the marks: AM and PM, or a session and its mark."
    if "on_day" not in fields:
        return "There is no column for the date."
    if not fields & set(KEYS):
        return "There is nothing to say whose marks they are: no UPN, admission number or MIS id."
    return None


def days_in(table: Table) -> set[str]:
    """Every day that the file speaks of."""
    found = (values.day(row.values.get("on_day", "")) for row in table.rows)
    return {day.isoformat() for day in found if day}


def plan(table: Table, pupils: Iterable[Mapping[str, Any]], register: Marked, codes: Set[str], today: date) -> Plan:
    """`register`: the marks that are there; `codes`: those that a register may hold."""
    known, made, now = Known.of(pupils), Plan("marks"), dict[tuple[str, str], Fields]()
    names = {pupil["id"]: who(pupil) for pupil in known.pupils}
    for row in table.rows:
        said = read(row, table.headings, codes, today)
        pupil = whose(said, known) if said.is_usable else None
        if pupil and said.is_usable:
            take(said, now.setdefault((pupil, said.fields.pop("on_day")), {}))
        made.problems += said.problems
    for (pupil, day), marks in sorted(now.items()):
        before = register.get((pupil, day))
        name, after = f"{names[pupil]}, {date.fromisoformat(day):%d/%m/%Y}", differences(before or {}, marks)
        if before is None and marks:
            made.added.append(Addition(name, {"pupil": pupil, "on_day": day, **dict.fromkeys(SESSIONS), **marks}))
        elif after:
            made.changed.append(Change(name, f"{pupil} {day}", before or {}, after))
        else:
            made.unchanged += 1
    return made


def read(row: Row, headings: dict[str, str], codes: Set[str], today: date) -> Said:
    said = Said(row, headings)
    if said.refuse_formulas():
        return said
    day = values.day(said.given("on_day"))
    if day is None or not today - LONG_AGO <= day <= today + AHEAD:
        said.wrong("on_day", "is no day of which a register is kept: write 23/11/2026")
        return said
    said.fields["on_day"] = day.isoformat()
    for one in SESSIONS:
        note(said, one, one, codes)
    if said.given("mark"):
        session = said.given("session").strip().lower()[:2]
        if session in SESSIONS:
            note(said, session, "mark", codes)
        else:
            said.wrong("session", "is neither AM nor PM")
    return said


def note(said: Said, session: str, column: str, codes: Set[str]) -> None:
    mark = said.given(column).strip().upper()
    if mark and mark not in codes:
        said.wrong(column, f"“{mark}” is no attendance code")
    elif mark:
        said.fields[session] = mark


def whose(said: Said, known: Known) -> str | None:
    asked: dict[str, str | None] = {key: said.given(key) or None for key in KEYS}
    asked["upn"] = values.upn(said.given("upn")) or None
    try:
        _, pupil = by_keys(asked, known)
    except NotPlain as unsure:
        column, words = unsure.args
        said.wrong(column, words)
        return None
    if pupil is None:
        said.wrong(next((key for key in KEYS if said.given(key)), KEYS[0]), "is no pupil of this school")
    return str(pupil["id"]) if pupil else None


def take(said: Said, marks: Fields) -> None:
    """The first that is said stands: which of two that differ is true takes a person to say."""
    for session, mark in said.fields.items():
        if marks.setdefault(session, mark) != mark:
            said.wrong(session if said.given(session) else "mark", f"another mark of that session is further up: {marks[session]}")
