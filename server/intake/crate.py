"""Reading a crate: what a phone sends sealed, each thing by itself. Pure. Only the crate as a whole is ever refused."""

import hashlib
from typing import Any

import msgspec
from msgspec import Raw

from server.refusals import TooLarge
from server.sync.letter import Braces, as_they_lay, is_id, parse, read_braces, read_moment

BYTES_LIMIT = 1_500_000  # of a crate, inflated: 100 edits, sealed and written as base64url
BLOBS_LIMIT = 100


class Sealed(msgspec.Struct, kw_only=True):
    """One thing as a phone sends it: what can be read of it without a key, and what cannot."""

    id: str
    what: str  # edit, draft
    phone: str
    number: int
    made_at: str
    kid: str
    sealed: str
    signature: str


class CrateSent(msgspec.Struct, kw_only=True):
    """As it goes over the wire."""

    protocol: int
    build: str
    phone: str
    sent_at: str
    sealed: list[Sealed]


class Blob(msgspec.Struct, frozen=True):
    """One sealed thing as it came. Whatever it claims is only claimed."""

    id: str  # empty: it has none that could be named
    what: str
    kid: str
    lay: str

    def hash(self, staff: str) -> str:
        """By which a repeat is known. Another person's is another thing."""
        return hashlib.sha256(f"{staff}\n{self.lay}".encode()).hexdigest()


class Crate(msgspec.Struct, frozen=True):
    sent_at: int | None
    blobs: list[Blob]

    @property
    def ids(self) -> list[str]:
        return list(dict.fromkeys(blob.id for blob in self.blobs if blob.id))

    def hashes(self, staff: str) -> list[str]:
        return list(dict.fromkeys(blob.hash(staff) for blob in self.blobs))

    @property
    def nameless(self) -> list[int]:
        return [index for index, blob in enumerate(self.blobs) if not blob.id]


class Frame(Braces, kw_only=True):
    sealed: list[Raw]
    sent_at: Any = None


def read_crate(body: bytes) -> Crate:
    frame, mended = read_braces(body, Frame, BYTES_LIMIT, "This is not the JSON of what a phone sends sealed.")
    if len(frame.sealed) > BLOBS_LIMIT:
        raise TooLarge(BLOBS_LIMIT, "sealed")
    return Crate(read_moment(frame.sent_at), [read_blob(*pair) for pair in as_they_lay(frame.sealed, mended, body)])


def read_blob(mended: bytes, lay: bytes) -> Blob:
    said, _ = parse(mended.decode())
    said = said if type(said) is dict else {}
    id, what, kid = (named(said.get(key)) for key in ("id", "what", "kid"))
    return Blob(id, what, kid, lay.decode())


def named(value: Any) -> str:
    return value if is_id(value) else ""
