"""Two closing words of one's own: with one a visit is over, with the other it only looks so. Kept as passwords are: nobody reads them."""

import hashlib
import hmac
import secrets
from typing import Literal
from unicodedata import normalize

from server.access import base64url
from server.access.audit import looked
from server.refusals import Unreadable
from server.store.database import Tx
from server.store.me import Me
from server.store.moments import now

SHORTEST, LONGEST = 3, 60  # characters

SET = """
    insert into closing_words (school, staff, safe, alarm, set_at) values ($1, $2, $3, $4, $5)
    on conflict (school, staff) do update set safe = excluded.safe, alarm = excluded.alarm, set_at = excluded.set_at"""

Meaning = Literal["safe", "alarm", "neither"]


def as_meant(word: str) -> str:
    """Typed with cold fingers: capitals, accents and spaces do not matter."""
    plain = normalize("NFKD", word).casefold()
    return "".join(letter for letter in plain if letter.isalnum())


def problem_with(safe: str, alarm: str) -> str | None:
    """Why these two may not be one's words, in words."""
    for word in (safe, alarm):
        if len(as_meant(word)) < SHORTEST or len(word) > LONGEST:
            return f"Each word has {SHORTEST} to {LONGEST} letters."
    if as_meant(safe) == as_meant(alarm):
        return "The two words must differ: one says that you are safe, the other that you are not."
    return None


async def keep(tx: Tx, me: Me, safe: str, alarm: str) -> None:
    """Both empty: none any more. Raises Unreadable. Safe to repeat."""
    if not safe and not alarm:
        await tx.run("delete from closing_words where school = $1 and staff = $2", me.school, me.staff)
        await looked(tx, me, "remove closing words")
        return
    if problem := problem_with(safe, alarm):
        raise Unreadable(problem)
    await tx.run(SET, me.school, me.staff, hidden(safe), hidden(alarm), now())
    await looked(tx, me, "set closing words")


async def set_at(tx: Tx, school: str, staff: str) -> int | None:
    row = await tx.row("select set_at from closing_words where school = $1 and staff = $2", school, staff)
    return row["set_at"] if row else None


async def meaning_of(tx: Tx, school: str, staff: str, word: str | None) -> Meaning:
    """What it says when this person closes with it. Whoever has set no words needs none."""
    row = await tx.row("select safe, alarm from closing_words where school = $1 and staff = $2", school, staff)
    if row is None:
        return "safe"
    if is_one(word or "", row["alarm"]):
        return "alarm"
    return "safe" if is_one(word or "", row["safe"]) else "neither"


# ── As they are kept ───────────────────────────────────────────────────────────────────────

SALT_BYTES = 16


def hidden(word: str) -> str:
    salt = secrets.token_bytes(SALT_BYTES)
    return base64url.write(salt + stretched(word, salt))


def is_one(word: str, kept: str) -> bool:
    lay = base64url.read(kept) or b""
    return hmac.compare_digest(stretched(word, lay[:SALT_BYTES]), lay[SALT_BYTES:])


def stretched(word: str, salt: bytes) -> bytes:
    """Inside the transaction that takes a step, so it is kept to about 20 ms."""
    return hashlib.scrypt(as_meant(word).encode(), salt=salt, n=2**13, r=8, p=1, dklen=32)
