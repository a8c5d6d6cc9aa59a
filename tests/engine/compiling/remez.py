"""The exchange algorithm of Remez in many digits: the best polynomial for a function under a weight."""

from collections.abc import Callable

import mpmath as mp

BITS = 240


def minimax(function: Callable, weight: Callable, low, high, terms: int):
    """Coefficients (lowest first) and the largest weighted error of the best polynomial with so many terms."""
    with mp.workprec(BITS):
        count = 60 * terms
        half, middle = (high - low) / 2, (high + low) / 2
        grid = [middle - half * mp.cos(mp.pi * (k + mp.mpf(1) / 2) / count) for k in range(count)]
        wanted, weights = [function(x) for x in grid], [weight(x) for x in grid]
        reference = [int((k + 0.5) * count / (terms + 1)) for k in range(terms + 1)]
        for _ in range(40):
            coefficients, level = _levelled(grid, wanted, weights, reference, terms)
            errors = [
                w * (mp.polyval(coefficients[::-1], x) - g) for x, g, w in zip(grid, wanted, weights, strict=True)
            ]
            largest, following = max(map(abs, errors)), _extremes(errors, terms + 1)
            if following == reference or largest < level * (1 + mp.mpf(10) ** -3):
                break
            reference = following
        return coefficients, largest


def _levelled(grid, wanted, weights, reference, terms):
    """The polynomial whose weighted errors at the reference are equal in size and alternate in sign, and that size."""
    matrix, right = mp.matrix(terms + 1, terms + 1), mp.matrix(terms + 1, 1)
    for row, k in enumerate(reference):
        for column in range(terms):
            matrix[row, column] = grid[k] ** column
        matrix[row, terms], right[row] = (-1) ** row / weights[k], wanted[k]
    solved = list(mp.lu_solve(matrix, right))
    return solved[:terms], abs(solved[terms])


def _extremes(errors, count):
    """Places of the largest errors between changes of sign, as many as asked."""
    places: list[int] = []
    for k, error in enumerate(errors):
        if places and (errors[places[-1]] > 0) == (error > 0):
            if abs(error) > abs(errors[places[-1]]):
                places[-1] = k
        else:
            places.append(k)
    while len(places) > count:
        places.pop(0 if abs(errors[places[0]]) < abs(errors[places[-1]]) else -1)
    return places
