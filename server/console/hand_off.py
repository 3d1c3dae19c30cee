"""Hand-off sheets: for each other school, on paper, who said they go there; only what that school needs, and nobody of ours."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Struct

from server.access.audit import looked
from server.access.rights import needs
from server.console.finding import plain
from server.console.pages import frame_for, page
from server.console.records import Kept, directory_of, record_for
from server.console.showing import title_of
from server.console.sightings import Seen, counted, seen_on
from server.refusals import NotFound
from server.store.database import Tx, reading, writing
from server.store.me import Me
from server.store.moments import now, to_wire
from server.sync import desk

NAME_LIMIT = 120  # characters
SAYS_NOTHING = {"the", "school", "academy", "high", "college", "secondary"}


class School(Struct, frozen=True):
    """A school that somebody said is theirs: its name as most wrote it."""

    key: str  # what an address calls it, for its name stands in no address
    name: str
    seen: list[Seen]

    @property
    def told(self) -> int:
        return sum(one.told_at is not None for one in self.seen)


class Sheet(Struct, frozen=True):
    sweep: str
    title: str
    happened_at: int
    reference: str
    school: School


def schools_of(spoken: Iterable[Seen]) -> list[School]:
    """Whoever is not ours and said which school, by school. One that was written in two ways is one."""
    found: dict[str, list[Seen]] = {}
    for one in spoken:
        if one.school and not one.pupils and one.whose != "ours":
            found.setdefault(known_as(one.school), []).append(one)
    schools = [School(key_of(known), name_among(seen), seen) for known, seen in found.items()]
    return sorted(schools, key=lambda school: school.name.casefold())


def known_as(name: str) -> str:
    words = plain(name).split()
    return " ".join(word for word in words if word not in SAYS_NOTHING) or " ".join(words)


def key_of(known: str) -> str:
    return hashlib.blake2b(known.encode(), digest_size=8).hexdigest()


def name_among(seen: list[Seen]) -> str:
    """The longest of those most often written."""
    times = Counter(one.school.strip() for one in seen)
    return max(times, key=lambda name: (times[name], len(name), name))


@get("/console/sweeps/{record:str}/hand-off/{key:str}", guards=[needs("hand_off")])
async def show_sheet(request: Request[Any, Any, Any], record: FromPath[str], key: FromPath[str]) -> Response[str]:
    return await drawn(request, await writing(open_sheet, request.state.me, record, key))


@post("/console/sweeps/{record:str}/hand-off/{key:str}", guards=[needs("hand_off")], status_code=303)
async def hand_over(request: Request[Any, Any, Any], record: FromPath[str], key: FromPath[str]) -> Response[Any]:
    """`to`: who at that school was told. Written into each sighting of the sheet that does not say so yet."""
    me, to = request.state.me, str((await request.form()).get("to", "")).strip()
    sheet = await reading(sheet_of, me, record, key)
    if not to or len(to) > NAME_LIMIT:
        return await drawn(request, sheet, 400, f"Say who was told, in under {NAME_LIMIT} characters", to)
    if problem := await writing(handed_over, me, sheet, to):
        return await drawn(request, await reading(sheet_of, me, record, key), 409, problem, to)
    return Redirect(f"/console/sweeps/{record}/hand-off/{key}?done=saved", status_code=303)


async def handed_over(tx: Tx, me: Me, sheet: Sheet, to: str) -> str:
    """What stands in the way of the first that cannot be written; those before it are."""
    said = {"school_told": to, "school_told_at": {"at": to_wire(now()), "precision": "exact"}}
    for one in sheet.school.seen:
        if one.told_at is None:
            receipt = await desk.write(tx, me, one.id, "sighting", said, one.version)
            if receipt.because:
                return f"{one.called}: {', '.join(receipt.because.values())}"
    return ""


async def open_sheet(tx: Tx, me: Me, record: str, key: str) -> Sheet:
    sheet = await sheet_of(tx, me, record, key)
    await looked(tx, me, "read record", record=record, detail={"sheet": key, "sightings": len(sheet.school.seen)})
    return sheet


async def sheet_of(tx: Tx, me: Me, record: str, key: str) -> Sheet:
    kept: Kept | None = await record_for(tx, me, record)
    if kept is None or kept.kind.name != "sweep":
        raise NotFound
    school = next((one for one in schools_of(counted(await seen_on(tx, me, record))) if one.key == key), None)
    if school is None:
        raise NotFound
    title = title_of(kept.kind, kept.body, kept.disputes, await directory_of(tx, me, [kept]))
    return Sheet(record, title, kept.happened_at, str(kept.body.get("authority_reference") or ""), school)


async def drawn(request: Request[Any, Any, Any], sheet: Sheet, status: int = 200, problem: str = "", typed: str = "") -> Response[str]:
    return page(await frame_for(request.state.me), request, "hand_off.html", status, sheet=sheet, problem=problem, typed=typed)


routes = [show_sheet, hand_over]
