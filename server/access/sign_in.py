"""Coming in and going out: the one path for phone and desk."""

from typing import Any

import msgspec
from msgspec.structs import replace

from server.access import audit, emergency, factors, grants, passkeys, passwords, sessions, throttle
from server.access.sessions import Opens
from server.access.tickets import Ticket, new_ticket, read_ticket, use
from server.refusals import PhoneRevoked, Refusal, SecondFactor, SetUpFactor, TooMany, WrongFactor, WrongPair
from server.settings import Settings
from server.store.database import Tx, reading, writing
from server.store.engines import Row
from server.store.ids import desk_of, new_id
from server.store.me import Me
from server.store.moments import now, to_wire

LONGEST_USERNAME = 200
USED = "That did not work: this recovery code was used before, and each works once. Type another."
NUL = "\0"  # no database keeps it
STAFF = """
    select staff.id, staff.school, staff.username, staff.name, staff.role, staff.years, staff.rights, staff.password
    from staff where"""


class Handset(msgspec.Struct, frozen=True):
    """The installed app that asks. A desk has none: one is kept for each person."""

    id: str
    name: str = ""
    public: str | None = None  # its own signing key


class Welcome(msgspec.Struct, frozen=True):
    """`token` and `device` are for cookies, `grant` for the phone's own store."""

    me: Me
    name: str
    token: str
    device: str
    grant: str | None
    told: str | None = None  # what they should know: that somebody gave them a new password since they were here last


class Comer(msgspec.Struct, frozen=True):
    """From where somebody comes in.

    `device`: the cookie of an earlier good sign-in. `old_token`: whoever was signed in here is so no longer.
    """

    settings: Settings
    handset: Handset | None = None
    device: str | None = None
    old_token: str | None = None


async def sign_in(username: str, password: str, comer: Comer) -> Welcome:
    """Raises WrongPair for whatever is wrong with the pair, after the same work; TooMany while its lane rests; PhoneRevoked.

    SecondFactor where the pair is right and there is more to show; SetUpFactor where there should be, and it is a phone.
    """
    username = as_kept(username)
    taken = await writing(throttle.take_a_try, username, comer.device, now())
    row = await reading(lambda tx: tx.row(f"{STAFF} staff.username = $1 and staff.left_at is null", username))
    if not await passwords.matches(password, row["password"] if row else None) or row is None:
        raise TooMany(taken.rest_s) if taken.rest_s else WrongPair
    return _or_raised(await writing(_after_password, row, taken.lane, comer))


async def sign_in_second(ticket: str, code: str | None, passkey: Any, comer: Comer) -> Welcome:
    """The rest, under the ticket that came with SecondFactor; or, under one that was nobody's, a passkey alone.

    Raises WrongFactor for whatever is wrong with it; TooMany while the person's lane rests: their password is no way round it.
    """
    if code is None and (anybody := await read_ticket(ticket, passkeys.SIGN_IN)):
        held = await reading(lambda tx: tx.row(HOLDER, passkeys.id_in(passkey)))
        return await _shown(held, anybody, None, passkey, comer)
    found = await read_ticket(ticket, factors.PURPOSE)
    if found is None:
        raise WrongFactor
    row = await reading(lambda tx: tx.row(f"{STAFF} staff.id = $1 and staff.left_at is null", found.staff))
    if row is None or found.stands_on != _password_now(row):
        raise WrongFactor  # the password it came with is not theirs any more
    return await _shown(row, found, code, passkey, comer)


def _password_now(row: Row) -> str:
    return sessions.hash_of(row["password"] or "")


HOLDER = STAFF.replace("where", "join passkey on passkey.staff = staff.id where") + " passkey.id = $1 and staff.left_at is null"


async def _shown(row: Row | None, ticket: Ticket, code: str | None, passkey: Any, comer: Comer) -> Welcome:
    username = row["username"] if row else ""
    taken = await writing(throttle.take_a_try, username, comer.device, now())
    right = await writing(_judge, row, ticket, code, passkey, comer.settings)
    if row is None or not right:
        if taken.rest_s:
            raise TooMany(taken.rest_s)
        was_used = row is not None and code is not None and await reading(factors.was_used, str(row["id"]), code)
        raise WrongFactor(USED if was_used else None)
    how = "sign in by passkey" if code is None else "sign in with a code"
    return _or_raised(await writing(_welcome, row, taken.lane, comer, how))


async def _judge(tx: Tx, row: Row | None, ticket: Ticket, code: str | None, passkey: Any, settings: Settings) -> bool:
    if row is None:
        await use(tx, ticket, up=True)
        return False
    right = await factors.shown(tx, row, ticket, code, passkey, settings)
    if not right and ticket.staff:  # somebody knows their password
        await audit.looked(tx, Me(staff=row["id"], school=row["school"], role=row["role"]), "wrong second factor")
    return right


def _or_raised(answer: Welcome | Refusal) -> Welcome:
    """Refusals are answered, not raised, from inside a transaction that is to stand."""
    if isinstance(answer, Refusal):
        raise answer
    return answer


async def confirm(me: Me, password: str, device: str | None) -> None:
    """That it is still they who sit there. Raises WrongPair, TooMany: counted and slowed down like a sign-in."""
    row = await reading(lambda tx: tx.row(f"{STAFF} staff.id = $1 and staff.left_at is null", me.staff))
    username = row["username"] if row else ""
    taken = await writing(throttle.take_a_try, username, device, now())
    if not await passwords.matches(password, row["password"] if row else None):
        raise TooMany(taken.rest_s) if taken.rest_s else WrongPair
    await writing(throttle.forgive, username, taken.lane, device or throttle.new_device(), now())


async def sign_out(me: Me, token: str) -> None:
    await writing(_leave, me, token)


async def _after_password(tx: Tx, row: Row, lane: str, comer: Comer) -> Welcome | Refusal:
    """Where more is asked for, the try stays counted: the right password over and over is no way to go on guessing codes."""
    if ways := await factors.ways_of(tx, row["school"], row["id"]):
        token, ticket = await new_ticket(tx, factors.PURPOSE, row["school"], row["id"], _password_now(row))
        mine = await tx.rows("select id from passkey where school = $1 and staff = $2 order by made_at", row["school"], row["id"])
        return SecondFactor(token, ways, passkeys.asked(ticket, [one["id"] for one in mine], comer.settings) if mine else None)
    due = await factors.due_at(tx, row["school"], row["role"])
    if due is None:
        return await _welcome(tx, row, lane, comer)
    if now() < due:
        welcome = await _welcome(tx, row, lane, comer)
        return replace(welcome, told=f"{welcome.told} {soon(due)}" if welcome.told else soon(due))
    return SetUpFactor() if comer.handset else await _welcome(tx, row, lane, comer, opens="own")


def soon(due: int) -> str:
    return f"From {to_wire(due)[:10]} your role needs a second way to show that it is you. Set it up at the desk, under your name."


async def _welcome(tx: Tx, row: Row, lane: str, comer: Comer, how: str = "sign in", opens: Opens = "all") -> Welcome:
    comer = replace(comer, device=comer.device or throttle.new_device())
    assert comer.device is not None
    await throttle.forgive(tx, row["username"], lane, comer.device, now())
    return await let_in(tx, row, comer, how, opens)


async def let_in(tx: Tx, row: Row, comer: Comer, how: str, opens: Opens = "all") -> Welcome:
    """Whoever has shown who they are: by their password, a passkey, or a code from the desk."""
    assert comer.device is not None
    await throttle.sweep(tx, now())
    await sessions.sweep(tx)
    if comer.old_token is not None:
        await sessions.end(tx, comer.old_token)
    handset = comer.handset
    years = tuple(msgspec.json.decode(row["years"], type=list[str]))
    phone = await _desk_of(tx, row) if handset is None else await _phone_of(tx, row, handset)
    if handset is not None:
        handset_kept = "update phone set handset = $3 where school = $1 and id = $2"
        await tx.run(handset_kept, row["school"], phone, throttle.handset_of(comer.device))
    me = Me(staff=row["id"], school=row["school"], role=row["role"], years=years, rights=row["rights"], phone=phone)
    token = await sessions.begin(tx, me, is_desk=handset is None, opens=opens)
    told = await audit.done_in_my_name(tx, me)
    await audit.looked(tx, me, how)
    return Welcome(me, row["name"], token, comer.device, None if handset is None else await grants.grant(tx, me), told)


async def _leave(tx: Tx, me: Me, token: str) -> None:
    await emergency.close_all(tx, me)
    await sessions.end(tx, token)
    await audit.looked(tx, me, "sign out")


async def _phone_of(tx: Tx, row: Row, handset: Handset) -> str:
    """The id this person's edits are numbered under here: the one it says, unless that is somebody else's, or has another key."""
    phone = await tx.row("select staff, is_desk, revoked_at, public from phone where school = $1 and id = $2", row["school"], handset.id)
    if phone is None:
        paired = await _pair(tx, row, handset.id, handset.name, is_desk=False, public=handset.public)
        return paired or await _phone_of(tx, row, handset)  # another first sign-in on it was a moment quicker
    another_key = handset.public is not None and phone["public"] not in (None, handset.public)
    if phone["staff"] == row["id"] and phone["revoked_at"] is not None:
        raise PhoneRevoked
    if phone["staff"] != row["id"] or phone["is_desk"] or another_key:
        id = new_id()
        await _pair(tx, row, id, handset.name, is_desk=False, public=handset.public)
        return id
    await tx.run(
        "update phone set name = $3, seen_at = $4, public = coalesce(public, $5) where school = $1 and id = $2",
        row["school"], handset.id, handset.name, now(), handset.public,
    )  # fmt: skip
    return handset.id


async def _desk_of(tx: Tx, row: Row) -> str:
    desk = desk_of(row["school"], row["id"])
    known = await tx.row("select 1 from phone where school = $1 and id = $2", row["school"], desk)
    if not known:
        await _pair(tx, row, desk, "Desk", is_desk=True)
    return desk


async def _pair(tx: Tx, row: Row, id: str, name: str, *, is_desk: bool, public: str | None = None) -> str | None:
    """None: it is somebody's already."""
    paired = await tx.row(
        "insert into phone (id, school, staff, name, is_desk, paired_at, seen_at, public) values ($1, $2, $3, $4, $5, $6, $6, $7)"
        " on conflict (school, id) do nothing returning id",
        id, row["school"], row["id"], name, is_desk, now(), public,
    )  # fmt: skip
    return id if paired else None


async def set_password(username: str, password: str) -> bool:
    """Whether there is such a person. They are signed out everywhere, and nobody waits for their account any more.

    For whoever runs the server: it is audited as done there, and the person is told when they sign in.
    """
    return await writing(_set_password, as_kept(username), await passwords.hashed(password))


def as_kept(username: str) -> str:
    return username.replace(NUL, "").strip().lower()[:LONGEST_USERNAME]


async def _set_password(tx: Tx, username: str, kept: str) -> bool:
    row = await tx.row("update staff set password = $2 where username = $1 and left_at is null returning id, school, role", username, kept)
    if row is None:
        return False
    await sessions.end_all(tx, row["id"])
    await factors.drop_all(tx, row["school"], row["id"])  # an only administrator who lost the phone it was on has no other way back
    await throttle.forget(tx, username)
    me = Me(staff=row["id"], school=row["school"], role=row["role"])
    await audit.looked(tx, me, "set password", detail={"staff": me.staff, "by": "whoever runs the server"})
    return True
