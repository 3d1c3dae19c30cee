"""Spreadsheets that say what they are: what each column means, as at when, and who has not sent. None of it runs as a formula."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

from server import spreadsheets

BYTE_ORDER_MARK = "\ufeff"  # without it Excel reads accents as two letters each


class Column(Struct, frozen=True):
    heading: str
    meaning: str


class Sheet(Struct, frozen=True):
    title: str
    about: Sequence[str]  # lines above the table: of which school, as at when, by whom, who has not sent
    columns: Sequence[Column]
    rows: Iterable[Sequence[Any]]  # None is an empty cell; numbers stay numbers


def csv_of(sheet: Sheet) -> str:
    """The title and what is to be known, the table, and what each column means, with an empty line between."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_MINIMAL)
    writer.writerows([[safe(line)] for line in (sheet.title, *sheet.about)])
    writer.writerow([])
    writer.writerow([safe(column.heading) for column in sheet.columns])
    writer.writerows([safe(cell) for cell in row] for row in sheet.rows)
    writer.writerow([])
    writer.writerows([safe(column.heading), safe(column.meaning)] for column in sheet.columns)
    return BYTE_ORDER_MARK + text.getvalue()


def safe(cell: Any) -> Any:
    """The cell, with an apostrophe before whatever a spreadsheet could take for the beginning of a formula."""
    return spreadsheets.safe(cell) if isinstance(cell, str) else cell
