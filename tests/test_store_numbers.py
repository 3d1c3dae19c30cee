"""Numbers are dense, commit in order, and outlive the process that drew them."""

import asyncio
import json
import sqlite3
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import asyncpg
import pytest

from server.settings import Settings
from server.store import moments, numbers
from server.store.database import Tx, reading, writing
from server.store.migrations import APP
from server.store.numbers import NewStep, Place, read_place
from tests.databases import Databases
from tests.writer import HANDS, draw_one

DRAWS = 10
FOR_EVER = 10**9
EVERY = sorted(file.name[1:5] for file in Path(APP.resolved_migrations_folder_path).glob("m0*.py"))


async def steps_since(tx: Tx, seq: int) -> list[int]:
    return [row[0] for row in await tx.rows("select seq from step where school = 'northgate' and seq > $1 order by seq", seq)]


async def test_each_number_has_its_step_in_the_order_given(world: Settings) -> None:
    async def draw(tx: Tx) -> list[Place]:
        assert await numbers.lock(tx, "northgate") == 2
        assert await numbers.draw(tx, "northgate", []) == []
        return await numbers.draw(tx, "northgate", [NewStep("taken", "r", "e"), NewStep("lists")])

    async def steps(tx: Tx) -> list[tuple[object, ...]]:
        return [tuple(row) for row in await tx.rows("select seq, mark, record, edit, what from step where seq > 2 order by seq")]

    first, second = await writing(draw)
    assert await reading(steps) == [(3, first.mark, "r", "e", "taken"), (4, second.mark, None, None, "lists")]
    assert await writing(numbers.lock, "northgate") == 4
    assert await writing(numbers.lock, "southfield") == 2


async def test_a_draw_that_is_undone_leaves_no_gap(world: Settings) -> None:
    async def draw_and_fail(tx: Tx) -> None:
        await draw_one(tx)
        raise LookupError

    with pytest.raises(LookupError):
        await writing(draw_and_fail)
    assert await writing(draw_one) == 3


async def test_a_polling_reader_misses_nothing_and_sees_no_gap(world: Settings) -> None:
    async def write() -> None:
        for _ in range(DRAWS):
            await writing(draw_one)

    seen: list[int] = []
    writers = [asyncio.create_task(write()) for _ in range(HANDS)]
    polls = 0
    while len(seen) < 2 + HANDS * DRAWS:
        seen += await reading(steps_since, seen[-1] if seen else 0)
        assert seen == list(range(1, len(seen) + 1))
        polls += 1
    await asyncio.gather(*writers)
    assert polls > 2  # it did poll while they wrote
    assert await reading(steps_since, seen[-1]) == []


async def test_two_processes_write_at_once(world: Settings) -> None:
    others = [await another_process(world, DRAWS) for _ in range(2)]
    ours = await asyncio.gather(*(writing(draw_one) for _ in range(DRAWS)))
    told = [int(line) for other in others for line in (await other.communicate())[0].split()]
    assert len(told) == 2 * HANDS * DRAWS
    assert sorted(told + ours) == list(range(3, 3 + len(told) + len(ours)))


@pytest.mark.parametrize("told_before", [1, 17, 60])
async def test_a_killed_process_loses_nothing_it_had_told(world: Settings, told_before: int) -> None:
    other = await another_process(world, FOR_EVER)
    assert other.stdout is not None
    told = [int(await other.stdout.readline()) for _ in range(told_before)]
    other.kill()
    told += [int(line) for line in (await other.stdout.read()).split(b"\n")[:-1]]
    await other.wait()
    kept = await reading(steps_since, 0)
    assert set(told) <= set(kept)
    assert kept == list(range(1, len(kept) + 1))
    assert await writing(draw_one) == len(await reading(steps_since, 0))


async def test_two_that_migrate_at_once_migrate_once(databases: Databases) -> None:
    await databases.create("twice")
    address = databases.address("twice")
    code = f"import asyncio; from server.store.migrations import *; print(asyncio.run(migrate(Settings(database={address!r}))))"
    both = [await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=PIPE) for _ in range(2)]
    told = sorted([(await one.communicate())[0] for one in both])
    assert told == [f"{EVERY}\n".encode(), b"[]\n"]
    await databases.drop("twice")


async def another_process(world: Settings, how_many: int) -> Process:
    return await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.writer", world.database, str(how_many), stdout=PIPE)


# ── What a place and a moment look like ────────────────────────────────────────────────────


def test_a_place_is_read_back_as_it_was_written() -> None:
    for place in (Place(1, 0), Place(7, -1), Place(10**17, 2**63 - 1), Place(3, -(2**63))):
        assert read_place(str(place)) == place
    assert str(Place(7, -1)) == "7.ffffffffffffffff"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7",
        "7.",
        ".ffffffffffffffff",
        "07.ffffffffffffffff",
        "7.FFFFFFFFFFFFFFFF",
        "7.fff",
        "٧.ffffffffffffffff",
        "7.ffffffffffffffff\n",
    ],
)
def test_a_place_that_is_none_of_ours_is_not_read(text: str) -> None:
    assert read_place(text) is None


def test_marks_can_be_drawn_from_a_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numbers, "random_bits", lambda: 2**64 - 1)
    assert numbers._signed(numbers.random_bits()) == -1


@pytest.mark.parametrize(
    ("text", "wire"),
    [
        ("2026-11-21T08:02:11.120Z", "2026-11-21T08:02:11.120Z"),
        ("2026-11-21T08:02:11.120999Z", "2026-11-21T08:02:11.120Z"),
        ("2026-07-21T08:02:11+01:00", "2026-07-21T07:02:11.000Z"),
        ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
        ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
    ],
)
def test_a_moment_travels(text: str, wire: str) -> None:
    moment = moments.from_wire(text)
    assert moment is not None
    assert moments.to_wire(moment) == wire
    assert moments.from_wire(wire) == moment // 1000 * 1000


@pytest.mark.parametrize("text", ["", "yesterday", "2026-11-21T08:02:11", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+23:00Z", "12:00Z"])
def test_a_moment_without_a_zone_or_a_meaning_is_not_read(text: str) -> None:
    assert moments.from_wire(text) is None


def test_the_clock_can_be_set() -> None:
    moments.set_clock(lambda: 5_000_000)
    assert moments.to_wire(moments.now()) == "1970-01-01T00:00:05.000Z"
    moments.set_clock(None)
    assert moments.now() > 1_700_000_000_000_000


# ── One indexed read ───────────────────────────────────────────────────────────────────────

RECORDS = 5_000
SINCE = "select id, seq from record where school = $1 and seq > $2 order by seq limit $3"
ASKED_OFTEN = [
    (SINCE, ("northgate", RECORDS, 500), "record_by_seq"),
    (SINCE, ("northgate", RECORDS - 10, 500), "record_by_seq"),
    ("select id from edit where school = $1 and phone = $2 and number = any($3)", ("northgate", "p1", [1, 2]), "edit_by_number"),
    ("select id from edit where school = $1 and record = any($2)", ("northgate", ["r1", "r2"]), "edit_by_record"),
    ("select id from edit where school = $1 and author = $2 and held_seq > $3", ("northgate", "amira", 4990), "edit_held_by_author"),
    ("select id from edit where school = $1 and amends = any($2)", ("northgate", ["e7"]), "edit_by_amends"),
    ("select record from record_pupil where school = $1 and pupil = $2", ("northgate", "zoe"), "record_pupil_by_pupil"),
    ("select record from record_staff where school = $1 and staff = $2", ("northgate", "amira"), "record_staff_by_staff"),
    ("select id from pupil where school = $1 and seq > $2 order by seq limit $3", ("northgate", 1, 9), "pupil_by_seq"),
    ("select at from audit where school = $1 and pupil = $2 order by at", ("northgate", "zoe"), "audit_by_pupil"),
]


@pytest.fixture
async def many(world: Settings) -> Settings:
    async def fill(tx: Tx) -> None:
        numbered = f"with recursive n (i) as (select 1 union all select i + 1 from n where i < {RECORDS})"
        await tx.run(
            "insert into record (school, id, kind, seq, mark, state, author, made_at, received_at, happened_at, edits, body)"
            f" {numbered} select 'northgate', 'r' || i, 'incident', i, 1, 'open', 'amira', 1, 1, 1, 1, '{{}}' from n"
        )
        await tx.run(
            "insert into edit (school, id, phone, number, record, kind, author, role, received_at, held_seq, amends,"
            ' "values", original, outcome)'
            f" {numbered} select 'northgate', 'e' || i, 'p' || i % 9, i, 'r' || i, 'incident', 'amira', 'teacher', 1, i, 'e' || i,"
            " '{}', '{}', 'held' from n"
        )
        for table in ("record", "edit"):
            await tx.run(f"analyze {table}")

    await writing(fill)
    return world


async def test_what_is_asked_often_is_one_indexed_read(many: Settings) -> None:
    async def plan(tx: Tx, sql: str, args: tuple[object, ...]) -> str:
        if tx.engine == "sqlite":
            return "\n".join(row["detail"] for row in await tx.rows(f"explain query plan {sql}", *args))
        await tx.run("set local enable_seqscan = off")  # some of the tables here are small enough to be read whole
        await tx.run("set local enable_bitmapscan = off")
        return "\n".join(row[0] for row in await tx.rows(f"explain {sql}", *args))

    for sql, args, index in ASKED_OFTEN:
        told = await reading(plan, sql, args)
        assert index in told, told
        told = told.replace("SCAN json_each", "")  # the list that was sent
        assert not any(word in told for word in ("SCAN", "TEMP B-TREE", "Seq Scan", "Sort")), told


async def test_nothing_new_touches_a_handful_of_pages(many: Settings) -> None:
    if many.database.startswith("postgresql"):
        connection = await asyncpg.connect(many.database)
        ((told,),) = await connection.fetch(f"explain (analyze, buffers, format json) {SINCE}", "northgate", RECORDS, 500)
        await connection.close()
        (plan,) = [part["Plan"] for part in json.loads(told)]
        assert plan["Actual Rows"] == 0
        assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] <= 5
    else:
        steps = 0

        def count() -> int:
            nonlocal steps
            steps += 1
            return 0

        with sqlite3.connect(many.database) as connection:
            connection.execute("select * from record limit 1").fetchall()  # reads what tables there are
            connection.set_progress_handler(count, 1)
            assert connection.execute(SINCE.replace("$", "?"), ("northgate", RECORDS, 500)).fetchall() == []
        assert 0 < steps < 60
