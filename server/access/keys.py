"""Our own key pairs: made when first wanted, kept in the database, closed by a passphrase where there is one; never removed."""

import hashlib
import secrets
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, EllipticCurvePublicKey, generate_private_key
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from server.access import base64url
from server.settings import Settings
from server.store.database import Tx
from server.store.ids import new_id
from server.store.moments import now

IN_THE_CLEAR = "-----BEGIN PRIVATE KEY-----"
CLOSED_TEXT = "aesgcm:"
NONCE_BYTES = 12
REMEMBERED = 500  # keys that were read in this process: reading one costs as much as using it

_passphrase: bytes | None = None


class Locked(Exception):
    """A private half that the passphrase in use does not open."""


def unlock(settings: Settings) -> None:
    """What private halves are closed with from now on in this process, and opened."""
    global _passphrase
    said = settings.keys_passphrase
    if settings.keys_passphrase_file is not None:
        said = settings.keys_passphrase_file.read_text().strip()
    _passphrase = said.encode() if said else None


async def signing_key(tx: Tx, purpose: str, school: str | None = None) -> tuple[str, EllipticCurvePrivateKey]:
    """The id and the private half of the key in use for this purpose; of one school, or for all. Wants a writing transaction."""
    row = await tx.row(
        "select id, private from key where purpose = $1 and coalesce(school, '') = $2 and retired_at is null"
        " order by made_at desc, id desc limit 1",
        purpose,
        school or "",
    )
    return (row["id"], opened(row["private"])) if row else await new_key(tx, purpose, school)


async def public_key(tx: Tx, purpose: str, id: str) -> str | None:
    row = await tx.row("select public from key where id = $1 and purpose = $2 and retired_at is null", id, purpose)
    return row["public"] if row else None


async def secret(tx: Tx, purpose: str, id: str) -> bytes | None:
    """As `secret_of`, also of a key that is in use no more. Raises Locked."""
    row = await tx.row("select private from key where id = $1 and purpose = $2", id, purpose)
    return secret_of(opened(row["private"])) if row else None


def secret_of(key: EllipticCurvePrivateKey) -> bytes:
    """For a keyed hash: what is kept closed, and told to nobody."""
    return key.private_numbers().private_value.to_bytes(32)


async def new_key(tx: Tx, purpose: str, school: str | None = None) -> tuple[str, EllipticCurvePrivateKey]:
    key, id = generate_private_key(SECP256R1()), new_id()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    row = await tx.row("select max(made_at) from key where purpose = $1 and coalesce(school, '') = $2", purpose, school or "")
    newest = row[0] if row and row[0] else 0
    made_at = max(now(), newest + 1)  # the newest is the one in use, also where the clock was set back
    await tx.run(
        "insert into key (id, purpose, school, private, public, made_at) values ($1, $2, $3, $4, $5, $6)",
        id, purpose, school, closed(key), public, made_at,
    )  # fmt: skip
    return id, key


def closed(key: EllipticCurvePrivateKey) -> str:
    """As it is kept."""
    how: KeySerializationEncryption = BestAvailableEncryption(_passphrase) if _passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how).decode()


def opened(private: str) -> EllipticCurvePrivateKey:
    """Raises Locked."""
    return _opened(private, None if private.startswith(IN_THE_CLEAR) else _passphrase)


@lru_cache(REMEMBERED)
def _opened(private: str, passphrase: bytes | None) -> EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(private.encode(), passphrase)
    except (ValueError, TypeError) as error:
        raise Locked from error
    assert isinstance(key, EllipticCurvePrivateKey)
    return key


def raw(key: EllipticCurvePublicKey) -> str:
    """The uncompressed point, as it travels."""
    return base64url.write(key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


@lru_cache(REMEMBERED)
def point(text: str) -> EllipticCurvePublicKey | None:
    """None where this is no point of the curve, written as `raw` writes it."""
    try:
        return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), base64url.read(text) or b"")
    except ValueError:
        return None


# ── Somebody’s secret, closed by the same passphrase ───────────────────────────────────────


def closed_text(text: str, staff: str) -> str:
    """As it is kept; it opens for nobody else."""
    if _passphrase is None:
        return text
    nonce = secrets.token_bytes(NONCE_BYTES)
    return CLOSED_TEXT + base64url.write(nonce + AESGCM(_key_of(_passphrase)).encrypt(nonce, text.encode(), staff.encode()))


def opened_text(kept: str, staff: str) -> str:
    """Raises Locked."""
    if not kept.startswith(CLOSED_TEXT):
        return kept
    if _passphrase is None:
        raise Locked
    lay = base64url.read(kept.removeprefix(CLOSED_TEXT)) or b""
    try:
        return AESGCM(_key_of(_passphrase)).decrypt(lay[:NONCE_BYTES], lay[NONCE_BYTES:], staff.encode()).decode()
    except (InvalidTag, ValueError) as error:
        raise Locked from error


@lru_cache
def _key_of(passphrase: bytes) -> bytes:
    return hashlib.scrypt(passphrase, salt=b"lanyard", n=2**14, r=8, p=1, dklen=32)


# ── Looking after them ─────────────────────────────────────────────────────────────────────


async def close_all(tx: Tx) -> int:
    """Closes what still lies in the clear, where there is a passphrase; how many that was."""
    if _passphrase is None:
        return 0
    rows = await tx.rows("select id, private from key where private like $1", IN_THE_CLEAR + "%")
    await tx.run_many("update key set private = $2 where id = $1", [(row["id"], closed(opened(row["private"]))) for row in rows])
    texts = await tx.rows("select staff, secret from generator where secret not like $1", CLOSED_TEXT + "%")
    closed_now = [(row["staff"], closed_text(row["secret"], row["staff"])) for row in texts]
    await tx.run_many("update generator set secret = $2 where staff = $1", closed_now)
    return len(rows) + len(texts)


async def problems(tx: Tx) -> tuple[int, int]:
    """How many private halves, and secrets of authenticator apps, lie in the clear, and how many the passphrase does not open."""
    rows, texts = await tx.rows("select private from key"), await tx.rows("select staff, secret from generator")
    clear = sum(row["private"].startswith(IN_THE_CLEAR) for row in rows) + sum(not row["secret"].startswith(CLOSED_TEXT) for row in texts)
    return clear, sum(not opens(row["private"]) for row in rows) + sum(not opens(row["secret"], row["staff"]) for row in texts)


def opens(kept: str, staff: str | None = None) -> bool:
    """A private half; or a secret of this person's."""
    try:
        opened(kept) if staff is None else opened_text(kept, staff)
    except Locked:
        return False
    return True
