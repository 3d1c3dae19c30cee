"""Who is signed in: opaque tokens of our own, kept only as their SHA-256, looked up at every request and ended at once.

A token is made here at every sign-in and never taken from a request, so nobody can fix a session beforehand.
"""

import hashlib
import secrets
from typing import Literal

import msgspec

from server.access.due import due_in
from server.refusals import SignInAgain
from server.store import database
from server.store.database import Tx, writing
from server.store.me import Me, kept_back_in
from server.store.moments import now

SECOND = 1_000_000
PHONE_IDLE_S, PHONE_AT_MOST_S = 30 * 24 * 3600, 180 * 24 * 3600
DESK_IDLE_S, DESK_AT_MOST_S = 2 * 3600, 12 * 3600
NOTED_EVERY_S = 600  # `used_at` moves this seldom, so that reading does not write

HAS_ONE = """
    (exists (select 1 from passkey where passkey.staff = {staff})
     or exists (select 1 from generator where generator.staff = {staff} and confirmed_at is not null)) as has_one"""
FIND = f"""
    select s.school, s.staff, s.phone, s.used_at, s.signed_in_at, s.ends_at, s.opens, staff.role, staff.years, staff.rights,
           staff.left_at, phone.revoked_at, phone.is_desk, school.settings,
           {HAS_ONE.format(staff="s.staff")}
    from session s join staff on staff.id = s.staff join school on school.id = s.school
    left join phone on phone.school = s.school and phone.id = s.phone
    where s.hash = $1"""
KEEP = """
    insert into session (hash, school, staff, phone, made_at, used_at, signed_in_at, ends_at, opens)
    values ($1, $2, $3, $4, $5, $5, $5, $6, $7)"""


Opens = Literal["all", "phone", "own"]


class Found(msgspec.Struct, frozen=True):
    """Whose session a token names. `off`: they have left, or their phone was switched off, and should forget what it holds.

    `opens`: all; `phone`, not the desk, for somebody showed a code where a second factor is asked for; `own`, nothing but the
    pages on which a second factor is set up, for it is due and there is none.
    """

    me: Me | None = None
    off: bool = False
    signed_in_at: int = 0  # when a password was last given
    opens: Opens = "all"


NOBODY = Found()


async def find(token: str, *, in_use: bool = True) -> Found:
    """`in_use`: somebody asks; not a page that only keeps itself up to date while nobody may be there."""
    kept_as = hash_of(token)
    moment = now()
    row = await database.row(FIND, kept_as)
    if row is None or row["ends_at"] <= moment:
        return NOBODY
    if row["left_at"] is not None or row["revoked_at"] is not None:
        return NOBODY if row["is_desk"] else Found(off=True)
    due = due_in(row["settings"], row["role"])
    overdue = due is not None and due <= moment and not row["has_one"]
    if overdue and not row["is_desk"]:
        return NOBODY  # it sends by its grant, and hears when it signs in what is to be set up at the desk
    if in_use and moment - row["used_at"] > NOTED_EVERY_S * SECOND:
        await writing(_note_use, kept_as, moment, ends_at(row["is_desk"], row["signed_in_at"], moment))
    years = tuple(msgspec.json.decode(row["years"], type=list[str]))
    kept_back = kept_back_in(row["settings"], row["role"])
    me = Me(
        staff=row["staff"],
        school=row["school"],
        role=row["role"],
        years=years,
        rights=row["rights"],
        phone=row["phone"],
        kept_back=kept_back,
        session=kept_as,
    )
    return Found(me, signed_in_at=row["signed_in_at"], opens="own" if overdue else row["opens"])


def opens_the_desk(found: Found) -> bool:
    """A phone stays signed in for months and is lost, or lent; the desk asks once a day, and for the second factor too."""
    return now() - found.signed_in_at < DESK_AT_MOST_S * SECOND and found.opens != "phone"


async def begin(tx: Tx, me: Me, is_desk: bool, opens: Opens = "all") -> str:
    """A new token for me. The only place where one is made."""
    token, moment = secrets.token_urlsafe(32), now()
    await tx.run(KEEP, hash_of(token), me.school, me.staff, me.phone, moment, ends_at(is_desk, moment, moment), opens)
    return token


async def end(tx: Tx, token: str) -> None:
    """Safe to repeat."""
    await tx.run("delete from session where hash = $1", hash_of(token))


async def end_all(tx: Tx, staff: str) -> None:
    """Wherever this person is signed in: their password changed, or they have left."""
    await tx.run("delete from session where staff = $1", staff)


async def before_a_factor(tx: Tx, me: Me, opens: Opens) -> None:
    """Call it as one is kept. Another is added only by whoever has shown the first: raises SignInAgain.

    With the first, those who came in as me with a password alone are shut out of the desk: one of them may not be I.
    """
    row = await tx.row(f"select {HAS_ONE.format(staff='$1')}", me.staff)
    assert row is not None
    if row["has_one"]:
        if opens != "all":
            raise SignInAgain
        return
    await tx.run(
        "delete from session where staff = $1 and hash <> $2"
        " and phone in (select id from phone where phone.school = $3 and phone.staff = $1 and is_desk)",
        me.staff, me.session, me.school,
    )  # fmt: skip
    await tx.run("update session set opens = 'phone' where staff = $1 and hash <> $2 and opens = 'all'", me.staff, me.session)


async def sweep(tx: Tx) -> None:
    await tx.run("delete from session where ends_at <= $1", now())


def ends_at(is_desk: bool, signed_in_at: int, used_at: int) -> int:
    idle, at_most = (DESK_IDLE_S, DESK_AT_MOST_S) if is_desk else (PHONE_IDLE_S, PHONE_AT_MOST_S)
    return min(used_at + idle * SECOND, signed_in_at + at_most * SECOND)


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


async def _note_use(tx: Tx, kept_as: str, moment: int, until: int) -> None:
    await tx.run("update session set used_at = $2, ends_at = $3 where hash = $1", kept_as, moment, until)
