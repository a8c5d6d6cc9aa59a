"""Time to an event with censoring: Kaplan-Meier, and Aalen-Johansen where other events compete.

Times are whole days. **Tie rule:** of several things on the same day the events come first, then the censorings; so
who is censored on a day is still at risk on it. (Times that differ by 1e-7 are tied for one package and not for
another, and change its answer; whole days leave no doubt.)
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

Numbers = NDArray[np.float64]
Days = NDArray[np.int64]
_HALF = 0.5
_SAME = 1e-12  # a curve this close to one half lies on it


class Transform(StrEnum):
    """The scale on which a confidence interval of survival is symmetric; packages differ in their default."""

    PLAIN = "plain"
    LOG = "log"
    """the default of R survival"""
    LOG_LOG = "log-log"
    """the default of lifelines"""


@dataclass(frozen=True)
class MedianTime:
    """Median time with its interval in days; NaN where the curve (or its limit) does not come down to one half."""

    days: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class SurvivalCurve:
    """Kaplan-Meier estimate: a step at each day with an event or a censoring.

    All arrays are (steps,): `at_risk` just before the day, `survival` from that day on. `standard_error` is
    Greenwood's; `low` and `high` are pointwise limits at `level` on the scale named by `transform`, NaN once survival
    is 0 (there the variance has no estimate).
    """

    days: Days
    at_risk: NDArray[np.int64]
    events: NDArray[np.int64]
    censored: NDArray[np.int64]
    survival: Numbers
    standard_error: Numbers
    low: Numbers
    high: Numbers
    level: float
    transform: Transform

    def at(self, day: ArrayLike) -> Numbers:
        """Share without the event at the end of these days."""
        return _step(self.days, self.survival, day, before=1.0)

    def limits_at(self, day: ArrayLike) -> tuple[Numbers, Numbers]:
        """Lower and upper confidence limit at the end of these days."""
        return _step(self.days, self.low, day, before=1.0), _step(self.days, self.high, day, before=1.0)

    def at_risk_on(self, day: ArrayLike) -> NDArray[np.int64]:
        """How many are followed and without the event at the start of these days: the numbers under the figure."""
        wanted = np.asarray(day)
        place = np.searchsorted(self.days, wanted, side="left")
        counts = np.append(self.at_risk, 0)
        return np.asarray(counts[place], dtype=np.int64)

    def median(self) -> MedianTime:
        """Median with the interval read off the pointwise limits (Brookmeyer & Crowley, Biometrics 1982;38:29).

        Where the curve runs exactly along one half, the middle of that stretch is taken, as R survival does.
        """
        curves = (self.survival, self.low, self.high)
        return MedianTime(*(_first_at_half(self.days, curve) for curve in curves))

    def restricted_mean(self, until: int) -> tuple[float, float]:
        """Mean days without the event up to day `until`, with its standard error.

        Follow-up must reach `until` unless the curve is already at 0; else the last value is carried on.
        """
        inside = self.days < until
        edges = np.concatenate([[0], self.days[inside], [until]])
        heights = np.concatenate([[1.0], self.survival[inside]])
        areas = heights * np.diff(edges)
        after = np.cumsum(areas[::-1])[::-1][1:]  # area right of each step
        d, n = self.events[inside], self.at_risk[inside]
        terms = np.where(after > 0, _hazard_variance(d, n), 0)  # nothing is uncertain right of a curve at 0
        variance = np.sum(after**2 * terms)
        return float(areas.sum()), float(np.sqrt(variance))


def kaplan_meier(
    days: ArrayLike, events: ArrayLike, *, transform: Transform | str, level: float = 0.95
) -> SurvivalCurve:
    """Share still without the event, from days to event or censoring and whether it was the event, both (people,).

    The transform of the confidence limits has no default, because packages differ and the answers do too.
    """
    steps, counts = _tabulate(days, np.asarray(events, dtype=np.int64), causes_allowed=1)
    censored, happened = counts[0], counts[1]
    at_risk = _at_risk(counts)
    survival = np.cumprod(1 - happened / at_risk)
    spread = np.sqrt(np.cumsum(_hazard_variance(happened, at_risk)))  # of the cumulative hazard
    standard_error = np.where(survival > 0, survival * np.where(np.isfinite(spread), spread, 0), np.nan)
    low, high = _limits(survival, spread, Transform(transform), level)
    return SurvivalCurve(
        days=steps,
        at_risk=at_risk,
        events=happened,
        censored=censored,
        survival=survival,
        standard_error=standard_error,
        low=low,
        high=high,
        level=level,
        transform=Transform(transform),
    )


@dataclass(frozen=True, kw_only=True)
class CumulativeIncidence:
    """Aalen-Johansen estimate: share that has had each of several competing events, (causes, steps).

    `free` is the share without any event, (steps,); all shares add up to 1 on every day. `standard_error` is that of
    the delta method (Marubini & Valsecchi, 1995, ch. 10), which is Greenwood's where there is one cause.
    """

    days: Days
    at_risk: NDArray[np.int64]
    incidence: Numbers
    standard_error: Numbers
    free: Numbers

    def at(self, cause: int, day: ArrayLike) -> Numbers:
        """Share that has had event `cause` (1, 2, …) by the end of these days."""
        return _step(self.days, self.incidence[cause - 1], day, before=0.0)


def cumulative_incidence(days: ArrayLike, causes: ArrayLike, number_of_causes: int) -> CumulativeIncidence:
    """Share with each competing event, from days, (people,), and cause, (people,): 0 censored, 1 … number_of_causes.

    Not 1 minus Kaplan-Meier, which would treat who died of something else as if it could still happen to them.
    """
    steps, counts = _tabulate(days, np.asarray(causes, dtype=np.int64), causes_allowed=number_of_causes)
    at_risk = _at_risk(counts)
    happened = counts[1:]
    free = np.cumprod(1 - happened.sum(axis=0) / at_risk)
    before = np.concatenate([[1.0], free[:-1]])
    incidence = np.cumsum(before * happened / at_risk, axis=1)
    spread = np.stack(
        [
            _incidence_error(share, ours, happened.sum(axis=0), at_risk, before)
            for share, ours in zip(incidence, happened, strict=True)
        ]
    )
    return CumulativeIncidence(
        days=steps, at_risk=at_risk, incidence=incidence, standard_error=spread, free=np.asarray(free)
    )


def survival_on_days(days: ArrayLike, events: ArrayLike, last_day: int) -> Numbers:
    """Kaplan-Meier curves of many replicates at once, at the end of days 0 … last_day, (replicates, last_day + 1).

    `days` and `events` are (replicates, people); negative days mark empty places of short replicates. Later days are
    cut off. NaN where nobody of the replicate is followed any more and the curve is not yet at 0.
    """
    times = np.asarray(days, dtype=np.int64)
    happened = np.asarray(events, dtype=np.bool_)
    replicates = times.shape[0]
    cut = np.minimum(times, last_day + 1)
    used = cut >= 0
    cell = np.arange(replicates)[:, None] * (last_day + 2) + np.maximum(cut, 0)
    shape = (replicates, last_day + 2)
    leaving = np.bincount(cell[used], minlength=shape[0] * shape[1]).reshape(shape)
    failing = np.bincount(cell[used & happened], minlength=shape[0] * shape[1]).reshape(shape)
    at_risk = np.cumsum(leaving[:, ::-1], axis=1)[:, ::-1][:, : last_day + 1]
    survival = np.cumprod(1 - failing[:, : last_day + 1] / np.maximum(at_risk, 1), axis=1)
    return np.asarray(np.where((at_risk > 0) | (survival <= 0), survival, np.nan), dtype=np.float64)


def _tabulate(days: ArrayLike, causes: NDArray[np.int64], *, causes_allowed: int) -> tuple[Days, NDArray[np.int64]]:
    """Distinct days, and how many people have each cause on each, (causes + 1, steps)."""
    raw = np.asarray(days, dtype=np.float64)
    if raw.ndim != 1 or raw.shape != causes.shape:
        raise ValueError(f"one day and one event flag for each person; got shapes {raw.shape} and {causes.shape}")
    if len(raw) == 0:
        raise ValueError("nobody to follow: a survival curve needs at least one person")
    if np.any(~np.isfinite(raw)) or np.any(raw != np.floor(raw)) or np.any(raw < 0):
        raise ValueError("times must be whole days, 0 or later; round them before")
    if np.any((causes < 0) | (causes > causes_allowed)):
        raise ValueError(f"events must be between 0 (censored) and {causes_allowed}")
    steps, place = np.unique(raw.astype(np.int64), return_inverse=True)
    counts = np.zeros((causes_allowed + 1, len(steps)), dtype=np.int64)
    np.add.at(counts, (causes, place), 1)
    return steps, counts


def _at_risk(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    leaving = counts.sum(axis=0)
    return np.asarray(np.cumsum(leaving[::-1])[::-1], dtype=np.int64)


def _hazard_variance(events: NDArray[np.int64], at_risk: NDArray[np.int64]) -> Numbers:
    """Greenwood's terms d / (n (n - d)); infinite where everybody at risk has the event."""
    left = at_risk - events
    return np.where(events == 0, 0.0, np.where(left > 0, events / (at_risk * np.maximum(left, 1)), np.inf))


def _limits(survival: Numbers, spread: Numbers, transform: Transform, level: float) -> tuple[Numbers, Numbers]:
    if not 0 < level < 1:
        raise ValueError(f"level is {level}; write a number between 0 and 1, for example 0.95")
    z = float(ndtri((1 + level) / 2))
    inner = (survival > 0) & (survival < 1)
    s, wide = np.where(inner, survival, _HALF), np.where(inner, z * spread, 0.0)
    if transform is Transform.PLAIN:
        low, high = s - s * wide, s + s * wide
    elif transform is Transform.LOG:
        low, high = s * np.exp(-wide), s * np.exp(wide)
    else:
        shift = wide / np.log(s)  # negative
        low, high = s ** np.exp(-shift), s ** np.exp(shift)
    at_ends = np.where(survival >= 1, 1.0, np.nan)
    low, high = (np.where(inner, np.clip(limit, 0, 1), at_ends) for limit in (low, high))
    return low, high


def _incidence_error(
    share: Numbers,
    ours: NDArray[np.int64],
    any_event: NDArray[np.int64],
    at_risk: NDArray[np.int64],
    before: Numbers,
) -> Numbers:
    gap = np.maximum(share[:, None] - share[None, :], 0)  # (at step t, since step j)
    past = np.tril(np.ones_like(gap))
    hazard = np.where(np.isfinite(_hazard_variance(any_event, at_risk)), _hazard_variance(any_event, at_risk), 0)
    direct = before**2 * ours * (at_risk - ours) / at_risk.astype(np.float64) ** 3
    mixed = before * ours / at_risk.astype(np.float64) ** 2
    variance = np.sum(past * (gap**2 * hazard + direct - 2 * gap * mixed), axis=1)
    return np.asarray(np.sqrt(np.maximum(variance, 0)), dtype=np.float64)


def _step(days: Days, values: Numbers, wanted: ArrayLike, *, before: float) -> Numbers:
    place = np.searchsorted(days, np.asarray(wanted), side="right")
    return np.asarray(np.concatenate([[before], values])[place], dtype=np.float64)


def _first_at_half(days: Days, curve: Numbers) -> float:
    """First day on which the curve is at or below one half; the middle of the stretch where it lies on one half."""
    down = np.flatnonzero(curve <= _HALF + _SAME)
    if len(down) == 0:
        return float("nan")
    first = int(down[0])
    if abs(curve[first] - _HALF) > _SAME:
        return float(days[first])
    below = np.flatnonzero(curve < _HALF - _SAME)
    return float(days[first] + days[below[0]]) / 2 if len(below) else float(days[first])
