"""A spreadsheet says what it is, runs nothing, and does not tell an address or a number that is withheld."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from server.kinds import KINDS
from server.kinds.roles import Role
from server.reports.csv import BYTE_ORDER_MARK, Column, Sheet, csv_of, safe
from server.reports.heard import heard
from server.reports.sheets import Names, contacts_sheet, records_sheet
from server.settings import Settings
from server.store.database import Tx, reading, writing
from tests.world import MONDAY

PAYLOADS = [
    *(f"{start}{rest}" for start in "=+-@|\t\r\n＝＋－＠" for rest in ("1+1", "cmd|'/C calc'!A0", 'HYPERLINK("http://x","y")')),
    "+44 7700 900101",
    "=1+1\n=2+2",
    "fine;=1+1",
    'fine; "=1+1"',
    "two lines\n=1+1",
    "a tab\t=1+1",
]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_a_person_wrote_begins_a_formula(payload: str) -> None:
    book = Workbook()
    for row in rows_of(csv_of(sheet_with(payload)), delimiter=",") + rows_of(csv_of(sheet_with(payload)), delimiter=";"):
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    assert [cell.value for row in load_workbook(file).active for cell in row if cell.data_type == "f"] == []


@given(st.text(st.characters(codec="utf-8")))
def test_only_apostrophes_are_ever_added(text: str) -> None:
    assert safe(text).replace("'", "") == text.replace("'", "")


@pytest.mark.parametrize("words", ["He said “no” – twice", "9 KEL", "", "O'Neill", "Zoë; Ångström", "10 - 12"])
def test_plain_words_are_left_alone(words: str) -> None:
    assert safe(words) == words


def test_numbers_stay_numbers() -> None:
    assert rows_of(csv_of(sheet_with(-3)), ",")[4] == ["-3"]


def test_a_sheet_says_what_it_is_above_and_what_its_columns_are_below() -> None:
    text = csv_of(Sheet("Incidents", ["Northgate", "As at 11:31"], [Column("Where", "The place.")], [["Yard"], [None]]))
    assert text.startswith(BYTE_ORDER_MARK)
    assert rows_of(text, ",") == [["Incidents"], ["Northgate"], ["As at 11:31"], [], ["Where"], ["Yard"], [""], [], ["Where", "The place."]]


def sheet_with(cell: object) -> Sheet:
    return Sheet("Title", ["About"], [Column("Words", "What was written.")], [[cell]])


def rows_of(text: str, delimiter: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix(BYTE_ORDER_MARK), newline=""), delimiter=delimiter))


RECORD = {
    "id": "r1",
    "state": "open",
    "author": "amira",
    "made_at": MONDAY,
    "received_at": MONDAY,
    "happened_at": MONDAY,
    "edits": 2,
    "disputes": {"category": [{"value": "fight"}, {"value": "defiance"}], "pupils/zoe": []},
    "body": {
        "category": "fight",
        "severity": "high",
        "happened_at": {"at": "2026-07-16T08:30:00.000Z", "precision": "about"},
        "pupils": {"zoe": {"part": "harmed", "outcome": "warning"}, "li": {}},
        "motives": {"race": {"part": "alleged"}},
        "account": {"amira": {"value": "I saw it.", "at": "…", "versions": 1}, "ben": {"value": None, "at": "…", "versions": 2}},
        "concern_reference": "CP-77",
    },
}
NAMES = Names(
    pupils={"zoe": "Zoë Ångström", "li": "Li Wu"},
    staff={"amira": "Amira Haddad", "ben": "Ben Price"},
    words={"categories": {"fight": "Fight"}, "outcomes": {"warning": "Warning"}},
)


def cells(role: Role) -> dict[str, object]:
    sheet = records_sheet(KINDS["incident"], [RECORD], NAMES, role, [])
    return dict(zip((column.heading for column in sheet.columns), next(iter(sheet.rows)), strict=True))


def test_a_record_is_told_in_words() -> None:
    told = cells(Role.MANAGER)
    assert told["What happened?"] == "Fight"
    assert told["How serious was it?"] == "Serious"
    assert told["When?"] == "about 2026-07-16 09:30"
    assert told["Who?"] == "Zoë Ångström (Harmed, Warning); Li Wu"
    assert told["Was it because of who somebody is, or bullying?"] == "Race (Alleged)"
    assert told["Your account"] == "Amira Haddad: I saw it."
    assert told["Where?"] is None


def test_what_nobody_has_decided_is_named() -> None:
    assert cells(Role.MANAGER)["Undecided"] == "What happened?; Who?"


def test_what_a_role_may_not_see_is_in_no_sheet_of_theirs() -> None:
    assert cells(Role.DSL)["Reference in the safeguarding system"] == "CP-77"
    assert "Reference in the safeguarding system" not in cells(Role.MANAGER)
    assert "Which other address?" not in {column.heading for column in records_sheet(KINDS["home_visit"], [], NAMES, Role.DSL, []).columns}


async def test_nobody_is_listed_who_must_not_be_contacted_and_no_address_that_is_withheld(world: Settings) -> None:
    everybody = ["zoe", "siobhan", "conor", "jose", "marcus", "tom"]
    await writing(give_zoes_mother_an_address)
    text = csv_of(await reading(contacts_sheet, "northgate", everybody, []))
    assert "Karin Ångström" in text
    assert "2 Quay Street" in text
    assert "7 Kiln Lane" in text
    for withheld in ("Erik Ångström", "07700 900102", "1 Hidden Row", "Jo Hart"):
        assert withheld not in text


async def test_the_address_of_a_pupil_who_is_hidden_is_not_told_by_way_of_a_contact(world: Settings) -> None:
    await writing(hide_zoe)
    text = csv_of(await reading(contacts_sheet, "northgate", ["zoe"], []))
    assert "Karin Ångström" in text
    assert "2 Quay Street" not in text


async def test_an_address_that_is_withheld_is_not_told_under_another_name_or_a_sisters(world: Settings) -> None:
    await writing(live_where_ana_does)
    text = csv_of(await reading(contacts_sheet, "northgate", ["jose", "dara", "marcus"], []))
    assert "Rui D'Souza" in text
    assert "Tia Pinto" in text
    assert "7 Kiln Lane" in text
    assert "Hidden Row" not in text


async def live_where_ana_does(tx: Tx) -> None:
    """Jose's uncle is no secret, but lives where his mother does; so does Dara, his sister."""
    await tx.run("update pupil set address_withheld = $1, family = 'pinto' where id = 'jose'", False)
    await tx.run("update pupil set family = 'pinto' where id = 'dara'")
    for pupil, name in (("jose", "Rui D'Souza"), ("dara", "Tia Pinto")):
        await tx.run(
            "insert into contact (id, school, pupil, person, position, name, address, seq)"
            " values ($1, 'northgate', $1, $1, 3, $2, '1 Hidden Row', 1)",
            pupil, name,
        )  # fmt: skip


async def give_zoes_mother_an_address(tx: Tx) -> None:
    await tx.run("update contact set address = '2 Quay Street' where id = 'zoe-karin'")


async def hide_zoe(tx: Tx) -> None:
    await give_zoes_mother_an_address(tx)
    await tx.run("update pupil set address_withheld = $1 where id = 'zoe'", True)


DAY = 24 * 3600 * 1_000_000


async def test_a_sheet_can_say_who_has_not_sent(world: Settings) -> None:
    assert (await reading(heard, "northgate", MONDAY)).words.startswith("Every phone in use")
    await writing(some_go_quiet)
    told = await reading(heard, "northgate", MONDAY)
    assert [(phone.staff, phone.waiting) for phone in told.quiet] == [("Ben Price", 0), ("Amira Haddad", 3)]
    assert told.words == "1 phone has not been heard from since yesterday; 3 records are known to wait on phones."


QUIET = (
    ("amira", MONDAY - 60, 3),
    ("ben", MONDAY - 2 * DAY, 0),
    ("carol", MONDAY - 60, 0),
    ("olu", MONDAY - 40 * DAY, 1),  # has not used it for weeks
    ("dan", MONDAY, 9),  # elsewhere
)


async def some_go_quiet(tx: Tx) -> None:
    for staff, seen_at, waiting in QUIET:
        await tx.run("update phone set seen_at = $1, waiting = $2 where staff = $3", seen_at, waiting, staff)
    await tx.run("update phone set seen_at = $1, waiting = 5, revoked_at = $1 where staff = 'hana'", MONDAY)
