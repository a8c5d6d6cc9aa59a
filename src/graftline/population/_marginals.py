"""From normal scores to values: one function per shape of distribution. Scores and values are (patients,)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, ndtr, ndtri

from ..evidence import Card, SpreadKind
from ..records.baseline import Flags, Numbers


def normal_value(score: Numbers, centre: Card, upper_quartile: float) -> Numbers:
    """Normal around the card's median, truncated to its bounds."""
    spread = centre.spread
    if spread.kind is SpreadKind.IQR:
        assert spread.low is not None and spread.high is not None
        deviation = (spread.high - spread.low) / (2 * upper_quartile)
    else:
        assert spread.kind is SpreadKind.SD, f"card {centre.name} has no spread a normal can be drawn from"
        deviation = centre.spread_value
    low, high = bounds_of(centre)
    within = _truncated(score, (low - centre.number) / deviation, (high - centre.number) / deviation)
    return np.clip(centre.number + deviation * within, low, high)


def log_normal_value(score: Numbers, centre: Card, upper_quartile: float) -> Numbers:
    """Log-normal around the card's median, truncated to its bounds."""
    spread = centre.spread
    if spread.kind is SpreadKind.IQR:
        assert spread.low is not None and spread.high is not None
        deviation = float(np.log(spread.high / spread.low)) / (2 * upper_quartile)
    else:
        assert spread.kind is SpreadKind.LOG_SD, f"card {centre.name} has no spread a log-normal can be drawn from"
        deviation = centre.spread_value
    low, high = bounds_of(centre)
    within = _truncated(
        score,
        float(np.log(low / centre.number)) / deviation,
        float(np.log(high / centre.number)) / deviation,
    )
    return np.clip(centre.number * np.exp(deviation * within), low, high)


def bounds_of(centre: Card) -> tuple[float, float]:
    """The smallest and largest value that is drawn; the card must state them."""
    assert centre.bounds is not None, f"card {centre.name} needs bounds"
    return centre.bounds


def _truncated(score: Numbers, low: float, high: float) -> Numbers:
    """The normal score moved into (low, high) so that it is a truncated normal; keeps the order of patients."""
    below, above = ndtr(low), ndtr(high)
    return np.asarray(ndtri(below + (above - below) * ndtr(score)), dtype=np.float64)


def logit_normal_share(score: Numbers, level: float, share_above: float, logit_deviation: float) -> Numbers:
    """A share between 0 and 1, logit-normal, placed so that `share_above` of patients reach `level`."""
    centre = logit(level) + logit_deviation * ndtri(share_above)
    return np.asarray(expit(centre + logit_deviation * score), dtype=np.float64)


def ordinal_value(score: Numbers, probabilities: Numbers) -> Numbers:
    """The category 0, 1, 2, … in which the score falls."""
    limits = ndtri(np.cumsum(probabilities)[:-1])
    return np.asarray(np.searchsorted(limits, score, side="left"), dtype=np.float64)


def happens(score: Numbers, probability: float) -> Flags:
    """True for the highest scores, with this probability."""
    return np.asarray(score > -ndtri(probability), dtype=np.bool_)


@dataclass(frozen=True, kw_only=True)
class LogNormalMixture:
    """Two log-normals: secretors with probability `share`, the others otherwise. Centres and deviations of the log."""

    share: float
    centre: float
    deviation: float
    other_centre: float
    other_deviation: float

    def below(self, log_value: Numbers) -> Numbers:
        """Probability of a smaller value."""
        return np.asarray(
            self.share * ndtr((log_value - self.centre) / self.deviation)
            + (1 - self.share) * ndtr((log_value - self.other_centre) / self.other_deviation),
            dtype=np.float64,
        )

    def log_quantile(self, probability: Numbers) -> Numbers:
        """Logarithm of the value below which this share lies, by halving between the two components' quantiles.

        Halves as often as a double has bits, for everybody alike, so that one patient's value does not depend on
        how long another one's search takes.
        """
        score = ndtri(probability)
        ends = (self.centre + self.deviation * score, self.other_centre + self.other_deviation * score)
        low, high = np.minimum(*ends), np.maximum(*ends)
        for _ in range(np.finfo(np.float64).nmant):
            middle = (low + high) / 2
            too_low = self.below(middle) < probability
            low, high = np.where(too_low, middle, low), np.where(too_low, high, middle)
        return np.asarray((low + high) / 2, dtype=np.float64)

    def probability_of_first(self, log_value: Numbers) -> Numbers:
        """Probability that a value came from the first component."""
        first = self.share * _density((log_value - self.centre) / self.deviation) / self.deviation
        other_score = (log_value - self.other_centre) / self.other_deviation
        other = (1 - self.share) * _density(other_score) / self.other_deviation
        return np.asarray(first / (first + other), dtype=np.float64)


def _density(score: Numbers) -> Numbers:
    """Normal density without its constant factor."""
    return np.asarray(np.exp(-(score**2) / 2), dtype=np.float64)
