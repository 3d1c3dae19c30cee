"""Which session an opening belongs to: it opens nothing at another desk, and ends when somebody signs out."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.store.migrations.m0001_first_tables import add

ID = "0009"
VERSION = "1.38.0"
DESCRIPTION = "Openings of a session"

TABLES = """
alter table opening add column session text not null default '';
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="lanyard", description=DESCRIPTION)
    manager.add_raw(build)
    return manager


async def build() -> None:
    await add(TABLES)
