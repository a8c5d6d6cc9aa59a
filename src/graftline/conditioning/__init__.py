"""Conditioning (lymphodepletion): when it may begin, and which dose is given on which day. Rules only."""

from .rules import (
    DosingError,
    PlannedDose,
    Readiness,
    fludarabine_fraction,
    may_start_lymphodepletion,
    planned_doses,
)

__all__ = [
    "DosingError",
    "PlannedDose",
    "Readiness",
    "fludarabine_fraction",
    "may_start_lymphodepletion",
    "planned_doses",
]
