"""Opening after: what was stored sealed is unsealed, and taken in by the exchange as an edit of whose grant it came under.

Its author is the credential's, never what is claimed inside. What is doubtful is held for somebody at the desk; what cannot
be opened is kept, shown to the administrator, and can be tried again.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from itertools import groupby

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from server.intake import drafts
from server.intake.keys import openers
from server.intake.seal import BROKEN, LOCKED, NOT_OURS, UNSIGNED, Outside, is_signed, outside, unseal
from server.logs import places_of
from server.refusals import Refusal
from server.store.database import Tx, reading, writing
from server.store.engines import Row
from server.store.me import Me
from server.store.moments import now
from server.sync.letter import Sent, mend, parse
from server.sync.unsealed import hold, hold_unproved, read_unsealed, take_unsealed, told_otherwise, unproved_id

NEITHER = "it says that it is neither a record nor a draft"
NO_EDIT = "what is in it is no edit"
NO_DRAFT = "what is in it is no draft"
OTHERWISE = "the school has another edit under its id, that says something else"
SWAPPED = "it was sealed as another edit, phone or number than it was sent as"
OUR_FAULT = "something went wrong at the school’s end; it has been noted"

LOGGED = 12  # characters of a hash

log = logging.getLogger("lanyard.intake")


class Parcel(msgspec.Struct):
    """One sealed thing on its way from the store into a record."""

    hash: str
    lay: str
    review: str | None
    blob: Outside | None = None  # what can be read of it without a key
    unproved: bool = False  # nothing shows that it is whose it says it is
    plain: bytes | None = None
    edit: Sent | None = None
    why: str | None = None  # it could not be opened


class Group(msgspec.Struct):
    """What came from one phone at one moment."""

    me: Me
    taken_by: str | None  # who took it in at the desk, out of a copy
    sent_at: int | None
    received_at: int
    keys: Mapping[str, EllipticCurvePrivateKey | None]  # the school's, of those they name; None: our passphrase does not open it
    publics: Mapping[str, str]  # of this person's phones
    parcels: list[Parcel]


async def open_sealed(school: str, hashes: list[str]) -> None:
    """Safe to repeat, and to be killed anywhere: what is not opened yet waits. One that we fail to take in holds up no other."""
    for group in await reading(find, school, hashes):
        await asyncio.to_thread(look_into, group)
        await take_group(group)


async def take_group(group: Group) -> None:
    try:
        await writing(take_in, group)
    except Refusal:
        raise  # busy: it waits
    except Exception as error:
        if len(group.parcels) == 1:
            note_fault(error, group.parcels[0])
            await writing(mark, group.me.school, [(group.parcels[0].hash, OUR_FAULT)])
            return
        for parcel in group.parcels:
            await take_group(msgspec.structs.replace(group, parcels=[parcel]))


def note_fault(error: Exception, parcel: Parcel) -> None:
    """Never what it says, nor the error's own words, which may quote it."""
    log.error("%s with %s, which came sealed%s", type(error).__name__, parcel.hash[:LOGGED], places_of(error.__traceback__))


# ── What is needed to open it ──────────────────────────────────────────────────────────────

FIND = """
    select hash, staff, phone, taken_by, kid, lay, sent_at, received_at, review from sealed
    where school = $1 and hash = any($2) and outcome <> 'opened' and edit <> '' order by received_at, staff, phone, taken_by, hash"""


async def find(tx: Tx, school: str, hashes: list[str]) -> list[Group]:
    groups = []
    rows = await tx.rows(FIND, school, hashes)
    for (_, staff, phone, _), together in groupby(rows, key=lambda row: (row["received_at"], row["staff"], row["phone"], row["taken_by"])):
        groups.append(await group_of(tx, Me(staff=staff, school=school, role="", phone=phone), list(together)))
    return groups


async def group_of(tx: Tx, me: Me, rows: list[Row]) -> Group:
    publics = await tx.rows("select id, public from phone where school = $1 and staff = $2 and public is not null", me.school, me.staff)
    return Group(
        me=me,
        taken_by=rows[0]["taken_by"],
        sent_at=rows[0]["sent_at"],
        received_at=rows[0]["received_at"],
        keys=await openers(tx, me.school, {row["kid"] for row in rows}),
        publics={row["id"]: row["public"] for row in publics},
        parcels=[Parcel(row["hash"], row["lay"], row["review"]) for row in rows],
    )


# ── Looking into it, on a thread ───────────────────────────────────────────────────────────


def look_into(group: Group) -> None:
    for parcel in group.parcels:
        try:
            parcel.why = look_into_one(parcel, group)
        except Exception as error:
            note_fault(error, parcel)
            parcel.why = OUR_FAULT


def look_into_one(parcel: Parcel, group: Group) -> str | None:
    """Why it could not be opened, in words."""
    parcel.blob = blob = outside(said_in(parcel.lay), group.me.school, group.me.staff)
    if blob.what not in ("edit", "draft"):
        return NEITHER
    key = group.keys.get(blob.kid)
    if key is None:
        return LOCKED if blob.kid in group.keys else NOT_OURS
    parcel.plain = unseal(blob, key)
    if parcel.plain is None:
        return BROKEN
    signed = is_signed(blob, keys_for(blob, group))
    if blob.what == "draft":
        return None if signed else UNSIGNED
    parcel.edit = read_unsealed(parcel.plain)
    if parcel.edit is None:
        return NO_EDIT
    parcel.unproved = group.taken_by is not None and not (signed and group.me.phone)  # no grant speaks for it either
    inside = (parcel.edit.id, parcel.edit.phone, parcel.edit.number)
    doubts = [parcel.review, None if signed else UNSIGNED, None if inside == (blob.id, blob.phone, blob.number) else SWAPPED]
    if any(doubts):
        hold(parcel.edit, "; ".join(doubt for doubt in doubts if doubt))
    return None


def keys_for(blob: Outside, group: Group) -> list[str]:
    """Under a grant, those of that phone; what is brought in a copy may be from any phone of its author's."""
    phones = group.publics if group.taken_by else dict.fromkeys((blob.phone, group.me.phone))
    return [group.publics[phone] for phone in phones if phone in group.publics]


def said_in(lay: str) -> dict[str, object]:
    said, _ = parse(mend(lay.encode()).decode())
    assert isinstance(said, dict)  # it has an id
    return said


# ── Taking it in, in one transaction ───────────────────────────────────────────────────────


async def take_in(tx: Tx, group: Group) -> None:
    me, opened = group.me, [parcel for parcel in group.parcels if parcel.why is None]
    edits = as_written([parcel.edit for parcel in opened if parcel.edit and not parcel.unproved])
    unproved = as_written([parcel.edit for parcel in opened if parcel.edit and parcel.unproved])
    if group.taken_by and unproved:
        hashes = {unproved_id(me, parcel.edit): parcel.hash for parcel in opened if parcel.edit}
        await hold_unproved(tx, me, await told_otherwise(tx, me, unproved), group.taken_by, group.received_at, hashes)
    if edits:
        await take_unsealed(tx, me, edits, group.sent_at, group.received_at, in_person=group.taken_by is not None)
        otherwise = await told_otherwise(tx, me, edits)
        for parcel in opened:
            if any(parcel.edit is edit for edit in otherwise):
                parcel.why = OTHERWISE
    for parcel in opened:
        if parcel.blob and parcel.blob.what == "draft" and parcel.plain is not None:
            kept = await drafts.keep(tx, me, parcel.blob.id, parcel.plain, parcel.blob.made_at, group.received_at)
            parcel.why = None if kept else NO_DRAFT
    await mark(tx, me.school, [(parcel.hash, parcel.why) for parcel in group.parcels])


def as_written(edits: list[Sent]) -> list[Sent]:
    """In the order in which they were written: an edit may begin the record that the next is about."""
    return sorted(edits, key=lambda edit: (edit.phone, edit.number, edit.id))


async def mark(tx: Tx, school: str, found: Sequence[tuple[str, str | None]]) -> None:
    """What became of each: opened, or why it could not be."""
    await tx.run_many(
        "update sealed set outcome = $3, why = $4, opened_at = $5 where school = $1 and hash = $2",
        [(school, hash, *(("unopened", why, None) if why else ("opened", None, now()))) for hash, why in found],
    )
