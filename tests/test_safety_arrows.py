"""The rooms of the house import downwards only."""

import subprocess
import sys
from pathlib import Path

HOUSE = Path(__file__).parent.parent


def test_rooms_import_downwards_only() -> None:
    said = subprocess.run([Path(sys.executable).parent / "lint-imports"], cwd=HOUSE, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout


def test_every_room_has_a_place_in_the_order() -> None:
    order = (HOUSE / "pyproject.toml").read_text().split("layers = [")[1].split("]")[0]
    rooms = {
        path.name.removesuffix(".py") for path in (HOUSE / "server").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert {room for room in rooms - {"__init__"} if room not in order} == set()
