"""Three hundred and sixty histories of many phones and one school, most of them on SQLite; `make soak` plays ten thousand."""

import pytest

from tests.chance import SEED
from tests.databases import Databases, SQLiteFiles
from tests.simulator import simulate

CHUNKS = 20
ON_SQLITE, ON_POSTGRES = 15, 3  # seeds of one chunk


@pytest.mark.parametrize("chunk", range(CHUNKS))
async def test_whatever_goes_wrong_nothing_is_lost_doubled_hidden_or_shown_to_others(databases: Databases, chunk: int) -> None:
    if isinstance(databases, SQLiteFiles):
        first, count, engine = chunk * ON_SQLITE, ON_SQLITE, "sqlite"
    else:
        first, count, engine = CHUNKS * ON_SQLITE + chunk * ON_POSTGRES, ON_POSTGRES, "postgres"
    for seed in range(first + 1, first + count + 1):
        await replayable(databases, seed, engine)


@pytest.mark.soak
@pytest.mark.parametrize("chunk", range(100))
async def test_ten_thousand_histories(databases: Databases, chunk: int) -> None:
    engine, first = ("sqlite", SEED * 10_000) if isinstance(databases, SQLiteFiles) else ("postgres", SEED * 10_000 + 5_000)
    for seed in range(first + chunk * 50 + 1, first + chunk * 50 + 51):
        await replayable(databases, seed, engine)


async def replayable(databases: Databases, seed: int, engine: str) -> None:
    try:
        await simulate(seed, databases)
    except BaseException as error:
        error.add_note(f"To see it step by step: python -m tests.simulator --seed {seed} --engine {engine}")
        raise
