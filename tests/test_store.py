"""The two ways to open a transaction keep their promises, on both engines."""

import asyncio
import contextlib
import functools
import shutil
import sqlite3
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from server.refusals import Busy
from server.settings import Settings
from server.store import postgres, sqlite
from server.store.database import Tx, Unreachable, close_database, open_database, reading, writing
from server.store.postgres import POOL
from server.store.sqlite import GROUP, in_sqlite
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


# ── SQLite ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
class TestSQLite:
    async def test_it_is_kept_so_that_a_receipt_outlives_the_power(self, database: Settings) -> None:
        async def pragmas(tx: Tx) -> dict[str, Any]:
            return {
                name: (await tx.rows(f"pragma {name}"))[0][0] for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            }

        kept = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}
        assert await writing(pragmas) == kept
        assert await reading(pragmas) == kept

    @pytest.mark.parametrize(("lasts_s", "commits"), [(60, 1), (-1, GROUP)])
    async def test_works_that_wait_together_share_a_commit_but_not_for_ever(
        self, database: Settings, monkeypatch: pytest.MonkeyPatch, lasts_s: int, commits: int
    ) -> None:
        monkeypatch.setattr(sqlite, "GROUP_S", lasts_s)
        said = await self.trace()
        await self.together(*(functools.partial(begin_school, school=f"school-{n:02}") for n in range(GROUP - 1)))
        assert said.count("savepoint work") == GROUP
        assert said.count("commit") == 1 + commits  # and that of the work that began to listen

    async def test_a_commit_that_fails_fails_all_who_share_it(self, database: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        async def break_it(tx: Any) -> None:
            tx.connection.execute("pragma defer_foreign_keys = on")
            await tx.run("insert into term (school, name, starts_on, ends_on) values ('nowhere', '', '', '')")

        monkeypatch.setattr(sqlite, "GROUP_S", 60)
        answers = await self.together(functools.partial(begin_school, school="northgate"), break_it)
        assert [type(answer) for answer in answers] == [sqlite3.IntegrityError] * 3
        assert await reading(schools) == []

    async def test_a_work_that_waits_for_something_else_is_refused_in_words(self, database: Settings) -> None:
        async def dawdle(tx: Tx) -> None:
            await begin_school(tx, "northgate")
            await asyncio.sleep(0)

        with pytest.raises(RuntimeError, match=r"dawdle.* only tx may be awaited"):
            await writing(dawdle)
        with pytest.raises(RuntimeError, match="only tx may be awaited"):
            await reading(lambda tx: asyncio.sleep(0))
        assert await reading(schools) == []

    async def test_a_file_held_by_another_process_is_busy(self, database: Settings) -> None:
        async def be_impatient(tx: Any) -> None:
            tx.connection.execute("pragma busy_timeout = 1")

        await writing(be_impatient)
        other = sqlite3.connect(database.database, isolation_level=None)
        other.execute("begin immediate")
        with pytest.raises(Busy) as refused:
            await writing(begin_school, "northgate")
        assert refused.value.headers["Retry-After"]
        assert await reading(schools) == []  # reading goes on
        other.close()
        await writing(begin_school, "northgate")

    async def test_no_process_writes_between_what_a_work_reads_and_what_it_writes(self, database: Settings) -> None:
        async def read_then_write(tx: Tx) -> None:
            assert await schools(tx) == []
            with sqlite3.connect(database.database, timeout=0) as other, pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("insert into school (id, name, made_at) values ('southfield', '', 1)")
            await begin_school(tx, "northgate")

        await writing(read_then_write)
        assert await reading(schools) == ["northgate"]

    async def test_a_full_disk_is_busy_and_passes(self, database: Settings) -> None:
        async def allow_pages(tx: Any, more: int) -> None:
            pages = tx.connection.execute("pragma page_count").fetchone()[0]
            tx.connection.execute(f"pragma max_page_count = {pages + more}")

        async def fill(tx: Tx) -> None:
            await tx.run("insert into school (id, name, made_at) values ('big', $1, 1)", "x" * 1_000_000)

        await writing(allow_pages, 0)
        with pytest.raises(Busy):
            await writing(fill)
        assert await reading(schools) == []
        await writing(allow_pages, 10_000)
        await writing(fill)
        assert await reading(schools) == ["big"]

    async def test_closed_it_is_one_file(self, database: Settings, tmp_path: Path) -> None:
        await writing(begin_school, "northgate")
        await close_database()
        copy = tmp_path / "copy.db"
        shutil.copyfile(database.database, copy)
        with sqlite3.connect(copy) as other:
            assert other.execute("select id from school").fetchall() == [("northgate",)]

    @staticmethod
    async def together(*works: Callable[[Tx], Awaitable[Any]]) -> list[Any]:
        """Asked for while one before them still keeps the writer."""
        gate = threading.Event()

        async def keep(tx: Tx) -> None:
            gate.wait(10)

        asked = [asyncio.create_task(writing(work)) for work in (keep, *works)]
        await asyncio.sleep(0)
        gate.set()
        return await asyncio.gather(*asked, return_exceptions=True)

    @staticmethod
    async def trace() -> list[str]:
        said: list[str] = []

        async def listen(tx: Any) -> None:
            tx.connection.set_trace_callback(lambda sql: said.append(sql.lower()))

        await writing(listen)
        return said


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


# ── PostgreSQL ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("databases", ["postgres"], indirect=True)
class TestPostgres:
    async def test_a_lost_connection_is_busy_and_comes_back(self, database: Settings) -> None:
        async def lose(tx: Tx) -> None:
            await begin_school(tx, "northgate")
            await tx.run("select pg_terminate_backend(pg_backend_pid())")

        with pytest.raises(Busy):
            await writing(lose)
        await writing(begin_school, "southfield")
        assert await reading(schools) == ["southfield"]

    async def test_what_was_committed_is_answered_though_its_connection_breaks(
        self, database: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def break_it(connection: asyncpg.Connection) -> None:
            raise asyncpg.ConnectionDoesNotExistError

        monkeypatch.setattr(postgres, "leave_as_it_is", break_it)
        await close_database()
        await open_database(database)
        for n in range(POOL + 1):
            assert await writing(begin_school, f"school-{n:02}") == f"school-{n:02}"

    async def test_connections_that_died_at_rest_come_back(self, database: Settings) -> None:
        async def end_the_others(tx: Tx) -> None:
            others = "select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
            await tx.rows(f"select pg_terminate_backend(pid) from ({others}) as others")

        await asyncio.gather(*(reading(schools) for _ in range(POOL)))
        await writing(end_the_others)
        answers = await asyncio.gather(*(reading(schools) for _ in range(POOL)), return_exceptions=True)
        assert all(answer == [] or isinstance(answer, Busy) for answer in answers)
        assert await asyncio.gather(*(reading(schools) for _ in range(POOL))) == [[]] * POOL

    async def test_tables_that_changed_under_a_remembered_statement_are_busy_once(self, database: Settings) -> None:
        async def look(tx: Tx) -> None:
            await tx.rows("select * from attempt")

        async def change(tx: Tx) -> None:
            await tx.run("alter table attempt add column since bigint")

        await writing(look)
        await writing(change)
        with pytest.raises(Busy):
            await writing(look)
        await writing(look)

    async def test_a_lock_that_others_hold_is_busy(self, world: Settings) -> None:
        async def impatient(tx: Tx) -> None:
            await tx.run("set local lock_timeout = '1ms'")
            await tx.run("update counter set seq = seq where school = 'northgate'")

        other = await asyncpg.connect(world.database)
        async with other.transaction():
            await other.execute("update counter set seq = seq where school = 'northgate'")
            with pytest.raises(Busy):
                await writing(impatient)
        await other.close()
        await writing(impatient)

    async def test_of_two_in_a_deadlock_one_is_busy(self, world: Settings) -> None:
        met = asyncio.Barrier(2)

        async def take(tx: Tx, first: str, second: str) -> None:
            await tx.run("update counter set seq = seq where school = $1", first)
            await met.wait()
            await tx.run("update counter set seq = seq where school = $1", second)

        answers = await asyncio.gather(
            writing(take, "northgate", "southfield"), writing(take, "southfield", "northgate"), return_exceptions=True
        )
        assert {type(answer) for answer in answers} == {Busy, type(None)}

    async def test_those_who_read_never_wait_for_those_who_write(self, database: Settings) -> None:
        gate = asyncio.Event()

        async def hold(tx: Tx) -> None:
            await gate.wait()

        held = [asyncio.create_task(writing(hold)) for _ in range(POOL * 2)]
        assert await asyncio.gather(*(reading(schools) for _ in range(POOL))) == [[]] * POOL
        gate.set()
        await asyncio.gather(*held)
