"""A typed SQL view of each kind, for the school's own reporting tool: `report_incident`, a row a record and a column a question.

What was gathered (pupils, actions, …) has a view of its own, `report_incident_entries`. What some roles may not see is in
neither, and of accounts and statements only their number: a reporting tool knows no roles, and a voice is read under its name.
Made anew from the kinds by every `lanyard migrate`. Every row says its school.
"""

from typing import Literal

from server.kinds import KINDS
from server.kinds.kind import STATE, Field, Kind, Merge
from server.kinds.shapes import Choices, Duration, Moment
from server.store.database import Tx

Engine = Literal["sqlite", "postgres"]

ENVELOPE = ("school", "record", "seq", "state", "author", "at", "made_at", "received_at", "edits", "disputed")


async def make_views(tx: Tx) -> None:
    """Safe to repeat. A view that the school built on one of ours has to be dropped first, and says so."""
    for kind in KINDS.values():
        for name, select in views_of(kind, tx.engine).items():
            await tx.run(f"drop view if exists {name}")
            await tx.run(f"create view {name} as {select}")


def views_of(kind: Kind, engine: Engine) -> dict[str, str]:
    """Their names, and what each selects. Names of kinds and fields are small letters, digits and underlines (see kind.py)."""
    name = f"report_{kind.name}"
    gathered = [field for field in shown(kind) if field.shape.gathers]
    if not gathered:
        return {name: record_view(kind, engine)}
    return {name: record_view(kind, engine), f"{name}_entries": entries_view(kind, gathered, engine)}


def shown(kind: Kind) -> list[Field]:
    return [field for field in kind.fields if field not in STATE[:1] and not (field.only or field.apart or field.hushed)]


def record_view(kind: Kind, engine: Engine) -> str:
    columns = [f'{expression} as "{name}"' for field in shown(kind) for name, expression in columns_of(field, engine).items()]
    return f"select {', '.join([*envelope(kind, engine), *columns])} from {source(kind, engine)} where r.kind = '{kind.name}'"


def envelope(kind: Kind, engine: Engine) -> list[str]:
    moments = {"at": "happened_at", "made_at": "made_at", "received_at": "received_at"}
    return [
        *("r.school", "r.id as record", "r.seq", "r.state", "r.author"),
        *(f"{moment(f'r.{column}', engine)} as {name}" for name, column in moments.items()),
        *("r.edits", f"({disputed(kind, engine)}) as disputed"),
    ]


def disputed(kind: Kind, engine: Engine) -> str:
    """Whether people disagree in what is shown: a dispute in a field that is not says something of it."""
    seen = {field.name for field in (*shown(kind), *STATE)}
    hidden = [f"'{field.name}'" for field in kind.fields if field.name not in seen]
    if not hidden:
        return "r.disputes is not null"
    if engine == "sqlite":
        keys, field = "json_each(r.disputes) as d", "substr(d.key, 1, instr(d.key || '/', '/') - 1)"
    else:
        keys, field = "json_object_keys(r.disputes::json) as d(key)", "split_part(d.key, '/', 1)"
    return f"r.disputes is not null and exists (select 1 from {keys} where {field} not in ({', '.join(hidden)}))"


def columns_of(field: Field, engine: Engine) -> dict[str, str]:
    """One question's columns. One named like a column of the envelope gets `_said` behind it."""
    name = field.name if field.name not in ENVELOPE else f"{field.name}_said"
    if isinstance(field.shape, Moment) and not is_counted(field):
        parts = {"at": name, "precision": f"{name}_precision", "lesson": f"{name}_lesson"}
        return {column: typed_moment(field, part, engine) for part, column in parts.items()}
    return {name: counted(field, engine) if is_counted(field) else answer(field, engine)}


def is_counted(field: Field) -> bool:
    return field.merge is Merge.OWN or field.shape.gathers


def source(kind: Kind, engine: Engine) -> str:
    if engine == "sqlite":
        return "record r"
    types = ", ".join(f'"{field.name}" {postgres_type(field)}' for field in shown(kind))
    return f"record r cross join lateral jsonb_to_record(r.body::jsonb) as b({types})"  # reads the body once for all columns


def postgres_type(field: Field) -> str:
    if is_counted(field) or isinstance(field.shape, Moment | Choices):
        return "jsonb"
    return "integer" if isinstance(field.shape, Duration) else "text"


def answer(field: Field, engine: Engine) -> str:
    return f"r.body ->> '$.{field.name}'" if engine == "sqlite" else f'b."{field.name}"'


def counted(field: Field, engine: Engine) -> str:
    if engine == "sqlite":
        return f"(select count(*) from json_each(r.body, '$.{field.name}'))"
    return f'(select count(*)::integer from jsonb_object_keys(b."{field.name}"))'


def typed_moment(field: Field, part: str, engine: Engine) -> str:
    if engine == "sqlite":
        return f"r.body ->> '$.{field.name}.{part}'"
    text = f"b.\"{field.name}\" ->> '{part}'"
    return f"({text})::timestamptz" if part == "at" else text


def moment(microseconds: str, engine: Engine) -> str:
    if engine == "sqlite":  # text: it has no type for moments, and these compare as they should
        return f"strftime('%Y-%m-%dT%H:%M:%S', {microseconds} / 1000000, 'unixepoch') || printf('.%03dZ', {microseconds} / 1000 % 1000)"
    return f"timestamptz 'epoch' + {microseconds} * interval '1 microsecond'"


def entries_view(kind: Kind, gathered: list[Field], engine: Engine) -> str:
    return " union all ".join(
        f"select r.school, r.id as record, r.seq, '{field.name}' as field,"
        " e.key, e.value ->> 'part' as part, e.value ->> 'outcome' as outcome"
        f" from record r cross join {each_entry(field, engine)} where r.kind = '{kind.name}'"
        for field in gathered
    )


def each_entry(field: Field, engine: Engine) -> str:
    if engine == "sqlite":
        return f"json_each(r.body, '$.{field.name}') e"
    return f"lateral jsonb_each(r.body::jsonb -> '{field.name}') e"
