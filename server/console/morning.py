"""The morning's calls at the desk: whom the school rings and why, who has rung, what was promised, and how lists are made."""

from collections import Counter
from typing import Any

from litestar import Request, Response, get, post
from litestar.response import Redirect
from msgspec import Struct

from server.access.rights import needs
from server.console import words
from server.console.pages import frame_for, page
from server.console.records import Kept, directory_of, records_where
from server.console.showing import Directory, Entry, entries_of
from server.kinds.attendance_call import OUTCOME, PROMISE
from server.kinds.listed_family import OFF_LIST
from server.morning.changes import Asked, Wrong, change, day_in
from server.morning.days import school_days_of
from server.morning.evening import FAMILY, MOST_LIMIT, PAST, Morning, callers_of, may_ring, morning_of, place_of
from server.morning.gathering import CALL
from server.oncall.rota import local, moment_of
from server.push import delivery
from server.store.database import Tx, reading, writing
from server.store.me import Me
from server.store.moments import from_wire, now

DAY_AND_A_BIT = 25 * 3600 * 1_000_000  # µs: the longest day of the year by the clock
DONE = {"make": "made", "share": "shared"}

WHERE = "r.kind = $1 and r.happened_at >= $2 and r.happened_at < $3 and r.state <> 'void'"
CALLS = """
    r.kind = $1 and r.state <> 'void' and exists
    (select 1 from record_link l where l.school = r.school and l.record = r.id and l.field = 'listed' and l.other = any($2))"""


class Rang(Struct, frozen=True):
    """One call to a family: who rang when, how it went, and what became of what was promised."""

    record: str
    by: str
    at: int
    words: str
    kept: str  # yes, no; empty: not known, or nothing was promised


class Line(Struct, frozen=True):
    """One family on the list."""

    row: Kept
    place: int
    pupils: list[Entry]
    reasons: list[Entry]
    callers: list[str]  # ids
    taken: list[tuple[str, int]]  # who has taken the call, and when
    calls: list[Rang]

    @property
    def because(self) -> str:
        return str(self.row.body.get("because") or "")

    @property
    def off(self) -> str:
        off = self.row.body.get("off_list")
        return OFF_LIST.get(off, str(off)) if off else ""

    @property
    def unanswered(self) -> bool:
        """Rung once, and to be rung again: as their caller's phone has it."""
        return [call.words for call in self.calls] == [OUTCOME["no_answer"]]

    @property
    def overlaps(self) -> bool:
        return len({call.by for call in self.calls}) > 1


class Board(Struct, frozen=True):
    day: str
    today: str
    has_school: bool
    before: str  # the lists beside this one: days, or empty
    after: str
    morning: Morning
    made: Any  # the row of the list that was made; None: it was not
    lines: list[Line]
    people: dict[str, str]  # who may ring, by id
    callers: list[str]  # who shares the calls now
    names: dict[str, str]  # everybody's

    @property
    def to_ring(self) -> list[Line]:
        return [line for line in self.lines if not line.calls and not line.off]

    @property
    def shares(self) -> list[tuple[str, int]]:
        """Who has how many still to ring, most first."""
        counts = Counter(staff for line in self.to_ring for staff in line.callers or [""])
        return [(self.names.get(staff, "somebody who has left") if staff else "nobody’s yet", many) for staff, many in counts.most_common()]

    @property
    def rung(self) -> list[Line]:
        return [line for line in self.lines if line.calls]

    @property
    def off(self) -> list[Line]:
        return [line for line in self.lines if line.off and not line.calls]

    @property
    def promises(self) -> tuple[int, int]:
        """Promises to be in of which it is known, and how many of them were kept. A call counts once."""
        known = [call.kept for line in self.lines for call in line.calls if call.kept]
        return len(known), known.count("yes")


@get("/console/morning", guards=[needs("morning")])
async def morning(request: Request[Any, Any, Any]) -> Response[str]:
    return await shown(request, request.query_params.get("day", ""))


@post("/console/morning", guards=[needs("morning")], status_code=303)
async def change_morning(request: Request[Any, Any, Any]) -> Response[Any]:
    form = await request.form()
    said: dict[str, Any] = {name: str(form.get(name, "")).strip() for name in Asked.__struct_fields__ if name in form}
    said["callers"] = [str(one) for one in form.getall("callers", [])][:MOST_LIMIT]
    asked = Asked(**said)
    try:
        await writing(change, request.state.me, asked)
    except Wrong as wrong:
        return await shown(request, asked.day, 400, str(wrong), asked)
    delivery.look_soon()
    where = f"&day={asked.day}" if asked.day else ""
    return Redirect(f"/console/morning?done={DONE.get(asked.do, 'saved')}{where}" + (f"#{asked.row}" if asked.row else ""), status_code=303)


async def shown(
    request: Request[Any, Any, Any], day: str, status: int = 200, problem: str = "", asked: Asked | None = None
) -> Response[str]:
    me = request.state.me
    board = await reading(board_of, me, day)
    return page(
        await frame_for(me), request, "morning.html", status,
        board=board, problem=problem, asked=asked or Asked(), reasons=OFF_LIST, most=MOST_LIMIT, past=now() >= moment_of(board.day, PAST),
    )  # fmt: skip


# ── The board ──────────────────────────────────────────────────────────────────────────────


async def board_of(tx: Tx, me: Me, asked: str) -> Board:
    days, today = await school_days_of(tx, me.school), local(now()).day
    try:
        day = day_in(asked)
    except Wrong:
        day = days.next(today) or today
    lists = await tx.rows("select * from morning_list where school = $1 order by for_day", me.school)
    morning = await morning_of(tx, me.school)
    lines, directory = await lines_of(tx, me, day)
    may = await may_ring(tx, me.school)
    return Board(
        day=day, today=today, has_school=days.has_school(day),
        before=max((row["for_day"] for row in lists if row["for_day"] < day), default=""),
        after=min((row["for_day"] for row in lists if row["for_day"] > day), default=""),
        morning=morning, made=next((row for row in lists if row["for_day"] == day), None), lines=lines,
        people={id: directory.staff.get(id, "") for id in may}, callers=await callers_of(tx, morning), names=directory.staff,
    )  # fmt: skip


async def lines_of(tx: Tx, me: Me, day: str) -> tuple[list[Line], Directory]:
    begins = moment_of(day, "00:00")
    rows = [
        row for row, _ in await records_where(tx, me, WHERE, FAMILY, begins, begins + DAY_AND_A_BIT) if local(row.happened_at).day == day
    ]
    calls = [call for call, _ in await records_where(tx, me, CALLS, CALL, [row.id for row in rows], after="order by r.happened_at, r.id")]
    directory = await directory_of(tx, me, rows)
    rang: dict[str, list[Rang]] = {}
    for call in calls:
        if call.body.get("outcome"):
            rang.setdefault(call.body["listed"], []).append(rang_as(call, directory))
    lines = [line_of(row, rang.get(row.id, []), directory) for row in rows]
    return sorted(lines, key=lambda line: (line.place, line.row.id)), directory


def line_of(row: Kept, calls: list[Rang], directory: Directory) -> Line:
    def entries(name: str) -> list[Entry]:
        field = row.kind.field(name)
        assert field is not None
        return entries_of(field.shape, row.body.get(name) or {}, directory)  # type: ignore[arg-type]

    taken = [(author, moment) for author, one in (row.body.get("claimed") or {}).items() if (moment := moment_in(one.get("value")))]
    return Line(row, place_of(row.body), entries("pupils"), entries("reasons"), list(row.body.get("caller") or ()), taken, calls)


def rang_as(call: Kept, directory: Directory) -> Rang:
    told = [OUTCOME.get(call.body["outcome"], ""), words.lower_first(PROMISE.get(call.body.get("promise") or "", ""))]
    kept = call.body.get("promise_kept") or ""
    by = directory.staff.get(call.author, "Somebody who has left")
    return Rang(call.id, by, call.happened_at, ", ".join(filter(None, told)), kept if kept in ("yes", "no") else "")


def moment_in(value: Any) -> int | None:
    return from_wire(value["at"]) if isinstance(value, dict) and isinstance(value.get("at"), str) else None


routes = [morning, change_morning]
