"""After the calls: which promises to be in were kept, once the registers say so; and two people who rang one family hear of it.

A promise is judged only where somebody promised that a pupil would be in. It is not known while the marks are not: nothing is written then.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from server.morning.days import day_after
from server.morning.evening import FAMILY, RUNG_FOR_S
from server.morning.gathering import CALL, COMES, LOOKED_AT_CALLS, day_in
from server.oncall.rota import local, moment_of
from server.oncall.steps import Due, step
from server.push.alerts import ADDRESS, alert, told_of
from server.store.database import Tx
from server.store.numbers import Place
from server.sync.by_itself import Writing, lanyard_of, write_by_itself

REMARK = "Written by Lanyard itself, from the register"

CALLS = """
    select id, seq, mark, happened_at, body from record
    where school = $1 and kind = $2 and state <> 'void' and happened_at >= $3 and happened_at < $4"""
MARKS = """
    select a.pupil, (select max({seen}) from attendance_code c where c.code = a.am) as am,
           (select max({seen}) from attendance_code c where c.code = a.pm) as pm
    from attendance_day a where a.school = $1 and a.on_day = $2""".format(
    # On a visit, at another provision, or not to be counted: that says nothing of a promise.
    seen="case when c.is_physical then 1 when c.category in ('authorised', 'unauthorised') then 0 end"
)

Sessions = tuple[bool | None, bool | None]  # in the building, morning and afternoon; None: no mark yet


# ── Promises ───────────────────────────────────────────────────────────────────────────────


def kept(pupils: Iterable[str], register: Mapping[str, Sessions]) -> str:
    """“yes”: each of them was in at some time; “no”: one of them at no time, with both marks there; else nothing is known yet."""
    said = [kept_by(register.get(pupil, (None, None))) for pupil in pupils]
    if "no" in said:
        return "no"
    return "yes" if said and all(one == "yes" for one in said) else ""


def kept_by(sessions: Sessions) -> str:
    if True in sessions:
        return "yes"
    return "" if None in sessions else "no"


@step("morning.kept")
async def look_at_promises(tx: Tx, its: Due, at: int) -> None:
    await note_promises(tx, its.school, its.about)


async def note_promises(tx: Tx, school: str, day: str) -> int:
    """Safe to repeat. A mark that was mended mends what Lanyard noted by it; what a person said stays. Answers how many were noted."""
    register = {row["pupil"]: (seen(row["am"]), seen(row["pm"])) for row in await tx.rows(MARKS, school, day)}
    ends = moment_of(day_after(day), "00:00")
    rows = await tx.rows(CALLS, school, CALL, moment_of(day, "00:00") - LOOKED_AT_CALLS, ends)
    writings = []
    for row in rows:
        body = msgspec.json.decode(row["body"])
        answer = kept(body.get("pupils") or (), register)
        if promised_day(body, row["happened_at"]) != day or not answer or answer == body.get("promise_kept"):
            continue
        if not body.get("promise_kept") or not await somebody_said(tx, school, row["id"]):
            writings.append(Writing(row["id"], CALL, {"promise_kept": answer}, str(Place(row["seq"], row["mark"]))))
    await write_by_itself(tx, school, writings, REMARK)
    return len(writings)


async def somebody_said(tx: Tx, school: str, call: str) -> bool:
    """Whether a person said if the promise was kept, and not only Lanyard."""
    sql = 'select "values" from edit where school = $1 and record = $2 and seq is not null and author <> $3'
    return any("promise_kept" in msgspec.json.decode(one) for (one,) in await tx.rows(sql, school, call, lanyard_of(school)))


def seen(mark: int | None) -> bool | None:
    return None if mark is None else bool(mark)


def promised_day(body: Mapping[str, Any], rung_at: int) -> str | None:
    """The day on which they were to be in: the one that was said, or that of the call. None: nobody promised that."""
    if body.get("promise") not in COMES:
        return None
    return day_in(body["promised_for"]) if body.get("promised_for") else local(rung_at).day


# ── Two who rang one family ────────────────────────────────────────────────────────────────

RANG = """
    select r.id, r.author, r.happened_at, r.body from record r join record_link l on l.school = r.school and l.record = r.id
    where l.school = $1 and l.field = 'listed' and l.other = $2 and r.kind = $3 and r.state <> 'void' order by r.happened_at, r.id"""


@step("morning.rung")
async def look_for_another(tx: Tx, its: Due, at: int) -> None:
    """A call has come in: if somebody else rang the same family that day, whoever rang second is told, once, on the day itself."""
    row = await tx.row("select body, happened_at from record where school = $1 and id = $2", its.school, its.about)
    listed = msgspec.json.decode(row["body"]).get("listed") if row else None
    if not row or not listed or local(row["happened_at"]).day != local(at).day:
        return
    if await tx.row("select 1 from record where school = $1 and id = $2 and kind = $3", its.school, listed, FAMILY) is None:
        return
    opens = f"/calls/{listed}" if ADDRESS.fullmatch(f"/calls/{listed}") else "/calls"
    topic, second = f"overlap/{listed}", await second_caller(tx, its.school, listed, local(at).day)
    if second and second not in {told.staff for told in await told_of(tx, its.school, topic)}:
        await alert(tx, its.school, second, "morning.overlap", opens=opens, topic=topic, ttl_s=RUNG_FOR_S)


async def second_caller(tx: Tx, school: str, listed: str, day: str) -> str | None:
    """Of those who rang that family on that day, whoever was not the first: by when they rang, not by whose call came in first."""
    first = None
    for row in await tx.rows(RANG, school, listed, CALL):
        if local(row["happened_at"]).day != day or not msgspec.json.decode(row["body"]).get("outcome"):
            continue
        if first and row["author"] != first:
            return str(row["author"])
        first = first or row["author"]
    return None
