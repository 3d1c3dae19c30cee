"""Makes the schools of a demo, one after another, from nothing but a seed, a size and a moment."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from server.demo.acts import Acts
from server.demo.callouts import callouts
from server.demo.calls import calls
from server.demo.chance import Chance
from server.demo.contacts import contacts
from server.demo.incidents import incidents
from server.demo.keep import finish, keep_readings, keep_register, keep_school
from server.demo.phones import handsets
from server.demo.plans import plans
from server.demo.post import PostOffice
from server.demo.scenes import Proneness
from server.demo.school import School, Size, clock, made_school
from server.demo.staffroom import OUTSIDER, SIGN_INS
from server.demo.sweeps import sweeps
from server.demo.troubles import troubles
from server.demo.visits import visits
from server.store import ids, moments, numbers
from server.store.database import Tx, writing

SIZES = {  # the first has the sign-ins, the second the outsider
    "small": [("Millrace Academy", Size(120, 26, 2)), ("Fulling Mill School", Size(20, 24, 0))],
    "school": [("Millrace Academy", Size(1500, 120, 6)), ("Fulling Mill School", Size(60, 24, 1))],
    "trust": [("Millrace Academy", Size(1500, 120, 6)), ("Fulling Mill School", Size(1100, 92, 6)),
              ("Kingfisher Park Academy", Size(900, 78, 6)), ("Weavers Green School", Size(700, 64, 6))],
}  # fmt: skip

Tell = Callable[[str, int, int], None]  # what is being done, how far, of how much


async def make(size: str, seed: int, as_at: int, password: str, tell: Tell) -> list[PostOffice]:
    """`as_at`: the moment it is in the made-up schools (µs). `password`: hashed; everybody who may sign in has it."""
    with repeatable(seed):
        schools = []
        for number, (name, of) in enumerate(SIZES[size]):
            tell(name, number, len(SIZES[size]))
            schools.append(made_school(Chance(seed, "school", number), name, of, as_at, number))
        offices = [await _make_one(schools, number, password, tell) for number in range(len(schools))]
        await writing(finish)
        return offices


async def _make_one(schools: list[School], number: int, password: str, tell: Tell) -> PostOffice:
    school, other = schools[number], schools[number - 1]
    phones = handsets(school)
    moments.set_clock(lambda: clock(school.days[0], "08:00"))
    await writing(keep_school, school, number, phones, password, {one[0] for one in (*SIGN_INS, OUTSIDER)})
    await keep_register(school, lambda done, of: tell(f"{school.name}: a year of registers", done, of))
    office = PostOffice(school, phones)
    if school.size.weeks:
        acts = everything(school, other)
        await writing(_prepare)
        await office.deliver(acts, lambda done, of: tell(f"{school.name}: {school.size.weeks} weeks of letters", done, of))
        await writing(keep_readings, school)
    return office


async def _prepare(tx: Tx) -> None:
    if tx.engine == "postgres":
        await tx.run("analyze")  # an empty table's plans are no plans for a full one


def everything(school: School, other: School) -> Acts:
    """All that anybody writes in the weeks that are written."""
    prone = Proneness(school)
    return [
        *incidents(school, prone),
        *calls(school),
        *callouts(school, prone),
        *contacts(school, prone),
        *visits(school),
        *sweeps(school),
        *plans(school, prone),
        *troubles(school, prone, other.pupils[len(other.pupils) // 2]),
    ]


@contextmanager
def repeatable(seed: int) -> Iterator[None]:
    """The marks of numbers, and the ids given at a desk, are drawn from the seed too while this lasts."""
    marks, names = Chance(seed, "marks"), Chance(seed, "ids")
    before = numbers.random_bits, ids.random_bits
    numbers.random_bits, ids.random_bits = (lambda: marks.getrandbits(64)), (lambda: names.getrandbits(74))
    try:
        yield
    finally:
        numbers.random_bits, ids.random_bits = before
        moments.set_clock(None)
