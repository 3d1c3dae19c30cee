"""What rings a phone: where its browser's push service listens, what is to be said to whom, and what became of it on each phone."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.store.migrations.m0001_first_tables import add

ID = "0010"
VERSION = "1.38.0"
DESCRIPTION = "Alerts"

TABLES = """
create table subscription (
    school text not null,
    phone text not null,
    staff text not null,
    endpoint text not null,
    public text not null,
    secret text not null,
    key text not null references key (id),
    made_at bigint not null,
    checked_at bigint not null,
    rests_until bigint not null default 0,
    failures bigint not null default 0,
    retired_at bigint,
    retired_why text,
    primary key (school, phone),
    foreign key (school, phone) references phone (school, id),
    foreign key (school, staff) references staff (school, id)
);
create index subscription_by_staff on subscription (school, staff) where retired_at is null;
create index subscription_by_endpoint on subscription (endpoint) where retired_at is null;

create table alert (
    id text not null primary key,
    school text not null,
    staff text not null,
    words text not null,
    title text not null,
    body text not null,
    opens text not null,
    topic text not null,
    urgent boolean not null,
    made_at bigint not null,
    ends_at bigint not null,
    retired_at bigint,
    seconded_at bigint,
    foreign key (school, staff) references staff (school, id)
);
create index alert_by_topic on alert (school, topic, made_at);
create index alert_unseconded on alert (made_at) where urgent and seconded_at is null and retired_at is null;

create table delivery (
    alert text not null references alert (id),
    school text not null,
    phone text not null,
    token text not null,
    waiting boolean not null default true,
    claimed_until bigint not null default 0,
    tries bigint not null default 0,
    handed_at bigint,
    shown_at bigint,
    opened_at bigint,
    failed text,
    primary key (alert, phone),
    foreign key (school, phone) references subscription (school, phone)
);
create index delivery_waiting on delivery (claimed_until) where waiting;
create index delivery_by_phone on delivery (school, phone);
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="lanyard", description=DESCRIPTION)
    manager.add_raw(build)
    return manager


async def build() -> None:
    await add(TABLES)
