"""Who was it? Somebody whom nobody knew is matched by a person, from what they said of their name and age; and a match is taken back."""

from asyncio import to_thread
from datetime import date
from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Struct

from server.access.audit import looked
from server.access.rights import needs
from server.console import words
from server.console.directory import PUPIL, pupil_line
from server.console.finding import find_pupils
from server.console.likeness import Somebody, likeliest
from server.console.pages import frame_for, page
from server.console.record import note_writing
from server.console.records import record_for
from server.console.showing import PupilLine
from server.console.sightings import Seen, seen_where
from server.oncall.forgetting import days_of, kept_until
from server.refusals import NotFound
from server.store.database import Tx, reading, writing
from server.store.engines import Row
from server.store.me import Me
from server.store.moments import now
from server.store.numbers import lock
from server.sync import desk

SUGGESTED, FOUND = 5, 12
ON_ROLL = f"select {PUPIL}, born_on from pupil where school = $1 and left_at is null and not canary"
GONE = "Nothing is known of them any more: the school’s days were over, and who they were is forgotten"


class Match(Struct, frozen=True):
    seen: Seen
    suggested: list[tuple[PupilLine, str]]  # and why
    found: list[PupilLine]
    asked: str
    until: int  # when they are forgotten


@get("/console/sightings/{record:str}/match", guards=[needs("hand_off")])
async def show_match(request: Request[Any, Any, Any], record: FromPath[str]) -> Response[str]:
    asked = request.query_params.get("q", "").strip()[:100]
    match = await opened(request.state.me, record, asked)
    await writing(looked, request.state.me, "read record", record=record, detail={"suggested": [line.id for line, _ in match.suggested]})
    return await drawn(request, match)


@post("/console/sightings/{record:str}/match", guards=[needs("hand_off")], status_code=303)
async def write_match(request: Request[Any, Any, Any], record: FromPath[str]) -> Response[Any]:
    """`pupil`: who it was; or `take_back`: who it was not after all. `seen`: the version that was looked at."""
    me, form = request.state.me, await request.form()
    said = {name: str(form.get(name, "")) for name in ("pupil", "take_back", "seen")}
    problem = await writing(matched, me, record, said["pupil"], said["take_back"], said["seen"])
    if problem:
        return await drawn(request, await opened(me, record, ""), 409, problem)
    return Redirect(f"/console/sightings/{record}/match?done=saved", status_code=303)


async def matched(tx: Tx, me: Me, record: str, pupil: str, take_back: str, seen: str) -> str:
    """Why it cannot be so, in words; empty: it is written, as an edit like any other."""
    await lock(tx, me.school)  # two who match the same person at once: one is told of the other
    one = await sighting(tx, me, record)
    values: dict[str, Any]
    if take_back:
        if take_back not in {each.key for each in one.pupils}:
            return "That match was taken back already"
        values = {"pupils": {"put": {}, "drop": [take_back]}, "whose": "not_known"}
    elif problem := why_not(one):
        return problem
    elif not pupil:
        return "Choose who it was"
    else:
        values = {"pupils": {"put": {pupil: {}}, "drop": []}, "whose": "ours"}
    receipt = await desk.write(tx, me, record, "sighting", values, seen or None)
    if receipt.because:
        return words.sentence(", ".join(dict.fromkeys(receipt.because.values())))
    await note_writing(tx, me, record)
    return ""


def why_not(one: Seen) -> str:
    if one.pupils:
        return f"They are matched already: {one.called}. Take that back first, if it was somebody else"
    if one.is_void:
        return "It was written in error"
    return GONE if one.is_forgotten else ""


async def opened(me: Me, record: str, asked: str) -> Match:
    """With whom it might have been, which is worked out while nothing waits for the database."""
    one, until, found, roll = await reading(looked_up, me, record, asked)
    if why_not(one):
        return Match(one, [], [], asked, until)
    everybody, lines = [somebody(row) for row in roll], {row["id"]: pupil_line(row) for row in roll}
    likely = await to_thread(likeliest, one.name, one.born, everybody, words.local(now()).date(), SUGGESTED)
    return Match(one, [(lines[each.id], each.why) for each in likely], found, asked, until)


async def looked_up(tx: Tx, me: Me, record: str, asked: str) -> tuple[Seen, int, list[PupilLine], list[Row]]:
    one = await sighting(tx, me, record)
    found = [match.pupil for match in await find_pupils(tx, me.school, asked, FOUND)] if asked else []
    return one, kept_until(one.unnamed_since, await days_of(tx, me.school)), found, await tx.rows(ON_ROLL, me.school)


def somebody(row: Row) -> Somebody:
    names = " ".join(filter(None, (row["forename"], row["preferred"], row["surname"])))
    return Somebody(row["id"], names, date.fromisoformat(row["born_on"]) if row["born_on"] else None, row["year"])


async def sighting(tx: Tx, me: Me, record: str) -> Seen:
    kept = await record_for(tx, me, record)
    if kept is None or kept.kind.name != "sighting":
        raise NotFound
    [one] = await seen_where(tx, me, "r.id = $1", record, after="")
    return one


async def drawn(request: Request[Any, Any, Any], match: Match, status: int = 200, problem: str = "") -> Response[str]:
    return page(await frame_for(request.state.me), request, "match.html", status, match=match, problem=problem, gone=GONE)


routes = [show_match, write_match]
