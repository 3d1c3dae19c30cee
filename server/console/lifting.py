"""Warnings on a pupil's contacts (do not ring, address withheld): imports only ever raise them; here a person lifts one, and says why."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Struct

from server.access.audit import looked
from server.access.rights import needs
from server.console.directory import pupil_line
from server.console.pages import frame_for, page
from server.console.showing import PupilLine
from server.refusals import NotFound
from server.store.database import Tx, reading, writing
from server.store.me import Me
from server.store.numbers import NewStep, draw

REASON_LIMIT = 300  # characters
FLAGS = {"do_not_contact": "Do not ring", "address_withheld": "Address withheld"}
THEIR_OWN = "pupil"  # in place of a contact's id: the warning on the pupil's own address


class Standing(Struct, frozen=True):
    key: str  # whose, and which
    whose: str
    relationship: str
    words: str
    note: str


@get("/console/pupil/{pupil:str}/warnings", guards=[needs("warnings")])
async def warnings(request: Request[Any, Any, Any], pupil: FromPath[str]) -> Response[str]:
    await writing(note_looking, request.state.me, pupil)
    return await shown(request, pupil)


@post("/console/pupil/{pupil:str}/warnings", guards=[needs("warnings")], status_code=303)
async def lift(request: Request[Any, Any, Any], pupil: FromPath[str]) -> Response[Any]:
    """`lift` or `put_back`: a warning's key; `why`: in a person's words."""
    me, form = request.state.me, await request.form()
    key, back = str(form.get("lift", "")), str(form.get("put_back", ""))
    why = " ".join(str(form.get("why", "")).split())[:REASON_LIMIT]
    if back:
        await writing(changed, me, pupil, back, True, "lifted by mistake")
        return Redirect(f"/console/pupil/{pupil}/warnings?done=put-back", status_code=303)
    if not why:
        return await shown(request, pupil, 400, key)
    await writing(changed, me, pupil, key, False, why)
    return Redirect(f"/console/pupil/{pupil}/warnings?done=lifted.{key}", status_code=303)


async def shown(request: Request[Any, Any, Any], pupil: str, status: int = 200, wrong: str = "") -> Response[str]:
    me = request.state.me
    line, standing = await reading(warnings_on, me, pupil)
    return page(await frame_for(me), request, "warnings.html", status, line=line, warnings=standing, wrong=wrong, limit=REASON_LIMIT)


async def note_looking(tx: Tx, me: Me, pupil: str) -> None:
    await line_of(tx, me, pupil)
    await looked(tx, me, "read warnings", pupil=pupil)


async def line_of(tx: Tx, me: Me, pupil: str) -> PupilLine:
    row = await tx.row("select * from pupil where school = $1 and id = $2", me.school, pupil)
    if row is None:
        raise NotFound
    return pupil_line(row)


async def warnings_on(tx: Tx, me: Me, pupil: str) -> tuple[PupilLine, list[Standing]]:
    """Only those whom a warning is about: their names, and no number or address."""
    line = await line_of(tx, me, pupil)
    own = await tx.row("select address_withheld from pupil where school = $1 and id = $2", me.school, pupil)
    contacts = await tx.rows(
        "select id, name, relationship, note, do_not_contact, address_withheld from contact"
        " where school = $1 and pupil = $2 and not gone order by position, name",
        me.school, pupil,
    )  # fmt: skip
    standing = [Standing(f"{THEIR_OWN}.address_withheld", line.name, "", FLAGS["address_withheld"], "")] if own and own[0] else []
    return line, standing + [
        Standing(f"{row['id']}.{flag}", row["name"], row["relationship"], words, row["note"] if flag == "do_not_contact" else "")
        for row in contacts
        for flag, words in FLAGS.items()
        if row[flag]
    ]


FAMILY_MOVES = """
    update contact set seq = $3 where school = $1 and pupil in (
        select other.id from pupil other join pupil one on one.school = other.school
        where one.school = $1 and one.id = $2 and (other.id = one.id or (one.family <> '' and other.family = one.family)))"""


async def changed(tx: Tx, me: Me, pupil: str, key: str, stands: bool, why: str) -> None:
    """Draws a number: phones hear of it. An address is one adult's, whichever child they stand beside; not ringing is one child's."""
    id, _, flag = key.rpartition(".")
    if flag not in FLAGS:
        raise NotFound
    seq = (await draw(tx, me.school, [NewStep("people")]))[0].seq
    if id == THEIR_OWN and flag == "address_withheld":
        moved = await tx.rows(
            "update pupil set address_withheld = $3, seq = $4 where school = $1 and id = $2 returning id", me.school, pupil, stands, seq
        )
    elif flag == "address_withheld":
        moved = await tx.rows(
            "update contact set address_withheld = $4, seq = $5 where school = $1 and not gone"
            " and person = (select c.person from contact c where c.school = $1 and c.id = $2 and c.pupil = $3) returning id",
            me.school, id, pupil, stands, seq,
        )  # fmt: skip
    else:
        moved = await tx.rows(
            "update contact set do_not_contact = $4, seq = $5 where school = $1 and id = $2 and pupil = $3 and not gone returning id",
            me.school, id, pupil, stands, seq,
        )  # fmt: skip
        await tx.run(FAMILY_MOVES, me.school, pupil, seq)  # their number may stand under another name, and is told again
    if not moved:
        raise NotFound
    await looked(tx, me, f"{'raise' if stands else 'lift'} {flag.replace('_', ' ')}", pupil=pupil, detail={"contact": id, "reason": why})


routes = [warnings, lift]
