"""Taking edits in: each is judged and put in order, its record is folded, and all of it is numbered and kept together."""

import logging
import traceback
from collections import defaultdict
from collections.abc import Iterable, Sequence

from server.kinds import KINDS
from server.refusals import Refusal
from server.store import numbers
from server.store.database import Tx
from server.store.engines import database_failed
from server.store.me import Me
from server.store.numbers import NewStep, Place
from server.sync import finding, keeping
from server.sync.judging import OUR_FAULT, Story, closing, judge, judge_as_it_is, what_is_known, writes_apart
from server.sync.keeping import Coming, Decision
from server.sync.merge import Edit, fold, moment_for

SAVEPOINTS = 50  # of one transaction
AGAIN_AT_ONCE = 1000  # held edits judged again

log = logging.getLogger("lanyard.sync")


class Intake:
    """What one transaction takes in. The school is locked."""

    def __init__(self, tx: Tx, school: str, at: int, last: int) -> None:
        self.tx, self.school, self.at = tx, school, at
        self.last = last  # the last number that the school drew: nobody else draws one meanwhile
        self.place: Place | None = None  # and its place, where it was drawn here
        self.savepoints = SAVEPOINTS

    async def take_in(self, author: Me, comings: Sequence[Coming], decision: Decision | None = None) -> None:
        """Each ends up taken or held, and stored. One that we ourselves fail to take in is held, and holds up no other."""
        if not comings or await self.attempt(author, comings, decision):
            return
        if len(comings) > 1 and self.savepoints:
            middle = len(comings) // 2
            await self.take_in(author, comings[:middle], decision)
            await self.take_in(author, comings[middle:], decision)
        else:
            for coming in comings:
                coming.our_fault = True
            await self.take_together(author, comings, None)

    async def attempt(self, author: Me, comings: Sequence[Coming], decision: Decision | None) -> bool:
        """False: it failed, and nothing of it was written."""
        if self.savepoints == 0:
            return False
        self.savepoints -= 1
        last, place = self.last, self.place
        try:
            async with self.tx.savepoint():
                await self.take_together(author, comings, decision)
            return True
        except Exception as error:
            self.last, self.place = last, place
            if isinstance(error, Refusal) or database_failed(error):
                raise
            at = traceback.extract_tb(error.__traceback__)[-1]
            # Never what they say, nor the error's own words, which may quote it.
            log.error("%s in %s, line %s, taking in %s", type(error).__name__, at.name, at.lineno, [coming.id for coming in comings])
            return False

    async def take_together(self, author: Me, comings: Sequence[Coming], decision: Decision | None) -> None:
        stories = await self.judge(author, comings, decision)
        last_of = {coming.sent.record: coming for coming in comings if coming.taken}
        folded = {record: fold(KINDS[last.sent.kind], stories[record].edits) for record, last in last_of.items()}
        moving = [coming for coming in comings if coming.moves]
        places = await self.draw([step_of(coming) for coming in moving])
        for coming, place in zip(moving, places, strict=True):
            assert coming.seq == place.seq
            coming.mark = place.mark
        await keeping.keep_edits(self.tx, author, [coming for coming in moving if not coming.is_held])
        await keeping.take_held(self.tx, self.school, [coming for coming in moving if coming.is_held], decision, self.at)
        await keeping.keep_records(self.tx, self.school, [(last_of[record], folded[record], stories[record]) for record in last_of])
        await self.settle_amended(author, comings)
        await self.judge_again([held for story in stories.values() if story.begun for held in story.waiting])

    # ── Judging ────────────────────────────────────────────────────────────────────────────

    async def judge(self, author: Me, comings: Sequence[Coming], decision: Decision | None) -> dict[str, Story]:
        """One after the other: an edit may begin the record that the next is about."""
        sound = [coming.sent for coming in comings if not coming.our_fault]
        stories = await finding.stories(self.tx, author, {sent.record for sent in sound})
        versions = await finding.versions(self.tx, self.school, sound)
        known = await what_is_known(self.tx, self.school, sound, any_words=decision is not None)
        last = self.last
        for coming in comings:
            sent, story = coming.sent, stories[coming.sent.record]
            coming.seq, coming.ordered_at = last + 1, coming.moment
            coming.seen = sent.seen.seq if sent.seen and versions.get(sent.seen) == sent.record else 0
            if coming.our_fault:
                coming.values, coming.because, coming.remarks = sent.values, OUR_FAULT, sent.remarks
            elif decision:
                judged = judge_as_it_is(sent, story, known)
                if not coming.at_desk and writes_apart(sent):
                    coming.seen = 0  # no phone shows what is kept at the desk, so whoever wrote there has seen nothing of it
                coming.values, coming.because, coming.remarks = judged.values, judged.problems, judged.remarks
            else:
                judged = judge(author, sent, story, known, at_desk=coming.at_desk)
                coming.values, coming.because, coming.remarks = judged.values, judged.problems | coming.stuck, judged.remarks
            if coming.taken:
                put_in_order(author, coming, story, decision)
            last += coming.moves
        return stories

    async def judge_again(self, ids: Iterable[str]) -> None:
        """Held edits that nobody has settled: the record they were for has turned up, or their author's rights have changed."""
        by_author: defaultdict[str, list[Coming]] = defaultdict(list)
        waiting = list(ids)
        for first in range(0, len(waiting), AGAIN_AT_ONCE):
            for author, coming in await finding.held_edits(self.tx, self.school, waiting[first : first + AGAIN_AT_ONCE]):
                by_author[author].append(coming)
        for author, comings in by_author.items():
            member = await finding.member(self.tx, self.school, author)
            for first in range(0, len(comings), AGAIN_AT_ONCE):
                await self.take_in(member, comings[first : first + AGAIN_AT_ONCE])

    # ── Settling ───────────────────────────────────────────────────────────────────────────

    async def settle_amended(self, author: Me, comings: Iterable[Coming]) -> None:
        """A held edit is settled when its author's own amendment of it is taken, or lets it rest; whichever of the two came first.

        With it goes what it had itself been written to replace.
        """
        names = {coming.sent.id for coming in comings if not coming.taken}
        names |= {coming.sent.amends for coming in comings if coming.sent.amends}
        for coming in comings:
            if coming.sent.set_aside is not None and not coming.is_held:
                await self.settle([(coming.id, coming.sent.record)], "set aside", author.staff, coming.sent.set_aside)
        while names:
            amended = await finding.amended(self.tx, author, names)
            await self.settle(amended, "amended", author.staff, None)
            resting = await finding.let_rest(self.tx, author, names)
            for edit, why in resting:
                await self.settle([edit], "set aside", author.staff, why)
            names = await finding.replaced_by(self.tx, author, [id for id, _ in (*amended, *(edit for edit, _ in resting))])

    async def settle(self, held: Sequence[tuple[str, str]], how: str, by: str, why: str | None) -> None:
        """`held`: (edit, record) of each. Settling draws a number, so that the author's phones are told."""
        places = await self.draw([NewStep("settled", None, edit) for edit, _ in held])
        await self.tx.run_many(
            "update edit set settled_how = $3, settled_by = $4, settled_at = $5, settled_why = $6, held_seq = $7"
            " where school = $1 and id = $2",
            [(self.school, edit, how, by, self.at, why, place.seq) for (edit, _), place in zip(held, places, strict=True)],
        )

    async def draw(self, steps: Sequence[NewStep]) -> list[Place]:
        places = await numbers.draw(self.tx, self.school, steps)
        if places:
            self.place = places[-1]
            self.last = self.place.seq
        return places


def step_of(coming: Coming) -> NewStep:
    """Only a step that moves a record is one of its versions."""
    return NewStep("taken", coming.sent.record, coming.id) if coming.taken else NewStep("held", None, coming.id)


def put_in_order(author: Me, coming: Coming, story: Story, decision: Decision | None) -> None:
    """Fixes its order for good, and adds it to its record; unless it would close a dispute that nobody has decided."""
    sent, kind, phone = coming.sent, KINDS[coming.sent.kind], f"{author.staff} {coming.sent.phone}"
    ordered_at = moment_for(coming.moment, coming.received_at, phone, sent.number, coming.seen, story.edits)
    edit = Edit(
        id=coming.id,
        author=author.staff,
        role=coming.role,
        phone=phone,
        number=sent.number,
        seq=coming.seq,
        seen=coming.seen,
        ordered_at=ordered_at,
        made_at=sent.made_at,
        received_at=coming.received_at,
        values=coming.values,
    )
    if not decision and (because := closing(kind, story.edits, edit)):
        coming.because = because
        return
    coming.ordered_at = ordered_at
    story.edits.append(edit)
    if story.kind is None:
        story.kind, story.begun = kind.name, True
