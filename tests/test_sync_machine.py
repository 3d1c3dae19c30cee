"""Hypothesis plays with a few phones and the school by itself, in any order it likes, and shrinks what goes wrong to its shortest story."""

import asyncio
import itertools
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from server.store.database import reading, writing
from server.sync import desk
from tests.chance import IS_FRESH
from tests.databases import SQLiteFiles, prepare
from tests.mutants import last_writer_wins
from tests.oracle import Oracle
from tests.phone import Phone
from tests.school import DAY, SECOND, School

PEOPLE = ("amira", "carol", "hana", "amira")  # of each a phone; Amira has two
TWO = st.sampled_from(("zoe", "li"))
GATHERED = st.fixed_dictionaries(
    {"put": st.dictionaries(TWO, st.sampled_from(({}, {"part": "harmed"})))}, optional={"drop": st.lists(TWO, max_size=2)}
)
VALUES = st.one_of(
    st.fixed_dictionaries({"category": st.sampled_from(("fight", "damage", None, "no such"))}),
    st.fixed_dictionaries({"severity": st.sampled_from(("low", "danger"))}),
    st.fixed_dictionaries({"account": st.text(max_size=5)}),
    st.fixed_dictionaries({"state": st.sampled_from(("open", "closed", "void"))}),
    st.fixed_dictionaries({"pupils": GATHERED}),
)
WHICH = st.integers(0, len(PEOPLE) - 1)
NUMBERS = itertools.count(1)


class Exchanges(RuleBasedStateMachine):
    databases: SQLiteFiles

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.school = School(self.databases, f"machine_{next(NUMBERS)}")
        self.run(self.school.__aenter__())
        self.oracle = Oracle("northgate")
        self.phones = [self.phone(staff) for staff in PEOPLE]
        self.begin()

    def begin(self) -> None:
        """One record that all of them hold."""
        first = self.phones[0].write({"pupils": {"put": {"zoe": {}}}})
        self.oracle.wrote(PEOPLE[0], first, self.phones[0])
        for phone in self.phones:
            self.run(phone.sync_all())

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    def phone(self, staff: str) -> Phone:
        async def send(letter: bytes) -> tuple[int, Any]:
            answer = await self.school.post(staff, letter)
            assert answer.status_code == 200, answer.text
            await reading(self.oracle.check_answer, staff, answer.json())
            return answer.status_code, answer.json()

        return Phone(send, lambda: self.school.now, lambda: self.school.chance.getrandbits(74))

    def teardown(self) -> None:
        try:
            for _ in range(2):
                for phone in self.phones:
                    self.run(phone.sync_all())
            self.run(reading(self.oracle.check_all, dict(zip(self.phones, PEOPLE, strict=True))))
        finally:
            self.run(self.school.__aexit__(None, None, None))
            self.runner.close()

    @rule(which=WHICH, values=VALUES, record=st.integers(0, 3))
    def write(self, which: int, values: dict[str, Any], record: int) -> None:
        phone = self.phones[which]
        known = [*phone.records, *(edit["record"] for edit in phone.kept.outbox)]
        self.school.now += SECOND
        edit = phone.write(values, known[record % len(known)] if known and record < 3 else None)
        self.oracle.wrote(PEOPLE[which], edit, phone)

    @rule(which=WHICH, lose_answer=st.booleans(), batch=st.sampled_from((1, 100)))
    def sync(self, which: int, lose_answer: bool, batch: int) -> None:
        self.phones[which].batch = batch
        self.run(self.phones[which].sync(lose_answer=lose_answer))

    @rule(which=WHICH, days=st.integers(-4000, 4000))
    def set_clock(self, which: int, days: int) -> None:
        self.phones[which].wrong_by = days * DAY

    @precondition(lambda self: any(phone.needs_me for phone in self.phones))
    @rule(which=WHICH)
    def amend(self, which: int) -> None:
        phone = self.phones[which]
        if phone.needs_me:
            held = phone.kept.store.held[phone.needs_me[0]]
            edit = phone.write({"category": "fight"}, held["record"], amends=held["edit"])
            self.oracle.wrote(PEOPLE[which], edit, phone)

    @rule(which=WHICH, role=st.sampled_from(("teacher", "manager", "head_of_year")))
    def change_rights(self, which: int, role: str) -> None:
        async def change(tx: Any) -> None:
            await tx.run("update staff set role = $2 where id = $1", PEOPLE[which], role)
            await desk.rights_changed(tx, "northgate", PEOPLE[which])

        self.run(writing(change))

    @rule()
    def back_up(self) -> None:
        self.run(self.school.back_up())

    @precondition(lambda self: self.school.backup is not None)
    @rule()
    def restore(self) -> None:
        self.run(self.school.restore())
        self.run(reading(self.oracle.was_restored, self.phones))

    @invariant()
    def what_is_stored_is_known_to_the_oracle(self) -> None:
        self.run(reading(self.oracle.observe))


def play(**how: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Exchanges.databases = SQLiteFiles(Path(folder))
        asyncio.run(prepare(Exchanges.databases))
        case = Exchanges.TestCase
        how = {"max_examples": 1_000 if IS_FRESH else 40, "stateful_step_count": 30, "deadline": None} | how
        case.settings = settings(suppress_health_check=list(HealthCheck), **how)
        case("runTest").runTest()


def test_whatever_phones_and_school_do_in_whatever_order() -> None:
    play()


def test_and_it_would_notice() -> None:
    with last_writer_wins(), pytest.raises(AssertionError, match="hidden"):
        play(phases=[Phase.generate], derandomize=True, max_examples=40)
