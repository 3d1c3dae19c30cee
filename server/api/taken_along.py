"""What somebody takes along on a home visit of their own: addresses and the plan, for a day at most. They are on no phone otherwise."""

from typing import Annotated, Any

import msgspec
from litestar import Request, post
from litestar.params import JSONBody

from server.access.audit import looked
from server.access.rights import needs
from server.access.shares import rules_of
from server.kinds import KINDS
from server.kinds.kind import Kind
from server.kinds.roles import Role
from server.refusals import NotFound
from server.store.database import Tx, writing
from server.store.engines import Row
from server.store.me import Me
from server.store.moments import now, to_wire
from server.store.withheld import APART, IS_APART

HOUR = 3600 * 1_000_000  # µs
VISIT = KINDS["home_visit"]
GROUPS = ("Plan", "Safety")  # of its questions: what is known before somebody leaves

MINE = """
    select r.body, mine.wrote from record r join record_staff mine on mine.school = r.school and mine.record = r.id
    where r.school = $1 and r.id = $2 and r.kind = $3 and r.state = 'open' and mine.staff = $4 and mine.dropped_seq is null"""
CASELOAD = "select pupil from caseload where school = $1 and staff = $2"
PUPILS = f"""
    with {APART}
    select p.id, coalesce(p.preferred, p.forename) as forename, p.surname, p.year, p.address, {IS_APART} as is_apart
    from record_pupil about join pupil p on p.school = about.school and p.id = about.pupil
    where about.school = $1 and about.record = $2 and about.dropped_seq is null order by p.surname, p.id"""
CONTACTS = """
    select pupil, name, relationship, address, do_not_contact from contact
    where school = $1 and pupil = any($2) and not gone order by pupil, position, name"""


class Wanted(msgspec.Struct):
    """`record`: a home visit that I wrote in, or go on."""

    record: Annotated[str, msgspec.Meta(pattern=r"^[^\x00]*$")]


class Home(msgspec.Struct):
    """`address`: null where none is known, and where one is withheld in the family: then nobody takes it anywhere."""

    id: str
    name: str
    address: str | None
    address_withheld: bool


class Adult(msgspec.Struct):
    pupil: str
    name: str
    relationship: str
    address: str | None
    address_withheld: bool
    do_not_contact: bool


class TakenAlong(msgspec.Struct):
    """`plan`: answers to what is asked before a visit, as in the record's body. All of it is let go at `until`, counted from `now`."""

    record: str
    until: str
    now: str
    pupils: list[Home]
    other_address: str | None
    contacts: list[Adult]
    plan: dict[str, Any]


@post("/api/taken-along", status_code=200, guards=[needs("contacts")])
async def take_along(data: JSONBody[Wanted], request: Request[Any, Any, Any]) -> TakenAlong:
    return await writing(taken_along, request.state.me, data.record)


async def taken_along(tx: Tx, me: Me, record: str) -> TakenAlong:
    row = await tx.row(MINE, me.school, record, VISIT.name, me.staff)
    body = msgspec.json.decode(row["body"]) if row else {}
    if row is None or not (row["wrote"] or me.staff in (body.get("going") or {})):
        raise NotFound
    pupils = await in_my_care(tx, me, await tx.rows(PUPILS, me.school, record))
    contacts = await tx.rows(CONTACTS, me.school, [pupil["id"] for pupil in pupils])
    at = now()
    until = to_wire(at + (await rules_of(tx, me.school)).taken_along_hours * HOUR)
    apart = {pupil["id"] for pupil in pupils if pupil["is_apart"]}
    plan = planned(VISIT, body, me.role)
    other_address = plan.pop("address", None)  # where one is withheld, this may be that one
    await looked(tx, me, "take along", record=record, detail={"until": until})
    return TakenAlong(
        record,
        until,
        to_wire(at),
        [home(one) for one in pupils],
        None if apart else other_address,
        [adult(one, apart) for one in contacts],
        plan,
    )


async def in_my_care(tx: Tx, me: Me, pupils: list[Row]) -> list[Row]:
    """As on the desk: a head of year, those of their own years and caseload. Raises NotFound where none is left."""
    if me.role == Role.HEAD_OF_YEAR:
        caseload = {row["pupil"] for row in await tx.rows(CASELOAD, me.school, me.staff)}
        pupils = [pupil for pupil in pupils if pupil["year"] in me.years or pupil["id"] in caseload]
    if not pupils:
        raise NotFound
    return pupils


def planned(kind: Kind, body: dict[str, Any], role: str) -> dict[str, Any]:
    hidden = kind.hidden_from(role)
    return {
        field.name: body[field.name] for field in kind.fields if field.group in GROUPS and field.name in body and field.name not in hidden
    }


def home(row: Row) -> Home:
    withheld = bool(row["is_apart"])
    return Home(row["id"], f"{row['forename']} {row['surname']}", None if withheld else row["address"], withheld)


def adult(row: Row, apart: set[str]) -> Adult:
    withheld, silent = row["pupil"] in apart, bool(row["do_not_contact"])
    return Adult(row["pupil"], row["name"], row["relationship"], None if withheld or silent else row["address"], withheld, silent)
