"""The migrations build from nothing, on both engines, what tables.py says; and history stays as it was written."""

import re
import sqlite3
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import pytest
from piccolo.columns import BigInt, Boolean, Text
from piccolo.conf.apps import table_finder
from piccolo.table import Table

from server.settings import Settings
from server.store import tables
from server.store.database import Tx, close_database, open_database, reading, writing
from server.store.migrations import due, migrate
from server.store.migrations import m0001_first_tables as first
from server.store.migrations import m0004_sealed_intake as fourth
from server.store.migrations import m0005_chain as fifth
from server.store.migrations import m0006_openings as sixth
from server.store.migrations import m0007_second_factor as seventh
from server.store.migrations import m0010_alerts as tenth
from server.store.migrations import m0011_oncall as eleventh
from server.store.migrations import m0014_watch as fourteenth
from server.store.tables import AttendanceCode
from tests.world import AMIRA, insert

KINDS = {"text": Text, "bigint": BigInt, "boolean": Boolean}
REFUSED = (sqlite3.IntegrityError, asyncpg.RaiseError)

TABLES: list[type[Table]] = table_finder(["server.store.tables"], exclude_imported=True)


class Column(NamedTuple):
    name: str
    type: type
    may_be_null: bool
    in_key: bool
    default: str | None


async def test_the_migrations_build_what_tables_py_says(database: Settings) -> None:
    for table in TABLES:
        name = table._meta.tablename
        built, said = await reading(columns_of, name), [as_said(column) for column in table._meta.columns]
        assert [column._replace(default=None) for column in built] == [column._replace(default=None) for column in said], name
        for here, there in zip(built, said, strict=True):
            # What Piccolo fills in for a column without a default of its own is no promise; any other default is the database's too.
            assert here.default == there.default or (here.default is None and there.default in ("", "0", "False")), (name, here.name)


async def test_nothing_else_is_built(database: Settings) -> None:
    listed = {
        "sqlite": "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'",
        "postgres": "select tablename from pg_tables where schemaname = 'public'",
    }

    async def names(tx: Tx) -> set[str]:
        return {row[0] for row in await tx.rows(listed[tx.engine])}

    assert await reading(names) == {table._meta.tablename for table in TABLES} | {"migration"}


async def test_both_engines_keep_the_same_indexes(database: Settings) -> None:
    listed = {
        "sqlite": "select name from sqlite_master where type = 'index' and sql is not null",
        "postgres": "select indexname from pg_indexes where schemaname = 'public'"
        " and indexname not like '%_pkey' and indexname not like '%_key'",
    }
    later = {
        "audit_by_record",
        "audit_to_phones",
        "brought_by_thing",
        "phone_by_handset",
        *re.findall(r"create index (\w+)", eleventh.TABLES + fourteenth.TABLES),
    }
    written = {
        *re.findall(r"create index (\w+)", first.TABLES + fourth.TABLES + fifth.TABLES + sixth.TABLES + seventh.TABLES + tenth.TABLES),
        *later,
    }

    async def names(tx: Tx) -> set[str]:
        return {row[0] for row in await tx.rows(listed[tx.engine])}

    assert len(written) > 20
    assert await reading(names) == written


async def test_migrating_again_changes_nothing(database: Settings) -> None:
    await close_database()
    assert await due(database) == []
    assert await migrate(database) == []
    await open_database(database)


async def test_a_migration_that_fails_leaves_nothing_behind(database: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async def build_and_fail() -> None:
        await tables.School._meta.db.run_ddl("create table half (id text)")
        raise LookupError

    async def nothing_half(tx: Tx) -> None:
        with pytest.raises((sqlite3.OperationalError, asyncpg.UndefinedTableError)):
            await tx.rows("select * from half")

    monkeypatch.setattr(first, "ID", "9999")
    monkeypatch.setattr(first, "build", build_and_fail)
    await close_database()
    assert await due(database) == ["9999"]
    with pytest.raises(LookupError):
        await migrate(database)
    assert await due(database) == ["9999"]
    await open_database(database)
    await reading(nothing_half)


async def test_attendance_codes_are_there_and_a_new_version_corrects_them(database: Settings) -> None:
    codes, meant = await AttendanceCode.count(), AttendanceCode.select(AttendanceCode.meaning).where(AttendanceCode.code == "I")
    said = await meant
    assert codes > 20
    await AttendanceCode.update({AttendanceCode.meaning: "Misprinted"}).where(AttendanceCode.code == "I")
    await close_database()
    await migrate(database)
    await open_database(database)
    assert await meant == said
    assert await AttendanceCode.count() == codes


async def columns_of(tx: Tx, table: str) -> list[Column]:
    if tx.engine == "sqlite":
        rows = await tx.rows(f"pragma table_info({table})")
        return [Column(r["name"], KINDS[r["type"].lower()], not r["notnull"], r["pk"] > 0, plain(r["dflt_value"])) for r in rows]
    keys = await tx.rows(
        "select a.attname from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)"
        " where i.indrelid = cast(cast($1 as text) as regclass) and i.indisprimary",
        table,
    )
    rows = await tx.rows(
        "select column_name, data_type, is_nullable, column_default from information_schema.columns"
        " where table_name = $1 and table_schema = 'public' order by ordinal_position",
        table,
    )
    key = {row[0] for row in keys}
    return [Column(r[0], KINDS[r[1]], r[2] == "YES", r[0] in key, plain(r[3])) for r in rows]


def plain(default: str | None) -> str | None:
    return default and re.sub(r"^'(.*?)'(::\w+)?$", r"\1", default).replace("true", "True").replace("false", "False")


def as_said(column: Any) -> Column:
    meta = column._meta
    default = column.get_default_value()
    in_key = meta.name in key_of(meta.table)
    return Column(meta.db_column_name, type(column), meta.null, in_key, None if default is None or in_key else str(default))


def key_of(table: type[Table]) -> list[str]:
    """Keys of several columns stand in tables.py as a comment, for Piccolo has no words for them."""
    source = Path(tables.__file__).read_text().split(f"class {table.__name__}(Table):")[1].split("\nclass ")[0]
    written = re.search(r"primary_key=True\)  # key: ([\w, ]+)", source)
    return written[1].split(", ") if written else [table._meta.primary_key._meta.name]


# ── History ────────────────────────────────────────────────────────────────────────────────

EDIT = {
    "school": "northgate", "id": "e", "phone": "amira-phone", "number": 1, "record": "r", "kind": "incident", "author": "amira",
    "role": "teacher", "made_at": 1, "received_at": 2, "values": "{}", "original": "{}", "outcome": "held", "held_seq": 3, "because": "{}",
}  # fmt: skip
NEVER = ["school", "id", "phone", "number", "record", "kind", "author", "made_at", "received_at", "original", "amends", "outcome"]
ONCE_TAKEN = ["role", "ordered_at", "seen", "seq", "values", "remarks"]
ANY_TIME = ["because", "held_seq", "settled_how", "settled_by", "settled_at", "settled_why"]


def another(column: str) -> Any:
    return 77 if getattr(tables.Edit, column).__class__ is BigInt else "other"


async def alter(tx: Tx, column: str) -> None:
    await tx.run(f'update edit set "{column}" = $1 where id = $2', another(column), "e")


async def add_edit(tx: Tx, taken: bool) -> None:
    await insert(tx, "edit", EDIT)
    if taken:
        await tx.run("update edit set seq = 9, ordered_at = 2, settled_how = 'taken' where id = 'e'")


def test_every_column_of_an_edit_is_judged() -> None:
    assert sorted(NEVER + ONCE_TAKEN + ANY_TIME) == sorted(column._meta.name for column in tables.Edit._meta.columns)


async def test_a_held_edit_may_be_taken_and_settled_and_is_otherwise_never_altered(world: Settings) -> None:
    await writing(add_edit, taken=False)
    for column in NEVER:
        with pytest.raises(REFUSED, match="never altered"):
            await writing(alter, column)
    for column in ANY_TIME + [column for column in ONCE_TAKEN if column != "seq"] + ["seq"]:
        await writing(alter, column)


async def test_an_edit_that_was_taken_is_never_altered(world: Settings) -> None:
    await writing(add_edit, taken=True)
    for column in NEVER + ONCE_TAKEN:
        with pytest.raises(REFUSED, match="never altered"):
            await writing(alter, column)
    for column in ANY_TIME:
        await writing(alter, column)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("delete from edit", "never removed"),
        ("delete from step", "never removed"),
        ("update step set at = 1", "never altered"),
        ("delete from audit", "only ever added to"),
        ("update audit set detail = '{}'", "only ever added to"),
    ],
)
async def test_history_is_never_rewritten(world: Settings, statement: str, words: str) -> None:
    async def fill(tx: Tx) -> None:
        await add_edit(tx, taken=True)
        await insert(tx, "audit", {"id": "a", "school": "northgate", "at": 1, "staff": "amira", "what": "read pupil", "pupil": "zoe"})

    async def rewrite(tx: Tx) -> None:
        await tx.run(statement)

    await writing(fill)
    with pytest.raises(REFUSED, match=words):
        await writing(rewrite)


async def test_a_row_cannot_name_a_pupil_or_a_member_of_staff_of_another_school(world: Settings) -> None:
    async def add(tx: Tx, table: str, row: dict[str, Any]) -> None:
        await insert(tx, table, {"school": "northgate", **row})

    foreign = (sqlite3.IntegrityError, asyncpg.ForeignKeyViolationError)
    await writing(add, "caseload", {"staff": AMIRA.staff, "pupil": "zoe"})
    for table, row in [
        ("caseload", {"staff": "amira", "pupil": "tom"}),
        ("caseload", {"staff": "dan", "pupil": "zoe"}),
        ("attendance_day", {"pupil": "tom", "on_day": "2026-11-16"}),
        ("edit", {**EDIT, "author": "dan"}),
        ("phone", {"id": "p", "staff": "dan", "name": "", "paired_at": 1}),
        ("session", {"hash": "h", "staff": "dan", "made_at": 1, "used_at": 1, "signed_in_at": 1, "ends_at": 1}),
    ]:
        with pytest.raises(foreign):
            await writing(add, table, row)
