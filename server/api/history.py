"""Everything that was written in one record, by whom and when, as far as I may see it."""

from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.params import FromPath

from server.access.audit import looked
from server.access.rights import signed_in
from server.kinds import KINDS
from server.refusals import NotFound
from server.store.database import Tx, writing
from server.store.engines import Row
from server.store.me import Me
from server.store.moments import to_wire
from server.sync.audience import may_be_sent

TAKEN = """
    select id, kind, author, made_at, ordered_at, received_at, "values", remarks from edit
    where school = $1 and record = $2 and seq is not null order by ordered_at, id"""


class WrittenEdit(msgspec.Struct):
    """`at`: when it was made, by the school's clock; `made_at`: as its phone claimed, or null where nobody could read it."""

    id: str
    author: str
    at: str
    made_at: str | None
    received_at: str
    values: dict[str, Any]
    remarks: list[str]


class HistoryAnswer(msgspec.Struct):
    record: str
    edits: list[WrittenEdit]  # oldest first


@get("/api/records/{record:str}/history", guards=[signed_in])
async def tell_history(request: Request[Any, Any, Any], record: FromPath[str]) -> Response[bytes]:
    told = await writing(history_for, request.state.me, record)
    return Response(msgspec.json.encode(told), media_type="application/json")


async def history_for(tx: Tx, me: Me, record: str) -> HistoryAnswer:
    """Raises NotFound also where there is such a record and it is not mine to see."""
    if not await may_be_sent(tx, me, record):
        raise NotFound
    rows = await tx.rows(TAKEN, me.school, record)
    await looked(tx, me, "read record", record=record)
    return HistoryAnswer(record, [written(row, me) for row in rows])


def written(row: Row, me: Me) -> WrittenEdit:
    kind = KINDS[row["kind"]]
    unseen = kind.apart | kind.hidden_from(me.role)
    values = {name: value for name, value in msgspec.json.decode(row["values"]).items() if name not in unseen}
    made_at = None if row["made_at"] is None else to_wire(row["made_at"])
    moments = (to_wire(row["ordered_at"]), made_at, to_wire(row["received_at"]))
    # A remark on a field begins with its name.
    remarks = [remark for remark in msgspec.json.decode(row["remarks"], type=list[str]) if remark.partition(":")[0] not in unseen]
    return WrittenEdit(row["id"], row["author"], *moments, values, remarks)
