"""`python -m bench`: every figure with its target and its ratio to the floor, measured in this one run."""

import asyncio
import itertools
import tempfile
from collections.abc import Callable
from pathlib import Path

import asyncpg

from bench import calling, exchange, fold, in_chromium, patterns, ringing, school, sealed
from tests.cluster import cluster

Target = tuple[str, str, float, str | None]  # figure, what it is, the most it may be, the figure it is a ratio of

EXCHANGE: list[Target] = [
    ("push_cpu_s", "push 10,000 edits: server CPU-seconds", 2.4, "floor_push_cpu_s"),
    ("push_s", "  seconds on the clock", float("inf"), None),
    ("up_bytes", "  bytes up", 1.6e6, None),
    ("pull_cpu_s", "pull 10,000 records: server CPU-seconds", 0.8, "floor_pull_cpu_s"),
    ("pull_s", "  seconds on the clock", float("inf"), None),
    ("down_bytes", "  bytes down", 1.4e6, "floor_down_bytes"),
    *(
        line
        for held in exchange.HELD
        for line in (
            (f"ten_s, {held:,} held", f"10 changes, {held:,} held: seconds", 0.010, None),
            (f"ten_bytes, {held:,} held", "  bytes", 3000, None),
            (f"nothing_s, {held:,} held", f"nothing new, {held:,} held: seconds", float("inf"), None),
            (f"nothing_bytes, {held:,} held", "  bytes", 300, None),
        )
    ),
    ("crowd_p95_s", "50 phones × 20 edits at once: p95 seconds", 0.300, None),
]
FOLD: list[Target] = [
    ("fold_10_s", "fold 10 edits: seconds", 0.0001, None),
    ("fold_1000_s", "fold 1,000 edits: seconds", 0.010, None),
]
SEALED: list[Target] = [
    ("sealed_cpu_s", "10,000 edits sealed: server CPU-seconds (× plain)", float("inf"), "plain_cpu_s"),
    ("plain_cpu_s", "  the same, plain", float("inf"), None),
    ("sealed_bytes", "  bytes up, sealed (× plain)", float("inf"), "plain_bytes"),
]
PATTERNS: list[Target] = [
    ("patterns_first_s", "patterns of 100,000 incidents, first time: seconds", 1.0, None),
    ("patterns_again_s", "  and again", 0.100, None),
]
RINGING: list[Target] = [
    ("rung_p50_s", "200 phones rung: received to accepted, p50 seconds", 0.300, None),
    ("rung_p99_s", "  p99", 2.0, None),
]
CALLING: list[Target] = [
    ("quiet_call_p50_s", "a call for help, asked to on its ladder: p50 seconds", float("inf"), None),
    ("call_p50_s", "  while 50 phones exchange and pupils are imported", 2.0, None),
    ("call_worst_s", "  the slowest of 40", 10.0, None),
]
CHROMIUM: list[Target] = [
    *(
        line
        for slower in in_chromium.SLOWER
        for line in (
            (f"cold_start_s, {slower}×", f"cold start offline to the locked screen and what waits, {slower}× slower: seconds", 1.0, None),
            (f"unlock_s, {slower}×", "  the right PIN to the first screen, 1,500 pupils held", 1.0, None),
            (f"keystroke_s, {slower}×", "  the slowest keystroke of a search", 0.050, None),
            (f"save_p95_s, {slower}×", "  Save to saved, p95", 0.150, None),
        )
    ),
    ("seal_p50_s", "one edit sealed, 4× slower: p50 seconds (× bare WebCrypto)", float("inf"), "floor_p50_s"),
    ("seal_p95_s", "  p95", 0.005, "floor_p95_s"),
    ("first_fetch_s", "1,500 pupils fetched at 1.6 Mb/s: seconds", 5.0, None),
    ("hundred_edits_s", "100 edits sent there: seconds", 2.0, None),
]


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="lanyard-bench-") as folder, cluster(safe=True) as address:
        sqlite, postgres = fresh_databases(str(Path(folder) / "{}.db")), fresh_databases(address)
        show("The fold", FOLD, fold.measure())
        show("The exchange, SQLite", EXCHANGE, exchange.measure(sqlite))
        show("The exchange, PostgreSQL", EXCHANGE, exchange.measure(postgres))
        show("The sealed intake, SQLite", SEALED, sealed.measure(sqlite))
        show("The sealed intake, PostgreSQL", SEALED, sealed.measure(postgres))
        show("Alerts, SQLite", RINGING, ringing.measure(sqlite))
        show("Alerts, PostgreSQL", RINGING, ringing.measure(postgres))
        show("Calls for help, SQLite", CALLING, calling.measure(sqlite))
        show("Calls for help, PostgreSQL", CALLING, calling.measure(postgres))
        show("Patterns, SQLite", PATTERNS, patterns.measure(sqlite))
        show("Patterns, PostgreSQL", PATTERNS, patterns.measure(postgres))
        show("The phone, in Chromium", CHROMIUM, in_chromium.measure(sqlite()))


def fresh_databases(address: str) -> Callable[[], str]:
    numbers = itertools.count(1)

    def fresh() -> str:
        name = f"bench{next(numbers)}"
        database = address.format(name)
        if database.startswith("postgresql:"):
            asyncio.run(create(address.format("postgres"), name))
        school.make(database)
        return database

    return fresh


async def create(address: str, name: str) -> None:
    connection = await asyncpg.connect(address)
    await connection.execute(f"create database {name}")
    await connection.close()


def show(title: str, targets: list[Target], figures: dict[str, float]) -> None:
    print(f"\n{title}\n{'':58}{'median':>12}{'target':>12}{'× floor':>9}")
    for name, words, most, base in targets:
        figure = figures[name]
        ratio = f"{figure / figures[base]:.1f}" if base else ""
        target = "" if most == float("inf") else f"≤ {plainly(most)}"
        print(f"{words:58}{plainly(figure):>12}{target:>12}{ratio:>9}{'' if figure <= most else '   missed'}", flush=True)


def plainly(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.6f}".rstrip("0") if figure < 0.001 else f"{figure:.3f}"


if __name__ == "__main__":
    main()
