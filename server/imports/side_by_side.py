"""Contacts that lie beside each other (`Contact 1 Name`, `Contact 2 Name` …), put under one another."""

import re
from collections import defaultdict
from collections.abc import Mapping

from server.imports.headings import BLANKS, LOOK_IN, Numbered, plain
from server.imports.sheet import MAX_ROWS, Unusable

NUMBERED = re.compile(r"(?:contact|priority|parent|carer|guardian)(?: contact)? (\d) ?(?:contact )?(.*)")


def unfold(rows: Numbered) -> Numbered:
    """A row for each contact, under the number of the row it came from. Other lists come back as they are."""
    for at, (_, heading) in enumerate(rows[:LOOK_IN]):
        groups = _numbered(heading)
        if any("name" in columns or "surname" in columns for columns in groups.values()):
            return _stacked(rows, at, groups)
    return rows


def _numbered(heading: list[str]) -> dict[int, dict[str, int]]:
    """{2: {"name": 7, "telephone": 8}} of a row of headings."""
    groups: dict[int, dict[str, int]] = defaultdict(dict)
    for place, cell in enumerate(heading):
        if found := NUMBERED.fullmatch(plain(cell)):
            groups[int(found[1])].setdefault(found[2] or "name", place)
    return groups


def _stacked(rows: Numbered, at: int, groups: Mapping[int, Mapping[str, int]]) -> Numbered:
    number, heading = rows[at]
    beside = {place for columns in groups.values() for place in columns.values()}
    own = [place for place in range(len(heading)) if place not in beside]
    asked = list(dict.fromkeys(name for columns in groups.values() for name in columns))
    stacked = [(number, [heading[place] for place in own] + ["Contact order"] + [f"Contact {name}" for name in asked])]
    for number, row in rows[at + 1 :]:
        cells = row + [""] * (len(heading) - len(row))
        for order, columns in sorted(groups.items()):
            theirs = [cells[columns[name]] if name in columns else "" for name in asked]
            if any(one not in BLANKS for one in theirs):
                stacked.append((number, [cells[place] for place in own] + [str(order)] + theirs))
    if len(stacked) > MAX_ROWS:
        raise Unusable(f"There are more than {MAX_ROWS:,} contacts. Split the list, for example by year group.")
    return rows[:at] + stacked
