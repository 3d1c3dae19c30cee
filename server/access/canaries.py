"""Canaries: made-up pupils whom nobody has reason to open. At the desk each looks like anybody; no phone, count or export has them."""

import hashlib
import secrets

from server.store.database import Tx
from server.store.ids import new_id

RELATIONSHIPS = ("Mother", "Father")
FICTION = "07700 900"  # Ofcom gives these numbers to nobody: who rings one rings no stranger
NAMES_AT_MOST = 1000


async def add_canary(tx: Tx, school: str, forename: str, surname: str, year: str, form: str, seq: int) -> str:
    """Its id. With somebody to ring, as every pupil has: a forename of one of the school’s own families, and the canary’s surname."""
    id = new_id()
    await tx.run(
        "insert into pupil (id, school, forename, surname, year, form, seq, canary) values ($1, $2, $3, $4, $5, $6, $7, $8)",
        id, school, forename, surname, year, form, seq, True,
    )  # fmt: skip
    adults = await tx.rows(
        "select name, relationship, parental_responsibility from contact where school = $1 and not gone and relationship = any($2)"
        f" order by id limit {NAMES_AT_MOST}",
        school, list(RELATIONSHIPS),
    )  # fmt: skip
    name, relationship, responsible = secrets.choice([tuple(row) for row in adults] or [("Alex", "Mother", True)])
    await tx.run(
        "insert into contact (id, school, pupil, person, position, name, relationship, phone, parental_responsibility, seq)"
        " values ($1, $2, $3, $4, 1, $5, $6, $7, $8, $9)",
        new_id(), school, id, new_id(), f"{name.split()[0]} {surname}", relationship, f"{FICTION}{secrets.randbelow(1000):03d}",
        bool(responsible), seq,
    )  # fmt: skip
    return id


async def stand_in(tx: Tx, school: str, canary: str, year: str, form: str) -> str:
    """Whose attendance its page shows: always the same pupil of its form, or of its year. Itself where there is nobody."""
    rows = await tx.rows(
        "select id, form from pupil where school = $1 and year = $2 and left_at is null and not canary order by id", school, year
    )
    classmates = [row["id"] for row in rows if row["form"] == form] or [row["id"] for row in rows]
    return str(classmates[int(hashlib.sha256(canary.encode()).hexdigest(), 16) % len(classmates)]) if classmates else canary
