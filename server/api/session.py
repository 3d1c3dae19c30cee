"""Coming in and going out, on a phone."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, delete, post
from litestar.params import JSONBody
from msgspec import UNSET, UnsetType

from server.access.cookies import cookies_of, device_cookie, signed_out
from server.access.sign_in import Handset, sign_in, sign_out
from server.api.school import SchoolCard, school_card
from server.settings import Settings

PhoneId = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z-]{1,100}(?!\n)$")]


class PhoneCard(msgspec.Struct):
    id: PhoneId
    name: Annotated[str, msgspec.Meta(max_length=100, pattern=r"^[^\x00]*$")] = ""


class SignIn(msgspec.Struct):
    username: str
    password: str
    phone: PhoneCard


class StaffCard(msgspec.Struct):
    id: str
    name: str
    role: str


class SignedIn(msgspec.Struct):
    """`phone`: the id this person's edits are numbered under here; not the one sent, where that is somebody else's already.

    `grant`: may send what this person wrote, reads nothing, and outlives the session.
    """

    staff: StaffCard
    school: SchoolCard
    phone: str
    grant: str
    told: str | UnsetType = UNSET  # what they should know, where there is something


@post("/api/session", status_code=200)
async def begin_session(data: JSONBody[SignIn], request: Request[Any, Any, Any]) -> Response[SignedIn]:
    settings: Settings = request.app.state.settings
    welcome = await sign_in(
        data.username,
        data.password,
        handset=Handset(data.phone.id, data.phone.name),
        device=request.cookies.get(device_cookie(settings)),
        old_token=request.state.token,
    )
    me = welcome.me
    assert me.phone is not None
    assert welcome.grant is not None
    answer = SignedIn(
        StaffCard(me.staff, welcome.name, me.role), await school_card(me.school), me.phone, welcome.grant, welcome.told or UNSET
    )
    return Response(answer, cookies=cookies_of(welcome, settings, on_phone=True))


@delete("/api/session")
async def end_session(request: Request[Any, Any, Any]) -> Response[None]:
    """Safe to repeat. It never touches an outbox."""
    if request.state.me is not None:
        await sign_out(request.state.me, request.state.token)
    return Response(None, status_code=204, cookies=signed_out(request.app.state.settings))
