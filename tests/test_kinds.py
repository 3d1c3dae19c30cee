"""What a kind says of some values, what it tells a phone, and that the kinds are fit to be read in a court."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given

from server.kinds import KINDS
from server.kinds.codes import attendance_codes, session_shares
from server.kinds.kind import Field, Kind, Merge, asked_about
from server.kinds.lists import LISTS
from server.kinds.roles import Role
from server.kinds.shapes import Choice, Known, Line, Note, Pupils, YesNo
from tests.test_shapes import LONE_SURROGATE, anything

incident, home_visit, sighting = KINDS["incident"], KINDS["home_visit"], KINDS["sighting"]
each_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)

known = Known(lists={"places": {"yard"}, "categories": {"fighting"}}, pupils={"p1"}, staff={"amira"})


def test_good_values_have_no_problems() -> None:
    values = {"category": "fighting", "place": "yard", "hurt": "unknown", "pupils": {"put": {"p1": {"part": "harmed"}}, "drop": []}}
    assert incident.problems(values, known) == {}
    assert incident.normalise(values, known) == (values, [])


def test_each_problem_is_said_at_its_field_and_the_good_values_are_kept() -> None:
    values = {"category": "riot", "place": "yard", "horoscope": "Leo", "pupils": {"put": {"p9": {}}}}
    judged = incident.judge(values, known)
    assert judged.problems == {
        "category": "not in the school’s list of categories",
        "horoscope": "this kind of record does not ask for it",
        "pupils": "not at this school",
    }
    assert judged.values["place"] == "yard"


def test_null_clears_a_field_but_not_a_gathered_one() -> None:
    assert incident.problems({"category": None, "account": None, "severity": None}, known) == {}
    assert "pupils" in incident.problems({"pupils": None}, known)


def test_what_cannot_be_stored_is_replaced_and_remarked() -> None:
    values, remarks = incident.normalise({"account": f"He said \0 and {LONE_SURROGATE}", "cctv": "Yard camera"}, known)
    assert values["account"] == "He said \ufffd and \ufffd"
    assert remarks == ["account: characters that cannot be kept were replaced"]


@each_kind
@given(values=anything)
def test_any_values_at_all_are_judged(kind: Kind, values: object) -> None:
    judged = kind.judge(values, known)
    assert all(words for words in judged.problems.values())
    assert set(judged.values) == (set(values) if isinstance(values, dict) else set())
    asked_about(kind, values)


def test_the_names_to_look_up_are_those_that_are_put() -> None:
    values = {"pupils": {"put": {"p1": {}, "p9": {}}, "drop": ["p2"]}, "staff": {"put": {"amira": {}}}, "account": "p3"}
    assert asked_about(incident, values) == ({"p1", "p9"}, {"amira"})


def test_a_gap_is_a_needed_field_that_nobody_has_answered() -> None:
    whole = {
        "category": "fighting",
        "place": "yard",
        "pupils": {"p1": {}},
        "happened_at": {"at": "2026-11-21T08:02:11.120Z", "precision": "exact"},
    }
    assert incident.gaps({}) == ["pupils", "category", "place", "happened_at"]
    assert incident.gaps(whole) == []
    assert incident.gaps(whole | {"category": None, "pupils": {}}) == ["pupils", "category"]


def test_one_field_may_answer_for_another() -> None:
    assert "pupils" in sighting.gaps({})
    assert "pupils" not in sighting.gaps({"description": "Boy, about 13, grey hood"})


def test_a_cleared_statement_is_a_gap_until_somebody_makes_one() -> None:
    words = KINDS["statement"].field("words")
    assert words
    assert words.name in KINDS["statement"].gaps({"words": {"amira": {"value": None, "at": "…", "versions": 2}}})
    assert words.name not in KINDS["statement"].gaps({"words": {"amira": {"value": "I saw it", "at": "…", "versions": 1}}})


def test_a_field_for_some_roles_is_hidden_from_the_others() -> None:
    assert incident.visible("concern_reference", Role.DSL)
    assert not incident.visible("concern_reference", "manager")
    assert incident.hidden_from("dsl") == frozenset()


def test_a_phone_is_not_told_of_what_its_reader_may_not_see() -> None:
    assert "concern_reference" in names(incident.describe(Role.DSL))
    assert "concern_reference" not in names(incident.describe(Role.TEACHER))


def test_the_address_of_a_visit_stays_at_the_desk() -> None:
    assert home_visit.apart == {"address"}
    assert all("address" not in names(home_visit.describe(role)) for role in (*Role, None))
    assert not home_visit.visible("address", Role.TEACHER)


def test_who_may_begin_a_record_is_told() -> None:
    assert home_visit.describe(Role.OFFICER)["may_write"] is True
    assert home_visit.describe(Role.TEACHER)["may_write"] is False
    assert incident.describe(Role.TEACHER)["may_write"] is True


def names(described: dict[str, Any]) -> set[str]:
    return {field["name"] for field in described["fields"]}


def test_a_field_reads_on_the_wire_as_the_protocol_says() -> None:
    fields = {field["name"]: field for field in incident.describe()["fields"]}
    assert fields["category"] == {
        "name": "category",
        "question": "What happened?",
        "shape": {"control": "choice", "list": "categories"},
        "merge": "latest",
        "needed": True,
        "group": "What happened",
        "quick": True,
    }
    assert [option["code"] for option in fields["force"]["shape"]["options"]] == ["no", "unknown", "yes"]
    assert fields["state"]["merge"] == "latest"


def test_the_gravest_answer_ranks_highest() -> None:
    severity, force = rank(incident, "severity"), rank(incident, "force")
    assert severity("danger") > severity("high") > severity("low")
    assert force("yes") > force("unknown") > force("no")


def rank(kind: Kind, name: str) -> Callable[[str], int]:
    field = kind.field(name)
    assert field
    return field.rank


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Field("pupils", "Who?", Pupils()),
        lambda: Field("note", "What?", Note(), Merge.GATHER),
        lambda: Field("risk", "How bad?", Line(), Merge.GRAVEST),
        lambda: Field("risk", "How bad?", Choice(list="risks"), Merge.GRAVEST),
        lambda: kind_asking(Field("note", "What?", Note()), Field("note", "What else?", Note())),
        lambda: kind_asking(Field("drop table", "Which table?", Line())),
        lambda: kind_asking(Field("state", "Which state?", YesNo())),
    ],
)
def test_a_definition_that_cannot_work_says_so_when_it_is_written(wrong: Callable[[], object]) -> None:
    with pytest.raises(TypeError):
        wrong()


def kind_asking(*fields: Field) -> Kind:
    return Kind(name="k", label="K", plural="Ks", icon="note", title=(), fields=fields)


# ── The kinds themselves ───────────────────────────────────────────────────────────────────


@each_kind
def test_what_a_kind_names_is_there(kind: Kind) -> None:
    named = {*kind.title, *([kind.moment] if kind.moment else []), *(field.instead for field in kind.fields if field.instead)}
    assert named <= {field.name for field in kind.fields}
    for field in kind.fields:
        for name in (getattr(field.shape, "list", ""), getattr(field.shape, "outcomes", "")):
            assert not name or name in LISTS
        link = getattr(field.shape, "kind", "")
        assert not link or link in KINDS


@each_kind
def test_a_needed_or_quick_field_is_for_everybody(kind: Kind) -> None:
    assert not [field.name for field in kind.fields if (field.needed or field.quick) and (field.only or field.apart)]


@each_kind
def test_questions_are_short_and_stand_under_a_heading(kind: Kind) -> None:
    for field in kind.fields:
        assert field.group
        assert len(field.question) <= 70
        assert field.question[0].isupper()


def test_no_word_says_that_staff_stopped_or_sent_anybody_home() -> None:
    words = [word.lower() for kind in KINDS.values() for field in kind.fields for word in said_by(field)]
    words += [word.lower() for each in LISTS.values() for word in each.words.values()]
    the_law_asks = incident.field("force")
    assert the_law_asks
    words.remove(the_law_asks.question.lower())
    for never in ("sent home", "send home", "stopped", "detained", "victim", "perpetrator", "student"):
        assert not [word for word in words if never in word]


def said_by(field: Field) -> list[str]:
    options, parts = getattr(field.shape, "options", {}), getattr(field.shape, "parts", {})
    return [field.question, field.hint, *options.values(), *parts.values()]


# ── Attendance ─────────────────────────────────────────────────────────────────────────────


def test_every_attendance_code_is_dated_and_sourced() -> None:
    codes = attendance_codes()
    assert len({(code["code"], code["from_on"]) for code in codes}) == len(codes) == 38
    assert all(code["source"] and code["from_on"] < (code["to_on"] or "9999") for code in codes)
    assert {code["code"] for code in codes if code["to_on"]} == {"F", "H", "J", "Y"}
    assert not [code for code in codes if code["to_on"] and code["verified"]]


def test_late_after_the_register_is_unauthorised_and_on_the_site() -> None:
    late = next(code for code in attendance_codes() if code["code"] == "U")
    assert (late["category"], late["is_physical"]) == ("unauthorised", True)


def test_the_shares_of_sessions_are_of_codes_that_count() -> None:
    possible = {code["code"] for code in attendance_codes() if code["is_possible"] and not code["to_on"]}
    assert session_shares().keys() <= possible
    assert round(sum(session_shares().values())) == 100
