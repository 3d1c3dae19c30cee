"""How long calls for help wait, by place and by period: to support staff. It names nobody, and ranks nobody."""

from collections.abc import Callable, Iterable
from statistics import median
from typing import Any

import msgspec

from server.oncall.calls import CALL_OUT
from server.oncall.rota import local
from server.store.database import Tx
from server.store.moments import from_wire

WEEK = 7 * 24 * 3600 * 1_000_000  # µs
LOOKED_AT = 5_000  # calls, newest first
FEWEST = 3  # calls of which a median is told
BELIEVED = 6 * 3600 * 1_000_000  # a longer wait was written down later


class Took(msgspec.Struct, frozen=True):
    """One call: where and when, and how long until somebody answered and arrived, in µs."""

    record: str
    asked_at: int
    progress: str
    place: str
    period: str
    answer: int | None
    arrive: int | None
    answered: bool


class Times(msgspec.Struct, frozen=True):
    """Of one place or period. A median of fewer than three calls is not told."""

    of: str
    calls: int
    unanswered: int
    answer: int | None
    arrive: int | None


async def took_since(tx: Tx, school: str, since: int) -> list[Took]:
    periods = await tx.rows("select code, starts, ends from period where school = $1 order by starts", school)
    rows = await tx.rows(
        "select id, happened_at, body from record where school = $1 and kind = $2 and state <> 'void' and happened_at >= $3"
        f" order by happened_at desc limit {LOOKED_AT}",
        school,
        CALL_OUT.name,
        since,
    )
    return [took(row["id"], row["happened_at"], msgspec.json.decode(row["body"]), periods) for row in rows]


def took(record: str, asked_at: int, body: dict[str, Any], periods: list[Any]) -> Took:
    clock = local(asked_at).clock
    period = next((row["code"] for row in periods if row["starts"] <= clock < row["ends"]), "")
    answered, arrived = (moment(body.get(name)) for name in ("answered_at", "arrived_at"))
    is_answered = answered is not None or arrived is not None
    progress, place = body.get("progress") or "asked", body.get("place") or ""
    return Took(record, asked_at, progress, place, period, wait(asked_at, answered), wait(asked_at, arrived), is_answered)


def wait(asked_at: int, at: int | None) -> int | None:
    return at - asked_at if at is not None and 0 <= at - asked_at <= BELIEVED else None


def moment(value: Any) -> int | None:
    return from_wire(value["at"]) if isinstance(value, dict) and isinstance(value.get("at"), str) else None


def times_by(found: Iterable[Took], which: Callable[[Took], str]) -> list[Times]:
    """Of each, most calls first."""
    groups: dict[str, list[Took]] = {}
    for one in found:
        groups.setdefault(which(one), []).append(one)
    told = [times_of(of, those) for of, those in groups.items()]
    return sorted(told, key=lambda one: (-one.calls, one.of))


def times_of(of: str, those: list[Took]) -> Times:
    answers, arrivals = ([wait for one in those if (wait := getattr(one, name)) is not None] for name in ("answer", "arrive"))
    return Times(of, len(those), sum(not one.answered for one in those), middle(answers), middle(arrivals))


def middle(waits: list[int]) -> int | None:
    return int(median(waits)) if len(waits) >= FEWEST else None
