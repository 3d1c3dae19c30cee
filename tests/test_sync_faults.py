"""Faults of our own: what fails is held and logged without a word of it, or leaves no trace; the rest goes on."""

import json
import sqlite3
from typing import Any

import pytest

from server.refusals import Busy
from server.store import postgres, sqlite
from server.store.database import reading, writing
from server.sync import desk, finding, keeping, taking
from server.sync.check import rebuild_all
from tests.school import School
from tests.test_sync_numbers import told

INCIDENT = {"category": "fight", "place": "yard"}
POISON = "the words that our own code cannot bear"


def failing(fold: Any) -> Any:
    """A fold that raises, and quotes what it could not fold."""

    def fails(kind: Any, edits: Any) -> Any:
        if any(POISON in json.dumps(edit.values) for edit in edits):
            raise ZeroDivisionError(POISON)
        return fold(kind, edits)

    return fails


@pytest.fixture
def poisoned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "fold", failing(taking.fold))


@pytest.mark.usefixtures("poisoned")
async def test_an_edit_that_we_fail_to_take_in_is_held_and_the_other_ninety_nine_are_taken(
    school: School, caplog: pytest.LogCaptureFixture
) -> None:
    amira = school.phone("amira")
    for n in range(100):
        amira.write({"account": POISON if n == 41 else "He ran."})
    answer = await amira.sync()
    (held,) = [receipt for receipt in answer["receipts"] if receipt["outcome"] == "held"]
    assert held["because"] == {"edit": "something went wrong at the school’s end; it has been noted, and what you wrote is kept"}
    assert len(answer["records"]) == 99
    assert held["id"] in caplog.text
    assert POISON not in caplog.text
    assert await reading(rebuild_all, "northgate") == []


@pytest.mark.usefixtures("poisoned")
async def test_savepoints_are_bounded_and_what_they_do_not_reach_is_held_and_stored(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = 0
    for engine in (sqlite.SQLiteTx, postgres.PostgresTx):
        savepoint = engine.savepoint

        def counted(self: Any, savepoint: Any = savepoint) -> Any:
            nonlocal opened
            opened += 1
            return savepoint(self)

        monkeypatch.setattr(engine, "savepoint", counted)
    amira = school.phone("amira")
    for _ in range(100):
        amira.write({"account": POISON})
    answer = await amira.sync()
    assert {receipt["outcome"] for receipt in answer["receipts"]} == {"held"}
    assert len(answer["receipts"]) == 100
    assert 1 < opened <= 1 + taking.SAVEPOINTS  # and on PostgreSQL that of the letter, among those that share its commit
    assert len(await school.rows("select id from edit")) == 100


async def test_what_was_held_for_our_fault_is_taken_once_we_are_better(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    amira = school.phone("amira")
    with monkeypatch.context() as patch:
        patch.setattr(taking, "fold", lambda *_: 1 / 0)
        amira.write(INCIDENT)
        await amira.sync_all()
    assert len(amira.needs_me) == 1
    await writing(desk.judge_again, "northgate")
    await amira.sync_all()
    assert amira.needs_me == []
    assert len(amira.records) == 1


@pytest.mark.parametrize("fails", ["keep_edits", "keep_records"])
async def test_a_write_that_fails_for_one_edit_is_undone_and_that_one_is_held(
    school: School, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    amira = school.phone("amira")
    for n in range(8):
        amira.write({"account": POISON if n == 3 else "He ran."})
    keep = getattr(keeping, fails)

    async def breaks(tx: Any, school: Any, writes: list[Any]) -> None:
        """A statement that the database refuses, after the right ones."""
        await keep(tx, school, writes)
        if POISON in repr(writes) and not any("our_fault=True" in repr(write) for write in writes):
            await tx.run("insert into record (school) values ($1)", "nowhere")

    monkeypatch.setattr(keeping, fails, breaks)
    answer = await amira.sync()
    assert [receipt["outcome"] for receipt in answer["receipts"]].count("held") == 1
    assert len(answer["records"]) == 7
    assert await reading(rebuild_all, "northgate") == []


@pytest.mark.parametrize("fails", ["stories", "keep_edits", "keep_records", "amended"])
async def test_a_database_that_is_busy_half_way_leaves_no_trace_and_the_same_letter_does_it_later(
    school: School, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    amira = school.phone("amira")
    amira.write(INCIDENT)
    amira.write({"category": "riot"})
    letter = json.dumps(amira.letter(amira.kept.outbox)).encode()

    async def busy(*args: Any) -> None:
        error = sqlite3.OperationalError("database is locked")
        error.sqlite_errorcode = sqlite3.SQLITE_BUSY
        raise error if school.settings.database.endswith(".db") else Busy

    with monkeypatch.context() as patch:
        patch.setattr(finding if hasattr(finding, fails) else keeping, fails, busy)
        answer = await school.post("amira", letter)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    for table in ("edit", "record", "record_staff", "unreadable"):
        assert await school.rows(f"select school from {table}") == [], table
    assert await school.rows("select seq from step where what in ('taken', 'held')") == []
    answer = await school.post("amira", letter)
    assert [receipt["outcome"] for receipt in answer.json()["receipts"]] == ["taken", "held"]


async def test_history_that_cannot_be_folded_any_more_holds_what_comes_and_stops_nobody(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    amira = school.phone("amira")
    spoilt = amira.write({"account": POISON})["record"]
    await amira.sync_all()
    fold = taking.fold
    monkeypatch.setattr(
        taking, "fold", lambda kind, edits: 1 / 0 if POISON in json.dumps([edit.values for edit in edits]) else fold(kind, edits)
    )
    amira.write(INCIDENT, spoilt)
    amira.write(INCIDENT)
    answer = await amira.sync()
    assert [receipt["outcome"] for receipt in answer["receipts"]] == ["held", "taken"]


async def test_ten_thousand_waiting_edits_of_one_record_all_arrive(school: School) -> None:
    """A tenth of that here: what matters is that each batch reads and folds a long history."""
    amira = school.phone("amira")
    record = amira.write(INCIDENT)["record"]
    for n in range(999):
        amira.write({"lesson": f"9X/{n}"}, record)
    await amira.sync_all()
    assert (amira.records[record]["edits"], amira.records[record]["body"]["lesson"]) == (1000, "9X/998")
    assert (await told(amira))["wanted"] == []
