"""What the two engines have in common: rows, and which failures are the database's and not ours."""

import sqlite3
from collections.abc import Iterator
from typing import Any, Protocol

import asyncpg

# After these nothing is known, and the same may be asked again.
PASSING_IN_SQLITE = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL)
PASSING_IN_POSTGRES = (
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.TooManyConnectionsError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.DiskFullError,
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.InternalClientError,  # the server's last word came while the connection lay idle
    asyncpg.InvalidCachedStatementError,  # another version has just changed the tables
    TimeoutError,
)


class Row(Protocol):
    """By index and by name."""

    def __getitem__(self, key: Any) -> Any: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Any]: ...


def passes(error: BaseException) -> bool:
    return isinstance(error, PASSING_IN_POSTGRES) or code_of(error) in PASSING_IN_SQLITE


def database_failed(error: BaseException) -> bool:
    """The database itself failed, and not what was asked of it: nothing more can be done in this transaction."""
    gone = isinstance(error, asyncpg.InterfaceError) and not isinstance(error, ValueError)  # a ValueError: an argument of ours
    return gone or passes(error) or isinstance(error, OSError) or code_of(error) not in (None, sqlite3.SQLITE_ERROR)


def code_of(error: BaseException) -> int | None:
    """SQLite's own, where it could not do something; none for what it would not do."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF if isinstance(error, sqlite3.OperationalError) else None
