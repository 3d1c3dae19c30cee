"""A day's marks come in from what the school's system exports, on both engines; and the morning's list hears of them."""

from pathlib import Path
from typing import Any

import pytest

from server.imports import command
from server.morning.evening import FAMILY, Morning, make
from server.oncall.rota import moment_of
from server.oncall.steps import take_due
from server.store import moments
from server.store.database import reading, writing
from tests.exports import as_csv
from tests.test_import_taken_in import run

WIDE = ("MIS ID", "Surname", "Date", "AM", "PM")
LONG = ("MIS ID", "Date", "Session", "Mark")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "marks.csv"


async def register() -> list[tuple[Any, ...]]:
    rows = await reading(lambda tx: tx.rows("select pupil, on_day, am, pm from attendance_day order by pupil, on_day"))
    return [tuple(row) for row in rows]


async def test_a_dry_run_says_what_it_would_do_and_changes_nothing(world, monkeypatch, file, capsys):
    file.write_bytes(as_csv(WIDE, ("mis-zoe", "Ångström", "18/11/2026", "N", "N"), ("mis-li", "Wu", "18/11/2026", "/", "\\")))
    assert await run(world, monkeypatch, file, "marks") == command.FINE
    assert await register() == []
    assert await reading(lambda tx: tx.rows("select 1 from due_step")) == []
    said = " ".join(capsys.readouterr().out.split())
    assert "2 would be added: Li Wu (7 NOE), 18/11/2026, Zoë Ångström (9 KEL), 18/11/2026" in said


async def test_marks_come_in_wide_or_long_a_blank_takes_none_away_and_twice_is_once(world, monkeypatch, file):
    file.write_bytes(as_csv(WIDE, ("mis-zoe", "", "18/11/2026", "N", ""), ("mis-li", "", "2026-11-18", "/", "\\")))
    for _ in range(2):
        assert await run(world, monkeypatch, file, "marks", "--apply") == command.FINE
    assert await register() == [("li", "2026-11-18", "/", "\\"), ("zoe", "2026-11-18", "N", None)]
    assert len(await reading(lambda tx: tx.rows("select 1 from import"))) == 1
    file.write_bytes(
        as_csv(LONG, ("mis-zoe", "18/11/2026", "AM", ""), ("mis-zoe", "18/11/2026", "PM", "l"), ("mis-li", "18/11/2026", "am", "U"))
    )
    assert await run(world, monkeypatch, file, "marks", "--apply") == command.FINE
    assert await register() == [("li", "2026-11-18", "U", "\\"), ("zoe", "2026-11-18", "N", "L")]


async def test_what_cannot_be_is_left_out_and_said_row_by_row(world, monkeypatch, file):
    file.write_bytes(
        as_csv(
            WIDE,
            ("mis-zoe", "", "18/11/2026", "N", "N"),
            ("mis-zoe", "", "18/11/2026", "I", ""),
            ("mis-nobody", "", "18/11/2026", "/", "/"),
            ("mis-tom", "", "18/11/2026", "/", "/"),  # of another school
            ("mis-li", "", "18/11/2026", "QQ", ""),
            ("mis-dara", "", "18/11/1926", "/", ""),
            ("mis-jose", "", "", "/", ""),
        )
    )
    assert await run(world, monkeypatch, file, "marks", "--apply") == command.SOME_ROWS
    assert await register() == [("zoe", "2026-11-18", "N", "N")]
    told = (file.parent / "marks-problems.csv").read_text("utf-8-sig")
    for words in (
        "another mark of that session is further up",
        "is no pupil of this school",
        "is no attendance code",
        "is no day of which",
    ):
        assert words in told


@pytest.mark.parametrize("columns", [("MIS ID", "AM", "PM"), ("Surname", "Date", "AM"), ("MIS ID", "Date", "Surname")])
async def test_a_file_that_lacks_what_is_needed_is_refused_in_words(world, monkeypatch, file, capsys, columns):
    file.write_bytes(as_csv(columns, ("a", "b", "c")))
    assert await run(world, monkeypatch, file, "marks", "--apply") == command.REFUSED
    assert "There is no" in (said := capsys.readouterr().out) or "There is nothing to say whose marks they are" in said


async def test_a_list_that_was_made_before_the_marks_came_in_is_made_again(world, monkeypatch, file):
    at = moment_of("2026-11-18", "18:00")
    moments.set_clock(lambda: at)
    try:
        await writing(make, Morning("northgate"), "2026-11-19", at)
        assert await reading(lambda tx: tx.rows("select 1 from record where kind = $1", FAMILY)) == []
        file.write_bytes(as_csv(WIDE, ("mis-zoe", "", "18/11/2026", "N", "N")))
        assert await run(world, monkeypatch, file, "marks", "--apply") == command.FINE
        await take_due(at)
        assert len(await reading(lambda tx: tx.rows("select 1 from record where kind = $1", FAMILY))) == 1
    finally:
        moments.set_clock(None)
