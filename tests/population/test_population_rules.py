"""Scores by published definition: Child-Pugh, CKD-EPI 2021, Barcelona stage."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftline.population import bclc_stage, child_pugh_score, egfr_ckd_epi_2021


def score(bilirubin=17.0, albumin=40.0, inr=1.0, ascites=0.0, encephalopathy=0.0):
    return child_pugh_score(*(np.array([float(x)]) for x in (bilirubin, albumin, inr, ascites, encephalopathy)))[0]


@pytest.mark.parametrize(
    ("component", "value", "points"),
    [
        ("bilirubin", 33.9, 1),
        ("bilirubin", 34, 2),
        ("bilirubin", 50, 2),
        ("bilirubin", 50.1, 3),
        ("albumin", 35.1, 1),
        ("albumin", 35, 2),
        ("albumin", 28, 2),
        ("albumin", 27.9, 3),
        ("inr", 1.69, 1),
        ("inr", 1.7, 2),
        ("inr", 2.3, 2),
        ("inr", 2.31, 3),
        ("ascites", 1, 2),
        ("ascites", 2, 3),
        ("encephalopathy", 1, 2),
        ("encephalopathy", 2, 3),
    ],
)
def test_child_pugh_gives_the_points_of_the_published_table_at_its_limits(component, value, points):
    assert score(**{component: value}) == 4 + points


def test_child_pugh_runs_from_5_to_15():
    assert score() == 5
    assert score(bilirubin=60, albumin=20, inr=3, ascites=2, encephalopathy=2) == 15


@pytest.mark.parametrize("component", ["bilirubin", "albumin", "inr", "ascites", "encephalopathy"])
def test_child_pugh_is_unknown_if_one_component_is_missing(component):
    assert np.isnan(score(**{component: np.nan}))


@given(st.floats(3, 300), st.floats(15, 55), st.floats(0.8, 5), st.floats(1, 100))
def test_more_bilirubin_never_lowers_child_pugh_and_more_albumin_never_raises_it(bilirubin, albumin, inr, more):
    before = score(bilirubin, albumin, inr)
    assert score(bilirubin + more, albumin, inr) >= before
    assert score(bilirubin, albumin + more, inr) <= before


@pytest.mark.parametrize(
    ("creatinine_mg_per_dl", "age", "sex", "expected"),
    [
        # Inker 2021, N Engl J Med 385:1737: 142 min(Scr/k,1)^a max(Scr/k,1)^-1.2 0.9938^age (1.012 if female)
        (0.9, 50, "male", 142 * 0.9938**50),
        (0.7, 50, "female", 142 * 0.9938**50 * 1.012),
        (1.8, 68, "male", 142 * 2**-1.2 * 0.9938**68),
        (0.45, 68, "male", 142 * 0.5**-0.302 * 0.9938**68),
        (0.35, 40, "female", 142 * 0.5**-0.241 * 0.9938**40 * 1.012),
    ],
)
def test_egfr_follows_the_published_equation(creatinine_mg_per_dl, age, sex, expected):
    drawn = egfr_ckd_epi_2021(np.array([creatinine_mg_per_dl * 88.42]), np.array([float(age)]), np.array([sex]))
    assert drawn[0] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("creatinine", "age", "sex"), [(np.nan, 60.0, "male"), (70.0, np.nan, "female")])
def test_egfr_is_unknown_without_creatinine_or_age(creatinine, age, sex):
    assert np.isnan(egfr_ckd_epi_2021(np.array([creatinine]), np.array([age]), np.array([sex])))[0]


@given(st.floats(30, 400), st.floats(18, 90), st.sampled_from(["female", "male"]), st.floats(1, 50))
def test_egfr_falls_with_creatinine_and_with_age(creatinine, age, sex, more):
    values = egfr_ckd_epi_2021(
        np.array([creatinine, creatinine + more, creatinine]), np.array([age, age, age + more]), np.array([sex] * 3)
    )
    assert values[1] < values[0] and values[2] < values[0]


@pytest.mark.parametrize(
    ("invasion", "spread", "ecog", "stage"),
    [
        (False, False, 0, "B"),
        (True, False, 0, "C"),
        (False, True, 0, "C"),
        (False, False, 1, "C"),
        (True, True, 2, "C"),
    ],
)
def test_invasion_spread_or_symptoms_make_stage_c(invasion, spread, ecog, stage):
    assert bclc_stage(np.array([invasion]), np.array([spread]), np.array([float(ecog)]))[0] == stage
