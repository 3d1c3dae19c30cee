"""Passkeys: what a browser is to be asked for, keeping a new one, and one's own."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import JSONBody

from server.access import passkeys
from server.access.asking_again import be_sure
from server.access.rights import signed_in
from server.store.database import reading, writing
from server.store.moments import to_wire

Name = Annotated[str, msgspec.Meta(max_length=200, pattern=r"^[^\x00]*$")]


class Asked(msgspec.Struct, rename={"public_key": "publicKey"}):
    """What the browser is to be asked, and under which ticket its answer comes back."""

    ticket: str
    public_key: Any


class Passkey(msgspec.Struct):
    id: str
    name: str
    made_at: str
    used_at: str | None


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    pass


class Password(msgspec.Struct):
    password: str


class NewPasskey(msgspec.Struct):
    ticket: str
    passkey: dict[str, Any]
    name: Name = ""


class OldPasskey(msgspec.Struct):
    password: str
    id: Annotated[str, msgspec.Meta(pattern=r"^[^\x00]*$")]


@post("/api/passkeys/sign-in", status_code=200)
async def ask_for_one(data: JSONBody[Nothing], request: Request[Any, Any, Any]) -> Asked:
    """For anybody who wants to sign in: it says nothing of who has a passkey."""
    return Asked(*await passkeys.ask_anybody(request.app.state.settings))


@get("/api/passkeys", guards=[signed_in])
async def list_own(request: Request[Any, Any, Any]) -> list[Passkey]:
    return [card(one) for one in await reading(passkeys.passkeys_of, request.state.me)]


@post("/api/passkeys/new", status_code=200, guards=[signed_in])
async def ask_for_new(data: JSONBody[Password], request: Request[Any, Any, Any]) -> Asked:
    await be_sure(request, data.password)
    return Asked(*await writing(passkeys.begin_new, request.state.me, request.app.state.settings))


@post("/api/passkeys", status_code=201, guards=[signed_in])
async def keep_new(data: JSONBody[NewPasskey], request: Request[Any, Any, Any]) -> Passkey:
    """The ticket says that the password was given."""
    me, opens = request.state.me, request.state.opens
    return card(await passkeys.keep_new(me, opens, data.ticket, data.name, data.passkey, request.app.state.settings))


@post("/api/passkeys/remove", status_code=204, guards=[signed_in])
async def remove_own(data: JSONBody[OldPasskey], request: Request[Any, Any, Any]) -> Response[None]:
    """Safe to repeat."""
    await be_sure(request, data.password)
    await writing(passkeys.remove, request.state.me, data.id)
    return Response(None, status_code=204)


def card(one: passkeys.Passkey) -> Passkey:
    return Passkey(one.id, one.name, to_wire(one.made_at), None if one.used_at is None else to_wire(one.used_at))
