"""Passkeys (WebAuthn): a key that lives in somebody's own device, opened by its lock. One counts as both factors.

The library checks what a browser brings; who may bring it, for which ticket and from which of our addresses, is checked here.
"""

import json
from typing import Any

import msgspec
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestationConveyancePreference,
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialDescriptor,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialType,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from server.access import base64url, sessions
from server.access.audit import looked
from server.access.tickets import Ticket, new_ticket, read_ticket, use
from server.refusals import TooLarge, WrongFactor
from server.settings import Settings
from server.store.database import Tx, reading, writing
from server.store.engines import Row
from server.store.me import Me
from server.store.moments import now

NEW, SIGN_IN = "lanyard:new-passkey", "lanyard:passkey"
AT_MOST = 20  # of one person
NAME_LIMIT = 60  # characters
ALGORITHMS = (-7, -8, -257)  # ES256, EdDSA, RS256
TIMEOUT_MS = 4 * 60 * 1000
REQUIRED = UserVerificationRequirement.REQUIRED

MINE = "select id, name, made_at, used_at from passkey where school = $1 and staff = $2 order by made_at, id"


class Passkey(msgspec.Struct, frozen=True):
    id: str
    name: str
    made_at: int
    used_at: int | None


def relying_party(settings: Settings) -> Fido2Server:
    party = PublicKeyCredentialRpEntity(name="Lanyard", id=settings.passkeys_for)
    server = Fido2Server(party, AttestationConveyancePreference.NONE, verify_origin=lambda origin: origin in settings.origins)
    server.timeout = TIMEOUT_MS  # type: ignore[assignment]
    server.allowed_algorithms = [one for one in server.allowed_algorithms if one.alg in ALGORITHMS]
    return server


async def passkeys_of(tx: Tx, me: Me) -> list[Passkey]:
    return [Passkey(*row) for row in await tx.rows(MINE, me.school, me.staff)]


# ── A new one ──────────────────────────────────────────────────────────────────────────────


async def begin_new(tx: Tx, me: Me, settings: Settings) -> tuple[str, Any]:
    """A ticket, and what the browser is to be asked. Wants a writing transaction."""
    row = await tx.row("select username, name from staff where school = $1 and id = $2", me.school, me.staff)
    assert row is not None
    token, ticket = await new_ticket(tx, NEW, me.school, me.staff)
    options, _ = relying_party(settings).register_begin(
        PublicKeyCredentialUserEntity(name=row["username"], id=me.staff.encode(), display_name=row["name"]),
        [_described(one.id) for one in await passkeys_of(tx, me)],
        ResidentKeyRequirement.REQUIRED,
        REQUIRED,
        challenge=ticket.challenge,
    )
    return token, _plain(options)


async def keep_new(me: Me, opens: sessions.Opens, token: str, name: str, said: Any, settings: Settings) -> Passkey:
    """Raises WrongFactor for whatever is wrong with it; TooLarge where they have enough; SignInAgain."""
    ticket = await read_ticket(token, NEW)
    if ticket is None or (ticket.school, ticket.staff) != (me.school, me.staff):
        raise WrongFactor
    kept = await writing(_keep, me, opens, ticket, " ".join(name.split())[:NAME_LIMIT] or "A passkey", said, settings)
    if kept is None:
        raise WrongFactor
    return kept


async def _keep(tx: Tx, me: Me, opens: sessions.Opens, ticket: Ticket, name: str, said: Any, settings: Settings) -> Passkey | None:
    if not await use(tx, ticket, up=True):
        return None
    found = registered(said, ticket.challenge, settings)
    if found is None:
        return None
    if len(await passkeys_of(tx, me)) >= AT_MOST:
        raise TooLarge(AT_MOST, "passkeys")
    await sessions.before_a_factor(tx, me, opens)
    credential, counter = found
    id, at = base64url.write(credential.credential_id), now()
    row = await tx.row(
        "insert into passkey (id, school, staff, name, public, counter, made_at) values ($1, $2, $3, $4, $5, $6, $7)"
        " on conflict (id) do nothing returning id",
        id, me.school, me.staff, name, base64url.write(bytes(credential)), counter, at,
    )  # fmt: skip
    if row is None:
        return None  # it is somebody's already
    await looked(tx, me, "add passkey", detail={"passkey": id})
    return Passkey(id, name, at, None)


async def remove(tx: Tx, me: Me, id: str) -> bool:
    """Whether I had such a one."""
    row = await tx.row("delete from passkey where school = $1 and staff = $2 and id = $3 returning id", me.school, me.staff, id)
    if row is not None:
        await looked(tx, me, "remove passkey", detail={"passkey": id})
    return row is not None


# ── Shown ──────────────────────────────────────────────────────────────────────────────────


async def ask_anybody(settings: Settings) -> tuple[str, Any]:
    """A ticket, and what the browser is to be asked: which passkey it will be, it asks them. Strangers take no writer from anybody."""
    has_key = await reading(lambda tx: tx.row("select 1 from key where purpose = $1 and retired_at is null", SIGN_IN))
    return await (reading if has_key else writing)(_begin_sign_in, settings)


async def _begin_sign_in(tx: Tx, settings: Settings) -> tuple[str, Any]:
    token, ticket = await new_ticket(tx, SIGN_IN)
    return token, asked(ticket, None, settings)


def asked(ticket: Ticket, ids: list[str] | None, settings: Settings) -> Any:
    among = None if ids is None else [_described(id) for id in ids]
    return _plain(relying_party(settings).authenticate_begin(among, REQUIRED, ticket.challenge)[0])


def id_in(said: Any) -> str:
    """Which passkey is shown, as far as it says; proves nothing."""
    id = said.get("rawId") if isinstance(said, dict) else None
    return id if isinstance(id, str) and id.isascii() and id.isprintable() else ""


async def shown(tx: Tx, row: Row | None, said: Any, ticket: Ticket, settings: Settings) -> bool:
    """Whether this passkey, a row of its table, was shown for this ticket; then it is noted as used."""
    counter = None if row is None else proved(row, said, ticket.challenge, settings)
    if row is None or counter is None:
        return False
    await tx.run("update passkey set used_at = $2, counter = $3 where id = $1", row["id"], now(), counter)
    return True


# ── What the library says: pure, from here down ────────────────────────────────────────────


def registered(said: Any, challenge: bytes, settings: Settings) -> tuple[AttestedCredentialData, int] | None:
    state = {"challenge": base64url.write(challenge), "user_verification": REQUIRED}
    try:
        found = relying_party(settings).register_complete(state, RegistrationResponse.from_dict(said))
        if found.credential_data is None or found.credential_data.public_key.get(3) not in ALGORITHMS:
            return None
        return found.credential_data, found.counter
    except Exception:  # a stranger's CBOR and JSON: it fails in as many ways as there are bytes
        return None


def proved(row: Row, said: Any, challenge: bytes, settings: Settings) -> int | None:
    """How often the passkey says that it was used; None where it was not shown. A count that does not rise is a copy's."""
    state = {"challenge": base64url.write(challenge), "user_verification": REQUIRED}
    try:
        response = AuthenticationResponse.from_dict(said)
        handle = response.response.user_handle
        kept = AttestedCredentialData(base64url.read(row["public"]) or b"")
        relying_party(settings).authenticate_complete(state, [kept], response)
        counter = response.response.authenticator_data.counter
    except Exception:  # likewise
        return None
    if handle is not None and handle != row["staff"].encode():
        return None
    return counter if counter > row["counter"] or counter == row["counter"] == 0 else None


def _described(id: str) -> PublicKeyCredentialDescriptor:
    return PublicKeyCredentialDescriptor(type=PublicKeyCredentialType.PUBLIC_KEY, id=base64url.read(id) or b"")


def _plain(options: Any) -> Any:
    """As JSON has it."""
    return json.loads(json.dumps(dict(options)["publicKey"], default=dict))
