"""What was opened in an emergency: by whom, why, and what they looked at. And who opened a canary."""

from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.response import Redirect
from msgspec import Struct

from server.access.audit import looked
from server.access.canaries import add_canary
from server.access.emergency import end_opening, seen
from server.access.rights import may, needs
from server.console.directory import pupils_by_id
from server.console.pages import frame_for, page
from server.console.records import directory_of, linked_records
from server.console.showing import PupilLine, title_of
from server.kinds.roles import Role
from server.refusals import NotFound
from server.store.database import Tx, reading, writing
from server.store.engines import Row
from server.store.me import Me
from server.store.moments import now
from server.store.numbers import NewStep, draw

SHOWN = 50
LOOKS_SHOWN = 100  # of each
NAME_LIMIT, FORM_LIMIT = 60, 20  # characters
CANARIES_LIMIT = 10

OPENINGS = f"""
    select o.id, o.why, o.reason, o.at, o.ends_at, o.seen_at, o.staff, s.name as who, s.role, o.pupil, coalesce(seer.name, '') as seer
    from opening o join staff s on s.school = o.school and s.id = o.staff
    left join staff seer on seer.school = o.school and seer.id = o.seen_by
    where o.school = $1 order by o.seen_at is not null, o.at desc, o.id desc limit {SHOWN}"""
LOOKS = f"""
    select at, what, record, detail from audit
    where school = $1 and at >= $2 and at <= $3 and staff = $4 and what like 'read % in an emergency'
        and detail like '%' || $5 || '%' order by at limit {LOOKS_SHOWN}"""


class Look(Struct, frozen=True):
    at: int
    record: str | None  # none: the pupil's page
    title: str  # empty: not mine to see


class Opening(Struct, frozen=True):
    id: str
    is_canary: bool
    reason: str
    at: int
    ends_at: int
    seen_at: int | None
    seer: str
    who: str
    mine: bool  # nobody looks into their own
    role: str
    pupil: PupilLine
    looks: list[Look]


class Canary(Struct):
    """Somebody made up, as the form has them."""

    forename: str = ""
    surname: str = ""
    year: str = ""
    form: str = ""


@get("/console/openings", guards=[needs("openings")])
async def openings(request: Request[Any, Any, Any]) -> Response[str]:
    me = request.state.me
    if "x-lanyard-live" not in request.headers:
        await writing(looked, me, "read openings")
    return await shown(request)


@post("/console/openings", guards=[needs("openings")], status_code=303)
async def look_into(request: Request[Any, Any, Any]) -> Redirect:
    """`opening`: which; `end`: whoever opened it reads no further. Without it, somebody has looked into it."""
    form = await request.form()
    if not await writing(end_opening if form.get("end") == "yes" else seen, request.state.me, str(form.get("opening", ""))):
        raise NotFound
    return Redirect("/console/openings", status_code=303)


@post("/console/openings/canary", guards=[needs("safety")], status_code=303)
async def make_canary(request: Request[Any, Any, Any]) -> Response[Any]:
    """`remove`: a canary's id; or a new one's names, year and form."""
    me, form = request.state.me, await request.form()
    if gone := str(form.get("remove", "")):
        await writing(removed, me, gone)
        return Redirect("/console/openings?done=removed", status_code=303)
    made = Canary(**{name: " ".join(str(form.get(name, "")).split()) for name in Canary.__struct_fields__})
    problem = await reading(problem_with, me, made)
    if problem:
        return await shown(request, 400, made, problem)
    await writing(added, me, made)
    return Redirect("/console/openings?done=saved", status_code=303)


async def shown(request: Request[Any, Any, Any], status: int = 200, made: Canary | None = None, problem: str = "") -> Response[str]:
    me = request.state.me
    found, canaries = await reading(openings_and_canaries, me)
    return page(
        await frame_for(me), request, "openings.html", status,
        openings=found, canaries=canaries, made=made or Canary(), problem=problem, may_make=may(me, "safety"), most=SHOWN,
    )  # fmt: skip


# ── Reading ────────────────────────────────────────────────────────────────────────────────


async def openings_and_canaries(tx: Tx, me: Me) -> tuple[list[Opening], list[PupilLine]]:
    rows = await tx.rows(OPENINGS, me.school)
    looks = {row["id"]: await looks_under(tx, me, row) for row in rows}
    canaries = [row["id"] for row in await tx.rows("select id from pupil where school = $1 and canary and left_at is null", me.school)]
    lines = await pupils_by_id(tx, me.school, [*(row["pupil"] for row in rows), *canaries])
    titles = await titles_of(tx, me, {look["record"] for rows in looks.values() for look in rows if look["record"]})
    found = [
        Opening(
            row["id"], row["why"] == "canary", row["reason"], row["at"], row["ends_at"], row["seen_at"], row["seer"], row["who"],
            row["staff"] == me.staff, Role(row["role"]).label, lines[row["pupil"]],
            [Look(look["at"], look["record"], titles.get(look["record"] or "", "")) for look in looks[row["id"]]],
        )
        for row in rows
    ]  # fmt: skip
    return found, sorted((lines[id] for id in canaries), key=lambda line: line.name)


async def looks_under(tx: Tx, me: Me, row: Row) -> list[Row]:
    found = await tx.rows(LOOKS, me.school, row["at"], row["ends_at"], row["staff"], row["id"]) if row["why"] == "emergency" else []
    return [look for look in found if msgspec.json.decode(look["detail"]).get("opening") == row["id"]]


async def titles_of(tx: Tx, me: Me, records: set[str]) -> dict[str, str]:
    kept = await linked_records(tx, me, records)
    directory = await directory_of(tx, me, kept)
    return {record.id: title_of(record.kind, record.body, record.disputes, directory) for record in kept}


# ── Canaries ───────────────────────────────────────────────────────────────────────────────


async def problem_with(tx: Tx, me: Me, made: Canary) -> str:
    lengths = ((made.forename, NAME_LIMIT), (made.surname, NAME_LIMIT), (made.year, FORM_LIMIT), (made.form, FORM_LIMIT))
    if any(not 0 < len(said) <= most for said, most in lengths):
        return "Give a forename, a surname, a year and a form"
    row = await tx.row("select count(*) from pupil where school = $1 and canary and left_at is null", me.school)
    return f"{CANARIES_LIMIT} at most" if row and row[0] >= CANARIES_LIMIT else ""


async def added(tx: Tx, me: Me, made: Canary) -> None:
    place = (await draw(tx, me.school, [NewStep("people")]))[0]
    id = await add_canary(tx, me.school, made.forename, made.surname, made.year, made.form, place.seq)
    await looked(tx, me, "make canary", pupil=id)


async def removed(tx: Tx, me: Me, id: str) -> None:
    """It leaves the school, as far as anybody can see; who opened it stays told."""
    place = (await draw(tx, me.school, [NewStep("people")]))[0]
    row = await tx.row(
        "update pupil set left_at = $3, seq = $4 where school = $1 and id = $2 and canary returning id", me.school, id, now(), place.seq
    )
    if row is None:
        raise NotFound
    await looked(tx, me, "remove canary", pupil=id)


routes = [openings, look_into, make_canary]
