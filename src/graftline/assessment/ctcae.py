"""Grades of laboratory values after the Common Terminology Criteria for Adverse Events (CTCAE), 5.0 and 4.03.

The limits are evidence cards. Only what a value alone can show is graded: grade 4 anaemia and grade 5 are clinical.
Arrays of any one shape; -1 where the value is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..evidence import card
from .crs import UNKNOWN_GRADE, Grades

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class GradingScale:
    """A grading scale with its version, both fields of the protocol."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"


CTCAE_5 = GradingScale("CTCAE", "5.0")
CTCAE_4 = GradingScale("CTCAE", "4.03")
"""4.03 has the same limits, but no multiples of an abnormal baseline for liver tests, and grade 1 for any creatinine
above baseline."""


@dataclass(frozen=True, kw_only=True)
class LaboratoryTest:
    """What a test is graded by: the names of its cards, and its unit."""

    unit: str
    low: str | None = None
    """limits for values that are too low"""
    of_normal: str | None = None
    """multiples of the upper limit of normal"""
    of_abnormal_baseline: str | None = None
    """multiples of baseline, used **instead** where baseline was above normal"""
    of_any_baseline: str | None = None
    """multiples of baseline from grade 2, used **besides**"""
    normal: str
    """the limit of normal where the laboratory gives none"""


TESTS: Mapping[str, LaboratoryTest] = MappingProxyType(
    {
        "neutrophils": LaboratoryTest(unit="cells/uL", low="ctcae5_neutrophils", normal="normal_low_neutrophils"),
        "lymphocytes": LaboratoryTest(unit="cells/uL", low="ctcae5_lymphocytes", normal="normal_low_lymphocytes"),
        "leukocytes": LaboratoryTest(unit="cells/uL", low="ctcae5_leukocytes", normal="normal_low_leukocytes"),
        "platelets": LaboratoryTest(unit="cells/nL", low="ctcae5_platelets", normal="normal_low_platelets"),
        "haemoglobin": LaboratoryTest(unit="g/dL", low="ctcae5_haemoglobin", normal="normal_low_haemoglobin"),
        "alt": LaboratoryTest(
            unit="U/L",
            of_normal="ctcae5_aminotransferase_of_normal",
            of_abnormal_baseline="ctcae5_aminotransferase_of_baseline",
            normal="normal_high_alt",
        ),
        "ast": LaboratoryTest(
            unit="U/L",
            of_normal="ctcae5_aminotransferase_of_normal",
            of_abnormal_baseline="ctcae5_aminotransferase_of_baseline",
            normal="normal_high_ast",
        ),
        "bilirubin": LaboratoryTest(
            unit="umol/L",
            of_normal="ctcae5_bilirubin_of_normal",
            of_abnormal_baseline="ctcae5_bilirubin_of_baseline",
            normal="normal_high_bilirubin",
        ),
        "creatinine": LaboratoryTest(
            unit="umol/L",
            of_normal="ctcae5_creatinine_of_normal",
            of_any_baseline="ctcae5_creatinine_of_baseline",
            normal="normal_high_creatinine",
        ),
    }
)
"""The tests that can be graded. Units as in records.variables."""


class GradingError(ValueError):
    """A test or a scale that is not known here."""


def grade_laboratory(
    test: str,
    value: ArrayLike,
    *,
    scale: GradingScale,
    baseline: ArrayLike = np.nan,
    limit_of_normal: ArrayLike = np.nan,
) -> Grades:
    """Grade 0 to 4 of a laboratory value, -1 where it is missing.

    `value`, `baseline` and `limit_of_normal` in the unit of the test; they broadcast. The limit of normal is the lower
    one for counts and haemoglobin, the upper one for the others; NaN takes the placeholder card. A missing baseline
    counts as normal.
    """
    rule = TESTS.get(test)
    if rule is None:
        raise GradingError(f"{test!r} cannot be graded; known are {', '.join(TESTS)}")
    if scale not in (CTCAE_5, CTCAE_4):
        raise GradingError(f"{scale} is not known; write {CTCAE_5} or {CTCAE_4}")
    measured, start, given = (np.asarray(part, dtype=np.float64) for part in (value, baseline, limit_of_normal))
    normal = np.where(np.isnan(given), _default_limit(test), given)
    grade = _grade_low(measured, normal, rule) if rule.low else _grade_high(measured, start, normal, rule, scale)
    return np.where(np.isnan(measured), UNKNOWN_GRADE, grade).astype(np.int8)


@cache
def _default_limit(test: str) -> float:
    return card(TESTS[test].normal).to(TESTS[test].unit)


def _grade_low(value: Numbers, normal: Numbers, rule: LaboratoryTest) -> NDArray[np.int64]:
    """Grade 1 below normal; from grade 2 by the limits alone, even where a laboratory's normal lies lower."""
    assert rule.low is not None
    limits = card(rule.low)
    assert limits.unit == rule.unit, f"card {limits.name} is in {limits.unit}, the test in {rule.unit}"
    below = sum((value < limit).astype(np.int64) for limit in limits.numbers)
    return np.where(below > 0, below + 1, (value < normal).astype(np.int64))


def _grade_high(
    value: Numbers, start: Numbers, normal: Numbers, rule: LaboratoryTest, scale: GradingScale
) -> NDArray[np.int64]:
    assert rule.of_normal is not None
    grade = _count_above(value, normal, card(rule.of_normal).numbers)
    if rule.of_abnormal_baseline is not None and scale == CTCAE_5:
        by_baseline = _count_above(value, start, card(rule.of_abnormal_baseline).numbers)
        grade = np.where(start > normal, by_baseline, grade)
    if rule.of_any_baseline is not None:
        above = _count_above(value, start, card(rule.of_any_baseline).numbers)
        grade = np.maximum(grade, np.where(above > 0, above + 1, 0))
        if scale == CTCAE_4:
            grade = np.maximum(grade, _count_above(value, start, (1.0,)))
    return grade


def _count_above(value: Numbers, reference: Numbers, multiples: tuple[float, ...]) -> NDArray[np.int64]:
    """How many multiples of the reference the value is above; exactly at a multiple is not above."""
    total = np.zeros(np.broadcast_shapes(value.shape, reference.shape), dtype=np.int64)
    for multiple in multiples:
        limit = multiple * reference
        total = total + ((value > limit) & ~np.isclose(value, limit, atol=0))
    return total
