"""A school's records of one kind as pandas frames: what can be counted of them, never what somebody said.

The frames are kept, by school and kind, and brought up to date by reading what has moved since: see `frames()`.
"""

import asyncio
from collections import OrderedDict
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from msgspec import Struct, defstruct
from msgspec.json import Decoder
from pandas.api.types import union_categoricals

from server.kinds.kind import STATE, Field, Kind
from server.kinds.shapes import Choice, Choices, Code, Duration, Gathered, Moment
from server.store.database import Tx, reading
from server.store.engines import Row

FRAMES_KEPT = 16  # of all schools and kinds; the one not asked for longest goes first
ROWS_AT_ONCE = 25_000

Counted = Choice | Code | Duration | Moment | Gathered
Key = tuple[str, str]  # school, kind


class Frames(Struct, frozen=True):
    """`seq` numbers each record, in both; `seq` and `mark` here are the place in history as of which they stand."""

    seq: int
    mark: int
    records: pd.DataFrame  # one row a record: seq, id, state, author, received_at, at, and its one-valued fields
    entries: pd.DataFrame  # one row for each thing gathered or chosen: seq, field, key, part, outcome


_kept: OrderedDict[Key, Frames] = OrderedDict()


async def frames(school: str, kind: Kind) -> Frames:
    """As they stand now. The first time reads every record of the kind; after that only those that have moved."""
    found = _kept.get((school, kind.name))
    if found is None or not await reading(is_in_history, school, found):
        found = framed(kind, [])
    parts = [found]
    while rows := await reading(moved_since, school, kind, parts[-1].seq):
        parts.append(await asyncio.to_thread(framed, kind, rows))
    if len(parts) > 1:
        found = await asyncio.to_thread(joined, parts)
    keep((school, kind.name), found)
    return found


def forget() -> None:
    """As after a start."""
    _kept.clear()


def keep(key: Key, found: Frames) -> None:
    _kept[key] = found
    _kept.move_to_end(key)
    while len(_kept) > FRAMES_KEPT:
        _kept.popitem(last=False)


async def is_in_history(tx: Tx, school: str, found: Frames) -> bool:
    """False when the school was restored from a backup that does not have all that was counted."""
    return await tx.row("select 1 from step where school = $1 and seq = $2 and mark = $3", school, found.seq, found.mark) is not None


async def moved_since(tx: Tx, school: str, kind: Kind, seq: int) -> list[Row]:
    body = "cast(body as blob)" if tx.engine == "sqlite" else "convert_to(body, 'UTF8')"  # bytes decode twice as fast
    return await tx.rows(
        f"select seq, mark, id, state, author, received_at, happened_at, {body} from record"
        " where school = $1 and seq > $2 and kind = $3 order by seq limit $4",
        school, seq, kind.name, ROWS_AT_ONCE,
    )  # fmt: skip


def joined(parts: list[Frames]) -> Frames:
    """The parts as one, with only the newest of each record."""
    records, entries = stacked([part.records for part in parts]), stacked([part.entries for part in parts])
    stale = records["id"].duplicated(keep="last")
    if stale.any():
        entries = entries[~entries["seq"].isin(records.loc[stale, "seq"])]
        records = records[~stale]
    return Frames(parts[-1].seq, parts[-1].mark, records, entries)


def stacked(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """One below the other. A plain `concat` would make strings of categories that differ."""
    columns = {name: [table[name] for table in tables] for name in tables[-1].columns}
    whole = {
        name: union_categoricals(parts) if isinstance(parts[-1].dtype, pd.CategoricalDtype) else pd.concat(parts, ignore_index=True)
        for name, parts in columns.items()
    }
    return pd.DataFrame(whole, copy=False)


def framed(kind: Kind, rows: list[Row]) -> Frames:
    decode = body_decoder(kind).decode
    bodies = [decode(row[7]) for row in rows]
    records = pd.DataFrame(envelope(rows) | answers(kind, bodies), copy=False)
    seq, mark = (rows[-1][0], rows[-1][1]) if rows else (0, 0)
    return Frames(seq, mark, records, entries(kind, rows, bodies))


def envelope(rows: list[Row]) -> dict[str, Any]:
    def column(place: int) -> list[Any]:
        return [row[place] for row in rows]

    return {
        "seq": numbers(column(0)),
        "id": pd.Series(column(2), dtype="object"),
        "state": categories(column(3)),
        "author": categories(column(4)),
        "received_at": moments(column(5)),
        "at": moments(column(6)),
    }


def answers(kind: Kind, bodies: list[Any]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for field in counted(kind):
        if is_many(field):
            continue
        values = [getattr(body, field.name) for body in bodies]
        if isinstance(field.shape, Duration):
            columns[field.name] = pd.array(values, dtype="Int32")
        elif not isinstance(field.shape, Moment):
            columns[field.name] = categories(values)
        elif field.name == kind.moment:  # `at` says when
            columns["precision"] = categories([value and value.precision for value in values])
            columns["lesson"] = categories([value and value.lesson for value in values])
        else:
            columns[field.name] = wire_moments([value and value.at for value in values])
    return columns


def entries(kind: Kind, rows: list[Row], bodies: list[Any]) -> pd.DataFrame:
    seqs: list[int] = []
    names: list[str] = []
    keys: list[str] = []
    said: list[Entry] = []
    for field in counted(kind):
        if is_many(field):
            for row, body in zip(rows, bodies, strict=True):
                if value := getattr(body, field.name):
                    keys.extend(value)
                    said.extend(value.values() if isinstance(value, dict) else [NOTHING] * len(value))
                    seqs.extend([row[0]] * len(value))
            names.extend([field.name] * (len(keys) - len(names)))
    columns: dict[str, list[Any]] = {
        "field": names,
        "key": keys,
        "part": [entry.part for entry in said],
        "outcome": [entry.outcome for entry in said],
    }
    return pd.DataFrame({"seq": numbers(seqs)} | {name: categories(column) for name, column in columns.items()}, copy=False)


def numbers(values: list[int]) -> Any:
    return np.array(values, dtype="int64")


def moments(microseconds: list[int]) -> Any:
    return pd.DatetimeIndex(numbers(microseconds).view("M8[us]")).tz_localize("UTC")


def wire_moments(texts: list[str | None]) -> Any:
    if not any(texts):
        return pd.DatetimeIndex(np.full(len(texts), "NaT", "M8[us]")).tz_localize("UTC")
    return pd.to_datetime(pd.Series(texts, dtype="object"), utc=True, format="ISO8601").dt.as_unit("us").array


def categories(values: list[Any]) -> pd.Categorical:
    """What pandas' own factorizing gives, in half the time."""
    codes: dict[str | None, int] = {None: -1}
    coded = [-1] * len(values) if not any(values) else [codes.setdefault(value, len(codes) - 1) for value in values]
    return pd.Categorical.from_codes(np.array(coded, dtype="int32"), categories=pd.Index(list(codes)[1:], dtype="str"))


# ── What of a body can be counted ──────────────────────────────────────────────────────────


class Entry(Struct, frozen=True, gc=False):
    part: str | None = None
    outcome: str | None = None


class Then(Struct, frozen=True, gc=False):
    at: str
    precision: str | None = None
    lesson: str | None = None


NOTHING = Entry()


def counted(kind: Kind) -> list[Field]:
    """The fields that every reader of the school's figures may count."""
    return [
        field
        for field in kind.fields
        if isinstance(field.shape, Counted) and not (field.only or field.apart or field.hushed or field in STATE)
    ]


def is_many(field: Field) -> bool:
    return isinstance(field.shape, Gathered | Choices)


@cache
def body_decoder(kind: Kind) -> Decoder[Any]:
    """Reads only what is counted of a body, and steps over the rest."""
    return Decoder(defstruct("Body", [(field.name, body_type(field), None) for field in counted(kind)], gc=False))


def body_type(field: Field) -> Any:
    match field.shape:
        case Moment():
            return Then | None
        case Duration():
            return int | None
        case Gathered():
            return dict[str, Entry] | None
        case Choices():
            return list[str] | None
        case _:
            return str | None
