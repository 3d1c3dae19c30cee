"""Exact knowledge: who had seen what as they wrote. What the school makes of their edits is held against it."""

import json
from collections import defaultdict
from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Any

from server.kinds import KINDS
from server.kinds.kind import Field, Kind, Merge
from server.store.database import Tx
from server.store.me import Me
from server.sync.check import rebuild_all
from server.sync.finding import member
from server.sync.merge import DROPPED, Edit, Write, gravity, identity, writes_by_field, writes_by_key
from tests.phone import Edit as Sent
from tests.phone import Phone
from tests.sealing import Blob


@dataclass
class Written:
    author: str
    edit: Sent
    knows: frozenset[str]  # the edits of its record whose values its author had seen, or written on this handset


class Oracle:
    def __init__(self, school: str) -> None:
        self.school = school
        self.written: dict[str, Written] = {}  # whatever a person was told is saved
        self.ever: dict[str, Written] = {}  # also what was lost with a phone, or a history of the school, and may still turn up
        self.versions: dict[str, frozenset[str]] = {}  # by version, also of histories that were lost: the edits in it
        self.taken: defaultdict[str, list[str]] = defaultdict(list)  # by record
        self.handsets: defaultdict[Phone, list[Sent]] = defaultdict(list)  # what was written on each, also before it was copied
        self.receipts: dict[str, Any] = {}
        self.read_to = 0
        self.restored = self.copied = False
        self.proved: set[str] = set()  # what has come in a way that shows whose it is
        self.handed: dict[tuple[str, str], str] = {}  # what the school said it keeps sealed: whose, and as it lay; the edit's id

    # ── What happens ───────────────────────────────────────────────────────────────────────

    def wrote(self, author: str, edit: Sent, phone: Phone | None) -> None:
        before = [earlier["id"] for earlier in self.handsets[phone] if earlier["record"] == edit["record"]] if phone else []
        self.written[edit["id"]] = Written(author, edit, self.versions.get(edit["seen"] or "", frozenset()) | set(before))
        self.ever[edit["id"]] = self.written[edit["id"]]
        if phone:
            self.handsets[phone].append(edit)
        else:
            self.proved.add(edit["id"])

    def was_handed(self, staff: str, blobs: Iterable[Blob], *, trusted: bool) -> None:
        """Sealed, unaltered, under its own grant. `trusted`: the phone was not switched off."""
        for blob in blobs:
            self.handed[staff, json.dumps(blob)] = blob["id"]
            if trusted:
                self.proved.add(blob["id"])

    def was_copied(self, phone: Phone, copy: Phone) -> None:
        self.copied = True
        self.handsets[copy] = list(self.handsets[phone])

    async def observe(self, tx: Tx) -> None:
        """What has become part of which version of which record."""
        for seq, mark, record, edit in await tx.rows(TAKEN, self.school, self.read_to):
            sent = edit.partition("\n")[0]
            assert sent not in self.taken[record], "an edit was taken twice"
            if sent not in self.proved:
                await self.decided(tx, sent)
            if sent in self.ever:
                self.written[sent] = self.ever[sent]
            self.taken[record].append(sent)
            self.versions[f"{seq}.{mark % 2**64:016x}"] = frozenset(self.taken[record])
            self.read_to = seq

    async def decided(self, tx: Tx, id: str) -> None:
        """It came in doubtful ways only: then somebody at the desk has taken it in, by name."""
        row = await tx.row("select author, phone, original, settled_how from edit where school = $1 and id = $2", self.school, id)
        assert row is not None
        assert row[3] == "taken", "an edit was taken that nothing proves"
        if id not in self.ever:
            assert row[1] == id, "an edit was taken that nobody wrote"
            self.ever[id] = Written(row[0], json.loads(row[2]), frozenset())

    async def was_restored(self, tx: Tx, phones: Iterable[Phone]) -> None:
        """The school has lost what came after its backup, but for what phones still have."""
        self.restored = True
        self.receipts, self.read_to = {}, 0
        self.taken.clear()
        await self.observe(tx)
        here = {(row[0], row[1]) for row in await tx.rows("select staff, lay from sealed where school = $1", self.school)}
        self.handed = {handed: id for handed, id in self.handed.items() if handed in here}
        await self.gone(tx, phones)

    async def was_forgotten(self, tx: Tx, phones: Iterable[Phone]) -> None:
        """What could be read on a phone is gone: nothing that only it had."""
        assert not await self.gone(tx, phones) or self.restored, "an edit went with what could be read on a phone"

    async def was_evicted(self, tx: Tx, phones: Iterable[Phone], unsent: set[str]) -> None:
        """The browser cleared a phone: what only it had was lost, and nothing else."""
        assert await self.gone(tx, phones) <= unsent or self.restored, "an edit went that was not only on that phone"

    async def gone(self, tx: Tx, phones: Iterable[Phone]) -> set[str]:
        """What is neither here nor on any phone."""
        survive = {row[0].partition("\n")[0] for row in await tx.rows("select id from edit where school = $1", self.school)}
        survive |= set(self.handed.values())
        for phone in phones:
            survive |= (
                {edit["id"] for edit in phone.kept.outbox} | phone.kept.sent.keys() | phone.kept.orphans.keys() | phone.kept.handed.keys()
            )
        gone = self.written.keys() - survive
        self.written = {id: written for id, written in self.written.items() if id in survive}
        return gone

    # ── What must hold at once ─────────────────────────────────────────────────────────────

    async def check_answer(self, tx: Tx, staff: str, answer: dict[str, Any]) -> None:
        """To somebody who is signed in, or was, on a phone that is not switched off."""
        self.proved.update(receipt["id"] for receipt in answer["receipts"])
        await self.observe(tx)
        me = await member(tx, self.school, staff)
        for receipt in answer["receipts"]:
            assert self.receipts.setdefault(receipt["id"], receipt) == receipt, "a repeat got another receipt"
        for record in answer["records"]:
            assert await self.may_hold(tx, me, record["id"]), f"{staff} was sent a record that is not theirs to hold"
            kind = KINDS[record["kind"]]
            out_of_sight = kind.hidden_from(me.role) | kind.apart
            shown = {*record["body"], *record["gaps"], *(name.partition("/")[0] for name in record["disputes"])}
            assert not out_of_sight & shown, f"{staff} was sent what their role may not see"

    async def may_hold(self, tx: Tx, me: Me, record: str) -> bool:
        """Told from the edits and the body, and not from the tables that the school keeps for it."""
        row = await tx.row("select kind, body from record where school = $1 and id = $2", self.school, record)
        assert row is not None
        kind, body = KINDS[row[0]], json.loads(row[1])
        assert not kind.at_desk
        if me.role in kind.held_by or any(self.written[id].author == me.staff for id in self.taken[record] if id in self.written):
            return True
        if any(me.staff in (body.get(field) or {}) for field in kind.staff_fields):
            return True
        if me.role not in kind.scoped_to:
            return False
        pupils = [pupil for field in kind.about_fields for pupil in body.get(field) or {}]
        years = {row[0]: row[1] for row in await tx.rows("select id, year from pupil where id = any($1)", pupils)}
        cared_for = {row[0] for row in await tx.rows("select pupil from caseload where school = $1 and staff = $2", me.school, me.staff)}
        return any(years[pupil] in me.years or pupil in cared_for for pupil in pupils)

    # ── What must hold once everybody has said and heard everything ────────────────────────

    async def check_all(self, tx: Tx, phones: dict[Phone, str], off: Container[Phone] = ()) -> None:
        """`off`: those that the school has switched off."""
        assert await rebuild_all(tx, self.school) == []
        unopened = await self.check_sealed(tx)
        await self.check_nothing_lost(tx, unopened)
        for record in self.taken:
            await self.check_record(tx, record)
        for phone, staff in phones.items():
            assert not phone.kept.outbox
            assert not phone.kept.orphans
            if phone not in off:
                await self.check_phone(tx, phone, await member(tx, self.school, staff))

    async def check_sealed(self, tx: Tx) -> set[str]:
        """Whatever the school said it keeps, it keeps, and has opened; but what was sealed to a key that it has lost."""
        rows = await tx.rows("select staff, lay, kid, outcome from sealed where school = $1", self.school)
        keys = {row[0] for row in await tx.rows("select id from key where purpose = 'lanyard:intake' and school = $1", self.school)}
        stored = {(row[0], row[1]): (row[2] in keys, row[3]) for row in rows}
        assert "waiting" not in {outcome for _, outcome in stored.values()}, "what was stored sealed was never opened"
        for handed in self.handed:
            assert handed in stored, "what the school said it keeps is not there"
            ours, outcome = stored[handed]
            assert outcome == "opened" or not ours, "what could be opened was not"
        elsewhere = await tx.rows("select id from edit where school <> $1", self.school)
        assert not elsewhere, "an edit got into another school"
        return {self.handed[handed] for handed in self.handed if not stored[handed][0]}

    async def check_nothing_lost(self, tx: Tx, unopened: set[str]) -> None:
        stored = {row[0]: row for row in await tx.rows("select id, author, original, seq from edit where school = $1", self.school)}
        for id in stored.keys() - self.written.keys():
            assert stored[id][3] is None, "an edit was taken that nobody wrote"
        for id, written in self.written.items():
            if id not in stored and id in unopened:
                continue
            assert id in stored, f"an edit of {written.author}’s is lost"
            _, author, original, _ = stored[id]
            kept = json.loads(original)
            assert author == written.author
            assert kept["values"] == written.edit["values"], "an edit was changed"
        amended = await tx.rows(AMENDED, self.school)
        assert not amended, "a held edit was amended, and is held still"
        taken = sorted(id for id, row in stored.items() if row[3] is not None)
        assert taken == sorted(id for ids in self.taken.values() for id in ids), "an edit was taken twice, or not at all"

    async def check_record(self, tx: Tx, record: str) -> None:
        """Every value that nobody had seen and replaced stands or is disputed; and nothing else is, while knowledge was exact."""
        rows = await tx.rows(EDITS, self.school, record)
        row = await tx.row("select kind, body, disputes, edits from record where school = $1 and id = $2", self.school, record)
        assert row is not None
        kind, body, disputes = KINDS[row[0]], json.loads(row[1]), json.loads(row[2] or "{}")
        assert row[3] == len(rows), "an edit was counted twice"
        line = self.line([Edit(*row[:10], json.loads(row[10])) for row in rows])
        for name, field, writes in self.fields(kind, line):
            if field.merge is Merge.OWN:
                self.check_statements(body[name], writes)
            else:
                self.check_field(kind, name, field, writes, body, disputes)
        assert set(disputes) <= {name for name, _, _ in self.fields(kind, line)}

    def line(self, edits: list[Edit]) -> list[Edit]:
        """By the clock; but each after all that its author had seen, and then after what the same phone had numbered before."""
        placed: dict[str, Edit] = {}

        def reached(one: Edit) -> int:
            """How far its phone had counted, as its author knew: one written on a copy may have seen higher numbers than its own."""
            return max([one.number, *(other.number for other in edits if other.phone == one.phone and other.seq <= one.seen)])

        def place(edit: Edit) -> None:
            seen = [other for other in edits if other.seq <= edit.seen]
            before = [other for other in edits if other.phone == edit.phone and reached(other) < edit.number]
            for earlier in (*sorted(seen, key=lambda one: one.seq), *sorted(before, key=lambda one: (reached(one), one.seq))):
                if earlier.id not in placed:
                    place(earlier)
            placed.setdefault(edit.id, edit)

        for edit in sorted(edits, key=lambda one: (one.ordered_at, one.id)):
            place(edit)
        return list(placed.values())

    def fields(self, kind: Kind, line: list[Edit]) -> list[tuple[str, Field, list[Write]]]:
        found: list[tuple[str, Field, list[Write]]] = []
        for name, writes in writes_by_field(line).items():
            field = kind.field(name)
            assert field is not None
            if field.merge is Merge.GATHER:
                found += [(f"{name}/{key}", field, of_key) for key, of_key in writes_by_key(writes).items()]
            else:
                found.append((name, field, writes))
        return found

    def check_statements(self, statements: dict[str, Any], writes: list[Write]) -> None:
        for author in {edit.author for edit, _ in writes}:
            versions = [value for edit, value in writes if edit.author == author]
            assert statements[author]["versions"] == len(versions)
            assert statements[author]["value"] in versions

    def check_field(self, kind: Kind, name: str, field: Field, writes: list[Write], body: dict[str, Any], disputes: dict[str, Any]) -> None:
        heads = [write for write in writes if write[1] is not DROPPED and not self.settled(kind, field, write, writes)]
        values = {identity(value) for _, value in heads}
        field_name, _, key = name.partition("/")
        missing: Any = object()
        stands = body[field_name].get(key, missing) if key else body[field_name]
        shown = {identity(head["value"]) for head in disputes.get(name, [])}
        if stands is not missing:
            shown |= {identity(stands)}
        if len(shown) < 10:
            assert values <= shown, f"{name}: a value is hidden that nobody had seen and replaced"
        if not (self.restored or self.copied):
            assert shown <= values, f"{name}: a dispute, or a value, that somebody who had seen it had settled"
            if values and field.merge is Merge.GRAVEST:
                assert gravity(field, stands) == max(gravity(field, value) for _, value in heads)
            elif values:
                assert identity(stands) == identity(heads[-1][1]), f"{name}: not the newest stands"

    def settled(self, kind: Kind, field: Field, write: Write, writes: list[Write]) -> bool:
        edit = write[0]
        later = [other for other, _ in writes[writes.index(write) + 1 :] if kind.visible(field, other.role)]
        return any(
            edit.id in self.written[other.id].knows
            or (other.phone == edit.phone and other.number > edit.number)
            or (field.merge is Merge.LATEST and other.author == edit.author)
            for other in later
        )

    async def check_phone(self, tx: Tx, phone: Phone, me: Me) -> None:
        kept = phone.kept
        rows = await tx.rows("select id, seq, mark, kind, body, disputes from record where school = $1", self.school)
        theirs = {row[0]: row for row in rows if await self.may_hold(tx, me, row[0])}
        assert set(kept.store.records) == set(theirs), f"{me.staff}’s phone does not hold exactly what they may hold"
        for id, (_, seq, mark, kind, body, disputes) in theirs.items():
            held = kept.store.records[id]
            out_of_sight = KINDS[kind].hidden_from(me.role) | KINDS[kind].apart
            assert held["version"] == f"{seq}.{mark % 2**64:016x}", f"{me.staff}’s phone holds another version than the school"
            assert held["body"] == {name: value for name, value in json.loads(body).items() if name not in out_of_sight}
            visible = {name: value for name, value in json.loads(disputes or "{}").items() if name.partition("/")[0] not in out_of_sight}
            assert held["disputes"] == visible
        waiting = await tx.rows(
            "select id from edit where school = $1 and author = $2 and held_seq is not null and settled_at is null", self.school, me.staff
        )
        needed = {row[0].partition("\n")[0] for row in waiting}
        assert set(phone.needs_me) == needed, f"{me.staff}’s phone does not know what is held"


TAKEN = "select seq, mark, record, edit from step where school = $1 and seq > $2 and what = 'taken' order by seq"

AMENDED = (
    "select held.id from edit held join edit better on better.school = held.school and better.author = held.author"
    " and better.amends = held.id and better.seq is not null"
    " where held.school = $1 and held.outcome = 'held' and held.settled_at is null"
)

EDITS = (
    "select id, author, role, author || ' ' || phone, number, seq, seen, ordered_at, made_at, received_at, \"values\""
    " from edit where school = $1 and record = $2 and seq is not null"
)
