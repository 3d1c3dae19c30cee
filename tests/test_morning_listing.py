"""Whom the list names and why: pure, from what the school holds to one row a family."""

from datetime import date, timedelta
from random import Random

import pytest

from server.kinds.shapes import LINE_LIMIT
from server.morning.afterwards import kept
from server.morning.days import SchoolDays
from server.morning.evening import row_id
from server.morning.listing import Child, Family, families_to_ring, shared_out

DAYS = ["2026-11-10", "2026-11-11", "2026-11-12", "2026-11-13", "2026-11-16", "2026-11-17"]
IN, AWAY, ILL, SUSPENDED = ("/", "\\"), ("N", "N"), ("I", "I"), ("E", "E")
FAMILIES = 2_000


def child(id: str, *last: tuple[str, str], **more: object) -> Child:
    """Present but for the last days, as they are given."""
    marks = (IN,) * (len(DAYS) - len(last)) + last
    return Child(id, marks=marks, **{"year": "9", "possible": 200, "missed": 4, **more})  # type: ignore[arg-type]


def listed(*children: Child) -> list[Family]:
    return families_to_ring(children, DAYS)


def test_two_thousand_families_are_grouped_exactly() -> None:
    """Against a plain count of who belongs to whom, in any order of the roll: across years, with twins, and only children."""
    chance = Random(20261122)
    truth: dict[str, set[str]] = {}
    children: list[Child] = []
    for n in range(FAMILIES):
        size = chance.choices([1, 2, 3, 4], [70, 22, 6, 2])[0]
        years = [str(chance.randint(7, 11)) for _ in range(size)]
        ids = [f"p{n}-{at}" for at in range(size)]
        away = [one for one in ids if chance.random() < 0.6]
        family = f"f{n}" if size > 1 else ""
        children += [child(one, AWAY if one in away else IN, family=family, year=year) for one, year in zip(ids, years, strict=True)]
        if away:
            truth[family or ids[0]] = set(away)
    chance.shuffle(children)
    found = listed(*children)
    assert len(truth) > 1_000
    assert sum(len(those) > 1 for those in truth.values()) > 200
    assert {family.key: set(family.pupils) for family in found} == truth
    assert len({pupil for family in found for pupil in family.pupils}) == sum(len(those) for those in truth.values())
    chance.shuffle(children)
    assert listed(*children) == found  # whatever order they come in


def test_a_family_split_between_two_years_is_one_row_and_says_who_in_years_and_not_in_names() -> None:
    (family,) = listed(child("siobhan", AWAY, family="oneill"), child("conor", promised=True, family="oneill", year="11"), child("zoe"))
    assert family.pupils == ("conor", "siobhan")
    assert family.reasons == ("no_reason", "promised")
    assert family.because == "Year 11: promised to be in. Year 9: away on Tuesday, no reason given"


def test_brothers_and_sisters_of_one_reason_are_told_of_once() -> None:
    (family,) = listed(child("one", AWAY, family="f"), child("two", AWAY, family="f", year="7"))
    assert family.because == "Away on Tuesday, no reason given"


@pytest.mark.parametrize(
    ("one", "reasons", "because"),
    [
        (child("a", AWAY), ("no_reason",), "Away on Tuesday, no reason given"),
        (child("a", ("O", "\\")), ("no_reason",), "Away on Tuesday, no reason given"),
        (child("a", AWAY, ("/", "N")), ("no_reason",), "Away since Monday, no reason given"),
        (child("a", *[AWAY] * 6), ("no_reason",), "Away since Tuesday 10 November, no reason given"),
        (child("a", ILL, away=True), (), ""),
        (child("a", ILL, away=True, caseload=True), ("plan",), "On a caseload and away last time"),
        (child("a", ILL, away=True, plan=True), ("plan",), "To be rung whenever away"),
        (child("a", SUSPENDED, away=True), ("after_suspension",), "Suspended on Tuesday: is it over?"),
        (child("a", SUSPENDED, away=True, caseload=True, promised=True), ("after_suspension",), "Suspended on Tuesday: is it over?"),
        (child("a", SUSPENDED, away=True, ahead=SUSPENDED), (), ""),
        (child("a", SUSPENDED, away=True, ahead=("", "C2")), ("after_suspension",), "Back from a suspension"),
        (child("a", promised=True), ("promised",), "Promised to be in"),
        (child("a", ring_again=True), ("ring_again",), "To be rung again"),
        (child("a", ILL, away=True, recent_possible=20, recent_missed=5, missed=9), ("falling",), "5 of the last 20 sessions missed"),
        (child("a", ILL, away=True, recent_possible=20, recent_missed=4, missed=4), (), ""),
        (child("a", ILL, away=True, recent_possible=20, recent_missed=6, missed=60), (), ""),  # as much as always
        (child("a", missed=20), (), ""),  # persistent absence alone is no reason to ring this very morning
        (child("a", AWAY, missed=20), ("no_reason", "persistent"), "Away on Tuesday, no reason given, persistent absence"),
        (child("a", AWAY, missed=19), ("no_reason",), "Away on Tuesday, no reason given"),  # 9.5 in 100
        (child("a"), (), ""),
        (Child("a"), (), ""),  # a school without a single mark
    ],
)
def test_why_somebody_is_on_it(one: Child, reasons: tuple[str, ...], because: str) -> None:
    assert [(family.reasons, family.because) for family in listed(one)] == ([(reasons, because)] if reasons else [])


def test_the_weightiest_come_first_and_whoever_may_be_suspended_still_comes_last() -> None:
    found = listed(child("e", SUSPENDED), child("ill", ILL, away=True, caseload=True), child("new", AWAY), child("long", AWAY, AWAY, AWAY))
    assert [family.key for family in found] == ["long", "new", "ill", "e"]


def test_because_always_fits_its_line() -> None:
    many = [child(f"c{n}", *[AWAY] * (n % 5 + 1), family="f", year=str(7 + n % 5), missed=50) for n in range(12)]
    assert len(listed(*many)[0].because) <= LINE_LIMIT


def test_callers_ring_their_own_caseload_and_share_the_rest_evenly() -> None:
    families = [Family(str(n), (f"p{n}",), (), "", 0) for n in range(11)]
    shares = shared_out(families, ["olu", "ann", "kit"], {"kit": {"p3", "p4", "p5", "p6", "p7"}})
    assert {key for key, caller in shares.items() if caller == "kit"} == {"3", "4", "5", "6", "7"}
    assert sorted(list(shares.values()).count(one) for one in ("olu", "ann")) == [3, 3]
    assert shared_out(families, [], {}) == {}


def test_a_promise_is_kept_once_each_of_them_was_in_and_not_judged_before_the_marks_are_there() -> None:
    register = {"in": (True, None), "late": (False, True), "away": (False, False), "half": (False, None)}
    assert kept(["in"], register) == kept(["in", "late"], register) == "yes"
    assert kept(["away"], register) == kept(["in", "away"], register) == kept(["half", "away"], register) == "no"
    assert kept(["half"], register) == kept(["in", "half"], register) == kept(["nobody"], register) == kept([], register) == ""


# ── Days ───────────────────────────────────────────────────────────────────────────────────

TERMS = SchoolDays((("2026-09-02", "2026-12-18"), ("2027-01-04", "2027-03-25")), frozenset({"2026-10-26", "2026-11-27"}))


def test_school_days_step_over_weekends_closed_days_and_holidays() -> None:
    assert TERMS.next("2026-11-21") == "2026-11-23"
    assert TERMS.next("2026-11-27") == "2026-11-30"
    assert TERMS.next("2026-12-19") == "2027-01-04"
    assert TERMS.before("2027-01-04", 2) == ["2026-12-17", "2026-12-18"]
    assert TERMS.before("2026-10-27") == ["2026-10-23"]
    assert TERMS.next("2027-03-26") is None
    assert SchoolDays((), frozenset()).next("2026-11-21") == "2026-11-23"  # no terms said: every weekday


def test_a_row_has_one_id_for_its_day_and_another_for_any_other() -> None:
    days = [(date(2026, 1, 1) + timedelta(days=n)).isoformat() for n in range(365)]
    ids = [row_id("northgate", day, f"f{n}") for day in days for n in range(20)]
    assert len(set(ids)) == len(ids)
    assert row_id("northgate", days[0], "f0") == ids[0] != row_id("southfield", days[0], "f0")
