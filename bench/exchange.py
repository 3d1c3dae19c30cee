"""The exchange over HTTP, one server process, gzip on, beside the floor: sync.md's table, on either engine."""

import threading
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from bench.edits import incidents
from bench.floor import floor
from bench.phone import Phone, in_batches
from bench.school import CATEGORIES, PASSWORD, PLACES, PUPILS, TEACHERS
from bench.server import Server, serving

EDITS = 10_000
RUNS = 3  # of each, on a fresh database; the medians are printed
FEW = 10
CROWD_EDITS = 20
TRIES = 15  # of what takes milliseconds
HELD = (1_000, 100_000)

Figures = dict[str, float]


def measure(fresh: Callable[[], str], held: tuple[int, ...] = HELD) -> Figures:
    """`fresh()` answers the address of a new database with the school in it and nothing recorded."""
    runs = [whole_push_and_pull(fresh()) for _ in range(RUNS)]
    figures = {name: median(run[name] for run in runs) for name in runs[0]}
    for count in held:
        figures |= {f"{name}, {count:,} held": figure for name, figure in small_exchanges(fresh(), count).items()}
    return figures | {"crowd_p95_s": median(crowd(fresh()) for _ in range(RUNS))}


def whole_push_and_pull(database: str) -> Figures:
    with serving(database) as server:
        phone = Phone(server.port, "manager", PASSWORD)
        phone.pull()
        letters = [phone.letter(batch) for batch in in_batches(written_by(phone, EDITS))]
        bare = floor(letters)
        push_s, push_cpu_s, outcomes = spent(server, lambda: [phone.exchange(letter) for letter in letters])
        taken = sum(receipt["outcome"] == "taken" for answer in outcomes for receipt in answer["receipts"])
        assert taken == EDITS, f"only {taken} of {EDITS} were taken"
        up = phone.up
        reader = Phone(server.port, "manager", PASSWORD)
        reader.down = 0
        pull_s, pull_cpu_s, records = spent(server, reader.pull)
        assert records == EDITS, f"only {records} of {EDITS} came back"
        return {
            "push_s": push_s, "push_cpu_s": push_cpu_s, "floor_push_cpu_s": bare["push_cpu_s"], "up_bytes": up,
            "pull_s": pull_s, "pull_cpu_s": pull_cpu_s, "floor_pull_cpu_s": bare["pull_cpu_s"],
            "down_bytes": reader.down, "floor_down_bytes": bare["down_bytes"],
        }  # fmt: skip


def small_exchanges(database: str, held: int) -> Figures:
    """Ten changes, and nothing new, to a phone that has everything else already."""
    with serving(database) as server:
        writer, reader = Phone(server.port, "manager", PASSWORD), Phone(server.port, "manager", PASSWORD)
        for batch in in_batches(written_by(writer, held)):
            writer.exchange(writer.letter(batch))
        reader.pull()
        changes = list(in_batches(written_by(writer, FEW * TRIES, first=held + 1)))
        few = [edit for batch in changes for edit in batch]
        ten, ten_cpu, ten_bytes, nothing, nothing_bytes = [], [], 0, [], 0
        for attempt in range(TRIES):
            writer.exchange(writer.letter(few[attempt * FEW : (attempt + 1) * FEW]))
            down, (elapsed, cpu, records) = reader.down, spent(server, reader.pull)
            assert records == FEW
            ten, ten_cpu, ten_bytes = [*ten, elapsed], [*ten_cpu, cpu], reader.down - down
            down, (elapsed, _, records) = reader.down, spent(server, reader.pull)
            assert records == 0
            nothing, nothing_bytes = [*nothing, elapsed], reader.down - down
        return {
            "ten_s": median(ten), "ten_cpu_s": sum(ten_cpu) / TRIES, "ten_bytes": ten_bytes,
            "nothing_s": median(nothing), "nothing_bytes": nothing_bytes,
        }  # fmt: skip


def crowd(database: str) -> float:
    """Fifty phones send twenty edits each at the same moment: the 95th percentile of their waits, in seconds. None may be sent twice."""
    with serving(database) as server:
        phones = [Phone(server.port, teacher, PASSWORD) for teacher in TEACHERS]
        letters = [phone.letter(list(written_by(phone, CROWD_EDITS))) for phone in phones]
        start, waits = threading.Barrier(len(phones)), [0.0] * len(phones)

        def send(which: int) -> None:
            start.wait()
            began = time.perf_counter()
            answer = phones[which].exchange(letters[which])
            waits[which] = time.perf_counter() - began
            assert all(receipt["outcome"] == "taken" for receipt in answer["receipts"])

        threads = [threading.Thread(target=send, args=(which,)) for which in range(len(phones))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert all(waits), "a phone was turned away"
        return sorted(waits)[int(len(waits) * 0.95) - 1]


def written_by(phone: Phone, count: int, first: int = 1) -> Any:
    return incidents(count, pupils=PUPILS, places=PLACES, categories=CATEGORIES, phone=phone.id, first=first)


def spent(server: Server, work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Seconds on the clock, seconds of the server's processor, and what the work answered."""
    began, began_cpu = time.perf_counter(), server.cpu_s()
    answer = work()
    return time.perf_counter() - began, server.cpu_s() - began_cpu, answer
