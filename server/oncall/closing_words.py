"""Two closing words of one's own: with one a visit is over, with the other it only looks so. Nobody reads them again."""

import hashlib
import hmac
import logging
import secrets
from functools import lru_cache
from typing import Literal
from unicodedata import normalize

from server.access import base64url, keys
from server.access.audit import looked
from server.refusals import Unreadable
from server.store.database import Tx
from server.store.me import Me
from server.store.moments import now

log = logging.getLogger("lanyard.oncall")

SHORTEST, LONGEST = 3, 60  # characters

SET = """
    insert into closing_words (school, staff, safe, alarm, set_at) values ($1, $2, $3, $4, $5)
    on conflict (school, staff) do update set safe = excluded.safe, alarm = excluded.alarm, set_at = excluded.set_at"""

Meaning = Literal["safe", "alarm", "neither"]
Which = Literal["safe", "alarm"]


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
    try:
        kid, key = await keys.signing_key(tx, PURPOSE)
    except keys.Locked:
        kid, key = await keys.new_key(tx, PURPOSE)
    kept = [hidden(word, kid, keys.secret_of(key), whose(me.school, me.staff, which)) for which, word in (("safe", safe), ("alarm", alarm))]
    await tx.run(SET, me.school, me.staff, *kept, now())
    await looked(tx, me, "set closing words")


async def set_at(tx: Tx, school: str, staff: str) -> int | None:
    row = await tx.row("select set_at from closing_words where school = $1 and staff = $2", school, staff)
    return row["set_at"] if row else None


async def meaning_of(tx: Tx, school: str, staff: str, word: str | None) -> Meaning:
    """What it says when this person closes with it. Whoever has set no words needs none."""
    row = await tx.row("select safe, alarm from closing_words where school = $1 and staff = $2", school, staff)
    if row is None:
        return "safe"
    try:
        for which in ALARM_FIRST:
            if await is_one(tx, word or "", row[which], whose(school, staff, which)):
                return which
    except keys.Locked:
        log.error("no passphrase opens the key of the closing words: whoever gives one is taken to need help")
        return "alarm" if word else "neither"  # or the word for an alarm would be refused, in front of whoever stands there
    return "neither"


# ── As they are kept ───────────────────────────────────────────────────────────────────────
#
# A word that somebody says under duress is short: whoever has a copy of the database guesses it in minutes, however long each guess
# is made to take. So it is not stretched, as a password is, but hashed under a key of the school's that the passphrase closes, and
# that costs nothing in the transaction that hears it. The hash says whose and which it is: no row does for another.

PURPOSE = "closing words"
ALARM_FIRST: tuple[Which, ...] = ("alarm", "safe")
KEYED = "keyed:"  # before that they were stretched; such are read for as long as nobody has set them anew
SALT_BYTES = 16
REMEMBERED = 100


def whose(school: str, staff: str, which: str) -> bytes:
    return f"{school}/{staff}/{which}/".encode()


def hidden(word: str, kid: str, key: bytes, whose: bytes) -> str:
    salt = secrets.token_bytes(SALT_BYTES)
    return f"{KEYED}{kid}:{base64url.write(salt + keyed(word, key, salt, whose))}"


async def is_one(tx: Tx, word: str, kept: str, whose: bytes) -> bool:
    if not kept.startswith(KEYED):
        return is_one_stretched(word, kept)
    kid, _, rest = kept.removeprefix(KEYED).partition(":")
    key, lay = await keys.secret(tx, PURPOSE, kid), base64url.read(rest) or b""
    return key is not None and hmac.compare_digest(keyed(word, key, lay[:SALT_BYTES], whose), lay[SALT_BYTES:])


def keyed(word: str, key: bytes, salt: bytes, whose: bytes) -> bytes:
    return hmac.digest(key, salt + whose + as_meant(word).encode(), "sha256")


@lru_cache(REMEMBERED)
def is_one_stretched(word: str, kept: str) -> bool:
    lay = base64url.read(kept) or b""
    return hmac.compare_digest(stretched(word, lay[:SALT_BYTES]), lay[SALT_BYTES:])


def stretched(word: str, salt: bytes) -> bytes:
    return hashlib.scrypt(as_meant(word).encode(), salt=salt, n=2**13, r=8, p=1, dklen=32)
