"""What only SQLite can do to us: files that are locked, disks that are full, commits that are shared."""

import asyncio
import functools
import shutil
import sqlite3
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from server.refusals import Busy
from server.settings import Settings
from server.store import sqlite
from server.store.database import Tx, close_database, reading, writing
from server.store.sqlite import GROUP
from tests.test_store import begin_school, schools

pytestmark = pytest.mark.parametrize("databases", ["sqlite"], indirect=True)


async def test_it_is_kept_so_that_a_receipt_outlives_the_power(database: Settings) -> None:
    async def pragmas(tx: Tx) -> dict[str, Any]:
        return {name: (await tx.rows(f"pragma {name}"))[0][0] for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")}

    kept = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}
    assert await writing(pragmas) == kept
    assert await reading(pragmas) == kept


@pytest.mark.parametrize(("lasts_s", "commits"), [(60, 1), (-1, GROUP)])
async def test_works_that_wait_together_share_a_commit_but_not_for_ever(
    database: Settings, monkeypatch: pytest.MonkeyPatch, lasts_s: int, commits: int
) -> None:
    monkeypatch.setattr(sqlite, "GROUP_S", lasts_s)
    said = await trace()
    await together(*(functools.partial(begin_school, school=f"school-{n:02}") for n in range(GROUP - 1)))
    assert said.count("savepoint work") == GROUP
    assert said.count("commit") == 1 + commits  # and that of the work that began to listen


async def test_a_commit_that_fails_fails_all_who_share_it(database: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    async def break_it(tx: Any) -> None:
        tx.connection.execute("pragma defer_foreign_keys = on")
        await tx.run("insert into term (school, name, starts_on, ends_on) values ('nowhere', '', '', '')")

    monkeypatch.setattr(sqlite, "GROUP_S", 60)
    answers = await together(functools.partial(begin_school, school="northgate"), break_it)
    assert [type(answer) for answer in answers] == [sqlite3.IntegrityError] * 3
    assert await reading(schools) == []


async def test_a_work_that_waits_for_something_else_is_refused_in_words(database: Settings) -> None:
    async def dawdle(tx: Tx) -> None:
        await begin_school(tx, "northgate")
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match=r"dawdle.* only tx may be awaited"):
        await writing(dawdle)
    with pytest.raises(RuntimeError, match="only tx may be awaited"):
        await reading(lambda tx: asyncio.sleep(0))
    assert await reading(schools) == []


async def test_a_file_held_by_another_process_is_busy(database: Settings) -> None:
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


async def test_no_process_writes_between_what_a_work_reads_and_what_it_writes(database: Settings) -> None:
    async def read_then_write(tx: Tx) -> None:
        assert await schools(tx) == []
        with sqlite3.connect(database.database, timeout=0) as other, pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("insert into school (id, name, made_at) values ('southfield', '', 1)")
        await begin_school(tx, "northgate")

    await writing(read_then_write)
    assert await reading(schools) == ["northgate"]


async def test_a_queue_that_has_grown_too_long_is_busy(database: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "WAITING", 0)
    with pytest.raises(Busy):
        await writing(begin_school, "northgate")
    assert await reading(schools) == []


async def test_a_full_disk_is_busy_and_passes(database: Settings) -> None:
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


async def test_closed_it_is_one_file(database: Settings, tmp_path: Path) -> None:
    await writing(begin_school, "northgate")
    await close_database()
    copy = tmp_path / "copy.db"
    shutil.copyfile(database.database, copy)
    with sqlite3.connect(copy) as other:
        assert other.execute("select id from school").fetchall() == [("northgate",)]


async def together(*works: Callable[[Tx], Awaitable[Any]]) -> list[Any]:
    """Asked for while one before them still keeps the writer."""
    gate = threading.Event()

    async def keep(tx: Tx) -> None:
        gate.wait(10)

    asked = [asyncio.create_task(writing(work)) for work in (keep, *works)]
    await asyncio.sleep(0)
    gate.set()
    return await asyncio.gather(*asked, return_exceptions=True)


async def trace() -> list[str]:
    said: list[str] = []

    async def listen(tx: Any) -> None:
        tx.connection.set_trace_callback(lambda sql: said.append(sql.lower()))

    await writing(listen)
    return said
