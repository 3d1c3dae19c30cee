"""The first tables, with their keys and indexes, and the triggers that keep history as it was written."""

import re

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.store.tables import School

ID = "0001"
VERSION = "1.38.0"
DESCRIPTION = "The first tables"

TABLES = """
create table school (
    id text not null primary key,
    name text not null,
    is_demo boolean not null default false,
    ribbon text not null default '#0d6166',
    thread text not null default '#f0c24b',
    settings text not null default '{}',
    made_at bigint not null
);

create table list_entry (
    school text not null references school (id),
    list text not null,
    code text not null,
    label text not null,
    position bigint not null default 0,
    retired boolean not null default false,
    primary key (school, list, code)
);

create table term (
    school text not null references school (id),
    name text not null,
    starts_on text not null,
    ends_on text not null,
    primary key (school, name)
);

create table closed_day (
    school text not null references school (id),
    on_day text not null,
    why text not null,
    primary key (school, on_day)
);

create table period (
    school text not null references school (id),
    code text not null,
    label text not null,
    starts text not null,
    ends text not null,
    is_lesson boolean not null default true,
    primary key (school, code)
);

create table attendance_code (
    code text not null,
    from_on text not null,
    to_on text,
    meaning text not null,
    category text not null,
    is_possible boolean not null,
    is_physical boolean not null,
    source text not null,
    verified boolean not null default false,
    primary key (code, from_on)
);

create table staff (
    id text not null primary key,
    school text not null references school (id),
    username text not null unique,
    name text not null,
    role text not null,
    years text not null default '[]',
    password text,
    rights bigint not null default 1,
    left_at bigint,
    seq bigint not null default 0,
    unique (school, id)
);
create index staff_by_seq on staff (school, seq);

create table pupil (
    id text not null primary key,
    school text not null references school (id),
    mis_id text,
    upn text,
    admission_no text,
    forename text not null,
    surname text not null,
    preferred text,
    year text not null,
    form text not null,
    born_on text,
    family text,
    address text,
    address_withheld boolean not null default false,
    left_at bigint,
    seq bigint not null default 0,
    unique (school, id)
);
create index pupil_by_seq on pupil (school, seq);
create index pupil_by_mis_id on pupil (school, mis_id);
create index pupil_by_upn on pupil (school, upn);
create index pupil_by_admission_no on pupil (school, admission_no);
create index pupil_by_family on pupil (school, family);

create table contact (
    id text not null primary key,
    school text not null references school (id),
    pupil text not null,
    person text not null,
    position bigint not null,
    name text not null,
    relationship text not null default '',
    phone text,
    other_phone text,
    email text,
    address text,
    parental_responsibility boolean not null default false,
    do_not_contact boolean not null default false,
    address_withheld boolean not null default false,
    note text not null default '',
    gone boolean not null default false,
    seq bigint not null default 0,
    foreign key (school, pupil) references pupil (school, id)
);
create index contact_by_seq on contact (school, seq);
create index contact_by_pupil on contact (school, pupil, position);
create index contact_by_person on contact (school, person);

create table caseload (
    school text not null,
    staff text not null,
    pupil text not null,
    primary key (school, staff, pupil),
    foreign key (school, staff) references staff (school, id),
    foreign key (school, pupil) references pupil (school, id)
);
create index caseload_by_pupil on caseload (school, pupil);

create table attendance_day (
    school text not null,
    pupil text not null,
    on_day text not null,
    am text,
    pm text,
    primary key (school, pupil, on_day),
    foreign key (school, pupil) references pupil (school, id)
);
create index attendance_day_by_day on attendance_day (school, on_day);

create table counter (
    school text not null primary key references school (id),
    seq bigint not null default 0
);

create table step (
    school text not null references school (id),
    seq bigint not null,
    mark bigint not null,
    record text,
    edit text,
    what text not null,
    at bigint not null,
    primary key (school, seq)
);
create index step_by_record on step (school, record, seq);

create table edit (
    school text not null references school (id),
    id text not null,
    phone text not null,
    number bigint not null,
    record text not null,
    kind text not null,
    author text not null,
    role text not null,
    made_at bigint,
    received_at bigint not null,
    ordered_at bigint,
    seen bigint not null default 0,
    seq bigint,
    "values" text not null,
    original text not null,
    amends text,
    remarks text not null default '[]',
    outcome text not null,
    because text,
    held_seq bigint,
    settled_how text,
    settled_by text,
    settled_at bigint,
    settled_why text,
    primary key (school, id),
    foreign key (school, author) references staff (school, id)
);
create index edit_by_record on edit (school, record);
create index edit_by_number on edit (school, phone, number);
create index edit_held_by_author on edit (school, author, held_seq) where held_seq is not null;
create index edit_held on edit (school, held_seq) where held_seq is not null and settled_at is null;
create index edit_by_amends on edit (school, amends) where amends is not null;

create table unreadable (
    school text not null references school (id),
    hash text not null,
    phone text not null,
    staff text not null,
    received_at bigint not null,
    original text not null,
    primary key (school, hash)
);

create table record (
    school text not null references school (id),
    id text not null,
    kind text not null,
    seq bigint not null,
    mark bigint not null,
    state text not null,
    author text not null,
    made_at bigint not null,
    received_at bigint not null,
    happened_at bigint not null,
    edits bigint not null,
    gaps text not null default '[]',
    body text not null,
    disputes text,
    disputed text,
    primary key (school, id)
);
create index record_by_seq on record (school, seq);
create index record_by_moment on record (school, happened_at);
create index record_disputed on record (school, seq) where disputes is not null;

create table record_pupil (
    school text not null,
    record text not null,
    pupil text not null,
    dropped_seq bigint,
    primary key (school, record, pupil),
    foreign key (school, record) references record (school, id),
    foreign key (school, pupil) references pupil (school, id)
);
create index record_pupil_by_pupil on record_pupil (school, pupil, record);
create index record_pupil_dropped on record_pupil (school, dropped_seq) where dropped_seq is not null;

create table record_staff (
    school text not null,
    record text not null,
    staff text not null,
    wrote boolean not null default false,
    dropped_seq bigint,
    primary key (school, record, staff),
    foreign key (school, record) references record (school, id),
    foreign key (school, staff) references staff (school, id)
);
create index record_staff_by_staff on record_staff (school, staff, record);
create index record_staff_dropped on record_staff (school, staff, dropped_seq) where dropped_seq is not null;

create table record_link (
    school text not null,
    record text not null,
    field text not null,
    other text not null,
    primary key (school, record, field, other),
    foreign key (school, record) references record (school, id)
);
create index record_link_by_other on record_link (school, other);

create table phone (
    id text not null,
    school text not null,
    staff text not null,
    name text not null,
    is_desk boolean not null default false,
    highest bigint not null default 0,
    received text not null default '[]',
    lost text not null default '[]',
    waiting bigint not null default 0,
    drift_s bigint not null default 0,
    build text not null default '',
    paired_at bigint not null,
    seen_at bigint,
    revoked_at bigint,
    primary key (school, id),
    foreign key (school, staff) references staff (school, id)
);
create index phone_by_staff on phone (school, staff);

create table session (
    hash text not null primary key,
    school text not null,
    staff text not null,
    phone text,
    made_at bigint not null,
    used_at bigint not null,
    signed_in_at bigint not null,
    ends_at bigint not null,
    foreign key (school, staff) references staff (school, id)
);
create index session_by_staff on session (school, staff);

create table attempt (
    key text not null primary key,
    failures bigint not null default 0,
    failed_at bigint not null,
    free_at bigint not null default 0
);

create table key (
    id text not null primary key,
    purpose text not null,
    private text not null,
    public text not null,
    made_at bigint not null,
    retired_at bigint
);

create table audit (
    id text not null primary key,
    school text not null references school (id),
    at bigint not null,
    staff text not null,
    phone text,
    what text not null,
    pupil text,
    record text,
    detail text not null default '{}'
);
create index audit_by_pupil on audit (school, pupil, at) where pupil is not null;
create index audit_by_staff on audit (school, staff, at);

create table reading (
    school text not null,
    staff text not null,
    record text not null,
    seq bigint not null,
    at bigint not null,
    primary key (school, staff, record),
    foreign key (school, staff) references staff (school, id),
    foreign key (school, record) references record (school, id)
);

create table import (
    id text not null primary key,
    school text not null references school (id),
    at bigint not null,
    staff text,
    what text not null,
    hash text not null,
    counts text not null default '{}'
);
create index import_by_hash on import (school, hash);
"""

SMALL_ROWS = ("step", "record_pupil", "record_staff", "record_link")  # kept in their key's own tree: one to write, not two

ALWAYS = "of school, id, phone, number, record, kind, author, made_at, received_at, original, amends, outcome"
ONCE_TAKEN = 'of role, ordered_at, seen, seq, "values", remarks'

# table, event, when, what it says
KEPT = [
    ("edit", f"update {ALWAYS}", None, "an edit is never altered"),
    ("edit", f"update {ONCE_TAKEN}", "old.seq is not null", "an edit that was taken is never altered"),
    ("edit", "delete", None, "an edit is never removed"),
    ("step", "update", None, "a step is never altered"),
    ("step", "delete", None, "a step is never removed"),
    ("audit", "update", None, "the access log is only ever added to"),
    ("audit", "delete", None, "the access log is only ever added to"),
]

REFUSE = "create function refuse() returns trigger language plpgsql as $$ begin raise exception '%', tg_argv[0]; end $$"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="lanyard", description=DESCRIPTION)
    manager.add_raw(build)
    return manager


async def build() -> None:
    engine = School._meta.db
    for statement in in_sqlite() if engine.engine_type == "sqlite" else in_postgres():
        await engine.run_ddl(statement)


def in_sqlite() -> list[str]:
    tables = re.sub(rf"(?ms)^(create table ({'|'.join(SMALL_ROWS)}) .*?\n\));", r"\1 without rowid;", TABLES)
    return statements(tables) + [
        f"create trigger kept_{n} before {event} on {table} {'when ' + when if when else ''} begin select raise(abort, '{words}'); end"
        for n, (table, event, when, words) in enumerate(KEPT)
    ]


def in_postgres() -> list[str]:
    # Text is compared by its bytes there too, whatever the machine's language.
    tables = re.sub(r"(?m)^(    \S+) text\b", r'\1 text collate "C"', TABLES)
    rows = [
        f"create trigger kept_{n} before {event} on {table} for each row"
        f" {f'when ({when})' if when else ''} execute function refuse('{words}')"
        for n, (table, event, when, words) in enumerate(KEPT)
    ]
    whole = [
        f"create trigger kept_whole before truncate on {table} execute function refuse('{table} is never emptied')"
        for table in ("edit", "step", "audit")
    ]
    return [*statements(tables), REFUSE, *rows, *whole]


async def add(tables: str) -> None:
    """For later migrations that only add tables, columns and indexes."""
    engine = School._meta.db
    bytewise = re.sub(r"(?m)^((?:    |alter table \w+ add column )\S+) text\b", r'\1 text collate "C"', tables)
    for statement in statements(tables if engine.engine_type == "sqlite" else bytewise):
        await engine.run_ddl(statement)


def statements(sql: str) -> list[str]:
    return [statement for statement in sql.split(";\n") if statement.strip()]
