"""A record's own page: everything it says, how it came to say it, and what may be done next. And marking it read, or not."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec.structs import replace

from server.access.audit import looked, still_looks
from server.access.emergency import Open, in_emergency, looked_in_emergency, under, with_openings
from server.access.rights import signed_in
from server.console import words
from server.console.holding import HeldEdit, held_in
from server.console.leaf import Leaf, leaf_of
from server.console.pages import frame_for, page
from server.console.records import record_for
from server.console.sign_in import onward_from
from server.kinds import KINDS
from server.refusals import NotFound
from server.store.database import Tx, reading, writing
from server.store.me import Me
from server.store.moments import now
from server.sync.audience import may_begin

ABOUT = "select pupil from record_pupil where school = $1 and record = $2 and dropped_seq is null"
READ = """
    insert into reading (school, staff, record, seq, at) values ($1, $2, $3, $4, $5)
    on conflict (school, staff, record) do update set seq = excluded.seq, at = excluded.at"""


@get("/console/record/{record:str}", guards=[signed_in])
async def show_record(request: Request[Any, Any, Any], record: FromPath[str]) -> Response[str]:
    me, is_live = request.state.me, "x-lanyard-live" in request.headers
    leaf, held, opened = await (reading if is_live else writing)(open_record, me, record, is_live)
    if leaf is None:
        raise NotFound
    if is_live:
        await still_looks(me, in_emergency("read record") if opened else "read record", record=record, detail=under(opened))
    back, begin = f"/console/record/{record}", [] if opened else beginnings(leaf)
    kind = KINDS[leaf.kind]
    return page(
        await frame_for(me), request, "record.html", leaf=leaf, held=held, back=back, begin=begin, opened=opened,
        writes=not opened and (not kind.at_desk or may_begin(me, kind)), one_page=kind.at_desk,
    )  # fmt: skip


async def open_record(tx: Tx, me: Me, id: str, is_live: bool) -> tuple[Leaf | None, list[HeldEdit], Open | None]:
    """With the opening under which alone I may read it, where there is one."""
    leaf = await leaf_of(tx, me, id)
    if leaf is None:
        return await open_in_emergency(tx, me, id, is_live)
    if not is_live:
        await looked(tx, me, "read record", record=id)
    return leaf, await held_in(tx, me, id), None


async def open_in_emergency(tx: Tx, me: Me, id: str, is_live: bool) -> tuple[Leaf | None, list[HeldEdit], Open | None]:
    """To be read, and no more: nothing is decided here, nor is what is held of it shown."""
    me, openings = await with_openings(tx, me)
    leaf = await leaf_of(tx, me, id) if openings else None
    if leaf is None:
        return None, [], None
    about = {row["pupil"] for row in await tx.rows(ABOUT, me.school, id)}
    opened = next((one for one in openings if one.pupil in about), None)
    if opened is None:  # it became mine this very moment: it is there when they ask again
        return None, [], None
    if not is_live:
        await looked_in_emergency(tx, me, opened, "read record", record=id)
    return replace(leaf, may_decide=False), [], opened


def beginnings(leaf: Leaf) -> list[tuple[str, str]]:
    """The records one may begin from this one, already naming it: the kind and its label."""
    kinds = [kind for kind in KINDS.values() for name in kind.link_fields if (field := kind.field(name)) and field.shape.kind == leaf.kind]  # type: ignore[attr-defined]
    return sorted({(kind.name, kind.label) for kind in kinds})


# ── Read, and not read ─────────────────────────────────────────────────────────────────────


@post("/console/record/{record:str}/read", guards=[signed_in], status_code=303)
async def mark_read(request: Request[Any, Any, Any], record: FromPath[str]) -> Redirect:
    form = await request.form()
    await writing(note_reading, request.state.me, record, words.figure(str(form.get("seq", ""))))
    return onward(str(form.get("back", "")), f"read.{record}")


@post("/console/record/{record:str}/unread", guards=[signed_in], status_code=303)
async def mark_unread(request: Request[Any, Any, Any], record: FromPath[str]) -> Redirect:
    form = await request.form()
    await writing(note_reading, request.state.me, record, 0)
    return onward(str(form.get("back", "")), "")


async def note_reading(tx: Tx, me: Me, id: str, seq: int) -> None:
    """How far I have read it. Never further than it has got: what comes in later is news."""
    kept = await record_for(tx, me, id)
    if kept is None:
        raise NotFound
    await tx.run(READ, me.school, me.staff, id, min(seq, kept.place.seq), now())


async def note_writing(tx: Tx, me: Me, id: str) -> None:
    """What I wrote myself is no news to me: as far as I had read it before, I have read it with this too."""
    await tx.run(
        "update reading set seq = (select r.seq from record r where r.school = reading.school and r.id = reading.record)"
        " where school = $1 and staff = $2 and record = $3 and not exists (select 1 from edit e where e.school = $1 and e.record = $3"
        " and e.author <> $2 and e.seq > reading.seq)",
        me.school, me.staff, id,
    )  # fmt: skip


def onward(back: str, done: str) -> Redirect:
    where = onward_from(back)
    return Redirect(where + (("&" if "?" in where else "?") + f"done={done}" if done else ""), status_code=303)


routes = [show_record, mark_read, mark_unread]
