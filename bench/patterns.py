"""What the patterns page costs over 100,000 incidents: the first question after a start, and those that follow."""

import asyncio
import json
import random
import time
import uuid
from collections.abc import Callable
from datetime import date
from statistics import median

from bench.school import CATEGORIES, PLACES, PUPILS
from server.kinds import KINDS
from server.reports import frames
from server.reports.patterns import Question, patterns
from server.settings import Settings
from server.store import numbers
from server.store.database import Tx, close_database, open_database, writing
from server.store.moments import from_wire

INCIDENTS = 100_000
PAGE = 10_000  # incidents to a transaction
RUNS = 5
YEAR = Question(date(2025, 9, 1), date(2026, 7, 22))
FIRST_DAY, LAST_DAY = (from_wire(f"{day}T00:00:00Z") or 0 for day in (YEAR.first, YEAR.last))
ACCOUNT = "He would not leave the stairwell when I asked him, and said that he had been told to wait there … " * 3


def measure(fresh: Callable[[], str]) -> dict[str, float]:
    return asyncio.run(measure_in(Settings(database=fresh())))


async def measure_in(settings: Settings) -> dict[str, float]:
    await open_database(settings)
    try:
        for first in range(0, INCIDENTS, PAGE):
            await writing(happen, random.Random(first))
        return {"patterns_first_s": await asking(YEAR, first=True), "patterns_again_s": await asking(YEAR, first=False)}
    finally:
        await close_database()


async def asking(question: Question, *, first: bool) -> float:
    times = []
    for _ in range(RUNS):
        if first:
            frames.forget()
        began = time.perf_counter()
        found = await patterns("bench", question, question.last)
        times.append(time.perf_counter() - began)
        assert found.total == INCIDENTS
    return median(times)


async def happen(tx: Tx, chance: random.Random) -> None:
    """Incidents as the exchange would leave them, without their edits."""
    steps = await numbers.draw(tx, "bench", [numbers.NewStep("taken") for _ in range(PAGE)])
    records = [(str(uuid.UUID(int=chance.getrandbits(128))), step, incident(chance)) for step in steps]
    await tx.run_many(
        "insert into record (school, id, kind, seq, mark, state, author, made_at, received_at, happened_at, edits, body)"
        " values ('bench', $1, $2, $3, $4, 'open', 'manager', $5, $5, $5, 1, $6)",
        [(id, KINDS["incident"].name, step.seq, step.mark, chance.randrange(FIRST_DAY, LAST_DAY), body) for id, step, body in records],
    )


def incident(chance: random.Random) -> str:
    pupils = {pupil: {"part": "involved"} for pupil in chance.sample(PUPILS, chance.choice((1, 1, 2, 3)))}
    said = {"category": chance.choice(CATEGORIES), "place": chance.choice(PLACES), "severity": "low", "pupils": pupils}
    return json.dumps(
        said | {"account": {"manager": {"value": ACCOUNT, "at": "2026-01-01T00:00:00.000Z", "versions": 1}}}, ensure_ascii=False
    )
