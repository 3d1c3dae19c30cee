"""What fits a field, what does not, and that nothing JSON can say makes a shape stumble."""

import json
import math
import unicodedata
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from server.kinds.shapes import (
    ENTRIES_LIMIT,
    NOTE_LIMIT,
    Choice,
    Choices,
    Code,
    Duration,
    Known,
    Line,
    Link,
    Misfit,
    Moment,
    Note,
    Place,
    Pupils,
    Retired,
    Shape,
    Staff,
    Tags,
    YesNo,
)

PUPIL, SISTER, TEACHER = "0193a7c2-0000-7000-8000-000000000001", "0193a7c2-0000-7000-8000-000000000002", "amira"

known = Known(
    lists={"places": {"yard", "old_gym"}, "outcomes": {"detention"}, "actions": {"moved"}},
    pupils={PUPIL, SISTER},
    staff={TEACHER},
    codes={"/", "I", "H"},
)

SHAPES: list[Shape] = [
    Line(),
    Note(),
    Choice({"low": "Low", "high": "High", "worst": Retired("Worst")}),
    Choice(list="actions"),
    Place(),
    YesNo(),
    Choices({"a": "A", "b": "B"}),
    Moment(),
    Duration(),
    Pupils({"harmed": "Harmed"}, outcomes="outcomes"),
    Staff({"led": "Led"}),
    Tags(list="actions"),
    Tags(options={"race": "Race"}, parts={"alleged": "Alleged"}),
    Link("incident"),
    Code(),
]

LONE_SURROGATE = json.loads('"\\ud83d"')

any_text = st.text(st.characters(exclude_categories=())) | st.sampled_from(
    ["", "\0", LONE_SURROGATE, "__proto__", "constructor", "👩🏽‍🏫", "שלום", "e\u0301", "\u0958", "low", "yes", "yard", "/", "lesson"]
)
moments = st.datetimes(timezones=st.timezones() | st.none()).map(lambda when: when.isoformat())
moments |= st.sampled_from(["1970-01-01T00:00:00Z", "2099-12-31T23:59:59.999Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | any_text
    | moments
    | st.sampled_from([10**400, -1, 15, 15.0, math.nan, math.inf]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(any_text | st.sampled_from(["put", "drop", "at", "precision", "lesson", "part", "outcome"]), inner, max_size=4)
    ),
    max_leaves=12,
)

codes = st.sampled_from(["low", "worst", "yes", "yard", "moved", "a", "b", "/", "I", PUPIL, "race"])
keys = st.sampled_from([PUPIL, SISTER, TEACHER, "moved", "race"])
entries = st.fixed_dictionaries({}, optional={"part": st.sampled_from(["harmed", "led", "alleged", None]), "outcome": st.just("detention")})
likely = (
    codes
    | st.lists(codes)
    | moments
    | st.integers(0, 200)
    | st.fixed_dictionaries({"at": moments}, optional={"precision": st.sampled_from(["exact", "about", "lesson"]), "lesson": any_text})
    | st.fixed_dictionaries({}, optional={"put": st.dictionaries(keys, entries), "drop": st.lists(keys)})
)


def deep(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.control)
@given(value=anything | likely)
@example(value={"__proto__": {}})
@example(value={"put": {"__proto__": {}}, "drop": []})
@example(value={"put": {}, "drop": ["__proto__"]})
@example(value=deep(10_000))
def test_whatever_json_can_say_fits_for_good_or_is_refused_in_words(shape: Shape, value: object) -> None:
    try:
        fitted = shape.fit(value, known)
    except Misfit as misfit:
        words = str(misfit)
        assert words[0].islower()
        return
    assert shape.fit(fitted, known) == fitted
    assert json.loads(json.dumps(fitted)) == fitted
    json.dumps(fitted, ensure_ascii=False).encode()  # so no lone surrogate is left
    assert "\0" not in json.dumps(fitted, ensure_ascii=False)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.control)
def test_something_fits_every_shape(shape: Shape) -> None:
    tried = ["words", "low", "moved", "yard", "yes", ["b", "a", "b"], "2026-11-21T08:02:11.120Z", 15, PUPIL, "/"]
    tried += [{"put": {key: {}}, "drop": [key]} for key in (PUPIL, TEACHER, "moved", "race")]
    assert any(fits(shape, value) for value in tried)


def fits(shape: Shape, value: object, known: Known = known) -> bool:
    try:
        shape.fit(value, known)
    except Misfit:
        return False
    return True


@given(any_text)
def test_a_line_keeps_its_words_but_for_what_cannot_be_stored(text: str) -> None:
    mended = "".join("\ufffd" if letter == "\0" or "\ud800" <= letter <= "\udfff" else letter for letter in text)
    assert Line().fit(text, known) == unicodedata.normalize("NFC", mended)


def test_a_note_is_measured_in_bytes_of_utf8_as_it_was_sent() -> None:
    for letter in ("a", "é", "👍"):
        most = NOTE_LIMIT // len(letter.encode())
        assert fits(Note(), letter * most)
        assert not fits(Note(), letter * (most + 1))
    assert fits(Note(), "\0" * NOTE_LIMIT)  # a NUL is never the reason why a note is refused


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("2026-11-21T08:02:11.120Z", "2026-11-21T08:02:11.120Z"),
        ("2026-07-21T09:02:11+01:00", "2026-07-21T08:02:11.000Z"),
        ("2026-11-21T08:02:11.120987Z", "2026-11-21T08:02:11.120Z"),
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"),
        ("2099-12-31T23:59:59.999Z", "2099-12-31T23:59:59.999Z"),
    ],
)
def test_a_moment_is_kept_in_utc_to_the_millisecond(sent: str, kept: str) -> None:
    assert Moment().fit(sent, known) == {"at": kept, "precision": "exact"}
    assert Moment().fit({"at": sent, "precision": "lesson", "lesson": "P3"}, known) == {"at": kept, "precision": "lesson", "lesson": "P3"}


@pytest.mark.parametrize(
    "sent", ["2026-11-21T08:02:11", "2026-02-30T08:02:11.120Z", "yesterday", "", 1763712131, None, {"precision": "exact"}]
)
def test_a_moment_that_cannot_be_read_or_has_no_zone_is_refused(sent: object) -> None:
    assert not fits(Moment(), sent)


@pytest.mark.parametrize(("sent", "kept"), [(15, 15), (15.0, 15), (0, 0)])
def test_minutes_are_kept_whole(sent: float, kept: int) -> None:
    fitted = Duration().fit(sent, known)
    assert (fitted, type(fitted)) == (kept, int)


@pytest.mark.parametrize("sent", [15.5, -1, True, "15", 10**400, math.nan, math.inf])
def test_what_is_not_whole_minutes_is_refused(sent: object) -> None:
    assert not fits(Duration(), sent)


def test_a_retired_answer_is_still_taken_and_said_to_be_retired() -> None:
    choice = Choice({"now": "Now", "then": Retired("Then")})
    assert choice.fit("then", known) == "then"
    assert choice.describe()["options"][1] == {"code": "then", "label": "Then", "retired": True}


def test_several_choices_are_kept_once_each_in_one_order() -> None:
    assert Choices({"a": "A", "b": "B"}).fit(["b", "a", "b"], known) == ["a", "b"]


def test_a_pupil_of_another_school_is_not_at_this_school() -> None:
    with pytest.raises(Misfit, match="not at this school"):
        Pupils().fit({"put": {"0193a7c2-0000-7000-8000-00000000beef": {}}, "drop": []}, known)


def test_what_is_gathered_always_says_both_what_to_put_and_what_to_drop() -> None:
    assert Pupils().fit({"put": {PUPIL: {}}}, known) == {"put": {PUPIL: {}}, "drop": []}
    assert Pupils().fit({"drop": [PUPIL]}, known) == {"put": {}, "drop": [PUPIL]}


def test_an_answer_of_none_in_an_entry_is_no_answer() -> None:
    assert Pupils({"harmed": "Harmed"}).fit({"put": {PUPIL: {"part": None}}}, known)["put"] == {PUPIL: {}}


@pytest.mark.parametrize(
    "sent",
    [
        [PUPIL],
        {PUPIL: {}},
        {"put": [PUPIL]},
        {"put": {PUPIL: None}},
        {"put": {PUPIL: {"score": "9"}}},
        {"drop": {PUPIL: {}}},
        {"drop": [7]},
    ],
)
def test_what_is_gathered_is_read_strictly(sent: object) -> None:
    assert not fits(Pupils(), sent)


def test_more_than_the_most_entries_is_refused() -> None:
    many: dict[str, Any] = {f"p{number}": {} for number in range(ENTRIES_LIMIT + 1)}
    everybody = Known(pupils=many.keys())
    assert not fits(Pupils(), {"put": many}, everybody)
    many.popitem()
    assert fits(Pupils(), {"put": many}, everybody)
