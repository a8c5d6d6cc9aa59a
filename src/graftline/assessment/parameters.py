"""The evidence cards that assessment needs, read once and by name."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

from ..evidence import card


@dataclass(frozen=True, kw_only=True)
class RecistLimits:
    """The numbers of RECIST 1.1 (Eisenhauer et al., Eur J Cancer 2009;45:228). Lengths in mm."""

    progression_increase: float
    """relative to the nadir"""
    progression_least_increase: float
    partial_decrease: float
    """relative to baseline"""
    normal_node: float
    measurable_lesion: float
    measurable_node: float
    most_targets: int
    most_targets_per_organ: int


@cache
def recist_limits() -> RecistLimits:
    """The limits of RECIST 1.1 from their cards."""
    return RecistLimits(
        progression_increase=card("recist_progression_increase").number,
        progression_least_increase=card("recist_progression_least_increase").to("mm"),
        partial_decrease=card("recist_partial_decrease").number,
        normal_node=card("recist_normal_node").to("mm"),
        measurable_lesion=card("recist_measurable_lesion").to("mm"),
        measurable_node=card("recist_measurable_node").to("mm"),
        most_targets=int(card("recist_most_targets").number),
        most_targets_per_organ=int(card("recist_most_targets_per_organ").number),
    )


@dataclass(frozen=True, kw_only=True)
class Assay:
    """How well a quantity is measured. Limits in the unit of the quantity."""

    log_sd: float
    """standard deviation of the logarithm of a reading around the truth"""
    lower_limit: float | None = None
    upper_limit: float | None = None
    slow_log_sd: float = 0.0
    """standard deviation of the part that wanders slowly from visit to visit"""
    slow_days: float | None = None


ASSAYS = (
    "transgene",
    "lymphocytes",
    "afp",
    "il6",
    "crp",
    "neutrophils",
    "leukocytes",
    "platelets",
    "haemoglobin",
    "alt",
    "ast",
    "bilirubin",
    "albumin",
    "creatinine",
)
"""What can be measured in blood; units as in records.variables, transgene in copies/ug, il6 in pg/mL."""


@cache
def assay(quantity: str) -> Assay:
    """The assay of a blood quantity; raises KeyError naming the known ones."""
    if quantity not in ASSAYS:
        raise KeyError(f"no assay for {quantity!r}; known are {', '.join(ASSAYS)}")
    match quantity:
        case "transgene":
            lower = card("assay_transgene_lower_limit").to("copies/ug")
            return Assay(log_sd=card("assay_transgene_error").number, lower_limit=lower)
        case "lymphocytes":
            lower = card("assay_lymphocytes_lower_limit").to("cells/uL")
            return Assay(log_sd=_log_sd_of_cv("assay_lymphocytes_error"), lower_limit=lower)
        case "afp":
            return Assay(
                log_sd=card("assay_afp_error").number,
                lower_limit=card("assay_afp_lower_limit").to("ng/mL"),
                upper_limit=card("assay_afp_upper_limit").to("ng/mL"),
                slow_log_sd=card("assay_afp_slow_error").number,
                slow_days=card("assay_afp_slow_time").to("day"),
            )
        case "il6":
            return Assay(
                log_sd=card("assay_il6_error").number,
                lower_limit=card("assay_il6_lower_limit").to("pg/mL"),
                upper_limit=card("assay_il6_upper_limit").to("pg/mL"),
            )
        case "crp":
            return Assay(log_sd=_log_sd_of_cv("assay_crp_error"), lower_limit=card("assay_crp_lower_limit").to("mg/L"))
        case _:
            return Assay(log_sd=_log_sd_of_cv("assay_chemistry_error"))


def _log_sd_of_cv(name: str) -> float:
    """Standard deviation of the logarithm of a log-normal with that coefficient of variation."""
    return math.sqrt(math.log1p(card(name).number ** 2))
