"""Passkeys, codes and recovery codes; what a session opens; a pairing code that can be typed."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.store.migrations.m0001_first_tables import add

ID = "0007"
VERSION = "1.38.0"
DESCRIPTION = "Passkeys and the second factor"

TABLES = """
alter table session add column opens text not null default 'all';
alter table pairing add column code text;
create index pairing_by_code on pairing (code) where code is not null;

create table passkey (
    id text not null primary key,
    school text not null,
    staff text not null,
    name text not null,
    public text not null,
    counter bigint not null default 0,
    made_at bigint not null,
    used_at bigint,
    foreign key (school, staff) references staff (school, id)
);
create index passkey_by_staff on passkey (school, staff);

create table generator (
    staff text not null primary key,
    school text not null,
    secret text not null,
    step bigint not null default 0,
    made_at bigint not null,
    confirmed_at bigint,
    foreign key (school, staff) references staff (school, id)
);

create table recovery (
    school text not null,
    staff text not null,
    hash text not null,
    used_at bigint,
    primary key (staff, hash),
    foreign key (school, staff) references staff (school, id)
);

create table ticket (
    id text not null primary key,
    tries bigint not null default 0,
    ends_at bigint not null
);
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="lanyard", description=DESCRIPTION)
    manager.add_raw(build)
    return manager


async def build() -> None:
    await add(TABLES)
