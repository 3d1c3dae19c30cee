"""Sets of numbers kept as runs, [[first, last], …] in order: what a phone has sent is nearly always one run. Pure."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from operator import itemgetter

Runs = list[list[int]]


def has(runs: Runs, number: int) -> bool:
    at = bisect_right(runs, number, key=itemgetter(0))
    return at > 0 and runs[at - 1][1] >= number


def add(runs: Runs, number: int) -> None:
    if runs and runs[-1][1] == number - 1:
        runs[-1][1] = number  # what nearly always happens
    elif not has(runs, number):
        runs[:] = joined([*runs, [number, number]])


def joined(runs: Iterable[list[int]]) -> Runs:
    """The same numbers in as few runs as will do."""
    result: Runs = []
    for first, last in sorted(runs):
        if result and first <= result[-1][1] + 1:
            result[-1][1] = max(result[-1][1], last)
        else:
            result.append([first, last])
    return result


def missing(runs: Runs, upto: int) -> Iterator[int]:
    """The numbers from 1 to `upto` that are in none of them."""
    following = 1
    for first, last in [*runs, [upto + 1, upto + 1]]:
        yield from range(following, min(first, upto + 1))
        following = max(following, last + 1)
