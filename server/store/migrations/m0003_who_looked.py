"""Who looked at a record, and what went to phones, is found without reading the whole access log."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.store.tables import School

ID = "0003"
VERSION = "1.38.0"
DESCRIPTION = "The access log by record, and what went to phones"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="lanyard", description=DESCRIPTION)
    manager.add_raw(build)
    return manager


async def build() -> None:
    engine = School._meta.db
    await engine.run_ddl("create index audit_by_record on audit (school, record, at) where record is not null")
    await engine.run_ddl("create index audit_to_phones on audit (school, at, id) where what = 'records to phone'")
