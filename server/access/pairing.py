"""A code shown at the desk, by which somebody's phone signs in without a password: once, within ten minutes.

It is a square for the phone's camera, and eight letters to type where there is none.
"""

import secrets
from urllib.parse import urlsplit

import msgspec
from msgspec.structs import replace

from server.access import factors, throttle
from server.access.audit import looked
from server.access.sessions import Opens
from server.access.sign_in import STAFF, Comer, Welcome, let_in
from server.access.tokens import claims_of, signed
from server.refusals import NotAllowed, NotFound, WrongCode
from server.settings import Settings
from server.store import numbers
from server.store.database import Tx, reading, writing
from server.store.engines import Row
from server.store.ids import new_id
from server.store.me import Me
from server.store.moments import now

PURPOSE = "lanyard:pair"
SECOND = 1_000_000
LASTS_S = 10 * 60
LETTERS, LENGTH = "ABCDEFGHJKMNPQRSTVWXYZ", 8  # 35 bits for ten minutes; none that reads like another letter or a figure
SET_UP_YOURS = "Set up your own second factor first: this person shows one, and a code lets a phone in without it."
LONGEST_TYPED = 20  # characters, with the spaces and hyphens that people put in; a token has hundreds


class Code(msgspec.Struct, frozen=True):
    """A code and what has become of it."""

    id: str
    staff: str
    name: str  # theirs
    ends_at: int
    used_at: int | None
    phone: str  # the name of the one it was used on
    code: str  # to be typed; empty once it is good for nothing

    @property
    def over(self) -> bool:
        return self.used_at is None and self.ends_at <= now()

    @property
    def waits(self) -> bool:
        return self.used_at is None and not self.over


async def new_code(tx: Tx, me: Me, staff: str) -> str:
    """Its id. The codes this person had until now are over."""
    if await tx.row("select 1 from staff where school = $1 and id = $2 and left_at is null", me.school, staff) is None:
        raise NotFound
    id, at = new_id(), now()
    await tx.run(
        "update pairing set ends_at = $3, code = null where school = $1 and staff = $2 and used_at is null and ends_at > $3",
        me.school, staff, at,
    )  # fmt: skip
    await tx.run(
        "insert into pairing (id, school, staff, made_by, made_at, ends_at, code) values ($1, $2, $3, $4, $5, $6, $7)",
        id, me.school, staff, me.staff, at, at + LASTS_S * SECOND, "".join(secrets.choice(LETTERS) for _ in range(LENGTH)),
    )  # fmt: skip
    await looked(tx, me, "make pairing code", detail={"staff": staff, "code": id})
    return id


async def needs_a_factor(tx: Tx, me: Me, staff: str) -> bool:
    """Whether a code for them may be made only by whoever has shown a second factor just now: else it were a way round theirs.

    Raises NotAllowed where I have none to show.
    """
    row = await tx.row("select role from staff where school = $1 and id = $2", me.school, staff)
    if row is None or not await factors.asked_of(tx, me.school, staff, row["role"]):
        return False
    if not await factors.ways_of(tx, me.school, me.staff):
        raise NotAllowed(SET_UP_YOURS)
    return True


async def code_of(tx: Tx, me: Me, staff: str, id: str) -> Code:
    row = await tx.row(
        "select pairing.id, pairing.staff, staff.name, pairing.ends_at, pairing.used_at, coalesce(phone.name, '') as phone,"
        " coalesce(pairing.code, '') as code"
        " from pairing join staff on staff.school = pairing.school and staff.id = pairing.staff"
        " left join phone on phone.school = pairing.school and phone.id = pairing.phone"
        " where pairing.school = $1 and pairing.staff = $2 and pairing.id = $3",
        me.school, staff, id,
    )  # fmt: skip
    if row is None:
        raise NotFound
    return Code(*row)


async def address(tx: Tx, me: Me, code: Code, settings: Settings, host: str) -> str:
    """What the square says. The token comes after a #, so no browser sends it to any server by itself. Wants a writing transaction."""
    token = await signed(tx, PURPOSE, me.school, code.staff, ends_at_s=code.ends_at // SECOND, id=code.id)
    return f"{page_of(settings, host)}#{token}"


def page_of(settings: Settings, host: str) -> str:
    """The phone's page on which a code is used, as whoever sits at this desk reaches the school."""
    ours = [origin for origin in settings.origins if urlsplit(origin).netloc == host] or settings.origins
    return f"{ours[0]}/pair"


async def sign_in_by_code(said: str, comer: Comer) -> Welcome:
    """`said`: what the square says, or the letters.

    Raises WrongCode for whatever is wrong with it: forged, over, used, or its person has left. TooMany where too many letters that
    are no code, and begin as these do, were tried lately, by anybody: guessing is hopeless, and the square still works.
    """
    if len(said) <= LONGEST_TYPED:
        row = await _typed(said)
        found = (row["id"], row["school"], row["staff"])
    elif claims := await claims_of(said, PURPOSE):
        found = (claims["jti"], claims["iss"], claims["sub"])
    else:
        raise WrongCode
    return await writing(_pair, *found, replace(comer, device=comer.device or throttle.new_device()))


async def _typed(said: str) -> Row:
    typed = "".join(said.split()).replace("-", "").upper()
    if len(typed) != LENGTH or not set(typed) <= set(LETTERS):
        raise WrongCode
    await writing(throttle.take_a_code, typed, now())
    row = await reading(lambda tx: tx.row("select id, school, staff from pairing where code = $1 and ends_at > $2", typed, now()))
    if row is None:
        raise WrongCode
    await writing(throttle.forgive_code, typed)
    return row


async def _pair(tx: Tx, id: str, school: str, staff: str, comer: Comer) -> Welcome:
    await numbers.draw(tx, school, [numbers.NewStep("people")])  # the desk that shows the code hears of it
    used = await tx.row(
        "update pairing set used_at = $4, code = null where id = $1 and school = $2 and staff = $3 and used_at is null and ends_at > $4"
        " returning id",
        id, school, staff, now(),
    )  # fmt: skip
    row = await tx.row(f"{STAFF} staff.id = $1 and staff.school = $2 and staff.left_at is null", staff, school)
    if used is None or row is None:
        raise WrongCode  # and nothing was used up
    assert comer.device is not None
    await throttle.know(tx, row["username"], comer.device, now())
    welcome = await let_in(tx, row, comer, "sign in by code", await opened_by_code(tx, row))
    await tx.run("update pairing set phone = $2 where id = $1", id, welcome.me.phone)
    return welcome


async def opened_by_code(tx: Tx, row: Row) -> Opens:
    """Whoever made the code is not its person: where a second factor is asked for, it opens no desk."""
    return "phone" if await factors.asked_of(tx, row["school"], row["id"], row["role"]) else "all"
