"""Whom a name and an age that somebody gave might mean: names by how they are spelt and how they sound. Pure; a person decides."""

import re
from collections.abc import Iterable
from datetime import date
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import pairwise

from msgspec import Struct

from server.console.finding import plain

LIKELY = 0.6  # of 1: what is less like than this is not worth a look
A_SLIP = 0.75  # how alike two spellings are that one slip of ear or hand parts
BY_SOUND, BY_BEGINNING, BY_INITIAL = 0.93, 0.85, 0.5
ONE_NAME_ALONE = 0.85  # a forename says less than two names
WORDS_HEARD = 5  # of a name
SHORTEST = 3  # letters that a name may be known by

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAY_FIRST = re.compile(r"\b(\d{1,2})[ ./-](\d{1,2})(?:[ ./-](\d{4}|\d{2}))?\b")
ISO = re.compile(r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b")
MONTH = re.compile(rf"\b(?:(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? )?({'|'.join(MONTHS)})[a-z]*(?: (\d{{1,2}})\b(?!\d))?,?(?: (\d{{4}}))?")
YEAR_GROUP = re.compile(r"\b(?:year|yr|y) ?(7|8|9|1[0-3])\b")
YEAR = re.compile(r"\b(20[0-2]\d)\b")
AGE = re.compile(r"\b(\d{1,2})\b")

# How names that were written down by ear, or brought into our letters in several ways, come to sound the same.
SOUNDS = tuple(
    (re.compile(was), now)
    for was, now in (
        ("sz|sch|sh|ş", "s"), ("cz|ch|tsch", "c"), ("rz|zh", "z"), ("ph", "f"), ("(?<=io)bh", "v"), ("kh|q|ck", "k"), ("gh", "g"),
        ("th|tt", "t"), ("dh", "d"), ("x", "ks"), ("c(?=[aourlkt]|$)", "k"), ("w", "v"), ("j(?=[aeiou])", "y"), ("z", "s"),
    )
)  # fmt: skip


class Somebody(Struct, frozen=True):
    """A pupil, as far as this asks."""

    id: str
    names: str  # every name they have
    born_on: date | None
    year: str


class Born(Struct, frozen=True):
    """What somebody said of their age, as far as it can be read."""

    day: int = 0
    month: int = 0
    year: int = 0
    age: int = 0
    group: str = ""


class Likeness(Struct, frozen=True):
    id: str
    score: float
    why: str  # in words, for whoever decides


def likeliest(name: str, born: str, everybody: Iterable[Somebody], today: date, most: int) -> list[Likeness]:
    """The likeliest first; none where no name was given."""
    heard, said = words_of(name), read_born(born)
    found = [one for pupil in everybody if heard and (one := liken(heard, said, pupil, today))]
    return sorted(found, key=lambda one: (-one.score, one.id))[:most]


def liken(heard: list[str], born: Born, pupil: Somebody, today: date) -> Likeness | None:
    theirs = words_of(pupil.names)
    by_name = likeness_of_names(heard, theirs + [one + next for one, next in pairwise(theirs)])  # El Sayed, Elsayed
    if by_name < LIKELY:
        return None
    by_age, why = likeness_of_ages(born, pupil, today)
    score = by_name + by_age
    how = "The same name" if by_name > 0.99 else "A name that sounds like it" if by_name >= A_SLIP else "Part of the name"
    return Likeness(pupil.id, round(score, 3), ". ".join(filter(None, (how, why)))) if score >= LIKELY else None


# ── Names ──────────────────────────────────────────────────────────────────────────────────


def words_of(name: str) -> list[str]:
    return [word for word in re.findall(r"[^\W\d_]+", plain(name)) if word][:WORDS_HEARD]


def likeness_of_names(heard: list[str], theirs: list[str]) -> float:
    """How well each word that was heard fits one of theirs; a forename alone says less."""
    whole = [word for word in heard if len(word) > 1]
    if not whole or not theirs:
        return 0
    fits = [max(likeness_of_words(word, other) for other in theirs) for word in whole]
    initials = [BY_INITIAL if any(other.startswith(word) for other in theirs) else 0 for word in heard if len(word) == 1]
    score = sum(fits) / len(fits)
    if initials:
        return score * (0.95 if all(initials) else 0.7)
    return score * (ONE_NAME_ALONE if len(whole) == 1 else 1)


@lru_cache(maxsize=50_000)
def likeness_of_words(heard: str, theirs: str) -> float:
    if heard == theirs:
        return 1
    if min(len(heard), len(theirs)) < SHORTEST:
        return 0
    ratio = SequenceMatcher(None, heard, theirs).ratio()
    if sound(heard) == sound(theirs) and ratio > 0.4:
        return BY_SOUND
    if theirs.startswith(heard) or heard.startswith(theirs):
        return BY_BEGINNING
    return ratio if ratio >= A_SLIP and sound(heard)[0] == sound(theirs)[0] else 0


@lru_cache(maxsize=20_000)
def sound(word: str) -> str:
    """Its consonants as one hears them; a vowel counts only where it begins."""
    for was, now in SOUNDS:
        word = was.sub(now, word)
    first = "a" if word[:1] in "aeiouy" and not re.match("y[aeou]", word) else word[:1]
    rest = re.sub("[aeiouyh]", "", word[1:])
    return re.sub(r"(.)\1+", r"\1", first + rest)


# ── Ages ───────────────────────────────────────────────────────────────────────────────────


def read_born(text: str) -> Born:
    """`14/3/2012`, `March 2012`, `14th of March`, `about 13`, `year 9`: whatever of it can be read."""
    said = plain_date(text)
    if found := YEAR_GROUP.search(said):
        return Born(group=found[1])
    if found := ISO.search(said):
        return Born(day=int(found[3]), month=int(found[2]), year=int(found[1]))
    if found := DAY_FIRST.search(said):
        year = int(found[3] or 0)
        return Born(day=int(found[1]), month=int(found[2]), year=year + 2000 if 0 < year < 100 else year)
    if found := MONTH.search(said):
        return Born(day=int(found[1] or found[3] or 0), month=MONTHS.index(found[2]) + 1, year=int(found[4] or 0))
    if found := YEAR.search(said):
        return Born(year=int(found[1]))
    if found := AGE.search(said):
        return Born(age=int(found[1]))
    return Born()


def plain_date(text: str) -> str:
    return " ".join(text.casefold().replace(",", " ").split())


def likeness_of_ages(said: Born, pupil: Somebody, today: date) -> tuple[float, str]:
    """What it adds to the likeness, or takes from it; and why, in words."""
    if said.group:
        return (
            (0.1, f"Year {pupil.year}, as they said")
            if said.group == pupil.year
            else (-0.15, f"In Year {pupil.year}: they said {said.group}")
        )
    born = pupil.born_on
    if born is None or said == Born():
        return 0, ""
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    if said.age:
        apart = abs(said.age - age)
        told = f"{age} years old"
        return (0.1, f"{told}, as they said") if apart == 0 else (0.03, told) if apart == 1 else (-0.3, f"{told}: they said {said.age}")
    parts = [(said.day, born.day), (said.month, born.month), (said.year, born.year)]
    same = sum(given == real for given, real in parts if given)
    asked = sum(bool(given) for given, _ in parts)
    swapped = (said.day, said.month) == (born.month, born.day) and said.year in (0, born.year)
    told = f"Born {born.day} {born:%B %Y}"
    if same == asked or swapped:
        return 0.05 * asked, f"{told}, as they said"
    return (0, f"{told}: they said something near it") if same == asked - 1 and asked > 1 else (-0.3, f"{told}: they said otherwise")
