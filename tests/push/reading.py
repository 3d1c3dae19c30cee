"""What a browser does with a push (RFC 8291, RFC 8188), written from the standards and not from the library that closes it."""

import json
import struct
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from server.access import base64url

HEADER = struct.Struct("!16sIB")


class Browser:
    """The two keys of one subscription."""

    def __init__(self, private: EllipticCurvePrivateKey | None = None, secret: bytes = b"sixteen bytes 16") -> None:
        self.private, self.secret_bytes = private or generate_private_key(SECP256R1()), secret

    @property
    def point(self) -> bytes:
        return self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    @property
    def public(self) -> str:
        return base64url.write(self.point)

    @property
    def secret(self) -> str:
        return base64url.write(self.secret_bytes)

    def open(self, body: bytes) -> bytes:
        """Raises InvalidTag where it was not closed for this subscription."""
        salt, record_size, length = HEADER.unpack_from(body)
        sender, lay = body[HEADER.size : HEADER.size + length], body[HEADER.size + length :]
        assert len(lay) <= record_size, "one record is all that a push may have"
        shared = self.private.exchange(ECDH(), EllipticCurvePublicKey.from_encoded_point(SECP256R1(), sender))
        material = HKDF(SHA256(), 32, self.secret_bytes, b"WebPush: info\0" + self.point + sender).derive(shared)
        key = HKDF(SHA256(), 16, salt, b"Content-Encoding: aes128gcm\0").derive(material)
        nonce = HKDF(SHA256(), 12, salt, b"Content-Encoding: nonce\0").derive(material)
        text, end, padding = AESGCM(key).decrypt(nonce, lay, None).rpartition(b"\x02")
        assert end
        assert not padding.strip(b"\0")
        return text

    def read(self, body: bytes) -> Any:
        return json.loads(self.open(body))
