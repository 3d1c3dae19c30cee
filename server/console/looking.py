"""Who has looked at a pupil: at their page, at records about them, and on whose phone those lie. For the safeguarding lead alone."""

from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.params import FromPath
from msgspec import Struct

from server.access.audit import looked
from server.access.rights import needs
from server.console.directory import pupil_line
from server.console.pages import frame_for, page
from server.console.records import directory_of, linked_records
from server.console.showing import PupilLine, title_of
from server.refusals import NotFound
from server.store.database import Tx, reading, writing
from server.store.engines import Row
from server.store.me import Me

SHOWN = 200
AT_ONCE = 1_000  # rows of what went to phones, read at a time

ABOUT = "select p.record from record_pupil p where p.school = $1 and p.pupil = $2"
DIRECTLY = f"""
    select a.id, a.at, a.what, a.record, a.detail, coalesce(s.name, a.staff) as who
    from audit a left join staff s on s.school = a.school and s.id = a.staff
    where a.school = $1 and (a.pupil = $2 or a.record in ({ABOUT}))
    order by a.at desc, a.id desc limit {SHOWN}"""
TO_PHONES = f"""
    select a.id, a.at, a.what, a.record, a.detail, coalesce(s.name, a.staff) as who
    from audit a left join staff s on s.school = a.school and s.id = a.staff
    where a.school = $1 and a.what = 'records to phone' and (a.at, a.id) < ($2, $3)
    order by a.at desc, a.id desc limit {AT_ONCE}"""
END_OF_TIME = 2**62  # µs

WORDS = {
    "read pupil": "Opened their page",
    "read record": "Opened a record",
    "read held": "Opened something held",
    "read plan for a call": "Read their plan, going to a call",
    "take along": "Took the address and the plan of a visit along on their phone",
    "ask to open in an emergency": "Was asked for a reason to open their record",
    "open in an emergency": "Opened their record in an emergency",
    "close after an emergency": "Closed it again",
    "end an opening": "Ended what somebody had opened in an emergency",
    "read pupil in an emergency": "Read their page in an emergency",
    "read record in an emergency": "Read a record in an emergency",
    "read access log": "Looked at this list",
    "read warnings": "Looked at their warnings",
    "lift do not contact": "Lifted “do not ring”",
    "raise do not contact": "Put back “do not ring”",
    "lift address withheld": "Lifted “address withheld”",
    "raise address withheld": "Put back “address withheld”",
}


class Looked(Struct, frozen=True):
    at: int
    who: str
    what: str
    records: list[tuple[str, str]]  # id and title: of those that I may hold


class Sent(Struct):
    records: list[str] = []
    opening: str = ""
    reason: str = ""  # of a warning that was lifted


@get("/console/pupil/{pupil:str}/looked", guards=[needs("access_log")])
async def who_looked(request: Request[Any, Any, Any], pupil: FromPath[str]) -> Response[str]:
    """Looking at who looked is itself noted, and first."""
    me = request.state.me
    line = await writing(note_looking, me, pupil)
    log = await reading(access_log, me, pupil)
    return page(await frame_for(me), request, "looked.html", line=line, log=log, most=SHOWN)


async def note_looking(tx: Tx, me: Me, pupil: str) -> PupilLine:
    row = await tx.row("select * from pupil where school = $1 and id = $2", me.school, pupil)
    if row is None:
        raise NotFound
    await looked(tx, me, "read access log", pupil=pupil)
    return pupil_line(row)


async def access_log(tx: Tx, me: Me, pupil: str) -> list[Looked]:
    about = {row["record"] for row in await tx.rows(ABOUT, me.school, pupil)}
    rows = [*await tx.rows(DIRECTLY, me.school, pupil), *await sent_to_phones(tx, me, about)]
    newest = sorted(rows, key=lambda row: (-row["at"], row["id"]))[:SHOWN]
    seen = {row["id"]: records_in(row, about) for row in newest}
    reasons = await reasons_of(tx, me, newest)
    kept = await linked_records(tx, me, set().union(*seen.values()))
    directory = await directory_of(tx, me, kept)
    titles = {record.id: title_of(record.kind, record.body, record.disputes, directory) for record in kept}
    return [
        told(row, [(id, titles[id]) for id in sorted(seen[row["id"]]) if id in titles], len(seen[row["id"]]), reasons.get(row["id"], ""))
        for row in newest
    ]


async def reasons_of(tx: Tx, me: Me, rows: list[Row]) -> dict[str, str]:
    """Of those that opened something: why. The log itself holds no words of anybody's."""
    opened = {row["id"]: msgspec.json.decode(row["detail"], type=Sent).opening for row in rows if row["what"] == "open in an emergency"}
    found = await tx.rows("select id, reason from opening where school = $1 and id = any($2)", me.school, sorted(opened.values()))
    reasons = {row["id"]: row["reason"] for row in found}
    return {id: reasons.get(opening, "") for id, opening in opened.items()}


async def sent_to_phones(tx: Tx, me: Me, about: set[str]) -> list[Row]:
    """Rows that say which records went to a phone hold their ids in `detail`: read back from the newest until enough are found."""
    found: list[Row] = []
    at, id = END_OF_TIME, ""
    while about and len(found) < SHOWN and (rows := await tx.rows(TO_PHONES, me.school, at, id)):
        found += [row for row in rows if records_in(row, about)]
        at, id = rows[-1]["at"], rows[-1]["id"]
    return found


def records_in(row: Row, about: set[str]) -> set[str]:
    return about & {row["record"], *msgspec.json.decode(row["detail"], type=Sent).records}


def told(row: Row, records: list[tuple[str, str]], how_many: int, opened_for: str) -> Looked:
    what = WORDS.get(row["what"], row["what"][:1].upper() + row["what"][1:])
    if row["what"] == "records to phone":
        what = "A record about them went to their phone" if how_many == 1 else f"{how_many} records about them went to their phone"
    reason = opened_for or msgspec.json.decode(row["detail"], type=Sent).reason
    return Looked(row["at"], row["who"], f"{what}: {reason}" if reason else what, records)


routes = [who_looked]
