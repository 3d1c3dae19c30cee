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
from tests.sealing import Sealer, crate
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


def test_what_came_while_the_key_was_locked_is_opened_when_it_is_not(a_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANYARD_KEYS_PASSPHRASE", PASSPHRASE)
    sealer, told = Sealer("amira", "amira-phone"), edit("amira-phone", 1, "incident", {"category": "fight"})

    async def school_keys() -> None:
        sealer.learn(await intake_keys.published("northgate"), await intake_keys.list_key("northgate"))

    async def arrive() -> None:
        await writing(lambda tx: tx.run("update phone set public = $1 where id = 'amira-phone'", sealer.public))
        sent = read_crate(json.dumps(crate(sealer.seal(told))).encode())
        hashes = await writing(storing.keep, Bearer(AMIRA, True, False, False), sent, 1_795_000_000_000_000)
        await opening.open_sealed("northgate", hashes)

    async def outcomes() -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await reading(lambda tx: tx.rows("select outcome, why from sealed"))]

    do(school_keys())
    monkeypatch.setenv("LANYARD_KEYS_PASSPHRASE", "another")
    do(arrive())
    assert do(outcomes()) == [("unopened", opening.LOCKED)]
    monkeypatch.setenv("LANYARD_KEYS_PASSPHRASE", PASSPHRASE)
    do(tending.open_all(again=True))
    assert do(outcomes()) == [("opened", None)]
