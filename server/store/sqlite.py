"""Piccolo's SQLite engine made quick and safe: one thread writes, and whoever waits together shares one commit."""

import asyncio
import contextlib
import queue
import re
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple, TypeVar

import msgspec
from piccolo.engine.sqlite import SQLiteEngine
from piccolo.query.base import Query

from server.refusals import Busy
from server.store.engines import Row, passes

READERS = 4  # threads, each with its own connection
GROUP = 32  # works that share one commit, at most,
GROUP_S = 0.05  # and for how long they are gathered
WAITING = 1000  # works that may wait to be written
BUSY_MS = 10_000  # how long another process may hold the file
STATEMENTS = 1000  # remembered in their SQLite spelling

PRAGMAS = (
    "synchronous = full",  # a receipt is a promise: it must outlive the power
    "fullfsync = on",
    "foreign_keys = on",
    "wal_autocheckpoint = 8000",  # pages: 32 MB of log
    "cache_size = -32768",  # kB
    "temp_store = memory",
)

T = TypeVar("T")


class SQLiteTx:
    """A transaction of the thread it is used on. Nothing in it ever waits, so a whole work is one step of its coroutine."""

    engine: Literal["sqlite"] = "sqlite"

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    async def rows(self, sql: str, *args: Any) -> list[Row]:
        return self.connection.execute(in_sqlite(sql), plain(args)).fetchall()

    async def row(self, sql: str, *args: Any) -> Row | None:
        rows = self.connection.execute(in_sqlite(sql), plain(args)).fetchall()  # to the end: an update returning stops half-way otherwise
        return rows[0] if rows else None

    async def run(self, sql: str, *args: Any) -> None:
        self.connection.execute(in_sqlite(sql), plain(args)).fetchall()

    async def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        self.connection.executemany(in_sqlite(sql), rows)  # a list in a row: Piccolo has taught SQLite to keep it as JSON

    async def query(self, query: Query[Any, T]) -> T:
        return await query

    @contextlib.asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        self.connection.execute("savepoint part")
        try:
            yield
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute("rollback to part")
                self.connection.execute("release part")
            raise
        self.connection.execute("release part")


@lru_cache(STATEMENTS)
def in_sqlite(sql: str) -> str:
    sql = re.sub(r"\s*=\s*any\s*\(\s*\$(\d+)\s*\)", r" in (select value from json_each(?\1))", sql, flags=re.IGNORECASE)
    sql = re.sub(r"\s*<>\s*all\s*\(\s*\$(\d+)\s*\)", r" not in (select value from json_each(?\1))", sql, flags=re.IGNORECASE)
    return re.sub(r"\$(\d+)", r"?\1", sql)


def plain(args: Sequence[Any]) -> list[Any]:
    return [msgspec.json.encode(list(arg)).decode() if isinstance(arg, list | tuple | set | frozenset) else arg for arg in args]


class Work(NamedTuple):
    run: Callable[[SQLiteTx], Awaitable[Any]]
    answer: asyncio.Future[Any]

    def settle(self, result: Any, error: BaseException | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop that asked has closed
            self.answer.get_loop().call_soon_threadsafe(self._settle, result, error)

    def _settle(self, result: Any, error: BaseException | None) -> None:
        if self.answer.cancelled():
            return
        if error is None:
            self.answer.set_result(result)
        else:
            self.answer.set_exception(error)
            self.answer.exception()  # where nobody waits any more, asyncio would log its words, which may quote what somebody wrote


Answer = tuple[Work, Any, BaseException | None]


class SQLite(SQLiteEngine):
    """A work is driven from begin to commit in one hop to the writing thread; works that wait there together share one commit."""

    def __init__(self, path: str) -> None:
        self._to_write: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._to_read: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        super().__init__(path)

    async def start_connection_pool(self) -> None:
        connections = await asyncio.to_thread(self._connect_all)
        jobs = [(self._write_on, connections[0])] + [(self._read_on, reader) for reader in connections[1:]]
        self._threads = [threading.Thread(target=job, args=(connection,), daemon=True) for job, connection in jobs]
        for thread in self._threads:
            thread.start()

    async def close_connection_pool(self) -> None:
        (writer, *readers), self._threads = self._threads, []
        for _ in readers:
            self._to_read.put(None)
        for reader in readers:
            await asyncio.to_thread(reader.join)
        self._to_write.put(None)  # last: only a connection that may write brings the log back into the file
        await asyncio.to_thread(writer.join)

    async def write(self, run: Callable[[Any], Awaitable[T]], *, school: str | None = None) -> T:
        """Whatever their `school`, all works here share their commits."""
        if self._to_write.qsize() >= WAITING:
            raise Busy
        return await self._ask(self._to_write, run)

    async def read(self, run: Callable[[Any], Awaitable[T]]) -> T:
        return await self._ask(self._to_read, run)

    async def row(self, sql: str, *args: Any) -> Row | None:
        return await self.read(lambda tx: tx.row(sql, *args))

    async def _ask(self, works: queue.SimpleQueue[Work | None], run: Callable[[Any], Awaitable[T]]) -> T:
        if not self._threads:
            raise RuntimeError("This database is closed.")
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        works.put(Work(run, answer))
        return await asyncio.shield(answer)

    # On the threads

    def _write_on(self, connection: sqlite3.Connection) -> None:
        tx = SQLiteTx(connection)
        self.current_transaction.set(tx)  # type: ignore[arg-type]  # so that Piccolo's queries inside a work run in it
        while work := self._to_write.get():
            for each, result, error in commit_together(tx, self._together(work)):
                each.settle(result, error)
        connection.close()

    def _together(self, first: Work) -> Iterator[Work]:
        """What waits, as long as a group may last: those at its head should not wait for ever for those at its end."""
        yield first
        over_at = time.monotonic() + GROUP_S  # from here: the first may have waited long for another process
        for _ in range(GROUP - 1):
            if self._to_write.empty() or time.monotonic() > over_at:
                return
            following = self._to_write.get()
            if following is None:  # closing: read it again after this group
                self._to_write.put(None)
                return
            yield following

    def _read_on(self, connection: sqlite3.Connection) -> None:
        tx = SQLiteTx(connection)
        self.current_transaction.set(tx)  # type: ignore[arg-type]
        while work := self._to_read.get():
            work.settle(*read_at_once(tx, work))
        connection.close()

    def _connect_all(self) -> list[sqlite3.Connection]:
        connections: list[sqlite3.Connection] = []
        try:
            for _ in range(1 + READERS):
                connections.append(self._connect())
        except BaseException:
            for connection in connections:
                connection.close()
            raise
        for reader in connections[1:]:
            reader.execute("pragma query_only = on")
        return connections

    def _connect(self) -> sqlite3.Connection:
        # PARSE_DECLTYPES: booleans come back as booleans, as they do from PostgreSQL.
        connection = sqlite3.connect(
            self.path, isolation_level=None, check_same_thread=False, detect_types=sqlite3.PARSE_DECLTYPES, cached_statements=512
        )
        try:
            connection.row_factory = sqlite3.Row
            connection.execute(f"pragma busy_timeout = {BUSY_MS}")  # first: the next one needs the file to itself
            keep_log(connection)
            for pragma in PRAGMAS:
                connection.execute(f"pragma {pragma}")
        except BaseException:
            connection.close()
            raise
        return connection

    # What Piccolo's own queries come through

    async def _run_in_existing_connection(
        self, connection: sqlite3.Connection, query: str, args: Any = None, query_type: str = "generic", table: Any = None
    ) -> list[dict[str, Any]]:
        return [dict(row) for row in connection.execute(query, plain(args or ())).fetchall()]

    async def _run_in_new_connection(
        self, query: str, args: Any = None, query_type: str = "generic", table: Any = None
    ) -> list[dict[str, Any]]:
        ask = self.read if query.lstrip()[:6].upper() == "SELECT" else self.write
        return await ask(lambda tx: self._run_in_existing_connection(tx.connection, query, args))

    async def get_connection(self) -> Any:
        raise RuntimeError("Transactions are opened by writing() and reading() only.")


def keep_log(connection: sqlite3.Connection) -> None:
    give_up_at = time.monotonic() + BUSY_MS / 1000
    while True:
        try:
            if connection.execute("pragma journal_mode = wal").fetchone()[0] != "wal":
                raise sqlite3.NotSupportedError("SQLite can keep no write-ahead log there")
            return
        except sqlite3.OperationalError as error:
            # Of several processes that begin a new file together, some are told at once that it is locked, whatever the timeout.
            if not passes(error) or time.monotonic() > give_up_at:
                raise
            time.sleep(0.01)


def commit_together(tx: SQLiteTx, works: Iterator[Work]) -> list[Answer]:
    """Each work with its answer, or what it raised. One that raises is rolled back alone; a commit that fails fails them all."""
    group: list[Work] = []
    answers: list[tuple[Any, BaseException | None]] = []
    try:
        for work in works:
            group.append(work)
            if not answers:
                tx.connection.execute("begin immediate")
            answers.append(attempt(tx, work))
        tx.connection.execute("commit")
    except BaseException as error:
        if tx.connection.in_transaction:
            tx.connection.execute("rollback")
        answers = [(None, as_refusal(error))] * len(group)
    return [(work, *answer) for work, answer in zip(group, answers, strict=True)]


def attempt(tx: SQLiteTx, work: Work) -> tuple[Any, BaseException | None]:
    tx.connection.execute("savepoint work")
    try:
        result = drive(work.run(tx))
    except BaseException as error:
        if not tx.connection.in_transaction:
            raise  # SQLite gave the whole transaction up: disk full, or an input/output error
        tx.connection.execute("rollback to work")
        tx.connection.execute("release work")
        return None, as_refusal(error)
    tx.connection.execute("release work")
    return result, None


def read_at_once(tx: SQLiteTx, work: Work) -> tuple[Any, BaseException | None]:
    try:
        tx.connection.execute("begin")
        return drive(work.run(tx)), None
    except BaseException as error:
        return None, as_refusal(error)
    finally:
        if tx.connection.in_transaction:
            tx.connection.execute("rollback")


def drive(work: Awaitable[T]) -> T:
    """Runs a coroutine to its end here and now."""
    assert isinstance(work, Coroutine)
    try:
        work.send(None)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    with contextlib.suppress(RuntimeError):
        work.close()
    raise RuntimeError(
        f"{getattr(work, '__qualname__', work)} waited for something that is not its transaction: inside one, only tx may be awaited."
    )


def as_refusal(error: BaseException) -> BaseException:
    if passes(error):
        busy = Busy()
        busy.__cause__ = error
        return busy
    return error
