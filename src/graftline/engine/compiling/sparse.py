"""Which entries a sparse matrix gets when it is factored, and in which order that is cheapest. No numbers here."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

Entry = tuple[int, int]
"""row and column, in the order of elimination"""


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

    After the operations, entries below the diagonal hold L (its diagonal is 1), those above hold U, and those on the
    diagonal the reciprocals of U's.
    """

    order: tuple[int, ...]
    """place in the elimination -> row and column of the matrix"""
    entries: tuple[Entry, ...]
    operations: tuple[Operation, ...]

    def below(self, row: int) -> list[int]:
        """Columns of L in a row, left of the diagonal."""
        return [column for own, column in self.entries if own == row and column < row]

    def above(self, row: int) -> list[int]:
        """Columns of U in a row, right of the diagonal."""
        return [column for own, column in self.entries if own == row and column > row]


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
            operations.extend(Operation(kind="subtract", target=(i, j), first=(i, k), second=(k, j)) for j in upper)
    return Factorisation(order=tuple(order), entries=tuple(sorted(entries)), operations=tuple(operations))
