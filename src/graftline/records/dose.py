"""A dose of cells: assigned, achieved and given are three numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Dose:
    """Transduced cells in 1e9: what the cohort asks for, what the product holds, what is given."""

    assigned: float
    achieved: float
    given: float
    within_range: bool
    """whether what is given lies within the level's range"""
