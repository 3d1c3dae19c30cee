"""One set of migrations for both engines, run by Piccolo in order, once each: all that are due in one transaction, or none."""

import contextlib
import io
import os
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

from piccolo.apps.migrations.commands.forwards import ForwardsMigrationManager
from piccolo.apps.migrations.tables import Migration
from piccolo.conf.apps import AppConfig, table_finder

from server.kinds.codes import attendance_codes
from server.settings import Settings
from server.store import database
from server.store.database import Tx, close_database, open_database, writing
from server.store.tables import AttendanceCode

APP = AppConfig(app_name="lanyard", migrations_folder_path=os.path.dirname(__file__))
LOCK = 8_206_117  # ours among PostgreSQL's advisory locks

os.environ.setdefault("PICCOLO_CONF", __name__)  # where Piccolo looks for `DB` while it migrates


def __getattr__(name: str) -> Any:
    if name == "DB":
        return database._engine()
    raise AttributeError(name)


async def migrate(settings: Settings) -> list[str]:
    """Brings the database up to date; answers what was done. Safe to repeat, and to start twice at once."""
    await open_database(settings, make=True)
    try:
        return await writing(_forwards)
    finally:
        await close_database()


async def drop_tables(tx: Tx) -> None:
    """All that `migrate` makes, with all that is in it and the views upon it, and nothing else. For PostgreSQL."""
    ours = [table._meta.tablename for table in table_finder(["server.store.tables"], exclude_imported=True)]
    for name in (*ours, Migration._meta.tablename):
        await tx.run(f'drop table if exists "{name}" cascade')
    for function in ("refuse", "refuse_unless_forgotten"):
        await tx.run(f"drop function if exists {function}()")


async def due(settings: Settings) -> list[str]:
    """What `migrate` would do, by name. The database is left as it is."""
    await open_database(settings)
    try:
        done = await Migration.get_migrations_which_ran(APP.app_name) if await Migration.table_exists() else []
        return sorted(_Forwards(APP.app_name).get_migration_modules(APP.resolved_migrations_folder_path).keys() - done)
    finally:
        await close_database()


async def _forwards(tx: Tx) -> list[str]:
    if tx.engine == "postgres":  # SQLite's writer is alone already
        await tx.run("set local lock_timeout = '60s'")
        await tx.run("select pg_advisory_xact_lock($1)", LOCK)
    runner = _Forwards(app_name=APP.app_name)
    await runner.create_migration_table()
    before = await Migration.get_migrations_which_ran(APP.app_name)
    with contextlib.redirect_stdout(io.StringIO()):
        await runner.run_migrations(APP)
    await _keep_reference_data(tx)
    return [name for name in await Migration.get_migrations_which_ran(APP.app_name) if name not in before]


async def _keep_reference_data(tx: Tx) -> None:
    """What the law and the DfE fix is corrected by a new version of Lanyard, for every school at once."""
    rows = attendance_codes()
    columns = [column._meta.name for column in AttendanceCode._meta.columns]
    await tx.run_many(
        f"insert into attendance_code ({', '.join(columns)}) values ({', '.join(f'${n}' for n in range(1, len(columns) + 1))})"
        f" on conflict (code, from_on) do update set {', '.join(f'{column} = excluded.{column}' for column in columns)}",
        [[row[column] for column in columns] for row in rows],
    )


class _Forwards(ForwardsMigrationManager):
    def get_migration_modules(self, folder_path: str) -> dict[str, Any]:
        modules: list[ModuleType] = [import_module(f"{__name__}.{module.name}") for module in iter_modules([folder_path])]
        return {module.ID: module for module in modules}
