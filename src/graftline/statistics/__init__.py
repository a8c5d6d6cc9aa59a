"""Estimators and intervals: shares, predictions, survival with censoring and competing events. Knows no medicine."""

from .intervals import (
    Interval,
    beta_binomial_prediction,
    clopper_pearson,
    jeffreys,
    prediction_interval,
    wilson,
)
from .survival import (
    CumulativeIncidence,
    MedianTime,
    SurvivalCurve,
    Transform,
    cumulative_incidence,
    kaplan_meier,
    survival_on_days,
)

__all__ = [
    "CumulativeIncidence",
    "Interval",
    "MedianTime",
    "SurvivalCurve",
    "Transform",
    "beta_binomial_prediction",
    "clopper_pearson",
    "cumulative_incidence",
    "jeffreys",
    "kaplan_meier",
    "prediction_interval",
    "survival_on_days",
    "wilson",
]
