"""A code shown at the desk, by which somebody's phone signs in without a password: once, within ten minutes."""

from urllib.parse import urlsplit

import msgspec

from server.access import throttle
from server.access.audit import looked
from server.access.sign_in import STAFF, Handset, Welcome, let_in
from server.access.tokens import claims_of, signed
from server.refusals import NotFound, WrongCode
from server.settings import Settings
from server.store import numbers
from server.store.database import Tx, writing
from server.store.ids import new_id
from server.store.me import Me
from server.store.moments import now

PURPOSE = "lanyard:pair"
SECOND = 1_000_000
LASTS_S = 10 * 60


class Code(msgspec.Struct, frozen=True):
    """A code and what has become of it."""

    id: str
    staff: str
    name: str  # theirs
    ends_at: int
    used_at: int | None
    phone: str  # the name of the one it was used on

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
        "update pairing set ends_at = $3 where school = $1 and staff = $2 and used_at is null and ends_at > $3", me.school, staff, at
    )
    await tx.run(
        "insert into pairing (id, school, staff, made_by, made_at, ends_at) values ($1, $2, $3, $4, $5, $6)",
        id, me.school, staff, me.staff, at, at + LASTS_S * SECOND,
    )  # fmt: skip
    await looked(tx, me, "make pairing code", detail={"staff": staff, "code": id})
    return id


async def code_of(tx: Tx, me: Me, staff: str, id: str) -> Code:
    row = await tx.row(
        "select pairing.id, pairing.staff, staff.name, pairing.ends_at, pairing.used_at, coalesce(phone.name, '') as phone"
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
    ours = [origin for origin in settings.origins if urlsplit(origin).netloc == host] or settings.origins
    return f"{ours[0]}/pair#{token}"


async def sign_in_by_code(token: str, *, handset: Handset, device: str | None, old_token: str | None) -> Welcome:
    """Raises WrongCode for whatever is wrong with it: forged, over, used, or its person has left."""
    claims = await claims_of(token, PURPOSE)
    if claims is None:
        raise WrongCode
    return await writing(_pair, claims["jti"], claims["iss"], claims["sub"], handset, device or throttle.new_device(), old_token)


async def _pair(tx: Tx, id: str, school: str, staff: str, handset: Handset, device: str, old_token: str | None) -> Welcome:
    await numbers.draw(tx, school, [numbers.NewStep("people")])  # the desk that shows the code hears of it
    used = await tx.row(
        "update pairing set used_at = $4 where id = $1 and school = $2 and staff = $3 and used_at is null and ends_at > $4 returning id",
        id, school, staff, now(),
    )  # fmt: skip
    row = await tx.row(f"{STAFF} staff.id = $1 and staff.school = $2 and staff.left_at is null", staff, school)
    if used is None or row is None:
        raise WrongCode  # and nothing was used up
    await throttle.know(tx, row["username"], device, now())
    welcome = await let_in(tx, row, device, handset, old_token, "sign in by code")
    await tx.run("update pairing set phone = $2 where id = $1", id, welcome.me.phone)
    return welcome
