"""The only two ways to open a transaction: writing() and reading(). One database is open at a time."""

import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Concatenate, Literal, ParamSpec, Protocol, TypeVar

from piccolo.apps.migrations.tables import Migration
from piccolo.conf.apps import table_finder
from piccolo.query.base import Query
from piccolo.table import Table

from server.settings import Settings
from server.store import postgres
from server.store.engines import Row
from server.store.postgres import Postgres
from server.store.sqlite import SQLite

P = ParamSpec("P")
T = TypeVar("T")


class Tx(Protocol):
    """One open transaction. SQL is PostgreSQL's spelling of what both engines know: `$1`, `x = any($2)` for a list."""

    engine: Literal["sqlite", "postgres"]

    async def rows(self, sql: str, *args: Any) -> list[Row]: ...
    async def row(self, sql: str, *args: Any) -> Row | None: ...  # the first, or none
    async def run(self, sql: str, *args: Any) -> None: ...
    async def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None: ...
    async def query(self, query: Query[Any, T]) -> T: ...  # one of Piccolo's
    def savepoint(self) -> AbstractAsyncContextManager[None]: ...  # an exception rolls back to it, and goes on up


async def writing(work: Callable[Concatenate[Tx, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `work` answers, after its commit. Inside it only `tx` may be awaited.

    Raises whatever `work` raised, with nothing written; or Busy, when nothing is known and the same may be asked again.
    A caller who is cancelled does not stop it: it is written whole, or not at all.
    """
    return await _engine().write(lambda tx: work(tx, *args, **kwargs))


async def writing_together(school: str, work: Callable[Concatenate[Tx, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """The same, for works that come many at a time and lock this school. Those that wait share one commit, which may fail them all."""
    return await _engine().write(lambda tx: work(tx, *args, **kwargs), school=school)


async def reading(work: Callable[Concatenate[Tx, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `work` answers from one snapshot: nothing written meanwhile shows in it."""
    return await _engine().read(lambda tx: work(tx, *args, **kwargs))


async def row(sql: str, *args: Any) -> Row | None:
    """The first row that one statement finds, with no transaction round it: for what is asked at every request."""
    return await _engine().row(sql, *args)


_opened: SQLite | Postgres | None = None


def _engine() -> SQLite | Postgres:
    if _opened is None:
        raise RuntimeError("No database is open: open_database() comes first.")
    return _opened


class Unreachable(Exception):
    """The database of the settings cannot be opened; why, in words for whoever runs the server."""


async def open_database(settings: Settings, *, make: bool = False) -> None:
    """Raises Unreachable: also where there is no such file, unless one is to be made."""
    global _opened
    if _opened is not None:
        raise RuntimeError("A database is open already.")
    if not make and is_missing(settings):  # SQLite would make an empty one
        raise Unreachable(f"LANYARD_DATABASE: there is no database {settings.database}. `lanyard migrate` or `lanyard demo` makes one.")
    engine = Postgres(settings.database) if settings.is_postgres else SQLite(settings.database)
    try:
        await engine.start_connection_pool()
    except (sqlite3.Error, *postgres.FAULTS, ValueError) as error:
        place = "PostgreSQL" if settings.is_postgres else settings.database  # an address may hold a password
        raise Unreachable(f"LANYARD_DATABASE: {place} cannot be opened: {error}") from error
    _opened = engine
    ours: list[type[Table]] = [*table_finder(["server.store.tables"], exclude_imported=True), Migration]
    for table in ours:
        table._meta.db = engine


def is_missing(settings: Settings) -> bool:
    file = Path(settings.database)
    return not settings.is_postgres and file.parent.is_dir() and not file.exists()


async def close_database() -> None:
    """Safe to repeat. What was asked for before is still done."""
    global _opened
    engine, _opened = _opened, None
    if engine is not None:
        await engine.close_connection_pool()
