"""What an export looks like by the time it reaches us, and what is made of it: rows, or a clear no. Never an exception."""

import contextlib
import zipfile
from datetime import date, datetime
from io import BytesIO

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.imports import command, sheet, values
from server.imports.headings import plain
from server.imports.sheet import Unusable
from tests.exports import ARBOR, BROMCOM, SIMS, as_csv, as_xlsx, pupils, repacked, upn

AMIRA = ("Amira", "Khan", "a@example.org", upn(1), "9", "9 KEL")
BEN = ("Ben", "Nowak-O’Shea", "b@example.org", upn(2), "10", "10 BRO")


def names(content: bytes, **profile: str) -> list[tuple[str, str]]:
    table, _ = command.read_table("pupils", content, profile)
    return [(row.values["forename"], row.values["surname"]) for row in table.rows]


def refusal(content: bytes, what: str = "pupils") -> str:
    with pytest.raises(Unusable) as refused:
        command.read_table(what, content, {})
    return str(refused.value)


# ── Whatever it was saved as ───────────────────────────────────────────────────────────────


@pytest.mark.parametrize("headings", [SIMS, ARBOR, BROMCOM])
def test_each_system_s_own_headings_are_understood(headings):
    table, _ = command.read_table("pupils", as_csv(headings, AMIRA), {})
    assert table.rows[0].values == {"forename": "Amira", "surname": "Khan", "upn": upn(1), "year": "9", "form": "9 KEL"}
    assert table.unused == [headings[2]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "utf-32"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_any_usual_encoding_and_delimiter_reads_the_same(encoding, delimiter):
    assert names(as_csv(SIMS, AMIRA, BEN, delimiter=delimiter, encoding=encoding)) == [("Amira", "Khan"), ("Ben", "Nowak-O’Shea")]


def test_what_a_damaged_or_twice_read_file_has_lost_is_known_for_lost():
    whole = as_csv(SIMS, ("José", "García", *AMIRA[2:]))
    assert names(whole.replace("í".encode(), b"\xed")) == [("José", "Garc\ufffda")]
    assert names(whole.decode().encode("cp1252")) == [("José", "García")]
    twice = whole.decode().encode().decode("cp1252").encode()
    assert names(twice) == [("Jos\ufffd", "Garc\ufffda")]
    assert all(map(values.lost_letters, names(twice)[0]))


def test_a_comma_inside_names_does_not_outvote_tabs():
    content = as_csv(("Pupil name", "UPN", "Year"), ("Khan, Amira", upn(1), "9"), ("Nowak, Ben", upn(2), "9"), delimiter="\t")
    table, read_as = command.read_table("pupils", content, {})
    assert read_as.endswith("tabs")
    assert table.rows[0].values["whole_name"] == "Khan, Amira"


def test_excel_s_own_hint_of_the_delimiter_is_obeyed_and_row_numbers_stay_true():
    table, _ = command.read_table("pupils", b"sep=;\r\n" + as_csv(SIMS, AMIRA, delimiter=";"), {})
    assert table.rows[0].number == 3


def test_a_workbook_reads_as_the_same_text_would():
    rows = (("Surname", "Forename", "DOB", "UPN", "Year"), ("Khan", "Amira", datetime(2012, 3, 12), upn(1), 9.0))
    table, _ = command.read_table("pupils", as_xlsx(*rows), {})
    assert table.rows[0].values == {"surname": "Khan", "forename": "Amira", "born_on": "2012-03-12", "upn": upn(1), "year": "9"}


def test_titles_above_totals_below_and_headings_repeated_on_each_page_are_passed_over():
    content = as_csv(
        ("Northgate School",), ("Pupil list, run 21/11/2026",), (), SIMS, AMIRA, (), SIMS, BEN, ("Total", "2"), ("Page 1 of 1",)
    )  # fmt: skip
    table, _ = command.read_table("pupils", content, {})
    assert [row.number for row in table.rows] == [5, 8]
    assert table.skipped == ["3 rows above the headings", "headings repeated 1 times", "2 rows of totals or small print"]


def test_a_pupil_whose_name_begins_like_a_total_is_none():
    content = as_csv(("Forename", "Surname", "UPN", "Year"), ("Counter", "Amy", "", "9"), ("Totally", "Ben", "", "9"), ("Count", "2"))
    assert names(content) == [("Counter", "Amy"), ("Totally", "Ben")]


@pytest.mark.parametrize("padded", ["  Khan  ", "Khan\u00a0", "\u200bKhan", '="Khan"', "'Khan" and "Khan\t"])
def test_padding_and_excel_s_guards_are_taken_off(padded):
    assert names(as_csv(SIMS, ("Amira", padded, *AMIRA[2:])))[0] == ("Amira", "Khan")


@pytest.mark.parametrize("blank", ["", "-", "NULL", "N/A", "#N/A", " "])
def test_the_ways_of_writing_nothing_are_nothing(blank):
    table, _ = command.read_table("pupils", as_csv(SIMS, (*AMIRA[:5], blank)), {})
    assert table.rows[0].values["form"] == ""


def test_a_heading_with_a_typing_mistake_is_still_known():
    assert names(as_csv(("Forenmae", "Surnane", "UPN", "Year Gruop"), ("Amira", "Khan", upn(1), "9"))) == [("Amira", "Khan")]


def test_a_school_s_own_heading_is_known_by_its_profile():
    content = as_csv(("Given", "Family handle", "UPN", "Year"), ("Amira", "Khan", upn(1), "9"))
    assert "no column for the forename" in refusal(content) or "no column for the surname" in refusal(content)
    says = command.read_profile("pupils", b'{"Given": "forename", "Family Handle": "surname"}')
    assert names(content, **says) == [("Amira", "Khan")]


@pytest.mark.parametrize(
    "first, second",
    [("YearGroup", "Year group"), ("YEAR_GROUP", "year group"), ("Contact1Telephone", "contact 1 telephone"), ("Prénom", "prenom")],
)
def test_headings_are_compared_without_case_accents_spaces_or_punctuation(first, second):
    assert plain(first) == plain(second)


# ── What is refused, and in which words ────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "content, words",
    [
        (b"", "empty"),
        (b"\x00\x00\x00", "empty"),
        (as_csv(AMIRA, BEN), "No row of headings"),
        (as_csv(("Forename", "UPN", "Year"), ("Amira", upn(1), "9")), "no column for the surname"),
        (as_csv(("Surname", "UPN", "Year"), ("Khan", upn(1), "9")), "no column for the forename"),
        (as_csv(("Forename", "Surname", "UPN"), ("Amira", "Khan", upn(1))), "no column for the year group"),
        (as_csv(("Forename", "Surname", "Year"), ("Amira", "Khan", "9")), "nothing to tell one pupil from another"),
        (as_csv(SIMS, AMIRA, ("Surname", "Forename", "Reg", "UPN"), ("Nowak", "Ben", "9", upn(2))), "Row 3 is a second row of"),
        (as_csv((*SIMS, "Surname"), (*AMIRA, "Other")), "Two columns are headed “Surname” (B and G)"),
        (as_csv(("Forename", "Surname", "DOB", "Year"), ("Amira", "Khan", "03/25/2012", "9")), "month first"),
        (b"\xd0\xcf\x11\xe0" + b"x" * 600, "old Excel"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"<html><table><tr><td>Surname</td></tr></table></html>", "web page"),
        (b"Surname,Forename\x00\x01\x02\x00\x00", "not a table"),
        (b"PK\x03\x04 not really", "damaged"),
        (b"a" * (sheet.MAX_BYTES + 1), "At most 20 MB"),
        (b"x,y\n" * (sheet.MAX_ROWS + 1), "more than 50,000 rows"),
        (b"Surname,Forename\n" + b"x," * 300, "columns"),
        (b'Surname,Forename,UPN,Year\n"Khan,Amira,A,9\n' + b"Nowak,Ben,B,9\n" * 400, "quotation mark"),
        (b'Surname,Forename,UPN,Year\nKhan,"Amira,A,9\nNowak,Ben,B,9\nBell,"Nia",C,9\n', "quotation mark"),  # Ben must not be lost
        (b'Surname,Forename,UPN,Year,Reg\nKhan,Amira,A,9,"9 K\nNowak,Ben,B,9,9 K\n', "quotation mark"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)  # fmt: skip
def test_what_cannot_be_taken_in_is_refused_in_words(content, words):
    assert words in refusal(content)


def test_a_second_column_of_the_same_name_is_no_matter_when_it_says_the_same():
    assert names(as_csv((*SIMS, "Surname"), (*AMIRA, "Khan"))) == [("Amira", "Khan")]


@pytest.mark.parametrize(
    "headings, words",
    [
        (("UPN", "Relationship", "Mobile"), "no column for the contact's name"),
        (("Contact name", "Relationship", "Mobile", "Priority"), "whose contacts they are"),
        (("Contact name", "Relationship", "Pupil surname", "Pupil forename"), "whose contacts they are"),
    ],
)
def test_a_list_of_contacts_needs_a_name_and_a_pupil(headings, words):
    assert words in refusal(as_csv(headings, ["x"] * len(headings)), "contacts")


# ── Workbooks that mean harm ───────────────────────────────────────────────────────────────

BOOK = as_xlsx(SIMS, AMIRA)
SHEET = "xl/worksheets/sheet1.xml"
SHEET_START = b'<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
SHEET_END = b"</sheetData></worksheet>"


def cell(text: bytes) -> bytes:
    return b'<row r="1"><c r="A1" t="inlineStr"><is><t>' + text + b"</t></is></c></row>"


def test_openpyxl_reads_through_defusedxml():
    assert openpyxl.DEFUSEDXML is True


@pytest.mark.parametrize(
    "content, words",
    [
        (repacked(BOOK, SHEET, SHEET_START + b" " * 60_000_000 + SHEET_END), "unpacks to far more"),
        (repacked(BOOK, SHEET, SHEET_START + b"\x80\x81ab" * 3_000_000), "unpacks to far more"),
        (repacked(BOOK, SHEET, b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>' + SHEET_START + cell(b"&b;") + SHEET_END), "damaged"),
        (repacked(BOOK, SHEET, '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE x [<!ENTITY a "ha">]>'.encode("utf-16")), "damaged"),
        (repacked(BOOK, "xl/sharedStrings.xml", b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><sst>&x;</sst>'), "damaged"),
        (repacked(BOOK, SHEET, SHEET_START + b"<row>" * 150_000), "damaged"),
        (repacked(BOOK, SHEET, b"not xml"), "damaged"),
        (repacked(BOOK, "xl/workbook.xml", b"<workbook/>"), "no sheet in it"),
        (BOOK[: len(BOOK) // 2], "damaged"),
    ],
    ids=["spaces", "ratio", "laughs", "utf-16 laughs", "outside file", "nested", "no xml", "no sheets", "cut off"],
)
def test_a_workbook_that_means_harm_is_refused(content, words):
    assert words in refusal(content)


def test_a_zip_of_something_else_says_so():
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as parts:
        parts.writestr("pupils.csv", "Surname")
    assert "no Excel workbook" in refusal(out.getvalue())


def test_a_sheet_formatted_to_its_last_row_is_only_as_long_as_what_it_says():
    content = repacked(BOOK, SHEET, SHEET_START + b'<row r="1048576"><c r="A1048576" s="0"/></row>' + SHEET_END)
    assert sheet.read(content).rows == []


# ── Values ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "text", ["12/03/2012", "12-03-2012", "12.3.12", "2012-03-12", "2012-03-12T00:00:00", "12/03/2012 00:00", "12 Mar 2012", "12-March-12",
             "12th March 2012", "40980", "40980.0", "20120312"]
)  # fmt: skip
def test_every_way_of_writing_a_day_is_one_day(text):
    assert values.day(text) == date(2012, 3, 12)


@pytest.mark.parametrize("text", ["", "31/02/2012", "soon", "12/2012", "99999999", "1", "0/0/0", "١٢/٠٣/٢٠١٢x"])
def test_what_is_no_day_is_none(text):
    assert values.day(text) is None


@pytest.mark.parametrize(
    "text, year", [("9", "9"), ("Year 9", "9"), ("Yr 09", "9"), ("Y9", "9"), ("9.0", "9"), ("Reception", "R"), ("9 KEL", None)]
)
def test_year_groups(text, year):
    assert values.year_group(text) == year


@pytest.mark.parametrize("number", [1, 17, 12345, 99999])
def test_a_upn_s_check_letter_catches_any_one_wrong_figure(number):
    good = upn(number)
    assert values.upn_problem(good) is None
    for place in range(1, 13):
        wrong = good[:place] + str((int(good[place]) + 1) % 10) + good[place + 1 :]
        assert values.upn_problem(wrong)


def test_a_temporary_upn_ends_in_a_letter():
    figures = "34040000012"
    total = sum(weight * int(figure) for weight, figure in enumerate(figures, start=2)) + 13 * values.UPN_LETTERS.index("B")
    assert values.upn_problem(values.UPN_LETTERS[total % 23] + figures + "B") is None


@pytest.mark.parametrize("text, name", [("O'NEILL", "O'Neill"), ("SMITH-JONES", "Smith-Jones"), ("MCDONALD", "McDonald"),
                                        ("de Souza", "de Souza"),
                                        ("NÍ BHRIAIN", "Ní Bhriain"), ("khan", "Khan"), ("Wu", "Wu")])  # fmt: skip
def test_only_shouted_or_whispered_names_are_rewritten(text, name):
    assert values.name(text) == name


@pytest.mark.parametrize(
    "text, number, words",
    [
        ("07700 900123", "07700 900123", ""),
        ("+44 7700 900123", "+44 7700 900123", ""),
        ("7700900123", "07700900123", ""),
        ("DO NOT RING 07700 900123", "07700 900123", "DO NOT RING"),
        ("07700 900123 (after 5pm)", "07700 900123", "after 5pm"),
        ("ask his sister", None, "ask his sister"),
        ("07700 900123 / 01632 960001", "07700 900123", "01632 960001"),
        ("07700900123 07700900124", "07700900123", "07700900124"),
        ("01632 960001/2", "01632 960001", "2"),
        ("+44 (0)7700 900123", "+44 (0)7700 900123", ""),
        ("020 7946 0000 ext. 1234", "020 7946 0000 ext. 1234", ""),
        ("moved on 01/09/2024", None, "moved on 01/09/2024"),
        ("12345678901234567890", None, "12345678901234567890"),
    ],
)
def test_a_phone_number_is_found_among_words(text, number, words):
    assert values.phone(text) == (number, words)


def test_two_spellings_of_one_number_are_one():
    assert values.same_phone("+44 7700 900123") == values.same_phone("07700900123") == values.same_phone("0044 7700-900123")


# ── Anything at all ────────────────────────────────────────────────────────────────────────

TEXT_CELLS = st.text(max_size=30) | st.sampled_from([*SIMS, *ARBOR, upn(1), "9", "12/03/2012", "=1+1", "NULL", "Total", "Do not contact"])
TABLES = st.lists(st.lists(TEXT_CELLS, max_size=8), max_size=12)
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])


def read_or_refuse(content: bytes) -> None:
    for what in ("pupils", "contacts"):
        try:
            table, _ = command.read_table(what, content, {})
        except Unusable as refused:
            assert str(refused).strip()  # noqa: PT017
        else:
            assert all(isinstance(text, str) for row in table.rows for text in row.values.values())


@given(st.binary(max_size=3000) | st.binary(max_size=300).map(lambda tail: b"PK\x03\x04" + tail))
def test_any_bytes_are_rows_or_a_clear_refusal(content):
    read_or_refuse(content)


@given(TABLES, ENCODINGS, st.sampled_from(",\t;"))
def test_any_table_is_rows_or_a_clear_refusal(rows, encoding, delimiter):
    read_or_refuse(as_csv(*rows, delimiter=delimiter, encoding="utf-8") if encoding == "utf-8" else
                   as_csv(*rows, delimiter=delimiter).decode().encode(encoding))  # fmt: skip


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, len(BOOK) - 1), st.binary(min_size=1, max_size=40))
def test_a_workbook_damaged_anywhere_is_rows_or_a_clear_refusal(at, damage):
    read_or_refuse(BOOK[:at] + damage + BOOK[at + len(damage) :])


@given(st.text(max_size=40))
def test_any_cell_can_be_asked_anything(text):
    values.year_group(text), values.upn_problem(values.upn(text)), values.phone(text), values.name(text), values.fold(text)
    with contextlib.suppress(values.MonthFirst):
        values.day(text)


def test_many_rows_read_alike_in_both_forms():
    rows = pupils(200)
    assert names(as_csv(SIMS, *rows)) == names(as_xlsx(SIMS, *rows))
