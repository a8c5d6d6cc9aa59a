"""Grade of immune-effector-cell neurotoxicity (ICANS) after the ASTCT consensus: the worst of five domains.

Lee et al., Biol Blood Marrow Transplant 2019;25:625. The rule proposes, a person confirms. Findings with another cause
(sedation, bleeding in the brain) are left out by the caller. Arrays of any one shape; -1 or NaN where not known.
"""

from __future__ import annotations

from enum import IntEnum, auto

import numpy as np
from numpy.typing import ArrayLike

from ..evidence import card
from .crs import UNKNOWN_GRADE, Grades

ICANS_SCALE = "ASTCT 2019"


class Consciousness(IntEnum):
    """How the patient wakes; each level is the grade it stands for."""

    UNKNOWN = -1
    ALERT = 0
    AWAKENS_SPONTANEOUSLY = 1
    AWAKENS_TO_VOICE = 2
    AWAKENS_TO_TOUCH = auto()
    UNAROUSABLE = auto()
    """or only by vigorous or repeated touch; stupor or coma"""


class Seizure(IntEnum):
    UNKNOWN = -1
    NONE = 0
    RESOLVED = 1
    """focal or generalised and over rapidly, or non-convulsive and ended by treatment"""
    LIFE_THREATENING = 2
    """longer than five minutes, or repeated without recovery between"""


class Oedema(IntEnum):
    UNKNOWN = -1
    NONE = 0
    FOCAL = 1
    """focal or local on imaging"""
    DIFFUSE = 2
    """diffuse on imaging, posturing, palsy of the sixth nerve, papilloedema or Cushing's triad"""


_SEVERE, _WORST = Consciousness.AWAKENS_TO_TOUCH, Consciousness.UNAROUSABLE  # grades 3 and 4


def grade_icans(
    ice_score: ArrayLike,
    consciousness: ArrayLike,
    *,
    seizure: ArrayLike = Seizure.NONE,
    focal_motor_weakness: ArrayLike = False,
    oedema: ArrayLike = Oedema.NONE,
) -> Grades:
    """The proposed grade, 0 to 4, or -1 where a domain that is not known could change it.

    `ice_score` 0 to 10 points: 7-9 grade 1, 3-6 grade 2, 0-2 grade 3; 0 in a patient who cannot be woken is grade 4 by
    consciousness. A patient who is awake and cannot speak has 0 points and grade 3.
    """
    score = np.asarray(ice_score, dtype=np.float64)
    if np.any((score < 0) | (score > card("astct_ice_score").numbers[0])):
        raise ValueError("an ICE score has 0 to 10 points; write NaN where it was not done")
    by_score = np.where(
        np.isnan(score),
        UNKNOWN_GRADE,
        sum((score < limit).astype(np.int8) for limit in card("astct_ice_score").numbers),
    )
    awake, fits, swelling = (np.asarray(sign, dtype=np.int8) for sign in (consciousness, seizure, oedema))
    graded = {Seizure.UNKNOWN: UNKNOWN_GRADE, Seizure.NONE: 0, 1: _SEVERE, 2: _WORST}
    by_fits, by_swelling = (
        np.select([sign == level for level in graded], list(graded.values())) for sign in (fits, swelling)
    )
    by_weakness = np.where(np.asarray(focal_motor_weakness, dtype=np.bool_), _WORST, 0)
    domains = np.broadcast_arrays(by_score, awake, by_fits, by_weakness, by_swelling)
    worst = np.max(domains, axis=0)
    unknown = np.min(domains, axis=0) < 0
    return np.asarray(np.where(unknown & (worst < _WORST), UNKNOWN_GRADE, worst), dtype=np.int8)
