"""A school for measuring: 1,500 pupils, a manager who holds everything, and fifty teachers with phones."""

import asyncio

from argon2 import PasswordHasher

from server.kinds.lists import LISTS
from server.settings import Settings
from server.store import numbers
from server.store.database import Tx, close_database, open_database, writing
from server.store.migrations import migrate
from server.store.moments import now

PASSWORD = "four quiet kettles"
PUPILS = [f"{number:08}-0000-7000-8000-000000000000" for number in range(1500)]
PLACES, CATEGORIES = list(LISTS["places"].words), list(LISTS["categories"].words)
FORENAMES = (
    "Aaliyah",
    "Zoë",
    "Oisín",
    "Muhammad",
    "Jaydon",
    "Ibrahim",
    "Chidera",
    "Wei",
    "Kacper",
    "Siân",
    "Noor",
    "Esme",
    "Callum",
    "Dara",
    "Sarah",
)
SURNAMES = ("Rahman-Holt", "O’Brien", "McKenzie", "Khan", "Zowisłok", "Adeyemi", "Thackeray", "Varga", "Patel", "Fairweather")
NAMES = [(FORENAMES[n % 15], SURNAMES[n // 15 % 10] + ("" if n < 150 else f"-{SURNAMES[n // 150 - 1]}")) for n in range(1500)]
TEACHERS = [f"teacher{number}" for number in range(50)]


def make(database: str) -> None:
    asyncio.run(_make(Settings(database=database)))


async def _make(settings: Settings) -> None:
    await migrate(settings)
    await open_database(settings)
    try:
        await writing(fill)
    finally:
        await close_database()


async def fill(tx: Tx) -> None:
    hashed = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)  # signing in is not what is measured
    await tx.run("insert into school (id, name, made_at) values ('bench', 'Bench', $1)", now())
    (place,) = await numbers.draw(tx, "bench", [numbers.NewStep("people")])
    await tx.run_many(
        "insert into staff (id, school, username, name, role, password, seq) values ($1, 'bench', $1, $1, $2, $3, $4)",
        [("manager", "manager", hashed, place.seq), *((name, "teacher", hashed, place.seq) for name in TEACHERS)],
    )
    await tx.run_many(
        "insert into pupil (school, id, forename, surname, year, form, seq) values ('bench', $1, $2, $3, $4, $4 || ' KEL', $5)",
        [(pupil, *NAMES[number], str(7 + number % 5), place.seq) for number, pupil in enumerate(PUPILS)],
    )
    await tx.run_many(
        "insert into list_entry (school, list, code, label, position) values ('bench', $1, $2, $3, 0)",
        [(each.name, code, label) for each in LISTS.values() for code, label in each.words.items()],
    )
    await tx.run_many(
        "insert into period (school, code, label, starts, ends) values ('bench', $1, $1, $2, $3)",
        [(f"p{hour - 8}", f"{hour:02}:00", f"{hour + 1:02}:00") for hour in range(9, 15)],
    )
