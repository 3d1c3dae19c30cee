"""A timetable comes in from what the school's system exports, with cover and changes of room; each person's phone is told their own."""

from pathlib import Path
from typing import Any

import pytest

from server.imports import command
from server.morning.days import school_days_of
from server.oncall.lessons import Lesson, lessons_of, week_of
from server.store import moments
from server.store.database import Tx, reading
from server.store.moments import from_wire
from tests.exports import as_csv
from tests.test_import_taken_in import run
from tests.visitor import signed_in, the_app
from tests.world import AMIRA, BEN

HEADINGS = ("Teacher", "Day", "Period", "Room", "Class", "Date")
MONDAY = "2026-11-16"
WEEK = (("Amira Haddad", "Mon", "Period 1", "B12", "9X2 History", ""), ("Haddad, Amira", "Tue", "p1", "b12", "9X2 History", ""))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "timetable.csv"


def written(file: Path, *rows: tuple[str, ...]) -> Path:
    file.write_bytes(as_csv(HEADINGS, *rows))
    return file


async def take_in(world: Any, monkeypatch: Any, file: Path, *rows: tuple[str, ...], more: tuple[str, ...] = ("--apply",)) -> int:
    written(file, *rows)
    return await run(world, monkeypatch, file, "timetable", *more)


async def week(staff: str = "amira", today: str = MONDAY) -> list[tuple[str, str, str]]:
    """Of that day and the next five with school: when, where, and what."""

    async def read(tx: Tx) -> list[Lesson]:
        return await lessons_of(tx, "northgate", staff, today, (await school_days_of(tx, "northgate")).has_school)

    return [(lesson.starts_at[5:16], lesson.place, lesson.words) for lesson in await reading(read)]


async def test_lessons_come_in_once_and_what_cannot_be_matched_is_said(world, monkeypatch, file, capsys):
    rows = (*WEEK, ("Nobody Here", "Mon", "3", "B12", "x", ""), ("Amira Haddad", "Sun", "3", "", "x", ""))
    assert await take_in(world, monkeypatch, file, *rows, more=()) == command.SOME_ROWS
    assert await week() == []
    assert "2 would be added: Amira Haddad, Monday, Period 1, Amira Haddad, Tuesday, Period 1" in " ".join(capsys.readouterr().out.split())
    for said in ("2 were added", "2 stay as they are"):
        assert await take_in(world, monkeypatch, file, *rows) == command.SOME_ROWS
        assert said in capsys.readouterr().out
    assert await week() == [
        ("11-16T09:00", "b12", "9X2 History"), ("11-17T09:00", "b12", "9X2 History"), ("11-23T09:00", "b12", "9X2 History"),
    ]  # fmt: skip
    problems = (file.parent / "timetable-problems.csv").read_text("utf-8-sig")
    assert "is nobody on the staff list" in problems
    assert "is no day of the week" in problems


async def test_a_room_that_is_in_no_list_is_told_and_the_class_is_known_without_it(world, monkeypatch, file):
    file.write_bytes(as_csv(("Email", *HEADINGS[1:]), ("amira@northgate.example", "Mon", "2", "Room 40", "10Y1", "")))
    assert await run(world, monkeypatch, file, "timetable", "--apply") == command.FINE
    assert (await week())[0] == ("11-16T10:00", "", "10Y1")
    assert "is not in the school’s list of places" in (file.parent / "timetable-problems.csv").read_text("utf-8-sig")


async def test_cover_and_another_room_go_for_their_day_alone(world, monkeypatch, file):
    changes = (
        ("Amira Haddad", "", "1", "Canteen", "", "16/11/2026"),  # another room, the same class
        ("Amira Haddad", "", "3", "B12", "Cover: 7N Maths", "16/11/2026"),
        ("Amira Haddad", "", "1", "", "", "17/11/2026"),  # somebody else takes it
        ("Ben Price", "", "1", "B12", "Cover: 9X2 History", "17/11/2026"),
    )
    monkeypatch.setattr(command, "datetime", Today)
    assert await take_in(world, monkeypatch, file, *WEEK, *changes) == command.FINE
    assert await week() == [
        ("11-16T09:00", "canteen", "9X2 History"), ("11-16T11:20", "b12", "Cover: 7N Maths"), ("11-23T09:00", "b12", "9X2 History"),
    ]  # fmt: skip
    assert await week("ben") == [("11-17T09:00", "b12", "Cover: 9X2 History")]


class Today(command.datetime):  # type: ignore[name-defined,misc]
    @classmethod
    def now(cls, tz: Any = None) -> Any:
        return cls(2026, 11, 16, 8, tzinfo=tz)


async def test_of_whoever_the_file_tells_the_week_it_tells_all_of_it(world, monkeypatch, file, capsys):
    ben = ("Ben Price", "Wed", "4", "Yard", "Duty", "")
    await take_in(world, monkeypatch, file, *WEEK, ben)
    await take_in(world, monkeypatch, file, ("Amira Haddad", "Mon", "1", "Canteen", "9X2 History", ""))
    said = " ".join(capsys.readouterr().out.split())
    assert "1 was taken out: no longer in the file: Amira Haddad, Tuesday, Period 1" in said
    assert "1 the school has are not in this file: nothing is done about them: Ben Price" in said
    assert {place for _, place, _ in await week()} == {"canteen"}
    assert await week("ben") == [("11-18T13:10", "yard", "Duty")]


async def test_weeks_go_about_and_one_without_school_does_not_count(world, monkeypatch, file, capsys):
    rows = (("Amira Haddad", "Mon A", "1", "B12", "9X2", ""), ("Amira Haddad", "Monday Week B", "1", "Yard", "8Z1", ""))
    assert await take_in(world, monkeypatch, file, *rows) == command.REFUSED
    assert "Say which is which: --week-a" in " ".join(capsys.readouterr().out.split())
    assert await take_in(world, monkeypatch, file, *rows, more=("--apply", "--week-a", "18/11/2026")) == command.FINE
    assert await week() == [("11-16T09:00", "b12", "9X2"), ("11-23T09:00", "yard", "8Z1")]
    assert await take_in(world, monkeypatch, file, *rows) == command.FINE  # it is remembered
    assert (await week(today="2026-10-23"))[0][1:] == ("b12", "9X2")  # Monday 2 November, after half term


def test_a_week_without_school_is_passed_over():
    has_school = {"2026-10-19", "2026-11-02", "2026-11-09"}.__contains__  # and nothing in the two weeks between
    assert [week_of(day, "2026-10-19", has_school) for day in ("2026-10-21", "2026-11-04", "2026-11-09")] == ["A", "B", "A"]
    assert week_of("2026-10-19", "2026-11-04", has_school) == "B"


async def test_a_phone_is_told_its_own_lessons_and_nobody_elses(world, monkeypatch, file):
    await take_in(world, monkeypatch, file, WEEK[0], ("Ben Price", "Mon", "1", "Yard", "Secret duty", ""))
    moments.set_clock(lambda: from_wire("2026-11-16T08:00:00Z") or 0)
    try:
        amira = (await (await signed_in(the_app(), AMIRA)).get("/api/school")).json()
        ben = (await (await signed_in(the_app(), BEN)).get("/api/school")).json()
    finally:
        moments.set_clock(None)
    assert amira["lessons"][0] == {
        "starts_at": "2026-11-16T09:00:00.000Z", "ends_at": "2026-11-16T10:00:00.000Z", "place": "b12", "words": "9X2 History",
    }  # fmt: skip
    assert {lesson["words"] for lesson in ben["lessons"]} == {"Secret duty"}


@pytest.mark.parametrize(
    "columns", [("Teacher", "Day", "Room"), ("Day", "Period", "Room"), ("Teacher", "Period", "Room"), ("Teacher", "Day", "Period")]
)
async def test_a_file_that_lacks_what_is_needed_is_refused_in_words(world, monkeypatch, file, capsys, columns):
    file.write_bytes(as_csv(columns, ("a", "b", "c")))
    assert await run(world, monkeypatch, file, "timetable", "--apply") == command.REFUSED
    assert "There is no" in capsys.readouterr().out
