"""A demo as it lies in the database, on both engines: made through the real exchange, believable, and the same from the same seed."""

import asyncio
import io
import json
import re
import shlex
from collections.abc import AsyncIterator
from typing import Any

import pytest

from server.__main__ import main as operator
from server.demo import command
from server.demo.made import make
from server.demo.post import PostOffice
from server.demo.school import SECOND, clock, local
from server.demo.staffroom import OUTSIDER, SIGN_INS
from server.kinds import KINDS
from server.settings import Settings
from server.store.database import Tx, close_database, open_database, reading, writing
from server.sync.check import rebuild_all
from tests.conftest import apart, copy_of
from tests.databases import Databases

AS_AT = command.moment("2026-11-24T11:31")  # a Tuesday
HASHED = "not a hash: nobody can sign in with it"
PLANNED = {"not at this school", "not in the school’s list of places", "this is not yours to write in"}


async def made(seed: int = 1, as_at: int = AS_AT) -> list[PostOffice]:
    return await make("small", seed, as_at, HASHED, lambda what, done, of: None)


@pytest.fixture(scope="module")
def offices(databases: Databases) -> list[PostOffice]:
    """The post offices of a demo that lies in the template `demo`."""
    found: list[PostOffice] = []

    async def fill() -> None:
        await databases.copy("empty", "demo")
        await open_database(Settings(database=databases.address("demo")))
        try:
            found.extend(await made())
        finally:
            await close_database()

    apart(fill())
    return found


@pytest.fixture
async def demo(databases: Databases, offices: list[PostOffice]) -> AsyncIterator[list[PostOffice]]:
    async with copy_of(databases, "demo"):
        yield offices


async def rows(sql: str, *args: Any) -> list[Any]:
    return await reading(lambda tx: tx.rows(sql, *args))


async def one(sql: str, *args: Any) -> Any:
    return (await rows(sql, *args))[0][0]


# ── The same again ─────────────────────────────────────────────────────────────────────────


async def dump(tx: Tx) -> bytes:
    """Every row of every table, byte for byte."""
    tables = ("school", "list_entry", "term", "closed_day", "period", "attendance_day", "staff", "caseload", "pupil", "contact", "counter",
              "step", "edit", "record", "record_pupil", "record_staff", "record_link", "phone", "reading", "audit")  # fmt: skip
    found = {table: sorted(repr(tuple(row)) for row in await tx.rows(f"select * from {table}")) for table in tables}
    return json.dumps(found, ensure_ascii=False).encode()


async def test_the_same_seed_and_day_make_the_same_bytes_and_others_do_not(databases: Databases):
    dumps = []
    for seed, as_at in ((1, AS_AT), (1, AS_AT), (2, AS_AT - 24 * 3600 * SECOND)):
        async with copy_of(databases, "empty"):
            await made(seed, as_at)
            dumps.append(await reading(dump))
    assert len(dumps[0]) > 500_000
    assert dumps[0] == dumps[1]
    assert dumps[0] != dumps[2]


# ── What is in it ──────────────────────────────────────────────────────────────────────────


async def test_its_history_is_true(demo):
    for office in demo:
        assert await reading(rebuild_all, office.school.id) == []
        assert office.refused == []


async def test_there_are_records_of_every_kind_by_many_hands(demo):
    kinds = {row[0]: row[1] for row in await rows("select kind, count(*) from record group by kind")}
    assert set(kinds) == set(KINDS)
    assert kinds["incident"] > 40
    assert await one("select count(distinct author) from record") > 20
    assert await one("select count(*) from record where state = 'closed'") > 10
    assert await one("select count(*) from edit") > 1.5 * await one("select count(*) from record")


async def test_what_is_held_is_what_was_meant_to_be_and_some_of_it_is_settled(demo):
    held = await rows("select because, settled_how from edit where outcome = 'held'")
    for because, _ in held:
        for words in json.loads(because).values():
            assert words in PLANNED or words.startswith("too long"), words
    assert {how for _, how in held} >= {None, "amended"}


async def test_some_disagree_and_nobody_has_decided(demo):
    disputes = [json.loads(row[0]) for row in await rows("select disputes from record where disputes is not null")]
    assert disputes
    for fields in disputes:
        for heads in fields.values():
            assert len({head["by"] for head in heads}) > 1


async def test_letters_come_late_and_clocks_run_wrong(demo):
    assert await one("select count(*) from edit where received_at - ordered_at > $1", 3600 * SECOND) > 3
    assert await one("select count(*) from edit where abs(made_at - ordered_at) > $1", 300 * SECOND) > 0


async def test_nothing_has_happened_yet_that_is_still_to_come(demo):
    for column in ("received_at", "settled_at", "ordered_at"):
        assert await one(f"select max({column}) from edit") <= AS_AT
    assert await one("select max(at) from step") <= AS_AT


async def test_todays_list_was_made_the_evening_before_in_lanyards_name_and_part_of_it_is_rung(demo):
    school = demo[0].school
    listed = [json.loads(row[0]) for row in await rows("select body from record where school = $1 and kind = 'listed_family'", school.id)]
    today = school.days[-1].isoformat()
    assert await one("select max(for_day) from morning_list where school = $1", school.id) == today
    assert any(body["for_day"]["at"].startswith(today) for body in listed)
    assert (
        await one("select count(*) from edit join staff on staff.id = edit.author where kind = 'listed_family' and name <> 'Lanyard'") == 0
    )
    links = await rows("select distinct other from record_link where field = 'listed' and school = $1", school.id)
    assert 0 < len(links) < len(listed)


async def test_today_is_unread_and_what_came_before_is_read(demo):
    school = demo[0].school
    manager = school.by_role["manager"][0].id
    unread = await rows(
        "select step.at from record join step on step.school = record.school and step.seq = record.seq"
        " left join reading on reading.school = record.school and reading.record = record.id and reading.staff = $2"
        " where record.school = $1 and (reading.seq is null or reading.seq < record.seq)",
        school.id, manager,
    )  # fmt: skip
    assert len(unread) > 2
    assert all(row[0] >= clock(school.days[-1], "00:01") for row in unread)


async def test_whoever_is_in_an_incident_was_at_school(demo):
    """Those met outside were not, and those rung about need not have been."""
    found = await rows(
        "select record.happened_at, attendance_day.am, attendance_day.pm, attendance_day.on_day from record"
        " join record_pupil on record_pupil.school = record.school and record_pupil.record = record.id"
        " join attendance_day on attendance_day.school = record.school and attendance_day.pupil = record_pupil.pupil"
        " where record.kind = 'incident' and record.state <> 'void'"
    )
    checked = 0
    for happened_at, am, pm, day in found:
        if local(happened_at).date().isoformat() == day:
            assert (am if f"{local(happened_at):%H:%M}" < "12:20" else pm) in ("/", "\\", "L", "U")
            checked += 1
    assert checked > 40


async def test_nobody_who_must_not_be_rung_was_rung(demo):
    barred = {row[0] for row in await rows("select name from contact where do_not_contact")}
    rung = [json.loads(row[0]) for row in await rows("select body from record where kind in ('attendance_call', 'contact')")]
    assert rung
    for body in rung:
        assert body.get("rung", body.get("with_whom") or "").split(",")[0] not in barred


async def test_every_word_is_somebody_s_and_no_template_shows(demo):
    bodies = [row[0] for row in await rows("select body from record")]
    for body in bodies:
        for text in _texts(json.loads(body)):
            assert not re.search(r"[{}\[\]|]|None|\s[.,]|  ", text), text


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for each in value.values() for text in _texts(each)]
    return [value] if isinstance(value, str) and " " in value else []


async def test_roles_sign_in_by_their_names_and_the_outsider_is_of_another_school(demo):
    may = {row[0]: row[1] for row in await rows("select username, school from staff where password is not null")}
    assert set(may) == {one[0] for one in (*SIGN_INS, OUTSIDER)}
    assert {school for name, school in may.items() if name != "outsider"} == {demo[0].school.id}
    assert may["outsider"] == demo[1].school.id
    assert await one("select count(*) from school where is_demo") == 2
    assert await one("select count(*) from school where settings like '%unfinished%'") == 0


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)  # a day is a day on either engine
@pytest.mark.parametrize("as_at", ["2026-11-21T11:31", "2026-08-14", "2026-09-03T09:30", "2027-02-17", "2031-05-06T14:00"])
async def test_any_day_will_do_weekends_and_holidays_too(database, as_at):
    moment = command.moment(as_at)
    await made(1, moment)
    assert await one("select count(*) from record") > 50
    assert await one("select max(received_at) from edit") <= moment


# ── The command ────────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def typed(database: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`await typed("--size", …)`: the exit code of the command, as it would be in a process of its own."""

    monkeypatch.setenv("LANYARD_DATABASE", database.database)
    monkeypatch.setenv("LANYARD_DEMO_PASSWORD", "four wet umbrellas")

    async def run(*words: str) -> int:
        await close_database()
        try:
            return await asyncio.to_thread(command.main, ["--size", "small", "--no-serve", "--as-at", "2026-11-24T11:31", *words])
        finally:
            await open_database(database)

    return run


async def test_a_demo_that_is_there_is_left_as_it_is_unless_a_fresh_one_is_asked_for(typed, capsys):
    assert await typed() == command.FINE
    assert "Sign in as teacher, responder, officer" in capsys.readouterr().out
    await writing(lambda tx: tx.run("update pupil set forename = 'Somebody'"))
    assert await typed("--seed", "2") == command.FINE
    said = capsys.readouterr().out
    assert "Millrace Academy is here already" in said
    assert "Sign in as teacher, responder, officer" in said
    assert await one("select count(distinct forename) from pupil") == 1
    assert await typed("--seed", "2", "--fresh") == command.FINE
    assert await one("select count(distinct forename) from pupil") > 20


async def test_a_fresh_one_takes_nothing_away_that_is_not_lanyards(typed, database):
    if not database.database.startswith("postgresql"):
        pytest.skip("an SQLite file is Lanyard's alone")
    await typed()
    for sql in ("create table somebody_elses (word text)", "insert into somebody_elses values ('kept')"):
        await writing(lambda tx, sql=sql: tx.run(sql))
    before = await one("select min(made_at) from school")
    assert await typed("--seed", "2", "--fresh") == command.FINE
    assert await one("select word from somebody_elses") == "kept"
    assert await one("select count(*) from school where is_demo") > 0
    assert before


async def test_the_second_time_it_says_how_to_get_a_new_password_in_a_command_that_works(typed, capsys, database, monkeypatch):
    monkeypatch.setattr("sys.argv", [".venv/bin/lanyard", "demo"])
    await typed()
    before = await one("select password from staff where username = 'teacher'")
    await typed()
    _, found, words = capsys.readouterr().out.replace("\n", " ").partition("For a new one: ")
    assert found
    program, *command_line = shlex.split(words)
    assert program == ".venv/bin/lanyard"
    monkeypatch.setattr("sys.stdin", io.StringIO("three dry umbrellas\n"))
    await close_database()
    assert await asyncio.to_thread(operator, command_line) == 0
    await open_database(database)
    assert await one("select password from staff where username = 'teacher'") != before


async def test_a_school_s_own_tools_can_read_it(typed):
    await typed()
    assert await one("select count(*) from report_incident") > 40


async def test_one_that_was_stopped_half_way_is_made_again(typed):
    sql = "insert into school (id, name, is_demo, settings, made_at) values ('x', 'Half', $1, '{\"unfinished\": true}', 0)"
    await writing(lambda tx: tx.run(sql, True))
    assert await typed() == command.FINE
    assert await one("select count(*) from school where name = 'Half'") == 0
    assert await one("select count(*) from record") > 50


async def test_a_real_school_is_never_touched(typed, capsys):
    await writing(lambda tx: tx.run("insert into school (id, name, made_at) values ('x', 'Northgate', 0)"))
    for words in ((), ("--fresh",)):
        assert await typed(*words) == command.REFUSED
    assert "Nothing was touched" in capsys.readouterr().out
    assert await one("select name from school") == "Northgate"


@pytest.mark.parametrize("text", ["soon", "2026-13-01", ""])
async def test_a_day_that_is_none_is_said(text):
    with pytest.raises(SystemExit):
        command.main(["--as-at", text])
