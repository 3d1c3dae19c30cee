"""What folding costs: one record's edits by several hands, with nothing around it."""

import random
import time
from statistics import median

from server.kinds import KINDS
from server.sync.merge import Edit, fold

RUNS = 200


def measure() -> dict[str, float]:
    return {"fold_10_s": folding(10), "fold_1000_s": folding(1000)}


def folding(count: int) -> float:
    kind, edits = KINDS["incident"], written(count)
    times = []
    for _ in range(max(RUNS // count, 11)):
        began = time.perf_counter()
        fold(kind, edits)
        times.append(time.perf_counter() - began)
    return median(times)


def written(count: int) -> list[Edit]:
    """By five people, each having seen about half of what came before."""
    chance = random.Random(7)
    edits = []
    for seq in range(1, count + 1):
        who = chance.randrange(5)
        edits.append(
            Edit(
                id=f"{chance.getrandbits(128):032x}", author=f"staff{who}", role="teacher", phone=f"phone{who}", number=seq, seq=seq,
                seen=chance.randrange(seq), ordered_at=seq * 1_000_000, made_at=seq * 1_000_000, received_at=seq * 1_000_000,
                values={
                    "category": chance.choice(["fighting", "refusal", "unsafe"]),
                    "pupils": {"put": {f"pupil{chance.randrange(6)}": {"part": "involved"}}, "drop": []},
                    "account": "He would not leave the stairwell.",
                },
            )
        )  # fmt: skip
    chance.shuffle(edits)
    return edits
