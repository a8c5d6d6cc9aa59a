"""Hazards and first events."""

from dataclasses import replace

import numpy as np
import pytest
from house_patients import treated, typical_latents
from hypothesis import given
from hypothesis import strategies as st

from graftline.twin import (
    CourseRequest,
    DeathCoefficients,
    death_hazard,
    decompensation_hazard,
    first_event,
    lethal_cytokine_hazard,
    new_lesion_hazard,
    run_courses,
)

DAYS = np.arange(0, 721.0, 10)


@given(st.floats(1e-4, 0.5), st.floats(1e-6, 1 - 1e-6))
def test_a_constant_hazard_gives_exponential_times(rate, uniform):
    day = first_event(np.full((1, len(DAYS)), rate), DAYS, np.array([uniform]))[0]
    expected = -np.log(uniform) / rate
    assert day == (pytest.approx(expected) if expected < DAYS[-1] * (1 - 1e-9) else np.inf) or (
        expected == pytest.approx(DAYS[-1])
    )


def test_a_rising_hazard_is_cumulated_by_the_trapezoid_rule():
    times = np.arange(0, 11.0)
    day = first_event(2 * times[None, :], times, np.array([np.exp(-25.0)]))
    assert day[0] == pytest.approx(5.0)


def test_no_hazard_no_event_and_missing_is_no_hazard():
    hazard = np.array([[0.0, 0, 0], [np.nan, np.nan, 1.0], [np.nan, np.nan, 1e9]])
    days = first_event(hazard, np.array([0.0, 1.0, 2.0]), np.array([0.5, 1e-3, 0.5]))
    assert np.isinf(days[:2]).all()
    assert 1 < days[2] < 2


def test_patients_may_have_their_own_times():
    times = np.array([[0.0, 10.0, 20.0], [100.0, 110.0, 120.0]])
    days = first_event(np.full((2, 3), 0.1), times, np.full(2, np.exp(-1.5)))
    assert np.allclose(days, [15, 115])


@pytest.fixture(scope="module")
def natural():
    return run_courses(CourseRequest(latents=typical_latents(2, afp_serum=np.array([50.0, 4000.0]))), DAYS)


def test_hazards_grow_with_the_tumour(natural):
    never = np.full(2, np.inf)
    for hazard in (new_lesion_hazard(natural), decompensation_hazard(natural), death_hazard(natural, never)):
        assert np.all(np.diff(hazard, axis=1) >= 0)
    assert new_lesion_hazard(natural)[0, 0] == pytest.approx(0.001 * np.sqrt(150.53 / 151), rel=1e-4)
    assert decompensation_hazard(natural)[0, 0] == pytest.approx(4e-4, rel=1e-6)


def test_high_afp_and_decompensation_raise_the_hazard_of_death(natural):
    never, from_start = (death_hazard(natural, np.full(2, day)) for day in (np.inf, 0.0))
    assert never[1, 0] / never[0, 0] == pytest.approx(np.exp(0.5))
    assert from_start[0, 0] / never[0, 0] == pytest.approx(np.exp(0.7 + 0.4))  # the jump and one point for ascites
    later = death_hazard(natural, np.full(2, 300.0))
    assert np.array_equal(later[:, DAYS < 300], never[:, DAYS < 300])
    assert np.array_equal(later[:, DAYS >= 300], from_start[:, DAYS >= 300])


def test_other_coefficients_replace_those_of_the_cards(natural):
    never = np.full(2, np.inf)
    ours = DeathCoefficients.from_cards()
    assert np.array_equal(death_hazard(natural, never, ours), death_hazard(natural, never))
    double = death_hazard(natural, never, replace(ours, level=2 * ours.level))
    assert double == pytest.approx(2 * death_hazard(natural, never))
    flat = DeathCoefficients(level=0.001, volume=0.0, points=0.0, decompensated=0.0, high_afp=0.0)
    assert death_hazard(natural, never, flat) == pytest.approx(0.001)


def test_a_negative_growth_constant_shrinks_the_tumour():
    course = run_courses(CourseRequest(latents=typical_latents(1).changed(lam0=-0.002)), DAYS)
    volume = course.viable_volume[0]
    room = np.log(3000 / volume[0])
    assert np.log(3000 / volume) == pytest.approx(room * np.exp(0.002 * DAYS), rel=1e-4)


def test_extreme_cytokine_adds_to_the_hazard_of_death():
    latents = typical_latents(2).changed(p6=np.array([2500.0, 150_000.0]))
    course = run_courses(treated(latents), np.arange(0, 30.0))
    added = lethal_cytokine_hazard(course)
    assert np.all(added[0] == 0)
    assert added[1].max() == 0.02 and added[1, -1] == 0


def test_a_systemic_drug_lowers_the_hazard_of_new_lesions(natural):
    drug = run_courses(CourseRequest(latents=natural.latents.changed(mlam=0.5)), DAYS)
    assert np.all(new_lesion_hazard(drug)[:, 0] == pytest.approx(0.5 * new_lesion_hazard(natural)[:, 0]))
