"""Intervals for shares, for future counts and for simulated results."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv, ndtri
from scipy.stats import betabinom

Numbers = NDArray[np.float64]
_ROUND_OFF = 1e-9  # of a rank: 0.95 x 200 must be rank 190, not 191


class Interval(NamedTuple):
    """Lower and upper end, arrays of the same shape."""

    low: Numbers
    high: Numbers


def clopper_pearson(successes: ArrayLike, trials: ArrayLike, level: float = 0.95) -> Interval:
    """Exact interval of a share, k of n; never covers less often than `level`. 0 to 1 if there were no trials.

    Clopper & Pearson, Biometrika 1934;26:404. Arrays that broadcast together.
    """
    k, n, tail = _counts(successes, trials, level)
    low = np.where(k == 0, 0.0, betaincinv(np.maximum(k, 1), n - k + 1, tail))
    high = np.where(k == n, 1.0, betaincinv(k + 1, np.maximum(n - k, 1), 1 - tail))
    return Interval(np.asarray(low), np.asarray(high))


def wilson(successes: ArrayLike, trials: ArrayLike, level: float = 0.95) -> Interval:
    """Score interval of a share, k of n, without continuity correction. 0 to 1 if there were no trials.

    Wilson, J Am Stat Assoc 1927;22:209. Arrays that broadcast together.
    """
    k, n, tail = _counts(successes, trials, level)
    z = float(-ndtri(tail))
    some = np.maximum(n, 1)
    centre = (k + z**2 / 2) / (some + z**2)
    half = z * np.sqrt(k * (some - k) / some + z**2 / 4) / (some + z**2)
    low = np.where((n == 0) | (k == 0), 0.0, centre - half)
    high = np.where((n == 0) | (k == n), 1.0, centre + half)
    return Interval(np.asarray(low), np.asarray(high))


def jeffreys(successes: ArrayLike, trials: ArrayLike, level: float = 0.95) -> Interval:
    """Equal-tailed Bayesian interval of a share under the prior Beta(1/2, 1/2); ends at 0 for k = 0 and at 1 for k = n.

    Brown, Cai & DasGupta, Stat Sci 2001;16:101, with their modification at the ends. Arrays that broadcast together.
    """
    k, n, tail = _counts(successes, trials, level)
    low = np.where(k == 0, 0.0, betaincinv(k + 0.5, n - k + 0.5, tail))
    high = np.where(k == n, 1.0, betaincinv(k + 0.5, n - k + 0.5, 1 - tail))
    return Interval(np.asarray(low), np.asarray(high))


def beta_binomial_prediction(
    successes: ArrayLike, trials: ArrayLike, future_trials: ArrayLike, level: float = 0.9
) -> Interval:
    """Naive interval for a future count out of `future_trials`, knowing only k of n: no model, no covariates.

    The share has the Jeffreys posterior Beta(k + 1/2, n - k + 1/2), the count is beta-binomial. Each end is the
    smallest count whose cumulative probability reaches its tail, so the interval holds at least `level`. With n = 0
    the prior alone speaks.
    """
    k, n, tail = _counts(successes, trials, level)
    future = np.asarray(future_trials, dtype=np.float64)
    _check_whole(future, "future_trials")
    law = betabinom(future, k + 0.5, n - k + 0.5)
    return Interval(np.asarray(law.ppf(tail), dtype=np.float64), np.asarray(law.ppf(1 - tail), dtype=np.float64))


def prediction_interval(samples: ArrayLike, level: float = 0.9, axis: int = 0) -> Interval:
    """Where the middle `level` of simulated results lies, along `axis`; the ends are values that did occur.

    Quantile rule: the smallest sampled value at or below which at least the wanted share of the samples lies (the
    inverse of the empirical distribution function), so counts stay whole numbers. Raises ValueError for no samples or
    for NaN: a replicate that failed must be dealt with, not skipped in silence.
    """
    values = np.sort(np.asarray(samples, dtype=np.float64), axis=axis)
    tail = _tail(level)
    count = values.shape[axis]
    if count == 0:
        raise ValueError("no samples: an interval needs at least one replicate")
    if np.isnan(values).any():
        raise ValueError("samples contain NaN; leave failed replicates out by name and report how many")
    ranks = [max(int(np.ceil(share * count - _ROUND_OFF)), 1) - 1 for share in (tail, 1 - tail)]
    low, high = (np.take(values, rank, axis=axis) for rank in ranks)
    return Interval(np.asarray(low), np.asarray(high))


def _tail(level: float) -> float:
    if not 0 < level < 1:
        raise ValueError(f"level is {level}; write a number between 0 and 1, for example 0.95")
    return (1 - level) / 2


def _counts(successes: ArrayLike, trials: ArrayLike, level: float) -> tuple[Numbers, Numbers, float]:
    k, n = np.broadcast_arrays(np.asarray(successes, dtype=np.float64), np.asarray(trials, dtype=np.float64))
    _check_whole(k, "successes")
    _check_whole(n, "trials")
    if np.any(k > n):
        raise ValueError("more successes than trials")
    return k, n, _tail(level)


def _check_whole(counts: Numbers, name: str) -> None:
    if np.any(~np.isfinite(counts)) or np.any(counts < 0) or np.any(counts != np.floor(counts)):
        raise ValueError(f"{name} must be whole numbers, 0 or more")
