"""Coming in and going out: the one path for phone and desk."""

import msgspec

from server.access import audit, grants, passwords, sessions, throttle
from server.refusals import PhoneRevoked, TooMany, WrongPair
from server.store.database import Tx, reading, writing
from server.store.engines import Row
from server.store.ids import desk_of, new_id
from server.store.me import Me
from server.store.moments import now

LONGEST_USERNAME = 200
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


async def sign_in(username: str, password: str, *, handset: Handset | None, device: str | None, old_token: str | None) -> Welcome:
    """Raises WrongPair for whatever is wrong with the pair, after the same work; TooMany while its lane rests; PhoneRevoked.

    `device`: the cookie of an earlier good sign-in. `old_token`: whoever was signed in here is so no longer.
    """
    username = as_kept(username)
    taken = await writing(throttle.take_a_try, username, device, now())
    row = await reading(lambda tx: tx.row(f"{STAFF} staff.username = $1 and staff.left_at is null", username))
    if not await passwords.matches(password, row["password"] if row else None) or row is None:
        raise TooMany(taken.rest_s) if taken.rest_s else WrongPair
    return await writing(_welcome, row, username, taken.lane, device or throttle.new_device(), handset, old_token)


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


async def _welcome(tx: Tx, row: Row, username: str, lane: str, device: str, handset: Handset | None, old_token: str | None) -> Welcome:
    await throttle.forgive(tx, username, lane, device, now())
    return await let_in(tx, row, device, handset, old_token)


async def let_in(tx: Tx, row: Row, device: str, handset: Handset | None, old_token: str | None, how: str = "sign in") -> Welcome:
    """Whoever has shown who they are: by their password, or by a code from the desk."""
    await throttle.sweep(tx, now())
    await sessions.sweep(tx)
    if old_token is not None:
        await sessions.end(tx, old_token)
    years = tuple(msgspec.json.decode(row["years"], type=list[str]))
    phone = await _desk_of(tx, row) if handset is None else await _phone_of(tx, row, handset)
    me = Me(staff=row["id"], school=row["school"], role=row["role"], years=years, rights=row["rights"], phone=phone)
    token = await sessions.begin(tx, me, is_desk=handset is None)
    told = await audit.new_password(tx, me)
    await audit.looked(tx, me, how)
    return Welcome(me, row["name"], token, device, None if handset is None else await grants.grant(tx, me), told)


async def _leave(tx: Tx, me: Me, token: str) -> None:
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
    await throttle.forget(tx, username)
    me = Me(staff=row["id"], school=row["school"], role=row["role"])
    await audit.looked(tx, me, "set password", detail={"staff": me.staff, "by": "whoever runs the server"})
    return True
