"""Whoever is out and to be back by a time: how each watch stands, what happened in it, and the closing words that people have set."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.store.migrations.m0001_first_tables import add

ID = "0014"
VERSION = "1.38.0"
DESCRIPTION = "Visits that somebody is watching"

TABLES = """
create table watch (
    school text not null references school (id),
    record text not null,
    kind text not null,
    workers text not null default '[]',
    buddies text not null default '[]',
    leaves_at bigint,
    left_at bigint,
    due_back_at bigint not null,
    accepted_at bigint not null,
    heard_at bigint,
    read_to bigint not null default 0,
    rung bigint not null default -1,
    put_off_at bigint,
    raised_at bigint,
    taken_by text,
    alarm_at bigint,
    unsure boolean not null default false,
    safe_at bigint,
    closed_at bigint,
    closed_by text,
    how text,
    primary key (school, record)
);
create index watch_open on watch (school, due_back_at) where closed_at is null;

create table watch_moment (
    school text not null,
    record text not null,
    n bigint not null,
    at bigint not null,
    what text not null,
    staff text,
    detail text not null default '{}',
    primary key (school, record, n),
    foreign key (school, record) references watch (school, record)
);

create table closing_words (
    school text not null,
    staff text not null,
    safe text not null,
    alarm text not null,
    set_at bigint not null,
    primary key (school, staff),
    foreign key (school, staff) references staff (school, id)
);
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="lanyard", description=DESCRIPTION)
    manager.add_raw(build)
    return manager


async def build() -> None:
    await add(TABLES)
