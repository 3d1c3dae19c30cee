"""Coming in and going out, on a phone."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, delete, post
from litestar.params import JSONBody
from msgspec import UNSET, UnsetType

from server.access.cookies import cookies_of, device_cookie, signed_out
from server.access.keys import point
from server.access.pairing import sign_in_by_code
from server.access.sign_in import Comer, Handset, Welcome, sign_in, sign_in_second, sign_out
from server.api.school import SchoolCard, school_card
from server.intake.keys import list_key
from server.push.subscriptions import SIGNED_OUT, retire
from server.refusals import Unreadable
from server.settings import Settings
from server.store.database import writing
from server.store.me import Me

PhoneId = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z-]{1,100}(?!\n)$")]

Point = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z_-]{87}(?!\n)$")]  # 65 bytes: an uncompressed point of P-256


class PhoneCard(msgspec.Struct):
    id: PhoneId
    name: Annotated[str, msgspec.Meta(max_length=100, pattern=r"^[^\x00]*$")] = ""
    public: Point | None = None  # its own signing key


class SignIn(msgspec.Struct):
    """By username and password; by a code from the desk; or under a ticket, by a passkey, or the code of a second factor."""

    phone: PhoneCard
    username: str = ""
    password: str = ""
    pairing: str | None = None
    ticket: str | None = None
    code: Annotated[str, msgspec.Meta(max_length=40)] | None = None
    passkey: dict[str, Any] | None = None


class StaffCard(msgspec.Struct):
    id: str
    name: str
    role: str


class SchoolKeys(msgspec.Struct):
    public: str


class SignedIn(msgspec.Struct):
    """`phone`: the id this person's edits are numbered under here; not the one sent, where that is somebody else's already.

    `grant`: may send what this person wrote, reads nothing, and outlives the session. `keys`: what the list of the school's
    intake keys is signed with; the phone remembers it from now on.
    """

    staff: StaffCard
    school: SchoolCard
    phone: str
    grant: str
    keys: SchoolKeys
    told: str | UnsetType = UNSET  # what they should know, where there is something


@post("/api/session", status_code=200)
async def begin_session(data: JSONBody[SignIn], request: Request[Any, Any, Any]) -> Response[SignedIn]:
    settings: Settings = request.app.state.settings
    welcome = await welcome_for(data, settings, request.cookies.get(device_cookie(settings)), request.state.token)
    me = welcome.me
    assert me.phone is not None
    assert welcome.grant is not None
    keys = SchoolKeys(await list_key(me.school))
    staff = StaffCard(me.staff, welcome.name, me.role)
    answer = SignedIn(staff, await school_card(me.school), me.phone, welcome.grant, keys, welcome.told or UNSET)
    return Response(answer, cookies=cookies_of(welcome, settings, on_phone=True))


async def welcome_for(data: SignIn, settings: Settings, device: str | None, old_token: str | None) -> Welcome:
    if data.phone.public is not None and point(data.phone.public) is None:
        raise Unreadable(where="phone.public")
    comer = Comer(settings, Handset(data.phone.id, data.phone.name, data.phone.public), device, old_token)
    if data.pairing is not None:
        return await sign_in_by_code(data.pairing, comer)
    if data.ticket is not None:
        return await sign_in_second(data.ticket, data.code, data.passkey, comer)
    return await sign_in(data.username, data.password, comer)


@delete("/api/session")
async def end_session(request: Request[Any, Any, Any]) -> Response[None]:
    """Safe to repeat. It never touches an outbox."""
    if request.state.me is not None:
        me: Me = request.state.me
        await writing(retire, me.school, me.phone, SIGNED_OUT)
        await sign_out(me, request.state.token)
    return Response(None, status_code=204, cookies=signed_out(request.app.state.settings))
