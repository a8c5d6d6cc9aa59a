"""From simulated IL-6 to daily signs of cytokine release syndrome: a **placeholder link**, reported as one.

No IL-6 course of a TCR-T trial by grade is published. The link makes fever, pressure and oxygen, nothing else; the
grade comes from the same rule as for a real patient.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..base.streams import Keys, Streams
from ..evidence import card
from .crs import Grades, grade_crs_course

Numbers = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class CrsCourse:
    """Daily signs and proposed grade of virtual patients, all (patients, days); `onset` (patients,) is the place of the
    first day with a grade, -1 if there is none."""

    fever: NDArray[np.int8]
    pressure: NDArray[np.int8]
    oxygen: NDArray[np.int8]
    grade: Grades
    onset: NDArray[np.int64]

    @property
    def worst(self) -> Grades:
        """Highest proposed grade, (patients,)."""
        return np.asarray(self.grade.max(axis=1), dtype=np.int8)


def crs_from_cytokine(
    effective_il6: Numbers, keys: Keys, streams: Streams, *, masking_treatment: ArrayLike = False
) -> CrsCourse:
    """Signs and grade on each day from the day's highest effective IL-6 in pg/mL, (patients, days), consecutive days.

    Effective: serum IL-6 as far as its receptor is not blocked, so tocilizumab lowers it. Fever is IL-6 at or above the
    onset card; pressure and oxygen are ordinal in the logarithm of IL-6, shifted for each patient by normal terms of
    their own. NaN (solver failure) gives unknown signs and an unknown grade on that day.
    """
    level = np.asarray(effective_il6, dtype=np.float64)
    known = ~np.isnan(level)
    spread = card("crs_il6_sensitivity").number
    fever = np.where(known, level >= card("crs_il6_onset").to("pg/mL"), -1).astype(np.int8)
    signs = {}
    for sign in ("pressure", "oxygen"):
        sensitivity = np.exp(spread * streams.named("assessment", "crs", sign).normal(keys))  # (patients, 1)
        limits = np.asarray(card(f"crs_il6_{sign}").numbers)
        steps = (level * sensitivity)[:, :, None] >= limits
        signs[sign] = np.where(known, steps.sum(axis=-1), -1).astype(np.int8)
    grade = grade_crs_course(fever, signs["pressure"], signs["oxygen"], masking_treatment=masking_treatment)
    graded = grade > 0
    return CrsCourse(
        fever=fever,
        pressure=signs["pressure"],
        oxygen=signs["oxygen"],
        grade=grade,
        onset=np.where(graded.any(axis=1), graded.argmax(axis=1), -1).astype(np.int64),
    )
