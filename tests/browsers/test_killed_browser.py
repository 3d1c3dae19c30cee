"""A browser killed with -9 at any moment of unlocking, writing and sending, again and again: what it had called saved arrives, once."""

import os
import random
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browsers import writer
from tests.browsers.hand import Hand
from tests.browsers.windows import ENGINES, Window, kill
from tests.chance import SEED
from tests.journeys.school import School

KILLS, SAVED_BEFORE = 3, 8  # of each engine; and how many records are saved at most before one
KILLS_IN_SOAK, SAVED_BEFORE_IN_SOAK = 168, 84  # 504 in all, and more than 20,000 records saved
KILLS_OF_ONE_PHONE = 24
AT_THE_DOOR = 0.15  # of the kills: while it starts, unlocks and sends what was waiting
AT_THE_DOOR_S = 2.5
BETWEEN_TWO_SAVES_S = 0.15


@pytest.mark.parametrize("engine", ENGINES)
def test_three_kills_lose_nothing_that_was_called_saved_and_double_nothing(
    engine: str, new_window: Callable[..., Window], school: School
) -> None:
    phone = Killed(engine, new_window(engine), school, random.Random(f"{SEED} {engine}"))
    phone.live_through(KILLS, SAVED_BEFORE)
    phone.show_that_everything_arrived_once()


@pytest.mark.soak
@pytest.mark.parametrize("engine", ENGINES)
def test_hundreds_of_kills_lose_nothing_that_was_called_saved_and_double_nothing(
    engine: str, new_window: Callable[..., Window], filled: Path, tmp_path: Path
) -> None:
    kills_left, saved = int(os.environ.get("KILLS", KILLS_IN_SOAK)), 0
    for number in range(1000):
        if kills_left == 0:
            break
        school = a_school(tmp_path / f"school-{number}", filled)
        phone = Killed(engine, new_window(engine, f"phone-{number}"), school, random.Random(f"{SEED} {engine} {number}"))
        kills = min(KILLS_OF_ONE_PHONE, kills_left)
        phone.live_through(kills, SAVED_BEFORE_IN_SOAK)
        phone.show_that_everything_arrived_once()
        phone.window.close()
        school.stop()
        kills_left, saved = kills_left - kills, saved + len(phone.saved)
        print(f"{engine}, seed {SEED}: {kills_left} kills to go, {saved} records called saved, 0 lost, 0 twice", flush=True)


def a_school(folder: Path, filled: Path) -> School:
    folder.mkdir()
    school = School(folder, filled)
    school.start()
    return school


class Killed:
    """A phone that is killed again and again, and what its screens called saved before each kill."""

    def __init__(self, engine: str, window: Window, school: School, chance: random.Random) -> None:
        self.engine, self.window, self.school, self.chance = engine, window, school, chance
        self.saved: set[str] = set()
        self.hand = Hand(window, school.address).open().sign_in("amira")
        window.close()  # in peace, this once: Chromium puts its cookies on the disk only every half minute
        window.start()

    def live_through(self, kills: int, saved_before: int) -> None:
        for number in range(kills):
            self.hand.open()
            self.window.run(writer.BEGIN, *writer.given(f"killed-{number}", self.engine))
            if self.chance.random() < AT_THE_DOOR:
                time.sleep(self.chance.uniform(0, AT_THE_DOOR_S))
            else:
                self._wait_for(self.chance.randint(1, saved_before))
            self.saved.update(self.window.run(writer.SAVED))
            time.sleep(self.chance.uniform(0, BETWEEN_TWO_SAVES_S))
            kill(self.window)
            self.window.start()

    def _wait_for(self, records: int) -> None:
        self.hand.until(
            f"const saved = await (async () => {{ {writer.SAVED} }})(); return saved.length >= given[0]", records, patience_s=120
        )

    def show_that_everything_arrived_once(self) -> None:
        self.hand.open().give_pin()
        self.hand.stand_at("Now")
        self.hand.until(writer.NOTHING_WAITS)
        arrived = writer.arrived(self.school)
        assert self.saved, f"seed {SEED}: nothing was called saved, and nothing shown"
        assert sorted(self.saved - arrived.keys()) == [], f"lost, seed {SEED}"
        assert sorted(words for words, times in arrived.items() if times > 1) == [], f"twice, seed {SEED}"
        with sqlite3.connect(f"file:{self.school.database}?mode=ro", uri=True) as database:
            assert database.execute("select count(*) from record where edits > 1").fetchall() == [(0,)], f"twice, seed {SEED}"
