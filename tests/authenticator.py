"""A passkey in software: answers what a browser is asked with what a device would bring, and lies where it is told to."""

import hashlib
import json
import secrets
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from fido2 import cbor
from fido2.cose import ES256

from server.access import base64url
from tests.visitor import HERE

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


class Authenticator:
    def __init__(self, origin: str = HERE, flags: int = PRESENT | VERIFIED) -> None:
        self.origin, self.flags, self.counter = origin, flags, 0
        self.key, self.id, self.user = generate_private_key(SECP256R1()), secrets.token_bytes(16), ""

    def create(self, asked: dict[str, Any], **lies: Any) -> dict[str, Any]:
        self.user = asked["user"]["id"]
        public = cbor.encode(ES256.from_cryptography_key(self.key.public_key()))
        attested = bytes(16) + len(self.id).to_bytes(2) + self.id + public
        told = self.told("webauthn.create", asked["challenge"], lies)
        data = self.data(lies.get("rp", asked["rp"]["id"]), self.flags | ATTESTED) + attested
        found = cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})
        return self.card({"clientDataJSON": told, "attestationObject": found})

    def get(self, asked: dict[str, Any], **lies: Any) -> dict[str, Any]:
        told = self.told("webauthn.get", asked["challenge"], lies)
        data = self.data(lies.get("rp", asked["rpId"]), self.flags)
        signature = lies.get("key", self.key).sign(data + hashlib.sha256(told).digest(), ECDSA(SHA256()))
        card = self.card({"clientDataJSON": told, "authenticatorData": data, "signature": signature})
        card["response"]["userHandle"] = lies.get("user", self.user)
        return card

    def told(self, what: str, challenge: str, lies: dict[str, Any]) -> bytes:
        says = {"type": lies.get("type", what), "challenge": lies.get("challenge", challenge), "origin": lies.get("origin", self.origin)}
        return json.dumps(says | {"crossOrigin": False}).encode()

    def data(self, rp: str, flags: int) -> bytes:
        return hashlib.sha256(rp.encode()).digest() + bytes([flags]) + self.counter.to_bytes(4)

    def card(self, response: dict[str, bytes]) -> dict[str, Any]:
        id = base64url.write(self.id)
        said = {name: base64url.write(raw) for name, raw in response.items()}
        return {"id": id, "rawId": id, "type": "public-key", "clientExtensionResults": {}, "response": said}
