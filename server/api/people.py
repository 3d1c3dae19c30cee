"""The people of the school, as far as my role needs them: all at first, then only who changed.

Addresses are never sent. A contact who must not be contacted is sent by name, so that everybody is warned, and without
anything to ring or write to. Contacts go to the roles that ring families; to a head of year only those of their own pupils.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get

from server.access.audit import looked
from server.access.rights import may, signed_in
from server.access.shares import CONTACTS
from server.kinds.roles import Role
from server.store.database import Tx, reading, writing
from server.store.engines import Row
from server.store.me import Me
from server.store.numbers import Place, read_place

PAGE = 2_000  # people
PAGE_BYTES = 900_000


class PupilCard(msgspec.Struct):
    id: str
    forename: str
    surname: str
    preferred: str | None
    year: str
    form: str
    family: str | None


class ContactCard(msgspec.Struct):
    id: str
    pupil: str
    person: str
    position: int
    name: str
    relationship: str
    phone: str | None
    other_phone: str | None
    email: str | None
    parental_responsibility: bool
    do_not_contact: bool
    address_withheld: bool
    note: str


class StaffMember(msgspec.Struct):
    id: str
    name: str
    role: str


class PeopleAnswer(msgspec.Struct):
    """`fresh`: this is the first page of all of them, and replaces whoever the phone holds."""

    pupils: list[PupilCard]
    contacts: list[ContactCard]
    staff: list[StaffMember]
    gone: list[str]
    cursor: str
    more: bool
    fresh: bool


Seq = Annotated[int, msgspec.Meta(ge=0, lt=2**31)]  # what a database takes for a number, and a school never reaches


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """For whom, and how far: everybody up to the one at (`seq`, `rank`, `id`) is known. `place`: the school's history when that was so."""

    staff: str
    role: str
    rights: int
    place: str
    begun: Seq  # where history stood when the first page was asked for: who had gone by then was never sent
    seq: Seq = 0
    rank: Seq = 0
    id: Annotated[str, msgspec.Meta(pattern=r"^[^\x00]*$")] = ""
    barred: bool = False  # false: of a phone that was sent numbers of people who must not be rung, under other names; it is sent all again


class Found(msgspec.Struct, frozen=True, order=True):
    """One person as last changed, in the order of history."""

    seq: int
    rank: int
    id: str
    gone: bool
    card: Any


STAFF, PUPIL, CONTACT = range(3)
FIND = {
    STAFF: """
        select seq, id, left_at is not null as gone, name, role from staff
        where school = $1 and (seq, 0, id) > ($2, $3, $4) order by seq, id limit $5""",
    PUPIL: """
        select seq, id, left_at is not null as gone, forename, surname, preferred, year, form, family from pupil
        where school = $1 and not canary and (seq, 1, id) > ($2, $3, $4) order by seq, id limit $5""",
    # A contact changes with its pupil too: whoever leaves a year group takes their family along. And with whoever of the family must
    # not be rung, whose number is told under nobody's name.
    CONTACT: """
        with barred as (
            select coalesce(nullif(pupil.family, ''), pupil.id) as family, max(contact.seq) as seq from contact
            join pupil on pupil.school = contact.school and pupil.id = contact.pupil
            where contact.school = $1 and contact.do_not_contact and not contact.gone group by 1)
        select * from (
            select case when barred.seq > contact.seq and barred.seq > pupil.seq then barred.seq
                        when contact.seq > pupil.seq then contact.seq else pupil.seq end as seq, contact.id as id,
                   contact.gone or pupil.left_at is not null or not ($6 or pupil.year = any($7) or exists (
                       select 1 from caseload where caseload.school = $1 and caseload.staff = $8 and caseload.pupil = pupil.id)) as gone,
                   coalesce(nullif(pupil.family, ''), pupil.id) as family,
                   contact.pupil, contact.person, contact.position, contact.name, contact.relationship, contact.phone,
                   contact.other_phone, contact.email, contact.parental_responsibility, contact.do_not_contact,
                   contact.address_withheld, contact.note
            from contact join pupil on pupil.school = contact.school and pupil.id = contact.pupil
            left join barred on barred.family = coalesce(nullif(pupil.family, ''), pupil.id)
            where contact.school = $1 and not pupil.canary
        ) changed where (seq, 2, id) > ($2, $3, $4) order by seq, id limit $5""",
}
BARRED = """
    select coalesce(nullif(pupil.family, ''), pupil.id) as family, contact.phone, contact.other_phone from contact
    join pupil on pupil.school = contact.school and pupil.id = contact.pupil
    where contact.school = $1 and contact.do_not_contact and not contact.gone"""


@get("/api/people", guards=[signed_in])
async def list_people(request: Request[Any, Any, Any]) -> Response[bytes]:
    me: Me = request.state.me
    answer, body = await reading(page_for, me, read_cursor(request.query_params.get("cursor")))
    if answer.pupils or answer.contacts:
        counts = {"pupils": len(answer.pupils), "contacts": len(answer.contacts)}
        await writing(looked, me, "people to phone", detail=counts)
    return Response(body, media_type="application/json")


async def page_for(tx: Tx, me: Me, cursor: Cursor | None) -> tuple[PeopleAnswer, bytes]:
    place = await place_now(tx, me.school)
    fresh = cursor is None or not await is_mine(tx, me, cursor)
    if cursor is None or fresh:
        cursor = Cursor(me.staff, me.role, me.rights, str(place), place.seq, barred=True)
    found = await changed_since(tx, me, cursor)
    page = found[:PAGE]
    while True:
        last = page[-1] if page else cursor
        next_cursor = Cursor(me.staff, me.role, me.rights, str(place), cursor.begun, last.seq, last.rank, last.id, barred=True)
        answer = answer_with(page, next_cursor, more=len(page) < len(found), fresh=fresh)
        body = msgspec.json.encode(answer)
        if len(body) <= PAGE_BYTES or len(page) == 1:
            return answer, body
        page = page[: len(page) // 2]


def answer_with(page: list[Found], cursor: Cursor, more: bool, fresh: bool) -> PeopleAnswer:
    def cards(rank: int) -> list[Any]:
        return [found.card for found in page if found.rank == rank and not found.gone]

    gone = [found.id for found in page if found.gone and found.seq > cursor.begun]
    return PeopleAnswer(cards(PUPIL), cards(CONTACT), cards(STAFF), gone, write_cursor(cursor), more, fresh)


async def changed_since(tx: Tx, me: Me, cursor: Cursor) -> list[Found]:
    since = (me.school, cursor.seq, cursor.rank, cursor.id, PAGE + 1)
    found = [Found(row["seq"], STAFF, row["id"], row["gone"], StaffMember(row["id"], *row[3:])) for row in await rows_of(tx, STAFF, *since)]
    found += [Found(row["seq"], PUPIL, row["id"], row["gone"], PupilCard(row["id"], *row[3:])) for row in await rows_of(tx, PUPIL, *since)]
    if may(me, "contacts") and CONTACTS not in me.kept_back:
        whose = (me.role != Role.HEAD_OF_YEAR, list(me.years), me.staff)
        barred = {(row["family"], figures(number)) for row in await tx.rows(BARRED, me.school) for number in row[1:] if number}
        rows = await rows_of(tx, CONTACT, *since, *whose)
        found += [Found(row["seq"], CONTACT, row["id"], row["gone"], contact_card(row, barred)) for row in rows]
    return sorted(found, key=lambda person: (person.seq, person.rank, person.id))[: PAGE + 1]


async def rows_of(tx: Tx, rank: int, *args: Any) -> list[Any]:
    return await tx.rows(FIND[rank], *args)


def contact_card(row: Row, barred: set[tuple[str, str]]) -> ContactCard:
    """Without a number of whoever in the family must not be rung, though somebody else gave it too."""
    card = ContactCard(row["id"], *row[4:])
    if card.do_not_contact:
        card.phone = card.other_phone = card.email = None
    card.phone, card.other_phone = (
        None if number and (row["family"], figures(number)) in barred else number for number in (card.phone, card.other_phone)
    )
    return card


def figures(number: str) -> str:
    """With the country's or without."""
    return "".join(filter(str.isdigit, number))[-10:]


# ── Where history stands ───────────────────────────────────────────────────────────────────


async def place_now(tx: Tx, school: str) -> Place:
    row = await tx.row("select seq, mark from step where school = $1 order by seq desc limit 1", school)
    return Place(row["seq"], row["mark"]) if row else Place(0, 0)


async def is_mine(tx: Tx, me: Me, cursor: Cursor) -> bool:
    """Not after my rights changed, and not after a backup was put back: then the numbers since mean other things."""
    place = read_place(cursor.place)
    if place is None or not cursor.barred or (cursor.staff, cursor.role, cursor.rights) != (me.staff, me.role, me.rights):
        return False
    return await tx.row("select 1 from step where school = $1 and seq = $2 and mark = $3", me.school, place.seq, place.mark) is not None


def write_cursor(cursor: Cursor) -> str:
    return urlsafe_b64encode(msgspec.json.encode(cursor)).decode()


def read_cursor(text: str | None) -> Cursor | None:
    """None for one that is not ours: then everybody is sent."""
    try:
        return msgspec.json.decode(urlsafe_b64decode(text or ""), type=Cursor)
    except (ValueError, msgspec.MsgspecError):
        return None
