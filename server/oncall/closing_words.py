"""Two closing words of one's own: with one a visit is over, with the other it only looks so. Kept as passwords are: nobody reads them."""

from typing import Literal
from unicodedata import normalize

from server.access.audit import looked
from server.access.passwords import hashed, matches
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


async def hidden(safe: str, alarm: str) -> tuple[str, str]:
    """As they are kept. Raises Unreadable. Takes a moment: call it outside a transaction."""
    if problem := problem_with(safe, alarm):
        raise Unreadable(problem)
    return await hashed(as_meant(safe)), await hashed(as_meant(alarm))


async def keep(tx: Tx, me: Me, safe: str, alarm: str) -> None:
    """Both as `hidden` gives them."""
    await tx.run(SET, me.school, me.staff, safe, alarm, now())
    await looked(tx, me, "set closing words")


async def forget(tx: Tx, me: Me) -> None:
    """Safe to repeat."""
    await tx.run("delete from closing_words where school = $1 and staff = $2", me.school, me.staff)
    await looked(tx, me, "remove closing words")


async def set_at(tx: Tx, school: str, staff: str) -> int | None:
    row = await tx.row("select set_at from closing_words where school = $1 and staff = $2", school, staff)
    return row["set_at"] if row else None


async def meaning_of(tx: Tx, school: str, staff: str, word: str | None) -> Meaning:
    """What it says when this person closes with it. Whoever has set no words needs none."""
    row = await tx.row("select safe, alarm from closing_words where school = $1 and staff = $2", school, staff)
    if row is None:
        return "safe"
    said = as_meant(word or "")
    if await matches(said, row["alarm"]):
        return "alarm"
    return "safe" if await matches(said, row["safe"]) else "neither"
