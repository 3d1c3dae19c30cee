"""Text tables: commas, tabs or semicolons, in the encodings that exports come in."""

import codecs
import csv
import io
from statistics import median

from server.imports.sheet import MAX_CELL, MAX_ROWS, Rows, Unusable

DELIMITERS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}
SAMPLE = 100  # rows that decide between them

BOMS = {  # the longer first: the UTF-32 mark begins with the UTF-16 one
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def read(content: bytes) -> tuple[Rows, str]:
    text, encoding = _decode(content)
    if text.lstrip()[:1] == "<":
        raise Unusable("This is a web page or XML, whatever its name says. Open it in Excel and save it as .xlsx or CSV.")
    text, named = _named_delimiter(text)
    delimiter = named or max(DELIMITERS, key=lambda one: _width(text, one))
    return _parse(text, delimiter, MAX_ROWS + 1), f"CSV, {encoding}, {DELIMITERS[delimiter]}"


def _decode(content: bytes) -> tuple[str, str]:
    for bom, encoding in BOMS.items():
        if content.startswith(bom):
            return _decoded(content, encoding), encoding.upper().removesuffix("-SIG")
    if guess := _bare_utf16(content):
        return _decoded(content, guess), guess.upper()
    if content.count(0):
        raise Unusable("This is not a table: it holds bytes that no text has.")
    try:
        return content.decode("utf-8"), "UTF-8"
    except UnicodeDecodeError:
        text = content.decode("utf-8", "replace")
    if sum(letter > "\x7f" for letter in text) >= 2 * text.count("\ufffd"):  # letters that are whole in UTF-8 are so by no chance
        return text, "damaged UTF-8"
    return content.decode("cp1252", "replace"), "Windows-1252"


def _decoded(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except (UnicodeDecodeError, UnicodeError):
        raise Unusable(f"The file says it is {encoding.upper()} text, but is damaged. Export it again.") from None


def _bare_utf16(content: bytes) -> str | None:
    """UTF-16 without its mark: in a table nearly every second byte is nought."""
    half = len(content) // 2
    if content[1::2].count(0) > half * 0.7:
        return "utf-16-le"
    return "utf-16-be" if content[0::2].count(0) > half * 0.7 else None


def _named_delimiter(text: str) -> tuple[str, str | None]:
    """Excel's own hint: a first line that says `sep=;`."""
    first, _, rest = text.partition("\n")
    hint = first.strip().strip('"').lower()
    if hint.startswith("sep=") and (named := first.strip().strip('"')[4:5] or "\t") in DELIMITERS:
        return "\n" + rest, named  # the empty line keeps the row numbers true
    return text, None


def _width(text: str, delimiter: str) -> float:
    rows = [row for row in _parse(text, delimiter, SAMPLE, strict=False) if any(row)]
    return median(map(len, rows)) if rows else 0


def _parse(text: str, delimiter: str, limit: int, *, strict: bool = True) -> Rows:
    """Strict, for a mark that is missing would take the rows up to the next one into its cell, and nobody would miss them."""
    csv.field_size_limit(max(csv.field_size_limit(), MAX_CELL * 100))
    rows: Rows = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=strict):
            rows.append(row)
            if len(rows) >= limit:
                break
    except csv.Error:
        raise Unusable(f"A cell in row {len(rows) + 1} or above it does not end as it should. Is a quotation mark missing?") from None
    return rows
