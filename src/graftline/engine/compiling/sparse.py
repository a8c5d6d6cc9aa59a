"""Which entries a sparse matrix gets when it is factored, and in which order that is cheapest. No numbers here."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

Entry = tuple[int, int]
"""row and column, in the order of elimination"""
RIGHT = -1
"""the column of the right-hand side, which becomes the solution"""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One step of the factorisation, on entries of the matrix in place.

    `invert`: target <- 1 / target; `scale`: target <- target * first; `subtract`: target <- target - first * second.
    """

    kind: Literal["invert", "scale", "subtract"]
    target: Entry
    first: Entry = (0, 0)
    second: Entry = (0, 0)


@dataclass(frozen=True, kw_only=True)
class Factorisation:
    """L and U of a matrix with the given pattern, pivots on the diagonal.

    After the operations, entries below the diagonal hold L (its diagonal is 1), those on the diagonal the reciprocals
    of U's, and those above the rest of U, each multiplied with the reciprocal of its row.
    """

    order: tuple[int, ...]
    """place in the elimination -> row and column of the matrix"""
    entries: tuple[Entry, ...]
    operations: tuple[Operation, ...]

    @property
    def solution(self) -> tuple[Operation, ...]:
        """Solve with the factors: first with L, then with U."""
        below: list[list[int]] = [[] for _ in self.order]
        above: list[list[int]] = [[] for _ in self.order]
        for row, column in self.entries:
            if column != row:
                (below if column < row else above)[row].append(column)
        found = []
        for row, columns in enumerate(below):
            found += [_subtract((row, RIGHT), (row, k), (k, RIGHT)) for k in columns]
        for row, columns in reversed(list(enumerate(above))):
            found.append(Operation(kind="scale", target=(row, RIGHT), first=(row, row)))
            # what is known last is used last, so that nothing waits for it longer than it must
            found += [_subtract((row, RIGHT), (row, k), (k, RIGHT)) for k in reversed(columns)]
        return tuple(found)


def _subtract(target: Entry, first: Entry, second: Entry) -> Operation:
    return Operation(kind="subtract", target=target, first=first, second=second)


def factorise(size: int, pattern: Collection[Entry]) -> Factorisation:
    """Plan the factorisation of a matrix whose entries outside `pattern` and the diagonal are zero.

    Pivots follow Markowitz (the one that touches the fewest others first; ties by number).
    """
    rows = [{i, *(c for r, c in pattern if r == i)} for i in range(size)]
    columns = [{j, *(r for r, c in pattern if c == j)} for j in range(size)]
    left = list(range(size))
    order: list[int] = []
    below: list[list[int]] = []
    right: list[list[int]] = []
    while left:
        pivot = min(left, key=lambda k: ((len(rows[k]) - 1) * (len(columns[k]) - 1), k))
        left.remove(pivot)
        order.append(pivot)
        below.append(sorted(columns[pivot] - {pivot}))
        right.append(sorted(rows[pivot] - {pivot}))
        for i in below[-1]:
            rows[i].discard(pivot)
        for j in right[-1]:
            columns[j].discard(pivot)
        for i in below[-1]:
            for j in right[-1]:
                rows[i].add(j)
                columns[j].add(i)
    return _planned(order, below, right)


def _planned(order: list[int], below: list[list[int]], right: list[list[int]]) -> Factorisation:
    place = {name: k for k, name in enumerate(order)}
    entries: set[Entry] = set()
    operations: list[Operation] = []
    for k in range(len(order)):
        lower = sorted(place[i] for i in below[k])
        upper = sorted(place[j] for j in right[k])
        entries.update([(k, k), *((i, k) for i in lower), *((k, j) for j in upper)])
        operations.append(Operation(kind="invert", target=(k, k)))
        for i in lower:
            operations.append(Operation(kind="scale", target=(i, k), first=(k, k)))
            operations.extend(_subtract((i, j), (i, k), (k, j)) for j in upper)
        operations.extend(Operation(kind="scale", target=(k, j), first=(k, k)) for j in upper)
    return Factorisation(order=tuple(order), entries=tuple(sorted(entries)), operations=tuple(operations))
