"""The phone's own tests notice the mistakes they are there for: each is made on purpose, and they must fail."""

import os
import re
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parent.parent
PWA = CHECKOUT / "pwa"
# `npx vitest run --config ../tests/pwa/mutants.ts` with MUTANT set runs them all
QUICK = ("exchange", "outbox", "database", "shelves", "orphans")
MUTANTS = re.findall(r"name: '([^']+)',\s+file:", (CHECKOUT / "tests" / "pwa" / "mutants.ts").read_text())


def run(mistake: str) -> subprocess.CompletedProcess[str]:
    if not (PWA / "node_modules").exists():
        pytest.fail("The phone's packages are not here: run `npm --prefix pwa ci`, or `make test`.", pytrace=False)
    command = ["sh", "node.sh", "npx", "vitest", "run", "--bail", "1", "--config", "../tests/pwa/mutants.ts", *QUICK]
    return subprocess.run(
        command, cwd=PWA, env=os.environ | {"NO_COLOR": "1", "MUTANT": mistake}, capture_output=True, text=True, timeout=600
    )


def test_there_are_mistakes_to_make() -> None:
    assert len(MUTANTS) > 10


@pytest.mark.parametrize("mistake", MUTANTS)
def test_the_phones_tests_notice(mistake: str) -> None:
    told = run(mistake)
    assert told.returncode != 0, f"every test passes with {mistake}"
    assert "AssertionError" in told.stdout + told.stderr, f"they fail, but for another reason:\n{told.stdout[-2000:]}{told.stderr[-2000:]}"
