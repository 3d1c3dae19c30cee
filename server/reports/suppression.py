"""Which numbers of a table must be hidden, so that nobody can find a small one: not by reading it, and not by subtraction."""

from collections.abc import Iterator
from typing import Any

import numpy as np

SMALLEST_SHOWN = 5  # a count of people or of what they did; none at all may be shown
SMALLEST_GROUP = 10  # people in it; of fewer nothing is shown
ROOM = SMALLEST_SHOWN - 1  # how far a hidden number must be free to move without any shown one changing

Counts = np.ndarray[Any, np.dtype[np.int64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]
Place = tuple[int, int]


def hidden_in_line(counts: Counts, also: Mask | None = None) -> Mask:
    """What to hide of some counts whose sum is shown. `also` says of each whether its group is too small, whatever it counts."""
    small = is_small(counts) if also is None else is_small(counts) | also
    table = with_totals(counts.reshape(1, -1))
    unsafe = np.zeros(table.shape, dtype=bool)
    unsafe[0, :-1] = small
    hidden = unsafe.copy()
    hidden[1, :-1] = True  # below one line, the totals are the same numbers again
    return hide_more(table, hidden, unsafe)[0, :-1]


def hidden_in_grid(counts: Counts, rows: Mask, columns: Mask) -> Mask:
    """What to hide inside a grid whose totals are shown, but for the rows and columns whose totals are hidden."""
    table = with_totals(counts)
    hidden = np.zeros(table.shape, dtype=bool)
    hidden[:-1, :-1] = is_small(counts)
    hidden[:-1, -1], hidden[-1, :-1] = rows, columns
    return hide_more(table, hidden, hidden & is_small(table))[:-1, :-1]


def is_small(counts: Counts) -> Mask:
    return np.asarray((counts > 0) & (counts < SMALLEST_SHOWN))


def with_totals(counts: Counts) -> Counts:
    down = np.vstack([counts, counts.sum(axis=0)])
    return np.hstack([down, down.sum(axis=1, keepdims=True)])


def hide_more(table: Counts, hidden: Mask, unsafe: Mask) -> Mask:
    """The mask, with as much more of the inside hidden as keeps every unsafe number from being found."""
    hidden = hidden.copy()
    for found in places(unsafe):  # once each: what is safe stays safe when more is hidden
        while not is_safe(table, hidden, found):
            shown = places(~hidden[:-1, :-1])
            if not shown:
                return hidden
            hidden[min(shown, key=lambda place: cost(table, place, found))] = True
    return hidden


def cost(table: Counts, place: Place, unsafe: Place) -> tuple[bool, bool, int]:
    """What it costs the reader to lose this number: least beside the unsafe one, where it is not none, and is low."""
    beside = place[0] == unsafe[0] or place[1] == unsafe[1]
    return (not beside, bool(table[place] == 0), int(table[place]))


def is_safe(table: Counts, hidden: Mask, place: Place) -> bool:
    return moves(table, hidden, place, 1) + moves(table, hidden, place, -1) >= ROOM


def moves(table: Counts, hidden: Mask, place: Place, step: int) -> int:
    """How many steps the number at `place` could be off, with every shown number right and none below zero; ROOM at most."""
    table = table.copy()
    for done in range(ROOM):
        if step < 0 and table[place] == 0:
            return done
        changes = other_changes(table, hidden, place, step)
        if changes is None:
            return done
        for changed, by in [(place, step), *changes]:
            table[changed] += by
    return ROOM


def other_changes(table: Counts, hidden: Mask, place: Place, step: int) -> list[tuple[Place, int]] | None:
    """The changes elsewhere that hide one step here, or None. A way through the hidden numbers, by rows and columns in turn.

    Totals count as negative, so that every row and column adds up to nothing: what goes up in it must go down in it.
    """
    row, column = ("row", place[0]), ("column", place[1])
    start, end = (column, row) if step * sign(table, place) > 0 else (row, column)
    ways: dict[Any, list[tuple[Place, int]]] = {start: []}
    queue = [start]
    for node in queue:
        for reached, changed, by in steps_from(table, hidden, node):
            if changed != place and reached not in ways:
                ways[reached] = [*ways[node], (changed, by)]
                queue.append(reached)
                if reached == end:
                    return ways[end]
    return None


def steps_from(table: Counts, hidden: Mask, node: tuple[str, int]) -> Iterator[tuple[tuple[str, int], Place, int]]:
    """From a row something in it goes up, to its column; from a column something goes down, to its row."""
    side, number = node
    line = hidden[number] if side == "row" else hidden[:, number]
    for other in np.flatnonzero(line).tolist():
        place = (number, other) if side == "row" else (other, number)
        by = sign(table, place) * (1 if side == "row" else -1)
        if by > 0 or table[place] > 0:
            yield ("column" if side == "row" else "row", other), place, by


def sign(table: Counts, place: Place) -> int:
    return -1 if (place[0] == len(table) - 1) != (place[1] == table.shape[1] - 1) else 1


def places(mask: Mask) -> list[Place]:
    return [(int(row), int(column)) for row, column in np.argwhere(mask)]
