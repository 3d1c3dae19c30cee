"""The staff: who may sign in by the name of their role, and enough colleagues that a school has many hands."""

from server.demo.chance import Chance
from server.demo.people import Origin, Staff, mailbox, origins

# username, title, forename, surname, sex, role, years: these may sign in
Named = tuple[str, str, str, str, str, str, list[str]]

SIGN_INS: tuple[Named, ...] = (
    ("teacher", "Ms", "Amira", "Siddiqui", "f", "teacher", []),
    ("responder", "Mr", "Tomasz", "Wilk", "m", "responder", []),
    ("officer", "Mrs", "Funmi", "Adeyemi", "f", "officer", []),
    ("manager", "Mrs", "Carol", "Stroud", "f", "manager", []),
    ("head_of_year", "Ms", "Hana", "Brook", "f", "head_of_year", ["9"]),
    ("dsl", "Ms", "Dee", "Okonjo", "f", "dsl", []),
    ("leader", "Mr", "Marcus", "Tenby", "m", "leader", []),
    ("admin", "Mrs", "Ada", "Lowther", "f", "admin", []),
)
OUTSIDER: Named = ("outsider", "Mr", "Dan", "Pryce", "m", "teacher", [])

SUBJECTS = {  # subject: how many in 100 teach it, and what its rooms are called
    "English": (15, "E"), "Maths": (15, "M"), "Science": (15, "S"), "History": (6, "H"), "Geography": (6, "H"), "French": (4, "L"),
    "Spanish": (5, "L"), "PE": (8, "G"), "Art": (4, "A"), "Design and technology": (6, "T"), "Computing": (4, "C"), "Music": (3, "A"),
    "Drama": (3, "A"), "RE": (4, "H"), "PSHE": (2, "H"),
}  # fmt: skip
OTHER_ROLES = {"responder": 8, "officer": 3, "head_of_year": 5, "leader": 5, "dsl": 1, "manager": 1, "admin": 2}  # of 100 staff
TITLES = {"f": {"Ms": 4, "Miss": 3, "Mrs": 4, "Dr": 0.3}, "m": {"Mr": 10, "Dr": 0.4}}


def staffroom(seed: Chance, count: int, moment: int, *, signing_in: bool, prefix: str) -> list[Staff]:
    """`count` members of staff, those of SIGN_INS first if they sign in here. `prefix` keeps usernames of several schools apart."""
    first = [named(seed, one, moment) for one in SIGN_INS] if signing_in else []
    roles = _roles(count - len(first), {one.role for one in first}, [one.years for one in first if one.role == "head_of_year"])
    taken = {one.surname for one in first}
    made = [*first, *(_colleague(seed.apart(at), role, years, taken, moment, prefix) for at, (role, years) in enumerate(roles))]
    _teach(seed.apart("teaching"), made)
    return made


def named(seed: Chance, one: Named, moment: int) -> Staff:
    username, title, forename, surname, sex, role, years = one
    return Staff(seed.apart(username).id(moment), username, title, forename, surname, sex, role, list(years))


def _roles(count: int, there: set[str], years: list[list[str]]) -> list[tuple[str, list[str]]]:
    """The roles still to fill; each year has a head, and each role somebody."""
    heads = [("head_of_year", [str(year)]) for year in range(7, 12) if [str(year)] not in years]
    others: list[tuple[str, list[str]]] = [
        (role, [])
        for role, of_100 in OTHER_ROLES.items()
        if role != "head_of_year"
        for _ in range(max(round(of_100 * count / 100) - (role in there), 0 if role in there else 1))
    ]
    filled: list[tuple[str, list[str]]] = [*heads, *others]
    return (filled + [("teacher", list[str]())] * count)[:count]


def _colleague(chance: Chance, role: str, years: list[str], taken: set[str], moment: int, prefix: str) -> Staff:
    sex = chance.choice("ffm")
    origin, surname = _unused(chance, sex, taken)
    taken.add(surname)
    forename = chance.choice([name for name in (origin.mothers if sex == "f" else origin.fathers) if name != surname])
    titles = TITLES[sex]
    username = prefix + mailbox(forename)[:1] + mailbox(surname)
    return Staff(chance.id(moment), username, chance.weighted(list(titles), list(titles.values())), forename, surname, sex, role, years)


def _unused(chance: Chance, sex: str, taken: set[str]) -> tuple[Origin, str]:
    """Colleagues are spoken of by surname, so no two share one."""
    weights = [one.share * (3 if at == 0 else 1) for at, one in enumerate(origins())]  # staff are less mixed than pupils
    while True:
        origin = chance.weighted(origins(), weights)
        surname = chance.choice(origin.surnames)[sex == "f"]
        if surname not in taken and "-" not in surname and mailbox(surname) not in map(mailbox, taken):
            return origin, surname


def _teach(chance: Chance, staff: list[Staff]) -> None:
    rooms: dict[str, int] = {}
    for one in staff:
        if one.role in ("teacher", "head_of_year", "leader"):
            one.subject = chance.weighted(list(SUBJECTS), [share for share, _ in SUBJECTS.values()])
            block = SUBJECTS[one.subject][1]
            rooms[block] = rooms.get(block, 0) + 1
            one.room = f"{block}{rooms[block]}"


def forms(staff: list[Staff], pupils: int) -> dict[int, list[str]]:
    """The forms of each year, named after the teachers who have them."""
    tutors = [one for one in staff if one.role == "teacher"]
    of_a_year = max(1, min(round(pupils / 5 / 29), len(tutors) // 5))
    found: dict[int, list[str]] = {}
    for at, year in enumerate(range(7, 12)):
        used: set[str] = set()
        for tutor in tutors[at * of_a_year : (at + 1) * of_a_year]:
            code = mailbox(tutor.surname)[:3].upper()
            while code in used:
                code = code[:2] + chr(65 + len(used))
            used.add(code)
            tutor.form = f"{year} {code}"
            found.setdefault(year, []).append(tutor.form)
    return found
