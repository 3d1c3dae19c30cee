"""What sealing costs the school: the same edits taken in as plain letters and as sealed ones, by one server, in one run."""

import gzip
import hashlib
import json
from collections.abc import Callable
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bench.exchange import Figures, spent, written_by
from bench.phone import GZIP, Phone, in_batches
from bench.school import PASSWORD, TEACHERS
from bench.server import serving
from server.access import base64url
from server.intake.seal import SUITE

EDITS = 10_000
SCHOOL = "bench"


def measure(fresh: Callable[[], str], edits: int = EDITS) -> Figures:
    with serving(fresh()) as server:
        plain = Phone(server.port, TEACHERS[0], PASSWORD)
        letters = [plain.letter(batch) for batch in in_batches(written_by(plain, edits))]
        _, plain_cpu_s, _ = spent(server, lambda: [plain.exchange(letter) for letter in letters])
        sealing = Sealing(server.port, TEACHERS[1])
        crates = [sealing.crate(batch) for batch in in_batches(written_by(sealing.phone, edits))]
        sealed_s, sealed_cpu_s, answers = spent(server, lambda: [sealing.send(crate) for crate in crates])
        kept = sum(len(answer["kept"]) for answer in answers)
        assert kept == edits, f"only {kept} of {edits} were kept"
        records = Phone(server.port, TEACHERS[1], PASSWORD).pull()
        assert records == edits, f"only {records} of {edits} were opened"
        return {
            "sealed_cpu_s": sealed_cpu_s, "plain_cpu_s": plain_cpu_s, "sealed_s": sealed_s,
            "sealed_bytes": sum(map(len, crates)), "plain_bytes": sum(map(len, letters)),
        }  # fmt: skip


class Sealing:
    """A locked phone, as far as its bytes go."""

    def __init__(self, port: int, username: str) -> None:
        self.own, self.staff = generate_private_key(SECP256R1()), username
        self.phone = Phone(port, username, PASSWORD)
        point = self.own.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        said = {"username": username, "password": PASSWORD, "phone": {"id": self.phone.id, "name": "", "public": base64url.write(point)}}
        self.grant = self.phone.post("/api/session", json.dumps(said).encode())["grant"]
        self.key = jwt.decode(self.school()["intake"], options={"verify_signature": False})["keys"][0]
        self.to = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), base64url.read(self.key["public"]) or b"")

    def school(self) -> Any:
        self.phone.connection.request("GET", "/api/school", headers={"Cookie": self.phone.cookie, "X-Lanyard": "1"})
        return json.loads(self.phone.connection.getresponse().read())

    def crate(self, edits: list[dict[str, Any]]) -> bytes:
        sealed = {
            "protocol": 1,
            "build": "bench",
            "phone": self.phone.id,
            "sent_at": edits[-1]["made_at"],
            "sealed": list(map(self.seal, edits)),
        }
        return gzip.compress(json.dumps(sealed).encode(), GZIP)

    def seal(self, edit: dict[str, Any]) -> dict[str, Any]:
        about = f"{SCHOOL}|{self.staff}|{self.phone.id}|edit|{edit['id']}"
        sealed = SUITE.encrypt(json.dumps(edit).encode(), self.to, f"lanyard intake 1|{about}".encode())
        digest = base64url.write(hashlib.sha256(sealed).digest())
        said = f"lanyard signed 1|{about}|{edit['number']}|{edit['made_at']}|{digest}".encode()
        r, s = decode_dss_signature(self.own.sign(said, ECDSA(SHA256())))
        return {
            "id": edit["id"], "what": "edit", "phone": self.phone.id, "number": edit["number"], "made_at": edit["made_at"],
            "kid": self.key["kid"], "sealed": base64url.write(sealed), "signature": base64url.write(r.to_bytes(32) + s.to_bytes(32)),
        }  # fmt: skip

    def send(self, crate: bytes) -> dict[str, Any]:
        headers = {
            "Content-Type": "application/json", "X-Lanyard": "1", "Content-Encoding": "gzip", "Authorization": f"Bearer {self.grant}",
        }  # fmt: skip
        answer = self.phone.ask("/api/intake", crate, headers)
        said: dict[str, Any] = json.loads(answer.read())
        assert answer.status == 200, said
        return said
