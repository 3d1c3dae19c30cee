"""Runs of numbers are the same set, however they came."""

from hypothesis import given
from hypothesis import strategies as st

from server.sync.counting import Runs, add, has, joined, missing

numbers = st.lists(st.integers(1, 40))


@given(numbers)
def test_runs_hold_what_was_added_in_as_few_runs_as_will_do(added: list[int]) -> None:
    runs: Runs = []
    for number in added:
        add(runs, number)
    assert [number for first, last in runs for number in range(first, last + 1)] == sorted(set(added))
    assert all(runs[n][1] + 1 < runs[n + 1][0] for n in range(len(runs) - 1))
    assert [number for number in range(50) if has(runs, number)] == sorted(set(added))


@given(numbers, st.integers(0, 50))
def test_what_is_missing_is_what_was_never_added(added: list[int], upto: int) -> None:
    runs = joined([number, number] for number in added)
    assert list(missing(runs, upto)) == [number for number in range(1, upto + 1) if number not in added]
