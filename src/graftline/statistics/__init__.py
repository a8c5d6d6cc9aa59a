"""Estimators and intervals: shares, predictions, survival with censoring and competing events; maximum likelihood,
sensitivity indices, information and profile likelihood. Knows no medicine."""

from .information import Information, fisher_information, whitened
from .intervals import (
    Interval,
    beta_binomial_prediction,
    clopper_pearson,
    jeffreys,
    prediction_interval,
    wilson,
)
from .likelihood import LikelihoodFit, LogLikelihood, NoMaximumError, maximise
from .profiles import Fits, Prior, Profile, fit, profiles
from .sobol import SobolDesign, SobolIndices, sobol_design, sobol_indices
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
    "Fits",
    "Information",
    "Interval",
    "LikelihoodFit",
    "LogLikelihood",
    "MedianTime",
    "NoMaximumError",
    "Prior",
    "Profile",
    "SobolDesign",
    "SobolIndices",
    "SurvivalCurve",
    "Transform",
    "beta_binomial_prediction",
    "clopper_pearson",
    "cumulative_incidence",
    "fisher_information",
    "fit",
    "jeffreys",
    "kaplan_meier",
    "maximise",
    "prediction_interval",
    "profiles",
    "sobol_design",
    "sobol_indices",
    "survival_on_days",
    "whitened",
    "wilson",
]
