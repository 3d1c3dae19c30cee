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
    select r.body from record r join record_staff mine on mine.school = r.school and mine.record = r.id
    where r.school = $1 and r.id = $2 and r.kind = $3 and r.state = 'open' and mine.staff = $4 and mine.dropped_seq is null"""
PUPILS = f"""
    with {APART}
    select p.id, coalesce(p.preferred, p.forename) as forename, p.surname, p.address, {IS_APART} as is_apart
    from record_pupil about join pupil p on p.school = about.school and p.id = about.pupil
    where about.school = $1 and about.record = $2 and about.dropped_seq is null order by p.surname, p.id"""
CONTACTS = """
    select pupil, name, relationship, address, do_not_contact from contact
    where school = $1 and pupil = any($2) and not gone order by pupil, position, name"""


class Wanted(msgspec.Struct):
    """`record`: a home visit that I wrote in, or am named in."""

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
    """`plan`: answers to what is asked before a visit, as in the record's body. All of it is let go at `until`."""

    record: str
    until: str
    pupils: list[Home]
    other_address: str | None
    contacts: list[Adult]
    plan: dict[str, Any]


@post("/api/taken-along", status_code=200, guards=[needs("contacts")])
async def take_along(data: JSONBody[Wanted], request: Request[Any, Any, Any]) -> TakenAlong:
    return await writing(taken_along, request.state.me, data.record)


async def taken_along(tx: Tx, me: Me, record: str) -> TakenAlong:
    row = await tx.row(MINE, me.school, record, VISIT.name, me.staff)
    if row is None:
        raise NotFound
    pupils = await tx.rows(PUPILS, me.school, record)
    contacts = await tx.rows(CONTACTS, me.school, [pupil["id"] for pupil in pupils])
    until = to_wire(now() + (await rules_of(tx, me.school)).taken_along_hours * HOUR)
    apart = {pupil["id"] for pupil in pupils if pupil["is_apart"]}
    plan = planned(VISIT, msgspec.json.decode(row["body"]), me.role)
    await looked(tx, me, "take along", record=record, detail={"until": until})
    return TakenAlong(
        record, until, [home(one) for one in pupils], plan.pop("address", None), [adult(one, apart) for one in contacts], plan
    )


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
