"""Made-up exports, as SIMS, Arbor and Bromcom users save them, for the tests of the import."""

import csv
import io
import random
import zipfile
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from openpyxl import Workbook

from server.imports.values import UPN_LETTERS

SIMS = ("Forename", "Surname", "Email", "UPN", "Year", "Reg")
ARBOR = ("First name", "Last name", "Email", "UPN", "Year group", "Registration form")
BROMCOM = ("FirstName", "LastName", "StudentEmail", "UPN", "YearGroup", "Form")

FORENAMES = "Amira Ben Chloe Dev Esme Finn Gita Hamza Isla Jaydon Kofi Lena Maya Noor Oisín Priya Quinn Rosa Sam Tia".split()  # noqa: SIM905
SURNAMES = (
    "Ahmed Bell Clarke D'Souza Evans Fisk Green Hughes Iqbal Jones Khan Lowe Murphy Nowak O’Neill Patel Rowe Smith Turner Wu".split()  # noqa: SIM905
)

Rows = Sequence[Sequence[Any]]


def upn(number: int) -> str:
    figures = f"{340_4000_00_000 + number:012d}"
    return UPN_LETTERS[sum(weight * int(figure) for weight, figure in enumerate(figures, start=2)) % 23] + figures


def pupils(count: int, seed: int = 1) -> list[tuple[str, str, str, str, int, str]]:
    """Rows under the SIMS headings, no two alike."""
    chance = random.Random(seed)
    return [
        (chance.choice(FORENAMES), chance.choice(SURNAMES), f"p{n}@example.org", upn(n), 7 + n % 5, f"{7 + n % 5} {'KELMN'[n % 3]}")
        for n in range(count)
    ]


def birthday(number: int, year: int) -> date:
    return date(2026 - year - 5, 9, 1) - timedelta(days=number % 360)


def as_csv(*rows: Sequence[Any], delimiter: str = ",", encoding: str = "utf-8") -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue().encode(encoding)


def as_xlsx(*rows: Sequence[Any]) -> bytes:
    book = Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def repacked(xlsx: bytes, part: str, content: bytes) -> bytes:
    """A workbook with one of its parts replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(xlsx)) as before, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as after:
        for name in before.namelist():
            if name != part:
                after.writestr(name, before.read(name))
        after.writestr(part, content)
    return out.getvalue()
