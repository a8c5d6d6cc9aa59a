"""Grade of cytokine release syndrome from fever, blood pressure and oxygen, after the ASTCT consensus.

Lee et al., Biol Blood Marrow Transplant 2019;25:625. The rule proposes a grade; a person confirms it, because other
causes (sepsis, variceal bleeding, oxygen or a tube for another reason) are for a physician to see. Arrays of any one
shape; a single patient and day is a number. Grade 5 is death from the syndrome and is not proposed here.
"""

from __future__ import annotations

from enum import IntEnum, auto

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..evidence import card

Grades = NDArray[np.int8]
Flags = NDArray[np.bool_]

CRS_SCALE = "ASTCT 2019"
"""Name and year of the scale; the protocol names the one it uses."""
UNKNOWN_GRADE = -1
UNKNOWN_SIGN = -1


class Pressure(IntEnum):
    """Blood pressure and what it takes to keep it up."""

    UNKNOWN = -1
    NORMAL = 0
    LOW = 1
    """low, no pressor needed"""
    ONE_PRESSOR = 2
    """one pressor, with or without vasopressin"""
    SEVERAL_PRESSORS = auto()
    """two or more, vasopressin not counted"""


class Oxygen(IntEnum):
    """The most oxygen support needed for low oxygen."""

    UNKNOWN = -1
    NONE = 0
    LOW_FLOW = 1
    """nasal cannula up to 6 L/min, or blow-by"""
    HIGH_FLOW = 2
    """high-flow cannula, face mask, non-rebreather or Venturi mask"""
    POSITIVE_PRESSURE = auto()
    """CPAP, BiPAP or ventilator"""


def has_fever(temperature: ArrayLike) -> NDArray[np.int8]:
    """1 from 38 degrees Celsius, 0 below, -1 where not measured."""
    value = np.asarray(temperature, dtype=np.float64)
    return np.where(np.isnan(value), UNKNOWN_SIGN, value >= card("astct_fever").number).astype(np.int8)


def pressure_level(hypotension: ArrayLike, pressors: ArrayLike, vasopressin: ArrayLike) -> NDArray[np.int8]:
    """Pressure from: low pressure due to the syndrome, number of pressors **without** vasopressin, and vasopressin.

    Vasopressin is a pressor, but beside another it does not make several.
    """
    count, extra = np.asarray(pressors), np.asarray(vasopressin, dtype=np.bool_)
    level = np.select(
        [count >= 2, (count == 1) | extra, np.asarray(hypotension, dtype=np.bool_)],
        [Pressure.SEVERAL_PRESSORS, Pressure.ONE_PRESSOR, Pressure.LOW],
        Pressure.NORMAL,
    )
    return level.astype(np.int8)


def oxygen_level(cannula_flow: ArrayLike, mask: ArrayLike, positive_pressure: ArrayLike) -> NDArray[np.int8]:
    """Oxygen from: flow by nasal cannula in L/min (0 none), a face mask of any kind, positive pressure.

    What is given for another reason (a tube for a seizure, a machine for sleep apnoea) is left out by the caller.
    """
    flow = np.asarray(cannula_flow, dtype=np.float64)
    high = (flow > card("astct_low_flow_oxygen").to("L/min")) | np.asarray(mask, dtype=np.bool_)
    level = np.select(
        [np.asarray(positive_pressure, dtype=np.bool_), high, np.isnan(flow), flow > 0],
        [Oxygen.POSITIVE_PRESSURE, Oxygen.HIGH_FLOW, Oxygen.UNKNOWN, Oxygen.LOW_FLOW],
        Oxygen.NONE,
    )
    return level.astype(np.int8)


def grade_crs(
    fever: ArrayLike,
    pressure: ArrayLike,
    oxygen: ArrayLike,
    *,
    fever_masked: ArrayLike = False,
    other_cause: ArrayLike = False,
) -> Grades:
    """The proposed grade, 0 to 4, or -1 where a missing sign could change it.

    `fever` 1, 0 or -1 (not known), `pressure` and `oxygen` as in Pressure and Oxygen. Fever alone is grade 1; with it
    the worse of pressure and oxygen decides. `fever_masked`: there was fever of this episode and since then an
    antipyretic, tocilizumab or a steroid was given, so fever is no longer asked for. `other_cause`: a physician has
    found another cause of the signs, which makes it no cytokine release syndrome.
    """
    hot, low, air = (np.asarray(sign, dtype=np.int8) for sign in (fever, pressure, oxygen))
    masked, other = np.asarray(fever_masked, dtype=np.bool_), np.asarray(other_cause, dtype=np.bool_)
    worst = np.maximum(low, air)
    unknown = ((low < 0) | (air < 0)) & (worst < Pressure.SEVERAL_PRESSORS)
    signs = np.where(worst > 0, worst + 1, 0)
    with_fever = np.where(unknown, UNKNOWN_GRADE, np.maximum(signs, 1))
    without = np.where(masked, np.where(unknown, UNKNOWN_GRADE, signs), 0)
    if_not_known = np.where(masked & (signs > 0), with_fever, UNKNOWN_GRADE)
    grade = np.select([other, hot == 1, hot == 0], [np.zeros_like(with_fever), with_fever, without], if_not_known)
    return np.asarray(grade, dtype=np.int8)


def grade_crs_course(
    fever: ArrayLike,
    pressure: ArrayLike,
    oxygen: ArrayLike,
    *,
    masking_treatment: ArrayLike = False,
    other_cause: ArrayLike = False,
) -> Grades:
    """The proposed grade on each day of one episode, (patients, days); days follow each other.

    `masking_treatment` (patients, days): an antipyretic, tocilizumab or a steroid was given that day. It lifts the need
    for fever from the first day of fever on, not before: a drug given to a patient without fever proves nothing.
    """
    hot = np.asarray(fever, dtype=np.int8)
    feverish_once = np.logical_or.accumulate(hot == 1, axis=-1)
    given = np.broadcast_to(np.asarray(masking_treatment, dtype=np.bool_), hot.shape) & feverish_once
    masked = np.logical_or.accumulate(given, axis=-1)
    return grade_crs(hot, pressure, oxygen, fever_masked=masked, other_cause=other_cause)
