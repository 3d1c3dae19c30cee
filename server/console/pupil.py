"""A pupil's page: one story across every kind, whom to ring and whom not, and attendance."""

from collections import Counter
from datetime import date, timedelta
from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath
from msgspec import Struct
from msgspec.structs import replace

from server.access.audit import looked, still_looks
from server.access.canaries import stand_in
from server.access.emergency import Open, canary_opened, in_emergency, looked_in_emergency, under, with_openings
from server.access.rights import may, signed_in
from server.console import words
from server.console.attendance import Attendance, attendance_of
from server.console.directory import pupil_line
from server.console.emergency import may_be_opened, may_see_contacts
from server.console.finding import find_pupils
from server.console.pages import frame_for, page
from server.console.records import Kept, directory_of, place_in, records_where
from server.console.showing import Directory, Entry, PupilLine, people_of, title_of
from server.kinds import KINDS
from server.kinds.kind import Merge
from server.kinds.roles import Role
from server.oncall.plans import PLAN, PlanCard, plans_of
from server.refusals import NotFound
from server.store.database import Tx, reading, writing
from server.store.engines import Row
from server.store.me import Me
from server.store.moments import now
from server.store.withheld import APART, IS_APART
from server.sync.audience import may_begin, may_hold

FOUND_AT_MOST = 50
STORY_PAGE = 100
WEEKS_AT_MOST = 16  # in one table; of a longer term, the last ones

ABOUT = "exists (select 1 from record_pupil p where p.school = r.school and p.record = r.id and p.pupil = $1 and p.dropped_seq is null)"

WARNED = "select 1 from contact where school = $1 and pupil = $2 and not gone and (do_not_contact or address_withheld)"


class Moment(Struct, frozen=True):
    """One record in the story."""

    id: str
    at: int
    icon: str
    title: str
    label: str
    kind: str
    part: str
    others: list[Entry]
    said: str  # how many accounts
    badge: str
    state: str


class Adult(Struct, frozen=True):
    """A contact, as far as this reader may be told. One who is not to be rung has no number here."""

    name: str
    relationship: str
    phones: list[str]
    email: str
    address: str
    responsible: bool
    not_to_be_rung: bool
    address_withheld: bool
    note: str


class Weeks(Struct, frozen=True):
    """A term, week by week: for each kind, how many in each."""

    numbers: list[int]
    rows: list[tuple[str, list[int]]]

    def heat(self, count: int) -> int:
        most = max((n for _, counts in self.rows for n in counts), default=0)
        return -(-10 * count // most) if most else 0


class PupilPage(Struct):
    line: PupilLine
    known_as: str  # other names
    left: bool
    address: str
    address_withheld: bool
    contacts: list[Adult] | None  # none: not this reader's to see
    siblings: list[PupilLine]
    term: str
    attendance: Attendance | None
    weeks: Weeks | None
    plan: PlanCard | None
    plans: bool  # I may begin one here
    story: list[Moment]
    older: str
    kinds: list[tuple[str, str]]
    warned: bool  # somebody is not to be rung, or an address not to be told
    is_canary: bool
    opened: Open | None  # in an emergency, by me
    openable: bool  # it is out of my scope, and I may open it in an emergency


# ── Pages ──────────────────────────────────────────────────────────────────────────────────


@get("/console/pupils", guards=[signed_in])
async def pupils(request: Request[Any, Any, Any]) -> Response[str]:
    me, asked = request.state.me, request.query_params.get("q", "")[:100].strip()
    found = await reading(find_pupils, me.school, asked, FOUND_AT_MOST)
    return page(await frame_for(me), request, "pupils.html", asked=asked, found=found, most=FOUND_AT_MOST)


@get("/console/pupil/{pupil:str}", guards=[signed_in])
async def show_pupil(request: Request[Any, Any, Any], pupil: FromPath[str]) -> Response[str]:
    me, kind, older = request.state.me, request.query_params.get("kind", ""), request.query_params.get("older", "")
    is_live = "x-lanyard-live" in request.headers
    found = await (reading if is_live else writing)(pupil_page, me, pupil, kind if kind in KINDS else "", older, is_live)
    if is_live:
        what = in_emergency("read pupil") if found.opened else "read pupil"
        if await still_looks(me, what, pupil=pupil, detail=under(found.opened)) and found.is_canary:
            await writing(canary_opened, me, pupil)
    return page(await frame_for(me), request, "pupil.html", pupil=found, kind=kind)


# ── Putting it together ────────────────────────────────────────────────────────────────────


async def pupil_page(tx: Tx, me: Me, id: str, kind: str, older: str, is_live: bool) -> PupilPage:
    row = await pupil_row(tx, me, id)
    me, openings = await with_openings(tx, me)
    opened = next((one for one in openings if one.pupil == id), None)
    me = replace(me, opened=(id,) if opened else ())  # what is open of one pupil shows nothing more of another
    if not is_live:
        await note_looking(tx, me, row, opened)
    story, more = await story_of(tx, me, id, kind, older)
    directory = await directory_of(tx, me, story, [id])
    term = await term_now(tx, me.school)
    sees_contacts = await may_see_contacts(tx, me, row)
    sees_attendance = may(me, "patterns") and (me.role != Role.HEAD_OF_YEAR or sees_contacts)  # theirs, as the families are
    marks_of = await stand_in(tx, me.school, id, row["year"], row["form"]) if row["canary"] else id
    names = [name for name in (row["forename"], row["preferred"]) if name and name not in pupil_line(row).name.split()]
    return PupilPage(
        line=pupil_line(row),
        known_as=", ".join(f"{name} {row['surname']}" for name in names),
        left=row["left_at"] is not None,
        address="" if row["is_apart"] or not sees_contacts else row["address"] or "",
        address_withheld=bool(row["is_apart"]),
        contacts=await contacts_of(tx, me, id, bool(row["is_apart"])) if sees_contacts else None,
        siblings=await siblings_of(tx, me, row),
        term=term[0] if term else "",
        attendance=await attendance_of(tx, me.school, marks_of, term[1], term[2]) if term and sees_attendance else None,
        weeks=await weeks_of(tx, me, id, term) if term else None,
        plan=await plan_of(tx, me, id),
        plans=not opened and may_begin(me, PLAN) and (me.role != Role.HEAD_OF_YEAR or sees_contacts),
        story=[moment(record, id, directory) for record in story],
        older=more,
        kinds=[(each.name, each.plural) for each in KINDS.values()],
        warned=bool(row["is_apart"]) or await tx.row(WARNED, me.school, id) is not None,
        is_canary=bool(row["canary"]),
        opened=opened,
        openable=opened is None and await may_be_opened(tx, me, row),
    )


async def note_looking(tx: Tx, me: Me, row: Row, opened: Open | None) -> None:
    if row["canary"]:
        await canary_opened(tx, me, row["id"])
    if opened:
        await looked_in_emergency(tx, me, opened, "read pupil", pupil=row["id"])
    else:
        await looked(tx, me, "read pupil", pupil=row["id"])


async def pupil_row(tx: Tx, me: Me, id: str) -> Row:
    row = await tx.row(f"with {APART} select p.*, {IS_APART} as is_apart from pupil p where p.school = $1 and p.id = $2", me.school, id)
    if row is None:
        raise NotFound
    return row


async def plan_of(tx: Tx, me: Me, id: str) -> PlanCard | None:
    """What is to be known of them first. Only whoever may hold the plan itself."""
    found = await plans_of(tx, me.school, [id], now())
    return found[0] if found and found[0].record and await may_hold(tx, me, found[0].record) else None


async def story_of(tx: Tx, me: Me, id: str, kind: str, older: str) -> tuple[list[Kept], str]:
    where, args = f"{ABOUT} and ($2 = '' or r.kind = $2)", [id, kind]
    if place := place_in(older):
        where, args = f"{where} and (r.happened_at, r.id) < ($3, $4)", [*args, *place]  # type: ignore[list-item]
    found = await records_where(tx, me, where, *args, after=f"order by r.happened_at desc, r.id desc limit {STORY_PAGE + 1}")
    story = [record for record, _ in found[:STORY_PAGE]]
    return story, f"{story[-1].happened_at}.{story[-1].id}" if len(found) > STORY_PAGE else ""


def moment(record: Kept, pupil: str, directory: Directory) -> Moment:
    people = people_of(record.kind, record.body, record.disputes, directory)
    mine = next((entry for entry in people if entry.key == pupil), None)
    accounts = max(
        (
            len(record.body.get(field.name) or ())
            for field in record.kind.fields
            if field.merge is Merge.OWN and field.name not in record.hidden
        ),
        default=0,
    )
    answers = max((record.disputed.get(path, len(heads)) for path, heads in record.disputes.items()), default=0)
    return Moment(
        id=record.id, at=record.happened_at, icon=record.kind.icon, label=record.kind.label, kind=record.kind.name,
        title=title_of(record.kind, record.body, record.disputes, directory),
        part=mine.note.partition(" · ")[2] if mine else "",
        others=[entry for entry in people if entry.key != pupil],
        said=words.count(accounts, "account") if accounts > 1 else "",
        badge=f"{words.number(answers)} answers" if answers else "",
        state=record.state,
    )  # fmt: skip


async def contacts_of(tx: Tx, me: Me, pupil: str, is_apart: bool) -> list[Adult]:
    rows = await tx.rows("select * from contact where school = $1 and pupil = $2 and not gone order by position, name", me.school, pupil)
    return [adult(row, is_apart) for row in rows]


def adult(row: Row, is_apart: bool) -> Adult:
    silent, withheld = bool(row["do_not_contact"]), bool(row["address_withheld"])
    return Adult(
        row["name"], row["relationship"], [] if silent else [phone for phone in (row["phone"], row["other_phone"]) if phone],
        "" if silent else row["email"] or "", "" if is_apart or silent else row["address"] or "",
        bool(row["parental_responsibility"]), silent, withheld, row["note"],
    )  # fmt: skip


async def siblings_of(tx: Tx, me: Me, row: Row) -> list[PupilLine]:
    if not row["family"]:
        return []
    rows = await tx.rows(
        "select * from pupil where school = $1 and family = $2 and id <> $3 and left_at is null order by year, forename",
        me.school, row["family"], row["id"],
    )  # fmt: skip
    return [pupil_line(each) for each in rows]


# ── This term ──────────────────────────────────────────────────────────────────────────────


async def term_now(tx: Tx, school: str) -> tuple[str, str, str] | None:
    """The term we are in, or the last one: its name, first and last day."""
    today = words.local(now()).date().isoformat()
    row = await tx.row(
        "select name, starts_on, ends_on from term where school = $1 and starts_on <= $2 order by starts_on desc limit 1", school, today
    )
    return (row["name"], row["starts_on"], row["ends_on"]) if row else None


async def weeks_of(tx: Tx, me: Me, pupil: str, term: tuple[str, str, str]) -> Weeks | None:
    since, until = words.start_of(term[1]), words.start_of(term[2], days=1)
    found = await records_where(
        tx, me, f"{ABOUT} and r.happened_at >= $2 and r.happened_at < $3 and r.state <> 'void'", pupil, since, until
    )
    first = monday_of(date.fromisoformat(term[1]))
    last = min(date.fromisoformat(term[2]), words.local(now()).date())
    how_many = (monday_of(last) - first).days // 7 + 1
    counts = Counter((record.kind.name, (monday_of(words.local(record.happened_at).date()) - first).days // 7) for record, _ in found)
    numbers = list(range(max(0, how_many - WEEKS_AT_MOST), how_many))
    rows = [
        (kind.plural, [counts[kind.name, week] for week in numbers])
        for kind in KINDS.values()
        if any(name == kind.name for name, _ in counts)
    ]
    return Weeks([week + 1 for week in numbers], rows) if rows else None


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


routes = [pupils, show_pupil]
