"""Patterns: where and when incidents happen, with every number in its cell; the same numbers for a spreadsheet, and why it was taken."""

from datetime import date
from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response, get, post
from msgspec import Struct, structs

from server.access.audit import looked
from server.access.rights import may, needs, require_fresh
from server.console import words
from server.console.pages import Frame, frame_for, page
from server.console.records import records_where
from server.kinds import KINDS
from server.kinds.kind import Kind
from server.refusals import NotFound, Unreadable
from server.reports.csv import Sheet, csv_of
from server.reports.heard import Heard, heard
from server.reports.patterns import Grid, Line, Question, patterns
from server.reports.sheets import Names, patterns_sheet, records_sheet
from server.reports.timetable import timetable_of
from server.store.database import Tx, reading, writing
from server.store.me import Me
from server.store.moments import now

PURPOSE_LIMIT = 200  # characters
RECORDS_AT_MOST = 20_000  # in one spreadsheet
BAR_ROOM, BAR_WIDTH, CHART_HEIGHT = 52, 36, 150  # of the weeks' chart, in its own units


class Asked(Struct, frozen=True):
    """The filters, as the address has them."""

    since: str = ""
    until: str = ""
    category: str = ""
    place: str = ""
    year: str = ""
    outside: str = ""  # for readers outside the school: small numbers are hidden

    @property
    def query(self) -> str:
        return urlencode({name: value for name, value in structs.asdict(self).items() if value})


class Choices(Struct):
    categories: list[tuple[str, str]]
    places: list[tuple[str, str]]
    years: list[str]
    term: str
    first: date
    last: date
    heard: Heard


class Bar(Struct, frozen=True):
    """One week in the chart, in the chart's own units."""

    x: int
    y: int
    height: int
    label: str
    number: str


@get("/console/patterns", guards=[needs("patterns")])
async def where_and_when(request: Request[Any, Any, Any]) -> Response[str]:
    me, asked = request.state.me, asked_in(request.query_params)
    choices = await reading(choices_for, me)
    found = await patterns(me.school, question_of(asked, choices), today())
    return page(
        await frame_for(me), request, "patterns.html",
        found=found, asked=asked, choices=choices, bars=bars_of(found.weeks), heat=heat, cell=cell, rate=rate, may_export=may(me, "export"),
        kinds=list(KINDS.values()),
        room=BAR_ROOM, width=BAR_WIDTH, height=CHART_HEIGHT,
    )  # fmt: skip


# ── Spreadsheets ───────────────────────────────────────────────────────────────────────────


@post("/console/patterns.csv", guards=[needs("export")], status_code=200)
async def patterns_csv(request: Request[Any, Any, Any]) -> Response[str]:
    me, form = require_fresh(request), await request.form()
    choices, purpose = await reading(choices_for, me), purpose_in(form)
    found = await patterns(me.school, question_of(asked_in(form), choices), today())
    about = about_it(await frame_for(me), purpose, choices.heard)
    await writing(looked, me, "export patterns", detail={"purpose": purpose})
    return as_file(patterns_sheet(found, about), "patterns")


@post("/console/records.csv", guards=[needs("export")], status_code=200)
async def records_csv(request: Request[Any, Any, Any]) -> Response[str]:
    """All records of one kind that I may hold, with what I may see of them."""
    me, form = require_fresh(request), await request.form()
    kind, purpose = KINDS.get(str(form.get("kind", ""))), purpose_in(form)
    if kind is None:
        raise NotFound
    rows, names, heard_of = await reading(rows_of, me, kind)
    about = about_it(await frame_for(me), purpose, heard_of)
    if len(rows) == RECORDS_AT_MOST:
        about.append(f"The newest {RECORDS_AT_MOST:,} only.")
    await writing(looked, me, "export records", detail={"kind": kind.name, "records": len(rows), "purpose": purpose})
    return as_file(records_sheet(kind, rows, names, me.role, about), kind.name)


async def rows_of(tx: Tx, me: Me, kind: Kind) -> tuple[list[dict[str, Any]], Names, Heard]:
    found = await records_where(tx, me, "r.kind = $1", kind.name, after=f"order by r.happened_at desc, r.id limit {RECORDS_AT_MOST}")
    rows = [{name: row[name] for name in ENVELOPE} | {"body": kept.body, "disputes": kept.disputes} for kept, row in found]
    pupils = await tx.rows("select id, coalesce(preferred, forename) as forename, surname, form from pupil where school = $1", me.school)
    staff = await tx.rows("select id, name from staff where school = $1", me.school)
    lists: dict[str, dict[str, str]] = {}
    for row in await tx.rows("select list, code, label from list_entry where school = $1", me.school):
        lists.setdefault(row["list"], {})[row["code"]] = row["label"]
    named = {row["id"]: f"{row['forename']} {row['surname']}, {row['form']}" for row in pupils}
    return rows, Names(named, {row["id"]: row["name"] for row in staff}, lists), await heard(tx, me.school, now())


ENVELOPE = ("id", "kind", "state", "author", "made_at", "received_at", "happened_at", "edits")


def purpose_in(form: Any) -> str:
    """What it is taken for: it stands in the file and in the access log."""
    purpose = " ".join(str(form.get("purpose", "")).split())[:PURPOSE_LIMIT]
    if not purpose:
        raise Unreadable("Say what the spreadsheet is for: it stands in the file and in the access log.")
    return purpose


def about_it(frame: Frame, purpose: str, heard_of: Heard) -> list[str]:
    at = f"{words.full_day(heard_of.as_at)}, {words.clock(heard_of.as_at)}"
    return [f"{frame.school}, as at {at}.", f"Taken by {frame.name} ({frame.role}) for: {purpose}", heard_of.words]


def as_file(sheet: Sheet, name: str) -> Response[str]:
    headers = {"Content-Disposition": f'attachment; filename="lanyard-{name}-{today():%Y-%m-%d}.csv"'}
    return Response(csv_of(sheet), media_type="text/csv", headers=headers)


# ── Asking ─────────────────────────────────────────────────────────────────────────────────


def asked_in(said: Any) -> Asked:
    """Readers outside get one page of all there is: of two that are filtered in two ways, one may show what the other hides."""
    asked = Asked(**{name: str(said[name])[:100] for name in Asked.__struct_fields__ if name in said})
    return structs.replace(asked, category="", place="", year="") if asked.outside == "yes" else asked


async def choices_for(tx: Tx, me: Me) -> Choices:
    lists: dict[str, list[tuple[str, str]]] = {"categories": [], "places": []}
    for row in await tx.rows("select list, code, label from list_entry where school = $1 order by position, label", me.school):
        if row["list"] in lists:
            lists[row["list"]].append((row["code"], row["label"]))
    years = await tx.rows("select distinct year from pupil where school = $1 and left_at is null", me.school)
    term = (await timetable_of(tx, me.school)).term_of(today())
    return Choices(
        lists["categories"], lists["places"], sorted((row["year"] for row in years), key=lambda year: (len(year), year)),
        term.name, term.first, min(term.last, today()), await heard(tx, me.school, now()),
    )  # fmt: skip


def question_of(asked: Asked, choices: Choices) -> Question:
    """Whatever is not in the school's own words asks for nothing."""
    first, last = day_in(asked.since) or choices.first, day_in(asked.until) or choices.last
    return Question(
        first=min(first, last),
        last=max(first, last),
        category=asked.category if asked.category in dict(choices.categories) else None,
        place=asked.place if asked.place in dict(choices.places) else None,
        year=asked.year if asked.year in choices.years else None,
        anonymous=asked.outside == "yes",
    )


def day_in(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year <= 2100 else None


def today() -> date:
    return words.local(now()).date()


# ── Drawing ────────────────────────────────────────────────────────────────────────────────


def cell(count: int | None) -> str:
    return "hidden" if count is None else str(count or "–")


def rate(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def heat(grid: Grid, count: int | None) -> int:
    """How strong a cell is, from 0 to 10: its share of the most there is in any."""
    most = max((one or 0 for row in grid.counts for one in row), default=0)
    return -(-10 * count // most) if count and most else 0


def bars_of(weeks: Line) -> list[Bar]:
    most = max((count or 0 for count in weeks.counts), default=0)
    bars = []
    for n, (heading, count) in enumerate(zip(weeks.headings, weeks.counts, strict=True)):
        height = round((CHART_HEIGHT - 50) * (count or 0) / most) if most else 0
        day, month = heading.label.split()[0], heading.label.split()[-1]
        bars.append(Bar(n * BAR_ROOM + (BAR_ROOM - BAR_WIDTH) // 2, CHART_HEIGHT - 25 - height, height, f"{day} {month[:3]}", cell(count)))
    return bars


routes = [where_and_when, patterns_csv, records_csv]
