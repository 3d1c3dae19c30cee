"""Everybody who brought a thing that nobody has proved, or took it in: none of them decides about it."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.store.migrations.m0001_first_tables import add

ID = "0012"
VERSION = "1.38.0"
DESCRIPTION = "Who brought it"

TABLES = """
create table brought (
    school text not null references school (id),
    staff text not null,
    thing text not null,
    primary key (school, staff, thing),
    foreign key (school, staff) references staff (school, id)
);
create index brought_by_thing on brought (school, thing);
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="lanyard", description=DESCRIPTION)
    manager.add_raw(build)
    return manager


async def build() -> None:
    await add(TABLES)
