"""Piccolo's PostgreSQL engine made safe: a pool that cannot leak, writers that never keep readers waiting, and commits that are shared."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from typing import Any, Literal, NamedTuple, TypeVar

import asyncpg
from piccolo.engine.postgres import PostgresEngine
from piccolo.query.base import Query

from server.refusals import Busy
from server.store.engines import PASSING_IN_POSTGRES, Row, database_failed, passes

POOL = 16  # connections
WRITERS = 10  # of which this many may write, so that those who read never wait for those who wait for a lock
WAIT_S = 10  # for a turn, and for a connection
GROUP = 16  # works of one school that share a commit, at most,
GROUP_S = 0.1  # and for how long they are gathered
WAITING = 1000  # works of one school that may wait
ANSWER_S = 60  # to one statement
SESSION = {
    "application_name": "lanyard",
    "jit": "off",  # our statements are short: compiling them costs more than running them
    "lock_timeout": "3s",
    "enable_seqscan": "off",  # whatever we ask by key has its index; a plan made while a table was small is kept while it grows
    "idle_in_transaction_session_timeout": "30s",  # a process that hangs lets go of the school
}
# Works written. Until PostgreSQL has looked into a table that fills, it remembers plans that it made for an empty one.
ANALYSED_AFTER = {5, 50, 500, 5000}
GROWING = ("edit", "record", "record_staff", "record_pupil", "record_link", "step", "pupil", "contact", "staff", "phone")
FILLED = "select relname from pg_class where relname = any($1) and relkind = 'r' and pg_relation_size(oid) > 0"
FAULTS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)

T = TypeVar("T")


class PostgresTx:
    engine: Literal["postgres"] = "postgres"

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection
        self.savepoints = 0

    async def rows(self, sql: str, *args: Any) -> list[Row]:
        return await self.connection.fetch(sql, *args)  # type: ignore[no-any-return]

    async def row(self, sql: str, *args: Any) -> Row | None:
        return await self.connection.fetchrow(sql, *args)  # type: ignore[no-any-return]

    async def run(self, sql: str, *args: Any) -> None:
        await self.connection.execute(sql, *args)

    async def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        await self.connection.executemany(sql, rows)

    async def query(self, query: Query[Any, T]) -> T:
        return await query

    @contextlib.asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Not released in the end: it goes with its transaction, and that is one round trip less."""
        self.savepoints += 1
        name = f"part{self.savepoints}"
        await self.connection.execute(f"savepoint {name}")
        try:
            yield
        except BaseException:
            if not self.connection.is_closed():
                await self.connection.execute(f"rollback to {name}")
            raise


class Work(NamedTuple):
    run: Callable[[PostgresTx], Awaitable[Any]]
    answer: asyncio.Future[Any]


Answers = list[tuple[Any, BaseException | None]]  # what each work answered, or raised


class Postgres(PostgresEngine):
    """Works of one school that wait together share a transaction: each would wait for the lock of the one before it anyway."""

    def __init__(self, address: str) -> None:
        self._writers = asyncio.Semaphore(WRITERS)
        self._works: set[asyncio.Task[Any]] = set()
        self._waiting: dict[str, deque[Work]] = {}  # by school
        self._written = 0
        super().__init__({"dsn": address})

    async def check_version(self) -> None:
        """Piccolo's would connect here and now, on a thread of its own."""

    async def start_connection_pool(self, **_: Any) -> None:
        self.pool = await asyncpg.create_pool(
            self.config["dsn"],
            min_size=1,
            max_size=POOL,
            timeout=WAIT_S,
            command_timeout=ANSWER_S,
            reset=leave_as_it_is,
            server_settings=SESSION,
        )

    async def close_connection_pool(self) -> None:
        while self._works:
            await asyncio.wait(self._works)
        if self.pool:
            await self.pool.close()
        self.pool = None

    async def write(self, run: Callable[[Any], Awaitable[T]], *, school: str | None = None) -> T:
        if school is None:
            return await asyncio.shield(self._begin(self._write(run)))
        if school not in self._waiting:
            self._waiting[school] = deque()
            self._begin(self._write_all_of(school))
        if len(self._waiting[school]) >= WAITING:
            raise Busy
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        answer.add_done_callback(retrieve)
        self._waiting[school].append(Work(run, answer))
        return await asyncio.shield(answer)

    def _begin(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """It ends though nobody waits for it any more, and before the database is closed."""
        task = asyncio.create_task(work)
        self._works.add(task)
        task.add_done_callback(self._works.discard)
        task.add_done_callback(retrieve)
        return task

    async def _write_all_of(self, school: str) -> None:
        waiting = self._waiting[school]
        while waiting:
            await self._commit_together(waiting)
        del self._waiting[school]

    async def _commit_together(self, waiting: deque[Work]) -> None:
        """One that raises is rolled back alone; whatever fails the transaction fails all who share it."""
        group: list[Work] = []
        answers: Answers
        try:
            answers = await self._write(lambda tx: run_together(tx, waiting, group))
        except BaseException as error:
            if not group:  # it never came to be
                group = [waiting.popleft() for _ in range(min(GROUP, len(waiting)))]
            answers = [(None, error) for _ in group]
        for work, (result, failed) in zip(group, answers, strict=True):
            if failed is None:
                work.answer.set_result(result)
            else:
                work.answer.set_exception(failed)

    async def _write(self, run: Callable[[Any], Awaitable[T]]) -> T:
        try:
            await asyncio.wait_for(self._writers.acquire(), WAIT_S)
        except TimeoutError as error:
            raise Busy from error
        try:
            return await self._transact(run, isolation="read_committed")
        finally:
            self._writers.release()
            self._written += 1
            if self._written in ANALYSED_AFTER:
                self._begin(self._analyse())

    async def _analyse(self) -> None:
        with contextlib.suppress(Busy, *FAULTS):  # it only makes what follows quicker
            async with self._connection() as connection:
                # An empty one it would then take for empty; of one that it knows nothing about it expects ten pages.
                if filled := [row[0] for row in await connection.fetch(FILLED, GROWING)]:
                    await connection.execute(f"analyze {', '.join(filled)}")

    async def read(self, run: Callable[[Any], Awaitable[T]]) -> T:
        return await self._transact(run, isolation="repeatable_read", readonly=True)

    async def row(self, sql: str, *args: Any) -> Row | None:
        async with self._connection() as connection:
            return await connection.fetchrow(sql, *args)  # type: ignore[no-any-return]

    async def _transact(self, run: Callable[[Any], Awaitable[T]], **how: Any) -> T:
        async with self._connection() as connection, connection.transaction(**how):
            tx = PostgresTx(connection)
            before = self.current_transaction.set(tx)  # type: ignore[arg-type]  # so that Piccolo's queries inside a work run in it
            try:
                return await run(tx)
            finally:
                self.current_transaction.reset(before)

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[asyncpg.Connection]:
        if self.pool is None:
            raise RuntimeError("This database is closed.")
        try:
            connection = await self.pool.acquire(timeout=WAIT_S)
        except (*PASSING_IN_POSTGRES, OSError) as error:
            raise Busy from error
        try:
            yield connection
        except FAULTS as error:
            if passes(error) or is_gone(connection):
                raise Busy from error
            raise
        finally:
            # A connection that fails as it is given back is dropped by the pool; what was committed on it stays committed.
            with contextlib.suppress(*FAULTS):
                await self.pool.release(connection)

    async def _run_in_pool(self, query: str, args: Sequence[Any] | None = None) -> list[Any]:
        async with self._connection() as connection:
            return await connection.fetch(query, *args or ())  # type: ignore[no-any-return]

    def transaction(self, allow_nested: bool = True) -> Any:
        if not self.transaction_exists():
            raise RuntimeError("Transactions are opened by writing() and reading() only.")
        return super().transaction(allow_nested)


async def run_together(tx: PostgresTx, waiting: deque[Work], group: list[Work]) -> Answers:
    """What each answers, or raises. What waits is taken as long as a group may last."""
    answers: Answers = []
    over_at = time.monotonic() + GROUP_S
    while waiting and len(group) < GROUP and (not group or time.monotonic() < over_at):
        group.append(waiting.popleft())
        try:
            async with tx.savepoint():
                answers.append((await group[-1].run(tx), None))
        except Exception as error:
            if database_failed(error) or tx.connection.is_closed():
                raise
            answers.append((None, error))
    return answers


def retrieve(answer: asyncio.Future[Any]) -> None:
    """Otherwise, where nobody waits any more for what failed, asyncio logs the error's own words, which may quote what somebody wrote."""
    if not answer.cancelled():
        answer.exception()


def is_gone(connection: asyncpg.Connection) -> bool:
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:  # the pool has taken it back already
        return True


async def leave_as_it_is(connection: asyncpg.Connection) -> None:
    """We change no session's state, so there is none to reset: one round trip less for every transaction."""
