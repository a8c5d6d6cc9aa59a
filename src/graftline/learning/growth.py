"""Growth of the largest lesion without treatment: a mixed-effects model of two kinds of series.

Every reading of ln volume has an error, the first one included. A series between treatments is either **followed** (the
same lesion, read with an ordinary error, growing by the Gompertz law as in the twin) or **erratic** (another lesion
becomes the largest, or a treatment that the table does not record, or the late effect of an earlier one; ln volume
changes in a line). Which of the two is not observed: the likelihood adds up both. Growth constants and slopes are
normal between series and may be negative.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit, logsumexp, ndtr, ndtri

from ..evidence import card
from ..statistics import LikelihoodFit, LogLikelihood, maximise
from .natural_history import Intervals, NaturalHistory, Series, series, without_copies

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
UNTREATED_DAYS = (20.0, 200.0)
"""shortest and longest interval: closer scans tell of reading errors, farther ones of treatment elsewhere"""
LEAST_DIAMETER_MM = 20.0
"""smallest lesion whose growth is followed"""
_NODES = 15
_WIDER = 1.2  # the nodes lie a little wider than the curvature at the top says, for the tails
_STEPS_TO_TOP = 8
_LONGEST_STEP = 2.0  # standard deviations between series, in one step towards the top
RATE_UNIT = 1e-3
"""1/day: rates are fitted in this unit, so that parameters are of order 1"""
_START = {"mean": 1.0, "ln_sd": 0.0, "ln_error": -1.5, "other_mean": -10.0, "other_ln_sd": 2.5, "other_ln_error": 0.0}


@dataclass(frozen=True, kw_only=True)
class GrowthFit:
    """What untreated intervals tell of growth; rates are Gompertz constants, 1/day."""

    fit: LikelihoodFit
    runs: int
    """series of untreated visits"""
    runs_used: int
    """those left when repeated diameters are taken out"""
    copied_share: float
    """share of intervals in which the diameter is repeated to the millimetre"""

    @property
    def mean(self) -> float:
        """Mean Gompertz constant of followed series, 1/day."""
        return RATE_UNIT * self.fit["mean"]

    @property
    def standard_deviation(self) -> float:
        """Its standard deviation between series, 1/day."""
        return RATE_UNIT * float(np.exp(self.fit["ln_sd"]))

    @property
    def scan_error(self) -> float:
        """Standard deviation of a reading of ln volume in followed series."""
        return float(np.exp(self.fit["ln_error"]))

    @property
    def followed_share(self) -> float:
        """Share of series that are followed."""
        return float(expit(self.fit["logit_followed"]))

    @property
    def erratic(self) -> tuple[float, float, float]:
        """Mean and standard deviation of the slope of ln volume, 1/day, and error of a reading, in erratic series."""
        fit = self.fit
        spread, error = np.exp([fit["other_ln_sd"], fit["other_ln_error"]])
        return RATE_UNIT * fit["other_mean"], RATE_UNIT * float(spread), float(error)

    @property
    def growing_share(self) -> float:
        """Share of followed series whose lesion truly grows."""
        return float(ndtr(self.mean / self.standard_deviation))

    def growing_quantile(self, share: float) -> float:
        """Quantile of the Gompertz constant among those that truly grow, 1/day."""
        return _growing_quantile({name: self.fit[name] for name in self.fit.names}, share)

    def doubling_days(self, share: float = 0.5) -> tuple[float, float, float]:
        """Volume doubling at the reference volume for a quantile of those that grow, with its 95 % interval."""
        per_constant = np.log(card("twin_Vmax").number / card("twin_hn_volume").number)

        def log_days(values: Mapping[str, float]) -> float:
            return float(np.log(np.log(2) / (_growing_quantile(values, share) * per_constant)))

        low, high = self.fit.interval_of(log_days)
        value = log_days({name: self.fit[name] for name in self.fit.names})
        return float(np.exp(value)), float(np.exp(low)), float(np.exp(high))


def untreated(history: NaturalHistory, wanted: Flags | None = None) -> Intervals:
    """Intervals without treatment, 20-200 days, from a lesion of 20 mm or more to one that is still seen.

    `wanted` narrows them, one flag per visit that begins an interval.
    """
    found = history.intervals
    shortest, longest = UNTREATED_DAYS
    kept = ~history.treated[found.start] & (found.days >= shortest) & (found.days <= longest)
    kept &= (history.diameter[found.start] >= LEAST_DIAMETER_MM) & (history.diameter[found.end] > 0)
    return found.where(kept if wanted is None else kept & wanted[found.start])


def fit_growth(history: NaturalHistory, wanted: Flags | None = None) -> GrowthFit:
    """Maximum likelihood over all untreated series; `wanted` as in `untreated`.

    Diameters that repeat the one before are left out (carried over, not read anew). Series that end because the lesion
    is gone say nothing of growth and end at the visit before.
    """
    chains = untreated(history, wanted).chains()
    with np.errstate(divide="ignore"):
        logarithm = np.log(history.volume)
    kept = without_copies(chains, history.diameter)
    intervals = sum(len(chain) - 1 for chain in chains)
    copied = sum(history.diameter[a] == history.diameter[b] for chain in chains for a, b in pairwise(chain))
    followed = series(history, kept, logarithm)
    return GrowthFit(
        fit=maximise(growth_likelihood(followed), {**_START, "logit_followed": 0.0}),
        runs=len(chains),
        runs_used=len(kept),
        copied_share=float(copied / intervals) if intervals else 0.0,
    )


def growth_likelihood(followed: Series) -> LogLikelihood:
    """The log-likelihood of series of ln volume, per patient, as a function of the parameters by name."""
    room = np.log(np.maximum(card("twin_Vmax").number, np.exp(followed.start) / card("twin_V0_share").number))
    room = room - followed.start

    def contributions(values: Mapping[str, float]) -> Numbers:
        ours = _gompertz(
            followed, room, values["mean"] * RATE_UNIT, RATE_UNIT * _exp(values["ln_sd"]), _exp(values["ln_error"])
        )
        other = _mixed(
            followed,
            followed.days,
            values["other_mean"] * RATE_UNIT,
            RATE_UNIT * _exp(values["other_ln_sd"]),
            _exp(values["other_ln_error"]),
        )
        either = np.logaddexp(
            float(log_expit(values["logit_followed"])) + ours, float(log_expit(-values["logit_followed"])) + other
        )
        return followed.per_person(either)

    return contributions


def _exp(logarithm: float) -> float:
    return float(np.exp(logarithm))


def _mixed(followed: Series, days: Numbers, mean: float, spread: float, error: float) -> Numbers:
    """Log-density of the changes of each series: slope normal (mean, spread) x days, error at every reading.

    The changes share the error of the first reading and the slope, so their covariance is error^2 (I + 11') +
    spread^2 dd'. It is inverted by hand (Woodbury), with two vectors of length sqrt(weight).
    """
    count = followed.seen.sum(axis=1)
    residual = followed.change - mean * days
    one, slope = 1.0, spread / error  # weights of the two vectors, in units of the error
    a = 1 + one * count
    b = slope * days.sum(axis=1)
    c = 1 + slope**2 * np.sum(days**2, axis=1)
    determinant = a * c - b**2
    first = residual.sum(axis=1)
    second = slope * np.sum(residual * days, axis=1)
    square = np.sum(residual**2, axis=1) - (c * first**2 - 2 * b * first * second + a * second**2) / determinant
    normal = count * np.log(2 * np.pi * error**2) + np.log(determinant) + square / error**2
    return np.asarray(-normal / 2, dtype=np.float64)


def _gompertz(followed: Series, room: Numbers, mean: float, spread: float, error: float) -> Numbers:
    """Log-density of the changes of each series under Gompertz growth with a normal constant, at its own `room`.

    `room` is ln(Vmax / V) at the first reading. Given the constant k, a change is room x (1 - exp(-k days)), and the
    error of the first reading is left by exp(-k days) of itself. Over k by adaptive Gauss-Hermite quadrature (Liu &
    Pierce, Biometrika 1994;81:624), centred at the top of each series' integrand.
    """
    count = followed.seen.sum(axis=1)
    centre = np.full(len(room), mean)
    for _ in range(_STEPS_TO_TOP):  # Gauss-Newton
        left, residual, shared = _parts(followed, room, centre)
        slope = room[:, None] * followed.days * left
        along, across = np.sum(slope * residual, axis=1), np.sum(slope * left, axis=1)
        pull = along - across * np.sum(residual * left, axis=1) / shared
        told = np.sum(slope**2, axis=1) - across**2 / shared
        precision = 1 / spread**2 + told / error**2
        step = ((mean - centre) / spread**2 + pull / error**2) / precision
        centre = centre + np.clip(step, -_LONGEST_STEP * spread, _LONGEST_STEP * spread)
    width = _WIDER / np.sqrt(precision)
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    parts = []
    for node, weight in zip(nodes, weights, strict=True):
        constant = centre + width * node
        left, residual, shared = _parts(followed, room, constant)
        square = np.sum(residual**2, axis=1) - np.sum(residual * left, axis=1) ** 2 / shared
        density = -(count * np.log(2 * np.pi * error**2) + np.log(shared) + square / error**2) / 2
        prior = -(((constant - mean) / spread) ** 2) / 2 - np.log(spread)
        parts.append(density + prior + np.log(width) + node**2 / 2 + np.log(weight) - np.log(2 * np.pi) / 2)
    return np.asarray(logsumexp(np.stack(parts), axis=0), dtype=np.float64)


def _parts(followed: Series, room: Numbers, constant: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """What is left of the first error at each visit, the residuals, and 1 + the sum of squares of what is left."""
    left = np.where(followed.seen, np.exp(-constant[:, None] * followed.days), 0.0)
    residual = np.where(followed.seen, followed.change - room[:, None] * (1 - left), 0.0)
    return left, residual, 1 + np.sum(left**2, axis=1)


def _growing_quantile(values: Mapping[str, float], share: float) -> float:
    mean, spread = values["mean"], _exp(values["ln_sd"])
    shrinking = float(ndtr(-mean / spread))
    return RATE_UNIT * (mean + spread * float(ndtri(shrinking + share * (1 - shrinking))))
