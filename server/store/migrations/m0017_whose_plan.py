"""Which word of when somebody is back the school goes by: one that was written before it, and came later, does not overtake it."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.store.migrations.m0001_first_tables import add

ID = "0017"
VERSION = "1.38.0"
DESCRIPTION = "Whose plan counts"

TABLES = "alter table watch add column due_said_at bigint not null default 0;"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="lanyard", description=DESCRIPTION)
    manager.add_raw(build)
    return manager


async def build() -> None:
    await add(TABLES)
