"""How the edits of one record combine: each rule of PROTOCOL.md part 2 by its name, on plain values."""

import itertools
import random
from typing import Any

import pytest

from server.kinds import KINDS
from server.store.moments import to_wire
from server.sync.merge import SHOWN, Edit, Folded, fold, in_line, moment_for

incident = KINDS["incident"]


class Pen:
    """Writes edits of one record as they would be stored: numbered, and taken in one after the other."""

    def __init__(self) -> None:
        self.seq = 0
        self.numbers: dict[str, int] = {}
        self.edits: list[Edit] = []

    def write(self, author: str, *, seen: int = 0, at: int | None = None, phone: str = "", role: str = "teacher", **values: Any) -> int:
        """The version that it makes. Nothing seen, unless said; made when it came, unless said."""
        self.seq += 1
        phone = f"{author} {phone or author}"
        self.numbers[phone] = number = self.numbers.get(phone, 0) + 1
        at = self.seq * 1000 if at is None else at
        edit = Edit(f"edit-{self.seq}", author, role, phone, number, self.seq, seen, 0, at, self.seq * 1000, values)
        edit.ordered_at = moment_for(at, edit.received_at, phone, number, seen, self.edits)
        self.edits.append(edit)
        return self.seq

    def fold(self) -> Folded:
        return fold(incident, self.edits)

    def differ_in(self, field: str) -> list[Any]:
        return [head["value"] for head in self.fold().disputes.get(field, [])]


@pytest.fixture
def pen() -> Pen:
    return Pen()


def put(*keys: str, **entry: str) -> dict[str, Any]:
    return {"put": dict.fromkeys(keys, entry)}


# ── latest ─────────────────────────────────────────────────────────────────────────────────


def test_latest_a_later_write_that_had_seen_the_earlier_settles_it(pen: Pen) -> None:
    first = pen.write("amira", category="fight")
    pen.write("carol", seen=first, category="defiance")
    assert pen.fold().body["category"] == "defiance"
    assert pen.fold().disputes == {}


def test_latest_two_who_had_not_seen_each_other_are_in_dispute_and_the_newest_stands(pen: Pen) -> None:
    pen.write("amira", category="fight")
    pen.write("ben", category="defiance")
    assert pen.fold().body["category"] == "defiance"
    assert pen.fold().disputes == {
        "category": [
            {"value": "defiance", "by": "ben", "at": to_wire(2000), "edit": "edit-2"},
            {"value": "fight", "by": "amira", "at": to_wire(1000), "edit": "edit-1"},
        ]
    }


def test_latest_two_who_agree_are_in_no_dispute_and_the_newest_is_named(pen: Pen) -> None:
    pen.write("amira", category="fight")
    pen.write("ben", category="fight")
    assert pen.fold().disputes == {}
    pen.write("carol", category="truancy")
    assert [head["by"] for head in pen.fold().disputes["category"]] == ["carol", "ben"]


def test_latest_a_later_write_of_the_same_author_settles_their_earlier_one_from_another_phone(pen: Pen) -> None:
    pen.write("amira", phone="old", category="fight")
    pen.write("amira", phone="new", category="defiance")
    assert pen.fold().body["category"] == "defiance"
    assert pen.fold().disputes == {}


def test_latest_whoever_has_seen_what_replaced_a_value_settles_that_value_too(pen: Pen) -> None:
    pen.write("amira", phone="old", category="fight")
    second = pen.write("amira", phone="new", category="defiance")
    pen.write("carol", seen=second, category="truancy")
    assert pen.fold().disputes == {}


def test_latest_deciding_a_dispute_is_an_ordinary_edit_that_has_seen_both(pen: Pen) -> None:
    pen.write("amira", category="fight")
    both = pen.write("ben", category="defiance")
    assert pen.differ_in("category") == ["defiance", "fight"]
    pen.write("carol", seen=both, category="fight")
    assert pen.fold().disputes == {}
    assert pen.fold().body["category"] == "fight"


def test_latest_two_who_decide_one_dispute_without_seeing_each_other_are_in_dispute(pen: Pen) -> None:
    pen.write("amira", category="fight")
    both = pen.write("ben", category="defiance")
    pen.write("carol", seen=both, category="fight")
    pen.write("lena", seen=both, category="truancy")
    assert pen.differ_in("category") == ["truancy", "fight"]


def test_latest_a_cleared_field_is_null_and_one_never_touched_is_absent(pen: Pen) -> None:
    first = pen.write("amira", category="fight")
    pen.write("amira", seen=first, category=None)
    assert pen.fold().body == {"category": None}


def test_latest_clearing_and_writing_without_seeing_each_other_is_a_dispute(pen: Pen) -> None:
    first = pen.write("amira", category="fight")
    pen.write("carol", seen=first, category=None)
    pen.write("ben", seen=first, category="damage")
    assert pen.differ_in("category") == ["damage", None]


# ── gather ─────────────────────────────────────────────────────────────────────────────────


def test_gather_what_two_people_put_is_all_there(pen: Pen) -> None:
    pen.write("amira", pupils=put("zoe", part="harmed"))
    pen.write("ben", pupils=put("conor", part="responsible"))
    assert pen.fold().body["pupils"] == {"zoe": {"part": "harmed"}, "conor": {"part": "responsible"}}
    assert pen.fold().disputes == {}


def test_gather_each_key_is_a_field_of_its_own(pen: Pen) -> None:
    pen.write("amira", pupils=put("zoe", "li", part="harmed"))
    pen.write("ben", pupils=put("zoe", part="witness"))
    folded = pen.fold()
    assert folded.body["pupils"] == {"zoe": {"part": "witness"}, "li": {"part": "harmed"}}
    assert list(folded.disputes) == ["pupils/zoe"]


def test_gather_a_put_replaces_the_whole_entry(pen: Pen) -> None:
    first = pen.write("amira", pupils=put("zoe", part="harmed", outcome="warning"))
    pen.write("carol", seen=first, pupils=put("zoe", part="witness"))
    assert pen.fold().body["pupils"] == {"zoe": {"part": "witness"}}


def test_gather_a_drop_removes_what_its_author_had_seen(pen: Pen) -> None:
    first = pen.write("amira", pupils=put("zoe", part="harmed"))
    pen.write("carol", seen=first, pupils={"drop": ["zoe"]})
    assert pen.fold().body["pupils"] == {}


def test_gather_a_put_that_a_drop_had_not_seen_stands_without_dispute(pen: Pen) -> None:
    first = pen.write("amira", pupils=put("zoe", part="harmed"))
    pen.write("ben", seen=first, pupils=put("zoe", part="responsible"))
    pen.write("carol", seen=first, pupils={"drop": ["zoe"]})
    assert pen.fold().body["pupils"] == {"zoe": {"part": "responsible"}}
    assert pen.fold().disputes == {}


def test_gather_in_one_edit_drops_come_first(pen: Pen) -> None:
    first = pen.write("amira", pupils=put("zoe", part="harmed"))
    pen.write("carol", seen=first, pupils={"put": {"zoe": {"part": "witness"}}, "drop": ["zoe"]})
    assert pen.fold().body["pupils"] == {"zoe": {"part": "witness"}}


def test_gather_a_later_author_alone_does_not_settle_a_key_but_the_same_phones_later_number_does(pen: Pen) -> None:
    pen.write("amira", phone="old", pupils=put("zoe", part="harmed"))
    pen.write("amira", phone="new", pupils=put("zoe", part="witness"))
    assert pen.differ_in("pupils/zoe") == [{"part": "witness"}, {"part": "harmed"}]
    pen.write("amira", phone="old", pupils=put("zoe", part="responsible"))
    assert pen.differ_in("pupils/zoe") == [{"part": "responsible"}, {"part": "witness"}]


# ── own ────────────────────────────────────────────────────────────────────────────────────


def test_own_each_author_has_one_statement_and_nobody_else_can_touch_it(pen: Pen) -> None:
    first = pen.write("amira", account="He ran.")
    pen.write("ben", seen=first, account="He walked.")
    assert pen.fold().body["account"] == {
        "amira": {"value": "He ran.", "at": to_wire(1000), "versions": 1},
        "ben": {"value": "He walked.", "at": to_wire(2000), "versions": 1},
    }
    assert pen.fold().disputes == {}


def test_own_counts_its_versions_and_shows_the_newest_at_its_place_in_order(pen: Pen) -> None:
    pen.write("amira", account="He ran.")
    pen.write("amira", account="He ran off.")
    assert pen.fold().body["account"] == {"amira": {"value": "He ran off.", "at": to_wire(2000), "versions": 2}}


def test_own_a_cleared_statement_stays_as_null(pen: Pen) -> None:
    pen.write("amira", account="He ran.")
    pen.write("amira", account=None)
    assert pen.fold().body["account"]["amira"] == {"value": None, "at": to_wire(2000), "versions": 2}


def test_own_between_two_edits_of_one_phone_the_number_says_which_is_newer(pen: Pen) -> None:
    pen.write("amira", at=1000, account="first")
    pen.write("amira", at=2000, account="second")
    pen.edits[0].ordered_at, pen.edits[1].ordered_at = 5000, 4000
    assert pen.fold().body["account"]["amira"]["value"] == "second"


# ── gravest ────────────────────────────────────────────────────────────────────────────────


def test_gravest_the_most_serious_shows_whoever_came_last(pen: Pen) -> None:
    pen.write("amira", injury="ambulance")
    pen.write("ben", injury="none")
    assert pen.fold().body["injury"] == "ambulance"
    assert pen.differ_in("injury") == ["none", "ambulance"]


def test_gravest_someone_who_has_seen_it_lowers_it(pen: Pen) -> None:
    first = pen.write("amira", injury="ambulance")
    pen.write("carol", seen=first, injury="first_aid")
    assert pen.fold().body["injury"] == "first_aid"
    assert pen.fold().disputes == {}


def test_gravest_a_cleared_answer_is_the_least_serious(pen: Pen) -> None:
    pen.write("amira", injury="none")
    pen.write("ben", injury=None)
    assert pen.fold().body["injury"] == "none"
    assert pen.differ_in("injury") == [None, "none"]


def test_gravest_a_later_write_of_the_same_author_from_another_phone_lowers_nothing_unseen(pen: Pen) -> None:
    pen.write("amira", phone="old", injury="doctor")
    pen.write("amira", phone="new", injury="none")
    assert pen.fold().body["injury"] == "doctor"


# ── What was seen ──────────────────────────────────────────────────────────────────────────


def test_the_same_phones_later_number_settles_whatever_either_had_seen(pen: Pen) -> None:
    pen.write("amira", category="fight", injury="doctor", pupils=put("zoe", part="harmed"))
    pen.write("amira", category="damage", injury="none", pupils=put("zoe", part="witness"))
    folded = pen.fold()
    assert folded.disputes == {}
    assert (folded.body["category"], folded.body["injury"], folded.body["pupils"]["zoe"]) == ("damage", "none", {"part": "witness"})


def test_whoever_could_not_see_a_field_settles_nothing_in_it(pen: Pen) -> None:
    first = pen.write("dee", role="dsl", concern_reference="S-1")
    pen.write("amira", seen=first, role="teacher", concern_reference="S-2")
    assert pen.differ_in("concern_reference") == ["S-2", "S-1"]
    pen.write("dee", seen=2, role="dsl", concern_reference="S-1")
    assert pen.differ_in("concern_reference") == []


def test_what_was_seen_beats_numbers_a_copy_of_a_phone_wrote_after_what_it_had_seen(pen: Pen) -> None:
    """The phone's fifth edit arrived; then a copy made before it, that has seen it, wrote another 'third'."""
    pen.numbers["amira amira"] = 4
    fifth = pen.write("amira", category="fight")
    pen.numbers["amira amira"] = 2
    pen.write("amira", seen=fifth, category="damage")
    assert pen.fold().body["category"] == "damage"
    assert pen.fold().disputes == {}


def test_two_edits_with_one_number_of_one_phone_settle_nothing_of_each_other(pen: Pen) -> None:
    pen.write("amira", injury="doctor")
    pen.numbers["amira amira"] = 0
    pen.write("amira", injury="none")
    assert pen.differ_in("injury") == ["none", "doctor"]


# ── Disputes ───────────────────────────────────────────────────────────────────────────────


def test_a_dispute_shows_ten_values_at_most_and_says_how_many_there_are(pen: Pen) -> None:
    for n in range(12):
        pen.write(f"staff-{n}", lesson=f"9X/{n}")
    folded = pen.fold()
    assert [head["value"] for head in folded.disputes["lesson"]] == [f"9X/{n}" for n in range(11, 1, -1)]
    assert len(folded.disputes["lesson"]) == SHOWN
    assert folded.disputed == {"lesson": 12}


def test_the_value_that_stands_is_always_among_those_shown(pen: Pen, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest of four, where two are shown: a gravest field of eleven answers would do it with ten."""
    monkeypatch.setattr("server.sync.merge.SHOWN", 2)
    for n, injury in enumerate(("ambulance", "none", "mark", "first_aid")):
        pen.write(f"staff-{n}", injury=injury)
    assert pen.fold().body["injury"] == "ambulance"
    assert pen.differ_in("injury") == ["first_aid", "ambulance"]
    assert pen.fold().disputed == {"injury": 4}


def test_own_is_never_disputed(pen: Pen) -> None:
    for n in range(5):
        pen.write(f"staff-{n}", account=f"What {n} saw")
    assert pen.fold().disputes == {}


# ── The record ─────────────────────────────────────────────────────────────────────────────


def test_a_records_author_and_moments_are_its_first_edits_in_order(pen: Pen) -> None:
    pen.write("ben", at=900, category="fight")
    pen.write("amira", at=100, category="fight")
    folded = pen.fold()
    assert (folded.author, folded.made_at, folded.received_at, folded.edits) == ("amira", 100, 2000, 2)


def test_a_record_happened_when_its_kind_says_so_and_else_when_it_was_made(pen: Pen) -> None:
    pen.write("amira", at=700, category="fight")
    assert pen.fold().happened_at == 700
    pen.write("amira", happened_at={"at": "1970-01-01T00:00:00.003Z", "precision": "about"})
    assert pen.fold().happened_at == 3000


def test_an_edit_without_a_readable_moment_was_made_when_it_arrived(pen: Pen) -> None:
    pen.write("amira", category="fight")
    pen.edits[0].made_at = None
    assert pen.fold().made_at == 1000


def test_what_is_needed_and_not_answered_is_a_gap(pen: Pen) -> None:
    pen.write("amira", category="fight", place="yard")
    assert pen.fold().gaps == ["pupils", "happened_at"]


def test_a_record_is_open_until_somebody_says_otherwise(pen: Pen) -> None:
    pen.write("amira", category="fight")
    assert pen.fold().state == "open"
    pen.write("amira", state="void", state_reason="twice")
    assert pen.fold().state == "void"


def test_an_edit_that_arrives_after_closing_may_dispute_a_closed_record(pen: Pen) -> None:
    first = pen.write("amira", category="fight")
    pen.write("carol", seen=first, category="defiance", state="closed")
    pen.write("ben", seen=first, category="damage")
    folded = pen.fold()
    assert (folded.state, list(folded.disputes)) == ("closed", ["category"])


# ── Order ──────────────────────────────────────────────────────────────────────────────────


def test_order_an_edit_never_comes_later_than_its_arrival() -> None:
    assert moment_for(9_000, 5_000, "p", 1, 0, []) == 5_000


def test_order_an_edit_comes_after_every_edit_its_author_had_seen(pen: Pen) -> None:
    seen = pen.write("ben", at=900, category="fight")
    assert moment_for(100, 5_000, "amira p", 1, seen, pen.edits) == 901
    assert moment_for(100, 5_000, "amira p", 1, 0, pen.edits) == 100


def test_order_an_edit_comes_between_its_phones_earlier_and_later_numbers(pen: Pen) -> None:
    pen.write("amira", at=300, category="fight")
    pen.write("amira", at=700, category="damage")
    pen.edits[1].number = 3
    assert moment_for(100, 5_000, "amira amira", 2, 0, pen.edits) == 301
    assert moment_for(900, 5_000, "amira amira", 2, 0, pen.edits) == 699


def test_order_what_was_seen_beats_what_the_same_phone_numbered_later(pen: Pen) -> None:
    pen.write("amira", at=100, category="fight")
    pen.edits[0].number = 9
    seen = pen.write("ben", at=1_900, category="damage")
    assert moment_for(50, 5_000, "amira amira", 3, seen, pen.edits) == 1_901


def test_order_ties_go_by_the_bytes_of_the_id(pen: Pen) -> None:
    pen.write("amira", at=500, category="fight")
    pen.write("ben", at=500, category="damage")
    pen.edits[0].id, pen.edits[1].id = "b", "a"
    assert [edit.id for edit in in_line(pen.edits)] == ["a", "b"]
    assert pen.fold().body["category"] == "fight"


def test_order_the_same_edits_make_the_same_record_in_whatever_order_they_are_folded(pen: Pen) -> None:
    for n in range(6):
        pen.write(f"staff-{n % 3}", seen=n // 2, at=1_000 - n, category=str(n), account=str(n), pupils=put("zoe", part=str(n)))
    wanted = pen.fold()
    assert all(fold(incident, shuffled) == wanted for shuffled in itertools.permutations(pen.edits))


def test_order_clocks_that_jumped_back_between_letters_that_overtook_each_other_hide_no_value(pen: Pen) -> None:
    """A phone's fifth edit came before its fourth, dated long ago; the fourth had seen what her other phone wrote."""
    seen = pen.write("amira", phone="other", category="damage")
    pen.write("amira", at=10, category="fight")
    pen.edits[1].number = 5
    pen.numbers["amira amira"] = 3
    pen.write("amira", seen=seen, at=20, category="truancy")
    by_the_clock = sorted(pen.edits, key=lambda edit: edit.ordered_at)
    assert [edit.number for edit in by_the_clock] == [5, 1, 4]
    assert [edit.number for edit in in_line(pen.edits)] == [1, 4, 5]
    assert pen.fold().body["category"] == "fight"


def test_the_fold_of_a_thousand_edits_that_all_disagree_shows_them_all_as_disputed() -> None:
    pen, chance = Pen(), random.Random(1)
    for n in range(1000):
        pen.seq += 1
        pen.edits.append(
            Edit(f"e{n}", f"s{n}", "teacher", f"s{n} p", 1, pen.seq, 0, chance.randrange(10**6), 0, 10**6, {"lesson": f"9X/{n}"})
        )
    assert pen.fold().disputed == {"lesson": 1000}
