"""A lost phone: what it could have held, from what was sent to it and what its owner wrote, and a draft of the report that may be due."""

from collections import Counter
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.params import FromPath
from msgspec import Struct

from server.access.audit import looked
from server.access.rights import needs
from server.access.shares import Rules, rules_of
from server.console.directory import pupils_by_id
from server.console.pages import frame_for, page
from server.console.records import records_where
from server.console.showing import PupilLine
from server.kinds import KINDS
from server.refusals import NotFound
from server.store.database import Tx, writing
from server.store.me import Me
from server.store.moments import from_wire
from server.sync.audience import kept_at_desk

REPORT_WITHIN = 72 * 3600 * 1_000_000  # µs: UK GDPR, article 33(1): from becoming aware of it
AT_ONCE = 500  # records

TO_IT = "select what, at, detail from audit where school = $1 and staff = $2 and phone = $3 and what = any($4) order by at, id"
ON_IT = """
    select phone.staff, staff.name, phone.id, phone.revoked_at, phone.public, phone.waiting
    from phone join staff on staff.school = phone.school and staff.id = phone.staff
    where phone.school = $1 and phone.handset = $2 and phone.id <> $3 and not phone.is_desk order by staff.name, phone.id"""
# On whichever phone: what somebody wrote themselves comes back to every phone of theirs, and the access log says nothing of it.
WRITTEN = "select distinct record from edit where school = $1 and author = $2 and kind <> all($3)"


class Told(Struct):
    """Of a row of the access log that says what went to a phone."""

    records: list[str] = []
    pupils: int = 0
    contacts: int = 0
    until: str = ""  # of addresses taken along


class Other(Struct, frozen=True):
    """Somebody else’s phone in the same handset."""

    staff: str
    name: str
    phone: str
    off: bool
    sealed: bool


class Lost(Struct, frozen=True):
    phone: str
    name: str
    staff: str
    whose: str
    role: str
    paired_at: int
    seen_at: int | None
    waiting: int
    revoked_at: int | None
    sealed: bool  # it has chosen a PIN: what it held is encrypted
    rules: Rules
    first_at: int | None  # when the first of it was sent
    pupils: int  # whose names and forms were sent at most
    contacts: int
    visits: int  # for which addresses were taken along
    along_until: int | None  # when the last of them was to be let go
    records: int
    named: list[tuple[PupilLine, list[tuple[str, int]]]]  # each pupil, and how many records of which kind: of those I may hold
    unseen: int  # records that I may not hold
    others: list[Other]  # who else uses Lanyard on this handset: what was sent to them there is counted with the rest


@get("/console/people/{staff:str}/lost/{phone:str}", guards=[needs("phones")])
async def lost_phone(request: Request[Any, Any, Any], staff: FromPath[str], phone: FromPath[str]) -> Response[str]:
    me: Me = request.state.me
    lost = await writing(what_it_held, me, staff, phone)
    return page(await frame_for(me), request, "lost.html", lost=lost, report_within=REPORT_WITHIN)


async def what_it_held(tx: Tx, me: Me, staff: str, phone: str) -> Lost:
    row = await tx.row(
        "select phone.name, phone.paired_at, phone.seen_at, phone.waiting, phone.revoked_at, phone.public, phone.handset,"
        " staff.name as whose, staff.role"
        " from phone join staff on staff.school = phone.school and staff.id = phone.staff"
        " where phone.school = $1 and phone.staff = $2 and phone.id = $3 and not phone.is_desk",
        me.school, staff, phone,
    )  # fmt: skip
    if row is None:
        raise NotFound
    sharing = await tx.rows(ON_IT, me.school, row["handset"], phone)
    others = [
        Other(other["staff"], other["name"], other["id"], other["revoked_at"] is not None, other["public"] is not None) for other in sharing
    ]
    both = [(staff, phone), *((other.staff, other.phone) for other in others)]
    for whose, which in both:
        await looked(tx, me, "list lost phone", detail={"staff": whose, "phone": which})
    rows = [sent for each in both for sent in await tx.rows(TO_IT, me.school, *each, ["records to phone", "people to phone"])]
    told = [msgspec.json.decode(sent["detail"], type=Told) for sent in rows]
    along = [
        msgspec.json.decode(sent["detail"], type=Told) for each in both for sent in await tx.rows(TO_IT, me.school, *each, ["take along"])
    ]
    records = {record for one in told for record in one.records}
    for whose, _ in both:
        records |= {written["record"] for written in await tx.rows(WRITTEN, me.school, whose, kept_at_desk())}
    about, mine = await pupils_in(tx, me, sorted(records))
    lines = await pupils_by_id(tx, me.school, about)
    named = sorted(((lines[id], sorted(kinds.items())) for id, kinds in about.items() if id in lines), key=lambda pair: pair[0].name)
    return Lost(
        phone=phone, name=row["name"] or "A phone", staff=staff, whose=row["whose"], role=row["role"],
        paired_at=row["paired_at"], seen_at=row["seen_at"], revoked_at=row["revoked_at"],
        waiting=row["waiting"] + sum(other["waiting"] for other in sharing),
        sealed=row["public"] is not None and all(other.sealed for other in others),
        rules=await rules_of(tx, me.school), first_at=min((sent["at"] for sent in rows), default=None),
        pupils=sum(one.pupils for one in told), contacts=sum(one.contacts for one in told),
        visits=len(along), along_until=max((from_wire(one.until) or 0 for one in along), default=None),
        records=len(records), named=named, unseen=len(records) - mine, others=others,
    )  # fmt: skip


async def pupils_in(tx: Tx, me: Me, records: list[str]) -> tuple[dict[str, Counter[str]], int]:
    """Of those that I may hold: whom they are about, by kind; and how many there are."""
    about: dict[str, Counter[str]] = {}
    mine = 0
    for first in range(0, len(records), AT_ONCE):
        kept = {row["id"]: row["kind"] for _, row in await records_where(tx, me, "r.id = any($1)", records[first : first + AT_ONCE])}
        mine += len(kept)
        for record, pupil in await tx.rows(
            "select record, pupil from record_pupil where school = $1 and record = any($2)", me.school, list(kept)
        ):
            about.setdefault(pupil, Counter())[KINDS[kept[record]].label] += 1
    return about, mine


routes = [lost_phone]
