"""Moments, spans and values in words; and a record's form, which says back exactly what it was given."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.console import words
from server.console.asking import boxes, touched
from server.console.finding import marked
from server.console.showing import Directory, PupilLine, disputes_of, in_words, pressing, title_of
from server.kinds import KINDS
from server.kinds.kind import Field, Kind, Merge
from server.kinds.shapes import Choice, Choices, Code, Duration, Known, Line, Link, Moment, Note, Place, Pupils, Shape, Staff, Tags, YesNo
from server.store.moments import from_wire

NOW = from_wire("2026-11-18T11:00:00Z") or 0
SUMMER = from_wire("2026-07-01T08:00:00Z") or 0
SCHOOL = Directory(
    lists={"places": {"yard": "Yard"}, "outcomes": {"warning": "Warning"}, "tags": {"a": "A", "b": "B"}},
    staff={"amira": "Amira Haddad", "ben": "Ben Price"},
    pupils={"zoe": PupilLine("zoe", "Zoë Ångström", "9 KEL", "9"), "li": PupilLine("li", "Li Wu", "7 NOE", "7")},
    periods={"p1": "Period 1"},
    codes={"L": "Late"},
    records={"r1": "Incident: Fight"},
)


def test_a_moment_is_told_by_the_clock_on_the_schools_wall() -> None:
    assert words.clock(SUMMER) == "09:00"
    assert words.clock(NOW) == "11:00"
    assert words.when(NOW, NOW) == "11:00"
    assert words.when(NOW - words.DAY, NOW) == "yesterday, 11:00"
    assert words.when(NOW - 2 * words.DAY, NOW) == "Mon 16 Nov, 11:00"
    assert words.day(SUMMER - 365 * words.DAY, NOW) == "Tue 1 Jul 2025"
    assert words.stamp(NOW, NOW) == "11:00"
    assert words.stamp(SUMMER, NOW) == "1 Jul"
    assert words.stamp(SUMMER - 365 * words.DAY, NOW) == "1 Jul 25"
    assert words.beside(NOW, NOW - words.HOUR) == "11:00"
    assert words.beside(NOW, SUMMER) == "Wed 18 Nov, 11:00"


@pytest.mark.parametrize(
    ("minutes", "told"), [(0, "less than a minute"), (7, "7 min"), (60, "1 h"), (125, "2 h 5 min"), (1440, "1 day"), (5000, "3 days")]
)
def test_a_span_is_told_in_whole_units(minutes: int, told: str) -> None:
    assert words.span(minutes * words.MINUTE) == told


def test_what_was_written_before_it_happened_is_told_as_that() -> None:
    assert words.after(NOW - words.HOUR, NOW) == "1 h before"
    assert words.after(NOW + words.MINUTE, NOW) == "at the time"


@given(st.integers(-(10**18), 10**18), st.integers(-(10**18), 10**18))
def test_no_moment_is_too_odd_to_tell(moment: int, now: int) -> None:
    for tell in (words.day, words.when, words.stamp, words.beside, words.ago, words.after):
        assert tell(moment, now)


def test_the_day_of_a_filter_begins_at_midnight_in_london() -> None:
    assert words.start_of("2026-07-01") == from_wire("2026-06-30T23:00:00Z")
    assert words.start_of("2026-07-01", days=1) == from_wire("2026-07-01T23:00:00Z")
    assert words.start_of("2026-03-28", days=1) == from_wire("2026-03-29T00:00:00Z")
    for odd in ("", "9999-12-31", "x", "2026-02-30"):
        assert words.start_of(odd, days=1) is None


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Zoë Ångström", "ZÅ"), ("Li", "L"), ("Aaliyah Rahman-Holt", "AH"), ("", "?"), ("O’Neill Conor", "OC"), ("1 2", "?")],
)
def test_initials_help_the_eye(name: str, letters: str) -> None:
    assert words.initials(name) == letters


# ── Values ─────────────────────────────────────────────────────────────────────────────────

VALUES: list[tuple[Shape, Any, str]] = [
    (Line(), "A line", "A line"),
    (Note(), "Two\n\nlines", "Two\n\nlines"),
    (Choice({"a": "Apple"}), "a", "Apple"),
    (Choice({"a": "Apple"}), "withdrawn", "withdrawn"),
    (Place(), "yard", "Yard"),
    (YesNo(), "unknown", "Not known"),
    (Choices({"a": "Apple", "b": "Pear"}), ["a", "b"], "Apple and Pear"),
    (Moment(), {"at": "2026-11-18T10:42:00.000Z", "precision": "exact"}, "Wed 18 Nov 2026, 10:42"),
    (Moment(), {"at": "2026-11-18T10:42:00.000Z", "precision": "about"}, "Wed 18 Nov 2026, about 10:42"),
    (Moment(), {"at": "2026-11-18T09:00:00.000Z", "precision": "lesson", "lesson": "p1"}, "Wed 18 Nov 2026, in period 1"),
    (Duration(), 25, "25 minutes"),
    (Link("incident"), "r1", "Incident: Fight"),
    (Link("incident"), "r2", "A record that has not come in, or is not yours to see"),
    (Code(), "L", "L: Late"),
    (
        Pupils({"harmed": "Harmed"}, outcomes="outcomes"),
        {"zoe": {"part": "harmed", "outcome": "warning"}, "li": {}},
        "Li Wu (7 NOE); Zoë Ångström (9 KEL · harmed, Warning)",
    ),
    (Staff({"led": "Led"}), {"ben": {"part": "led"}}, "Ben Price (led)"),
    (Tags(list="tags"), {"b": {}, "a": {}}, "A; B"),
]


@pytest.mark.parametrize(("shape", "value", "told"), VALUES, ids=lambda case: getattr(case, "control", None))
def test_a_value_of_every_shape_is_told_in_words(shape: Shape, value: Any, told: str) -> None:
    assert in_words(shape, value, SCHOOL) == told
    assert in_words(shape, None, SCHOOL) == ""


def test_no_shape_was_forgotten() -> None:
    asked = {type(field.shape) for kind in KINDS.values() for field in kind.fields}
    assert asked <= {type(shape) for shape, _, _ in VALUES}


@pytest.mark.parametrize(("shape", "value", "told"), VALUES, ids=lambda case: getattr(case, "control", None))
def test_a_form_sent_back_as_it_was_changes_nothing_and_sent_into_a_blank_one_says_the_same(shape: Shape, value: Any, told: str) -> None:
    field = Field("it", "What?", shape, Merge.GATHER if shape.gathers else Merge.LATEST)
    kind = Kind("thing", "Thing", "Things", "note", (field,), ("it",))
    filled = boxes(field, {"it": value}, "amira")
    assert touched(kind, ["it"], filled, filled, {}) == ({}, {})
    values, problems = touched(kind, ["it"], {}, filled, {})
    assert problems == {}
    known = Known(lists={"places": {"yard"}, "outcomes": {"warning"}, "tags": {"a", "b"}}, pupils={"zoe", "li"}, staff={"ben"}, codes={"L"})
    if told != "withdrawn":
        fitted = kind.normalise(values, known)[0]["it"]
        assert fitted == ({"put": value, "drop": []} if shape.gathers else value)
    cleared, _ = touched(kind, ["it"], filled, {}, {})
    assert cleared["it"] == ({"put": {}, "drop": sorted(value)} if shape.gathers else None)


def test_in_the_form_of_an_account_stand_my_own_words_only() -> None:
    field = Field("account", "Your account", Note(), Merge.OWN)
    body = {"account": {"amira": {"value": "Mine", "at": "", "versions": 1}, "ben": {"value": "His", "at": "", "versions": 1}}}
    assert boxes(field, body, "amira") == {"account": ["Mine"]}
    assert boxes(field, body, "carol") == {}


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ({"when.day": ["2026-02-31"], "when.time": ["10:00"]}, "Enter a real day and time"),
        ({"when.time": ["10:00"]}, "Enter the day as well"),
        ({"when.day": ["2026-11-18"]}, "Enter the time"),
        ({"when.day": ["0001-01-01"], "when.time": ["00:00"]}, ""),
        ({"took": ["half an hour"]}, "Enter whole minutes"),
        ({"took": ["٢٥"]}, "Enter whole minutes"),
    ],
)
def test_what_cannot_be_read_is_said_in_words(typed: dict[str, list[str]], why: str) -> None:
    kind = Kind("thing", "Thing", "Things", "note", (Field("when", "When?", Moment()), Field("took", "How long?", Duration())), ("when",))
    _, problems = touched(kind, ["when", "took"], {}, typed, {})
    assert [said.startswith(why) for said in problems.values()] == ([True] if why else [])


# ── A record ───────────────────────────────────────────────────────────────────────────────

INCIDENT = KINDS["incident"]


def test_a_title_takes_no_side() -> None:
    body = {"category": "fight", "place": "yard", "pupils": {"zoe": {}}}
    assert title_of(INCIDENT, body, {}, SCHOOL) == "fight, Yard"
    assert title_of(INCIDENT, body, {"category": []}, SCHOOL) == "Yard"
    assert title_of(INCIDENT, {}, {}, SCHOOL) == "Incident"


def test_answers_stand_in_the_order_they_were_written_whichever_stands_for_now() -> None:
    heads = [
        {"value": "gate", "by": "ben", "at": "2026-11-18T10:01:00.000Z", "edit": "e2"},
        {"value": "yard", "by": "amira", "at": "2026-11-18T10:00:00.000Z", "edit": "e1"},
    ]
    (dispute,) = disputes_of(INCIDENT, {"place": "gate"}, {"place": heads}, {}, frozenset(), SCHOOL)
    assert [(side.by, side.text, side.stands) for side in dispute.sides] == [("Amira Haddad", "Yard", False), ("Ben Price", "gate", True)]
    assert dispute.answers == "e1 e2"
    assert dispute.heading == "Two answers: where?"
    assert disputes_of(INCIDENT, {"place": "gate"}, {"place": heads}, {}, frozenset({"place"}), SCHOOL) == []


def test_of_more_answers_than_are_shown_all_are_counted() -> None:
    heads = [{"value": f"v{n}", "by": "ben", "at": "2026-11-18T10:00:00.000Z", "edit": f"e{n}"} for n in range(10)]
    (dispute,) = disputes_of(INCIDENT, {"place": "v0"}, {"place": heads}, {"place": 12}, frozenset(), SCHOOL)
    assert dispute.heading == "12 answers: where?"


def test_only_the_most_serious_answers_press() -> None:
    assert pressing(INCIDENT, {"severity": "danger"}, {}) == ["Somebody in danger"]
    assert pressing(INCIDENT, {"severity": "medium", "hurt": "no", "injury": "withdrawn"}, {}) == []
    assert pressing(INCIDENT, {"concern": "yes", "hurt": "yes"}, {}) == ["Somebody hurt", "Safeguarding concern"]
    assert pressing(INCIDENT, {"concern": "yes", "hurt": "yes"}, {"hurt": []}) == ["Safeguarding concern"]
    assert pressing(KINDS["home_visit"], {"company": "alone", "risk": "high"}, {}) == []
    assert pressing(KINDS["home_visit"], {"child_seen": "not_seen"}, {}) == ["Child not seen"]


@pytest.mark.parametrize(
    ("name", "asked", "pieces"),
    [
        ("Siobhán O’Neill", ["onei"], [("Siobhán ", False), ("O’Nei", True), ("ll", False)]),
        ("Zoë Ångström", ["zoe", "ang"], [("Zoë", True), (" ", False), ("Ång", True), ("ström", False)]),
        ("Straße", ["strass"], [("Straß", True), ("e", False)]),
        ("Li Wu", ["x"], [("Li Wu", False)]),
    ],
)
def test_what_was_typed_is_marked_as_the_name_is_written(name: str, asked: list[str], pieces: list[tuple[str, bool]]) -> None:
    assert marked(name, asked) == pieces


def test_a_day_before_the_calendar_still_has_a_name() -> None:
    assert words.day_of(date(2026, 11, 18), date(1, 1, 1) + timedelta(days=1))
