"""The evidence cards that assessment needs, read once and by name."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

from ..evidence import card
from .observables import OBSERVABLES, WITHOUT_READ_OUT, ErrorKind


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

    log_sd: float = 0.0
    """standard deviation of the logarithm of a reading around the truth"""
    sd: float = 0.0
    """standard deviation of a reading around the truth, in the unit of the quantity"""
    lower_limit: float | None = None
    upper_limit: float | None = None
    slow_log_sd: float = 0.0
    """standard deviation of the part that wanders slowly from visit to visit"""
    slow_days: float | None = None


ASSAYS = (
    *(
        name
        for name, one in OBSERVABLES.items()
        if one.error_card is not None and one.fixed_error_card is None and one.error is not ErrorKind.LINK
    ),
    *WITHOUT_READ_OUT,
)
"""What is measured one reading at a time; units as in `observables`, of the others as in `records.VARIABLES`."""


@cache
def assay(quantity: str) -> Assay:
    """The assay of a quantity; raises KeyError naming the known ones."""
    if quantity not in ASSAYS:
        raise KeyError(f"no assay for {quantity!r}; known are {', '.join(ASSAYS)}")
    if quantity in WITHOUT_READ_OUT:
        return Assay(log_sd=_log_sd_of_cv("assay_chemistry_error"))
    one = OBSERVABLES[quantity]
    assert one.error_card is not None
    slow_error, slow_time = one.slow_cards or (None, None)
    return Assay(
        log_sd=_log_sd(one.error, one.error_card),
        sd=card(one.error_card).to(one.unit) if one.error is ErrorKind.ADDITIVE else 0.0,
        lower_limit=one.limit(one.lower_limit_card),
        upper_limit=one.limit(one.upper_limit_card),
        slow_log_sd=0.0 if slow_error is None else card(slow_error).number,
        slow_days=None if slow_time is None else card(slow_time).to("day"),
    )


def _log_sd(kind: ErrorKind, name: str) -> float:
    match kind:
        case ErrorKind.LOG:
            return card(name).number
        case ErrorKind.PROPORTIONAL:
            return _log_sd_of_cv(name)
        case _:
            return 0.0


def _log_sd_of_cv(name: str) -> float:
    """Standard deviation of the logarithm of a log-normal with that coefficient of variation."""
    return math.sqrt(math.log1p(card(name).number ** 2))
