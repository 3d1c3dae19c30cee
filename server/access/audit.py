"""Who looked at what, and who changed what is not a record. Rows are only ever added."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec

from server.store.database import Tx, reading, writing
from server.store.ids import new_id
from server.store.me import Me
from server.store.moments import now, to_wire

ADD = """insert into audit (id, school, at, staff, phone, what, pupil, record, detail) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)"""


async def looked(
    tx: Tx, me: Me, what: str, *, pupil: str | None = None, record: str | None = None, detail: Mapping[str, Any] | None = None
) -> None:
    """Notes that I looked at, or did, something: `what` in the words the access log shows. Ids and counts only in `detail`."""
    await tx.run(ADD, new_id(), me.school, now(), me.staff, me.phone, what, pupil, record, as_noted(detail))


async def noted(tx: Tx, school: str, what: str, *, record: str | None = None, detail: Mapping[str, Any] | None = None) -> None:
    """Notes what the school did by itself, as its rules say: nobody's name stands there."""
    await tx.run(ADD, new_id(), school, now(), "", None, what, None, record, as_noted(detail))


def as_noted(detail: Mapping[str, Any] | None) -> str:
    return msgspec.json.encode(detail or {}).decode()


STILL_OPEN = 12 * 3600 * 1_000_000  # µs: no desk stays signed in longer
KNOWN = """
    select 1 from audit where school = $1 and staff = $2 and at > $3 and what = $4
    and coalesce(pupil, '') = $5 and coalesce(record, '') = $6 and detail = $7 limit 1"""


async def still_looks(
    me: Me, what: str, *, pupil: str | None = None, record: str | None = None, detail: Mapping[str, Any] | None = None
) -> bool:
    """For a page that says it draws itself again: no new looking, but anybody can say so, and then it is noted like any other: true."""
    since = now() - STILL_OPEN
    known = await reading(lambda tx: tx.row(KNOWN, me.school, me.staff, since, what, pupil or "", record or "", as_noted(detail)))
    if known is None:
        await writing(lambda tx: looked(tx, me, what, pupil=pupil, record=record, detail=detail))
    return known is None


# ── What somebody else did in my name ─────────────────────────────────────────────────────

LAST_SIGN_IN = """
    select at from audit where school = $1 and staff = $2 and what in ('sign in', 'sign in by passkey', 'sign in with a code')
    order by at desc limit 1"""
TOLD_OF = ["set password", "drop second factor", "wrong second factor", "sign in by code"]
PASSWORDS_SINCE = """
    select audit.at, audit.detail, staff.name, audit.what, audit.staff from staff
    join audit on audit.school = staff.school and audit.staff = staff.id
    where staff.school = $1 and audit.at > $2 and audit.what = any($3) order by audit.at desc"""


HELD_SINCE = """
    select because from edit where school = $1 and author = $2 and held_seq is not null and settled_at is null and received_at > $3
    order by received_at desc limit 1000"""


async def done_in_my_name(tx: Tx, me: Me) -> str | None:
    """What to tell me as I sign in: whoever gives me a password, or a phone a code of mine, could have come in as me.

    Of each kind of thing the last. And what came as mine since, and waits for somebody to say that it is: from a phone that had been
    switched off, say. None where there is nothing.
    """
    told: dict[str, str] = {}
    last = await tx.row(LAST_SIGN_IN, me.school, me.staff)
    doubted = Counter(why_doubted(row[0]) for row in await tx.rows(HELD_SINCE, me.school, me.staff, last[0] if last else 0))
    for why, many in sorted(doubted.items()):
        if why:
            came = "1 thing that you wrote is" if many == 1 else f"{many} things that you wrote are"
            told[why] = f"{came} at the school, and held until somebody there has looked: {why}."
    for at, noted, name, what, by in await tx.rows(PASSWORDS_SINCE, me.school, last[0], TOLD_OF) if last else ():
        detail, day = msgspec.json.decode(noted), to_wire(at)[:10]
        if what in told:
            continue
        if what == "sign in by code" and by == me.staff:
            told[what] = f"A phone was signed in as you by a code from the desk on {day}. If it was not yours, tell your safeguarding lead."
        if what == "wrong second factor" and by == me.staff:
            told[what] = f"Somebody gave your password on {day}, and not what you show beside it. If it was not you, have it changed."
        if detail.get("staff") == me.staff:
            who = detail.get("by", name)
            did, one = ("removed your passkeys and codes", "it") if what == "drop second factor" else ("gave you a new password", "one")
            told[what] = f"{who} {did} on {day}. If you did not ask for {one}, tell your safeguarding lead."
    return " ".join(told.values()) or None


def why_doubted(because: str) -> str:
    """Nothing, where it was held for what it says."""
    why = msgspec.json.decode(because).get("phone")
    return str(why).partition(":")[0] if why else ""
