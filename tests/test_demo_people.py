"""A made-up school, before anything happens in it: its days, its people and a year of its registers. Pure."""

from collections import Counter
from datetime import date

import pytest

from server.demo import days
from server.demo.attendance import NOT_ABSENT, Register, register
from server.demo.chance import Chance
from server.demo.families import roll
from server.demo.people import Pupil
from server.demo.staffroom import SIGN_INS, forms, staffroom
from server.imports.values import upn_problem
from server.kinds.codes import session_shares
from server.kinds.roles import Role

LAST_DAY = date(2026, 11, 20)


def school_of(count: int, seed: int = 1) -> list[Pupil]:
    staff = staffroom(Chance(seed, "staff"), max(24, count // 12), 0, signing_in=True, prefix="")
    return roll(Chance(seed, "pupils"), count, forms(staff, count), 2026)


def registers_of(pupils: list[Pupil], seed: int = 1) -> Register:
    return register(Chance(seed, "register"), pupils, days.school_days(date(2025, 11, 22), LAST_DAY), session_shares())


@pytest.fixture(scope="module")
def pupils() -> list[Pupil]:
    return school_of(1500)


@pytest.fixture(scope="module")
def registers(pupils: list[Pupil]) -> Register:
    return registers_of(pupils)


# ── Days ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "begins, terms",
    [
        (2025, ["2025-09-01", "2025-12-19", "2026-01-05", "2026-03-27", "2026-04-13", "2026-07-21"]),
        (2026, ["2026-09-01", "2026-12-18", "2027-01-04", "2027-03-25", "2027-04-12", "2027-07-20"]),
    ],
)
def test_terms_fall_as_they_do(begins, terms):
    made = days.school_year(begins).terms
    assert [day.isoformat() for term in made for day in (term.starts_on, term.ends_on)] == terms


@pytest.mark.parametrize("day", ["2025-10-27", "2026-02-16", "2026-05-04", "2026-05-25", "2026-10-30", "2026-11-27", "2026-04-06"])
def test_there_is_no_school_on_holidays(day):
    assert date.fromisoformat(day) not in days.school_days(date(2025, 9, 1), date(2027, 7, 31))


@pytest.mark.parametrize("begins", range(2024, 2040))
def test_a_school_year_has_about_190_days(begins):
    assert 184 <= len(list(days.school_year(begins).days())) <= 194


@pytest.mark.parametrize("year, easter", [(2024, "03-31"), (2025, "04-20"), (2026, "04-05"), (2027, "03-28"), (2038, "04-25")])
def test_easter(year, easter):
    assert days.easter_sunday(year) == date.fromisoformat(f"{year}-{easter}")


# ── People ─────────────────────────────────────────────────────────────────────────────────


def test_the_same_seed_makes_the_same_people_and_another_makes_others():
    assert school_of(120) == school_of(120)
    assert {one.whole_name for one in school_of(120)} != {one.whole_name for one in school_of(120, seed=2)}


def test_years_and_forms_are_even(pupils):
    assert Counter(one.year for one in pupils) == {7: 300, 8: 300, 9: 300, 10: 300, 11: 300}
    assert set(Counter(one.form for one in pupils).values()) <= set(range(24, 34))


def test_nobody_shares_a_number_or_an_id(pupils):
    for mark in ("id", "upn", "mis_id", "admission_no"):
        assert len({getattr(one, mark) for one in pupils}) == len(pupils)
    assert all(upn_problem(one.upn) is None for one in pupils)
    contacts = [contact for one in pupils for contact in one.contacts]
    assert len({contact.id for contact in contacts}) == len(contacts)


def test_brothers_and_sisters_share_a_family_a_home_and_the_adults_who_are_rung(pupils):
    families: dict[str, list[Pupil]] = {}
    for one in pupils:
        if one.family:
            families.setdefault(one.family, []).append(one)
    assert len(families) > 200
    for children in families.values():
        assert len(children) > 1
        assert len({(one.address, tuple(contact.person for contact in one.contacts)) for one in children}) == 1


def test_two_families_never_share_a_number_in_one_school(pupils):
    by_phone: dict[str, set[str]] = {}
    for one in pupils:
        for contact in one.contacts:
            by_phone.setdefault(contact.phone, set()).add(contact.person)
    assert all(len(persons) == 1 for persons in by_phone.values())


def test_everybody_has_somebody_to_ring_and_some_have_somebody_not_to(pupils):
    assert all(one.to_ring for one in pupils)
    assert 5 < sum(any(contact.do_not_contact for contact in one.contacts) for one in pupils) < 60
    assert all(contact.address is None for one in pupils for contact in one.contacts if contact.address_withheld)


def test_names_are_those_of_an_english_town(pupils):
    surnames = {one.surname for one in pupils}
    for kind in ("’", "-", "Ó ", "ń"):
        assert any(kind in name for name in surnames), kind
    assert 40 < sum(bool(one.preferred) for one in pupils) < 300
    namesakes = sum(count > 1 for count in Counter(one.whole_name for one in pupils).values())
    assert 1 <= namesakes <= 15


def test_somebody_signs_in_for_every_role_and_colleagues_fill_the_others():
    staff = staffroom(Chance(1, "staff"), 120, 0, signing_in=True, prefix="")
    assert [one.username for one in staff[: len(SIGN_INS)]] == [one[0] for one in SIGN_INS]
    assert len({one.username for one in staff}) == len(staff) == 120
    assert len({one.surname for one in staff}) == 120
    assert {one.role for one in staff} == set(Role)
    assert sorted(year for one in staff for year in one.years) == ["10", "11", "7", "8", "9"]


# ── Registers ──────────────────────────────────────────────────────────────────────────────


def test_every_code_has_the_share_the_dfe_publishes(pupils, registers):
    marks = Counter(mark for one in pupils for mark in registers.marks[one.id] if mark)
    for code, share in session_shares().items():
        if code in ("/", "\\"):
            assert 100 * marks[code] / marks.total() == pytest.approx(share, abs=0.8)
        elif code in ("S", "R"):  # study leave and holy days fall only on certain days
            assert 100 * marks[code] / marks.total() <= share + 0.01
        else:
            assert 100 * marks[code] / marks.total() == pytest.approx(share, abs=0.02), code


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_persistent_absence_is_near_what_the_dfe_publishes(seed):
    people = school_of(1500, seed)
    made = registers_of(people, seed)
    persistent = sum(10 * made.absent(one) >= made.possible(one) for one in people) / len(people)
    assert persistent == pytest.approx(0.2377, abs=0.03)
    severe = sum(2 * made.absent(one) >= made.possible(one) for one in people) / len(people)
    assert 0.005 < severe < 0.04


def test_mondays_and_fridays_are_worse_and_year_seven_is_better(pupils, registers):
    by_day, away, possible = Counter[int](), Counter[int](), Counter[int]()
    for one in pupils:
        away[one.year] += registers.absent(one)
        possible[one.year] += registers.possible(one)
        for at, mark in enumerate(registers.marks[one.id]):
            by_day[registers.days[at // 2].weekday()] += bool(mark) and mark not in NOT_ABSENT
    assert by_day[0] > by_day[2] < by_day[4]
    assert away[7] / possible[7] < away[9] / possible[9]


def test_year_seven_has_no_marks_before_its_first_september(pupils, registers):
    newcomer = next(one for one in pupils if one.year == 7)
    assert registers.mark(newcomer, date(2026, 7, 1), "am") == ""
    assert registers.mark(newcomer, date(2026, 9, 7), "am")


def test_reasons_are_still_wanted_only_for_the_last_days(pupils, registers):
    last = registers.days[-10]
    assert not any("N" in (am, pm) for _, day, am, pm in registers.rows() if day < last)
