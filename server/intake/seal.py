"""The seal itself: HPKE to the school's key, and the phone's own signature over what it sealed. Pure."""

import hashlib
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from server.access import base64url
from server.access.keys import point

SUITE = Suite(KEM.P256, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
SIGNATURE_BYTES = 64  # r and s

NOT_OURS = "sealed to a key that the school does not have"
LOCKED = "the school’s key for it cannot be opened: its passphrase is missing, or another"
BROKEN = "its seal is broken, or was made for another person, phone or school"
UNSIGNED = "it does not carry this phone’s own signature"


class Outside(msgspec.Struct, frozen=True):
    """What can be read of a sealed thing; the school and the person are those of the grant, never claimed."""

    school: str
    staff: str
    phone: str
    what: str
    id: str
    number: Any
    made_at: Any
    kid: str
    sealed: bytes
    signature: bytes

    @property
    def info(self) -> bytes:
        return f"lanyard intake 1|{self.school}|{self.staff}|{self.phone}|{self.what}|{self.id}".encode()

    @property
    def signed(self) -> bytes:
        said = f"{self.school}|{self.staff}|{self.phone}|{self.what}|{self.id}|{self.number}|{self.made_at}"
        return f"lanyard signed 1|{said}|{base64url.write(hashlib.sha256(self.sealed).digest())}".encode()


def outside(said: dict[str, Any], school: str, staff: str) -> Outside:
    def text(name: str) -> str:
        return value if type(value := said.get(name)) is str else ""

    return Outside(
        school, staff, text("phone"), text("what"), text("id"), said.get("number"), said.get("made_at"), text("kid"),
        base64url.read(text("sealed")) or b"", base64url.read(text("signature")) or b"",
    )  # fmt: skip


def unseal(blob: Outside, key: EllipticCurvePrivateKey) -> bytes | None:
    """None where the key does not open it."""
    try:
        return SUITE.decrypt(blob.sealed, key, blob.info)
    except (InvalidTag, ValueError):
        return None


def is_signed(blob: Outside, publics: list[str]) -> bool:
    """By one of these keys of the phone's."""
    if len(blob.signature) != SIGNATURE_BYTES:
        return False
    r, s = (int.from_bytes(half) for half in (blob.signature[:32], blob.signature[32:]))
    signature = encode_dss_signature(r, s)
    return any(verifies(public, signature, blob.signed) for public in publics)


def verifies(public: str, signature: bytes, signed: bytes) -> bool:
    key = point(public)
    try:
        if key is not None:
            key.verify(signature, signed, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return key is not None
