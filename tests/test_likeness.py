"""Whom a name and an age might mean: heard in a street, spelt by ear, in the many ways there are."""

from datetime import date

import pytest

from server.console.likeness import Born, Somebody, likeliest, read_born

TODAY = date(2026, 11, 18)

# As the school has them, and as somebody wrote them down in a street.
SPELT = (
    ("Mohammed Hussain", "Muhammad Husain"), ("Mohammed Hussain", "Mohamed Hussein"), ("Muhammad Iqbal", "Mohammad Ikbal"),
    ("Ayesha Siddiqui", "Aisha Sidiqi"), ("Yusuf Rahman", "Youssef Rehman"), ("Zainab Choudhury", "Zaynab Chowdhury"),
    ("Fatima Begum", "Fatema Begum"), ("Abdul Karim", "Abdel Kareem"), ("Khadija Noor", "Kadija Nur"), ("Tariq Mahmood", "Tarik Mahmud"),
    ("Wiktoria Kowalska", "Victoria Kovalska"), ("Krzysztof Nowak", "Kristof Novak"), ("Agnieszka Wójcik", "Agnieska Wojcik"),
    ("Łukasz Zieliński", "Lukas Zielinski"), ("Jakub Wiśniewski", "Yakub Visnievski"), ("Małgorzata Król", "Malgorzata Krol"),
    ("Siobhán O’Neill", "Shivaun Oneil"), ("Stephen Phillips", "Steven Philips"), ("Catherine Smith", "Katherine Smyth"),
    ("Geoffrey Clarke", "Geoffrey Clark"), ("Zoë Ångström", "Zoe Angstrom"), ("José D'Souza", "Jose Dsouza"),
    ("Harpreet Kaur", "Harprit Kaur"), ("Gurpreet Dhillon", "Gurprit Dillon"), ("Oluwadara Adeyemi", "Oluwadara Adeyemi"),
    ("Sara Haddad", "Sarah Hadad"), ("Omar Farouk", "Umar Faruq"), ("Nour El-Sayed", "Noor Elsayed"), ("Priya Krishnan", "Priya Krishnen"),
    ("Dmytro Shevchenko", "Dmitro Shevchenko"),
)  # fmt: skip
OTHERS = (
    "Marcus Bell", "Li Wu", "Conor Byrne", "Emily Jones", "Jack Taylor", "Aaliyah Brown", "Noah Williams", "Hannah Green", "Adam Malik",
    "Hamza Ali", "Ibrahim Khan", "Maryam Khan", "Daniel Mazur", "Julia Kaczmarek", "Natalia Wrona", "Leo Martin", "Ruby White", "Ella Hall",
    "Mariam Hassan", "Ahmed Saleh", "Yasmin Aziz", "Karim Benali", "Samir Patel", "Anjali Shah", "Rohan Mehta", "Simran Gill",
)  # fmt: skip


def school_of(*names: str) -> list[Somebody]:
    return [Somebody(name, name, date(2012, 9, 1 + n % 28), "9") for n, name in enumerate(dict.fromkeys(names))]


def test_names_in_many_spellings_are_found_first_and_strangers_seldom() -> None:
    school = school_of(*(one for one, _ in SPELT), *OTHERS)
    first = [likeliest(heard, "", school, TODAY, 5) for _, heard in SPELT]
    found = sum(bool(of) and of[0].id == name for of, (name, _) in zip(first, SPELT, strict=True))
    assert found / len(SPELT) >= 0.95, [heard for of, (name, heard) in zip(first, SPELT, strict=True) if not of or of[0].id != name]
    offered = sum(len(of) for of in first)
    assert found / offered >= 0.8  # of all that is offered, most is right


def test_nobody_is_suggested_for_a_name_that_is_nobodys() -> None:
    school = school_of(*(one for one, _ in SPELT), *OTHERS)
    strangers = ["Gareth Llewellyn", "Chinedu Okafor", "Isla Fraser", "Pawel Baran", "Rhys Evans", "", "—", "K", "12"]
    assert [name for name in strangers if likeliest(name, "", school, TODAY, 5)] == []


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("14/3/2012", Born(14, 3, 2012)),
        ("14.03.12", Born(14, 3, 2012)),
        ("2012-03-14", Born(14, 3, 2012)),
        ("14th of March", Born(14, 3)),
        ("March 2012", Born(0, 3, 2012)),
        ("14 March 2012", Born(14, 3, 2012)),
        ("born 2012", Born(0, 0, 2012)),
        ("about 13", Born(age=13)),
        ("13 or 14", Born(age=13)),
        ("Year 9", Born(group="9")),
        ("y10", Born(group="10")),
        ("would not say", Born()),
        ("", Born()),
        ("99999999", Born()),
    ],
)
def test_an_age_or_a_part_of_a_birthday_is_read_as_it_was_said(said: str, meant: Born) -> None:
    assert read_born(said) == meant


def test_an_age_tells_two_of_one_name_apart() -> None:
    twins = [Somebody("old", "Sam Reid", date(2010, 5, 1), "11"), Somebody("young", "Sam Reid", date(2014, 5, 1), "7")]
    for said, who in (("12", "young"), ("May 2010", "old"), ("1/5/2014", "young"), ("5/1/2010", "old"), ("year 11", "old")):
        assert likeliest("Sam Reid", said, twins, TODAY, 5)[0].id == who, said


def test_why_somebody_is_suggested_is_said() -> None:
    [one] = likeliest("Sam Reed", "about 12", [Somebody("sam", "Sam Reid", date(2014, 5, 1), "7")], TODAY, 5)
    assert one.why == "A name that sounds like it. 12 years old, as they said"


def test_a_date_that_never_was_is_no_trouble() -> None:
    school = school_of("Sam Reid")
    for said in ("99/99/9999", "31/2/2012", "0/0/0", "29 February 2013"):
        assert [one.id for one in likeliest("Sam Reid", said, school, TODAY, 5)] == ["Sam Reid"]
