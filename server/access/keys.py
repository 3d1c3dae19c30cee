"""The keys grants are signed with: made here when first wanted, kept in the database, retired but never removed."""

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from server.store.database import Tx
from server.store.ids import new_id
from server.store.moments import now


async def signing_key(tx: Tx, purpose: str) -> tuple[str, str]:
    """The id and the private half, as PEM, of the key in use for this purpose. Wants a writing transaction."""
    row = await tx.row("select id, private from key where purpose = $1 and retired_at is null order by made_at desc, id limit 1", purpose)
    return (row["id"], row["private"]) if row else await new_key(tx, purpose)


async def public_key(tx: Tx, purpose: str, id: str) -> str | None:
    row = await tx.row("select public from key where id = $1 and purpose = $2 and retired_at is null", id, purpose)
    return row["public"] if row else None


async def new_key(tx: Tx, purpose: str) -> tuple[str, str]:
    key, id = generate_private_key(SECP256R1()), new_id()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    await tx.run("insert into key (id, purpose, private, public, made_at) values ($1, $2, $3, $4, $5)", id, purpose, private, public, now())
    return id, private
