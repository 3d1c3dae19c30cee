"""Random visits, late, extended, ended twice, with the server away or its worker killed: every step is done once, and in time."""

import contextlib
import random
from typing import Any

import pytest

from server.oncall import steps
from server.oncall.overdue import OFTEN
from server.oncall.rota import local, moment_of
from server.oncall.steps import LATE_AFTER, take_due
from server.store.database import Tx, writing
from tests.phone import Phone
from tests.school import SECOND, School
from tests.test_oncall_steps import Killed
from tests.test_oncall_visits import MINUTE, act, arrives, at, plan, rings

A_FEW, ALL = 12, 1_000  # histories
EACH_ENGINE = 2
DAY = 24 * 60 * MINUTE
STEPS = ("visit.overdue", "visit.buddy", "visit.alarm")
TOLD = {"visit.overdue": ["olu"], "visit.buddy": ["carol"], "visit.alarm": ["dee"], "visit.open": ["dee"]}


async def test_every_step_is_done_once_in_histories_in_which_the_worker_is_killed(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    await some_histories(school, range(A_FEW), monkeypatch)


@pytest.mark.soak
async def test_every_step_is_done_once_in_hundreds_of_them(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = random.SystemRandom().getrandbits(32)
    print(f"seeds from {fresh}")
    await some_histories(school, range(fresh, fresh + ALL // EACH_ENGINE), monkeypatch)


async def some_histories(school: School, seeds: range, monkeypatch: pytest.MonkeyPatch) -> None:
    await rings(school, "carol")
    for n, seed in enumerate(seeds):
        school.now += 3 * 60 * MINUTE
        if n % 3 == 0:
            await writing(school.sign_everybody_in)
        try:
            await History(school, random.Random(seed), monkeypatch).happens()
        except AssertionError as wrong:
            raise AssertionError(f"seed {seed}") from wrong


class History:
    """What should happen is worked out beside it, from what was said and when the worker was there."""

    def __init__(self, school: School, chance: random.Random, monkeypatch: pytest.MonkeyPatch) -> None:
        self.school, self.chance, self.monkeypatch = school, chance, monkeypatch
        self.phone: Phone = school.phone("olu")
        self.record = ""
        self.due = school.now + chance.randint(1, 30) * MINUTE
        self.rung, self.put_off, self.raised_at, self.again_at, self.again = -1, 0, 0, 0, 0
        self.closed = self.taken = False
        self.expected: list[tuple[int, str, str]] = []

    async def happens(self) -> None:
        minutes = (self.due - self.school.now) // MINUTE
        self.record = self.phone.write(plan(self.school, minutes), kind="home_visit")["record"]
        await self.phone.sync_all()
        await self.worker_comes()
        for _ in range(self.chance.randint(2, 9)):
            self.school.now += self.chance.choice((1, 20, 60, 300, 301, 600, 1500)) * SECOND
            if self.chance.random() < 0.5:
                await self.worker_comes()
            await self.chance.choice((self.longer, self.safe, self.not_safe, self.spoken_to, self.on_it, self.lead_says, self.well))()
        self.school.now = max(self.school.now, self.due, self.put_off) + 20 * MINUTE
        await self.worker_comes()
        sql = "select made_at, words, staff from alert where topic = $1 and words = any($2) order by made_at, words, staff"
        told = [tuple(row.values()) for row in await self.school.rows(sql, f"visit/{self.record}", list(TOLD))]
        assert told == sorted(self.expected)
        assert self.closed or self.rung == 2, "nobody knows of it"
        if not self.closed:
            assert (await act(self.school, "dee", self.record, "seen_safe", "Met them"))[0] == 200
        for row in await self.school.rows("select at, taken_at, late from due_step where about = $1 and taken_at is not null", self.record):
            assert bool(row["late"]) == (row["taken_at"] - row["at"] > LATE_AFTER)

    # ── What the server does ───────────────────────────────────────────────────────────────

    async def worker_comes(self) -> None:
        """It may be killed at any statement, a few times; then one does all that is due."""
        for _ in range(self.chance.randint(0, 3)):
            left = [self.chance.randint(0, 25)]
            with self.monkeypatch.context() as patched, contextlib.suppress(Killed):
                patched.setattr(steps, "take_one", dying(steps.take_one, left))
                await take_due(self.school.now)
        await take_due(self.school.now)
        self.work_out()

    def work_out(self) -> None:
        while not self.closed and self.rung < 2:
            at = max(self.due + 5 * MINUTE * (self.rung + 2), self.put_off)
            if at > self.school.now:
                break
            self.rung += 1
            self.tell(STEPS[self.rung])
            if self.rung == 2:
                self.raised_at, self.again = self.school.now, 0
                self.again_at = self.then()
        if not self.closed and self.rung == 2 and self.again_at <= self.school.now:
            self.tell("visit.open" if self.is_daily() else "visit.alarm")
            self.again += 1
            self.again_at = self.then()

    def is_daily(self) -> bool:
        return self.taken or self.school.now >= self.raised_at + DAY

    def then(self) -> int:
        """When they are told again."""
        if not self.is_daily():
            return self.school.now + (5 if self.again < OFTEN else 60) * MINUTE
        return min(at for n in (0, 1) if (at := moment_of(local(self.school.now + n * DAY).day, "08:00")) > self.school.now)

    def tell(self, words: str) -> None:
        self.expected += [(self.school.now, words, one) for one in TOLD[words]]

    # ── What people say ────────────────────────────────────────────────────────────────────

    async def writes(self, **values: Any) -> None:
        self.phone.write(values, self.record, kind="home_visit")
        await arrives(self.school, self.phone)

    async def longer(self) -> None:
        self.due = self.school.now + self.chance.randint(1, 20) * MINUTE
        if self.rung >= 0 and not self.closed:
            self.rung, self.put_off, self.taken = -1, 0, False
        await self.writes(back_by=at(self.due))
        self.work_out()

    async def safe(self) -> None:
        self.closed = True
        for _ in range(self.chance.randint(1, 2)):
            await self.writes(safe_at=at(self.school.now - self.chance.randint(0, 30) * MINUTE))

    async def not_safe(self) -> None:
        """Taken back: it is waited for again, from the first step; not where a lead had ended it."""
        rows = await self.school.rows("select how from watch where record = $1", self.record)
        if rows[0]["how"] == "safe":
            self.closed = self.taken = False
            self.rung, self.put_off = -1, 0
        await self.writes(safe_at=None)
        self.work_out()

    async def well(self) -> None:
        await self.writes(checked_in_at=at(self.school.now))
        self.work_out()

    async def spoken_to(self) -> None:
        status, _ = await act(self.school, "carol", self.record, "spoken_to")
        may = not self.closed and self.school.now >= self.due and self.rung < 2 and not self.put_off
        assert (status == 200) == may
        if may:
            self.put_off = self.school.now + 10 * MINUTE

    async def on_it(self) -> None:
        status, _ = await act(self.school, "dee", self.record, "on_it")
        assert (status == 200) == (not self.closed and self.rung == 2 and not self.taken)
        if status == 200:
            self.taken = True
            self.again_at = self.then()

    async def lead_says(self) -> None:
        if self.chance.random() < 0.3:
            status, _ = await act(self.school, "dee", self.record, "seen_safe", "Rang them")
            assert (status == 200) == (not self.closed)
            self.closed = True


def dying(work: Any, left: list[int]) -> Any:
    async def until_killed(tx: Tx, *args: Any) -> Any:
        return await work(Dying(tx, left), *args)

    return until_killed


class Dying:
    """A transaction whose process ends at one of its statements: nothing after that, nor the commit."""

    def __init__(self, tx: Tx, left: list[int]) -> None:
        self.tx, self.left, self.engine = tx, left, tx.engine

    def __getattr__(self, name: str) -> Any:
        if self.left[0] == 0:
            self.left[0] = -1
            raise Killed
        self.left[0] -= 1
        return getattr(self.tx, name)
