"""What a phone that is signed in says of itself: its own signing key, if it did not have one when it signed in."""

from typing import Any

import msgspec
from litestar import Request, put
from litestar.params import JSONBody

from server.access.phone_keys import tell_key
from server.access.rights import signed_in
from server.api.session import PhoneId, Point


class PhoneKey(msgspec.Struct):
    phone: PhoneId
    public: Point


@put("/api/phone", status_code=204, guards=[signed_in])
async def tell_phone_key(data: JSONBody[PhoneKey], request: Request[Any, Any, Any]) -> None:
    await tell_key(request.state.me, data.phone, data.public)
