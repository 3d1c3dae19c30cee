"""What the school holds on the evening before, pupil by pupil: the register, what calls promised, plans, caseloads, and who may be rung."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from server.kinds import KINDS
from server.morning.days import SchoolDays, day_after
from server.morning.listing import RECENT_DAYS, Child
from server.oncall.plans import to_ring_if_absent
from server.oncall.rota import local, moment_of
from server.store.database import Tx
from server.store.moments import from_wire

CALL = KINDS["attendance_call"].name
COMES = frozenset({"in_today", "in_late"})  # promises to be in
AGAIN = frozenset({"ring_again", "ring_tomorrow"})
LOOKED_AT_CALLS = 14 * 24 * 3600 * 1_000_000  # µs back
FIRST_DAY, LAST_DAY = "2000-01-01", "2999-12-31"
ATTENDED = ("present", "approved")

PUPILS = "select id, family, year from pupil where school = $1 and left_at is null and not canary order by id"
MARKS = "select pupil, on_day, am, pm from attendance_day where school = $1 and on_day = any($2)"
# How often each pair of marks was given to whom this school year. What one counts as is looked up once a code, not once a mark.
YEAR = """
    select pupil, am, pm, count(*) as times from attendance_day where school = $1 and on_day >= $2 and on_day < $3
    group by pupil, am, pm"""
CODES = "select code, category, is_possible from attendance_code where from_on <= $1 and (to_on is null or to_on >= $1)"
CALLS = "select body from record where school = $1 and kind = $2 and state <> 'void' and happened_at >= $3 and happened_at < $4"
CONTACTS = "select pupil, person, phone, other_phone, do_not_contact from contact where school = $1 and not gone"


class Sums(msgspec.Struct):
    """Sessions as the DfE counts them."""

    possible: int = 0
    missed: int = 0

    def add(self, mark: str | None, times: int, codes: Mapping[str, str]) -> None:
        """A mark that is in no list of codes counts as nothing."""
        if mark is not None and mark in codes:
            self.possible += times
            self.missed += times * (codes[mark] not in ATTENDED)


class Gathered(msgspec.Struct, frozen=True):
    children: list[Child]
    last_days: list[str]  # with school, oldest first
    has_marks: bool  # of the last of them


async def gather(tx: Tx, school: str, day: str, days: SchoolDays) -> Gathered:
    last_days = days.before(day, RECENT_DAYS)
    marks: dict[str, dict[str, tuple[str, str]]] = {}
    for pupil, on_day, am, pm in await tx.rows(MARKS, school, [*last_days, day]):
        marks.setdefault(pupil, {})[on_day] = (am or "", pm or "")
    codes = await possible_codes(tx, last_days[-1] if last_days else day)
    year: defaultdict[str, Sums] = defaultdict(Sums)
    for pupil, am, pm, times in await tx.rows(YEAR, school, year_of(day), day):
        for mark in (am, pm):
            year[pupil].add(mark, times, codes)
    promised, again = await said_for(tx, school, day, days)
    cared = {row[0] for row in await tx.rows("select pupil from caseload where school = $1", school)}
    planned = await to_ring_if_absent(tx, school)
    children = []
    for id, family, school_year in await tx.rows(PUPILS, school):
        theirs = tuple(marks.get(id, {}).get(one, ("", "")) for one in last_days)
        recent, last = summed(theirs, codes), summed(theirs[-1:], codes)
        children.append(
            Child(
                id=id,
                family=family or "",
                year=school_year,
                marks=theirs,
                possible=year[id].possible,
                missed=year[id].missed,
                recent_possible=recent.possible,
                recent_missed=recent.missed,
                ahead=marks.get(id, {}).get(day, ("", "")),
                promised=id in promised,
                ring_again=id in again,
                caseload=id in cared,
                plan=id in planned,
                away=last.missed > 0,
            )
        )
    return Gathered(children, last_days, bool(last_days) and any(last_days[-1] in of for of in marks.values()))


async def possible_codes(tx: Tx, day: str) -> dict[str, str]:
    """The category of each code that counts as a session possible on that day."""
    return {row["code"]: row["category"] for row in await tx.rows(CODES, day) if row["is_possible"]}


def summed(marks: Iterable[tuple[str, str]], codes: Mapping[str, str]) -> Sums:
    found = Sums()
    for mark in (mark for day in marks for mark in day):
        found.add(mark, 1, codes)
    return found


def year_of(day: str) -> str:
    """The first of September of its school year."""
    year, month = int(day[:4]), int(day[5:7])
    return f"{year if month >= 9 else year - 1}-09-01"


async def said_for(tx: Tx, school: str, day: str, days: SchoolDays) -> tuple[set[str], set[str]]:
    """Pupils who were promised to be in on that day, and those whose family is to be rung again on it, as calls of the last weeks say.

    What was said for a day without school is meant for the next with it.
    """
    begins = moment_of(day, "00:00")
    promised, again = set[str](), set[str]()
    for (text,) in await tx.rows(CALLS, school, CALL, begins - LOOKED_AT_CALLS, begins):
        body = msgspec.json.decode(text)
        pupils = set(body.get("pupils") or ())
        if body.get("promise") in COMES and next_with_school(day_in(body.get("promised_for")), days) == day:
            promised |= pupils
        if body.get("next_step") in AGAIN and next_with_school(day_in(body.get("next_at")) or next_day_of(body), days) == day:
            again |= pupils
    return promised, again


def next_with_school(day: str | None, days: SchoolDays) -> str | None:
    return days.next(day) if day else None


def next_day_of(body: Mapping[str, Any]) -> str | None:
    """“Ring tomorrow”, without a day: the day after the call. “Ring again today” that nobody did is not for this list."""
    rung_on = day_in(body.get("rung_at"))
    return day_after(rung_on) if rung_on and body.get("next_step") == "ring_tomorrow" else None


def day_in(value: Any) -> str | None:
    """None also for a day that no school is open on: somebody's clock made it up."""
    at = from_wire(value["at"]) if isinstance(value, dict) and isinstance(value.get("at"), str) else None
    day = None if at is None else local(at).day
    return day if day and FIRST_DAY <= day <= LAST_DAY else None


async def nobody_may_be_rung(tx: Tx, school: str) -> set[str]:
    """Pupils all of whose adults are “do not ring”. Whoever must not be rung for one child is not rung for another."""
    rows = await tx.rows(CONTACTS, school)
    barred = {row["person"] for row in rows if row["do_not_contact"]}
    with_barred = {row["pupil"] for row in rows if row["person"] in barred}
    may = {row["pupil"] for row in rows if row["person"] not in barred and (row["phone"] or row["other_phone"])}
    return with_barred - may
