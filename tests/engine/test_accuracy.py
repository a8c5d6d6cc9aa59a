"""Errors against the tolerance asked, and how many steps that takes, on the model of the benchmark."""

import numpy as np
import pytest
import study_model as study

from graftline import engine

PATIENTS = 300
STEPS = {1e-4: 79, 1e-5: 128, 1e-6: 218, 1e-8: 657}
"""rtol -> steps per patient when this was written"""


@pytest.fixture(scope="module")
def model():
    return engine.load_antimony(study.text(), "study")


@pytest.fixture(scope="module")
def problem():
    return study.problem(PATIENTS)


@pytest.fixture(scope="module")
def reference(model, problem):
    return engine.solve(model, problem.request(1e-11)).values


@pytest.mark.parametrize("rtol", STEPS)
def test_the_error_of_99_in_100_is_below_ten_times_the_tolerance_at_no_more_steps_than_before(
    model, problem, reference, rtol
):
    result = engine.solve(model, problem.request(rtol))
    assert not result.messages
    assert np.quantile(problem.errors(result.values, reference), 0.99) < 10 * rtol
    assert result.steps.mean() == pytest.approx(STEPS[rtol], rel=0.02)


def test_extreme_patients_are_all_solved_and_right(model):
    """Every parameter log-normal with a standard deviation of the logarithm of 1."""
    extreme = study.problem(1000, seed=7, spread=1.0)
    usual, tight = (engine.solve(model, extreme.request(rtol)) for rtol in (1e-6, 1e-10))
    assert not usual.messages
    assert extreme.errors(usual.values, tight.values).max() < 1e-2
    assert usual.values.min() == 0.0, "some states die away and do not pass below zero"


def test_steps_grow_with_the_fifth_root_of_the_tolerance():
    """Order 5: a tolerance 1e5 times tighter takes about ten times the steps, also where rates depend on time."""
    model = engine.load_antimony("x' = -x + cos(time); x = 1; y' = -50 * (y - x); y = 0")
    steps = [model.run(times=np.array([0.0, 50.0]), rtol=rtol).steps[0] for rtol in (1e-6, 1e-11)]
    assert 7 < steps[1] / steps[0] < 12
