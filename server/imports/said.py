"""What one row of a file says, and what is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from server.imports import values
from server.imports.headings import Row
from server.imports.plan import Fields, Problem


@dataclass
class Said:
    row: Row
    headings: Mapping[str, str]  # field → the heading as written
    fields: Fields = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def given(self, one: str) -> str:
        return self.row.values.get(one, "")

    def wrong(self, one: str, words: str) -> None:
        """The row is not taken in until somebody has seen to it."""
        self._note(one, words, left_out=True)

    def check(self, one: str, words: str) -> None:
        """The row is taken in all the same."""
        self._note(one, words, left_out=False)

    def _note(self, one: str, words: str, left_out: bool) -> None:
        self.problems.append(Problem(self.row.number, self.headings.get(one, one), self.given(one), words, left_out))

    def refuse_formulas(self) -> bool:
        """True if a cell holds what a spreadsheet would compute, where a plain value belongs."""
        for one, text in self.row.values.items():
            if text and values.looks_computed(text):
                self.wrong(one, "holds a formula, not a value: copy the column and paste it as values")
        return bool(self.problems)

    @property
    def is_usable(self) -> bool:
        return not any(problem.left_out for problem in self.problems)
