"""A copy of the whole database, taken while it is in use and read back before it counts."""

import contextlib
import os
import sqlite3
from pathlib import Path

from server.settings import Settings


class NotBackedUp(Exception):
    """Why, in words for whoever runs the server."""


def back_up(settings: Settings, copy: Path) -> None:
    """One file, as the database stood at one moment. Raises NotBackedUp; a file that is there already is never overwritten."""
    if settings.is_postgres:
        raise NotBackedUp(f"PostgreSQL keeps its own backups: pg_dump --format=custom --file={copy} followed by your LANYARD_DATABASE.")
    if not Path(settings.database).exists():
        raise NotBackedUp(f"There is no {settings.database}.")
    if copy.exists():
        raise NotBackedUp(f"{copy} is there already.")
    unfinished = copy.with_name(f"{copy.name}.part")
    try:
        unfinished.unlink(missing_ok=True)
        _copy(settings.database, unfinished)
        _read_back(unfinished)
        unfinished.rename(copy)
    except (sqlite3.Error, OSError) as error:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise NotBackedUp(f"{copy} could not be written: {error}") from error


def _copy(database: str, copy: Path) -> None:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("vacuum into ?", [str(copy)])  # one reading: nobody waits for it, and nothing written meanwhile gets in
    with copy.open("rb+") as file:
        os.fsync(file.fileno())


def _read_back(copy: Path) -> None:
    with contextlib.closing(sqlite3.connect(copy)) as connection:
        (found,) = connection.execute("pragma integrity_check").fetchone()
    if found != "ok":
        raise sqlite3.DatabaseError(found)
