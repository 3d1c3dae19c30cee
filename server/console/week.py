"""A week of looking: pupils looked at most, lookers with no reason that we know of, and looks out of hours. For the safeguarding lead.

Nothing here says that anybody did wrong. It says where to ask.
"""

from collections import Counter
from typing import Any

from litestar import Request, Response, get
from msgspec import Struct

from server.access.audit import looked
from server.access.rights import needs
from server.console import words
from server.console.directory import pupils_by_id
from server.console.pages import frame_for, page
from server.console.records import from_json
from server.console.showing import PupilLine
from server.kinds.roles import Role
from server.store.database import Tx, reading, writing
from server.store.me import Me
from server.store.moments import now

WEEK = 7 * words.DAY
WEEKS_BACK = 52
MOST = 10  # pupils; and people, in each list
NAMED = 6  # pupils beside one person
EARLIEST, LATEST = 7, 19  # o'clock: what is before or after is out of hours
EVERYBODYS = (Role.OFFICER, Role.MANAGER, Role.DSL, Role.LEADER)  # whose work is with any pupil of the school

OF_PAGES = ["read pupil", "read pupil in an emergency"]
OF_RECORDS = ["read record", "read record in an emergency"]

MOST_LOOKED_AT = f"""
    select pupil, count(*) as looks, count(distinct staff) as people from (
        select pupil, staff from audit where school = $1 and at >= $2 and at < $3 and what = any($4) and pupil is not null
        union all
        select about.pupil, audit.staff from audit
        join record_pupil about on about.school = audit.school and about.record = audit.record and about.dropped_seq is null
        where audit.school = $1 and audit.at >= $2 and audit.at < $3 and audit.what = any($5)
    ) looked group by pupil order by looks desc, pupil limit {MOST}"""

# Relationship as it is now: wrote in a record about them, is named in one, has them in their care. Years are told apart below.
STRANGERS = """
    select a.staff, s.name, s.role, s.years, a.pupil, p.year, count(*) as looks from audit a
    join staff s on s.school = a.school and s.id = a.staff join pupil p on p.school = a.school and p.id = a.pupil
    where a.school = $1 and a.at >= $2 and a.at < $3 and a.what = any($4) and not s.role = any($5)
    and not exists (
        select 1 from opening o where o.school = a.school and o.staff = a.staff and o.pupil = a.pupil and o.why = 'emergency'
        and o.at < $3 and o.ends_at >= $2)
    and not exists (select 1 from caseload c where c.school = a.school and c.staff = a.staff and c.pupil = a.pupil)
    and not exists (
        select 1 from record_pupil about join record_staff mine on mine.school = about.school and mine.record = about.record
        where about.school = a.school and about.pupil = a.pupil and about.dropped_seq is null
        and mine.staff = a.staff and mine.dropped_seq is null)
    group by a.staff, s.name, s.role, s.years, a.pupil, p.year"""

EVERY_LOOK = """
    select a.at, a.staff, s.name, s.role from audit a join staff s on s.school = a.school and s.id = a.staff
    where a.school = $1 and a.at >= $2 and a.at < $3 and a.what = any($4) order by a.at"""


class Looker(Struct):
    """One person, and what of theirs stands out."""

    name: str
    role: str
    looks: int = 0
    pupils: list[PupilLine] = []  # the first few
    how_many: int = 0  # pupils in all
    last_at: int = 0


class Week(Struct, frozen=True):
    since: int
    until: int
    looks: int
    people: int
    most: list[tuple[PupilLine, int, int]]  # looks, people
    strangers: list[Looker]
    out_of_hours: list[Looker]
    openings: int


@get("/console/looked", guards=[needs("access_log")])
async def week_of_looking(request: Request[Any, Any, Any]) -> Response[str]:
    me = request.state.me
    back = min(words.figure(request.query_params.get("back", "")), WEEKS_BACK)
    await writing(looked, me, "read access log")
    week = await reading(week_before, me, now() - back * WEEK)
    return page(await frame_for(me), request, "week.html", week=week, back=back, furthest=WEEKS_BACK, earliest=EARLIEST, latest=LATEST)


async def week_before(tx: Tx, me: Me, until: int) -> Week:
    since = until - WEEK
    span = (me.school, since, until)
    most = await tx.rows(MOST_LOOKED_AT, *span, OF_PAGES, OF_RECORDS)
    every = await tx.rows(EVERY_LOOK, *span, [*OF_PAGES, *OF_RECORDS])
    closed = {row["on_day"] for row in await tx.rows("select on_day from closed_day where school = $1", me.school)}
    openings = await tx.row("select count(*) from opening where school = $1 and at >= $2 and at < $3", *span)
    lines = await pupils_by_id(tx, me.school, [row["pupil"] for row in most])
    return Week(
        since, until, len(every), len({row["staff"] for row in every}),
        [(lines[row["pupil"]], row["looks"], row["people"]) for row in most if row["pupil"] in lines],
        await strangers_in(tx, me, since, until), lookers_out_of_hours(every, closed), int(openings[0]) if openings else 0,
    )  # fmt: skip


async def strangers_in(tx: Tx, me: Me, since: int, until: int) -> list[Looker]:
    rows = await tx.rows(STRANGERS, me.school, since, until, OF_PAGES[:1], [role.value for role in EVERYBODYS])
    unknown = [row for row in rows if row["year"] not in (from_json(row["years"]) or [])]
    lines = await pupils_by_id(tx, me.school, [row["pupil"] for row in unknown])
    found: dict[str, Looker] = {}
    for row in sorted(unknown, key=lambda row: (-row["looks"], row["pupil"])):
        one = found.setdefault(row["staff"], Looker(row["name"], Role(row["role"]).label, pupils=[]))
        one.looks += row["looks"]
        one.how_many += 1
        if len(one.pupils) < NAMED:
            one.pupils.append(lines[row["pupil"]])
    return sorted(found.values(), key=lambda one: (-one.how_many, -one.looks, one.name))[:MOST]


def lookers_out_of_hours(rows: list[Any], closed: set[str]) -> list[Looker]:
    late = [row for row in rows if is_out_of_hours(row["at"], closed)]
    counts = Counter(row["staff"] for row in late)
    last = {row["staff"]: row for row in late}  # they come in the order of time
    found = [Looker(row["name"], Role(row["role"]).label, counts[staff], last_at=row["at"]) for staff, row in last.items()]
    return sorted(found, key=lambda one: (-one.looks, one.name))[:MOST]


def is_out_of_hours(at: int, closed: set[str]) -> bool:
    local = words.local(at)
    return local.weekday() >= 5 or not EARLIEST <= local.hour < LATEST or local.date().isoformat() in closed


routes = [week_of_looking]
