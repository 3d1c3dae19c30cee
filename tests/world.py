"""Two schools with people in them. Amira teaches, Ben is on call, Carol manages; Dan works elsewhere and must see nothing."""

import json
from typing import Any

from argon2 import PasswordHasher

from server.kinds.lists import LISTS
from server.store import numbers
from server.store.database import Tx
from server.store.me import Me
from server.store.moments import from_wire

MONDAY = from_wire("2026-11-16T08:30:00Z") or 0  # when all of this was typed in
PASSWORD = "three wet umbrellas"  # everybody's


def member(school: str, name: str, role: str, *years: str) -> Me:
    return Me(staff=name, school=school, role=role, years=years, phone=f"{name}-phone")


AMIRA = member("northgate", "amira", "teacher")
BEN = member("northgate", "ben", "responder")
CAROL = member("northgate", "carol", "manager")
OLU = member("northgate", "olu", "officer")
DEE = member("northgate", "dee", "dsl")
ADA = member("northgate", "ada", "admin")
HANA = member("northgate", "hana", "head_of_year", "9")
LENA = member("northgate", "lena", "leader")
DAN = member("southfield", "dan", "teacher")
EVERYBODY = (AMIRA, BEN, CAROL, OLU, DEE, ADA, HANA, LENA, DAN)

FULL_NAMES = {
    "amira": "Amira Haddad",
    "ben": "Ben Price",
    "carol": "Carol Whitlock",
    "olu": "Olu Balogun",
    "dee": "Dee Marsh",
    "ada": "Ada Quigley",
    "hana": "Hana Novák",
    "lena": "Lena Fisk",
    "dan": "Dan Rowe",
}

# id, forename, surname, preferred, year, form, family
PUPILS = (
    ("zoe", "Zoë", "Ångström", None, "9", "9 KEL", "angstrom"),
    ("siobhan", "Siobhán", "O’Neill", None, "9", "9 KEL", "oneill"),
    ("conor", "Conor", "O'Neill", None, "11", "11 ABE", "oneill"),
    ("dara", "Oluwadara", "Adeyemi-Smith", "Dara", "8", "8 TUR", "adeyemi"),
    ("li", "Li", "Wu", None, "7", "7 NOE", None),
    ("jose", "José", "D'Souza", "Joe", "10", "10 CUR", "dsouza"),  # lives where nobody may be told
    ("marcus", "Marcus", "Bell", None, "10", "10 CUR", None),
    ("nina", "Nina", "Gone", None, "9", "9 KEL", None),  # left
)
ELSEWHERE = (("tom", "Tom", "Hart", None, "9", "9 A", None),)

# pupil, person, position, name, relationship, phone, and what is said of them
CONTACTS: tuple[tuple[str, str, int, str, str, str, dict[str, Any]], ...] = (
    ("zoe", "karin", 1, "Karin Ångström", "Mother", "07700 900101", {"parental_responsibility": True, "email": "karin@example.org"}),
    ("zoe", "erik", 2, "Erik Ångström", "Father", "07700 900102", {"do_not_contact": True}),
    ("siobhan", "maeve", 1, "Maeve O’Neill", "Mother", "07700 900103", {"parental_responsibility": True}),
    ("conor", "maeve", 1, "Maeve O’Neill", "Mother", "07700 900103", {"parental_responsibility": True}),
    ("conor", "pat", 2, "Pat O'Neill", "Uncle", "07700 900104", {}),
    ("dara", "folake", 1, "Folake Adeyemi", "Mother", "07700 900105", {"parental_responsibility": True}),
    ("jose", "ana", 1, "Ana D'Souza", "Mother", "07700 900106", {"address": "1 Hidden Row", "address_withheld": True}),
    ("marcus", "ray", 1, "Ray Bell", "Grandfather", "07700 900107", {"address": "7 Kiln Lane"}),
)
CONTACTS_ELSEWHERE: tuple[tuple[str, str, int, str, str, str, dict[str, Any]], ...] = (
    ("tom", "jo", 1, "Jo Hart", "Mother", "07700 900201", {"parental_responsibility": True}),
)

WORDS = {
    "places": {"yard": "Yard", "gate": "Front gate", "b12": "B12", "stairs": "North stairs", "canteen": "Canteen", "bus": "Bus stop"},
    "categories": {"defiance": "Defiance", "fight": "Fight", "truancy": "Truancy", "bullying": "Bullying", "damage": "Damage"},
    "outcomes": {"warning": "Warning", "detention": "Detention", "call_home": "Call home"},
    "actions": {"spoken": "Spoken to", "moved": "Moved to another room", "parents": "Rang home"},
}
RETIRED = ("categories", "uniform", "Uniform")  # no longer asked, still taken

PERIODS = (
    ("reg", "Registration", "08:40", "09:00", False),
    ("p1", "Period 1", "09:00", "10:00", True),
    ("p2", "Period 2", "10:00", "11:00", True),
    ("break", "Break", "11:00", "11:20", False),
    ("p3", "Period 3", "11:20", "12:20", True),
    ("lunch", "Lunch", "12:20", "13:10", False),
    ("p4", "Period 4", "13:10", "14:10", True),
    ("p5", "Period 5", "14:10", "15:10", True),
)
TERMS = (
    ("Autumn 2026", "2026-09-03", "2026-12-18"),
    ("Spring 2027", "2027-01-04", "2027-03-25"),
    ("Summer 2027", "2027-04-12", "2027-07-20"),
)
CLOSED_DAYS = tuple((f"2026-10-{day}", "Half term") for day in range(26, 31)) + (("2026-11-27", "Training day"),)


async def make_world(tx: Tx) -> None:
    await make_school(tx, "northgate", "Northgate", PUPILS, CONTACTS)
    await make_school(tx, "southfield", "Southfield", ELSEWHERE, CONTACTS_ELSEWHERE)
    await tx.run("update pupil set left_at = $1 where id = 'nina'", MONDAY)
    await tx.run("update pupil set address_withheld = $1, address = '1 Hidden Row' where id = 'jose'", True)
    await tx.run("insert into caseload (school, staff, pupil) values ('northgate', 'olu', 'conor')")


async def make_school(tx: Tx, school: str, name: str, pupils: Any, contacts: Any) -> None:
    await tx.run("insert into school (id, name, made_at) values ($1, $2, $3)", school, name, MONDAY)
    people, lists = await numbers.draw(tx, school, [numbers.NewStep("people"), numbers.NewStep("lists")])
    await add_staff(tx, [me for me in EVERYBODY if me.school == school], people.seq)
    await tx.run_many(
        "insert into pupil (school, id, mis_id, forename, surname, preferred, year, form, family, born_on, seq)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, '2012-09-01', $10)",
        [(school, pupil[0], f"mis-{pupil[0]}", *pupil[1:], people.seq) for pupil in pupils],
    )
    for pupil, person, position, full_name, relationship, phone, said in contacts:
        row = {"id": f"{pupil}-{person}", "school": school, "pupil": pupil, "person": person, "position": position, "name": full_name}
        await insert(tx, "contact", {**row, "relationship": relationship, "phone": phone, "seq": people.seq, **said})
    await add_lists(tx, school)
    assert lists.seq == 2


async def add_staff(tx: Tx, staff: list[Me], seq: int) -> None:
    password = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    await tx.run_many(
        "insert into staff (id, school, username, name, role, years, password, seq) values ($1, $2, $1, $3, $4, $5, $6, $7)",
        [(me.staff, me.school, FULL_NAMES[me.staff], me.role, json.dumps(me.years), password, seq) for me in staff],
    )
    await tx.run_many(
        "insert into phone (id, school, staff, name, paired_at) values ($1, $2, $3, $4, $5)",
        [(me.phone, me.school, me.staff, f"{me.staff.title()}’s phone", MONDAY) for me in staff],
    )


async def add_lists(tx: Tx, school: str) -> None:
    lists = {name: WORDS.get(name, each.words) for name, each in LISTS.items()}
    entries = [(school, name, code, label, n, False) for name, words in lists.items() for n, (code, label) in enumerate(words.items())]
    await tx.run_many(
        "insert into list_entry (school, list, code, label, position, retired) values ($1, $2, $3, $4, $5, $6)",
        [*entries, (school, *RETIRED, 99, True)],
    )
    await tx.run_many(
        "insert into period (school, code, label, starts, ends, is_lesson) values ($1, $2, $3, $4, $5, $6)",
        [(school, *period) for period in PERIODS],
    )
    await tx.run_many("insert into term (school, name, starts_on, ends_on) values ($1, $2, $3, $4)", [(school, *term) for term in TERMS])
    await tx.run_many("insert into closed_day (school, on_day, why) values ($1, $2, $3)", [(school, *day) for day in CLOSED_DAYS])


async def insert(tx: Tx, table: str, row: dict[str, Any]) -> None:
    """One row by the names of its columns."""
    columns, places = ", ".join(f'"{name}"' for name in row), ", ".join(f"${n}" for n in range(1, len(row) + 1))
    await tx.run(f"insert into {table} ({columns}) values ({places})", *row.values())
