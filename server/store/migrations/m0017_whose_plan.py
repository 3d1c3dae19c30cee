"""Which word of when somebody is back the school goes by; and whoever was told of often enough is told of again, every morning.

One that was written before it, and came later, does not overtake it.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.store.migrations.m0001_first_tables import add

ID = "0017"
VERSION = "1.38.0"
DESCRIPTION = "Whose plan counts"

TABLES = """
alter table watch add column due_said_at bigint not null default 0;

insert into due_step (id, school, at, does, about, more, not_before)
select 'visit.again/' || school || '/' || record, school, raised_at, 'visit.again', record, '{"n":0,"raised_at":' || raised_at || '}',
    raised_at
from watch where closed_at is null and raised_at is not null and not exists (
    select 1 from due_step waits where waits.school = watch.school and waits.about = watch.record and waits.does = 'visit.again'
    and waits.taken_at is null);
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="lanyard", description=DESCRIPTION)
    manager.add_raw(build)
    return manager


async def build() -> None:
    await add(TABLES)
