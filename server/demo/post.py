"""Takes six weeks of letters to the school in the order in which they came, through the real exchange and the real desk."""

from collections.abc import Callable, Iterable
from functools import partial

from server.demo.acts import Act, Acts, DeskAct, MorningAct
from server.demo.phones import Handset, Posted, posted, written
from server.demo.school import School
from server.morning import evening
from server.store import moments
from server.store.database import Tx, writing
from server.store.me import Me
from server.store.numbers import Place
from server.sync import desk
from server.sync.exchange import exchange
from server.sync.letter import read_letter

AT_ONCE = 40  # letters in a transaction: a hundred times fewer commits, and no letter knows


class PostOffice:
    """One school's letters while they are delivered: which version each record had when, and what was held."""

    def __init__(self, school: School, phones: dict[str, Handset]) -> None:
        self.school, self.phones = school, phones
        self.versions: dict[str, list[tuple[int, str]]] = {}
        self.last = 0
        self.held: dict[str, dict[str, str]] = {}
        self.refused: list[str] = []

    async def deliver(self, acts: Acts, tell: Callable[[int, int], None]) -> None:
        letters = posted(self.school, [act for act in acts if isinstance(act, Act)], self.phones)
        at_school = [act for act in acts if isinstance(act, DeskAct | MorningAct) and act.at <= self.school.as_at]
        everything: list[Posted | DeskAct | MorningAct] = [*letters, *at_school]
        everything.sort(key=lambda one: (one.at, not isinstance(one, Posted)))
        try:
            for first in range(0, len(everything), AT_ONCE):
                await writing(self.several, everything[first : first + AT_ONCE])
                tell(min(first + AT_ONCE, len(everything)), len(everything))
        finally:
            moments.set_clock(None)

    async def several(self, tx: Tx, those: Iterable[Posted | DeskAct | MorningAct]) -> None:
        for one in those:
            moments.set_clock(partial(int, one.at))
            if isinstance(one, Posted):
                await self.letter(tx, one)
            elif isinstance(one, MorningAct):
                await self.morning(tx, one)
            else:
                await self.desk(tx, one)
            await self.note_versions(tx, one.at)

    async def letter(self, tx: Tx, one: Posted) -> None:
        for act, _ in one.acts:
            if act.values.get("listed", "") not in self.versions:
                act.values.pop("listed", None)  # a longer list would have had them
        me = self.me(one.handset.staff.id, one.handset.id)
        answer = await exchange(tx, read_letter(written(one, self.versions)), me, one.at, sending_only=True)
        for receipt in answer.receipts:
            if receipt.outcome == "held":
                self.held[receipt.id] = dict(receipt.because or {})

    async def desk(self, tx: Tx, one: DeskAct) -> None:
        """What has not arrived yet cannot be decided on: then nobody did."""
        me = self.me(one.by.id, "")
        if one.settles:
            if one.settles in self.held:
                await desk.settle(tx, me, one.settles, one.how, one.why)
        elif one.begins or one.record in self.versions:
            seen = None if one.begins else self.versions[one.record][-1][1]
            receipt = await desk.write(tx, me, one.record, one.kind, one.values, seen)
            if receipt.outcome == "held":
                self.refused.append(f"{one.kind} {one.values}: {receipt.because}")

    async def morning(self, tx: Tx, one: MorningAct) -> None:
        await evening.make(tx, await evening.morning_of(tx, self.school.id), one.day, one.at)

    async def note_versions(self, tx: Tx, at: int) -> None:
        for id, seq, mark in await tx.rows(
            "select id, seq, mark from record where school = $1 and seq > $2 order by seq", self.school.id, self.last
        ):
            self.versions.setdefault(id, []).append((at, str(Place(seq, mark))))
            self.last = seq

    def me(self, staff: str, phone: str) -> Me:
        one = self.phones[staff].staff
        return Me(staff=one.id, school=self.school.id, role=one.role, years=tuple(one.years), phone=phone)
