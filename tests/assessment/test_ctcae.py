"""CTCAE laboratory grades against the printed limits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftline.assessment import CTCAE_4, CTCAE_5, UNKNOWN_GRADE, GradingError, GradingScale, grade_laboratory

# test, limit of normal, values in order, grades (CTCAE v5.0; a value at a printed limit has the milder grade)
PRINTED = [
    ("neutrophils", 1800, [1800, 1799, 1500, 1499, 1000, 999, 500, 499, 0], [0, 1, 1, 2, 2, 3, 3, 4, 4]),
    ("lymphocytes", 1000, [1000, 999, 800, 799, 500, 499, 200, 199], [0, 1, 1, 2, 2, 3, 3, 4]),
    ("leukocytes", 4000, [4000, 3999, 3000, 2999, 2000, 1999, 1000, 999], [0, 1, 1, 2, 2, 3, 3, 4]),
    ("platelets", 150, [150, 149, 75, 74, 50, 49, 25, 24], [0, 1, 1, 2, 2, 3, 3, 4]),
    ("haemoglobin", 12, [12, 11.9, 10, 9.9, 8, 7.9, 5], [0, 1, 1, 2, 2, 3, 3]),  # grade 4 is clinical
    ("alt", 40, [40, 41, 120, 121, 200, 201, 800, 801], [0, 1, 1, 2, 2, 3, 3, 4]),
    ("ast", 35, [35, 36, 105, 106, 175, 176, 700, 701], [0, 1, 1, 2, 2, 3, 3, 4]),
    ("bilirubin", 20, [20, 21, 30, 31, 60, 61, 200, 201], [0, 1, 1, 2, 2, 3, 3, 4]),
    ("creatinine", 100, [100, 101, 150, 151, 300, 301, 600, 601], [0, 1, 1, 2, 2, 3, 3, 4]),
]


@pytest.mark.parametrize(("test", "normal", "values", "grades"), PRINTED)
def test_every_printed_limit_of_version_five(test, normal, values, grades):
    assert grade_laboratory(test, values, scale=CTCAE_5, limit_of_normal=normal).tolist() == grades


@pytest.mark.parametrize(
    ("test", "baseline", "values", "grades"),
    [
        ("alt", 80, [80, 120, 121, 240, 241, 400, 401, 1600, 1601], [0, 0, 1, 1, 2, 2, 3, 3, 4]),
        ("bilirubin", 30, [30, 31, 45, 46, 90, 91, 300, 301], [0, 1, 1, 2, 2, 3, 3, 4]),
    ],
)
def test_with_an_abnormal_baseline_liver_tests_are_graded_by_multiples_of_it(test, baseline, values, grades):
    found = grade_laboratory(
        test, values, scale=CTCAE_5, baseline=baseline, limit_of_normal={"alt": 40, "bilirubin": 20}[test]
    )
    assert found.tolist() == grades


def test_version_four_knows_no_multiples_of_an_abnormal_baseline():
    old, new = (
        grade_laboratory("alt", 210, scale=scale, baseline=80, limit_of_normal=40) for scale in (CTCAE_4, CTCAE_5)
    )
    assert (old, new) == (3, 1)


def test_creatinine_is_graded_by_its_baseline_as_well_as_by_normal():
    def grade(value, scale=CTCAE_5):
        return grade_laboratory("creatinine", value, scale=scale, baseline=50, limit_of_normal=100)

    assert [int(grade(value)) for value in (75, 76, 150, 151, 301)] == [0, 2, 2, 3, 3]
    assert grade(60, CTCAE_4) == 1


def test_a_missing_value_has_no_grade_and_a_missing_baseline_counts_as_normal():
    assert grade_laboratory("alt", [np.nan, 130], scale=CTCAE_5, limit_of_normal=40).tolist() == [UNKNOWN_GRADE, 2]


def test_without_a_laboratory_limit_the_placeholder_is_used():
    assert grade_laboratory("alt", [40, 41], scale=CTCAE_5).tolist() == [0, 1]


def test_a_laboratory_with_a_low_normal_does_not_soften_grade_two():
    assert grade_laboratory("neutrophils", [1450, 1300], scale=CTCAE_5, limit_of_normal=1400).tolist() == [2, 2]


def test_an_unknown_test_or_scale_is_refused_with_the_known_ones():
    with pytest.raises(GradingError, match="known are neutrophils"):
        grade_laboratory("sodium", 140, scale=CTCAE_5)
    with pytest.raises(GradingError, match=r"CTCAE v3.0 is not known; write CTCAE v5.0 or CTCAE v4.03"):
        grade_laboratory("alt", 140, scale=GradingScale("CTCAE", "3.0"))


@given(
    st.sampled_from([row[0] for row in PRINTED]),
    st.floats(0, 1e4),
    st.floats(0, 1e4),
    st.floats(1, 500),
    st.sampled_from([CTCAE_4, CTCAE_5]),
)
def test_a_worse_value_never_has_a_milder_grade(test, one, two, baseline, scale):
    low_is_bad = test in {"neutrophils", "lymphocytes", "leukocytes", "platelets", "haemoglobin"}
    better, worse = sorted((one, two), reverse=low_is_bad)
    found = grade_laboratory(test, [better, worse], scale=scale, baseline=baseline)
    assert found[0] <= found[1]
