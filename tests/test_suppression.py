"""No small number can be found: not by reading it, and not by taking the shown ones from each other."""

from functools import cache

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from server.reports.suppression import SMALLEST_SHOWN, Counts, Mask, hidden_in_grid, hidden_in_line, is_small

counts = st.integers(0, 7)
MOST_GUESSED = 16


def test_a_small_number_hides_another_beside_it() -> None:
    assert hidden_in_line(np.array([20, 3, 9, 30])).tolist() == [False, True, True, False]


def test_nothing_is_hidden_where_nothing_is_small() -> None:
    assert not hidden_in_line(np.array([20, 0, 9, 30])).any()
    assert not hidden_in_grid(np.array([[20, 0], [9, 30]]), np.array([False, False]), np.array([False, False])).any()


def test_a_group_of_few_people_is_hidden_whatever_it_counts() -> None:
    hidden = hidden_in_line(np.array([20, 30, 40]), also=np.array([False, True, False]))
    assert hidden.tolist() == [True, True, False]


@settings(deadline=None)
@given(st.lists(counts, min_size=2, max_size=5))
def test_no_small_number_of_a_line_can_be_found_by_subtraction(numbers: list[int]) -> None:
    line = np.array(numbers)
    assume(line.sum() >= SMALLEST_SHOWN)
    hidden = hidden_in_line(line)
    assert hidden[is_small(line)].all()
    assert_not_found(line, hidden, tables_like(line, hidden))


@settings(deadline=None)
@given(st.integers(2, 3).flatmap(lambda wide: st.lists(st.lists(counts, min_size=wide, max_size=wide), min_size=2, max_size=2)))
def test_no_small_number_of_a_grid_can_be_found_by_subtraction(rows: list[list[int]]) -> None:
    grid = np.array(rows)
    across, down = grid.sum(axis=1), grid.sum(axis=0)
    no_rows, no_columns = hidden_in_line(across), hidden_in_line(down)
    hidden = hidden_in_grid(grid, no_rows, no_columns)
    assume(grid.sum() >= SMALLEST_SHOWN)
    assume(grid[hidden].sum() <= MOST_GUESSED)
    assert hidden[is_small(grid)].all()
    others = tables_like(grid, hidden)
    others = others[(others.sum(axis=2) == across)[:, ~no_rows].all(axis=1)]
    others = others[(others.sum(axis=1) == down)[:, ~no_columns].all(axis=1)]
    assert_not_found(grid, hidden, others)
    assert_not_found(across, no_rows, others.sum(axis=2))
    assert_not_found(down, no_columns, others.sum(axis=1))


def tables_like(table: Counts, hidden: Mask) -> Counts:
    """Every table with the same sum and the same numbers where they are shown."""
    guesses = np.array(list(shares(int(table[hidden].sum()), int(hidden.sum()))), dtype="int64")
    tables = np.repeat(table[None], len(guesses), axis=0)
    tables[:, hidden] = guesses
    return tables


@cache
def shares(total: int, places: int) -> list[tuple[int, ...]]:
    """Every way to share a number out over so many places."""
    if places < 2:
        return [(total,) * places] if places or not total else []
    return [(first, *rest) for first in range(total + 1) for rest in shares(total - first, places - 1)]


def assert_not_found(table: Counts, hidden: Mask, others: Counts) -> None:
    """Whatever is hidden and small could be any of several numbers, for all that is shown."""
    assert (others == table).reshape(len(others), -1).all(axis=1).any()
    for place in np.argwhere(hidden & is_small(table)):
        assert len(np.unique(others[(slice(None), *place)])) >= SMALLEST_SHOWN
