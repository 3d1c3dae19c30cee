"""What is wrong with a file, row by row, as a CSV that no spreadsheet will compute anything from."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from server.imports.plan import Problem
from server.spreadsheets import safe


def beside(file: Path) -> Path:
    return file.with_name(f"{file.stem}-problems.csv")


def as_csv(problems: Iterable[Problem]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["Row", "Column", "What it says", "What is wrong", "Taken in"])
    for one in sorted(problems, key=lambda problem: problem.row):
        writer.writerow([one.row, *map(safe, (one.column, one.value, one.words)), "no" if one.left_out else "yes"])
    return out.getvalue()


def write(file: Path, problems: Iterable[Problem]) -> None:
    file.write_text("\ufeff" + as_csv(problems), encoding="utf-8", newline="")  # the mark tells Excel that it is UTF-8
