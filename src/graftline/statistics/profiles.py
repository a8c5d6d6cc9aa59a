"""Profile likelihood: how well the data can still be fitted when one parameter, or one combination, is held fixed.

Raue et al., Bioinformatics 2009;25:1923. A flat profile means that the data leave the parameter open. Knows no model.
Models are evaluated for many sets of parameters at once, because that is how they are solved fast.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri

Numbers = NDArray[np.float64]
Evaluate = Callable[[Numbers], tuple[Numbers, Numbers]]
"""(sets, parameters) -> residuals (sets, readings) with variance 1, and their derivatives (sets, readings, parameters);
NaN for a set that cannot be evaluated"""

_DAMPING, _EASED, _HARDENED, _MOST_DAMPING = 1e-3, 0.3, 4.0, 1e10
_LONGEST_STEP = 1.0
_MOST_ROUNDS = 60
_WALL = 10.0  # steepness of a bound: a tenth beyond it costs as much as one standard error
_LEAST_RIDGE = 1e-6  # of the most informed direction, so that uninformed ones are damped too
_NOT_ZERO = 1e-12
_SETTLED, _TWICE = 1e-4, 2  # fall of the misfit below which a fit rests, if it happens as often running


@dataclass(frozen=True, kw_only=True)
class Fits:
    """Where least squares came to rest; arrays over sets."""

    parameters: Numbers
    """(sets, parameters)"""
    misfit: Numbers
    """(sets,): minus twice the log-likelihood, up to a constant; with priors, of the posterior"""
    settled: NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Profile:
    """The best fit over a grid of one fixed weighted sum of parameters; arrays are (points,), points rising."""

    name: str
    values: Numbers
    """of the weighted sum"""
    misfit: Numbers
    """above the best fit of all (minus twice the log-likelihood ratio)"""
    settled: NDArray[np.bool_]
    best: float
    """the weighted sum at the best fit of all"""

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Where the misfit stays below the chi-square quantile, linear between points; infinite where it never rises
        above it within the grid."""
        limit = chdtri(1, 1 - level)
        below = np.flatnonzero(self.misfit <= limit)
        if not len(below):
            return self.best, self.best
        first, last = int(below[0]), int(below[-1])
        low = -np.inf if first == 0 else self._crossing(first - 1, first, limit)
        high = np.inf if last == len(self.values) - 1 else self._crossing(last + 1, last, limit)
        return low, high

    def _crossing(self, above: int, below: int, limit: float) -> float:
        share = (limit - self.misfit[below]) / (self.misfit[above] - self.misfit[below])
        return float(self.values[below] + share * (self.values[above] - self.values[below]))


@dataclass(frozen=True, kw_only=True)
class Prior:
    """Independent normal priors, (parameters,) each; an infinite standard deviation is none."""

    mean: Numbers
    standard_deviation: Numbers


def fit(evaluate: Evaluate, starts: Numbers, bounds: tuple[Numbers, Numbers], prior: Prior | None = None) -> Fits:
    """Least squares from each start, (sets, parameters), by Levenberg and Marquardt, all sets at once.

    `bounds` are lowest and highest parameters, (parameters,), held by a steep wall that begins there. A step that
    cannot be evaluated is tried shorter.
    """
    free = np.broadcast_to(np.eye(starts.shape[1]), (*starts.shape, starts.shape[1]))
    return _fit(_judged(evaluate, bounds, prior), starts, free)


def profiles(
    evaluate: Evaluate,
    best: Fits,
    combinations: Sequence[tuple[str, Numbers, Numbers]],
    bounds: tuple[Numbers, Numbers],
    prior: Prior | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Profile, ...]:
    """Profiles of weighted sums, each (name, weights (parameters,), rising grid).

    From the best fit (the first of `best`) the sum is moved outwards point by point, each fit starting from its
    neighbour, the others free. A fit that beats the best one lowers the misfit from which all profiles are counted.
    """
    centre = best.parameters[0]
    judged = _judged(evaluate, bounds, prior)
    tracks = [_Track(weights, grid, centre, up) for _, weights, grid in combinations for up in (False, True)]
    longest = max((len(track) for track in tracks), default=0)
    for step in range(longest):
        going = [track for track in tracks if step < len(track)]
        starts, free = np.stack([track.start(step) for track in going]), np.stack([track.free for track in going])
        found = _fit(judged, starts, free)
        for place, track in enumerate(going):
            track.note(found.parameters[place], float(found.misfit[place]), bool(found.settled[place]))
        if progress is not None:
            progress(step + 1, longest)
    lowest = min([float(best.misfit[0]), *(misfit for track in tracks for misfit in track.misfit)])
    return tuple(
        _joined(name, down, up, (float(weights @ centre), float(best.misfit[0])), lowest)
        for (name, weights, _), down, up in zip(combinations, tracks[::2], tracks[1::2], strict=True)
    )


class _Track:
    """One way out from the best fit along a weighted sum."""

    def __init__(self, weights: Numbers, grid: Numbers, centre: Numbers, up: bool) -> None:
        own = float(weights @ centre)
        self.values = grid[grid >= own] if up else grid[grid < own][::-1]
        self._weights, self._centre = weights, centre
        self.free = _orthogonal_to(weights)
        self.parameters: list[Numbers] = []
        self.misfit: list[float] = []
        self.settled: list[bool] = []

    def __len__(self) -> int:
        return len(self.values)

    def start(self, step: int) -> Numbers:
        """The neighbour's fit, moved along the weights to the next value."""
        before = self.parameters[-1] if self.parameters else self._centre
        missing = self.values[step] - self._weights @ before
        return np.asarray(before + self._weights * missing / (self._weights @ self._weights), dtype=np.float64)

    def note(self, parameters: Numbers, misfit: float, settled: bool) -> None:
        """Keep a fit."""
        self.parameters.append(parameters)
        self.misfit.append(misfit)
        self.settled.append(settled)


def _joined(name: str, down: _Track, up: _Track, best: tuple[float, float], lowest: float) -> Profile:
    """Both ways out with the best fit, (value, misfit), between them."""
    middle = [] if len(up) and up.values[0] == best[0] else [best]
    return Profile(
        name=name,
        values=np.array([*down.values[::-1], *(value for value, _ in middle), *up.values]),
        misfit=np.array([*down.misfit[::-1], *(misfit for _, misfit in middle), *up.misfit]) - lowest,
        settled=np.array([*down.settled[::-1], *(True for _ in middle), *up.settled], dtype=np.bool_),
        best=best[0],
    )


def _orthogonal_to(weights: Numbers) -> Numbers:
    """(parameters, parameters - 1): columns that leave the weighted sum as it is."""
    full, _ = np.linalg.qr(np.column_stack([weights, np.eye(len(weights))]))
    return np.asarray(full[:, 1 : len(weights)], dtype=np.float64)


def _judged(evaluate: Evaluate, bounds: tuple[Numbers, Numbers], prior: Prior | None) -> Evaluate:
    """Priors count as readings of the parameters themselves; so does the wall, outside the bounds only."""
    low, high = bounds

    def judged(parameters: Numbers) -> tuple[Numbers, Numbers]:
        residuals, slopes = evaluate(parameters)
        outside = np.maximum(parameters - high, 0.0) + np.minimum(parameters - low, 0.0)
        rows, ramps = [residuals, _WALL * outside], [slopes, _diagonal(_WALL * (outside != 0))]
        if prior is not None:
            rows.append((parameters - prior.mean) / prior.standard_deviation)
            ramps.append(_diagonal(np.broadcast_to(1 / prior.standard_deviation, parameters.shape)))
        return np.concatenate(rows, axis=1), np.concatenate(ramps, axis=1)

    return judged


def _diagonal(rows: Numbers) -> Numbers:
    """(sets, parameters) -> (sets, parameters, parameters)."""
    return np.asarray(rows[:, :, None] * np.eye(rows.shape[1]), dtype=np.float64)


def _fit(evaluate: Evaluate, starts: Numbers, free: Numbers) -> Fits:
    """Least squares along the columns of `free` (sets, parameters, directions); each set has its own damping."""
    places = starts.copy()
    residuals, slopes = evaluate(places)
    misfit = _sum_of_squares(residuals)
    damping = np.full(len(places), _DAMPING)
    settled, quiet = np.zeros(len(places), dtype=np.bool_), np.zeros(len(places))
    for _ in range(_MOST_ROUNDS):
        active = np.flatnonzero(~settled & np.isfinite(misfit))
        if not len(active):
            break
        tried = _stepped(places[active], residuals[active], slopes[active], damping[active], free[active])
        new_residuals, new_slopes = evaluate(tried)
        new = _sum_of_squares(new_residuals)
        better = new < misfit[active]
        won = active[better]
        fall = misfit[won] - new[better]
        quiet[won] = np.where(fall < _SETTLED, quiet[won] + 1, 0)
        settled[won] = quiet[won] >= _TWICE
        places[won], misfit[won] = tried[better], new[better]
        residuals[won], slopes[won] = new_residuals[better], new_slopes[better]
        damping[active] *= np.where(better, _EASED, _HARDENED)
        settled |= damping >= _MOST_DAMPING  # no direction leads down
    return Fits(parameters=places, misfit=misfit, settled=settled)


def _stepped(places: Numbers, residuals: Numbers, slopes: Numbers, damping: Numbers, free: Numbers) -> Numbers:
    """Where the damped Gauss-Newton step leads, at most _LONGEST_STEP in any parameter."""
    slopes = slopes @ free
    normal = np.einsum("smi,smj->sij", slopes, slopes)
    gradient = np.einsum("smi,sm->si", slopes, residuals)
    size = np.einsum("sii->si", normal)
    ridge = damping[:, None] * np.maximum(size, _LEAST_RIDGE * size.max(axis=1, keepdims=True) + _NOT_ZERO)
    normal = normal + ridge[:, :, None] * np.eye(normal.shape[1])
    step = -np.einsum("spi,si->sp", free, np.linalg.solve(normal, gradient[:, :, None])[:, :, 0])
    longest = np.maximum(np.abs(step).max(axis=1, keepdims=True), _NOT_ZERO)
    return np.asarray(places + step * np.minimum(1.0, _LONGEST_STEP / longest), dtype=np.float64)


def _sum_of_squares(residuals: Numbers) -> Numbers:
    total = np.einsum("sm,sm->s", residuals, residuals)
    return np.where(np.isfinite(total), total, np.inf)
