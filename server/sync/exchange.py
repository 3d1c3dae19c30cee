"""One exchange: here are my edits, what haven't I seen? One letter, one transaction, one answer."""

from collections.abc import Sequence

import msgspec
from msgspec import UNSET

from server.kinds.shapes import NOTE_LIMIT
from server.refusals import PhoneRevoked, SignIn
from server.store import numbers
from server.store.database import Tx, reading, writing_together
from server.store.me import Me, kept_back_in
from server.store.moments import to_wire
from server.store.numbers import Place
from server.sync.cursor import Cursor, read_cursor
from server.sync.finding import ALREADY_USED, as_sent, decode, kept_apart
from server.sync.keeping import Coming
from server.sync.letter import Letter, Nameless, Sent
from server.sync.phones import COLUMNS, COPIED, Phone, arrive, forked_from, keep_phones, note, phone_of, phones_of
from server.sync.taking import Intake
from server.sync.unseen import Page, unseen
from server.sync.wire import Answer, Because, HeldEdit, Rebuild, Receipt, Record

SEEN_EVERY = 60_000_000  # µs: how exactly the last contact is kept of a phone that has nothing to say


async def answer(letter: Letter, me: Me, received_at: int, *, sending_only: bool = False) -> Answer:
    """The whole exchange, in a transaction of its own. While the phone has nothing to say, it only reads."""
    if not letter.edits and not letter.nameless:
        quiet = await reading(quiet_exchange, letter, me, received_at, sending_only=sending_only)
        if quiet is not None:
            return quiet
    return await writing_together(me.school, exchange, letter, me, received_at, sending_only=sending_only)


async def quiet_exchange(tx: Tx, letter: Letter, me: Me, received_at: int, *, sending_only: bool = False) -> Answer | None:
    """None where there is something to keep after all."""
    now = await look(tx, letter, me)
    phone = now.phone
    said_before = (phone.waiting, phone.build) == (letter.waiting, letter.build) and not letter.lost
    if not said_before or received_at - (phone.seen_at or 0) > SEEN_EVERY:
        return None
    return await write_answer(tx, letter, now, [], None, received_at, sending_only)


async def exchange(tx: Tx, letter: Letter, me: Me, received_at: int, *, sending_only: bool = False) -> Answer:
    """Takes the letter's edits in, then answers what its phone has not seen. Safe to repeat: a repeat gets the same receipts.

    Nothing is promised before the transaction is committed. `sending_only`: the sender may write, and read nothing.
    """
    await numbers.lock(tx, me.school)
    now = await look(tx, letter, me)
    receipts, forked = await take_edits(tx, letter, now, received_at)
    await keep_nameless(tx, letter.nameless, letter.phone, me, received_at)
    return await write_answer(tx, letter, now, receipts, forked, received_at, sending_only)


class Now(msgspec.Struct):
    """How things stand as the letter is opened."""

    me: Me  # with the rights they have now
    last: Place | None  # the last that the school drew; None: it has drawn none yet
    cursor: Cursor | None  # how far their phone has seen; None: nothing
    rebuild: Rebuild | None
    phone: Phone  # the letter's


async def look(tx: Tx, letter: Letter, me: Me) -> Now:
    """One read, by keys only. The cursor must be ours and theirs, then its place in history, then their rights as they were."""
    cursor = read_cursor(letter.cursor, me) if letter.cursor is not None else None
    fresh_to = cursor.fresh_to.seq if cursor and cursor.fresh_to else 0
    drawn_at = cursor.drawn_at.seq if cursor and cursor.drawn_at else 0
    row = await tx.row(LOOK, me.school, me.staff, cursor.seq if cursor else 0, me.phone, letter.phone, fresh_to, drawn_at)
    if row is None:
        raise SignIn
    role, years, rights, settings, last, last_mark, mark, fresh_mark, drawn_mark, revoked_at, *columns = row
    if revoked_at is not None:
        raise PhoneRevoked
    phone = Phone(letter.phone, me.staff) if columns[0] is None else phone_of(columns)
    if phone.staff != me.staff:
        raise SignIn("This phone is signed in as somebody else.")
    rebuild: Rebuild | None = None
    if letter.cursor is not None and cursor is None:
        rebuild = "unknown"
    elif cursor and not is_history(cursor, mark, fresh_mark, drawn_mark):
        rebuild = "restored"
    elif cursor and cursor.rights != rights:
        rebuild = "rights"
    me = msgspec.structs.replace(me, role=role, years=tuple(decode(years)), rights=rights, kept_back=kept_back_in(settings, role))
    return Now(me, Place(last, last_mark) if last else None, cursor, rebuild, phone)


def is_history(cursor: Cursor, mark: int | None, fresh_mark: int | None, drawn_mark: int | None) -> bool:
    """All that it names is still in the school's history: the marks found under those numbers are the same."""
    named = ((cursor.place, mark), (cursor.fresh_to, fresh_mark), (cursor.drawn_at, drawn_mark))
    return all(place is None or place.mark == found for place, found in named)


LOOK = (
    "select staff.role, staff.years, staff.rights, school.settings, counter.seq, latest.mark, step.mark, fresh.mark, drawn.mark,"
    " session.revoked_at,"
    f" {', '.join(f'phone.{column}' for column in COLUMNS)}"
    " from staff join school on school.id = staff.school left join counter on counter.school = staff.school"
    " left join step latest on latest.school = counter.school and latest.seq = counter.seq"
    " left join step on step.school = staff.school and step.seq = $3"
    " left join step fresh on fresh.school = staff.school and fresh.seq = $6"
    " left join step drawn on drawn.school = staff.school and drawn.seq = $7"
    " left join phone session on session.school = staff.school and session.id = $4"
    " left join phone on phone.school = staff.school and phone.id = $5"
    " where staff.school = $1 and staff.id = $2"
)


# ── What the phone sent ────────────────────────────────────────────────────────────────────


class Stored(msgspec.Struct):
    receipt: Receipt
    copied: bool  # it came under a number that another edit had used


async def take_edits(tx: Tx, letter: Letter, now: Now, at: int) -> tuple[list[Receipt], str | None]:
    """A receipt for each, and the phone id under which a handset restored from a copy is to go on."""
    me, forked = now.me, None
    note(now.phone, letter, at)
    phones = await phones_of(tx, me, {edit.phone for edit in letter.edits} - {letter.phone, ""}) | {letter.phone: now.phone}
    mine, others = await stored(tx, me, [edit.id for edit in letter.edits])
    comings: list[Coming] = []
    for edit in letter.edits:
        arrival = arrive(phones, me, edit, repeated=edit.id in mine)
        if edit.id not in mine:
            mine[edit.id] = Stored(Receipt(id=edit.id, outcome="taken"), arrival.copied)
            comings.append(coming(me, letter, edit, edit.id in others, arrival.stuck, at))
        if mine[edit.id].copied and edit.phone == letter.phone:
            forked = forked or forked_from(me, edit)
    await keep_phones(tx, me, phones.values(), at)
    intake = Intake(tx, me.school, at, now.last.seq if now.last else 0)
    await intake.take_in(me, comings)
    now.last = intake.place or now.last
    for new in comings:
        if not new.taken:
            mine[new.sent.id].receipt = Receipt(id=new.sent.id, outcome="held", because=new.because)
    return [mine[id].receipt for id in dict.fromkeys(edit.id for edit in letter.edits)], forked


async def stored(tx: Tx, me: Me, ids: list[str]) -> tuple[dict[str, Stored], set[str]]:
    """What is kept under these ids: this person's edits, and the ids that are somebody else's."""
    if not ids:
        return {}, set()
    mine, others = await stored_under(tx, me, ids)
    if others:
        mine |= (await stored_under(tx, me, [kept_apart(id, me.staff) for id in others]))[0]
    return mine, others


async def stored_under(tx: Tx, me: Me, ids: list[str]) -> tuple[dict[str, Stored], set[str]]:
    rows = await tx.rows("select id, author, because, remarks from edit where school = $1 and id = any($2)", me.school, ids)
    mine = {as_sent(row[0]): Stored(receipt(as_sent(row[0]), row[2]), COPIED in row[3]) for row in rows if row[1] == me.staff}
    return mine, {row[0] for row in rows if row[1] != me.staff}


def receipt(id: str, because: str | None) -> Receipt:
    return Receipt(id=id, outcome="taken") if because is None else Receipt(id=id, outcome="held", because=decode(because))


def coming(me: Me, letter: Letter, edit: Sent, used: bool, stuck: Because, at: int) -> Coming:
    if used:
        edit.because |= ALREADY_USED
    return Coming(
        sent=edit,
        id=kept_apart(edit.id, me.staff) if used else edit.id,
        role=me.role,
        received_at=at,
        moment=by_our_clock(edit.made_at, letter.sent_at, at),
        stuck=stuck,
    )


def by_our_clock(made_at: int | None, sent_at: int | None, at: int) -> int:
    """When it was made, corrected by what the phone's clock was wrong as it sent. No moment to read: as it arrived."""
    if made_at is None:
        return at
    return max(0, made_at + (at - sent_at if sent_at is not None else 0))


UNOPENED = f"""
    select lay from sealed where school = $1 and staff = $2 and what = 'edit' and outcome <> 'opened' and size < {NOTE_LIMIT * 2}
    order by received_at desc limit 500"""


async def unopened(tx: Tx, me: Me, phone: str, wanted: Sequence[int]) -> list[int]:
    """Which of these numbers lie in the sealed intake, and could not be opened yet: they are not lost."""
    lying = [decode(row[0]) for row in await tx.rows(UNOPENED, me.school, me.staff)]
    here = {blob.get("number") for blob in lying if blob.get("phone") == phone}
    return [number for number in wanted if number in here]


async def keep_nameless(tx: Tx, nameless: Sequence[Nameless], phone: str, me: Me, at: int) -> None:
    if nameless:
        await tx.run_many(
            "insert into unreadable (school, hash, phone, staff, received_at, original) values ($1, $2, $3, $4, $5, $6)"
            " on conflict (school, hash) do nothing",
            [(me.school, it.hash, phone, me.staff, at, it.original) for it in nameless],
        )


# ── What it has not seen ───────────────────────────────────────────────────────────────────


async def write_answer(
    tx: Tx, letter: Letter, now: Now, receipts: list[Receipt], forked: str | None, at: int, sending_only: bool
) -> Answer:
    page, cursor = (None, None) if sending_only or now.rebuild else await next_page(tx, now)
    wanted = now.phone.wanted(letter.receipted)
    return Answer(
        receipts=receipts,
        records=page.of(Record) if page else [],
        held=page.of(HeldEdit) if page else [],
        gone=list(dict.fromkeys(page.of(str))) if page else [],
        wanted=wanted,
        unopened=(await unopened(tx, now.me, letter.phone, wanted) if wanted else []) or UNSET,
        unreadable=[it.index for it in letter.nameless] or UNSET,
        forked=forked,
        cursor=cursor,
        more=page.more if page else False,
        rebuild=None if sending_only else now.rebuild,
        now=to_wire(at),
    )


async def next_page(tx: Tx, now: Now) -> tuple[Page, str]:
    cursor, last = now.cursor or Cursor(None, now.me.rights, fresh_to=now.last), now.last.seq if now.last else 0
    page = await unseen(tx, now.me, cursor.seq, last, cursor.fresh_to.seq if cursor.fresh_to else 0)
    if page.upto != cursor.seq:
        cursor = msgspec.structs.replace(cursor, place=now.last if page.upto == last else await place_of(tx, now.me.school, page.upto))
    return page, msgspec.structs.replace(cursor, drawn_at=now.last if page.more else None).write(now.me)


async def place_of(tx: Tx, school: str, seq: int) -> Place:
    mark = await tx.row("select mark from step where school = $1 and seq = $2", school, seq)
    assert mark is not None  # every number has its step
    return Place(seq, mark[0])
