"""A saved copy: a file in which a phone had put what waits, brought to the desk because the phone is broken or gone.

Nobody believes what it says of itself. What a phone's own signature proves goes the intake's way, as if that phone had sent it;
whatever else is in it is held until somebody has asked its author.
"""

import asyncio
import hashlib
from typing import Any

import msgspec
from msgspec import Raw

from server.access.audit import looked
from server.intake.crate import Blob, read_blob
from server.intake.opening import open_sealed, said_in
from server.intake.seal import is_signed, outside
from server.intake.storing import LEFT, REVOKED, store
from server.refusals import NotFound, Unreadable
from server.store.database import Tx, reading, writing
from server.store.engines import Row
from server.store.me import Me
from server.store.moments import now
from server.sync.exchange import keep_nameless
from server.sync.letter import NO_PHONE, Braces, Nameless, Sent, as_they_lay, is_id, read_braces, read_edit, read_moment
from server.sync.unsealed import brings, hold_unproved, told_otherwise, unproved_id

BYTES_LIMIT = 20_000_000
THINGS_LIMIT = 10_000
KEPT_FOR = 7 * 24 * 3600 * 1_000_000  # µs: one that was brought, and never taken in; its file is still with whoever brought it
AT_ONCE = 100  # things, in one transaction

NO_COPY = "This is no copy that a phone saved, or it is cut short. Nothing was taken in. Keep the file."
ELSEWHERE = "This copy is another school’s. Nothing was taken in. Keep the file, and bring it there."
NOBODY = "This copy says it is from somebody who was never at this school. Nothing was taken in. Keep the file."
TOO_MUCH = f"There is more in this file than any phone saves ({THINGS_LIMIT:,} things). Nothing was taken in. Keep the file."
EMPTY = "There is nothing in this copy: when it was saved, the school had everything."


class Frame(Braces, kw_only=True):
    lanyard: Any = None
    school: Any = None
    staff: Any = None
    phone: Any = None
    saved_at: Any = None
    sealed: list[Raw] = []
    edits: list[Raw] = []


class Copy(msgspec.Struct, kw_only=True):
    """As it is read. Whose it is, is only what it says."""

    school: str
    staff: str
    phone: str
    saved_at: int | None
    blobs: list[Blob]
    edits: list[Sent | Nameless]  # what the phone could not seal: words that anybody could have written


class Thing(msgspec.Struct):
    blob: Blob
    hash: str
    phone: str  # that it says it is from
    signer: str | None  # their phone whose signature it carries
    here: bool


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it, in numbers."""

    here: int  # the school had it already
    taken: int
    held: int
    drafts: int
    unopened: int


class Inside(msgspec.Struct, frozen=True, kw_only=True):
    """What is in a copy, in numbers, counted as it is brought: nobody reads the words of it before they are where they belong."""

    edits: int
    drafts: int
    here: int  # of all these, how many the school has already
    unproved: int  # of the others: nothing shows whose they are


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """Of a copy that was brought."""

    id: str
    whose: str
    phone: str
    saved_at: int | None
    brought_at: int
    taken_at: int | None
    inside: Inside | None = None
    told: Told | None = None


# ── Reading ────────────────────────────────────────────────────────────────────────────────


def read_copy(body: bytes, school: str) -> Copy:
    """Raises Unreadable, TooLarge or Protocol, in words for whoever is at the desk."""
    frame, mended = read_braces(body, Frame, BYTES_LIMIT, NO_COPY)
    if frame.lanyard != "waiting edits" or not is_id(frame.staff) or not is_id(frame.phone):
        raise Unreadable(NO_COPY)
    if frame.school != school:
        raise Unreadable(ELSEWHERE)
    if len(frame.sealed) + len(frame.edits) > THINGS_LIMIT:
        raise Unreadable(TOO_MUCH)
    if not frame.sealed and not frame.edits:
        raise Unreadable(EMPTY)
    return Copy(
        school=school,
        staff=frame.staff,
        phone=frame.phone,
        saved_at=read_moment(frame.saved_at),
        blobs=[read_blob(*pair) for pair in as_they_lay(frame.sealed, mended, body)],
        edits=[read_edit(index, *pair) for index, pair in enumerate(as_they_lay(frame.edits, mended, body))],
    )


# ── Bringing it ────────────────────────────────────────────────────────────────────────────


async def bring(me: Me, body: bytes) -> str:
    """Its id, by which it is looked at and taken in. Nothing of it is taken in yet. Safe to repeat: what is here is counted again."""
    copy = await asyncio.to_thread(read_copy, body, me.school)
    id = hashlib.sha256(body).hexdigest()
    await writing(keep, me, id, copy, body.decode())
    things = await look(copy, (await row_of(me, id))["brought_at"])
    await writing(remember, me, copy, things)
    await count(me, id, copy, things)
    return id


async def keep(tx: Tx, me: Me, id: str, copy: Copy, body: str) -> None:
    if await tx.row("select 1 from staff where school = $1 and id = $2", me.school, copy.staff) is None:
        raise Unreadable(NOBODY)
    await tx.run(
        "insert into saved_copy (school, id, staff, author, phone, saved_at, brought_at, body) values ($1, $2, $3, $4, $5, $6, $7, $8)"
        " on conflict (school, id) do nothing",
        me.school, id, me.staff, copy.staff, copy.phone, copy.saved_at, now(), body,
    )  # fmt: skip
    await looked(tx, me, "bring a copy", detail={"copy": id, "staff": copy.staff, "things": len(copy.blobs) + len(copy.edits)})


ROW = """
    select saved_copy.author, saved_copy.saved_at, saved_copy.brought_at, saved_copy.taken_at, saved_copy.told, {body} as body,
           staff.name, staff.left_at, coalesce(phone.name, '') as phone
    from saved_copy join staff on staff.school = saved_copy.school and staff.id = saved_copy.author
    left join phone on phone.school = saved_copy.school and phone.id = saved_copy.phone and phone.staff = saved_copy.author
    where saved_copy.school = $1 and saved_copy.id = $2"""


async def remember(tx: Tx, me: Me, copy: Copy, things: list[Thing]) -> None:
    """That I brought what nobody has proved, also where others did before."""
    author = author_of(copy, copy.phone)
    plain = [unproved_id(author, edit) for edit in copy.edits if isinstance(edit, Sent)]
    await brings(tx, me.school, me.staff, [*(thing.hash for thing in things if thing.signer is None), *plain])


async def count(me: Me, id: str, copy: Copy, things: list[Thing]) -> Inside:
    """Kept with it, so that looking at its page reads no file."""
    row = await row_of(me, id)
    plain = await reading(of_these_here, me.school, copy, row["brought_at"])
    inside = Inside(
        edits=sum(thing.blob.what != "draft" for thing in things) + len(copy.edits),
        drafts=sum(thing.blob.what == "draft" for thing in things),
        here=sum(thing.here for thing in things) + plain,
        unproved=sum(not thing.here and thing.signer is None for thing in things) + len(copy.edits) - plain,
    )
    said = msgspec.json.encode(inside).decode()
    counted = "update saved_copy set told = $3 where school = $1 and id = $2 and taken_at is null"
    await writing(lambda tx: tx.run(counted, me.school, id, said))
    return inside


async def show(me: Me, id: str) -> Shown:
    """Raises NotFound."""
    row = await row_of(me, id)
    shown = Shown(
        id=id, whose=row["name"], phone=row["phone"], saved_at=row["saved_at"], brought_at=row["brought_at"], taken_at=row["taken_at"]
    )
    if row["taken_at"] is not None:
        return msgspec.structs.replace(shown, told=msgspec.json.decode(row["told"], type=Told))
    if row["told"] is None:  # the server was stopped as it was brought
        copy = await asyncio.to_thread(read_copy, (await row_of(me, id, body=True))["body"].encode(), me.school)
        return msgspec.structs.replace(shown, inside=await count(me, id, copy, await look(copy, row["brought_at"])))
    return msgspec.structs.replace(shown, inside=msgspec.json.decode(row["told"], type=Inside))


async def row_of(me: Me, id: str, *, body: bool = False) -> Row:
    """`body`: with the file, which may have 20 MB."""
    row = await reading(lambda tx: tx.row(ROW.format(body="saved_copy.body" if body else "''"), me.school, id))
    if row is None:
        raise NotFound
    return row


# ── Looking into it ────────────────────────────────────────────────────────────────────────


class Known(msgspec.Struct):
    """What the school knows of whoever a copy says it is from."""

    publics: dict[str, str]  # of their phones
    sealed: set[str]  # by hash
    edits: set[str]


async def look(copy: Copy, brought_at: int) -> list[Thing]:
    known = await reading(what_is_known, copy, brought_at)
    return await asyncio.to_thread(things_in, copy, known)


async def what_is_known(tx: Tx, copy: Copy, brought_at: int) -> Known:
    """But for what came in this copy itself, if somebody is taking it in just now, or began to."""
    whose, hashes, ids = (copy.school, copy.staff), [blob.hash(copy.staff) for blob in copy.blobs], [blob.id for blob in copy.blobs]
    publics = await tx.rows("select id, public from phone where school = $1 and staff = $2 and public is not null", *whose)
    sealed = await tx.rows(
        "select hash from sealed where school = $1 and hash = any($2) and received_at <> $3", copy.school, hashes, brought_at
    )
    edits = await tx.rows(
        "select id from edit where school = $1 and author = $2 and id = any($3) and received_at <> $4", *whose, ids, brought_at
    )
    return Known({row["id"]: row["public"] for row in publics}, {row[0] for row in sealed}, {row[0] for row in edits})


def things_in(copy: Copy, known: Known) -> list[Thing]:
    return [thing_of(blob, copy, known) for blob in {blob.hash(copy.staff): blob for blob in copy.blobs}.values()]


def thing_of(blob: Blob, copy: Copy, known: Known) -> Thing:
    hash = blob.hash(copy.staff)
    said = outside(said_in(blob.lay), copy.school, copy.staff) if blob.id else None
    signers = [id for id, public in known.publics.items() if said and is_signed(said, [public])]
    here = hash in known.sealed or (blob.what == "edit" and blob.id in known.edits)
    return Thing(blob, hash, said.phone if said and signers else copy.phone, signers[0] if signers else None, here)


async def of_these_here(tx: Tx, school: str, copy: Copy, brought_at: int) -> int:
    """How many of the edits that the phone could not seal."""
    me = author_of(copy, copy.phone)
    sent = [edit for edit in copy.edits if isinstance(edit, Sent)]
    other = await told_otherwise(tx, me, sent)
    ids = [unproved_id(me, edit) for edit in other]
    rows = await tx.rows("select id from edit where school = $1 and id = any($2) and received_at <> $3", school, ids, brought_at)
    return len(sent) - len(other) + len(rows)


def author_of(copy: Copy, phone: str) -> Me:
    return Me(staff=copy.staff, school=copy.school, role="", phone=phone)


# ── Taking it in ───────────────────────────────────────────────────────────────────────────


async def take(me: Me, id: str) -> None:
    """Safe to repeat, to be killed anywhere, and to be done by two at once: what is here already is known again. Raises NotFound.

    All of it is received at the moment the copy was brought: by that, whoever tells what came of it knows what came in it.
    """
    row = await row_of(me, id, body=True)
    if row["taken_at"] is not None:
        return
    at = row["brought_at"]
    copy = await asyncio.to_thread(read_copy, row["body"].encode(), me.school)
    things = await look(copy, at)
    here = sum(thing.here for thing in things) + await reading(of_these_here, me.school, copy, at)
    await writing(store_things, me, copy, things, at)
    hashes = [thing.hash for thing in things]
    for first in range(0, len(hashes), AT_ONCE):
        await open_sealed(me.school, hashes[first : first + AT_ONCE])
    unsealed = [edit for edit in copy.edits if isinstance(edit, Sent)]
    for first in range(0, len(unsealed), AT_ONCE):
        await writing(hold_these, me, copy, unsealed[first : first + AT_ONCE], at)
    await writing(tell, me, id, copy, here, at)


async def store_things(tx: Tx, me: Me, copy: Copy, things: list[Thing], at: int) -> None:
    left = await tx.row("select left_at from staff where school = $1 and id = $2", me.school, copy.staff)
    off = {row[0] for row in await tx.rows("select id from phone where school = $1 and revoked_at is not null", me.school)}
    for thing in things:
        review = LEFT if left and left[0] is not None else REVOKED if off & {thing.signer, thing.phone} else None
        author = author_of(copy, thing.phone if thing.signer else NO_PHONE)  # else it would take up that phone's room
        await store(tx, author, {thing.hash: thing.blob}, at, sent_at=None, review=review, taken_by=me.staff)
    await keep_nameless(tx, [edit for edit in copy.edits if isinstance(edit, Nameless)], NO_PHONE, me, at)


async def hold_these(tx: Tx, me: Me, copy: Copy, unsealed: list[Sent], at: int) -> None:
    author = author_of(copy, copy.phone)
    unproved = await told_otherwise(tx, author, unsealed)
    if unproved:
        await hold_unproved(tx, author, unproved, me.staff, at)


async def tell(tx: Tx, me: Me, id: str, copy: Copy, here: int, at: int) -> None:
    async def count(sql: str) -> list[int]:
        row = await tx.row(sql, me.school, copy.staff, at)
        assert row is not None
        return list(row)

    taken, held = await count(
        "select count(*) filter (where seq is not null), count(*) filter (where seq is null)"
        " from edit where school = $1 and author = $2 and received_at = $3"
    )
    (drafts,) = await count("select count(*) from draft where school = $1 and staff = $2 and received_at = $3")
    (unopened,) = await count("select count(*) from sealed where school = $1 and staff = $2 and received_at = $3 and outcome <> 'opened'")
    told = Told(here=here, taken=taken, held=held, drafts=drafts, unopened=unopened)
    first = await tx.row(
        "update saved_copy set taken_at = $3, told = $4, body = '' where school = $1 and id = $2 and taken_at is null returning id",
        me.school, id, now(), msgspec.json.encode(told).decode(),
    )  # fmt: skip
    if first is not None:
        await looked(tx, me, "take in a copy", detail={"copy": id, "staff": copy.staff, **msgspec.to_builtins(told)})


async def sweep(tx: Tx) -> None:
    await tx.run("delete from saved_copy where taken_at is null and brought_at <= $1", now() - KEPT_FOR)
