"""What only PostgreSQL can do to us: connections that are lost, locks that are held, deadlocks."""

import asyncio
import functools
import gc

import asyncpg
import pytest

from server.refusals import Busy
from server.settings import Settings
from server.store import numbers, postgres
from server.store.database import Tx, close_database, open_database, reading, writing, writing_together
from server.store.postgres import POOL
from tests.test_store import begin_school, schools

pytestmark = pytest.mark.parametrize("databases", ["postgres"], indirect=True)


async def test_a_lost_connection_is_busy_and_comes_back(database: Settings) -> None:
    async def lose(tx: Tx) -> None:
        await begin_school(tx, "northgate")
        await tx.run("select pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(Busy):
        await writing(lose)
    await writing(begin_school, "southfield")
    assert await reading(schools) == ["southfield"]


async def test_what_was_committed_is_answered_though_its_connection_breaks(database: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    async def break_it(connection: asyncpg.Connection) -> None:
        raise asyncpg.ConnectionDoesNotExistError

    monkeypatch.setattr(postgres, "leave_as_it_is", break_it)
    await close_database()
    await open_database(database)
    for n in range(POOL + 1):
        assert await writing(begin_school, f"school-{n:02}") == f"school-{n:02}"


async def test_connections_that_died_at_rest_come_back(database: Settings) -> None:
    async def end_the_others(tx: Tx) -> None:
        others = "select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        await tx.rows(f"select pg_terminate_backend(pid) from ({others}) as others")

    await asyncio.gather(*(reading(schools) for _ in range(POOL)))
    await writing(end_the_others)
    answers = await asyncio.gather(*(reading(schools) for _ in range(POOL)), return_exceptions=True)
    assert all(answer == [] or isinstance(answer, Busy) for answer in answers)
    assert await asyncio.gather(*(reading(schools) for _ in range(POOL))) == [[]] * POOL


async def test_plans_are_made_for_tables_as_they_fill_not_as_they_were(world: Settings) -> None:
    async def analysed(tx: Tx) -> list[str]:
        return [row[0] for row in await tx.rows("select distinct tablename from pg_stats where tablename = any($1)", ["staff", "pupil"])]

    assert await reading(analysed) == []
    for n in range(min(postgres.ANALYSED_AFTER)):
        await writing(begin_school, f"school-{n}")
    await close_database()
    await open_database(world)
    assert sorted(await reading(analysed)) == ["pupil", "staff"]


async def test_tables_that_changed_under_a_remembered_statement_are_busy_once(database: Settings) -> None:
    async def look(tx: Tx) -> None:
        await tx.rows("select * from attempt")

    async def change(tx: Tx) -> None:
        await tx.run("alter table attempt add column since bigint")

    await writing(look)
    await writing(change)
    with pytest.raises(Busy):
        await writing(look)
    await writing(look)


async def test_a_lock_that_others_hold_is_busy(world: Settings) -> None:
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


async def test_of_two_in_a_deadlock_one_is_busy(world: Settings) -> None:
    met = asyncio.Barrier(2)

    async def take(tx: Tx, first: str, second: str) -> None:
        await tx.run("update counter set seq = seq where school = $1", first)
        await met.wait()
        await tx.run("update counter set seq = seq where school = $1", second)

    answers = await asyncio.gather(
        writing(take, "northgate", "southfield"), writing(take, "southfield", "northgate"), return_exceptions=True
    )
    assert {type(answer) for answer in answers} == {Busy, type(None)}


async def test_those_who_read_never_wait_for_those_who_write(database: Settings) -> None:
    gate = asyncio.Event()

    async def hold(tx: Tx) -> None:
        await gate.wait()

    held = [asyncio.create_task(writing(hold)) for _ in range(POOL * 2)]
    assert await asyncio.gather(*(reading(schools) for _ in range(POOL))) == [[]] * POOL
    gate.set()
    await asyncio.gather(*held)


async def test_works_of_one_school_that_wait_together_share_a_commit(database: Settings) -> None:
    async def transaction(tx: Tx, school: str) -> int:
        await begin_school(tx, school)
        await numbers.lock(tx, school)
        (row,) = await tx.rows("select txid_current()")
        return int(row[0])

    async def fail(tx: Tx) -> None:
        await begin_school(tx, "nowhere")
        raise ZeroDivisionError

    works = [writing_together("northgate", transaction, f"school-{n}") for n in range(postgres.GROUP // 2)]
    *answers, failed = await asyncio.gather(*works, writing_together("northgate", fail), return_exceptions=True)
    assert len(set(answers)) == 1
    assert isinstance(failed, ZeroDivisionError)
    assert await reading(schools) == [f"school-{n}" for n in range(postgres.GROUP // 2)]


async def test_a_commit_that_fails_fails_all_who_share_it(database: Settings) -> None:
    async def break_it(tx: Tx) -> None:
        await tx.run("select pg_terminate_backend(pg_backend_pid())")

    works = [writing_together("northgate", begin_school, f"school-{n}") for n in range(3)]
    answers = await asyncio.gather(*works, writing_together("northgate", break_it), return_exceptions=True)
    assert [type(answer) for answer in answers] == [Busy] * 4
    assert await reading(schools) == []
    await writing_together("northgate", begin_school, "northgate")


async def test_the_words_of_what_failed_are_not_logged_where_nobody_waits_for_it_any_more(
    database: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    begun, gate = asyncio.Event(), asyncio.Event()

    async def fail(tx: Tx) -> None:
        begun.set()
        await gate.wait()
        raise ValueError("Zoe hit Tom")

    for write in (writing, functools.partial(writing_together, "northgate")):
        asked = asyncio.create_task(write(fail))
        await begun.wait()
        asked.cancel()
        await asyncio.wait([asked])
        gate.set()
        await asyncio.sleep(0.05)
        begun.clear()
        gate.clear()
        await writing(begin_school, f"after-{write}")
        gc.collect()
    assert "Zoe" not in caplog.text
