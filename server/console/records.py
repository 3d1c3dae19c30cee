"""Fetches records for a page: only ever through the audience, so that no page shows what its reader may not hold."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from server.console.directory import directory_for
from server.console.showing import Directory, called, pupils_named, records_named, title_of
from server.kinds import KINDS
from server.kinds.kind import Kind
from server.store.database import Tx
from server.store.engines import Row
from server.store.me import Me
from server.store.numbers import Place
from server.sync.audience import holds

COLUMNS = """
    r.id, r.kind, r.seq, r.mark, r.state, r.author, r.made_at, r.received_at, r.happened_at, r.edits, r.gaps, r.body,
    r.disputes, r.disputed"""


class Kept(Struct):
    """A record as it lies in the store, opened, without what its reader's role may not see."""

    id: str
    kind: Kind
    place: Place
    state: str
    author: str
    made_at: int
    received_at: int
    happened_at: int
    edits: int
    gaps: list[str]
    body: dict[str, Any]
    disputes: dict[str, list[dict[str, Any]]]
    disputed: dict[str, int]
    hidden: frozenset[str]

    @property
    def version(self) -> str:
        return str(self.place)


async def records_where(tx: Tx, me: Me, where: str, *args: Any, after: str = "") -> list[tuple[Kept, Row]]:
    """Those I may hold. `where` and `after` speak of `r` and number their own arguments from $1."""
    mine, mine_args = holds(me, first=len(args) + 1)
    rows = await tx.rows(f"select {COLUMNS} from record r where ({mine}) and ({where}) {after}", *args, *mine_args)
    return [(opened(row, me), row) for row in rows if row["kind"] in KINDS]


async def record_for(tx: Tx, me: Me, id: str) -> Kept | None:
    found = await records_where(tx, me, "r.id = $1", id)
    return found[0][0] if found else None


OLDER = re.compile(r"(-?[0-9]{1,18})\.(.+)", re.ASCII)  # of any length, a number would not fit its column


def place_in(older: str) -> tuple[int, str] | None:
    """The moment and id of the last row of a page, as the address of the next has them. None: nothing that a page would say."""
    found = OLDER.fullmatch(older)
    return (int(found[1]), found[2]) if found else None


def opened(row: Row, me: Me) -> Kept:
    kind = KINDS[row["kind"]]
    hidden = kind.hidden_from(me.role)
    return Kept(
        id=row["id"],
        kind=kind,
        place=Place(row["seq"], row["mark"]),
        state=row["state"],
        author=row["author"],
        made_at=row["made_at"],
        received_at=row["received_at"],
        happened_at=row["happened_at"],
        edits=row["edits"],
        gaps=[name for name in from_json(row["gaps"]) if name not in hidden],
        body=seen_of(from_json(row["body"]), hidden),
        disputes=seen_of(from_json(row["disputes"]), hidden),
        disputed=seen_of(from_json(row["disputed"]), hidden),
        hidden=hidden,
    )


def from_json(text: str | None) -> Any:
    return {} if text is None else msgspec.json.decode(text)


def seen_of(values: Mapping[str, Any], hidden: frozenset[str]) -> dict[str, Any]:
    """Without hidden fields, whether named whole or by one key."""
    return {name: value for name, value in values.items() if name.partition("/")[0] not in hidden} if hidden else dict(values)


async def directory_of(tx: Tx, me: Me, kept: Iterable[Kept], pupils: Iterable[str] = ()) -> Directory:
    """What these records' codes and ids stand for; links only to records I may hold."""
    everyone, linked = set(pupils), set()
    for record in kept:
        everyone |= pupils_named(record.kind, record.body)
        linked |= records_named(record.kind, record.body)
    others = await linked_records(tx, me, linked)
    directory = await directory_for(tx, me.school, everyone.union(*(pupils_named(other.kind, other.body) for other in others)))
    directory.records = {other.id: called(other.kind, title_of(other.kind, other.body, other.disputes, directory)) for other in others}
    return directory


async def linked_records(tx: Tx, me: Me, ids: Iterable[str]) -> list[Kept]:
    wanted = sorted(ids)
    return [record for record, _ in await records_where(tx, me, "r.id = any($1)", wanted)] if wanted else []
