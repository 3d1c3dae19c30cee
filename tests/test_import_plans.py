"""What an import would do: whom each row means, what changes, which adults and families are the same. Pure: no database."""

import itertools
from datetime import date
from typing import Any

import pytest

from server.imports import command, contacts, problems, pupils
from server.imports.plan import Plan
from server.imports.told import field_by_field, told
from tests.exports import as_csv, upn

TODAY = date(2026, 11, 21)
AMIRA = {**pupils.BLANK, "id": "p1", "mis_id": "100", "upn": upn(1), "admission_no": "0012", "forename": "Amira", "surname": "O'Neill",
         "year": "9", "form": "9 KEL", "born_on": "2013-03-12"}  # fmt: skip
BEN = {**pupils.BLANK, "id": "p2", "mis_id": "101", "upn": upn(2), "admission_no": "0013", "forename": "Ben", "surname": "Khan",
       "year": "9", "form": "9 KEL", "born_on": "2013-05-01"}  # fmt: skip
CARA = {**BEN, "id": "p3", "mis_id": "102", "upn": upn(3), "admission_no": "0014", "forename": "Cara", "surname": "Rowe"}
PUPIL_HEADINGS = ("MIS ID", "UPN", "Adm No", "Surname", "Forename", "DOB", "Year", "Reg")


def row(pupil: dict[str, Any], **said: str) -> list[str]:
    names = {"MIS ID": "mis_id", "UPN": "upn", "Adm No": "admission_no", "Surname": "surname", "Forename": "forename", "DOB": "born_on",
             "Year": "year", "Reg": "form"}  # fmt: skip
    return [said.get(names[heading], pupil[names[heading]] or "") for heading in PUPIL_HEADINGS]


def plan_of(*rows: list[str], known: tuple[dict[str, Any], ...] = (AMIRA, BEN), headings: tuple[str, ...] = PUPIL_HEADINGS) -> Plan:
    table, _ = command.read_table("pupils", as_csv(headings, *rows), {})
    ids = itertools.count(1)
    return pupils.plan(table, known, lambda: f"new-{next(ids)}", TODAY)


def changes(plan: Plan) -> list[dict[str, Any]]:
    return [dict(change.after) for change in plan.changed]


# ── Pupils ─────────────────────────────────────────────────────────────────────────────────


def test_the_same_list_again_changes_nothing():
    plan = plan_of(row(AMIRA), row(BEN))
    assert plan.is_empty
    assert plan.unchanged == 2
    assert not plan.problems


def test_changes_are_named_field_by_field():
    plan = plan_of(row(AMIRA, year="10", form="10 BRO"), row(BEN))
    [change] = plan.changed
    assert (change.id, change.before, change.after) == ("p1", {"year": "9", "form": "9 KEL"}, {"year": "10", "form": "10 BRO"})
    lines = list(told(command.read_table("pupils", as_csv(PUPIL_HEADINGS, row(AMIRA)), {})[0], plan, applied=False))
    assert "   Amira O'Neill (9 KEL): year 9 → 10; form 9 KEL → 10 BRO" in lines


def test_who_is_not_in_the_file_stays_as_they_are():
    plan = plan_of(row(AMIRA))
    assert plan.absent == ["Ben Khan (9 KEL)"]
    assert plan.is_empty


def test_a_blank_cell_says_nothing():
    assert plan_of(row(AMIRA, upn="", form="-", born_on="NULL")).is_empty


@pytest.mark.parametrize(
    "said",
    [
        {"upn": "", "admission_no": "", "surname": "O’Neill-Bell"},  # MIS id
        {"mis_id": "", "admission_no": "", "surname": "O’Neill-Bell"},  # UPN
        {"mis_id": "", "upn": "", "surname": "O’Neill-Bell"},  # admission number
    ],
)
def test_each_key_finds_the_pupil_whatever_else_changed(said):
    plan = plan_of(row(AMIRA, **said))
    assert changes(plan) == [{"surname": "O’Neill-Bell"}]


def test_without_a_key_name_and_birthday_find_the_pupil_however_they_are_written():
    plan = plan_of(row(AMIRA, mis_id="", upn="", admission_no="", surname="O’NEILL", born_on="12/03/2013"), known=(AMIRA,))
    assert not plan.added
    assert changes(plan) == [{"surname": "O’Neill"}]


@pytest.mark.parametrize(
    "said, words",
    [
        ({"mis_id": "", "upn": "", "admission_no": "", "born_on": ""}, "may be Amira O'Neill (9 KEL)"),
        ({"mis_id": "", "admission_no": "", "upn": upn(77)}, "may be Amira O'Neill (9 KEL)"),
        ({"mis_id": "100", "upn": upn(3)}, "the MIS id is Amira O'Neill (9 KEL)'s and the UPN is Cara Rowe (9 KEL)'s"),
        ({"surname": "Zheng", "forename": "Wei", "born_on": "2014-01-01"}, "but the name and date of birth are not"),
        ({"surname": ""}, "the surname is missing"),
        ({"year": ""}, "the year group is missing"),
        ({"year": "9 KEL"}, "“9 KEL” is no year group"),
        ({"born_on": "31/02/2013"}, "is no date"),
        ({"born_on": "12/03/1951"}, "no pupil's date of birth"),
        ({"surname": "=HYPERLINK(1)"}, "holds a formula"),
        ({"form": "#REF!"}, "holds a formula"),
    ],
)
def test_a_row_that_needs_a_person_is_left_out_and_the_others_are_taken(said, words):
    plan = plan_of(row(AMIRA, **said), row(BEN, form="9 NEW"), known=(AMIRA, BEN, CARA))
    [problem] = plan.problems
    assert words in problem.words
    assert (problem.row, problem.left_out) == (2, True)
    assert changes(plan) == [{"form": "9 NEW"}]
    assert not plan.added


@pytest.mark.parametrize(
    "said, words",
    [
        ({"mis_id": "", "upn": "", "forename": "Aoife", "born_on": "2015-02-01"}, "but the name and date of birth are not"),
        (
            {"mis_id": "", "forename": "Aoife", "born_on": "", "upn": upn(77)},
            f"admission number is Amira O'Neill (9 KEL)'s, whose UPN is {upn(1)}",
        ),
        ({"forename": "Aoife", "upn": upn(77)}, f"the MIS id is Amira O'Neill (9 KEL)'s, whose UPN is {upn(1)}"),
        ({"mis_id": "", "upn": "", "forename": "Orla"}, "but the name and date of birth are Orla O'Neill (9 KEL)'s"),
    ],
)
def test_a_brother_s_or_a_twin_s_number_does_not_make_one_of_the_other(said, words):
    twin = {**AMIRA, "id": "p9", "mis_id": "109", "upn": upn(9), "admission_no": "0019", "forename": "Orla"}
    plan = plan_of(row(AMIRA, **said), known=(AMIRA, twin))
    assert plan.is_empty
    assert [(words in problem.words, problem.left_out) for problem in plan.problems] == [(True, True)]


def test_one_thing_about_a_pupil_may_change_at_a_time():
    for said in ({"forename": "Amy"}, {"surname": "Bell"}, {"born_on": "2013-12-03"}, {"upn": upn(77)}):
        assert changes(plan_of(row(AMIRA, **said))) == [said]


def test_a_wrong_check_letter_is_a_warning_by_row():
    wrong = "A" + upn(5)[1:] if upn(5)[0] != "A" else "B" + upn(5)[1:]
    plan = plan_of(row(AMIRA), ["", wrong, "", "New", "Nia", "2014-01-01", "8", "8 X"])
    [problem] = plan.problems
    assert (problem.row, problem.left_out) == (3, False)
    assert f"check letter should be {upn(5)[0]}" in problem.words
    assert plan.added[0].row["upn"] == wrong


def test_two_rows_with_one_key_are_both_left_out():
    plan = plan_of(["", upn(9), "", "Rowe", "Sam", "", "7", "7 A"], ["", upn(9), "", "Rowe", "Tia", "", "7", "7 A"])
    assert [problem.row for problem in plan.problems] == [2, 3]
    assert not plan.added


def test_two_rows_with_one_name_and_birthday_are_both_left_out():
    plan = plan_of(["", upn(9), "", "Rowe", "Sam", "2014-01-01", "7", ""], ["", upn(8), "", "Rowe", "Sam", "2014-01-01", "7", ""])
    assert len(plan.problems) == 2
    assert not plan.added


def test_new_pupils_are_added_whole():
    [addition] = plan_of(["", upn(9), "", "NÍ BHRIAIN", "Sadhbh", "01/02/2014", "Year 7", "7 FEN"], known=()).added
    assert addition.row == {**pupils.BLANK, "id": "new-1", "upn": upn(9), "surname": "Ní Bhriain", "forename": "Sadhbh", "year": "7",
                            "form": "7 FEN", "born_on": "2014-02-01"}  # fmt: skip


def test_a_leaving_date_that_has_come_takes_a_pupil_off_and_a_later_list_brings_them_back():
    headings = (*PUPIL_HEADINGS, "Date of leaving")
    [left] = plan_of([*row(AMIRA), "20/11/2026"], headings=headings).changed
    assert list(left.after) == ["left_at"]
    assert plan_of([*row(AMIRA), "30/11/2026"], headings=headings).is_empty
    assert changes(plan_of(row(AMIRA), known=({**AMIRA, "left_at": 1},))) == [{"left_at": None}]


@pytest.mark.parametrize(
    "flag, address", [("Yes", "1 Hidden Row"), ("", "WITHHELD - refuge"), ("court order", "1 Hidden Row"), ("ask DSL", "1 Hidden Row"),
                      ("", "1 Hidden Row (CONFIDENTIAL)"), ("", "Not to be disclosed")]
)  # fmt: skip
def test_an_address_that_may_be_secret_is_not_kept(flag, address):
    headings = (*PUPIL_HEADINGS, "Address withheld", "Address")
    [change] = plan_of([*row(AMIRA), flag, address], known=({**AMIRA, "address": "1 Hidden Row"},), headings=headings).changed
    assert change.after == {"address_withheld": True, "address": None}
    assert "Hidden Row" not in field_by_field(change)


def test_an_import_never_lifts_a_withheld_address():
    headings = (*PUPIL_HEADINGS, "Address withheld", "Address")
    plan = plan_of([*row(AMIRA), "No", "1 Hidden Row"], known=({**AMIRA, "address_withheld": True},), headings=headings)
    assert plan.is_empty
    assert "lift it at the desk" in plan.problems[0].words


def test_a_name_is_not_overwritten_by_what_an_old_encoding_left_of_it():
    known = {**AMIRA, "surname": "Jabłońska"}
    plan = plan_of(row(AMIRA, surname="Jab?o?ska", form="9 NEW"), known=(known,))
    assert changes(plan) == [{"form": "9 NEW"}]
    assert "Left as Jabłońska" in plan.problems[0].words
    assert [problem.left_out for problem in plan_of(row(AMIRA, surname="Jab\ufffdo?ska"), known=()).problems] == [True]


def test_the_list_of_problems_computes_nothing_in_a_spreadsheet():
    plan = plan_of(row(AMIRA, surname="=cmd|' /C calc'!A0"), row(BEN, form="@SUM(A1)"))
    lines = problems.as_csv(plan.problems).splitlines()
    assert lines[0] == "Row,Column,What it says,What is wrong,Taken in"
    assert lines[1].startswith("2,Surname,'=cmd|")
    assert all(not cell.startswith(("=", "+", "@")) for line in lines for cell in line.split(","))


@pytest.mark.parametrize("text", ["＝1+1", "Khan;=1+1", 'x; "@SUM(A1)'])
def test_no_spreadsheet_anywhere_computes_what_a_problem_quotes(text):
    assert "'" in problems.safe(text)


# ── Contacts ───────────────────────────────────────────────────────────────────────────────

CONTACT_HEADINGS = ("UPN", "Contact name", "Relationship", "Priority", "Mobile", "Parental responsibility", "Do not contact", "Address",
                    "Notes")  # fmt: skip


def contacts_plan(*rows: tuple[str, ...], known: tuple[dict[str, Any], ...] = (), headings: tuple[str, ...] = CONTACT_HEADINGS) -> Plan:
    table, _ = command.read_table("contacts", as_csv(headings, *rows), {})
    ids = itertools.count(1)
    return contacts.plan(table, (AMIRA, BEN), known, lambda: f"new-{next(ids)}")


def nadia(pupil: str = upn(1), **said: str) -> tuple[str, ...]:
    cells = {"name": "Nadia Haddad", "relationship": "Mother", "position": "1", "phone": "07700 900341", "pr": "Yes"}
    cells |= {"dnc": "", "address": "", "note": ""}
    return (pupil, *(cells | said).values())


def paul(pupil: str = upn(1), **said: str) -> tuple[str, ...]:
    return nadia(pupil, **({"name": "Paul Cole", "relationship": "Father", "position": "2", "phone": "07700 900999"} | said))


def kept(plan: Plan) -> tuple[dict[str, Any], ...]:
    """The contacts a plan leaves, as the school would have them."""
    return tuple(addition.row for addition in plan.added)


def test_a_contact_is_taken_in_whole():
    plan = contacts_plan(nadia(address="12 Elm Row"))
    assert kept(plan)[0] == {
        **contacts.BLANK, "id": "new-1", "pupil": "p1", "person": "new-1", "position": 1, "name": "Nadia Haddad", "relationship": "Mother",
        "phone": "07700 900341", "parental_responsibility": True, "address": "12 Elm Row",
    }  # fmt: skip


def test_the_same_contacts_again_change_nothing():
    rows = nadia(), paul(dnc="Yes", note="Court order 2025"), nadia(upn(2)), ("", "", "")
    first = contacts_plan(*rows[:3])
    again = contacts_plan(*rows[:3], known=kept(first))
    assert again.unchanged == 3
    assert not again.changed
    assert not again.added


@pytest.mark.parametrize(
    "said",
    [
        {"dnc": "Yes"},
        {"dnc": "Y"},
        {"dnc": "ask the DSL first"},
        {"note": "Court order, no contact with children"},
        {"relationship": "Father (do not contact)"},
        {"phone": "DO NOT RING 07700 900999"},
        {"note": "Non-molestation order until 2027"},
        {"note": "Bail conditions"},
        {"name": "Paul Cole - NOT TO BE CONTACTED"},
        {"note": "Please don’t ring"},
        {"note": "Mustn’t collect"},
        {"note": "Must not be contacted"},
        {"note": "Do NOT under any circumstances ring"},
        {"note": "Is not allowed contact"},
        {"note": "Cannot be contacted"},
        {"note": "DNC"},
        {"note": "Non-mol order"},
        {"note": "Letterbox contact only"},
        {"note": "Contact via social worker"},
    ],
)
def test_anything_that_sounds_like_do_not_ring_is_read_so(said):
    assert kept(contacts_plan(paul(**said)))[0]["do_not_contact"] is True


@pytest.mark.parametrize(
    "note",
    [
        "Works nights, ring after 2",
        "Not the mother",
        "Parent calls back",
        "Knotty Ash, call any time",
        "No mobile, ring the landline",
        "Does not work on Mondays, call then",
    ],
)
def test_plain_notes_bar_nobody(note):
    assert kept(contacts_plan(paul(note=note)))[0]["do_not_contact"] is False


@pytest.mark.parametrize(
    "note", ["Living in a refuge", "Whereabouts must not be disclosed", "Don’t tell the father where they live", "Safe house"]
)
def test_a_note_of_hiding_withholds_the_address(note):
    [contact] = kept(contacts_plan(nadia(note=note, address="1 Hidden Row")))
    assert (contact["address"], contact["address_withheld"]) == (None, True)


def test_a_court_order_hides_nobody_s_address():
    assert kept(contacts_plan(paul(note="Court order, no contact", address="2 Low Road")))[0]["address"] == "2 Low Road"


@pytest.mark.parametrize("said, barred", [("No", True), ("Yes", False), ("sometimes", True)])
def test_a_column_that_asks_it_the_other_way_round(said, barred):
    plan = contacts_plan((upn(1), "Paul Cole", said), headings=("UPN", "Contact name", "Contact allowed"))
    assert kept(plan)[0]["do_not_contact"] is barred


def test_an_import_never_lifts_do_not_contact():
    before = kept(contacts_plan(paul(dnc="Yes")))
    for said in ("No", ""):
        plan = contacts_plan(paul(dnc=said), known=before)
        assert plan.is_empty
    assert "lift it at the desk" in contacts_plan(paul(dnc="No"), known=before).problems[0].words


def test_parental_responsibility_in_doubt_is_no():
    assert kept(contacts_plan(paul(pr="pending")))[0]["parental_responsibility"] is False


def test_one_adult_of_two_pupils_is_one_person_and_they_are_a_family():
    plan = contacts_plan(nadia(), paul(), nadia(upn(2), phone="+44 7700 900341"), paul(upn(2)))
    assert len({row["person"] for row in kept(plan)}) == 2
    assert {change.id for change in plan.families} == {"p1", "p2"}
    assert len({change.after["family"] for change in plan.families}) == 1


@pytest.mark.parametrize(
    "second",
    [
        paul(upn(2), dnc="Yes", position="1"),  # a parent who must not be rung makes no family
        nadia(upn(2), relationship="Social worker"),
        nadia(upn(2), name="Sam Haddad"),  # the same number, another person
        nadia(upn(2), phone="07700 900000"),  # the same name, another number and no address
    ],
)
def test_what_makes_no_family(second):
    assert not contacts_plan(nadia(), paul(dnc="Yes", position="1") if "Paul" in second[1] else nadia(), second).families


def test_a_childminder_further_down_makes_no_family():
    minder = {"name": "Jo Tam", "relationship": "Childminder", "position": "3", "phone": "07700 900777"}
    plan = contacts_plan(nadia(), nadia(**minder), nadia(upn(2), name="Eve Khan", phone="07700 900002"), nadia(upn(2), **minder))
    assert not plan.families
    assert len({row["person"] for row in kept(plan)}) == 3


def test_an_address_withheld_for_one_child_is_withheld_for_the_other():
    plan = contacts_plan(nadia(address="Refuge, not to be disclosed"), nadia(upn(2), address="1 Hidden Row"))
    assert [(row["address"], row["address_withheld"]) for row in kept(plan)] == [(None, True), (None, True)]


def test_a_warning_about_one_child_only_is_not_spread_but_asked_about():
    plan = contacts_plan(paul(dnc="Yes"), paul(upn(2)))
    assert [row["do_not_contact"] for row in kept(plan)] == [True, False]
    assert [(problem.row, problem.left_out) for problem in plan.problems] == [(3, False)]
    assert "must not be contacted about a brother or sister" in plan.problems[0].words


def test_contacts_that_lie_side_by_side_are_put_under_one_another():
    headings = ("UPN", "Contact1Name", "Contact1Telephone", "Contact1Relationship", "Contact1ParentalResponsibility", "Contact2Name",
                "Contact2Telephone", "Contact2Relationship", "Contact2ParentalResponsibility")  # fmt: skip
    row = (upn(1), "Haddad, Nadia", "07700 900341", "Mother", "True", "Mr Paul Cole", "-", "Father", "False")
    both = kept(contacts_plan(row, headings=headings))
    assert [(one["name"], one["position"], one["phone"], one["parental_responsibility"]) for one in both] == [
        ("Nadia Haddad", 1, "07700 900341", True), ("Mr Paul Cole", 2, None, False),
    ]  # fmt: skip


def test_a_warning_beside_one_of_several_contacts_is_taken_with_them():
    headings = ("UPN", "Mobile", "Postcode", "Notes", "Contact 1 Name", "Contact 1 Mobile", "Contact 1 Do not contact", "Contact 1 Note",
                "Contact 2 Name", "Contact 2 Postcode", "Contact 2 Address withheld", "Contact 2 Court order", "Contact 2 Home phone",
                "Contact 2 Mobile")  # fmt: skip
    row = (upn(1), "07700 900111", "M1 1AA", "the pupil's own", "Paul Cole", "07700 900999", "Yes", "ask first",
           "Nadia Haddad", "M2 2BB", "Yes", "No", "01632 960001", "07700 900341")  # fmt: skip
    paul, nadia = kept(contacts_plan(row, headings=headings))
    assert (paul["do_not_contact"], paul["phone"], paul["note"]) == (True, "07700 900999", "ask first")
    assert (nadia["do_not_contact"], nadia["address_withheld"], nadia["address"]) == (False, True, None)
    assert (nadia["phone"], nadia["other_phone"], nadia["note"]) == ("07700 900341", "01632 960001", "")


@pytest.mark.parametrize("first, second, barred", [("No", "Yes", True), ("Yes", "No", True), ("", "ask first", True), ("No", "", False)])
def test_two_columns_that_warn_of_one_thing_both_count(first, second, barred):
    headings = ("UPN", "Contact name", "Do not contact", "Contact restricted")
    assert kept(contacts_plan((upn(1), "Paul Cole", first, second), headings=headings))[0]["do_not_contact"] is barred


@pytest.mark.parametrize("row, words", [(nadia(upn(99)), "no such pupil here"), (nadia(name=""), "the contact has no name"),
                                        (nadia(note="=1+1"), "holds a formula")])  # fmt: skip
def test_a_contact_that_needs_a_person_is_left_out(row, words):
    plan = contacts_plan(row, paul())
    assert [(problem.row, problem.left_out) for problem in plan.problems] == [(2, True)]
    assert words in plan.problems[0].words
    assert [one["name"] for one in kept(plan)] == ["Paul Cole"]


def test_one_contact_listed_twice_is_one_unless_the_rows_differ():
    assert len(kept(contacts_plan(nadia(), nadia()))) == 1
    plan = contacts_plan(nadia(), nadia(phone="07700 900342"))
    assert "says otherwise" in plan.problems[0].words


def test_a_contact_s_name_is_not_overwritten_by_what_an_old_encoding_left_of_it():
    before = kept(contacts_plan(nadia(name="Beata Wiśniewska")))
    plan = contacts_plan(nadia(name="Beata Wi?niewska"), known=before)
    assert plan.is_empty
    assert "Left as Beata Wiśniewska" in plan.problems[0].words
    assert contacts_plan(nadia(name="Beata Wi?niewska")).problems[0].left_out


@pytest.mark.parametrize("text, name", [("Haddad, Nadia", "Nadia Haddad"), ("de Souza, Ana", "Ana de Souza"),
                                        ("HADDAD, NADIA", "Nadia Haddad"),
                                        ("Children’s social care, duty team", "Children’s social care, duty team")])  # fmt: skip
def test_only_a_person_s_name_is_turned_round(text, name):
    assert kept(contacts_plan(nadia(name=text)))[0]["name"] == name


def test_mr_and_mrs_are_two_people_with_one_number():
    both = contacts_plan(paul(name="Mr Khan", dnc="Yes"), nadia(name="Mrs Khan", phone="07700 900999"))
    assert [(one["name"], one["do_not_contact"]) for one in kept(both)] == [("Mr Khan", True), ("Mrs Khan", False)]
    assert not both.problems
    again = contacts_plan(nadia(name="Mrs J Khan"), nadia(upn(2), name="Mr J Khan"))
    assert len({one["person"] for one in kept(again)}) == 2


def test_an_initial_that_two_people_have_is_neither_of_them():
    rows = nadia(name="John Khan"), nadia(name="Jane Khan"), nadia(upn(2), name="J Khan")
    assert len({one["person"] for one in kept(contacts_plan(*rows))}) == 3
    assert len({one["person"] for one in kept(contacts_plan(nadia(name="John Khan"), nadia(upn(2), name="J Khan")))}) == 1


def test_a_row_whose_numbers_are_two_pupils_adds_a_contact_to_neither():
    plan = contacts_plan((upn(1), "0013", "Paul Cole"), headings=("UPN", "Adm No", "Contact name"))
    assert not plan.added
    assert "the UPN is Amira O'Neill (9 KEL)'s and the admission number is Ben Khan (9 KEL)'s" in plan.problems[0].words


def test_nobody_is_taken_off_for_not_being_listed():
    before = kept(contacts_plan(nadia(), paul()))
    plan = contacts_plan(nadia(), known=before)
    assert plan.is_empty
    assert plan.absent == ["Paul Cole, for Amira O'Neill (9 KEL)"]
