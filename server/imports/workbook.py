"""Excel workbooks (.xlsx), opened as if somebody meant harm: sizes are measured before anything is unpacked for good."""

import io
import re
import zipfile
import zlib
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from server.imports.sheet import MAX_COLUMNS, MAX_ROWS, Rows, Unusable

MAX_PARTS = 500
MAX_UNPACKED = 32_000_000  # bytes, all parts together
MAX_RATIO = 100  # unpacked to packed; a real sheet is 5 to 40
SMALL = 1_000_000  # below this, repetition is innocent
PIECE = 262_144

DECLARATIONS = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
UNREADABLE = "This Excel file is damaged or is not a real workbook. Open it in Excel and save it again as .xlsx."
TOO_LARGE = "This Excel file unpacks to far more than it should. Save the sheet as CSV instead."


def read(content: bytes) -> tuple[Rows, str]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            _measure(parts)
        return _rows_of_first_sheet(content)
    except Unusable:
        raise
    except (MemoryError, RecursionError):
        raise Unusable(TOO_LARGE) from None
    except Exception:  # openpyxl meets a damaged part with whatever comes to hand
        raise Unusable(UNREADABLE) from None


def _measure(parts: zipfile.ZipFile) -> None:
    """Unpack every part in pieces, keeping none, and stop as soon as it is too much or declares entities."""
    if len(parts.infolist()) > MAX_PARTS:
        raise Unusable(TOO_LARGE)
    if "xl/workbook.xml" not in parts.namelist():
        raise Unusable("This is a zip file, but no Excel workbook. Unpack it first, or save the list as CSV.")
    total = 0
    for part in parts.infolist():
        total += _unpacked(parts, part, MAX_UNPACKED - total)


def _unpacked(parts: zipfile.ZipFile, part: zipfile.ZipInfo, room: int) -> int:
    if part.flag_bits & 1:
        raise Unusable("This workbook has a password. Save it without one, or as CSV.")
    size, tail = 0, b""
    is_xml = part.filename.endswith((".xml", ".rels", ".vml"))
    try:
        with parts.open(part) as unpacking:
            while piece := unpacking.read(PIECE):
                size += len(piece)
                if size > room or (size > SMALL and size > MAX_RATIO * max(part.compress_size, 1)):
                    raise Unusable(TOO_LARGE)
                if is_xml and DECLARATIONS.search((tail + piece).replace(b"\x00", b"")):
                    raise Unusable(UNREADABLE)
                tail = piece[-32:]
    except (zlib.error, EOFError, zipfile.BadZipFile, NotImplementedError, OSError):
        raise Unusable(UNREADABLE) from None
    return size


def _rows_of_first_sheet(content: bytes) -> tuple[Rows, str]:
    from openpyxl import load_workbook  # half a second to import, and most files are CSV

    book = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
    try:
        sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"] or book.worksheets
        if not sheets:
            raise Unusable("This workbook has no sheet in it.")
        sheet = next((one for one in sheets if _has_rows(one)), sheets[0])
        sheet.reset_dimensions()  # what the file says about its own size is not to be believed
        rows = [_row(row) for row in sheet.iter_rows(values_only=True, max_row=MAX_ROWS + 1)]
        return rows, f"Excel, sheet “{sheet.title}”"
    finally:
        book.close()


def _has_rows(sheet: Any) -> bool:
    sheet.reset_dimensions()
    return any(any(cell is not None for cell in row) for row in sheet.iter_rows(values_only=True, max_row=50, max_col=20))


def _row(cells: Sequence[Any]) -> list[str]:
    if len(cells) > MAX_COLUMNS and any(cell is not None for cell in cells[MAX_COLUMNS:]):
        raise Unusable(f"A row has more than {MAX_COLUMNS} columns.")
    return [_text(cell) for cell in cells[:MAX_COLUMNS]]


def _text(cell: Any) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "Yes" if cell else "No"
        case float() if cell.is_integer():
            return str(int(cell))
        case datetime():
            return cell.date().isoformat()
        case date():
            return cell.isoformat()
        case time() | timedelta():
            return str(cell)
        case _:
            return str(getattr(cell, "text", cell))  # an array formula carries its text
