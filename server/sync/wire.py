"""The shapes on the wire, as PROTOCOL.md writes them. `pwa/src/wire.ts` mirrors this file; a test compares the two."""

from typing import Any, Literal

import msgspec
from msgspec import UNSET, Raw, UnsetType

SPEAKS = (1,)  # every version of the protocol ever released

Because = dict[str, str]  # why an edit is held: words for its author, by field
Outcome = Literal["taken", "held"]

# ── What a phone sends ─────────────────────────────────────────────────────────────────────


class Edit(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What one person wrote at one time: only the fields they touched."""

    id: str
    phone: str
    number: int
    record: str
    kind: str
    made_at: str
    seen: str | None
    values: dict[str, Any]
    amends: str | UnsetType = UNSET  # the id of a held edit of one's own that this one replaces
    set_aside: str | UnsetType = UNSET  # or lets rest, and why
    draft: str | UnsetType = UNSET  # the one it was typed in: a copy of that draft is then no news any more


class Letter(msgspec.Struct, kw_only=True):
    protocol: int
    build: str
    phone: str
    sent_at: str
    cursor: str | None
    receipted: int
    waiting: int
    lost: list[int]
    edits: list[Edit]


# ── What the school answers ────────────────────────────────────────────────────────────────


class Receipt(msgspec.Struct, kw_only=True):
    """The edit is stored, for good."""

    id: str
    outcome: Outcome
    because: Because | UnsetType = UNSET


class Head(msgspec.Struct, kw_only=True):
    """One of the values that differ in a dispute."""

    value: Any
    by: str
    at: str
    edit: str


class Record(msgspec.Struct, kw_only=True):
    """The parts that are stored as JSON are passed on as they lie."""

    id: str
    kind: str
    version: str
    state: str
    author: str
    made_at: str
    received_at: str
    edits: int
    gaps: Raw  # list[str]
    body: Raw  # dict[str, Any]
    disputes: Raw  # dict[str, list[Head]]
    disputed: Raw | UnsetType = UNSET  # dict[str, int]


class Settled(msgspec.Struct, kw_only=True):
    how: Literal["amended", "taken", "set aside"]
    by: str | None
    at: str
    why: str | None


class HeldEdit(msgspec.Struct, kw_only=True):
    edit: str
    record: str
    kind: str
    made_at: str
    values: Raw
    because: Raw  # Because
    settled: Settled | None


Rebuild = Literal["unknown", "restored", "rights"]


class Answer(msgspec.Struct, kw_only=True):
    receipts: list[Receipt]
    records: list[Record]
    held: list[HeldEdit]
    gone: list[str]
    wanted: list[int]
    unopened: list[int] | UnsetType = UNSET  # of those wanted: they are here, sealed, and wait to be opened
    unreadable: list[int] | UnsetType = UNSET
    forked: str | None
    cursor: str | None
    more: bool
    rebuild: Rebuild | None
    now: str


encode = msgspec.json.Encoder().encode
