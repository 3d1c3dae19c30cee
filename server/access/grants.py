"""A phone's standing permission to send what one person wrote on it, and nothing else.

It outlives signing out and somebody else signing in on the same phone, so that an outbox is never stranded. It reads
nothing. It ends when the phone is switched off or the person leaves.
"""

import jwt

from server.access.keys import public_key, signing_key
from server.refusals import PhoneRevoked, SignIn
from server.store.database import Tx, reading
from server.store.ids import new_id
from server.store.me import Me
from server.store.moments import now

PURPOSE = "lanyard:send"
LASTS_S = 400 * 24 * 3600
LEEWAY_S = 60
WHO = """
    select staff.role, staff.years, staff.rights, staff.left_at, phone.revoked_at
    from staff join phone on phone.school = staff.school and phone.staff = staff.id
    where staff.id = $1 and staff.school = $2 and phone.id = $3"""


async def grant(tx: Tx, me: Me) -> str:
    kid, private = await signing_key(tx, PURPOSE)
    issued = now() // 1_000_000
    claims = {
        "aud": PURPOSE,
        "iss": me.school,
        "sub": me.staff,
        "phone": me.phone,
        "jti": new_id(),
        "iat": issued,
        "exp": issued + LASTS_S,
    }
    return jwt.encode(claims, private, algorithm="ES256", headers={"kid": kid})


async def sender(token: str) -> Me:
    """Who may send with this grant. Raises SignIn where it is none of ours, PhoneRevoked where it has been withdrawn."""
    try:
        kid = jwt.get_unverified_header(token).get("kid")
        key = await reading(public_key, PURPOSE, kid) if isinstance(kid, str) and kid.isprintable() else None
        if key is None:
            raise SignIn
        required = ["aud", "iss", "sub", "jti", "iat", "exp", "phone"]
        claims = jwt.decode(token, key, algorithms=["ES256"], audience=PURPOSE, leeway=LEEWAY_S, options={"require": required})
    except (jwt.PyJWTError, ValueError) as bad:
        raise SignIn from bad
    row = await reading(lambda tx: tx.row(WHO, claims["sub"], claims["iss"], claims["phone"]))
    if row is None:
        raise SignIn  # a backup was put back that knows nothing of this phone: nobody has switched it off
    if row["left_at"] is not None or row["revoked_at"] is not None:
        raise PhoneRevoked
    return Me(staff=claims["sub"], school=claims["iss"], role=row["role"], rights=row["rights"], phone=claims["phone"])
