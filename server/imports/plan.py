"""What an import would do, worked out before anything is done."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Fields = dict[str, Any]  # by column of the store


@dataclass(frozen=True)
class Problem:
    row: int
    column: str  # the heading as it stands in the file
    value: str
    words: str
    left_out: bool  # the row is not taken in until somebody has seen to it


@dataclass(frozen=True)
class Addition:
    who: str
    row: Fields  # a whole row of the store, but for school and seq


@dataclass(frozen=True)
class Change:
    who: str
    id: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass
class Plan:
    what: str  # pupils, contacts, marks, timetable
    added: list[Addition] = field(default_factory=list)
    changed: list[Change] = field(default_factory=list)
    unchanged: int = 0
    removed: list[Addition] = field(default_factory=list)  # what goes, of whom the file tells the whole
    absent: list[str] = field(default_factory=list)  # in the school's list and not in this file
    problems: list[Problem] = field(default_factory=list)
    families: list[Change] = field(default_factory=list)  # pupils whose family becomes known

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.changed or self.removed or self.families)


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Fields:
    return {column: value for column, value in after.items() if before.get(column) != value}
