"""AFP and tumour volume: how much a tumour makes, how AFP follows a change of volume, how fast it falls.

Values that an assay does not tell are counted as what they are: an AFP at the cap is only known to be at least the cap,
one below 1 ng/mL only to be below.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit, log_ndtr

from ..evidence import card
from ..statistics import LikelihoodFit, maximise
from .natural_history import NaturalHistory, series, without_copies

Numbers = NDArray[np.float64]
FOLLOWED_FROM = 100.0
"""ng/mL from which AFP is taken to come from the tumour when it is followed in time"""
HALF_LIFE_FROM = 400.0
HALF_LIFE_DAYS = (10.0, 60.0)
"""AFP before a resection, and days to the visit after it, for a half-life"""
LEAST_AFP = 1.0
"""ng/mL below which a value only says that it is low (366 rows of the Guangzhou table hold 0)"""
_STEP_DAYS = 80.0
"""the step over which the residual of AFP is told"""


@dataclass(frozen=True, kw_only=True)
class SecretionFit:
    """AFP at the first visit: tumours that secrete it, in proportion to a power of volume, and the background."""

    fit: LikelihoodFit

    @property
    def per_volume(self) -> float:
        """Median AFP per volume of secretors at the reference volume, ng/mL/cm^3."""
        return float(np.exp(self.fit["ln_afp"])) / card("twin_hn_volume").number

    @property
    def log_sd(self) -> float:
        """Its standard deviation between patients, of the natural logarithm."""
        return float(np.exp(self.fit["ln_sd"]))

    @property
    def secretor_share(self) -> tuple[float, float, float]:
        """Share of patients whose tumour secretes, with its 95 % interval."""
        value, low, high = expit([self.fit["logit_secretor"], *self.fit.interval("logit_secretor")])
        return float(value), float(low), float(high)

    @property
    def background(self) -> tuple[float, float]:
        """Median AFP of the others, ng/mL, and standard deviation of its logarithm."""
        return float(np.exp(self.fit["ln_background"])), float(np.exp(self.fit["ln_background_sd"]))


def fit_secretion(history: NaturalHistory, *, exponent: float | None = 1.0) -> SecretionFit:
    """Two kinds of tumour at the first visit; `exponent` of volume fixed (1, as in the twin) or fitted (None)."""
    rows = history.first[history.volume[history.first] > 0]
    afp = history.afp[rows]
    relative = np.log(history.volume[rows] / card("twin_hn_volume").number)
    cap = card("assay_afp_upper_limit").number
    capped, low = afp >= cap, afp < LEAST_AFP
    logarithm = np.log(np.clip(afp, LEAST_AFP, cap))

    def density(middle: Numbers | float, spread: float) -> Numbers:
        z = (logarithm - middle) / spread
        inside = -(z**2) / 2 - np.log(spread) - np.log(2 * np.pi) / 2
        return np.asarray(np.select([capped, low], [log_ndtr(-z), log_ndtr(z)], inside), dtype=np.float64)

    def contributions(values: Mapping[str, float]) -> Numbers:
        power = values["exponent"] if exponent is None else exponent
        secretes = density(values["ln_afp"] + power * relative, float(np.exp(values["ln_sd"])))
        does_not = density(values["ln_background"], float(np.exp(values["ln_background_sd"])))
        share = values["logit_secretor"]
        return np.logaddexp(float(log_expit(share)) + secretes, float(log_expit(-share)) + does_not)

    start = {"ln_afp": 7.0, "ln_sd": 0.8, "ln_background": 2.0, "ln_background_sd": 0.3, "logit_secretor": 0.4}
    return SecretionFit(fit=maximise(contributions, start | ({"exponent": 0.8} if exponent is None else {})))


@dataclass(frozen=True, kw_only=True)
class WanderFit:
    """How ln AFP of a patient follows ln volume, and what is left: reading to reading, and slowly wandering."""

    fit: LikelihoodFit
    readings: int

    @property
    def short(self) -> float:
        """Standard deviation of ln AFP from reading to reading."""
        return float(np.exp(self.fit["ln_short"]))

    @property
    def slow(self) -> float:
        """Standard deviation of the slow part."""
        return float(np.exp(self.fit["ln_slow"]))

    @property
    def slow_days(self) -> tuple[float, float, float]:
        """Days in which the slow part forgets its past (to 1/e), with the 95 % interval."""
        value, low, high = _STEP_DAYS * np.exp([self.fit["ln_time"], *self.fit.interval("ln_time")])
        return float(value), float(low), float(high)

    @property
    def residual(self) -> float:
        """Standard deviation of what is left of a change of ln AFP over 80 days."""
        forgotten = -np.expm1(-_STEP_DAYS / self.slow_days[0])
        return float(np.sqrt(2 * self.short**2 + 2 * self.slow**2 * forgotten))


def fit_wander(history: NaturalHistory) -> WanderFit:
    """Series of visits with a lesion in sight and AFP from 100 ng/mL to below the cap, treated or not.

    ln AFP = own level + slope x ln volume + drift x days + slow part (first-order autoregression) + reading error. The
    own level drops out (differences from the first reading). What is left holds treatment, lesions other than the
    largest, and whatever was imputed: it is no error of the assay.
    """
    told = (history.volume > 0) & (history.afp >= FOLLOWED_FROM) & (history.afp < card("assay_afp_upper_limit").number)
    steps = history.intervals
    chains = without_copies(steps.where(told[steps.start] & told[steps.end]).chains(), history.afp)
    afp = series(history, chains, np.log(np.maximum(history.afp, LEAST_AFP)))
    volume = series(history, chains, np.log(np.where(history.volume > 0, history.volume, 1.0)))
    both = afp.seen[:, :, None] & afp.seen[:, None, :]
    between = np.abs(afp.days[:, :, None] - afp.days[:, None, :])
    since = afp.days
    empty = np.where(afp.seen, 0.0, 1.0)[:, :, None] * np.eye(afp.seen.shape[1])
    count = afp.seen.sum(axis=1)

    def contributions(values: Mapping[str, float]) -> Numbers:
        short, slow = np.exp([2 * values["ln_short"], 2 * values["ln_slow"]])
        time = _STEP_DAYS * float(np.exp(values["ln_time"]))
        kept = np.exp(-since / time)  # what is left of the first reading's slow part
        covariance = slow * (1 - kept[:, :, None] - kept[:, None, :] + np.exp(-between / time)) + short
        covariance = np.where(both, covariance, 0.0) + short * np.eye(afp.seen.shape[1]) * both + empty
        residual = afp.change - values["slope"] * volume.change - values["drift"] * afp.days / _STEP_DAYS
        root = np.linalg.cholesky(covariance)
        scaled = np.linalg.solve(root, residual[:, :, None])[:, :, 0]
        determinant = 2 * np.sum(np.log(np.diagonal(root, axis1=1, axis2=2)), axis=1)
        return afp.per_person(-(count * np.log(2 * np.pi) + determinant + np.sum(scaled**2, axis=1)) / 2)

    start = {"slope": 0.3, "drift": 0.0, "ln_short": -0.7, "ln_slow": 0.0, "ln_time": 0.0}
    return WanderFit(fit=maximise(contributions, start), readings=int(afp.seen.sum()) + len(chains))


def half_lives(history: NaturalHistory) -> Numbers:
    """Apparent half-lives of AFP in days after a resection that left no lesion in sight.

    Of visits with a resection at or after them, AFP of 400 ng/mL or more, and the next visit 10-60 days later without
    a lesion. An AFP that did not fall has no half-life and is left out.
    """
    after = history.intervals
    shortest, longest = HALF_LIFE_DAYS
    before, later = history.afp[after.start], history.afp[after.end]
    used = history.resection[after.start] & (before >= HALF_LIFE_FROM) & (history.diameter[after.end] == 0)
    used &= (after.days >= shortest) & (after.days <= longest) & (later < before)
    fall = np.log(before[used] / np.maximum(later[used], LEAST_AFP))
    return np.asarray(np.log(2) * after.days[used] / fall, dtype=np.float64)
