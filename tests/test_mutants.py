"""The simulator notices the mistakes it is there for: each is made on purpose, and a few histories are enough."""

import re
from pathlib import Path

import pytest

from tests.databases import Databases, SQLiteFiles, prepare
from tests.mutants import MORE, SEALED, THE_SIX, Mutant
from tests.simulator import simulate

TELLING = (1, 2, 15, 3, 4, 26, 86)  # first those that notice most, to be quick
SEEDS = (*TELLING, *(seed for seed in range(1, 161) if seed not in TELLING))


@pytest.fixture
async def files(tmp_path: Path) -> Databases:
    databases = SQLiteFiles(tmp_path)
    await prepare(databases)
    return databases


@pytest.mark.parametrize(
    ("mutant", "words"), (THE_SIX | MORE | SEALED).items(), ids=[mutant.__name__ for mutant in THE_SIX | MORE | SEALED]
)
async def test_a_mistake_made_on_purpose_is_noticed_for_what_it_is(mutant: Mutant, words: str, files: Databases) -> None:
    seed = await first_noticed(mutant, words, files)
    assert seed is not None, f"{mutant.__name__} was not noticed in {len(SEEDS)} histories"
    await simulate(seed, files)  # and without it, the same history ends well


async def first_noticed(mutant: Mutant, words: str, files: Databases) -> int | None:
    for seed in SEEDS:
        try:
            with mutant():
                await simulate(seed, files)
        except AssertionError as noticed:
            if not re.search(words, str(noticed).partition("\n")[0]):
                raise
            return seed
    return None
