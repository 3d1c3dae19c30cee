"""The access log's chain: what each row said, sealed to the one before it."""

import re

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.store.migrations.m0001_first_tables import statements
from server.store.tables import School

ID = "0005"
VERSION = "1.38.0"
DESCRIPTION = "The access log's chain"

TABLES = """
create table chain (
    school text not null references school (id),
    n bigint not null,
    audit text not null,
    at bigint not null,
    hash text not null,
    primary key (school, n)
);
create index chain_by_audit on chain (audit);
create index audit_by_moment on audit (school, at, id);
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="lanyard", description=DESCRIPTION)
    manager.add_raw(build)
    return manager


async def build() -> None:
    engine = School._meta.db
    is_sqlite = engine.engine_type == "sqlite"
    for statement in statements(TABLES if is_sqlite else re.sub(r"(?m)^(    \S+) text\b", r'\1 text collate "C"', TABLES)):
        await engine.run_ddl(statement)
    for event in ("update", "delete"):
        begin = f"create trigger kept_chain_{event} before {event} on chain"
        words = "the chain is only ever added to"
        await engine.run_ddl(
            f"{begin} begin select raise(abort, '{words}'); end"
            if is_sqlite
            else f"{begin} for each row execute function refuse('{words}')"
        )
