"""On call: what is due and when, who is on duty, the ladders that a call climbs, and the calls."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.store.migrations.m0001_first_tables import add

ID = "0011"
VERSION = "1.38.0"
DESCRIPTION = "On call"

TABLES = """
create table due_step (
    id text not null primary key,
    school text not null references school (id),
    at bigint not null,
    does text not null,
    about text not null,
    more text not null default '{}',
    not_before bigint not null,
    tries bigint not null default 0,
    taken_at bigint,
    late boolean not null default false
);
create index due_step_waiting on due_step (not_before) where taken_at is null;
create index due_step_about on due_step (school, about);

create table duty (
    school text not null references school (id),
    id text not null,
    staff text not null,
    weekday bigint not null,
    period text not null default '',
    starts text not null default '',
    ends text not null default '',
    zone text not null default '',
    part text not null default 'first',
    made_at bigint not null,
    removed_at bigint,
    primary key (school, id),
    foreign key (school, staff) references staff (school, id)
);

create table cover (
    school text not null,
    duty text not null,
    on_day text not null,
    staff text not null,
    said_by text not null,
    said_at bigint not null,
    primary key (school, duty, on_day),
    foreign key (school, duty) references duty (school, id),
    foreign key (school, staff) references staff (school, id)
);

create table shift (
    school text not null references school (id),
    id text not null,
    staff text not null,
    phone text not null,
    began_at bigint not null,
    ends_at bigint not null,
    test text not null,
    ended_at bigint,
    primary key (school, id),
    foreign key (school, staff) references staff (school, id)
);
create index shift_running on shift (school, ends_at);

create table zone (
    school text not null references school (id),
    place text not null,
    zone text not null,
    primary key (school, place)
);

create table ladder (
    school text not null references school (id),
    id text not null,
    name text not null,
    position bigint not null default 0,
    period text not null default '',
    zone text not null default '',
    rungs text not null,
    removed_at bigint,
    primary key (school, id)
);

create table call (
    school text not null references school (id),
    record text not null,
    state text not null,
    caller text not null,
    place text not null default '',
    zone text not null default '',
    urgency text not null default '',
    ladder text not null default '{}',
    asked_at bigint not null,
    received_at bigint not null,
    began_at bigint,
    rung bigint not null default -1,
    alone_at bigint,
    answered_by text,
    answered_at bigint,
    there_at bigint,
    over_at bigint,
    primary key (school, record)
);
create index call_by_state on call (school, state, received_at);

create table call_moment (
    school text not null,
    record text not null,
    n bigint not null,
    at bigint not null,
    what text not null,
    staff text,
    detail text not null default '{}',
    primary key (school, record, n),
    foreign key (school, record) references call (school, record)
);
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="lanyard", description=DESCRIPTION)
    manager.add_raw(build)
    return manager


async def build() -> None:
    await add(TABLES)
