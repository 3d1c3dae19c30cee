"""A school's intake keys: phones seal to the newest, and every one of them goes on opening, for a phone may be away for a year."""

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from server.access.keys import Locked, new_key, opened, raw, signing_key
from server.store import numbers
from server.store.database import Tx, reading, writing
from server.store.moments import now

INTAKE = "lanyard:intake"  # what phones seal to
LIST = "lanyard:keys"  # signs the list of them; a phone remembers it from its first sign-in, so it never changes


ALL = "select id, public from key where purpose = $1 and school = $2 order by made_at desc, id desc"


class IntakeKey(msgspec.Struct):
    kid: str
    public: str  # the raw point


async def list_key(school: str) -> str:
    """The public half, by which a phone knows that a list of intake keys is its school's."""
    known = await reading(_list_key, school)
    return await writing(_made_list_key, school) if known is None else known


async def published(school: str) -> str:
    """The signed list of the school's intake keys, newest first."""
    known = await reading(_published, school)
    return await writing(_made_published, school) if known is None else known


async def new_intake_key(tx: Tx, school: str) -> str:
    """Its id. Phones hear of it when they next ask for the school."""
    await numbers.lock(tx, school)
    kid, _ = await new_key(tx, INTAKE, school)
    await _publish(tx, school)
    return kid


async def openers(tx: Tx, school: str, kids: set[str]) -> dict[str, EllipticCurvePrivateKey | None]:
    """The private halves of those that are this school's; None where our passphrase does not open one."""
    rows = await tx.rows("select id, private from key where purpose = $1 and school = $2 and id = any($3)", INTAKE, school, list(kids))
    return {row["id"]: _opened(row["private"]) for row in rows}


# ── Put back from a backup ─────────────────────────────────────────────────────────────────

COLUMNS = "id, purpose, school, private, public, made_at, published"

Lost = tuple[str, ...]  # a row of these


async def all_keys(tx: Tx) -> list[Lost]:
    return [tuple(row) for row in await tx.rows(f"select {COLUMNS} from key where purpose in ($1, $2)", INTAKE, LIST)]


async def put_back(tx: Tx, keys: list[Lost]) -> set[str]:
    """The schools that had lost any of these keys, and have them again. Raises Locked where our passphrase does not open one.

    What a school made since it was restored stays in use: the list is signed anew, by the key that its phones have been told.
    """
    here = {row[0] for row in await tx.rows("select id from school")}
    for school in sorted(here & {key[2] for key in keys}):
        await numbers.lock(tx, school)  # whoever signs in just now makes keys too
    known = {row[0] for row in await tx.rows("select id from key where purpose in ($1, $2)", INTAKE, LIST)}
    signing = {row[0] for row in await tx.rows("select school from key where purpose = $1", LIST)}  # theirs has been told since
    missing = [key for key in keys if key[2] in here and key[0] not in known and not (key[1] == LIST and key[2] in signing)]
    for key in missing:
        opened(key[3])
    await tx.run_many(f"insert into key ({COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7)", missing)
    schools = {key[2] for key in missing}
    for school in sorted(schools):
        await _publish(tx, school)
    return schools


def _opened(private: str) -> EllipticCurvePrivateKey | None:
    try:
        return opened(private)
    except Locked:
        return None


async def _list_key(tx: Tx, school: str) -> str | None:
    row = await tx.row("select public from key where purpose = $1 and school = $2 order by made_at, id limit 1", LIST, school)
    return raw(_read(row["public"])) if row else None


async def _made_list_key(tx: Tx, school: str) -> str:
    await numbers.lock(tx, school)
    _, key = await signing_key(tx, LIST, school)
    return raw(key.public_key())


async def _publish(tx: Tx, school: str) -> None:
    """Signs the list of its keys, the newest first. There is one at least, or no list."""
    keys = [IntakeKey(row["id"], raw(_read(row["public"]))) for row in await tx.rows(ALL, INTAKE, school)]
    if keys:
        _, signer = await signing_key(tx, LIST, school)
        claims = {"iss": school, "aud": INTAKE, "iat": now() // 1_000_000, "keys": msgspec.to_builtins(keys)}
        await tx.run("update key set published = $2 where id = $1", keys[0].kid, jwt.encode(claims, signer, algorithm="ES256"))


async def _published(tx: Tx, school: str) -> str | None:
    row = await tx.row(
        "select published from key where purpose = $1 and school = $2 and published is not null order by made_at desc, id desc limit 1",
        INTAKE,
        school,
    )
    return row["published"] if row else None


async def _made_published(tx: Tx, school: str) -> str:
    await numbers.lock(tx, school)
    if await _published(tx, school) is None:
        await new_intake_key(tx, school)
    said = await _published(tx, school)
    assert said is not None
    return said


def _read(pem: str) -> EllipticCurvePublicKey:
    key = load_pem_public_key(pem.encode())
    assert isinstance(key, EllipticCurvePublicKey)
    return key
