"""The phone's own tests notice the mistakes they are there for: each is made on purpose, and they must fail."""

import os
import re
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parent.parent
PWA = CHECKOUT / "pwa"
MUTANTS = re.findall(r"name: '([^']+)',\s+by: '(\w+)',\s+file:", (CHECKOUT / "tests" / "pwa" / "mutants.ts").read_text())


def run(mistake: str, tests: str) -> subprocess.CompletedProcess[str]:
    if not (PWA / "node_modules").exists():
        pytest.fail("The phone's packages are not here: run `npm --prefix pwa ci`, or `make test`.", pytrace=False)
    command = ["sh", "node.sh", "node_modules/.bin/vitest", "run", "--bail", "1", "--config", "../tests/pwa/mutants.ts", tests]
    return subprocess.run(
        command, cwd=PWA, env=os.environ | {"NO_COLOR": "1", "MUTANT": mistake}, capture_output=True, text=True, timeout=600
    )


def test_there_are_mistakes_to_make() -> None:
    assert len(MUTANTS) > 10


@pytest.mark.parametrize(("mistake", "tests"), MUTANTS)
def test_the_phones_tests_notice(mistake: str, tests: str) -> None:
    told = run(mistake, tests)
    assert told.returncode != 0, f"{tests}.test.ts passes with {mistake}"
    assert "AssertionError" in told.stdout + told.stderr, f"they fail, but for another reason:\n{told.stdout[-2000:]}{told.stderr[-2000:]}"
