"""The morning's calls: how a school has its lists made, the lists that were made, and the words its list of reasons lacks."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.store.migrations.m0001_first_tables import add

ID = "0015"
VERSION = "1.38.0"
DESCRIPTION = "The morning's calls"

TABLES = """
create table morning (
    school text not null primary key references school (id),
    hour text not null default '18:00',
    most bigint not null default 60,
    callers text not null default '[]',
    is_on boolean not null default false
);

create table morning_list (
    school text not null references school (id),
    for_day text not null,
    made_at bigint not null,
    again_at bigint not null,
    marks_of text not null default '',
    families bigint not null default 0,
    said text not null default '',
    primary key (school, for_day)
);

insert into list_entry (school, list, code, label, position)
select schools.school, 'call_reasons', words.code, words.label, words.position
from (select distinct school from list_entry where list = 'call_reasons') as schools
cross join (
    select 'falling' as code, 'Attendance falling' as label, 91 as position
    union all select 'ring_again', 'To be rung again', 92
    union all select 'plan', 'On somebody’s caseload', 93
) as words
where true on conflict do nothing;
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="lanyard", description=DESCRIPTION)
    manager.add_raw(build)
    return manager


async def build() -> None:
    await add(TABLES)
