"""Pupils' records opened out of scope, and made-up pupils whom nobody has reason to open."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.store.migrations.m0001_first_tables import add

ID = "0006"
VERSION = "1.38.0"
DESCRIPTION = "Openings, and canaries"

TABLES = """
alter table pupil add column canary boolean not null default false;

create table opening (
    id text not null primary key,
    school text not null,
    staff text not null,
    pupil text not null,
    why text not null,
    reason text not null default '',
    at bigint not null,
    ends_at bigint not null,
    seen_at bigint,
    seen_by text,
    foreign key (school, staff) references staff (school, id),
    foreign key (school, pupil) references pupil (school, id)
);
create index opening_by_moment on opening (school, at);
create index opening_by_staff on opening (school, staff, ends_at);
create index opening_unseen on opening (school) where seen_at is null;
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="lanyard", description=DESCRIPTION)
    manager.add_raw(build)
    return manager


async def build() -> None:
    await add(TABLES)
