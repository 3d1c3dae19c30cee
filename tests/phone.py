"""A pretend phone: what the installed app keeps, and what it does in an exchange. Anything may be lost but what it keeps."""

import dataclasses
import json
import pickle
from collections.abc import Awaitable, Callable
from typing import Any

from server.store.ids import id_at
from server.store.moments import from_wire, to_wire
from tests.sealing import Blob, Sealer

BATCH = 100
KEPT_FOR = 30 * 24 * 3600 * 1_000_000  # µs: how long an edit is kept after its receipt

Edit = dict[str, Any]
Send = Callable[[bytes], Awaitable[tuple[int, Any]]]  # a letter to the school: status, and what it answered (None: not in its own words)


class Revoked(Exception):
    """The school has switched this phone off."""


@dataclasses.dataclass
class Store:
    """What the school sent, and how far."""

    records: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    held: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    cursor: str | None = None


@dataclasses.dataclass
class Kept:
    """What is in the phone's database. Every change of it is one transaction: a phone that dies has all of it, or none."""

    id: str
    number: int = 0  # the last it used
    outbox: list[Edit] = dataclasses.field(default_factory=list)
    sent: dict[str, tuple[Edit, int]] = dataclasses.field(default_factory=dict)  # by id, with when the receipt came
    again: set[str] = dataclasses.field(default_factory=set)  # of those sent: what no cursor proves yet, and goes once more
    lost: list[int] = dataclasses.field(default_factory=list)  # numbers the school asked for and we do not have
    store: Store = dataclasses.field(default_factory=Store)
    filling: Store | None = None  # a new store beside the old one, until it is complete
    sealed_to: dict[str, dict[str, str]] = dataclasses.field(default_factory=dict)  # by id: the school's key, as it was when it was written
    orphans: dict[str, Blob] = dataclasses.field(default_factory=dict)  # by id: sealed, and nobody can read it here any more
    handed: dict[str, tuple[Blob, int]] = dataclasses.field(default_factory=dict)  # of those, what the school keeps, and when it said so
    repeated: set[str] = dataclasses.field(default_factory=set)  # of those, what it was asked to keep before, with a cursor in between


class Phone:
    """`clock()` is the right time in µs, and `wrong_by` how far this phone's own is from it; `mint` gives the bits of new ids.

    `sealer`: what it seals with, where it does.
    """

    def __init__(
        self,
        send: Send,
        clock: Callable[[], int],
        mint: Callable[[], int],
        wrong_by: int = 0,
        kept: Kept | None = None,
        sealer: Sealer | None = None,
    ) -> None:
        self.send, self.clock, self.mint, self.wrong_by, self.sealer = send, clock, mint, wrong_by, sealer
        self.blobs: dict[str, tuple[str, Blob]] = {}  # by id: as it was sealed, and what of
        self.kept = kept or Kept(self.new_id())
        self.batch = BATCH

    def time(self) -> int:
        return max(0, self.clock() + self.wrong_by)

    def new_id(self) -> str:
        return id_at(self.time(), self.mint())

    def copied(self) -> "Phone":
        """The same handset, restored from a copy made now."""
        return Phone(self.send, self.clock, self.mint, self.wrong_by, pickle.loads(pickle.dumps(self.kept)), self.sealer)

    # ── What its person does ───────────────────────────────────────────────────────────────

    def write(self, values: dict[str, Any], record: str | None = None, kind: str = "incident", **more: Any) -> Edit:
        """Saved, when this returns. About a record in the store, one just begun here, or (none named) a new one."""
        known = self.kept.store.records.get(record or "")
        self.kept.number += 1
        edit = {
            "id": self.new_id(),
            "phone": self.kept.id,
            "number": self.kept.number,
            "record": record or self.new_id(),
            "kind": kind,
            "made_at": to_wire(self.time()),
            "seen": known["version"] if known else None,
            "values": values,
        } | more
        self.kept.outbox.append(edit)
        if self.sealer:
            self.kept.sealed_to[edit["id"]] = self.sealer.keys[0]
        return edit

    @property
    def records(self) -> dict[str, dict[str, Any]]:
        return self.kept.store.records

    @property
    def needs_me(self) -> list[str]:
        return [id for id, held in self.kept.store.held.items() if held["settled"] is None]

    # ── One exchange ───────────────────────────────────────────────────────────────────────

    async def sync(self, *, lose_answer: bool = False, sending_only: bool = False) -> Any:
        """One letter and its answer; None where the school was not reached. A lost answer was written, but never read.

        `sending_only`: under the grant, when its person is signed in no more: it hears of receipts and numbers, and reads nothing.
        """
        edits = [*self.kept.outbox, *([] if sending_only else self.repeats())][: self.batch]
        status, answer = await self.send(json.dumps(self.letter(edits)).encode())
        if lose_answer or answer is None:
            return None
        if status == 413:
            if len(edits) == 1:
                self.kept.outbox.append(self.kept.outbox.pop(0))  # alone it holds up nobody: it goes last
            self.batch = max(1, len(edits) // 2)
        elif status == 403 and answer["refusal"] == "phone_revoked":
            raise Revoked
        elif status == 200:
            self.batch = BATCH
            kept = pickle.loads(pickle.dumps(self.kept))
            self.keep(kept, edits, answer, sending_only)
            self.kept = kept
            return answer
        return None

    async def sync_all(self) -> None:
        """Until neither side has more to say."""
        while True:
            answer = await self.sync()
            assert answer is not None, "the school was not reached"
            if not self.unfinished(answer):
                return

    def unfinished(self, answer: Any) -> bool:
        kept = self.kept
        return bool(kept.outbox or kept.again or kept.orphans or kept.lost or kept.filling or answer["more"] or answer["rebuild"])

    @property
    def cursor(self) -> str | None:
        return (self.kept.filling or self.kept.store).cursor

    def repeats(self) -> list[Edit]:
        """What goes once more: all that is here, where no cursor proves anything."""
        return [edit for id, (edit, _) in self.kept.sent.items() if id in self.kept.again or self.cursor is None]

    def letter(self, edits: list[Edit]) -> dict[str, Any]:
        kept = self.kept
        receipted = [edit["number"] for edit, _ in kept.sent.values() if edit["phone"] == kept.id]
        return {
            "protocol": 1,
            "build": "test",
            "phone": kept.id,
            "sent_at": to_wire(self.time()),
            "cursor": self.cursor,
            "receipted": max(receipted, default=0),
            "waiting": len(kept.outbox),
            "lost": kept.lost,
            "edits": edits,
        }

    def keep(self, kept: Kept, edits: list[Edit], answer: dict[str, Any], sending_only: bool = False) -> None:
        """One transaction: receipts out, records in, cursor moved."""
        assert {receipt["id"] for receipt in answer["receipts"]} == {edit["id"] for edit in edits}
        school_time = from_wire(answer["now"]) or 0  # our own clock may have jumped by years
        is_proof = not (sending_only or answer["rebuild"])  # its cursor is kept: found again, it proves all that counts as sent
        if is_proof:
            self.offer_orphans_again(kept)
        if is_proof and self.cursor is None:
            kept.again = set(kept.sent)
        for edit in edits:
            if edit in kept.outbox:
                kept.outbox.remove(edit)
            kept.sent[edit["id"]] = edit, school_time
            (kept.again.discard if is_proof else kept.again.add)(edit["id"])
        kept.lost = []
        if answer["forked"]:
            self.fork(kept, answer["forked"])
        else:
            self.find_wanted(kept, answer["wanted"])
        if sending_only:
            assert (answer["records"], answer["held"], answer["gone"], answer["cursor"]) == ([], [], [], None)
        elif answer["rebuild"]:
            if answer["rebuild"] != "rights":
                offered_again = sorted((edit for edit, _ in kept.sent.values()), key=lambda edit: edit["id"])
                kept.sent, kept.again, kept.outbox = {}, set(), offered_again + kept.outbox
            kept.filling = Store()
        else:
            self.keep_records(kept, answer)
        self.purge(kept, school_time)

    def fork(self, kept: Kept, id: str) -> None:
        """This handset is a copy. What is unsent goes on under a new id, numbered from 1."""
        kept.id, kept.number = id, len(kept.outbox)
        for number, edit in enumerate(kept.outbox, 1):
            edit |= {"phone": id, "number": number}

    def find_wanted(self, kept: Kept, wanted: list[int]) -> None:
        ours = {edit["number"]: edit for edit, _ in kept.sent.values() if edit["phone"] == kept.id}
        handed = [blob for blob, _ in kept.handed.values()]
        waiting = {edit["number"] for edit in (*kept.outbox, *kept.orphans.values(), *handed) if edit["phone"] == kept.id}
        for number in wanted:
            if number in ours:
                kept.outbox.append(ours[number])
                del kept.sent[ours[number]["id"]]
                kept.again.discard(ours[number]["id"])
            elif number not in waiting:
                kept.lost.append(number)

    def keep_records(self, kept: Kept, answer: dict[str, Any]) -> None:
        store = kept.filling or kept.store
        for record in answer["records"]:
            before = store.records.get(record["id"])
            assert before is None or place(before) <= place(record), "a record went backwards"
            store.records[record["id"]] = record
        for id in answer["gone"]:
            store.records.pop(id, None)
        for held in answer["held"]:
            store.held[held["edit"]] = held
        store.cursor = answer["cursor"]
        if kept.filling and not answer["more"]:
            kept.store, kept.filling = kept.filling, None

    # ── Sealed ─────────────────────────────────────────────────────────────────────────────

    def seal(self, edit: Edit) -> Blob:
        """To the school's key of when it was written; anew only where it had to be numbered anew."""
        said = json.dumps(edit)
        assert self.sealer is not None
        if self.blobs.get(edit["id"], ("",))[0] != said:
            key = self.kept.sealed_to.get(edit["id"], self.sealer.keys[0])
            self.blobs[edit["id"]] = said, self.sealer.seal(edit, key=key, phone=edit["phone"])
        return self.blobs[edit["id"]][1]

    def waiting_sealed(self) -> list[Blob]:
        return [*self.kept.orphans.values(), *(self.seal(edit) for edit in self.kept.outbox)]

    def handed_over(self, answer: dict[str, Any]) -> None:
        """The school has them sealed. No cursor says so: what can still be read here goes once more in a letter, the rest sealed."""
        kept = pickle.loads(pickle.dumps(self.kept))
        at = from_wire(answer["now"]) or 0
        for id in kept.orphans.keys() & set(answer["kept"]):
            if id in kept.handed:
                kept.repeated.add(id)
            kept.handed[id] = kept.orphans.pop(id), at
        for edit in [edit for edit in kept.outbox if edit["id"] in answer["kept"]]:
            kept.outbox.remove(edit)
            kept.sent[edit["id"]] = edit, at
            kept.again.add(edit["id"])
        self.kept = kept

    def offer_orphans_again(self, kept: Kept) -> None:
        """Once more after the next cursor, and all of it after one that begins a new history."""
        for id, (blob, _) in kept.handed.items():
            if self.cursor is None or id not in kept.repeated:
                kept.orphans[id] = blob

    def forget(self) -> None:
        """The PIN is forgotten, or the school has switched the phone off: what can be read goes, what waits stays sealed."""
        kept = self.kept
        orphans = kept.orphans | {edit["id"]: self.seal(edit) for edit in kept.outbox}
        handed = kept.handed | {id: (self.seal(kept.sent[id][0]), kept.sent[id][1]) for id in kept.again}
        self.kept = Kept(kept.id, kept.number, orphans=orphans, handed=handed, repeated=kept.repeated)

    def purge(self, kept: Kept, school_time: int) -> None:
        """What counts as sent is kept for thirty days. The rest is never touched."""
        long_ago = school_time - KEPT_FOR
        for id in [id for id, (_, receipted_at) in kept.sent.items() if receipted_at < long_ago and id not in kept.again]:
            del kept.sent[id]
        for id in [id for id, (_, at) in kept.handed.items() if at < long_ago and id in kept.repeated - kept.orphans.keys()]:
            del kept.handed[id]


def place(record: dict[str, Any]) -> int:
    return int(record["version"].partition(".")[0])
