"""Signed tokens that stand alone for a while: ES256 and nothing else, one purpose each, under a key of ours that is still in use."""

from typing import Any

import jwt

from server.access.keys import public_key, signing_key
from server.store.database import Tx, reading
from server.store.ids import new_id
from server.store.moments import now

LEEWAY_S = 60
ALWAYS = ("aud", "iss", "sub", "jti", "iat", "exp")


async def signed(tx: Tx, purpose: str, school: str, staff: str, *, ends_at_s: int, id: str | None = None, **more: str) -> str:
    kid, private = await signing_key(tx, purpose)
    claims = {"aud": purpose, "iss": school, "sub": staff, "jti": id or new_id(), "iat": now() // 1_000_000, "exp": ends_at_s} | more
    return jwt.encode(claims, private, algorithm="ES256", headers={"kid": kid})


async def claims_of(token: str, purpose: str, *more: str) -> dict[str, Any] | None:
    """None where it is none of ours, not for this, or over. `more`: which further claims it must carry."""
    try:
        kid = jwt.get_unverified_header(token).get("kid")
        key = await reading(public_key, purpose, kid) if isinstance(kid, str) and kid.isprintable() else None
        if key is None:
            return None
        # When it ends is told by the school's clock, below.
        options: Any = {"require": [*ALWAYS, *more], "verify_exp": False, "verify_iat": False}
        claims = jwt.decode(token, key, algorithms=["ES256"], audience=purpose, leeway=LEEWAY_S, options=options)
    except (jwt.PyJWTError, ValueError):
        return None
    texts = all(isinstance(claims[name], str) for name in ("iss", "sub", "jti", *more))
    return claims if texts and in_time(claims["iat"], claims["exp"]) else None


def in_time(issued: Any, ends: Any) -> bool:
    if type(issued) is not int or type(ends) is not int:
        return False
    return issued - LEEWAY_S <= now() // 1_000_000 < ends + LEEWAY_S
