"""An import against both engines, by the words an operator types."""

import json
from pathlib import Path

import pytest

from server.imports import command, keep
from server.settings import Settings
from server.store.database import Tx, close_database, open_database, reading, writing
from server.store.ids import new_id
from tests.exports import SIMS, as_csv, as_xlsx, pupils, upn

PUPILS = ("UPN", "MIS ID", "Surname", "Forename", "DOB", "Year", "Reg")
ZOE = ("", "mis-zoe", "Ångström", "Zoë", "01/09/2012", "9", "9 KEL")
LI = ("", "mis-li", "Wu", "Li", "01/09/2012", "7", "7 NOE")


async def state(tx: Tx) -> dict[str, list[tuple[object, ...]]]:
    tables = ("pupil", "contact", "staff", "step", "counter", "import", "school")
    return {table: sorted(tuple(map(str, row)) for row in await tx.rows(f"select * from {table}")) for table in tables}


async def last(tx: Tx) -> int:
    row = await tx.row("select seq from counter where school = 'northgate'")
    assert row
    return int(row[0])


async def run(world: Settings, monkeypatch: pytest.MonkeyPatch, file: Path, *words: str) -> int:
    """The command as typed, in a thread of its own as it would be in a process of its own."""
    import asyncio

    await close_database()
    monkeypatch.setenv("LANYARD_DATABASE", world.database)
    try:
        return await asyncio.to_thread(command.main, [words[0], str(file), "--school", "northgate", *words[1:]])
    finally:
        await open_database(world)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "year9.csv"


async def test_a_dry_run_says_and_changes_nothing(world, monkeypatch, file, capsys):
    before = await reading(state)
    file.write_bytes(as_csv(PUPILS, (*ZOE[:6], "9 NEW"), ("", "", "Bell", "Nia", "", "9", ""), (upn(3), "", "Rowe", "Sam", "", "8", "8 A")))
    assert await run(world, monkeypatch, file, "pupils") == command.SOME_ROWS
    assert await reading(state) == before
    said = capsys.readouterr().out
    assert "Zoë Ångström (9 KEL): form 9 KEL → 9 NEW" in said
    assert "1 would be added: Sam Rowe (8 A)" in said
    assert "Nothing has been changed" in said
    assert "has no UPN, admission number, MIS id or date of birth" in (file.parent / "year9-problems.csv").read_text("utf-8-sig")


async def test_whoever_leaves_and_whoever_comes_back_is_told_apart_from_other_changes(world, monkeypatch, file, capsys):
    columns, nina = (*PUPILS, "Leaving Date"), "update pupil set upn = $1 where id = 'nina'"
    await writing(lambda tx: tx.run(nina, upn(9)))
    gone = ("", "mis-li", "Wu", "Li", "", "7", "7 NOE", "02/11/2026")
    file.write_bytes(as_csv(columns, (upn(9), "", "Gone", "Nina", "", "9", "9 KEL", ""), gone))
    assert await run(world, monkeypatch, file, "pupils") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "1 of them leaves the school: Li Wu (7 NOE)" in said
    assert "1 of them had left and comes back: the file has them, without a date of leaving: Nina Gone (9 KEL)" in said
    assert await reading(lambda tx: tx.rows("select id from pupil where left_at is null and id = 'nina'")) == []  # a dry run


async def test_applying_draws_one_step_and_the_second_time_none(world, monkeypatch, file):
    file.write_bytes(as_csv(PUPILS, (*ZOE[:6], "9 NEW"), LI, (upn(3), "", "Rowe", "Sam", "", "8", "8 A")))
    before = await reading(last)
    assert await run(world, monkeypatch, file, "pupils", "--apply") == command.FINE
    assert await reading(last) == before + 1
    moved = await reading(lambda tx: tx.rows("select forename from pupil where seq = $1 order by forename", before + 1))
    assert [row[0] for row in moved] == ["Sam", "Zoë"]
    once = await reading(state)
    assert await run(world, monkeypatch, file, "pupils", "--apply") == command.FINE
    assert await reading(state) == once


async def test_a_change_of_year_moves_the_rights_of_whoever_looks_after_either(world, monkeypatch, file):
    rights = "select id, rights from staff where school = 'northgate' order by id"
    before = {row[0]: row[1] for row in await reading(lambda tx: tx.rows(rights))}
    file.write_bytes(as_csv(PUPILS, (*ZOE[:5], "10", "10 CUR")))
    await run(world, monkeypatch, file, "pupils", "--apply")
    after = {row[0]: row[1] for row in await reading(lambda tx: tx.rows(rights))}
    assert {id for id in after if after[id] != before[id]} == {"hana"}


async def test_what_stands_in_the_file_reaches_only_the_school_named(world, monkeypatch, file):
    file.write_bytes(as_csv(PUPILS, ("", "mis-tom", "Hart", "Tom", "01/09/2012", "9", "9 A")))
    await run(world, monkeypatch, file, "pupils", "--apply")
    schools = await reading(lambda tx: tx.rows("select school from pupil where surname = 'Hart' order by school"))
    assert [row[0] for row in schools] == ["northgate", "southfield"]


async def test_contacts_are_taken_in_with_their_families(world, monkeypatch, file):
    headings = ("MIS ID", "Contact name", "Relationship", "Priority", "Mobile", "Court order")
    rows = [
        ("mis-zoe", "Karin Ångström", "Mother", "1", "07700 900101", ""),
        ("mis-li", "Karin Ångström", "Foster carer", "1", "07700 900101", ""),
        ("mis-li", "Wei Wu", "Father", "2", "07700 900555", "Yes"),
    ]
    file.write_bytes(as_csv(headings, *rows))
    assert await run(world, monkeypatch, file, "contacts", "--apply") == command.FINE
    person = await reading(lambda tx: tx.rows("select distinct person from contact where name = 'Karin Ångström'"))
    assert [row[0] for row in person] == ["karin"]
    family = await reading(lambda tx: tx.rows("select distinct family from pupil where id in ('zoe', 'li')"))
    assert [row[0] for row in family] == ["angstrom"]
    ana = await reading(lambda tx: tx.row("select address from contact where id = 'jose-ana'"))
    assert ana
    assert ana[0] == "1 Hidden Row"  # nobody who is not in the file is touched
    barred = await reading(lambda tx: tx.row("select do_not_contact from contact where name = 'Wei Wu'"))
    assert barred
    assert bool(barred[0]) is True
    once = await reading(state)
    assert await run(world, monkeypatch, file, "contacts", "--apply") == command.FINE
    assert await reading(state) == once


async def test_a_school_s_profile_is_kept_once_applied_and_used_by_name(world, monkeypatch, file):
    profile = file.with_name("office.json")
    profile.write_text(json.dumps({"Handle": "surname"}))
    file.write_bytes(as_csv(("MIS ID", "Handle", "Forename", "Year", "Reg"), ("mis-zoe", "Ångström", "Zoë", "9", "9 NEW")))
    assert await run(world, monkeypatch, file, "pupils", "--map", "office") == command.REFUSED
    assert await run(world, monkeypatch, file, "pupils", "--map", str(profile), "--apply") == command.FINE
    assert await run(world, monkeypatch, file, "pupils", "--map", "office", "--apply") == command.FINE


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"%PDF"])
async def test_a_file_that_is_refused_leaves_with_2_and_says_why(world, monkeypatch, file, capsys, content):
    file.write_bytes(content)
    assert await run(world, monkeypatch, file, "pupils", "--apply") == command.REFUSED
    assert "was not taken in" in capsys.readouterr().out


async def test_a_missing_file_or_school_is_said(world, monkeypatch, file, capsys):
    assert await run(world, monkeypatch, file, "pupils") == command.REFUSED
    assert "cannot be opened" in capsys.readouterr().out


async def test_one_school_s_whole_name_may_be_part_of_another_s(world, monkeypatch, file, capsys):
    await writing(lambda tx: tx.run("update school set name = 'Northgate' where id = 'northgate'"))
    await writing(lambda tx: tx.run("update school set name = 'Northgate Sixth Form' where id = 'southfield'"))
    file.write_bytes(as_csv(PUPILS, LI))
    assert await run(world, monkeypatch, file, "pupils", "--school", "Northgate") == command.FINE
    assert await run(world, monkeypatch, file, "pupils", "--school", "gate") == command.REFUSED


async def test_what_was_done_is_told_though_the_problems_cannot_be_written(world, monkeypatch, file, capsys):
    file.write_bytes(as_csv(PUPILS, LI, ("", "", "Bell", "Nia", "", "9", "")))
    file.with_name("year9-problems.csv").mkdir()
    assert await run(world, monkeypatch, file, "pupils", "--apply") == command.SOME_ROWS
    assert "cannot be written" in capsys.readouterr().out


async def test_two_thousand_pupils_are_taken_in_and_found_again(world, file):
    rows = pupils(2000)
    for content in (as_csv(SIMS, *rows), as_xlsx(SIMS, *rows)):
        table, _ = command.read_table("pupils", content, {})
        made = await writing(keep.apply, "northgate", "pupils", table, new_id, command.datetime.now().date())
        assert len(made.added) + made.unchanged == 2000
    count = await reading(lambda tx: tx.row("select count(*) from pupil where school = 'northgate'"))
    assert count
    assert count[0] == 2008
