"""Review: what came in since I last looked, what somebody must decide first. The filters are the address; read never means vanished."""

from itertools import pairwise
from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response, get, post
from litestar.response import Redirect
from msgspec import Struct, structs

from server.access.audit import looked, still_looks
from server.access.rights import signed_in
from server.console import words
from server.console.holding import HeldEdit, held_edit, held_edits, look_at_held
from server.console.leaf import Leaf, leaf_of
from server.console.pages import frame_for, page
from server.console.record import onward
from server.console.records import Kept, directory_of, place_in, records_where
from server.console.showing import Directory, people_of, pressing, title_of
from server.kinds import KINDS
from server.kinds.call_out import call_out, is_unanswered
from server.kinds.listed_family import listed_family
from server.store.database import Tx, reading, writing
from server.store.me import Me
from server.store.moments import now
from server.sync.audience import holds, kinds_held, kinds_scoped

PAGE = 50
WEIGHED = 500  # unread records whose urgency is compared; the newest of them, if there are more
PRESSES_FOR = 7 * words.DAY
CALLS_FOR = words.DAY
NOBODY_GOES = "Nobody has answered"
COUNTED = 1_000  # beyond this, "1,000 or more"

NEWS = """
    r.seq > coalesce((select d.seq from reading d where d.school = r.school and d.staff = $2 and d.record = r.id), 0)
    and exists (
        select 1 from edit e where e.school = r.school and e.record = r.id and e.author <> $2
        and e.seq > coalesce((select d.seq from reading d where d.school = r.school and d.staff = $2 and d.record = r.id), 0))"""


# For those who hold no kind whole, the few that name them are looked up first: `holds` alone would try every record there is.
NAMING_ME = "r.id in (select n.record from record_staff n where n.school = $1 and n.staff = $2 and n.dropped_seq is null)"
UNREAD = "update reading set seq = 0 where school = $1 and staff = $2 and at = $3"
DISPUTED = "r.disputes is not null and r.state <> 'void'"


class Filters(Struct, frozen=True):
    """What the address asks for. Empty: no matter."""

    show: str = ""  # all, or what is not read
    kind: str = ""
    year: str = ""
    place: str = ""
    who: str = ""
    state: str = ""
    since: str = ""
    until: str = ""
    older: str = ""  # than this row, when paging

    def address(self, **changed: str) -> str:
        asked = {name: value for name, value in (structs.asdict(self) | changed).items() if value}
        return "/console/review" + (f"?{urlencode(asked)}" if asked else "")

    @property
    def asked(self) -> list[tuple[str, str]]:
        return [(name, value) for name, value in structs.asdict(self).items() if value and name != "older"]

    @property
    def narrowed(self) -> bool:
        return any((self.kind, self.year, self.place, self.who, self.state, self.since, self.until))


class ListRow(Struct, frozen=True):
    on: str  # the address's name for it
    at: int
    title: str
    label: str
    people: str
    badge: str  # the words of it, or empty
    badge_icon: str
    first: str  # why it should be read soon
    unread: bool
    icon: str


class Inbox(Struct):
    to_decide: list[ListRow]
    to_read: list[ListRow]
    unread: int
    upto: int  # the newest number there is: what comes in later is not on this page
    older: str  # the next page's, or empty

    @property
    def unread_words(self) -> str:
        return f"{COUNTED:,} or more" if self.unread >= COUNTED else str(self.unread or "")


@get("/console/review", guards=[signed_in])
async def review(request: Request[Any, Any, Any]) -> Response[str]:
    me, filters = request.state.me, filters_from(request)
    on = request.query_params.get("on", "")
    inbox, choices = await reading(inbox_of, me, filters)
    leaf, held = await opened(me, on, is_live="x-lanyard-live" in request.headers)
    rows = [*inbox.to_decide, *inbox.to_read]
    first = rows[0].on if rows and rows[0].on != on else ""
    following = next((after.on for row, after in pairwise(rows) if row.on == on), first)
    return page(
        await frame_for(me), request, "review.html",
        inbox=inbox, filters=filters, choices=choices, on=on, leaf=leaf, held=held, following=following,
        unread_here=any(row.on == on and row.unread for row in rows), back=filters.address(on=following),
    )  # fmt: skip


def filters_from(request: Request[Any, Any, Any]) -> Filters:
    asked = request.query_params
    return Filters(**{name: str(asked[name])[:200] for name in Filters.__struct_fields__ if name in asked})


async def opened(me: Me, on: str, *, is_live: bool) -> tuple[Leaf | None, HeldEdit | None]:
    """What stands on the right. Opening a record is a reading of it, and noted; drawing the same page again by itself is not."""
    if not on:
        return None, None
    if on.startswith("held."):
        edit = on.removeprefix("held.")
        held = await (reading(held_edit, me, edit) if is_live else writing(look_at_held, me, edit))
        if held is not None and is_live:
            await still_looks(me, "read held", record=held.record)
        return None, held
    leaf = await (reading(leaf_of, me, on) if is_live else writing(look_at, me, on))
    if leaf is not None and is_live:
        await still_looks(me, "read record", record=on)
    return leaf, None


async def look_at(tx: Tx, me: Me, id: str) -> Leaf | None:
    leaf = await leaf_of(tx, me, id)
    if leaf is not None:
        await looked(tx, me, "read record", record=id)
    return leaf


# ── All at once ────────────────────────────────────────────────────────────────────────────


@post("/console/review/read", guards=[signed_in], status_code=303)
async def read_all(request: Request[Any, Any, Any]) -> Redirect:
    """Marks as read what one page of Review had to read, under its filters: for me, and only as far as it had come by then."""
    form = await request.form()
    filters = Filters(**{name: str(form[name])[:200] for name in Filters.__struct_fields__ if name in form})
    how_many, at = await writing(note_all_read, request.state.me, filters, words.figure(str(form.get("upto", ""))))
    return onward(filters.address(on="", older=""), f"all.{at}.{how_many}" if how_many else "")


@post("/console/review/unread", guards=[signed_in], status_code=303)
async def unread_all(request: Request[Any, Any, Any]) -> Redirect:
    """Undoes that: whatever was marked in that moment is to read again."""
    form = await request.form()
    me, at = request.state.me, words.figure(str(form.get("at", "")))
    await writing(lambda tx: tx.run(UNREAD, me.school, me.staff, at))
    return onward(str(form.get("back", "")), "")


async def note_all_read(tx: Tx, me: Me, filters: Filters, upto: int) -> tuple[int, int]:
    """How many were marked, and the moment that tells them from all others."""
    where, args = narrowed(me, filters)
    undecided = [record.id for record, _ in await records_where(tx, me, f"{where} and {DISPUTED}", *args) if record.disputes]
    at, last = now(), len(args)
    mine, mine_args = holds(me, first=last + 4)
    marked = await tx.rows(
        "insert into reading (school, staff, record, seq, at)"
        f" select r.school, cast($2 as text), r.id, r.seq, cast(${last + 1} as bigint) from record r"
        f" where ({mine}) and {where} and {NEWS} and r.seq <= ${last + 2} and not (r.id = any(${last + 3}))"
        " on conflict (school, staff, record) do update set seq = excluded.seq, at = excluded.at returning record",
        *args, at, upto, undecided, *mine_args,
    )  # fmt: skip
    return len(marked), at


# ── The list ───────────────────────────────────────────────────────────────────────────────


async def inbox_of(tx: Tx, me: Me, filters: Filters) -> tuple[Inbox, dict[str, Any]]:
    where, args = narrowed(me, filters)
    newest = await tx.row("select seq from counter where school = $1", me.school)
    disputed = await records_where(tx, me, f"{where} and {DISPUTED}", *args, after="order by r.seq desc limit 200")
    undecided = {record.id: record for record, _ in disputed if record.disputes}
    rest, older = await (everything if filters.show == "all" else unread)(tx, me, filters, where, args)
    rest = [record for record in rest if record.id not in undecided]
    news = await news_among(tx, me, [*undecided, *(record.id for record in rest)])
    directory = await directory_of(tx, me, [*undecided.values(), *rest])
    held = [] if filters.narrowed or filters.older else await held_edits(tx, me)
    inbox = Inbox(
        to_decide=sorted(
            [row_of(record, directory, news) for record in undecided.values()] + [held_row(edit) for edit in held],
            key=lambda row: -row.at,
        ) if not filters.older else [],
        to_read=[row_of(record, directory, news) for record in rest],
        unread=await unread_count(tx, me, where, args),
        upto=newest["seq"] if newest else 0,
        older=older,
    )  # fmt: skip
    return inbox, await choices_for(tx, me, directory)


async def unread(tx: Tx, me: Me, filters: Filters, where: str, args: list[Any]) -> tuple[list[Kept], str]:
    """The most pressing first, then the newest."""
    found = [
        record for record, _ in await records_where(tx, me, f"{where} and {NEWS}", *args, after=f"order by r.seq desc limit {WEIGHED}")
    ]
    ordered = sorted(found, key=lambda record: (not calls(record), not presses(record), -record.happened_at))
    start = int(filters.older) if filters.older.isascii() and filters.older.isdigit() and len(filters.older) < 6 else 0
    return ordered[start : start + PAGE], str(start + PAGE) if len(ordered) > start + PAGE else ""


async def everything(tx: Tx, me: Me, filters: Filters, where: str, args: list[Any]) -> tuple[list[Kept], str]:
    if place := place_in(filters.older):
        where, args = f"{where} and (r.happened_at, r.id) < (${len(args) + 1}, ${len(args) + 2})", [*args, *place]
    found = await records_where(tx, me, where, *args, after=f"order by r.happened_at desc, r.id desc limit {PAGE + 1}")
    records = [record for record, _ in found[:PAGE]]
    return records, f"{records[-1].happened_at}.{records[-1].id}" if len(found) > PAGE else ""


def narrowed(me: Me, filters: Filters) -> tuple[str, list[Any]]:
    parts, args = ["r.school = $1 and cast($2 as text) is not null"], [me.school, me.staff]
    if not kinds_held(me) and not kinds_scoped(me):
        parts.append(NAMING_ME)

    def also(sql: str, value: Any) -> None:
        args.append(value)
        parts.append(sql.replace("?", f"${len(args)}"))

    if filters.kind in KINDS:
        also("r.kind = ?", filters.kind)
    else:
        also("r.kind <> ?", listed_family.name)  # whom to ring has a page of its own, and nothing in it is news
    if filters.state in ("open", "closed", "void"):
        also("r.state = ?", filters.state)
    if filters.who:
        also("exists (select 1 from record_staff w where w.school = r.school and w.record = r.id and w.staff = ? and w.wrote)", filters.who)
    if filters.year:
        also(
            "exists (select 1 from record_pupil p join pupil on pupil.id = p.pupil where p.school = r.school and p.record = r.id"
            " and p.dropped_seq is null and pupil.year = ?)", filters.year,
        )  # fmt: skip
    if filters.place:
        also("r.body like ? escape '!'", f'%"place":"{like(filters.place)}"%')
    if (since := words.start_of(filters.since)) is not None:
        also("r.happened_at >= ?", since)
    if (until := words.start_of(filters.until, days=1)) is not None:
        also("r.happened_at < ?", until)
    return " and ".join(parts), args


def like(text: str) -> str:
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_").replace("\\", "").replace('"', "")


def presses(record: Kept) -> list[str]:
    """Why it should be read soon. What happened some time ago no longer presses."""
    is_fresh = record.state == "open" and now() - record.happened_at < PRESSES_FOR
    return [NOBODY_GOES] * calls(record) + (pressing(record.kind, record.body, record.disputes) if is_fresh else [])


def calls(record: Kept) -> bool:
    """For help, today, and nobody has answered."""
    is_open = record.kind is call_out and record.state == "open" and now() - record.happened_at < CALLS_FOR
    return is_open and is_unanswered(record.body)


async def news_among(tx: Tx, me: Me, ids: list[str]) -> set[str]:
    if not ids:
        return set()
    rows = await tx.rows(f"select r.id from record r where r.school = $1 and r.id = any($3) and {NEWS}", me.school, me.staff, ids)
    return {row["id"] for row in rows}


async def unread_count(tx: Tx, me: Me, where: str, args: list[Any]) -> int:
    mine, mine_args = holds(me, first=len(args) + 1)
    row = await tx.row(
        f"select count(*) as n from (select 1 from record r where ({mine}) and {where} and {NEWS} limit {COUNTED}) as counted",
        *args,
        *mine_args,
    )
    return row["n"] if row else 0


def row_of(record: Kept, directory: Directory, news: set[str]) -> ListRow:
    answers = max((record.disputed.get(path, len(heads)) for path, heads in record.disputes.items()), default=0)
    return ListRow(
        on=record.id,
        at=record.happened_at,
        title=title_of(record.kind, record.body, record.disputes, directory),
        label=record.kind.label,
        people=", ".join(entry.name for entry in people_of(record.kind, record.body, record.disputes, directory)),
        badge=f"{words.number(answers)} answers" if answers else {"closed": "Closed", "void": "Void"}.get(record.state, ""),
        badge_icon="two" if answers else "",
        first=" · ".join(presses(record)),
        unread=record.id in news,
        icon=record.kind.icon,
    )


def held_row(edit: HeldEdit) -> ListRow:
    return ListRow(f"held.{edit.id}", edit.received_at, edit.title, edit.label, edit.people, "Held", "needs", "", True, edit.icon)


async def choices_for(tx: Tx, me: Me, directory: Directory) -> dict[str, Any]:
    years = await tx.rows("select distinct year from pupil where school = $1 and left_at is null", me.school)
    return {
        "kinds": [(kind.name, kind.plural) for kind in KINDS.values()],
        "years": sorted((row["year"] for row in years), key=lambda year: (len(year), year)),
        "places": sorted(directory.lists.get("places", {}).items(), key=lambda place: place[1].casefold()),
        "staff": sorted(directory.staff.items(), key=lambda one: one[1].casefold()),
        "silent": await silent_phones(tx, me),
    }


async def silent_phones(tx: Tx, me: Me) -> tuple[int, int]:
    """Phones that said they hold something unsent, and how much: it may still change what stands here."""
    row = await tx.row(
        "select count(*) as n, coalesce(sum(waiting), 0) as records from phone where school = $1 and waiting > 0 and revoked_at is null",
        me.school,
    )
    return (int(row["n"]), int(row["records"])) if row else (0, 0)


routes = [review, read_all, unread_all]
