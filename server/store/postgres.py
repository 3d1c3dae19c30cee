"""Piccolo's PostgreSQL engine made safe: a pool that cannot leak, and writers that never keep readers waiting."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from typing import Any, Literal, TypeVar

import asyncpg
from piccolo.engine.postgres import PostgresEngine
from piccolo.query.base import Query

from server.refusals import Busy
from server.store.engines import PASSING_IN_POSTGRES, Row, passes

POOL = 16  # connections
WRITERS = 10  # of which this many may write, so that those who read never wait for those who wait for a lock
WAIT_S = 10  # for a turn, and for a connection
ANSWER_S = 60  # to one statement
SESSION = {
    "application_name": "lanyard",
    "jit": "off",  # our statements are short: compiling them costs more than running them
    "lock_timeout": "3s",
    "idle_in_transaction_session_timeout": "30s",  # a process that hangs lets go of the school
}
# Works written. Until PostgreSQL has looked into a table that fills, it remembers plans that it made for an empty one.
ANALYSED_AFTER = {5, 50, 500, 5000}
GROWING = "edit, record, record_staff, record_pupil, record_link, step, pupil, contact, staff, phone"
FAULTS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)

T = TypeVar("T")


class PostgresTx:
    engine: Literal["postgres"] = "postgres"

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection

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
        async with self.connection.transaction():
            yield


class Postgres(PostgresEngine):
    def __init__(self, address: str) -> None:
        self._writers = asyncio.Semaphore(WRITERS)
        self._works: set[asyncio.Task[Any]] = set()
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

    async def write(self, run: Callable[[Any], Awaitable[T]]) -> T:
        return await asyncio.shield(self._begin(self._write(run)))

    def _begin(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """It ends though nobody waits for it any more, and before the database is closed."""
        task = asyncio.create_task(work)
        self._works.add(task)
        task.add_done_callback(self._works.discard)
        return task

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
                await connection.execute(f"analyze {GROWING}")

    async def read(self, run: Callable[[Any], Awaitable[T]]) -> T:
        return await self._transact(run, isolation="repeatable_read", readonly=True)

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


def is_gone(connection: asyncpg.Connection) -> bool:
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:  # the pool has taken it back already
        return True


async def leave_as_it_is(connection: asyncpg.Connection) -> None:
    """We change no session's state, so there is none to reset: one round trip less for every transaction."""
