"""Young people spoken to, as the pages of a sweep tell of them: only ever what their reader may hold."""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from server.console.records import Kept, directory_of, records_where
from server.console.showing import Directory, Entry, in_words, people_of
from server.kinds.sighting import FORGOTTEN
from server.store.database import Tx
from server.store.me import Me
from server.store.moments import from_wire

AT_MOST = 500  # of one sweep

# Since when the school has had somebody unnamed: from the arrival, or from when the last name was taken out again.
UNNAMED_SINCE = """
    select r.id, coalesce(max(s.at), 0) from record r
    join record_pupil p on p.school = r.school and p.record = r.id and p.dropped_seq is not null
    join step s on s.school = p.school and s.seq = p.dropped_seq
    where r.school = $1 and r.id = any($2) group by r.id"""


class Seen(Struct, frozen=True):
    id: str
    version: str
    state: str
    pupils: list[Entry]
    name: str  # as it was given
    born: str
    school: str  # that they said they go to
    description: str
    whose: str
    whose_label: str
    where: str
    at: int
    company: str
    reason: str
    outcome: str
    handed_to: str
    school_told: str
    told_at: int | None
    by: str
    received_at: int
    unnamed_since: int
    has_concern: bool
    sweep: str

    @property
    def is_forgotten(self) -> bool:
        return not self.pupils and self.description == FORGOTTEN

    @property
    def is_void(self) -> bool:
        return self.state == "void"

    @property
    def called(self) -> str:
        """How a list names them."""
        return ", ".join(one.name for one in self.pupils) or self.name or self.description or "Not described"


async def seen_where(tx: Tx, me: Me, where: str, *args: Any, after: str) -> list[Seen]:
    kept = [one for one, _ in await records_where(tx, me, f"r.kind = 'sighting' and ({where})", *args, after=after)]
    directory = await directory_of(tx, me, kept)
    since = dict(map(tuple, await tx.rows(UNNAMED_SINCE, me.school, [one.id for one in kept]))) if kept else {}
    return [seen(one, directory, max(one.received_at, since.get(one.id, 0))) for one in kept]


async def seen_on(tx: Tx, me: Me, sweep: str) -> list[Seen]:
    """On that sweep, in the order in which they were spoken to."""
    on_it = "r.id in (select record from record_link where school = $1 and field = 'sweep' and other = $2)"
    return await seen_where(tx, me, on_it, me.school, sweep, after=f"order by r.happened_at, r.id limit {AT_MOST}")


def seen(kept: Kept, directory: Directory, unnamed_since: int) -> Seen:
    def say(name: str) -> str:
        field = kept.kind.field(name)
        return in_words(field.shape, kept.body.get(name), directory) if field else ""

    told = kept.body.get("school_told_at")
    return Seen(
        kept.id, kept.version, kept.state, people_of(kept.kind, kept.body, kept.disputes, directory), say("said_name"), say("said_born"),
        say("said_school"), say("description"), kept.body.get("whose") or "", say("whose"), say("where"), kept.happened_at, say("company"),
        say("reason"), say("outcome"), say("handed_to"), say("school_told"), from_wire(told["at"]) if told else None,
        directory.staff.get(kept.author, "somebody who has left"), kept.received_at, unnamed_since,
        kept.body.get("concern") == "yes", kept.body.get("sweep") or "",
    )  # fmt: skip


def counted(everybody: Iterable[Seen]) -> list[Seen]:
    """Without what was written in error."""
    return [one for one in everybody if not one.is_void]
