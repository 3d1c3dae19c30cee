"""Alerts: saying something to somebody, taking it back, and how far it came. All of it inside the caller's own transaction."""

import re
import secrets

import msgspec

from server.push.words import said
from server.store.database import Tx, writing
from server.store.ids import new_id
from server.store.moments import now

SECOND = 1_000_000
KEPT_FOR = 30 * 24 * 3600 * SECOND  # but for what is still told of: see OLD
AT_ONCE = 1000  # forgotten in one go
ADDRESS = re.compile(r"/[0-9A-Za-z/_-]{0,150}", re.ASCII)  # inside the app; ids only, for it travels with the alert

KEEP = """
    insert into alert (id, school, staff, words, title, body, opens, topic, urgent, made_at, ends_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"""
RINGING = """
    select s.phone from subscription s join phone p on p.school = s.school and p.id = s.phone join staff on staff.id = s.staff
    where s.school = $1 and s.staff = $2 and s.retired_at is null and p.revoked_at is null and staff.left_at is null order by s.phone"""


async def alert(
    tx: Tx,
    school: str,
    staff: str,
    words: str,
    *,
    opens: str,
    topic: str,
    ttl_s: int,
    place: str | None = None,
    count: int | None = None,
    urgent: bool = True,
    phone: str | None = None,
) -> str:
    """Rings every phone of theirs that can ring, or this one; answers the alert's id. After the transaction: `delivery.look_soon()`.

    `words`: which of `WORDS`. `place`: a code of the school's list of places; of one that is not in it nothing is said.
    `topic`: a later alert of the same to the same person takes this one's place, also on the screen. `ttl_s`: seconds in which it
    is worth ringing. It is kept though nobody's phone can ring: see `told_of`.
    """
    assert ADDRESS.fullmatch(opens), opens
    id, at = new_id(), now()
    title, body = said(words, await _label(tx, school, place), count)
    await tx.run(
        "update alert set retired_at = $4 where school = $1 and topic = $2 and staff = $3 and retired_at is null", school, topic, staff, at
    )
    await tx.run(KEEP, id, school, staff, words, title, body, opens, topic, urgent, at, at + ttl_s * SECOND)
    phones = [row["phone"] for row in await tx.rows(RINGING, school, staff)]
    await tx.run_many(
        "insert into delivery (alert, school, phone, token) values ($1, $2, $3, $4)",
        [(id, school, one, secrets.token_urlsafe(16)) for one in phones if phone in (None, one)],
    )
    return id


async def retire_alerts(tx: Tx, school: str, topic: str) -> None:
    """What has not been handed over yet is not: somebody answered, or it is over. Safe to repeat."""
    await tx.run("update alert set retired_at = $3 where school = $1 and topic = $2 and retired_at is null", school, topic, now())


async def _label(tx: Tx, school: str, place: str | None) -> str | None:
    if place is None:
        return None
    row = await tx.row("select label from list_entry where school = $1 and list = 'places' and code = $2", school, place)
    return row["label"] if row else None


# ── How far it came ────────────────────────────────────────────────────────────────────────


class Told(msgspec.Struct, frozen=True):
    """One alert on one phone; `phone` is None where nobody's could ring. Moments in µs; `failed`: the last trouble, in words."""

    alert: str
    staff: str
    words: str
    made_at: int
    phone: str | None = None
    handed_at: int | None = None
    shown_at: int | None = None
    opened_at: int | None = None
    failed: str | None = None


TOLD = """
    select a.id, a.staff, a.words, a.made_at, d.phone, d.handed_at, d.shown_at, d.opened_at, d.failed
    from alert a left join delivery d on d.alert = a.id where a.school = $1 and a.topic = $2 order by a.made_at, a.id, d.phone"""


async def told_of(tx: Tx, school: str, topic: str) -> list[Told]:
    """Every alert of this topic, oldest first, and how far each came on each phone."""
    return [Told(*row) for row in await tx.rows(TOLD, school, topic)]


async def note(tx: Tx, id: str, token: str, what: str) -> bool:
    """A phone says that it has `shown` or `opened` the alert. The first time counts. False where there is no such alert."""
    opened = what == "opened"
    row = await tx.row(
        "update delivery set shown_at = coalesce(shown_at, $3), opened_at = case when $4 then coalesce(opened_at, $3) else opened_at end"
        " where alert = $1 and token = $2 returning phone",
        id, token, now(), opened,
    )  # fmt: skip
    return row is not None


class Green(msgspec.Struct, frozen=True):
    """A phone that can ring, as far as anybody knows: when a test was last shown on it, and when it was last heard of."""

    staff: str
    phone: str
    tested_at: int | None
    seen_at: int


THAT_RING = (
    " from subscription s join phone p on p.school = s.school and p.id = s.phone join staff on staff.id = s.staff"
    " where s.school = $1 and s.retired_at is null and p.revoked_at is null and staff.left_at is null"
)


async def any_rings(tx: Tx, school: str, staff: list[str]) -> bool:
    """Whether any of them has a phone that can ring, as far as anybody knows."""
    return bool(await tx.row(f"select 1{THAT_RING} and s.staff = any($2) limit 1", school, staff))


async def phones_that_ring(tx: Tx, school: str) -> list[Green]:
    rows = await tx.rows(
        "select s.staff, s.phone, s.checked_at, p.seen_at,"
        " (select max(d.shown_at) from delivery d join alert a on a.id = d.alert"
        "  where d.school = s.school and d.phone = s.phone and a.words = 'test') as tested_at"
        f"{THAT_RING} order by s.staff, s.phone",
        school,
    )
    return [Green(staff, phone, tested_at, max(checked_at, seen_at or 0)) for staff, phone, checked_at, seen_at, tested_at in rows]


# ── Forgetting ─────────────────────────────────────────────────────────────────────────────

# A call goes on saying how far its alerts came, and a phone when it was last proved to ring.
OLD = """
    select a.id from alert a where a.made_at < $1 and a.topic not like 'call/%' and not (a.words = 'test' and exists
        (select 1 from delivery d where d.alert = a.id and d.shown_at is not null and not exists
            (select 1 from delivery l join alert b on b.id = l.alert where l.school = d.school and l.phone = d.phone
             and b.words = 'test' and l.shown_at > d.shown_at)))
    order by a.made_at limit {most}"""


async def forget_old_alerts() -> None:
    await writing(_forget)


async def _forget(tx: Tx) -> None:
    old = [row["id"] for row in await tx.rows(OLD.format(most=AT_ONCE), now() - KEPT_FOR)]
    await tx.run("delete from delivery where alert = any($1)", old)
    await tx.run("delete from alert where id = any($1)", old)
