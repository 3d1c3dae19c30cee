"""A table somebody exported, whatever it was saved as: bytes in, rows of plain text out.

Nothing in it is ever computed: a formula is the text of the formula. Whatever cannot be read is refused in words.
"""

import re
import unicodedata
from dataclasses import dataclass

MAX_BYTES = 20_000_000
MAX_ROWS = 50_000
MAX_COLUMNS = 200
MAX_CELL = 4_000  # characters

Rows = list[list[str]]

INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f\x00"))

# UTF-8 that somebody's program once read as Windows-1252: “Ã©” was é.
READ_WRONG = re.compile("[ÂÃÄÅ][\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ\ufffd]")

NOT_A_TABLE = {
    b"\xd0\xcf\x11\xe0": "This is an old Excel file (.xls). Open it, choose Save as, and save it as .xlsx or CSV.",
    b"%PDF": "This is a PDF. Ask your system for the same report as CSV or Excel.",
    b"{\\rtf": "This is a Word document. Ask your system for the same report as CSV or Excel.",
    b"\x1f\x8b": "This is a compressed file. Unpack it first.",
}


class Unusable(Exception):
    """The file as a whole cannot be taken in; says why, and what would help."""


@dataclass(frozen=True)
class Sheet:
    rows: Rows  # padded to nothing: a short row is short
    read_as: str  # "CSV, Windows-1252, semicolons"


def read(content: bytes) -> Sheet:
    """The table in a file. Raises Unusable, and nothing else, whatever the bytes."""
    from server.imports import delimited, workbook

    if len(content) > MAX_BYTES:
        raise Unusable(f"The file is {len(content) / 1e6:.0f} MB. At most {MAX_BYTES / 1e6:.0f} MB can be read.")
    if not content.strip(b"\x00 \t\r\n"):
        raise Unusable("The file is empty.")
    for start, words in NOT_A_TABLE.items():
        if content.startswith(start):
            raise Unusable(words)
    rows, read_as = workbook.read(content) if content.startswith(b"PK\x03\x04") else delimited.read(content)
    return Sheet(_within_limits(rows), read_as)


def _within_limits(rows: Rows) -> Rows:
    while rows and not any(cell.strip() for cell in rows[-1]):  # a sheet formatted to its last row has a million of these
        rows.pop()
    if len(rows) > MAX_ROWS:
        raise Unusable(f"There are more than {MAX_ROWS:,} rows. Split the list, for example by year group.")
    return [_clean_row(number, row) for number, row in enumerate(rows, start=1)]


def _clean_row(number: int, row: list[str]) -> list[str]:
    while row and not row[-1]:
        row.pop()
    if len(row) > MAX_COLUMNS:
        raise Unusable(f"Row {number} has {len(row):,} columns. At most {MAX_COLUMNS} can be read.")
    cells = [clean(cell) for cell in row]
    if (longest := max(map(len, cells), default=0)) > MAX_CELL:
        raise Unusable(f"Row {number} has a cell of {longest:,} characters. Is a quotation mark missing before it?")
    return cells


def clean(cell: str) -> str:
    """The text of one cell without padding, invisible characters and the guards that keep Excel from computing it."""
    text = READ_WRONG.sub("\ufffd", cell).translate(INVISIBLE)
    if not text.isascii():
        text = unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode())
    text = " ".join(text.split())
    if text.startswith('="') and text.endswith('"') and text.count('"') == 2:
        text = text[2:-1].strip()  # ="0012": how exports keep leading noughts
    if text[:1] == "'" and text[1:2] in "=+-@":
        text = text[1:]
    return text
