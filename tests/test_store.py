"""The two ways to open a transaction keep their promises, on both engines."""

import asyncio
import contextlib
import sqlite3
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from server.settings import Settings
from server.store import sqlite
from server.store.database import Tx, Unreachable, close_database, open_database, reading, writing
from server.store.postgres import POOL
from server.store.sqlite import in_sqlite
from server.store.tables import Pupil, School, Staff

FAULTS = (sqlite3.Error, asyncpg.PostgresError)


async def begin_school(tx: Tx, school: str) -> str:
    await tx.run("insert into school (id, name, made_at) values ($1, $2, 1)", school, school.title())
    return school


async def schools(tx: Tx) -> list[str]:
    return [row[0] for row in await tx.rows("select id from school order by id")]


# ── What a transaction promises ────────────────────────────────────────────────────────────


async def test_what_was_written_is_read(database: Settings) -> None:
    assert await writing(begin_school, "northgate") == "northgate"
    assert await reading(schools) == ["northgate"]


async def test_a_row_is_read_by_index_and_by_name(world: Settings) -> None:
    async def look(tx: Tx) -> None:
        row = await tx.row("select forename, address_withheld, left_at from pupil where id = $1", "jose")
        assert row is not None
        assert (row[0], row["forename"], tuple(row)) == ("José", "José", ("José", True, None))
        assert row["address_withheld"] is True
        assert await tx.row("select id from pupil where id = $1", "nobody") is None

    await reading(look)


async def test_a_work_that_fails_is_undone_whole(database: Settings) -> None:
    async def fail(tx: Tx) -> None:
        await begin_school(tx, "northgate")
        raise LookupError("no such key")

    with pytest.raises(LookupError, match="no such key"):
        await writing(fail)
    assert await reading(schools) == []


async def test_a_work_that_fails_leaves_its_neighbours_alone(database: Settings) -> None:
    async def fail(tx: Tx) -> None:
        await begin_school(tx, "southfield")
        raise LookupError

    answers = await asyncio.gather(
        writing(begin_school, "eastmoor"), writing(fail), writing(begin_school, "westholme"), return_exceptions=True
    )
    assert isinstance(answers[1], LookupError)
    assert await reading(schools) == ["eastmoor", "westholme"]


async def test_a_savepoint_undoes_only_its_own_part(database: Settings) -> None:
    async def two_deep(tx: Tx) -> None:
        async with tx.savepoint():
            await begin_school(tx, "southfield")
            async with tx.savepoint():
                await begin_school(tx, "northgate")

    async def work(tx: Tx) -> None:
        await begin_school(tx, "northgate")
        with pytest.raises(FAULTS):
            await two_deep(tx)
        async with tx.savepoint():
            await begin_school(tx, "westholme")

    await writing(work)
    assert await reading(schools) == ["northgate", "westholme"]


async def test_a_commit_that_fails_writes_nothing_and_loses_no_connection(database: Settings) -> None:
    async def promise(tx: Tx) -> None:
        await tx.run("create table promise (school text references school (id) deferrable initially deferred)")

    async def break_it(tx: Tx) -> None:
        await begin_school(tx, "northgate")
        await tx.run("insert into promise (school) values ('nowhere')")

    await writing(promise)
    for _ in range(POOL + 1):
        with pytest.raises((sqlite3.IntegrityError, asyncpg.ForeignKeyViolationError)):
            await writing(break_it)
    assert await reading(schools) == []
    await writing(begin_school, "northgate")


async def test_a_caller_who_goes_away_tears_nothing(database: Settings) -> None:
    async def both(tx: Tx) -> None:
        await begin_school(tx, "northgate")
        await begin_school(tx, "southfield")

    asked = asyncio.create_task(writing(both))
    await asyncio.sleep(0)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    await close_database()
    await open_database(database)
    assert await reading(schools) == ["northgate", "southfield"]


async def test_closing_does_first_what_was_asked_for(database: Settings) -> None:
    asked = [asyncio.create_task(writing(begin_school, f"school-{n:02}")) for n in range(40)]
    await asyncio.sleep(0)
    await close_database()
    assert len(await asyncio.gather(*asked)) == 40
    await open_database(database)
    assert len(await reading(schools)) == 40


async def test_a_closed_database_says_so(database: Settings) -> None:
    await close_database()
    await close_database()
    with pytest.raises(RuntimeError, match="No database is open"):
        await writing(begin_school, "northgate")


async def test_reading_sees_one_moment(database: Settings) -> None:
    async def write_beside(tx: Tx) -> None:
        statement = "insert into school (id, name, made_at) values ('southfield', '', 1)"
        if tx.engine == "sqlite":
            with sqlite3.connect(database.database) as other:
                other.execute(statement)
        else:
            connection = await asyncpg.connect(database.database)
            await connection.execute(statement)
            await connection.close()

    async def read_twice(tx: Tx) -> list[list[str]]:
        before = await schools(tx)
        await write_beside(tx)
        return [before, await schools(tx)]

    await writing(begin_school, "northgate")
    assert await reading(read_twice) == [["northgate"], ["northgate"]]
    assert await reading(schools) == ["northgate", "southfield"]


async def test_reading_cannot_write(database: Settings) -> None:
    with pytest.raises(FAULTS):
        await reading(begin_school, "northgate")
    assert await reading(schools) == []


# ── What travels ───────────────────────────────────────────────────────────────────────────


async def test_a_list_of_any_length_goes_in_as_one_value(database: Settings) -> None:
    ids = [f"school-{n:05}" for n in range(40_000)]

    async def work(tx: Tx) -> tuple[int, int, int, int]:
        await tx.run_many("insert into school (id, name, made_at) values ($1, '', 1)", [(school,) for school in ids[::4]])
        count = "select count(*) from school where id "
        rows = [
            await tx.row(count + "= any($1)", ids),
            await tx.row(count + "= any($1)", []),
            await tx.row(count + "<> all($1)", ids[:8]),
            await tx.row(count + "<> all($1)", []),
        ]
        return tuple(row[0] for row in rows if row is not None)  # type: ignore[return-value]

    assert await writing(work) == (10_000, 0, 9_998, 10_000)


@pytest.mark.parametrize("text", ["", "Zoë 🏫👩🏽‍🏫", "שלום «מורה»", "' ; -- $1 ?1 {x} %s", "é" * 32_000, "\u2028\x7f"])
async def test_text_comes_back_as_it_went_in(database: Settings, text: str) -> None:
    async def work(tx: Tx) -> Any:
        await tx.run("insert into school (id, name, made_at) values ('s', $1, 1)", text)
        row = await tx.row("select name from school where name = any($1)", [text])
        return row and row["name"]

    assert await writing(work) == text


async def test_numbers_keep_all_their_bits(database: Settings) -> None:
    ends = [-(2**63), 2**63 - 1]

    async def work(tx: Tx) -> list[int]:
        await tx.run_many("insert into attempt (key, failed_at) values ($1, $2)", [(str(end), end) for end in ends])
        return [row[0] for row in await tx.rows("select failed_at from attempt order by failed_at")]

    assert await writing(work) == ends


async def test_text_is_ordered_by_its_bytes(database: Settings) -> None:
    async def work(tx: Tx) -> list[str]:
        for school in ("b", "B", "a-1", "a1", "é", "z"):
            await begin_school(tx, school)
        return await schools(tx)

    assert await writing(work) == ["B", "a-1", "a1", "b", "z", "é"]


def test_the_spelling_of_a_list_changes_for_sqlite_and_nothing_else() -> None:
    assert in_sqlite("select $1, x=ANY( $12 ) and y <> all($2)") == (
        "select ?1, x in (select value from json_each(?12)) and y not in (select value from json_each(?2))"
    )
    assert in_sqlite("select many($1), '$.a' -> $2") == "select many(?1), '$.a' -> ?2"


# ── Piccolo's own queries ──────────────────────────────────────────────────────────────────


async def test_piccolo_reads_and_writes_outside_a_transaction(world: Settings) -> None:
    await Pupil.update({Pupil.form: "9 XYZ", Pupil.address_withheld: True}).where(Pupil.id == "zoe")
    assert await Pupil.select(Pupil.form, Pupil.address_withheld).where(Pupil.id == "zoe").first() == {
        "form": "9 XYZ",
        "address_withheld": True,
    }
    assert await Staff.count().where(Staff.role.is_in(["teacher", "manager"])) == 3
    ada = await Staff.objects().get(Staff.id == "ada")
    assert ada is not None
    ada.name = "Ada Lovell"
    await ada.save()
    assert await Staff.exists().where(Staff.name == "Ada Lovell")


async def test_piccolo_writes_in_the_transaction_it_stands_in(world: Settings) -> None:
    async def work(tx: Tx, fails: bool) -> None:
        await tx.query(Staff.update({Staff.role: "leader"}).where(Staff.id == "amira"))
        await Staff.update({Staff.role: "leader"}).where(Staff.id == "ben")
        assert len(await tx.rows("select id from staff where role = 'leader'")) == 3
        if fails:
            raise LookupError

    leaders = Staff.count().where(Staff.role == "leader")
    with pytest.raises(LookupError):
        await writing(work, fails=True)
    assert await leaders == 1
    await writing(work, fails=False)
    assert await leaders == 3


async def test_nobody_opens_a_transaction_by_another_way(database: Settings) -> None:
    with pytest.raises(RuntimeError, match="writing"):
        async with School._meta.db.transaction():
            pass


def test_a_new_file_that_is_locked_at_once_is_tried_again(tmp_path: Path) -> None:
    class LockedTwice(sqlite3.Connection):
        """SQLite does so, rarely, when several processes begin one file together."""

        refused = 0

        def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
            if "journal_mode" in sql and self.refused < 2:
                self.refused += 1
                locked = sqlite3.OperationalError("database is locked")
                locked.sqlite_errorcode = sqlite3.SQLITE_BUSY
                raise locked
            return super().execute(sql, *args)

    with contextlib.closing(sqlite3.connect(tmp_path / "new.db", factory=LockedTwice)) as connection:
        sqlite.keep_log(connection)
        assert connection.refused == 2


@pytest.mark.parametrize("address", ["/nowhere/at/all/lanyard.db", "postgresql://someone:secret@/x?host=/nowhere", "postgresql://["])
async def test_a_database_that_cannot_be_opened_is_said_without_its_password(address: str) -> None:
    with pytest.raises(Unreachable) as told:
        await open_database(Settings(database=address))
    assert "LANYARD_DATABASE" in str(told.value)
    assert "secret" not in str(told.value)
