"""A phone that seals: its own signing key, and another hand's HPKE (pyhpke), so that ours is not only tested against itself."""

import hashlib
import json
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from pyhpke import AEADId, CipherSuite, KDFId, KEMId

from server.access import base64url
from server.access.keys import raw
from tests.letters import SENT_AT, edit
from tests.world import PASSWORD

SUITE = CipherSuite.new(KEMId.DHKEM_P256_HKDF_SHA256, KDFId.HKDF_SHA256, AEADId.AES256_GCM)

Blob = dict[str, Any]

NOTE = "he said he had seen the marmalade cat"


class Sealer:
    def __init__(self, staff: str, phone: str, school: str = "northgate") -> None:
        self.school, self.staff, self.phone = school, staff, phone
        self.own: EllipticCurvePrivateKey = generate_private_key(SECP256R1())
        self.keys: list[dict[str, str]] = []  # the school's, newest first

    @property
    def public(self) -> str:
        return raw(self.own.public_key())

    def learn(self, listed: str, pinned: str) -> None:
        """What GET /api/school says, believed because of the key that sign-in told."""
        from server.access.keys import point

        key = point(pinned)
        assert key is not None
        said = jwt.decode(listed, key, algorithms=["ES256"], audience="lanyard:intake", issuer=self.school, options={"verify_iat": False})
        self.keys = said["keys"]

    def seal(self, inside: Any, what: str = "edit", key: dict[str, str] | None = None, **outside: Any) -> Blob:
        """`inside`: an edit or a draft, or any bytes. `outside`: what it claims to be where that is something else; signed so.

        `key`: one of the school's, where it is not the newest.
        """
        key = key or self.keys[0]
        said = inside if isinstance(inside, dict) else {}
        blob: Blob = {
            "id": said.get("id", "none"), "what": what, "phone": self.phone, "number": said.get("number", 0),
            "made_at": said.get("made_at", SENT_AT), "kid": key["kid"],
        } | outside  # fmt: skip
        public = next((each["public"] for each in self.keys if each["kid"] == blob["kid"]), key["public"])
        to = SUITE.kem.deserialize_public_key(base64url.read(public) or b"")
        info = f"lanyard intake 1|{self.school}|{self.staff}|{blob['phone']}|{blob['what']}|{blob['id']}".encode()
        enc, context = SUITE.create_sender_context(to, info=info)
        plain = inside if isinstance(inside, bytes) else json.dumps(inside, separators=(",", ":")).encode()
        return self.sign(blob | {"sealed": base64url.write(enc + context.seal(plain))})

    def sign(self, blob: Blob) -> Blob:
        digest = base64url.write(hashlib.sha256(base64url.read(blob["sealed"]) or b"").digest())
        said = "|".join(str(blob[key]) for key in ("phone", "what", "id", "number", "made_at"))
        signature = self.own.sign(f"lanyard signed 1|{self.school}|{self.staff}|{said}|{digest}".encode(), ECDSA(SHA256()))
        r, s = decode_dss_signature(signature)
        return blob | {"signature": base64url.write(r.to_bytes(32) + s.to_bytes(32))}


def crate(*blobs: Any, **more: Any) -> dict[str, Any]:
    phone = blobs[0]["phone"] if blobs and isinstance(blobs[0], dict) and "phone" in blobs[0] else "a-phone"
    return {"protocol": 1, "build": "test", "phone": phone, "sent_at": SENT_AT, "sealed": list(blobs)} | more


def flipped(text: str, at: int = -10) -> str:
    """One character of base64url changed into another."""
    other = "B" if text[at] == "A" else "A"
    at %= len(text)
    return text[:at] + other + text[at + 1 :]


class Handset:
    """A phone that is locked: all it has is its grant and what it sealed."""

    def __init__(self, door: httpx.AsyncClient, sealer: Sealer, grant: str) -> None:
        self.door, self.sealer, self.grant, self.number = door, sealer, grant, 0

    def write(self, **more: Any) -> dict[str, Any]:
        self.number += 1
        values = more.pop("values", {"category": "fight", "account": NOTE})
        return edit(self.sealer.phone, self.number, "incident", values, **more)

    async def send(self, *blobs: Any, **more: Any) -> httpx.Response:
        return await self.post(json.dumps(crate(*blobs, **more)).encode())

    async def post(self, body: bytes, **headers: str) -> httpx.Response:
        said = {"Content-Type": "application/json", "Authorization": f"Bearer {self.grant}"} | headers
        return await self.door.post("/api/intake", content=body, headers=said)

    async def kept(self, *blobs: Any) -> list[str]:
        answer = await self.send(*blobs)
        assert answer.status_code == 200, answer.text
        assert set(answer.json()) - {"revoked"} == {"kept", "unreadable", "now"}
        kept: list[str] = answer.json()["kept"]
        return kept


async def handset_of(door: httpx.AsyncClient, staff: str, phone: str | None = None, where: str = "northgate") -> Handset:
    """Signed in once, then signed out: its grant outlives that."""
    sealer = Sealer(staff, phone or f"{staff}-handset", where)
    said = {"username": staff, "password": PASSWORD, "phone": {"id": sealer.phone, "name": "Locked phone", "public": sealer.public}}
    answer = await door.post("/api/session", json=said)
    assert answer.status_code == 200, answer.text
    listed = (await door.get("/api/school")).json()["intake"]
    sealer.learn(listed, answer.json()["keys"]["public"])
    await door.delete("/api/session")
    return Handset(door, sealer, answer.json()["grant"])
