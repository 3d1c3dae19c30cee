"""What one phone may put into the intake, and the copies that are brought to the desk."""

import re

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.store.migrations.m0001_first_tables import statements
from server.store.tables import School

ID = "0008"
VERSION = "1.38.0"
DESCRIPTION = "What a phone may bring"

TABLES = """
alter table sealed add column size bigint not null default 0;
alter table sealed add column taken_by text;
update sealed set size = length(lay);
drop index sealed_by_phone;
create index sealed_by_phone on sealed (school, phone, received_at, size);

create table saved_copy (
    school text not null references school (id),
    id text not null,
    staff text not null,
    author text not null,
    phone text not null,
    saved_at bigint,
    brought_at bigint not null,
    body text not null,
    taken_at bigint,
    told text,
    primary key (school, id),
    foreign key (school, staff) references staff (school, id),
    foreign key (school, author) references staff (school, id)
);
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="lanyard", description=DESCRIPTION)
    manager.add_raw(build)
    return manager


async def build() -> None:
    engine = School._meta.db
    is_sqlite = engine.engine_type == "sqlite"
    tables = TABLES if is_sqlite else re.sub(r"(?m)^((?:    |alter table \w+ add column )\S+) text\b", r'\1 text collate "C"', TABLES)
    for statement in statements(tables):
        await engine.run_ddl(statement)
