"""Which column is which: every school's export has its own headings, so they are found by what they say.

A heading is compared without case, accents, spaces or punctuation: `YearGroup`, `Year group` and `YEAR_GROUP` are one.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher, get_close_matches

from server.imports import values
from server.imports.aliases import ADDRESS_PARTS, Aliases
from server.imports.sheet import Unusable

LOOK_IN, MISSPELT_IN = 40, 12  # rows above the headings: titles, filters, who ran the report
ALIKE, WORD_ALIKE = 0.85, 0.75  # a typing mistake; "name" and "surname" are 0.73
LONGEST_HEADING = 80
WARNINGS = ("do_not_contact", "court_order", "address_withheld")  # may stand in several columns, none of which is passed over

Numbered = list[tuple[int, list[str]]]  # rows with the number Excel shows beside them


@dataclass(frozen=True)
class Row:
    number: int  # as Excel counts, from 1
    values: dict[str, str]  # by field; only columns that are there


@dataclass(frozen=True)
class Table:
    rows: list[Row]
    headings: dict[str, str]  # field → the heading as written
    header_row: int
    unused: list[str]
    skipped: list[str] = field(default_factory=list)  # what was passed over, in words


def plain(heading: str) -> str:
    """`StudentEmail`, `student_email` and `Student e-mail:` → `student email`."""
    text = unicodedata.normalize("NFKD", heading[:LONGEST_HEADING])
    text = "".join(letter for letter in text if not unicodedata.combining(letter))
    text = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])", " ", text)
    text = text.replace("E-mail", "email").replace("e-mail", "email")
    return " ".join(re.sub(r"[^0-9a-z]+", " ", text.casefold()).split())


def columns(row: list[str], aliases: Aliases, profile: Mapping[str, str], *, misspelt: bool = True) -> dict[str, int]:
    """Which column holds which field, by a row taken as headings. A school's own profile comes before the table of aliases."""
    names = [plain(cell) for cell in row]
    taken = {profile[name]: place for place, name in reversed(list(enumerate(names))) if profile.get(name)}
    free = {name: place for place, name in reversed(list(enumerate(names))) if name and name not in profile}
    for pick in (_exactly, _nearly) if misspelt else (_exactly,):
        for one in aliases:
            if one not in taken and (name := pick(free, aliases[one])):
                taken[one] = free.pop(name)
    return taken


def _exactly(free: Mapping[str, int], wanted: tuple[str, ...]) -> str | None:
    return next((name for name in wanted if name in free), None)


def _nearly(free: Mapping[str, int], wanted: tuple[str, ...]) -> str | None:
    for name in wanted:
        for near in get_close_matches(name, free, n=3, cutoff=ALIKE) if len(name) > 4 else ():
            if _is_misspelt(near.split(), name.split()):
                return near
    return None


def _is_misspelt(words: list[str], meant: list[str]) -> bool:
    """Word for word, and figures exactly: "contact surname" is no mistake for "contact name", nor "address 2" for "address"."""
    return len(words) == len(meant) and all(
        one == other or (one.isalpha() and SequenceMatcher(None, one, other).ratio() >= WORD_ALIKE)
        for one, other in zip(words, meant, strict=True)
    )


def table(rows: Numbered, aliases: Aliases, needed: Callable[[set[str]], str | None], profile: Mapping[str, str]) -> Table:
    """The rows under the headings. `needed` says what is missing from a set of fields, or None."""
    place = _header_row(rows, aliases, needed, profile)
    number, heading = rows[place]
    found = columns(heading, aliases, profile)
    _refuse_doubles(heading, rows[place + 1 :], found)
    parts = [] if "address" in found else _address_parts(heading)
    data, skipped = _data_rows(rows[place + 1 :], heading, number, found, aliases, profile)
    warnings = {one: _columns_of(heading, aliases[one], profile) for one in WARNINGS if one in found and one in aliases}
    used = {*found.values(), *parts, *(at for places in warnings.values() for at in places)}
    return Table(
        rows=[_row(number, cells, found, parts, warnings) for number, cells in data],
        headings={one: heading[at] for one, at in found.items()},
        header_row=number,
        unused=[cell for at, cell in enumerate(heading) if cell and at not in used],
        skipped=([f"{place} rows above the headings"] if place else []) + skipped,
    )


def _header_row(rows: Numbered, aliases: Aliases, needed: Callable[[set[str]], str | None], profile: Mapping[str, str]) -> int:
    found = [set(columns(row, aliases, profile, misspelt=False)) for _, row in rows[:LOOK_IN]]
    if max(map(len, found), default=0) < 2:  # looking for misspelt ones is slow, so only where it must be
        found = [set(columns(row, aliases, profile)) for _, row in rows[:MISSPELT_IN]]
    best = max(range(len(found)), key=lambda at: len(found[at]), default=0)
    found[best:] = [set(columns(rows[best][1], aliases, profile))] if found else []
    if not found or len(found[best]) < 2:
        raise Unusable(
            f"No row of headings was found in the first {min(LOOK_IN, len(rows))} rows. "
            "The list needs headings such as Surname, Forename, UPN, Year and Reg above its columns."
        )
    if lack := needed(found[best]):
        number, cells = rows[best]
        seen = ", ".join(cell for cell in cells if cell)
        raise Unusable(f"{lack} The headings in row {number} are: {seen}. If it is there under another name, say so with --map.")
    return best


def _refuse_doubles(heading: list[str], rows: Numbered, found: Mapping[str, int]) -> None:
    names = [plain(cell) for cell in heading]
    for at in found.values():
        for twin in (i for i, name in enumerate(names) if i != at and name == names[at]):
            if any(_cell(row, at) != _cell(row, twin) for _, row in rows):
                raise Unusable(
                    f"Two columns are headed “{heading[at]}” ({_letters(at)} and {_letters(twin)}) and differ. "
                    "Rename or remove one, so that it is plain which is meant."
                )


def _data_rows(
    rows: Numbered, heading: list[str], header_row: int, found: Mapping[str, int], aliases: Aliases, profile: Mapping[str, str]
) -> tuple[Numbered, list[str]]:
    known = {name for names in aliases.values() for name in names} | set(profile)
    names = [plain(cell) for cell in heading]
    data, repeats, totals = Numbered(), 0, 0
    for number, cells in rows:
        if not any(cells):
            continue
        if [plain(cell) for cell in cells] == names:
            repeats += 1
        elif _is_heading(cells, known):
            raise Unusable(
                f"Row {number} is a second row of headings, unlike the first in row {header_row}. Save the two lists as two files."
            )
        elif _is_total(cells):
            totals += 1
        else:
            data.append((number, cells))
    skipped = [f"headings repeated {repeats} times"] if repeats else []
    return data, skipped + ([f"{totals} rows of totals or small print"] if totals else [])


def _is_heading(cells: list[str], known: set[str]) -> bool:
    filled = [cell for cell in cells if cell]
    return len(filled) >= 3 and sum(plain(cell) in known for cell in filled) >= max(3, 0.6 * len(filled))


SMALL_PRINT = re.compile(
    r"^(grand )?(totals?\b|sub ?totals?\b|count\b|number of (pupils|students|contacts)|"
    r"report |printed|generated|page \d|end of|run (on|by|at))",
    re.IGNORECASE,
)


def _is_total(cells: list[str]) -> bool:
    """A row of totals says so in its first words and has little else."""
    filled = [cell for cell in cells if cell]
    return len(filled) <= 3 and bool(SMALL_PRINT.match(filled[0]))


def _address_parts(heading: list[str]) -> list[int]:
    at = {plain(cell): place for place, cell in reversed(list(enumerate(heading)))}
    places = (at.get(f"contact {part}", at.get(part)) for part in ADDRESS_PARTS)
    return [place for place in places if place is not None]


def _columns_of(heading: list[str], names: tuple[str, ...], profile: Mapping[str, str]) -> list[int]:
    return [at for at, cell in enumerate(heading) if (name := plain(cell)) in names and name not in profile]


def _row(number: int, cells: list[str], found: Mapping[str, int], parts: list[int], warnings: Mapping[str, list[int]]) -> Row:
    said = {one: _cell(cells, at) for one, at in found.items()}
    if parts:
        said["address"] = ", ".join(piece for at in parts if (piece := _cell(cells, at)) and piece not in BLANKS)
    for one, places in warnings.items():
        said[one] = max((said[one], *(_cell(cells, at) for at in places)), key=_loudness)
    return Row(number, {one: "" if value in BLANKS else value for one, value in said.items()})


def _loudness(cell: str) -> int:
    """Of two that warn of one thing, a plain no gives way to anything else, and nothing at all to a no."""
    return 0 if cell in BLANKS else 1 if values.yes_or_no(cell) is False else 2


BLANKS = {"", "-", "--", "NULL", "null", "#N/A", "N/A", "n/a", "None", "<none>", "(none)"}


def _cell(cells: list[str], at: int) -> str:
    return cells[at] if at < len(cells) else ""


def _letters(at: int) -> str:
    return (chr(64 + at // 26) if at >= 26 else "") + chr(65 + at % 26)
