"""The school's half of what opens a phone's own store: made when a PIN is chosen, handed out when it is given."""

from typing import Annotated, Any

import msgspec
from litestar import Request, post, put
from litestar.params import JSONBody

from server.access import base64url
from server.access.rights import require_fresh, signed_in
from server.access.shares import AUTH_BYTES, new_share, open_share, rules_of
from server.api.session import PhoneId
from server.refusals import Unreadable
from server.store.database import reading
from server.store.me import Me
from server.store.moments import now, to_wire

HOUR = 3600 * 1_000_000
Auth = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z_-]{42}[048AEIMQUYcgkosw](?!\n)$")]  # 32 bytes
Count = Annotated[int, msgspec.Meta(ge=0, lt=2**31)]


class NewShare(msgspec.Struct):
    """`auth`: made from the PIN on the phone; the PIN itself never leaves it."""

    phone: PhoneId
    auth: Auth


class OpenShare(msgspec.Struct):
    """`offline_failures`: wrong PINs since the last right one, as the phone counts them."""

    phone: PhoneId
    auth: Auth
    offline_failures: Count = 0


class ShareAnswer(msgspec.Struct):
    """`lease_until`: how long the phone may be opened without the school."""

    share: str
    lease_until: str
    now: str


@put("/api/vault", guards=[signed_in])
async def make_share(data: JSONBody[NewShare], request: Request[Any, Any, Any]) -> ShareAnswer:
    me = require_fresh(request)
    return await answer_with(me, await new_share(me, data.phone, raw(data.auth)))


@post("/api/vault", status_code=200, guards=[signed_in])
async def give_share(data: JSONBody[OpenShare], request: Request[Any, Any, Any]) -> ShareAnswer:
    me: Me = request.state.me
    return await answer_with(me, await open_share(me, data.phone, raw(data.auth), data.offline_failures))


async def answer_with(me: Me, share: str) -> ShareAnswer:
    at, rules = now(), await reading(rules_of, me.school)
    return ShareAnswer(share, to_wire(at + rules.lease_hours * HOUR), to_wire(at))


def raw(auth: str) -> bytes:
    said = base64url.read(auth)
    if said is None or len(said) != AUTH_BYTES:
        raise Unreadable(where="auth")
    return said
