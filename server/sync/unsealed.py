"""Taking in what a phone had sealed: edits like any other, whoever's phone it was and whatever has become of it since."""

import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from server.store import ids, numbers
from server.store.database import Tx
from server.store.engines import Row
from server.store.me import Me
from server.store.numbers import Place
from server.sync.exchange import Now, take_edits
from server.sync.finding import as_sent, kept_apart, member
from server.sync.keeping import Coming
from server.sync.letter import DEPTH_LIMIT, Letter, Sent, deeper_than, mend, parse, read_edit
from server.sync.phones import phones_of
from server.sync.taking import Intake as Taking

IN_TRANSIT = ("phone", "number")  # what a phone may have had to say anew of an edit that is the same


def read_unsealed(plain: bytes) -> Sent | None:
    """None where it cannot be an edit at all."""
    if deeper_than(DEPTH_LIMIT, plain):
        return None
    try:
        mended = mend(plain)
        msgspec.json.decode(mended, type=dict[str, msgspec.Raw])
        edit = read_edit(0, mended, plain)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return edit if isinstance(edit, Sent) else None


def hold(edit: Sent, why: str) -> None:
    """It is held, also when it is judged again, until somebody at the desk has looked at it."""
    edit.because["phone"] = why
    edit.set_aside = None  # nor does it let anything rest meanwhile


async def take_unsealed(tx: Tx, me: Me, edits: list[Sent], sent_at: int | None, received_at: int, *, in_person: bool = False) -> None:
    """`me`: whose they are, and from which phone. Each is taken or held, and stored. Safe to repeat.

    `in_person`: somebody brought them to the desk; the phone was not heard of.
    """
    last = await numbers.lock(tx, me.school)
    author = msgspec.structs.replace(await member(tx, me.school, me.staff), phone=me.phone)
    phone = (await phones_of(tx, author, {me.phone}))[me.phone]
    last_seen = phone.seen_at
    letter = Letter(
        build=phone.build,
        phone=me.phone,
        sent_at=sent_at,
        cursor=None,
        receipted=0,
        waiting=phone.waiting,
        lost=[],
        edits=edits,
        nameless=[],
    )
    place = Place(last, mark=0) if last else None  # nobody is answered from it
    await take_edits(tx, letter, Now(author, place, None, None, phone), received_at)
    if in_person or (last_seen is not None and last_seen > received_at):  # it waited here
        await tx.run("update phone set seen_at = $3 where school = $1 and id = $2", me.school, me.phone, last_seen)


UNPROVED = (
    "it came in a copy that somebody brought to the desk, without the phone’s own signature: nobody has shown who wrote it."
    " Ask its author; if their phone has sent it since, set this one aside"
)
BROUGHT = "brought_as"  # in the JSON of such an edit: the hash of the seal that it came in; or its own id
ONCE_BROUGHT = "brought_by"  # of those held before there was a list of who brought what: the person


async def hold_unproved(
    tx: Tx, me: Me, edits: Iterable[Sent], brought_by: str, at: int, hashes: Mapping[str, str] | None = None
) -> list[str]:
    """The ids under which they are held. `me`: whose they say they are; `hashes`: what each came sealed as. Safe to repeat.

    Each is kept under an id, a phone and a number of its own, and as if it had seen nothing: so nothing that is proved ever makes
    way for it, and what it says it is may still come.
    """
    last = await numbers.lock(tx, me.school)
    author = await member(tx, me.school, me.staff)
    held = {unproved_id(me, edit): edit for edit in edits}
    rows = await tx.rows("select id from edit where school = $1 and id = any($2)", me.school, list(held))
    things = {id: (hashes or {}).get(id, id) for id in held}
    new = [unproved(id, edit, things[id]) for id, edit in held.items() if id not in {row[0] for row in rows}]
    comings = [Coming(sent=sent, id=sent.id, role=author.role, received_at=at, moment=at, stuck={"phone": UNPROVED}) for sent in new]
    await Taking(tx, me.school, at, last).take_in(author, comings)
    await brings(tx, me.school, brought_by, held)
    await tx.run_many(AS_WHOEVER_BROUGHT, [(me.school, id, thing) for id, thing in things.items() if id != thing])
    return list(held)


AS_WHOEVER_BROUGHT = """
    insert into brought (school, staff, thing) select school, staff, $2 from brought where school = $1 and thing = $3
    on conflict do nothing"""


async def brings(tx: Tx, school: str, staff: str, things: Iterable[str]) -> None:
    """Remembers that this person brought these, or took them in. `things`: hashes of what is sealed, ids of edits held unproved."""
    await tx.run_many(
        "insert into brought (school, staff, thing) values ($1, $2, $3) on conflict do nothing",
        [(school, staff, thing) for thing in things],
    )


async def brought_by_me(tx: Tx, me: Me, rows: Iterable[Row]) -> set[str]:
    """Of these edits (id, phone, original), those that I brought to the desk, or took in, and of which nobody has shown who wrote them.

    Anybody may write our words into an edit of theirs: only what was kept under a phone of its own says so truly.
    """
    said = {row["id"]: said_in(row["original"]) for row in rows if row["phone"] == row["id"]}
    if not said:
        return set()
    things = {id: {id, each.get(BROUGHT)} for id, each in said.items()}
    names = [name for each in things.values() for name in each if isinstance(name, str)]
    mine = await tx.rows("select thing from brought where school = $1 and staff = $2 and thing = any($3)", me.school, me.staff, names)
    found = {row[0] for row in mine}
    return {id for id, each in things.items() if each & found or said[id].get(ONCE_BROUGHT) == me.staff}


def unproved_id(me: Me, edit: Sent) -> str:
    said = hashlib.sha256(edit.original.encode()).hexdigest()
    return str(uuid.uuid5(ids.OURS, f"copy/{me.school}/{me.staff}/{said}"))


def unproved(id: str, edit: Sent, brought_as: str) -> Sent:
    said = {key: value for key, value in said_in(edit.original).items() if key not in ("amends", "set_aside", "draft", ONCE_BROUGHT)}
    lay = json.dumps(said | {"id": id, "phone": id, "number": 1, "seen": None, BROUGHT: brought_as}).encode()
    sent = read_edit(0, mend(lay), lay)
    assert isinstance(sent, Sent)  # it has an id
    return sent


KEPT_UNDER = """
    select e.id, e.original, exists (
        select 1 from forgotten f where f.school = e.school and f.record = e.record and (e.seq is null or f.seq > e.seq)) as is_forgotten
    from edit e where e.school = $1 and e.author = $2 and e.id = any($3)"""


async def told_otherwise(tx: Tx, me: Me, edits: Sequence[Sent]) -> list[Sent]:
    """Those of them under whose id the school has another edit of this person's, that says something else. Whatever was forgotten
    is not brought back by what says it once more."""
    ids = [name for edit in edits for name in (edit.id, kept_apart(edit.id, me.staff))]
    rows = await tx.rows(KEPT_UNDER, me.school, me.staff, ids)
    kept = {as_sent(row["id"]): row["original"] for row in rows}
    forgotten = {as_sent(row["id"]) for row in rows if row["is_forgotten"]}
    return [edit for edit in edits if edit.id not in kept or not (edit.id in forgotten or same_words(kept[edit.id], edit.original))]


def same_words(kept: str, came: str) -> bool:
    return kept == came or words_of(kept) == words_of(came)


def words_of(original: str) -> dict[str, Any]:
    return {key: value for key, value in said_in(original).items() if key not in IN_TRANSIT}


async def written_from(tx: Tx, me: Me, drafts: dict[str, str]) -> set[str]:
    """Of these drafts (by id, with the record each is about), those whose edit has come: it names the draft, or has its id."""
    rows = await tx.rows(
        "select id, original from edit where school = $1 and author = $2 and record = any($3)", me.school, me.staff, list(drafts.values())
    )
    return {draft for row in rows for draft in drafts if draft in (as_sent(row["id"]), said_in(row["original"]).get("draft"))}


def said_in(original: str) -> dict[str, Any]:
    said, _ = parse(mend(original.encode()).decode())
    return said if type(said) is dict else {}
