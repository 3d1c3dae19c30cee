"""Truancy sweeps at the desk: which are on and were, everybody spoken to on one, whose phones are still out, and who is not known yet."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Struct

from server.access.audit import looked, still_looks
from server.access.rights import may, needs, require_fresh
from server.access.settings_of import decide
from server.console.hand_off import School, schools_of
from server.console.leaf import written_in
from server.console.pages import frame_for, page
from server.console.records import Kept, directory_of, record_for, records_where
from server.console.showing import Directory, in_words, title_of
from server.console.sightings import Seen, counted, seen_on, seen_where
from server.oncall.forgetting import DAYS, UNKNOWN, days_of, forget_soon, kept_until
from server.oncall.steps import look_soon
from server.refusals import NotFound
from server.store.database import Tx, reading, writing
from server.store.me import Me
from server.store.moments import from_wire, now
from server.sync.audience import holds

LATEST, UNNAMED = 40, 200
EARLY = 3600 * 1_000_000  # µs: a sweep is on from so long before it begins
COUNTS = """
    select l.other, count(*) from record_link l join record r on r.school = l.school and r.id = l.record
    where l.school = $1 and l.field = 'sweep' and r.kind = 'sighting' and r.state <> 'void' and l.other = any($2) and {mine}
    group by l.other"""
HEARD = """
    select s.name, max(p.seen_at) as seen_at, count(p.id) as phones from staff s
    left join phone p on p.school = s.school and p.staff = s.id and not p.is_desk and p.revoked_at is null
    where s.school = $1 and s.id = any($2) group by s.id, s.name order by s.name"""
FORGOTTEN_LATELY = "select count(distinct record) from forgotten where school = $1 and edits > 0 and at >= $2"
LATELY = 365 * 24 * 3600 * 1_000_000  # µs


class Line(Struct, frozen=True):
    """A sweep in the list."""

    id: str
    title: str
    starts_at: int
    ends_at: int | None
    state: str
    seen: int

    def is_on(self, at: int) -> bool:
        return self.state == "open" and self.starts_at - EARLY <= at <= (self.ends_at or self.starts_at + 4 * EARLY)


class Out(Struct, frozen=True):
    """Somebody on it whose phone has not been heard of since it was over."""

    name: str
    seen_at: int | None
    phones: int


class Sweep(Struct, frozen=True):
    line: Line
    facts: list[tuple[str, str]]
    state_reason: str
    closed_at: int | None
    everybody: list[Seen]
    void: int
    schools: list[School]
    out: list[Out]
    phones: int  # that something of it came from
    days: int

    def is_late(self, one: Seen) -> bool:
        return self.closed_at is not None and one.received_at > self.closed_at

    def of(self, whose: str) -> int:
        return sum(one.whose == whose for one in self.everybody)

    @property
    def nowhere(self) -> int:
        """Another school's, and not said which."""
        return sum(one.whose == "other_school" and not one.school and not one.pupils and not one.is_forgotten for one in self.everybody)

    @property
    def late(self) -> int:
        return sum(map(self.is_late, self.everybody))


@get("/console/sweeps", guards=[needs("sweeps")])
async def list_sweeps(request: Request[Any, Any, Any]) -> Response[str]:
    return await shown(request)


@post("/console/sweeps", guards=[needs("sweep_days")], status_code=303)
async def change_days(request: Request[Any, Any, Any]) -> Response[Any]:
    """`days`: after how many somebody whom nobody knew is forgotten."""
    me, typed = require_fresh(request), str((await request.form()).get("days", "")).strip()
    _, least, most = DAYS
    if not (typed.isascii() and typed.isdigit() and len(typed) < 5 and least <= int(typed) <= most):
        return await shown(request, 400, f"Enter whole days, from {least} to {most}", typed)
    await writing(decided, me, int(typed))
    look_soon()
    return Redirect("/console/sweeps?done=saved", status_code=303)


async def decided(tx: Tx, me: Me, days: int) -> None:
    await decide(tx, me.school, "sightings", {"days": days})
    await looked(tx, me, "change days of sightings", detail={"days": days})
    await forget_soon(tx, me.school, now())


async def shown(request: Request[Any, Any, Any], status: int = 200, problem: str = "", typed: str = "") -> Response[str]:
    me = request.state.me
    sweeps, unnamed, yours, days, forgotten = await reading(all_of, me)
    return page(
        await frame_for(me), request, "sweeps.html", status, sweeps=sweeps, unnamed=unnamed, yours=yours, days=days, forgotten=forgotten,
        problem=problem, typed=typed, kept_until=kept_until,
    )  # fmt: skip


async def all_of(tx: Tx, me: Me) -> tuple[list[Line], list[Seen], list[Seen], int, int]:
    kept = [one for one, _ in await records_where(tx, me, "r.kind = 'sweep'", after=f"order by r.happened_at desc limit {LATEST}")]
    directory = await directory_of(tx, me, kept)
    mine, args = holds(me, first=3)
    counts: dict[str, int] = dict(map(tuple, await tx.rows(COUNTS.format(mine=mine), me.school, [one.id for one in kept], *args)))
    unnamed = await seen_where(tx, me, f"{UNKNOWN} and r.state <> 'void'", after=f"order by r.happened_at desc limit {UNNAMED}")
    forgotten = await tx.row(FORGOTTEN_LATELY, me.school, now() - LATELY)
    lines = [line_of(one, directory, counts.get(one.id, 0)) for one in kept]
    days, lately = await days_of(tx, me.school), forgotten[0] if forgotten else 0
    return lines, [one for one in unnamed if not one.is_forgotten], await seen_of_yours(tx, me), days, lately


async def seen_of_yours(tx: Tx, me: Me) -> list[Seen]:
    """For whoever may not see everybody of a sweep: their pupils who were spoken to."""
    if may(me, "hand_off"):
        return []
    seen = await seen_where(tx, me, "r.state <> 'void'", after=f"order by r.happened_at desc limit {UNNAMED}")
    return [one for one in seen if one.pupils]


def line_of(kept: Kept, directory: Directory, seen: int) -> Line:
    ends = kept.body.get("ends_at")
    title = title_of(kept.kind, kept.body, kept.disputes, directory)
    return Line(kept.id, title, kept.happened_at, from_wire(ends["at"]) if ends else None, kept.state, seen)


# ── One sweep ──────────────────────────────────────────────────────────────────────────────


@get("/console/sweeps/{record:str}", guards=[needs("sweeps")])
async def show_sweep(request: Request[Any, Any, Any], record: FromPath[str]) -> Response[str]:
    me, is_live = request.state.me, "x-lanyard-live" in request.headers
    sweep = await (reading if is_live else writing)(open_sweep, me, record, is_live)
    if is_live:
        await still_looks(me, "read record", record=record)
    return page(await frame_for(me), request, "sweep.html", sweep=sweep, kept_until=kept_until)


async def open_sweep(tx: Tx, me: Me, record: str, is_live: bool) -> Sweep:
    kept = await record_for(tx, me, record)
    if kept is None or kept.kind.name != "sweep":
        raise NotFound
    if not is_live:
        await looked(tx, me, "read record", record=record)
    directory = await directory_of(tx, me, [kept])
    everybody = await seen_on(tx, me, record)
    spoken = counted(everybody)
    line = line_of(kept, directory, len(spoken))
    closed_at = await closed(tx, me, kept)
    return Sweep(
        line, facts_of(kept, directory), str(kept.body.get("state_reason") or ""), closed_at, spoken, len(everybody) - len(spoken),
        schools_of(spoken), await still_out(tx, me, kept, spoken, line, closed_at), len({one.by for one in spoken}),
        await days_of(tx, me.school),
    )  # fmt: skip


FACTS = ("starts_at", "ends_at", "boundary", "authority_reference", "police_lead", "taken_to", "team", "partners", "return_sent")


def facts_of(kept: Kept, directory: Directory) -> list[tuple[str, str]]:
    asked = [field for name in FACTS if (field := kept.kind.field(name)) and name not in kept.disputes]
    return [(field.question, text) for field in asked if (text := in_words(field.shape, kept.body.get(field.name), directory))]


async def closed(tx: Tx, me: Me, kept: Kept) -> int | None:
    """When the school heard that it is over."""
    if kept.state == "open":
        return None
    said = [one.received_at for one in await written_in(tx, me.school, kept.id) if one.values.get("state") == kept.state]
    return said[-1] if said else None


async def still_out(tx: Tx, me: Me, kept: Kept, spoken: list[Seen], line: Line, closed_at: int | None) -> list[Out]:
    over = min(filter(None, (line.ends_at, closed_at)), default=None)
    if over is None or over > now() or kept.state == "void":
        return []
    rows = await tx.rows(HEARD, me.school, sorted(kept.body.get("team") or {}))
    out = [Out(row["name"], row["seen_at"], row["phones"]) for row in rows]
    return [one for one in out if one.phones and (one.seen_at or 0) < over]


routes = [list_sweeps, change_days, show_sweep]
