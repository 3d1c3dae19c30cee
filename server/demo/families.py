"""Families with their children at the school, and the adults to ring, in order.

Telephone numbers are those Ofcom keeps for drama; postcodes begin with letters that no post town has.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta

from server.demo.chance import Chance
from server.demo.people import Contact, Origin, Pupil, mailbox, origins, streets, upn

CHILDREN = {1: 76, 2: 21, 3: 3}  # of one family at one secondary school, of 100 families
HOUSEHOLDS = {"both": 58, "mother": 22, "step": 9, "father": 4, "apart": 4, "grandmother": 2, "foster": 1}  # of 100
DRAMA_NUMBERS = ("07700 900", "01632 960", "0113 496 0", "0161 496 0")  # and three figures

TWIN = 0.06  # of second and third children
NAMESAKE = 0.04  # how often a name somebody has already may be given again
DOUBLE_BARRELLED = 0.05
KNOWN_AS = 0.55  # of those whose forename has a short form
ADDRESS_WITHHELD = 0.008  # of families
BARRED = 0.06  # of fathers who live elsewhere
GRANDMOTHER = 0.4
RESTRICTIONS = (
    "Court order, 2025. Ask the safeguarding lead.",
    "Non-molestation order. Do not ring; ring the police if he comes to school.",
    "No contact, agreed by the court. Letters go to the mother only.",
)

Adult = tuple[str, str, str | None, bool]  # name, relationship, address, parental responsibility


class Roll:
    """A school's roll while it fills: room left in each year, forms kept even, names and numbers given out."""

    def __init__(self, seed: Chance, count: int, forms: dict[int, list[str]], began: int) -> None:
        self.seed, self.forms, self.began = seed, forms, began
        self.room = [7 + at % 5 for at in range(count)]
        self.sizes: Counter[str] = Counter()
        self.admitted: Counter[int] = Counter()
        self.names: set[tuple[str, str]] = set()
        self.phones = _phones(seed.apart("phones"))
        self.pupils: list[Pupil] = []

    @property
    def first_day(self) -> int:
        """The August before, when the list was first taken in (µs)."""
        return (date(self.began, 8, 20) - date(1970, 1, 1)).days * 86_400_000_000

    def years(self, chance: Chance) -> list[int]:
        """The years of one family's children: as many as there is room for, seldom twins."""
        taken: list[int] = []
        for _ in range(min(chance.weighted(list(CHILDREN), list(CHILDREN.values())), len(self.room))):
            twins = chance.happens(TWIN)
            if free := [at for at, year in enumerate(self.room) if twins or year not in taken]:
                taken.append(self.room.pop(chance.choice(free)))
        return sorted(taken)

    def form(self, year: int) -> str:
        form = min(self.forms[year], key=lambda one: (self.sizes[one], one))
        self.sizes[form] += 1
        return form

    def upn(self, year: int) -> str:
        self.admitted[year] += 1
        return upn(f"3404000{self.began - year + 7 - 2000:02d}{self.admitted[year]:03d}")

    def forename(self, chance: Chance, names: list[str], surname: str) -> str:
        for _ in range(40):
            name = chance.choice(names)
            if (name, surname) not in self.names or chance.happens(NAMESAKE):
                break
        self.names.add((name, surname))
        return name


def roll(seed: Chance, count: int, forms: dict[int, list[str]], began: int) -> list[Pupil]:
    """`count` pupils in years 7 to 11, spread evenly, brothers and sisters together. `began` is the September they came into them."""
    filling = Roll(seed, count, forms, began)
    while filling.room:
        chance = seed.apart("family", len(filling.pupils))
        filling.pupils += _family(chance, filling)
    return sorted(filling.pupils, key=lambda pupil: (pupil.year, pupil.form, pupil.surname, pupil.forename))


def _phones(chance: Chance) -> Iterator[str]:
    """Mobiles first, then landlines; after four thousand they come round again."""
    while True:
        for prefix in DRAMA_NUMBERS:
            ends = list(range(1000))
            chance.shuffle(ends)
            yield from (f"{prefix}{end:03d}" for end in ends)


def _family(chance: Chance, filling: Roll) -> list[Pupil]:
    origin = chance.weighted(origins(), [one.share for one in origins()])
    surname = _surname(chance, origin)
    address, withheld = _address(chance), chance.happens(ADDRESS_WITHHELD)
    years = filling.years(chance)
    family = chance.id(filling.first_day) if len(years) > 1 else None
    children = [
        _child(chance.apart("child", at), filling, len(filling.pupils) + at, origin, surname, year, family, address, withheld)
        for at, year in enumerate(years)
    ]
    adults = _adults(chance.apart("adults"), origin, surname, address)
    _stand_beside(chance.apart("contacts"), children, adults, filling)
    return children


def _child(
    chance: Chance, filling: Roll, number: int, origin: Origin, surname: tuple[str, str], year: int, family: str | None,
    address: str, withheld: bool,
) -> Pupil:  # fmt: skip
    sex = chance.choice("fm")
    forename = filling.forename(chance, origin.girls if sex == "f" else origin.boys, surname[sex == "f"])
    short = origin.known_as.get(forename)
    return Pupil(
        id=chance.id(filling.first_day),
        mis_id=str(20_000 + number),
        upn=filling.upn(year),
        admission_no=f"{4000 + number:06d}",
        forename=forename,
        surname=surname[sex == "f"],
        preferred=short if short and (" " in forename or chance.happens(KNOWN_AS)) else None,
        sex=sex,
        year=year,
        form=filling.form(year),
        born_on=date(filling.began - year - 5, 9, 1) + timedelta(days=chance.randrange(365)),
        family=family,
        address=address,
        address_withheld=withheld,
        observes=origin.observes,
    )


def _surname(chance: Chance, origin: Origin) -> tuple[str, str]:
    his, hers = chance.choice(origin.surnames)
    other = chance.choice(origins()[0].surnames)[0]
    if "-" not in his and " " not in his and other != his and chance.happens(DOUBLE_BARRELLED):
        return f"{hers}-{other}", f"{hers}-{other}"
    return his, hers


def _address(chance: Chance) -> str:
    names, districts = streets()
    at = chance.randrange(len(districts))
    ends = f"{chance.randrange(1, 10)}{chance.choice('ABDEFGHJLN')}{chance.choice('PQRSTUWXYZ')}"
    return f"{chance.randrange(1, 140)} {chance.choice(names)}, {districts[at]}, QX{at + 1} {ends}"


def _adults(chance: Chance, origin: Origin, surname: tuple[str, str], home: str) -> list[Adult]:
    """In the order they are rung."""
    his, hers = surname
    english = origins()[0]
    found: list[Adult]
    own = hers if chance.happens(0.7) else chance.choice(origin.surnames)[1]
    mother: Adult = (f"{chance.choice(origin.mothers)} {own}", "Mother", home, True)
    dad = f"{chance.choice(origin.fathers)} {his}"
    father: Adult = (dad, "Father", home, True)
    away: Adult = (dad, "Father", _address(chance), True)
    step: Adult = (f"{chance.choice(origin.fathers)} {chance.choice(origin.surnames)[0]}", "Step-father", home, False)
    gran: Adult = (f"{chance.choice(origin.mothers)} {chance.choice(origin.surnames)[1]}", "Grandmother", _address(chance), False)
    match chance.weighted(list(HOUSEHOLDS), list(HOUSEHOLDS.values())):
        case "foster":
            carer = f"{chance.choice(english.mothers)} {chance.choice(english.surnames)[1]}"
            return [(carer, "Foster carer", home, False), ("Children’s social care, duty team", "Social worker", None, False)]
        case "grandmother":
            return [(gran[0], "Grandmother", home, True)]
        case "father":
            found = [father]
        case "step":
            return [mother, step, away]
        case "both":
            found = [mother, father] if chance.happens(0.75) else [father, mother]
        case "apart":
            found = [mother, away]
        case _:
            found = [mother, away] if chance.happens(0.5) else [mother]
    return [*found, gran] if chance.happens(GRANDMOTHER) else found


def _stand_beside(chance: Chance, children: list[Pupil], adults: list[Adult], filling: Roll) -> None:
    home, withheld = children[0].address, children[0].address_withheld
    for position, (name, relationship, address, responsible) in enumerate(adults, start=1):
        one = chance.apart(position)
        barred = relationship == "Father" and address != home and one.happens(BARRED)
        person, phone = one.id(filling.first_day), next(filling.phones)
        other = next(filling.phones) if one.happens(0.3) else None
        mail = f"{mailbox(name)}{one.randrange(100)}@example.org" if position == 1 or one.happens(0.4) else None
        note = one.choice(RESTRICTIONS) if barred else ""
        for child in children:
            child.contacts.append(
                Contact(
                    id=one.id(filling.first_day),
                    person=person,
                    position=position,
                    name=name,
                    relationship=relationship,
                    phone=phone,
                    other_phone=other,
                    email=mail,
                    address=None if withheld and address == home else address,
                    parental_responsibility=responsible,
                    do_not_contact=barred,
                    address_withheld=withheld and address == home,
                    note=note,
                )
            )
