"""Finding a pupil by any part of any name: accents, apostrophes and hyphens do not matter, and a slip of the finger is forgiven."""

from collections.abc import Callable
from difflib import SequenceMatcher
from functools import lru_cache
from unicodedata import combining, normalize

from msgspec import Struct

from server.console.directory import PUPIL, pupil_line
from server.console.showing import PupilLine
from server.store.database import Tx

CLOSE_ENOUGH = 0.75  # of 1: how like a word must be to be taken for a slip
SHORTEST_SLIP = 4  # letters; in a shorter word a slip is another name
UNDECOMPOSED = str.maketrans({"ø": "o", "đ": "d", "ł": "l", "ß": "ss", "æ": "ae", "œ": "oe", "ı": "i", "ð": "d", "þ": "th"})


class Match(Struct, frozen=True):
    pupil: PupilLine
    known_as: str  # the whole of every name they have
    marks: list[tuple[str, bool]]  # the name in pieces, and whether a piece is what was typed


async def find_pupils(tx: Tx, school: str, asked: str, most: int) -> list[Match]:
    """Pupils on roll, the likeliest first."""
    rows = await tx.rows(f"select {PUPIL} from pupil where school = $1 and left_at is null", school)
    wanted = plain(asked).split()
    everybody = [(pupil_line(row), " ".join(filter(None, (row["forename"], row["preferred"], row["surname"])))) for row in rows]
    found = ranked(everybody, wanted, starts) or ranked(everybody, wanted, resembles)
    return [Match(line, names, marked(line.name, wanted)) for line, names in found[:most]]


Names = tuple[PupilLine, str]


def ranked(everybody: list[Names], wanted: list[str], fits: Callable[[str, str], bool]) -> list[Names]:
    if not wanted:
        return []
    found = []
    for line, names in everybody:
        words = [*plain(names).split(), *plain(line.form).split(), "".join(plain(line.form).split())]
        if all(any(fits(word, part) for word in words) for part in wanted):
            whole = sum(part in words for part in wanted)
            found.append(((-whole, plain(line.name)), (line, names)))
    return [one for _, one in sorted(found, key=lambda pair: pair[0])]


def starts(word: str, part: str) -> bool:
    return word.startswith(part) or (len(part) > 2 and part in word)


def resembles(word: str, part: str) -> bool:
    if starts(word, part):
        return True
    return len(part) >= SHORTEST_SLIP and word[:1] == part[:1] and SequenceMatcher(None, word, part).ratio() >= CLOSE_ENOUGH


@lru_cache(maxsize=20_000)
def plain(text: str) -> str:
    """Lower case, without accents or apostrophes; a hyphen parts two words."""
    return "".join(letter(character) for character in text)


@lru_cache(maxsize=2_000)
def letter(character: str) -> str:
    if character in "'’‘`ʼ.":
        return ""
    if character in "-‐‑–/":
        return " "
    bare = "".join(part for part in normalize("NFKD", character) if not combining(part))
    return bare.lower().translate(UNDECOMPOSED)


def marked(name: str, wanted: list[str]) -> list[tuple[str, bool]]:
    """`Siobhán O’Neill` for `onei`: [("Siobhán ", no), ("O’Nei", yes), ("ll", no)]."""
    flat, at = "", []
    for n, character in enumerate(name):
        for one in letter(character):
            flat += one
            at.append(n)
    inside = [False] * len(name)
    for part in wanted:
        if (start := flat.find(part)) >= 0:
            for n in range(at[start], at[start + len(part) - 1] + 1):
                inside[n] = True
    pieces: list[tuple[str, bool]] = []
    for character, is_in in zip(name, inside, strict=True):
        if pieces and pieces[-1][1] == is_in:
            pieces[-1] = (pieces[-1][0] + character, is_in)
        else:
            pieces.append((character, is_in))
    return pieces
