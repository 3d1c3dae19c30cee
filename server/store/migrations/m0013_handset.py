"""Which handset a phone is on: a second person there is another phone, and what both held is lost together."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.store.migrations.m0001_first_tables import add

ID = "0013"
VERSION = "1.38.0"
DESCRIPTION = "Handsets"

TABLES = """
alter table phone add column handset text;
create index phone_by_handset on phone (school, handset) where handset is not null;
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="lanyard", description=DESCRIPTION)
    manager.add_raw(build)
    return manager


async def build() -> None:
    await add(TABLES)
