"""What is not read yet, and what is newest, are found from an index alone: at 100,000 records, their bodies are most of the file."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.store.tables import School

ID = "0002"
VERSION = "1.38.0"
DESCRIPTION = "Records by number and by moment, with what tells who may hold them"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="lanyard", description=DESCRIPTION)
    manager.add_raw(build)
    return manager


async def build() -> None:
    engine = School._meta.db
    await engine.run_ddl("drop index record_by_seq")
    await engine.run_ddl("create index record_by_seq on record (school, seq, kind, id)")
    await engine.run_ddl("drop index record_by_moment")
    await engine.run_ddl("create index record_by_moment on record (school, happened_at, id, kind)")
