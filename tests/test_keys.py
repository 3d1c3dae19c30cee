"""The school's keys: made anew by the operator, closed by a passphrase, and never a reason to lose what was sealed to one of before."""

import asyncio
import json
import sqlite3
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from server.__main__ import main, with_database
from server.access import grants, keys
from server.access.grants import Bearer
from server.intake import keys as intake_keys
from server.intake import opening, storing, tending
from server.intake.crate import read_crate
from server.settings import Settings, from_environment
from server.store.database import reading, writing
from tests.letters import edit
from tests.sealing import Blob, Sealer, crate
from tests.world import AMIRA, make_world

PASSPHRASE = "seven brass umbrellas"


@pytest.fixture
def a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "school.db"
    monkeypatch.setenv("LANYARD_DATABASE", str(file))
    assert main(["migrate"]) == 0
    asyncio.run(with_database(Settings(database=str(file)), writing(make_world)))
    return file


@pytest.fixture(autouse=True)
def unlocked_again() -> Any:
    yield
    keys.unlock(Settings())


def do(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(with_database(from_environment(), work))


def privates(file: Path) -> list[str]:
    with sqlite3.connect(file) as database:
        return [row[0] for row in database.execute("select private from key order by made_at, id")]


def test_new_keys_are_made_for_every_school_or_for_one_and_none_is_removed(a_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new-keys"]) == 0
    said = capsys.readouterr().out
    assert "Northgate: " in said
    assert "Southfield: " in said
    assert "Back the database up now" in said
    before = set(privates(a_file))
    assert main(["new-keys", "--school", "Northgate"]) == 0
    assert "Southfield" not in capsys.readouterr().out
    assert before < set(privates(a_file))
    assert main(["new-keys", "--school", "Nowhere"]) == 1
    with sqlite3.connect(a_file) as database, pytest.raises(sqlite3.IntegrityError, match="never removed"):
        database.execute("delete from key")


def test_check_warns_of_keys_in_the_clear_until_they_are_closed(
    a_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    do(writing(grants.grant, AMIRA))
    main(["new-keys"])
    assert main(["check"]) == 0
    assert "5 private keys lie in the database in the clear" in capsys.readouterr().out
    monkeypatch.setenv("LANYARD_KEYS_PASSPHRASE", PASSPHRASE)
    assert main(["new-keys"]) == 0
    assert "5 keys that lay in the clear are closed" in capsys.readouterr().out
    assert {private.splitlines()[0] for private in privates(a_file)} == {"-----BEGIN ENCRYPTED PRIVATE KEY-----"}
    assert main(["check"]) == 0
    assert "in the clear" not in capsys.readouterr().out
    do(writing(grants.grant, AMIRA))  # and they go on signing


def test_without_the_right_passphrase_nothing_is_served_or_made(
    a_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "passphrase"
    file.write_text(PASSPHRASE + "\n")
    monkeypatch.setenv("LANYARD_KEYS_PASSPHRASE_FILE", str(file))
    assert main(["new-keys"]) == 0
    before = privates(a_file)
    for another in ("", "another"):
        monkeypatch.setenv("LANYARD_KEYS_PASSPHRASE_FILE", "")
        monkeypatch.setenv("LANYARD_KEYS_PASSPHRASE", another)
        for command in ("serve", "check", "new-keys"):
            capsys.readouterr()
            assert main([command]) == 1, command
            said = "".join(capsys.readouterr())
            assert "LANYARD_KEYS_PASSPHRASE" in said
            assert PASSPHRASE not in said
    assert privates(a_file) == before


class Locked:
    """Amira’s phone, locked: it knows the school’s keys, seals, and hands over what it sealed."""

    def __init__(self) -> None:
        self.sealer, self.number = Sealer("amira", "amira-phone"), 0

    def learn(self) -> None:
        async def school_keys() -> None:
            await writing(lambda tx: tx.run("update phone set public = $1 where id = 'amira-phone'", self.sealer.public))
            self.sealer.learn(await intake_keys.published("northgate"), await intake_keys.list_key("northgate"))

        do(school_keys())

    def write(self) -> Blob:
        self.number += 1
        return self.sealer.seal(edit("amira-phone", self.number, "incident", {"category": "fight"}))

    def hand_over(self, *blobs: Blob) -> None:
        async def arrive() -> None:
            sent = read_crate(json.dumps(crate(*blobs)).encode())
            kept = await writing(storing.keep, Bearer(AMIRA, True, False, False), sent, 1_795_000_000_000_000)
            await opening.open_sealed("northgate", kept.hashes(AMIRA.staff))

        do(arrive())


def outcomes() -> list[tuple[Any, ...]]:
    return [tuple(row) for row in do(reading(lambda tx: tx.rows("select outcome, why from sealed order by received_at, outcome")))]


def test_what_came_while_the_key_was_locked_is_opened_when_it_is_not(a_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANYARD_KEYS_PASSPHRASE", PASSPHRASE)
    phone = Locked()
    phone.learn()
    monkeypatch.setenv("LANYARD_KEYS_PASSPHRASE", "another")
    phone.hand_over(phone.write())
    assert outcomes() == [("unopened", opening.LOCKED)]
    monkeypatch.setenv("LANYARD_KEYS_PASSPHRASE", PASSPHRASE)
    do(tending.open_all(again=True))
    assert outcomes() == [("opened", None)]


def test_after_new_keys_twice_what_was_sealed_to_any_of_them_opens_and_what_had_failed_is_tried_again(
    a_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone, sealed = Locked(), []
    for _ in range(3):
        phone.learn()
        sealed.append(phone.write())
        assert main(["new-keys"]) == 0
    assert len({blob["kid"] for blob in sealed}) == 3
    with monkeypatch.context() as broken:
        broken.setattr(opening, "unseal", lambda blob, key: None)
        phone.hand_over(*sealed)
    assert outcomes() == [("unopened", opening.BROKEN)] * 3
    assert main(["new-keys", "--school", "Southfield"]) == 0
    assert outcomes() == [("unopened", opening.BROKEN)] * 3  # another school's
    assert main(["new-keys", "--school", "Northgate"]) == 0
    assert outcomes() == [("opened", None)] * 3


def test_a_restored_school_gets_the_keys_back_that_it_had_made_since(
    a_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    phone, older, newer = Locked(), a_file.with_name("monday.db"), a_file.with_name("tuesday.db")
    phone.learn()
    assert main(["backup", str(older)]) == 0
    assert main(["new-keys"]) == 0
    assert main(["new-keys"]) == 0
    assert main(["backup", str(newer)]) == 0
    phone.learn()
    sealed = phone.write()
    for file in a_file.parent.glob(f"{a_file.name}*"):
        file.unlink()
    older.rename(a_file)
    phone.hand_over(sealed)
    assert outcomes() == [("unopened", opening.NOT_OURS)]
    for wrong, words in ((a_file.with_name("nowhere.db"), "There is no"), (a_file, "None of its keys is missing")):
        capsys.readouterr()
        assert main(["put-back-keys", str(wrong)]) == (0 if wrong == a_file else 1)
        assert words in "".join(capsys.readouterr())
    before = privates(newer)
    assert main(["put-back-keys", str(newer)]) == 0
    assert "Keys are put back for 2 schools" in capsys.readouterr().out
    assert outcomes() == [("opened", None)]
    assert privates(newer) == before
    assert main(["check"]) == 0
    phone.learn()
    assert phone.write()["kid"] == sealed["kid"]  # and phones seal to the newest again


def remembered() -> list[tuple[Any, ...]]:
    rows = do(reading(lambda tx: tx.rows("select id, school, private from key where purpose = $1 order by id", intake_keys.LIST)))
    return [tuple(row) for row in rows]


def test_the_key_that_phones_remember_is_put_back_too_where_the_school_has_none(a_file: Path) -> None:
    older, newer = a_file.with_name("monday.db"), a_file.with_name("tuesday.db")
    assert main(["backup", str(older)]) == 0
    Locked().learn()
    assert main(["backup", str(newer)]) == 0
    before = remembered()
    for file in a_file.parent.glob(f"{a_file.name}*"):
        file.unlink()
    older.rename(a_file)
    assert remembered() == []
    for _ in range(2):
        assert main(["put-back-keys", str(newer)]) == 0
        assert remembered() == before != []


@pytest.mark.parametrize("made", ["only the key that sign-in tells", "a key to seal to, too"])
def test_what_a_restored_school_made_meanwhile_stays_in_use_when_older_keys_are_put_back(a_file: Path, made: str) -> None:
    older, newer, told = a_file.with_name("monday.db"), a_file.with_name("tuesday.db"), Locked()
    assert main(["backup", str(older)]) == 0
    before = Locked()
    before.learn()
    assert main(["backup", str(newer)]) == 0
    for file in a_file.parent.glob(f"{a_file.name}*"):
        file.unlink()
    older.rename(a_file)
    if made == "a key to seal to, too":
        told.learn()
    pinned = do(intake_keys.list_key("northgate"))
    assert main(["put-back-keys", str(newer)]) == 0
    assert do(intake_keys.list_key("northgate")) == pinned
    first = told.sealer.keys
    told.learn()  # believes the list, by the key that it was told
    assert told.sealer.keys == first + before.sealer.keys
    before.hand_over(before.write())  # its own signing key is not the one the school knows: what counts is that it opens
    assert outcomes() == [("opened", None)]


def test_keys_that_the_passphrase_does_not_open_are_not_put_back(
    a_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    closed = a_file.with_name("closed.db")
    assert main(["new-keys"]) == 0
    monkeypatch.setenv("LANYARD_KEYS_PASSPHRASE", PASSPHRASE)
    a_copy = a_file.with_name("copy.db")
    assert main(["backup", str(a_copy)]) == 0
    monkeypatch.setenv("LANYARD_DATABASE", str(a_copy))
    assert main(["new-keys"]) == 0
    a_copy.rename(closed)
    monkeypatch.setenv("LANYARD_DATABASE", str(a_file))
    monkeypatch.setenv("LANYARD_KEYS_PASSPHRASE", "another")
    before = privates(a_file)
    capsys.readouterr()
    assert main(["put-back-keys", str(closed)]) == 1
    assert "Nothing was changed" in capsys.readouterr().err
    assert privates(a_file) == before


@pytest.mark.parametrize(
    "words",
    [
        ["check"],
        ["serve"],
        ["new-keys"],
        ["import", "pupils", "pupils.csv"],
        ["set-password", "amira"],
        ["new-school", "A", "--admin", "a", "--full-name", "A"],
        ["backup", "copy.db"],
    ],
)
def test_a_mistyped_database_is_said_to_be_missing_and_none_is_made(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LANYARD_DATABASE", "lanyrad.db")
    assert main(words) == 1
    said = capsys.readouterr().err
    assert "here is no" in said
    assert "lanyrad.db" in said
    assert words[0] == "backup" or "`lanyard migrate` or `lanyard demo` makes one" in said
    assert list(tmp_path.iterdir()) == []
