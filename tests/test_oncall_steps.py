"""What falls due is done once, whoever is killed meanwhile; and what is late is marked so."""

import asyncio
import contextlib
import json
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from server.oncall import steps
from server.oncall.steps import LATE_AFTER, Due, drop_due, due, take_due
from server.settings import Settings
from server.store.database import Tx, close_database, open_database, reading, writing
from server.store.moments import set_clock

SECOND = 1_000_000
HERE = Path(__file__).parent.parent
A_FEW, ALL = 60, 5_000  # histories

# The two nights on which the clocks change, a minute before; and an ordinary day.
NIGHTS = (1_793_491_140, 1_806_195_540, 1_795_000_000)  # s: 2026-10-25 and 2027-03-28, 00:59 in London


class Killed(BaseException):
    """The worker's process is no more."""


@pytest.fixture(autouse=True)
def noting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step whose doing shows in the database: how often it was done."""
    monkeypatch.setitem(steps.STEPS, "test.note", note)
    monkeypatch.setitem(steps.STEPS, "test.fail", fail)


NOTE = (
    "insert into attempt (key, failures, failed_at, free_at) values ($1, 1, $2, $3)"
    " on conflict (key) do update set failures = attempt.failures + 1"
)


async def note(tx: Tx, due: Due, at: int) -> None:
    await tx.run(NOTE, due.about, at, due.at)


async def fail(tx: Tx, due: Due, at: int) -> None:
    await note(tx, due, at)
    raise LookupError("a mistake of ours")


async def done() -> dict[str, tuple[int, int, int]]:
    """Of each thing: how often, when, and when it was due."""
    rows = await reading(lambda tx: tx.rows("select key, failures, failed_at, free_at from attempt"))
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


async def lay(at: int, about: str, does: str = "test.note") -> None:
    await writing(due, "northgate", at, does, about)


async def test_a_step_is_done_once_and_not_before_its_time(world: Settings) -> None:
    await lay(1_000 * SECOND, "one")
    assert await take_due(999 * SECOND) == 0
    assert await take_due(1_000 * SECOND) == 1
    assert await take_due(1_001 * SECOND) == 0
    assert await done() == {"one": (1, 1_000 * SECOND, 1_000 * SECOND)}


async def test_what_nobody_took_in_time_is_done_late_and_says_so(world: Settings) -> None:
    await lay(1_000 * SECOND, "in time")
    await lay(400 * SECOND, "late")
    await take_due(1_000 * SECOND + LATE_AFTER)
    rows = await reading(lambda tx: tx.rows("select about, late from due_step order by about"))
    assert [(row[0], bool(row[1])) for row in rows] == [("in time", False), ("late", True)]


async def test_what_is_dropped_is_not_done(world: Settings) -> None:
    await lay(1_000 * SECOND, "one")
    await lay(1_000 * SECOND, "two")
    await writing(drop_due, "northgate", "one", "test.note")
    await take_due(2_000 * SECOND)
    assert set(await done()) == {"two"}


async def test_a_step_that_fails_leaves_nothing_behind_holds_up_no_other_and_is_tried_again(
    world: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lay(1_000 * SECOND, "broken", "test.fail")
    await lay(1_001 * SECOND, "sound")
    await take_due(1_001 * SECOND)
    assert set(await done()) == {"sound"}
    monkeypatch.setitem(steps.STEPS, "test.fail", note)
    await take_due(1_001 * SECOND)
    assert set(await done()) == {"sound"}  # it rests first
    await take_due(1_010 * SECOND)
    assert (await done())["broken"][0] == 1


async def test_whoever_hands_over_what_a_step_made_hears_of_it(world: Settings) -> None:
    set_clock(None)
    await lay(steps.now(), "one")
    heard = asyncio.Event()
    loop = asyncio.create_task(steps.run(heard.set))
    try:
        await asyncio.wait_for(heard.wait(), 30)
    finally:
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)
    assert set(await done()) == {"one"}


async def test_workers_at_the_same_moment_never_take_the_same_step(world: Settings) -> None:
    for n in range(60):
        await lay(1_000 * SECOND + n, f"step {n}")
    await asyncio.gather(*(take_due(1_001 * SECOND) for _ in range(6)))
    assert {times for times, _, _ in (await done()).values()} == {1}
    assert len(await done()) == 60


# ── Histories ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
async def test_every_step_is_done_once_in_histories_in_which_the_worker_is_killed(world: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(A_FEW):
        await a_history(random.Random(seed), monkeypatch)


@pytest.mark.soak
async def test_every_step_is_done_once_in_thousands_of_them(world: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = random.SystemRandom().getrandbits(32)
    print(f"seeds from {fresh}")
    for seed in range(fresh, fresh + ALL // 2):  # on each engine
        await a_history(random.Random(seed), monkeypatch)


async def a_history(chance: random.Random, monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps are laid and dropped, time passes, and the worker dies at any statement; each time another begins."""
    start = chance.choice(NIGHTS) * SECOND
    clock, laid, dropped, awake = start, dict[str, int](), set[str](), list[tuple[int, int]]()
    await writing(lambda tx: tx.run("delete from due_step"))
    await writing(lambda tx: tx.run("delete from attempt"))
    for n in range(chance.randint(3, 14)):
        name, at = f"step {n}", clock + chance.randint(0, 3 * 3600) * SECOND
        await lay(at, name)
        laid[name] = at
        if chance.random() < 0.1:
            await writing(drop_due, "northgate", name, "test.note")
            if name not in await done():
                dropped.add(name)
        was = clock
        clock += chance.choice((0, 1, 1, 60, 3600)) * SECOND
        if chance.random() < 0.6:
            await work_until(chance, was, clock, monkeypatch)
            awake.append((was, clock))
    clock = max([clock, *laid.values()]) + SECOND
    while await reading(lambda tx: tx.rows("select 1 from due_step where taken_at is null")):
        await work_until(chance, clock, clock, monkeypatch)
        clock += SECOND
    found = await done()
    assert set(found) == set(laid) - dropped
    for name, (times, at, was_due) in found.items():
        assert times == 1, f"{name} was done {times} times"
        assert at >= was_due == laid[name], f"{name} was done before its time"


async def work_until(chance: random.Random, since: int, until: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks at some moments, and may be killed at any statement of any."""
    for moment in sorted({since, until, *(chance.randint(since, until) for _ in range(2))}):
        dies_at = chance.randint(0, 12)
        with monkeypatch.context() as patched:
            patched.setattr(steps, "take_one", killed_at(dies_at, steps.take_one))
            with contextlib.suppress(Killed):
                await take_due(moment)


def killed_at(statement: int, work: Any) -> Any:
    left = [statement]

    async def until_killed(tx: Tx, *args: Any) -> Any:
        return await work(Dying(tx, left), *args)

    return until_killed


class Dying:
    """A transaction whose process ends at one of its statements: nothing after that, nor the commit."""

    def __init__(self, tx: Tx, left: list[int]) -> None:
        self.tx, self.left, self.engine = tx, left, tx.engine

    def one_less(self) -> None:
        if self.left[0] == 0:
            self.left[0] = -1
            raise Killed
        self.left[0] -= 1

    async def row(self, sql: str, *args: Any) -> Any:
        self.one_less()
        return await self.tx.row(sql, *args)

    async def run(self, sql: str, *args: Any) -> None:
        self.one_less()
        await self.tx.run(sql, *args)
        self.one_less()


# ── Processes ──────────────────────────────────────────────────────────────────────────────

WORKER = """
import asyncio, json, sys
from server.oncall import steps
from server.settings import Settings
from server.store.database import open_database
from tests.test_oncall_steps import note
steps.STEPS["test.note"] = note
async def work():
    await open_database(Settings(database=json.loads(sys.argv[1])))
    print("ready", flush=True)
    await steps.run()
asyncio.run(work())
"""


async def test_two_processes_of_which_one_is_killed_do_every_step_once(world: Settings) -> None:
    set_clock(None)
    now = steps.now()
    for n in range(300):
        await lay(now + n * 10_000, f"step {n}")
    workers = [begun(world) for _ in range(2)]
    try:
        for worker in workers:
            assert worker.stdout is not None
            assert await asyncio.to_thread(worker.stdout.readline) == b"ready\n"
        await until_done(100)
        workers[0].send_signal(signal.SIGKILL)
        await until_done(300)
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    assert {times for times, _, _ in (await done()).values()} == {1}
    assert len(await done()) == 300


async def until_done(how_many: int) -> None:
    for _ in range(1_200):
        if len(await done()) >= how_many:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{how_many} steps are not done")


def begun(world: Settings) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WORKER, json.dumps(world.database)], cwd=HERE, stdout=subprocess.PIPE)


async def test_a_step_laid_before_a_restart_is_done_after_it(world: Settings) -> None:
    await lay(1_000 * SECOND, "one")
    await close_database()
    await open_database(world)
    assert await take_due(5_000 * SECOND) == 1
    rows = await reading(lambda tx: tx.rows("select late from due_step"))
    assert bool(rows[0][0])
