"""A backup is the whole school at one moment, and is never half a file."""

import asyncio
from pathlib import Path

import pytest

from server.__main__ import main
from server.settings import Settings
from server.store.backup import NotBackedUp, back_up
from server.store.database import Tx, close_database, open_database, reading, writing
from server.store.tables import Staff
from tests.test_store_numbers import steps_since
from tests.writer import draw_one

WRITES = 50


async def count_both(tx: Tx) -> tuple[int, int]:
    steps, counter = await steps_since(tx, 0), await tx.row("select seq from counter where school = 'northgate'")
    assert counter is not None
    return len(steps), counter["seq"]


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
class TestSQLite:
    async def test_it_is_taken_while_people_write_and_opens_again(self, world: Settings, tmp_path: Path) -> None:
        copy = tmp_path / "copy.db"
        writes = [asyncio.create_task(writing(draw_one)) for _ in range(WRITES)]
        await asyncio.to_thread(back_up, world, copy)
        await asyncio.gather(*writes)
        await close_database()
        await open_database(Settings(database=str(copy)))
        steps, last = await reading(count_both)
        assert steps == last
        assert await Staff.count() == 9
        assert await writing(draw_one) == last + 1

    def test_it_overwrites_nothing(self, world: Settings, tmp_path: Path) -> None:
        (tmp_path / "here").write_text("precious")
        with pytest.raises(NotBackedUp, match="there already"):
            back_up(world, tmp_path / "here")
        assert (tmp_path / "here").read_text() == "precious"

    def test_one_that_cannot_be_finished_leaves_no_file(self, world: Settings, tmp_path: Path) -> None:
        with pytest.raises(NotBackedUp, match="could not be written"):
            back_up(world, tmp_path / "nowhere" / "copy.db")
        (tmp_path / "broken.db").write_bytes(Path(world.database).read_bytes()[:50_000])
        with pytest.raises(NotBackedUp, match="could not be written"):
            back_up(Settings(database=str(tmp_path / "broken.db")), tmp_path / "copy.db")
        assert {file.name for file in tmp_path.iterdir()} == {"broken.db"}


def test_an_operator_is_told_what_was_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("LANYARD_DATABASE", str(tmp_path / "lanyard.db"))
    assert main(["backup", str(tmp_path / "copy.db")]) == 1
    assert "There is no" in capsys.readouterr().err
    assert main(["migrate"]) == 0
    assert main(["backup", str(tmp_path / "copy.db")]) == 0
    assert "copied" in capsys.readouterr().out
    monkeypatch.setenv("LANYARD_DATABASE", "postgresql://someone:secret@/school")
    assert main(["backup", str(tmp_path / "other.db")]) == 1
    told = capsys.readouterr().err
    assert "pg_dump" in told
    assert "secret" not in told
