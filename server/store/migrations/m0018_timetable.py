"""The timetable: who teaches what, where and when, week by week and on one day; and when it was last taken in."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.store.migrations.m0001_first_tables import add

ID = "0018"
VERSION = "1.38.0"
DESCRIPTION = "The timetable"

TABLES = """
create table timetable (
    school text not null primary key references school (id),
    taken_at bigint not null,
    week_a text not null default ''
);

create table lesson (
    school text not null references school (id),
    staff text not null,
    on_day text not null,
    week text not null,
    weekday bigint not null,
    period text not null,
    place text not null default '',
    words text not null default '',
    primary key (school, staff, on_day, week, weekday, period),
    foreign key (school, staff) references staff (school, id)
);
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="lanyard", description=DESCRIPTION)
    manager.add_raw(build)
    return manager


async def build() -> None:
    await add(TABLES)
