"""What the school knows of one person's phones: the numbers that came from each, and what it said of itself."""

import itertools
import uuid
from collections.abc import Iterable
from typing import Any

import msgspec

from server.store import ids
from server.store.database import Tx
from server.store.me import Me
from server.sync.counting import Runs, add, has, joined, missing
from server.sync.keeping import as_json
from server.sync.letter import Letter, Sent
from server.sync.wire import Because

AHEAD_LIMIT = 10_000  # how far a number may run ahead of the highest received
WANTED_LIMIT = 100
RUNS_LIMIT = 1000  # of lost numbers that are kept

COPIED = "its number had been used before: this phone was restored from a copy"
NOT_YOUR_PHONE = {"phone": "this phone is somebody else’s"}
FAR_AHEAD = {"number": "its number is too far ahead of the others from this phone"}

decode = msgspec.json.decode


class Phone(msgspec.Struct):
    id: str
    staff: str
    highest: int = 0
    received: Runs = []
    lost: Runs = []
    waiting: int = 0
    drift_s: int = 0
    build: str = ""
    seen_at: int | None = None
    cap: int = AHEAD_LIMIT  # the highest number it may send now

    def says(self, receipted: int) -> None:
        """It holds receipts up to there: after a restore it may know more than the school."""
        self.cap = max(self.highest, min(receipted, self.highest + AHEAD_LIMIT)) + AHEAD_LIMIT

    def arrives(self, number: int) -> None:
        add(self.received, number)
        if number > self.highest:
            self.highest = number
            self.cap = max(self.cap, number + AHEAD_LIMIT)

    def wanted(self, receipted: int) -> list[int]:
        """What never came of the numbers it must have used, and has not been named as lost."""
        upto = max(self.highest, min(receipted, self.highest + AHEAD_LIMIT))
        return list(itertools.islice(missing(joined([*self.received, *self.lost]), upto), WANTED_LIMIT))

    def loses(self, numbers: Iterable[int]) -> None:
        self.lost = joined([*self.lost, *([number, number] for number in numbers if 0 < number <= self.cap)])[:RUNS_LIMIT]


COLUMNS = ("id", "staff", "highest", "received", "lost", "waiting", "drift_s", "build", "seen_at")


def phone_of(row: Iterable[Any]) -> Phone:
    """Of a row of these columns."""
    id, staff, highest, received, lost, *said = row
    phone = Phone(id, staff, highest, decode(received), decode(lost), *said)
    phone.cap = highest + AHEAD_LIMIT
    return phone


async def phones_of(tx: Tx, me: Me, ids: set[str]) -> dict[str, Phone]:
    """One for each id; those that the school has not heard of are this person's from now on."""
    if not ids:
        return {}
    rows = await tx.rows(f"select {', '.join(COLUMNS)} from phone where school = $1 and id = any($2)", me.school, list(ids))
    return {id: Phone(id, me.staff) for id in ids} | {row[0]: phone_of(row) for row in rows}


async def desk_of(tx: Tx, me: Me, at: int) -> Phone:
    """The phone that a person at a desk is: always the same one."""
    id = ids.desk_of(me.school, me.staff)
    await tx.run(
        "insert into phone (school, id, staff, name, is_desk, paired_at) values ($1, $2, $3, 'Desk', $4, $5) on conflict do nothing",
        me.school,
        id,
        me.staff,
        True,
        at,
    )
    return (await phones_of(tx, me, {id}))[id]


async def keep_phones(tx: Tx, me: Me, phones: Iterable[Phone], at: int) -> None:
    """Those that are this person's."""
    await tx.run_many(
        "insert into phone (school, id, staff, name, highest, received, lost, waiting, drift_s, build, paired_at, seen_at)"
        " values ($1, $2, $3, '', $4, $5, $6, $7, $8, $9, $10, $11)"
        " on conflict (school, id) do update set highest = excluded.highest, received = excluded.received, lost = excluded.lost,"
        " waiting = excluded.waiting, drift_s = excluded.drift_s, build = excluded.build, seen_at = excluded.seen_at",
        [
            (
                me.school,
                phone.id,
                phone.staff,
                phone.highest,
                as_json(phone.received),
                as_json(phone.lost),
                phone.waiting,
                phone.drift_s,
                phone.build,
                at,
                phone.seen_at,
            )
            for phone in phones
            if phone.staff == me.staff
        ],
    )


def note(phone: Phone, letter: Letter, at: int) -> None:
    """What a letter says of the phone it comes from."""
    phone.says(letter.receipted)
    phone.loses(letter.lost)
    phone.waiting, phone.build, phone.seen_at = letter.waiting, letter.build, at
    if letter.sent_at is not None:
        phone.drift_s = (letter.sent_at - at) // 1_000_000


class Arrival(msgspec.Struct):
    stuck: Because = {}  # why its number does not count
    copied: bool = False  # another edit had come under its number


def arrive(phones: dict[str, Phone], me: Me, edit: Sent, *, repeated: bool) -> Arrival:
    """Counts the number an edit carries as received, also where the edit itself had come before."""
    phone = phones.get(edit.phone)
    if phone is None or edit.number == 0:
        return Arrival()
    if phone.staff != me.staff:
        return Arrival(NOT_YOUR_PHONE)
    if edit.number > phone.cap:
        return Arrival(FAR_AHEAD)
    copied = not repeated and has(phone.received, edit.number)
    if copied:
        edit.remarks.append(COPIED)
    phone.arrives(edit.number)
    return Arrival(copied=copied)


def forked_from(me: Me, edit: Sent) -> str:
    """The phone id under which a restored handset goes on: the same each time the same colliding edit comes."""
    return str(uuid.uuid5(ids.OURS, f"{me.school}/{me.staff}/{edit.phone}/{edit.number}/{edit.id}"))
