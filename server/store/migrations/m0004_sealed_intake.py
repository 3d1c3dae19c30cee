"""What the sealed intake keeps: keys of a school, phones' own keys, vault shares, what was sealed, recovered drafts, pairing codes."""

import re

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.store.migrations.m0001_first_tables import statements
from server.store.tables import School

ID = "0004"
VERSION = "1.38.0"
DESCRIPTION = "The sealed intake"

TABLES = """
alter table key add column school text references school (id);
alter table key add column published text;
alter table phone add column public text;
create index key_by_school on key (school, purpose, made_at);

create table vault (
    school text not null,
    phone text not null,
    shares text not null default '[]',
    failures bigint not null default 0,
    rests_until bigint not null default 0,
    made_at bigint not null,
    primary key (school, phone),
    foreign key (school, phone) references phone (school, id)
);

create table sealed (
    school text not null references school (id),
    hash text not null,
    staff text not null,
    phone text not null,
    edit text not null,
    what text not null,
    kid text not null,
    lay text not null,
    sent_at bigint,
    received_at bigint not null,
    review text,
    outcome text not null default 'waiting',
    why text,
    opened_at bigint,
    primary key (school, hash),
    foreign key (school, staff) references staff (school, id)
);
create index sealed_unopened on sealed (school, received_at) where outcome <> 'opened';
create index sealed_by_phone on sealed (school, phone) where outcome <> 'opened';
create index sealed_opened on sealed (opened_at) where outcome = 'opened';

create table draft (
    school text not null,
    staff text not null,
    id text not null,
    draft text not null,
    made_at bigint not null,
    received_at bigint not null,
    primary key (school, staff, id),
    foreign key (school, staff) references staff (school, id)
);

create table pairing (
    id text not null primary key,
    school text not null,
    staff text not null,
    made_by text not null,
    made_at bigint not null,
    ends_at bigint not null,
    used_at bigint,
    phone text,
    foreign key (school, staff) references staff (school, id)
);
create index pairing_by_staff on pairing (school, staff, made_at);
"""

AS_IT_CAME = "school, hash, staff, phone, edit, what, kid, lay, sent_at, received_at, review"

# table, event, when, what it says
KEPT = [
    ("sealed", f"update of {AS_IT_CAME}", None, "what was sealed is never altered"),
    ("sealed", "delete", "old.outcome <> 'opened'", "what was sealed is kept until it has been opened"),
    ("key", "update of id, purpose, school, public, made_at", None, "a key is never altered"),
    ("key", "delete", None, "a key is never removed"),
]


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="lanyard", description=DESCRIPTION)
    manager.add_raw(build)
    return manager


async def build() -> None:
    engine = School._meta.db
    for statement in in_sqlite() if engine.engine_type == "sqlite" else in_postgres():
        await engine.run_ddl(statement)


def in_sqlite() -> list[str]:
    return statements(TABLES) + [
        f"create trigger kept_sealed_{n} before {event} on {table} {'when ' + when if when else ''}"
        f" begin select raise(abort, '{words}'); end"
        for n, (table, event, when, words) in enumerate(KEPT)
    ]


def in_postgres() -> list[str]:
    tables = re.sub(r"(?m)^((?:    |alter table \w+ add column )\S+) text\b", r'\1 text collate "C"', TABLES)
    return statements(tables) + [
        f"create trigger kept_sealed_{n} before {event} on {table} for each row"
        f" {f'when ({when})' if when else ''} execute function refuse('{words}')"
        for n, (table, event, when, words) in enumerate(KEPT)
    ]
