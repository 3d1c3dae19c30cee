"""What the school had to forget: only of such a record may an edit’s words be taken out, and that they were is kept for good."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.store.migrations.m0001_first_tables import add
from server.store.tables import School

ID = "0016"
VERSION = "1.38.0"
DESCRIPTION = "Forgetting"

TABLES = """
create table forgotten (
    school text not null references school (id),
    record text not null,
    seq bigint not null,
    at bigint not null,
    edits bigint not null,
    primary key (school, record, seq)
);
"""

FOR_GOOD = "of school, id, phone, number, record, kind, author, made_at, received_at, amends, outcome"
ONCE_TAKEN = "of role, ordered_at, seen, seq"
NEVER, NOT_ONCE_TAKEN, KEPT = "an edit is never altered", "an edit that was taken is never altered", "what was forgotten is never altered"
NOT_FORGOTTEN = (  # nor is what was taken in since
    "not exists (select 1 from forgotten f where f.school = old.school and f.record = old.record and (old.seq is null or f.seq > old.seq))"
)

# trigger, table, event, when, whether what was forgotten is let through, what it says
TRIGGERS = [
    ("kept_0", "edit", f"update {FOR_GOOD}", "", False, NEVER),
    ("kept_1", "edit", f"update {ONCE_TAKEN}", "old.seq is not null", False, NOT_ONCE_TAKEN),
    ("kept_words", "edit", "update of original", "", True, NEVER),
    ("kept_said", "edit", 'update of "values", remarks', "old.seq is not null", True, NOT_ONCE_TAKEN),
    ("kept_forgotten", "forgotten", "update", "", False, KEPT),
    ("kept_forgetting", "forgotten", "delete", "", False, KEPT),
]

REFUSE_UNLESS = (
    "create function refuse_unless_forgotten() returns trigger language plpgsql as $$ begin"
    f" if {NOT_FORGOTTEN} then raise exception '%', tg_argv[0]; end if; return new; end $$"
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="lanyard", description=DESCRIPTION)
    manager.add_raw(build)
    return manager


async def build() -> None:
    await add(TABLES)
    engine = School._meta.db
    for statement in in_sqlite() if engine.engine_type == "sqlite" else in_postgres():
        await engine.run_ddl(statement)


def in_sqlite() -> list[str]:
    made = ["drop trigger kept_0", "drop trigger kept_1"]
    for name, table, event, when, lets_forget, words in TRIGGERS:
        conditions = " and ".join(filter(None, (when, NOT_FORGOTTEN if lets_forget else "")))
        made.append(
            f"create trigger {name} before {event} on {table} {f'when {conditions}' if conditions else ''}"
            f" begin select raise(abort, '{words}'); end"
        )
    return made


def in_postgres() -> list[str]:
    made = ["drop trigger kept_0 on edit", "drop trigger kept_1 on edit", REFUSE_UNLESS]
    for name, table, event, when, lets_forget, words in TRIGGERS:
        does = "refuse_unless_forgotten" if lets_forget else "refuse"
        made.append(
            f"create trigger {name} before {event} on {table} for each row"
            f" {f'when ({when})' if when else ''} execute function {does}('{words}')"
        )
    return made
