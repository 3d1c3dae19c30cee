"""What one person has not seen since a place in history: records, their own held edits, and what they may no longer hold."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import msgspec
from msgspec import UNSET, Raw

from server.kinds import KINDS
from server.store.database import Tx
from server.store.engines import Row
from server.store.me import Me
from server.store.moments import to_wire
from server.store.numbers import Place
from server.sync.audience import kept_at_desk, let_go, sent
from server.sync.finding import as_sent
from server.sync.keeping import as_json
from server.sync.wire import HeldEdit, Record, Settled

PAGE_LIMIT = 500  # records
PAGE_BYTES_LIMIT = 1_000_000
CHUNK = 125  # rows read at once, so that a page of long records is not read five times over
BESIDE = 400  # about what a record weighs besides what is stored as JSON

decode = msgspec.json.decode


class Item(msgspec.Struct):
    seq: int
    size: int
    what: Record | HeldEdit | str  # str: the id of a record that is gone


Source = Callable[[Tx, Me, int, int], Awaitable[list[Item]]]


class Page(msgspec.Struct):
    upto: int
    items: list[Item]
    more: bool

    def of(self, kind: type) -> list[Any]:
        return [item.what for item in self.items if isinstance(item.what, kind)]


async def unseen(tx: Tx, me: Me, after: int, last: int, fresh_to: int) -> Page:
    """All there is after `after`, as far as `last`, or as far as one page goes. No held edit settled up to `fresh_to`."""
    if after == last:
        return Page(last, [], False)
    sources = (records_after, held_after, gone_after) if after else (records_after, held_after)
    found = [await fill(source, tx, me, after, fresh_to) for source in sources]
    upto = min([items[-1].seq for items, complete in found if not complete], default=last)
    items = sorted((item for items, _ in found for item in items if item.seq <= upto), key=lambda item: item.seq)
    fitting = that_fit(items)
    if len(fitting) < len(items):
        upto = fitting[-1].seq
    return Page(upto, fitting, upto < last)


async def fill(source: Source, tx: Tx, me: Me, after: int, fresh_to: int) -> tuple[list[Item], bool]:
    """As many as a page could take, and whether these are all."""
    items: list[Item] = []
    size = 0
    while len(items) <= PAGE_LIMIT and size <= PAGE_BYTES_LIMIT:
        chunk = await source(tx, me, items[-1].seq if items else after, fresh_to)
        items += chunk
        size += sum(item.size for item in chunk)
        if len(chunk) < CHUNK:
            return items, True
    return items, False


def that_fit(items: list[Item]) -> list[Item]:
    """The first of them, as many as one page takes: one at least, and never half of what moved in one step."""
    size = 0
    for n, item in enumerate(items):
        size += item.size
        if n and (n >= PAGE_LIMIT or size > PAGE_BYTES_LIMIT) and item.seq > items[n - 1].seq:
            return items[:n]
    return items


# ── The three sources: each answers a chunk of what there is after a place, in order ────────


async def records_after(tx: Tx, me: Me, after: int, fresh_to: int) -> list[Item]:
    sql, args = sent(me, first=3)
    rows = await tx.rows(
        "select r.id, r.kind, r.seq, r.mark, r.state, r.author, r.made_at, r.received_at, r.edits, r.gaps, r.body, r.disputes,"
        f" r.disputed from record r where r.school = $1 and r.seq > $2 and {sql} order by r.seq limit {CHUNK}",
        me.school,
        after,
        *args,
    )
    hidden = {kind.name: kind.hidden_from(me.role) | kind.apart for kind in KINDS.values()}
    return [record_item(row, hidden[row[1]]) for row in rows]


def record_item(row: Row, hidden: Iterable[str]) -> Item:
    id, kind, seq, mark, state, author, made_at, received_at, edits, gaps, body, disputes, disputed = row
    for field in hidden:
        gaps, body, disputes, disputed = (without(field, text) for text in (gaps, body, disputes, disputed))
    record = Record(
        id=id,
        kind=kind,
        version=str(Place(seq, mark)),
        state=state,
        author=author,
        made_at=to_wire(made_at),
        received_at=to_wire(received_at),
        edits=edits,
        gaps=Raw(gaps),
        body=Raw(body),
        disputes=Raw(disputes or "{}"),
        disputed=Raw(disputed) if disputed else UNSET,
    )
    return Item(seq, BESIDE + len(body) + len(disputes or ""), record)


async def held_after(tx: Tx, me: Me, after: int, fresh_to: int) -> list[Item]:
    rows = await tx.rows(
        'select id, record, kind, held_seq, coalesce(made_at, received_at), "values", because,'
        " settled_how, settled_by, settled_at, settled_why from edit"
        " where school = $1 and author = $2 and held_seq is not null and held_seq > $3 and (settled_at is null or held_seq > $4)"
        f" order by held_seq limit {CHUNK}",
        me.school,
        me.staff,
        after,
        fresh_to,
    )
    return [held_item(row) for row in rows]


def held_item(row: Row) -> Item:
    id, record, kind, seq, made_at, values, because, how, by, at, why = row
    for field in KINDS[kind].apart | KINDS[kind].hushed if kind in KINDS else ():
        values = without(field, values)
    held = HeldEdit(
        edit=as_sent(id),
        record=record,
        kind=kind,
        made_at=to_wire(made_at),
        values=Raw(values),
        because=Raw(because),
        settled=Settled(how=how, by=by, at=to_wire(at), why=why) if how else None,
    )
    return Item(seq, BESIDE + len(values), held)


async def gone_after(tx: Tx, me: Me, after: int, fresh_to: int) -> list[Item]:
    """Told by the step that took them away, not by the record's last: it may have moved on since."""
    lost, args = let_go(me, after)
    still, more = sent(me, first=2 + len(args))
    rows = await tx.rows(
        f"select record, seq from ({lost}) as lost where not exists"
        f" (select 1 from record r where r.school = $1 and r.id = lost.record and (r.kind = any(${1 + len(args)}) or {still}))"
        f" order by seq limit {CHUNK}",
        *args,
        kept_at_desk(),
        *more,
    )
    return [Item(row[1], len(row[0]), row[0]) for row in rows]


def without(field: str, text: str | None) -> str | None:
    """Stored JSON, a list of fields or an object by field, with this one left out, and what is disputed in it."""
    if text is None or f'"{field}' not in text:
        return text
    said = decode(text)
    if isinstance(said, list):
        return as_json([name for name in said if name != field])
    return as_json({name: value for name, value in said.items() if name.partition("/")[0] != field})
