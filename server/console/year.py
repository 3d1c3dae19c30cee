"""The school's year and day: its terms, the days without school in them, and the periods of its day. Patterns are counted by these."""

import datetime
import re
from typing import Any

from litestar import Request, Response, get, post
from litestar.response import Redirect
from msgspec import Struct

from server.access.audit import looked
from server.access.rights import needs
from server.console import words
from server.console.lists import Wrong, new_code
from server.console.pages import frame_for, page
from server.store.database import Tx, reading, writing
from server.store.me import Me
from server.store.moments import now
from server.store.numbers import NewStep, draw

LABEL_LIMIT = 40  # characters
DAYS_AT_ONCE = 60  # in one holiday
ROWS_LIMIT = 400  # of each sort
TIMETABLE = """
    select t.taken_at, count(distinct case when l.on_day = '' then l.staff end) as people,
           coalesce(sum(case when l.on_day = '' then 1 else 0 end), 0) as lessons,
           coalesce(sum(case when l.on_day >= $2 then 1 else 0 end), 0) as changes
    from timetable t left join lesson l on l.school = t.school
    and exists (select 1 from staff s where s.school = l.school and s.id = l.staff and s.left_at is null)
    where t.school = $1 group by t.taken_at"""
CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)


class Year(Struct):
    terms: list[Any]
    closed: list[Any]  # from this school year on
    periods: list[Any]
    timetable: Any  # when it was taken in, and how much of it there is; none: never


class Asked(Struct):
    """What one of the page's forms says."""

    do: str
    key: str = ""  # the term's name, the day, or the period's code as it stands; empty: a new one
    name: str = ""
    first: str = ""
    last: str = ""
    lesson: str = ""
    remove: str = ""


@get("/console/year", guards=[needs("lists")])
async def year(request: Request[Any, Any, Any]) -> Response[str]:
    return await shown(request)


@post("/console/year", guards=[needs("lists")], status_code=303)
async def change_year(request: Request[Any, Any, Any]) -> Response[Any]:
    form = await request.form()
    asked = Asked(**{name: " ".join(str(form.get(name, "")).split()) for name in Asked.__struct_fields__})
    try:
        await writing(changed, request.state.me, asked)
    except Wrong as wrong:
        return await shown(request, 400, str(wrong), asked)
    return Redirect(f"/console/year?done={'removed' if asked.remove else 'saved'}", status_code=303)


async def shown(request: Request[Any, Any, Any], status: int = 200, problem: str = "", asked: Asked | None = None) -> Response[str]:
    me = request.state.me
    found = await reading(year_of, me)
    return page(await frame_for(me), request, "year.html", status, year=found, problem=problem, asked=asked or Asked(""), limit=LABEL_LIMIT)


async def year_of(tx: Tx, me: Me) -> Year:
    today = words.local(now()).date()
    since = datetime.date(today.year if today.month >= 9 else today.year - 1, 9, 1).isoformat()
    return Year(
        await tx.rows("select name, starts_on, ends_on from term where school = $1 order by starts_on desc", me.school),
        await tx.rows("select on_day, why from closed_day where school = $1 and on_day >= $2 order by on_day", me.school, since),
        await tx.rows("select code, label, starts, ends, is_lesson from period where school = $1 order by starts, ends", me.school),
        await tx.row(TIMETABLE, me.school, today.isoformat()),
    )


async def changed(tx: Tx, me: Me, asked: Asked) -> None:
    """Draws a number first: who changes the year at the same time waits, and phones hear of it."""
    await draw(tx, me.school, [NewStep("lists")])
    match asked.do:
        case "term":
            await change_term(tx, me, asked)
        case "closed":
            await change_closed(tx, me, asked)
        case "period":
            await change_period(tx, me, asked)
        case _:
            raise Wrong("That cannot be done to a year")
    await looked(tx, me, f"change {asked.do}", detail={name: getattr(asked, name) for name in Asked.__struct_fields__})


async def change_term(tx: Tx, me: Me, asked: Asked) -> None:
    rows = await tx.rows("select name, starts_on, ends_on from term where school = $1 and name <> $2", me.school, asked.key)
    if not asked.remove:
        first, last = day(asked.first, "the first day"), day(asked.last, "the last day")
        check_name(asked.name, [row["name"] for row in rows])
        if last < first or (last - first).days > 366:
            raise Wrong("The last day comes after the first, within a year")
        if any(asked.first <= row["ends_on"] and row["starts_on"] <= asked.last for row in rows):
            raise Wrong("It overlaps another term")
    await tx.run("delete from term where school = $1 and name = $2", me.school, asked.key)
    if not asked.remove:
        await tx.run(
            "insert into term (school, name, starts_on, ends_on) values ($1, $2, $3, $4)", me.school, asked.name, asked.first, asked.last
        )


async def change_closed(tx: Tx, me: Me, asked: Asked) -> None:
    """A day, or the weekdays of several; or one taken out."""
    if asked.remove:
        await tx.run("delete from closed_day where school = $1 and on_day = $2", me.school, asked.key)
        return
    first, last = day(asked.first, "the day"), day(asked.last or asked.first, "the last day")
    check_name(asked.name, [])
    if not 0 <= (last - first).days < DAYS_AT_ONCE:
        raise Wrong(f"The last day comes after the first, within {DAYS_AT_ONCE} days")
    days = [on for n in range((last - first).days + 1) if (on := first + datetime.timedelta(days=n)).weekday() < 5]
    if not days:
        raise Wrong("Those are no weekdays")
    await tx.run_many(
        "insert into closed_day (school, on_day, why) values ($1, $2, $3) on conflict (school, on_day) do update set why = excluded.why",
        [(me.school, on.isoformat(), asked.name) for on in days],
    )


async def change_period(tx: Tx, me: Me, asked: Asked) -> None:
    rows = await tx.rows("select code, label, starts, ends from period where school = $1 and code <> $2", me.school, asked.key)
    if asked.remove:
        said = await tx.row(
            "select 1 from record where school = $1 and body like $2 escape '!' limit 1", me.school, f'%"lesson":"{like(asked.key)}"%'
        )
        if said is not None:
            raise Wrong("Records name it, so it stays. Rename it instead")
        await tx.run("delete from period where school = $1 and code = $2", me.school, asked.key)
        return
    check_name(asked.name, [row["label"] for row in rows])
    if not CLOCK.fullmatch(asked.first) or not CLOCK.fullmatch(asked.last) or asked.last <= asked.first:
        raise Wrong("It ends after it starts: enter both times, like 09:00 and 10:00")
    if any(asked.first < row["ends"] and row["starts"] < asked.last for row in rows):
        raise Wrong("It overlaps another period")
    code = asked.key or new_code(asked.name, [row["code"] for row in rows])
    await tx.run(
        "insert into period (school, code, label, starts, ends, is_lesson) values ($1, $2, $3, $4, $5, $6)"
        " on conflict (school, code) do update set label = excluded.label, starts = excluded.starts, ends = excluded.ends,"
        " is_lesson = excluded.is_lesson",
        me.school, code, asked.name, asked.first, asked.last, asked.lesson == "yes",
    )  # fmt: skip


def day(text: str, which: str) -> datetime.date:
    try:
        found = datetime.date.fromisoformat(text)
    except ValueError:
        raise Wrong(f"Enter {which}") from None
    if found.isoformat() != text or not 2000 <= found.year <= 2100:
        raise Wrong(f"Enter {which}")
    return found


def check_name(name: str, others: list[str]) -> None:
    if not 0 < len(name) <= LABEL_LIMIT:
        raise Wrong(f"Enter what it is called, {LABEL_LIMIT} characters at most")
    if any(other.casefold() == name.casefold() for other in others):
        raise Wrong("There is one of that name already")
    if len(others) >= ROWS_LIMIT:
        raise Wrong(f"{ROWS_LIMIT} at most")


def like(text: str) -> str:
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")


routes = [year, change_year]
