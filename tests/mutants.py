"""Mistakes that others have made, put into the running code one at a time: the simulator has to notice each."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any
from unittest import mock

from server.access import shares
from server.api import sync as door
from server.intake import opening, storing, tending
from server.refusals import Busy, Unreadable
from server.store.moments import from_wire, to_wire
from server.sync import exchange, finding, merge, taking, unseen
from server.sync.wire import Answer, Receipt
from tests import phone
from tests.school import DAY

Mutant = Callable[[], AbstractContextManager[Any]]


def naive_sequence_cursor() -> AbstractContextManager[Any]:
    """A number is taken for a place in history, though the school may have drawn it twice."""
    look = exchange.look

    async def trusting(*args: Any) -> Any:
        now = await look(*args)
        now.rebuild = None if now.rebuild == "restored" else now.rebuild
        return now

    return mock.patch.object(exchange, "look", trusting)


def last_writer_wins() -> AbstractContextManager[Any]:
    def newest(kind: Any, field: Any, writes: Any) -> Any:
        return [write for write in reversed(writes) if write[1] is not merge.DROPPED][:1]

    return mock.patch.object(merge, "heads", newest)


def double_application() -> Iterator[None]:
    """A repeat is not known again."""
    coming, count = exchange.coming, iter(range(10**9))

    async def nothing(*args: Any) -> Any:
        return {}, set()

    def under_a_new_id(*args: Any) -> Any:
        new = coming(*args)
        new.id = f"{new.id}\n{next(count)}"
        return new

    with mock.patch.object(exchange, "stored", nothing), mock.patch.object(exchange, "coming", under_a_new_id):
        yield


def receipts_before_commit() -> AbstractContextManager[Any]:
    """The answer is on its way when the transaction fails."""
    writing = door.writing_together

    async def hasty(school: str, work: Any, letter: Any, me: Any, *rest: Any) -> Any:
        try:
            return await writing(school, work, letter, me, *rest)
        except Busy:
            receipts = [Receipt(id=edit.id, outcome="taken") for edit in letter.edits]
            return Answer(
                receipts=receipts, records=[], held=[], gone=[], wanted=[], forked=None, cursor=letter.cursor, more=True, rebuild=None,
                now=to_wire(rest[0]),
            )  # fmt: skip

    return mock.patch.object(door, "writing_together", hasty)


def batch_poisoned_by_one_edit() -> AbstractContextManager[Any]:
    judge = taking.Intake.judge

    async def all_or_nothing(self: Any, author: Any, comings: Any, decision: Any) -> Any:
        stories = await judge(self, author, comings, decision)
        if not all(coming.taken or coming.at_desk or coming.is_held for coming in comings):
            raise Unreadable
        return stories

    return mock.patch.object(taking.Intake, "judge", all_or_nothing)


def purge_that_eats_unsent_edits() -> AbstractContextManager[Any]:
    purge = phone.Phone.purge

    def greedy(self: phone.Phone, kept: phone.Kept, school_time: int) -> None:
        purge(self, kept, school_time)
        kept.outbox = [edit for edit in kept.outbox if (from_wire(edit["made_at"]) or 0) > school_time - 3 * DAY]

    return mock.patch.object(phone.Phone, "purge", greedy)


# Beyond the six that every exchange is prone to, two that this one would be.


def nothing_is_ever_gone() -> AbstractContextManager[Any]:
    async def nothing(*args: Any) -> list[Any]:
        return []

    return mock.patch.object(unseen, "gone_after", nothing)


def amended_edits_stay_held() -> AbstractContextManager[Any]:
    async def none(*args: Any) -> list[Any]:
        return []

    return mock.patch.object(finding, "amended", none)


# And what would be wrong with what comes sealed.


def kept_before_it_is_stored() -> AbstractContextManager[Any]:
    async def nothing(*args: Any, **more: Any) -> None:
        return None

    return mock.patch.object(storing, "store", nothing)


def signatures_not_looked_at() -> AbstractContextManager[Any]:
    return mock.patch.object(opening, "is_signed", return_value=True)


def a_phone_that_is_switched_off_is_believed() -> AbstractContextManager[Any]:
    return mock.patch.object(storing, "why_look", return_value=None)


def what_waits_is_not_opened_at_the_start() -> AbstractContextManager[Any]:
    async def nothing(*args: Any, **more: Any) -> None:
        return None

    return mock.patch.object(tending, "open_all", nothing)


def what_is_inside_may_be_another_edit() -> AbstractContextManager[Any]:
    """The seal binds neither the number nor the time: only the signature and the comparison do."""
    return mock.patch.object(opening, "hold", return_value=None)


def a_new_share_ends_the_one_before() -> Iterator[None]:
    """An answer that is lost then closes a phone for good."""
    kept_as = shares._json

    with mock.patch.object(shares, "_json", lambda some: kept_as(some[:1])):
        yield


# Each with the words in which the simulator may notice it: for any others it was noticed by accident.
THE_SIX: dict[Mutant, str] = {
    naive_sequence_cursor: "went backwards|another version|not hold exactly|not know what is held",
    last_writer_wins: "a value is hidden|that somebody who had seen it had settled",
    contextlib.contextmanager(double_application): "taken twice",
    receipts_before_commit: "a repeat got another receipt|is lost",
    batch_poisoned_by_one_edit: "never came to an end",
    purge_that_eats_unsent_edits: "is lost|an edit went",
}
MORE: dict[Mutant, str] = {nothing_is_ever_gone: "not hold exactly", amended_edits_stay_held: "was amended, and is held still"}
SEALED: dict[Mutant, str] = {
    kept_before_it_is_stored: "is not there|is lost|an edit went",
    signatures_not_looked_at: "that nothing proves",
    a_phone_that_is_switched_off_is_believed: "that nothing proves",
    what_waits_is_not_opened_at_the_start: "was never opened|is lost",
    what_is_inside_may_be_another_edit: "that nothing proves",
    contextlib.contextmanager(a_new_share_ends_the_one_before): "opens what the phone had closed no more|was told to be wrong",
}
