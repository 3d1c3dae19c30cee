"""The rota and the ladders: who is on call in which period and zone, who covers, and whom a call rings after how long."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.response import Redirect
from msgspec import Struct

from server.access.rights import needs
from server.console.pages import frame_for, page
from server.oncall.changes import NAME_LIMIT, Asked, Wrong, change, holes
from server.oncall.ladders import RUNGS_LIMIT, WHO, Ladder, ladders_of
from server.oncall.rota import PARTS, WEEKDAYS, Duty, duties_of, local, names_of
from server.store.database import Tx, reading, writing
from server.store.engines import Row
from server.store.me import Me
from server.store.moments import now

COVERS = """
    select c.duty, c.on_day, c.staff, s.name from cover c join staff s on s.school = c.school and s.id = c.staff
    join duty d on d.school = c.school and d.id = c.duty
    where c.school = $1 and c.on_day >= $2 and d.removed_at is null order by c.on_day, c.duty"""


class Rota(Struct, frozen=True):
    days: list[tuple[str, list[Duty]]]
    people: dict[str, str]
    periods: list[Row]
    zones: list[Row]  # place, label, zone
    covers: list[Row]
    ladders: list[Ladder]
    holes: list[str]
    today: str

    @property
    def duties(self) -> dict[str, str]:
        """Each in one line, to choose from."""
        return {duty.id: f"{day}, {duty.label}: {duty.name}" for day, duties in self.days for duty in duties}

    @property
    def zone_names(self) -> list[str]:
        return sorted({row["zone"] for row in self.zones if row["zone"]})


@get("/console/oncall/rota", guards=[needs("rota")])
async def rota(request: Request[Any, Any, Any]) -> Response[str]:
    return await shown(request)


@post("/console/oncall/rota", guards=[needs("rota")], status_code=303)
async def change_rota(request: Request[Any, Any, Any]) -> Response[Any]:
    form = await request.form()
    said: dict[str, Any] = {name: str(form.get(name, "")).strip() for name in Asked.__struct_fields__ if name in form}
    for name in ("after", "who"):
        said[name] = [str(text).strip() for text in form.getall(name, [])][: RUNGS_LIMIT + 1]
    asked = Asked(**said)
    try:
        await writing(change, request.state.me, asked)
    except Wrong as wrong:
        return await shown(request, 400, str(wrong), asked)
    return Redirect(f"/console/oncall/rota?done=rota#{asked.do if asked.do in ('ladder', 'zone', 'cover') else 'duties'}", status_code=303)


async def shown(request: Request[Any, Any, Any], status: int = 200, problem: str = "", asked: Asked | None = None) -> Response[str]:
    me = request.state.me
    found = await reading(rota_of, me)
    return page(
        await frame_for(me), request, "oncall_rota.html", status,
        rota=found, problem=problem, asked=asked or Asked(), parts=PARTS, weekdays=WEEKDAYS, who=WHO, limit=NAME_LIMIT, lines=8,
    )  # fmt: skip


async def rota_of(tx: Tx, me: Me) -> Rota:
    duties = await duties_of(tx, me.school)
    today = local(now()).day
    periods = await tx.rows("select code, label, starts, ends from period where school = $1 order by starts, code", me.school)
    zones = await tx.rows(
        "select e.code as place, e.label, coalesce(z.zone, '') as zone from list_entry e"
        " left join zone z on z.school = e.school and z.place = e.code"
        " where e.school = $1 and e.list = 'places' and not e.retired order by e.position, e.label",
        me.school,
    )
    last = max([5, *(one.weekday + 1 for one in duties)])
    days = [(WEEKDAYS[n], [one for one in duties if one.weekday == n]) for n in range(last)]
    covers = await tx.rows(COVERS, me.school, today)
    return Rota(days, await names_of(tx, me.school), periods, zones, covers, await ladders_of(tx, me.school), holes(duties, periods), today)


routes = [rota, change_rota]
