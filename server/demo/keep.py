"""Puts a made-up school's people, lists, timetable and registers into the store. What happens in it goes through the exchange."""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from server.demo.days import begins_of, school_year
from server.demo.people import Contact, Pupil
from server.demo.phones import Handset
from server.demo.school import PERIODS, School, clock, lists, place_for
from server.morning.evening import Morning, keep_morning
from server.store.database import Tx, writing
from server.store.numbers import NewStep, draw

ROWS_AT_ONCE = 20_000
CASELOAD = {"officer": 24, "responder": 12}  # pupils in the care of each
LESSONS_OF = 0.8  # of the periods
MOVED = 40  # one lesson in so many is in another room today
SETTINGS = {"phone": "01632 960140", "radio": "channel 3"}  # what to ring when a call for help has no signal
UNFINISHED = {"unfinished": True}  # taken out when the last letter is delivered
FAMILIES = 34  # on a morning's list
CANARY = {"forename": "Rowan", "surname": "Ashgrove", "year": "9", "form": "9 KEL", "canary": True}  # nobody
CANARYS_PARENT = {
    "position": 1, "name": "Wendy Ashgrove", "relationship": "Mother", "phone": "07700 900472", "parental_responsibility": True,
}  # fmt: skip
COLOURS = (("#0d6166", "#f0c24b"), ("#5b2a86", "#9fe0c8"), ("#1d4e89", "#f2a65a"), ("#7a1f3d", "#d9d9d9"))


async def keep_school(tx: Tx, school: School, number: int, phones: dict[str, Handset], password: str | None, sign_ins: set[str]) -> None:
    """`password`: hashed already; only `sign_ins` have it. The rest of the staff cannot sign in."""
    made_at = clock(school.days[0], "08:00")
    ribbon, thread = COLOURS[number % len(COLOURS)]
    await insert(tx, "school", [{"id": school.id, "name": school.name, "is_demo": True, "ribbon": ribbon, "thread": thread,
                                 "settings": json.dumps(SETTINGS | UNFINISHED), "made_at": made_at}])  # fmt: skip
    people, words = await draw(tx, school.id, [NewStep("people"), NewStep("lists")])
    del words  # every number has its step, and lists have theirs
    in_school = {"school": school.id}
    await insert(tx, "staff", (
        {**in_school, "id": one.id, "username": one.username, "name": one.whole_name, "role": one.role, "years": json.dumps(one.years),
         "password": password if one.username in sign_ins else None, "seq": people.seq}
        for one in school.staff
    ))  # fmt: skip
    await insert(tx, "pupil", ({**in_school, **_pupil(one), "seq": people.seq} for one in school.pupils))
    if number == 0:
        canary = school.chance("canary").id(made_at)
        await insert(tx, "pupil", [{**in_school, **CANARY, "id": canary, "seq": people.seq}])
        parent = school.chance("canary", "parent").id(made_at)
        await insert(tx, "contact", [{**in_school, **CANARYS_PARENT, "id": parent, "person": parent, "pupil": canary, "seq": people.seq}])
    await insert(tx, "contact", ({**in_school, **_contact(one, each), "seq": people.seq} for one in school.pupils for each in one.contacts))
    await insert(tx, "caseload", ({**in_school, **row} for row in _caseloads(school)))
    await insert(tx, "phone", (
        {**in_school, "id": one.id, "staff": id, "name": one.name, "paired_at": made_at} for id, one in phones.items()
    ))  # fmt: skip
    await _keep_timetable(tx, school)
    await _keep_rota(tx, school, made_at)
    await keep_morning(tx, Morning(school.id, most=FAMILIES, on=True), school.as_at)


async def _keep_rota(tx: Tx, school: School, made_at: int) -> None:
    """Responders take turns to be first, managers next; a senior leader leads all day."""
    team = {
        "first": school.by_role.get("responder", []),
        "next": school.by_role.get("manager", []),
        "lead": school.by_role.get("leader", []),
    }
    await insert(tx, "duty", (
        {"school": school.id, "id": f"{weekday}-{one.code}-{part}", "staff": people[(weekday + at) % len(people)].id, "weekday": weekday,
         "period": one.code, "part": part, "made_at": made_at}
        for weekday in range(5) for at, one in enumerate(PERIODS) for part, people in team.items() if people
    ))  # fmt: skip


async def _keep_timetable(tx: Tx, school: School) -> None:
    in_school = {"school": school.id}
    await insert(tx, "list_entry", (
        {**in_school, "list": name, "code": code, "label": label, "position": at, "retired": retired}
        for name, entries in lists().items()
        for at, (code, (label, retired)) in enumerate(entries.items(), start=1)
    ))  # fmt: skip
    await insert(tx, "period", (
        {**in_school, "code": one.code, "label": one.label, "starts": one.starts, "ends": one.ends, "is_lesson": one.lesson}
            for one in PERIODS
    ))  # fmt: skip
    await _keep_lessons(tx, school)
    now = begins_of(school.days[-1])
    for year in (school_year(now - 1), school_year(now)):
        await insert(tx, "term", (
            {**in_school, "name": term.name, "starts_on": term.starts_on.isoformat(), "ends_on": term.ends_on.isoformat()}
                for term in year.terms
        ))  # fmt: skip
        await insert(tx, "closed_day", ({**in_school, "on_day": day.isoformat(), "why": why} for day, why in sorted(year.closed.items())))


async def _keep_lessons(tx: Tx, school: School) -> None:
    """Of everybody who teaches, with a free period now and then; and on the last day a few in another room."""
    await insert(tx, "timetable", [{"school": school.id, "taken_at": clock(school.days[0], "08:00")}])
    teaching, taught = [one for one in school.staff if one.subject], [one for one in PERIODS if one.lesson]
    rows = []
    for one in teaching:
        chance = school.chance("timetable", one.id)
        for weekday in range(5):
            for period in taught:
                if chance.happens(LESSONS_OF):
                    group = f"{chance.randrange(7, 12)}{chance.choice('XY')}{chance.randrange(1, 5)}"
                    rows.append({"school": school.id, "staff": one.id, "on_day": "", "week": "", "weekday": weekday, "period": period.code,
                                 "place": place_for(one.subject).code, "words": f"{group} {one.subject}, {one.room}"})  # fmt: skip
    today = school.days[-1]
    moved = [row for row in rows if row["weekday"] == today.weekday()][::MOVED]
    rows += [row | {"on_day": today.isoformat(), "place": "library"} for row in moved]
    await insert(tx, "lesson", rows)


async def keep_register(school: School, tell: Callable[[int, int], None]) -> None:
    rows = [
        {"school": school.id, "pupil": pupil, "on_day": day.isoformat(), "am": am, "pm": pm}
        for pupil, day, am, pm in school.register.rows()
    ]
    for first in range(0, len(rows), ROWS_AT_ONCE):
        await writing(insert, "attendance_day", rows[first : first + ROWS_AT_ONCE])
        tell(min(first + ROWS_AT_ONCE, len(rows)), len(rows))


async def keep_readings(tx: Tx, school: School) -> None:
    """Those who read everything have read what came before today; what came since is new to them."""
    today = clock(school.days[-1], "00:01")
    for role in ("manager", "dsl", "leader"):
        for one in school.by_role.get(role, []):
            await tx.run(
                "insert into reading (school, staff, record, seq, at) select record.school, $2, record.id, record.seq, $3 from record"
                " join step on step.school = record.school and step.seq = record.seq where record.school = $1 and step.at < $3",
                school.id, one.id, today,
            )  # fmt: skip


async def finish(tx: Tx) -> None:
    await tx.run("update school set settings = $1 where is_demo", json.dumps(SETTINGS))


def _pupil(one: Pupil) -> dict[str, Any]:
    return {
        "id": one.id, "mis_id": one.mis_id, "upn": one.upn, "admission_no": one.admission_no, "forename": one.forename,
        "surname": one.surname, "preferred": one.preferred, "year": str(one.year), "form": one.form, "born_on": one.born_on.isoformat(),
        "family": one.family, "address": None if one.address_withheld else one.address, "address_withheld": one.address_withheld,
    }  # fmt: skip


def _contact(pupil: Pupil, one: Contact) -> dict[str, Any]:
    return {"pupil": pupil.id, **vars(one)}


def _caseloads(school: School) -> list[dict[str, str]]:
    """Officers look after those who are away most; each responder a dozen."""
    most = sorted(school.pupils, key=lambda one: (-school.register.absent(one), one.id))
    rows, taken = [], 0
    for role, size in CASELOAD.items():
        for one in school.by_role.get(role, []):
            few = min(size, len(most) // 10)
            rows += [{"staff": one.id, "pupil": pupil.id} for pupil in most[taken : taken + few]]
            taken += few
    return rows


async def insert(tx: Tx, table: str, rows: Iterable[dict[str, Any]]) -> None:
    """Rows that name the same columns."""
    found: Sequence[dict[str, Any]] = list(rows)
    if found:
        columns = list(found[0])
        places = ", ".join(f"${at}" for at in range(1, len(columns) + 1))
        await tx.run_many(f"insert into {table} ({', '.join(columns)}) values ({places})", [tuple(row.values()) for row in found])
