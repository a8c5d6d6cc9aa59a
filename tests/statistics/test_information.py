"""Fisher information and profile likelihood beside closed forms."""

import numpy as np
import pytest

from graftline.statistics import Fits, Prior, Profile, fisher_information, fit, profiles, whitened

TIMES = np.array([0.0, 1.0, 2.0, 4.0])


def line(times=TIMES):
    """Intercept and slope."""
    return np.stack([np.ones_like(times), times], axis=1)


def test_the_standard_errors_of_a_straight_line_are_those_of_the_textbook():
    sd = 0.3
    found = fisher_information(("a", "b"), line(), sd**2 * np.eye(4))
    spread = np.sum((TIMES - TIMES.mean()) ** 2)
    assert found.standard_errors[1] == pytest.approx(sd / np.sqrt(spread))
    assert found.standard_errors[0] == pytest.approx(sd * np.sqrt(1 / 4 + TIMES.mean() ** 2 / spread))
    own = -TIMES.mean() / np.sqrt(np.mean(TIMES**2))
    assert found.correlations[0, 1] == pytest.approx(own)
    at_two = found.error_of({"a": 1.0, "b": 2.0})
    assert at_two == pytest.approx(sd * np.sqrt(1 / 4 + (2 - TIMES.mean()) ** 2 / spread))


def test_an_error_common_to_all_readings_hides_the_intercept_only():
    sd, shared = 0.3, 2.0
    alone = fisher_information(("a", "b"), line(), sd**2 * np.eye(4))
    found = fisher_information(("a", "b"), line(), sd**2 * np.eye(4) + shared**2)
    assert found.standard_errors[1] == pytest.approx(alone.standard_errors[1])
    assert found.standard_errors[0] == pytest.approx(np.hypot(alone.standard_errors[0], shared))


def decay(log_parameters):
    """y = A exp(-kt) in logarithms: information of ln A and ln k has a closed form."""
    k = np.exp(log_parameters[1])
    return np.stack([np.ones_like(TIMES), -k * TIMES], axis=1)


def test_the_information_of_an_exponential_is_the_closed_form():
    sd, k = 0.2, 0.5
    found = fisher_information(("A", "k"), decay(np.log([10.0, k])), sd**2 * np.eye(4))
    expected = np.array([[4, -k * TIMES.sum()], [-k * TIMES.sum(), k**2 * np.sum(TIMES**2)]]) / sd**2
    assert np.allclose(found.matrix, expected)
    assert np.allclose(found.eigenvalues, np.linalg.eigvalsh(expected)[::-1])
    assert np.allclose(found.directions @ np.diag(found.eigenvalues) @ found.directions.T, expected)


def ridge():
    """Only p times q can be seen, and r."""
    slopes = np.stack([TIMES, TIMES, np.ones(4)], axis=1)
    return fisher_information(("p", "q", "r"), slopes, np.eye(4))


def test_a_ridge_leaves_each_open_and_the_product_known():
    found = ridge()
    assert found.standard_errors[0] == found.standard_errors[1] == np.inf
    textbook = fisher_information(("pq", "r"), line()[:, ::-1], np.eye(4)).standard_errors
    assert found.error_of({"p": 1.0, "q": 1.0}) == pytest.approx(textbook[0])
    assert found.standard_errors[2] == pytest.approx(textbook[1])
    assert found.error_of({"p": 1.0, "q": -1.0}) == np.inf
    assert found.best_combination(("p", "q")) == pytest.approx({"p": 1.0, "q": 1.0})
    assert np.isnan(found.correlations[0, 1])
    assert np.isfinite(found.correlations[2, 2])


def test_a_prior_makes_what_the_data_leave_open_finite_and_as_wide_as_the_prior():
    found = ridge().with_prior(np.array([1.0, 1.0, np.inf]))
    assert found.error_of({"p": 1.0, "q": -1.0}) == pytest.approx(np.sqrt(2))
    assert found.error_of({"p": 1.0, "q": 1.0}) < ridge().error_of({"p": 1.0, "q": 1.0})
    assert found.correlations[0, 1] < -0.5


def test_the_information_of_some_counts_the_others_as_estimated():
    full = fisher_information(("a", "b"), line(), np.eye(4))
    assert 1 / np.sqrt(full.of(("a",)).matrix[0, 0]) == pytest.approx(full.standard_errors[0])


def test_whitened_readings_are_independent():
    covariance = 0.04 * np.eye(4) + 1.0
    factor = whitened(np.eye(4), covariance)
    assert np.allclose(factor @ covariance @ factor.T, np.eye(4))


BOUNDS = (np.full(2, -8.0), np.full(2, 8.0))


def exponential(readings, sd=0.1):
    """Residuals of A exp(-kt), normal errors, parameters ln A and ln k; many sets at once."""

    def evaluate(parameters):
        amount, rate = np.exp(parameters[:, :1]), np.exp(parameters[:, 1:])
        course = amount * np.exp(-rate * TIMES)
        slopes = np.stack([course, -rate * TIMES * course], axis=-1)
        return (course - readings) / sd, slopes / sd

    return evaluate


def test_a_fit_finds_the_parameters_that_made_the_readings_from_afar():
    truth = np.log([10.0, 0.5])
    readings = 10 * np.exp(-0.5 * TIMES)
    found = fit(exponential(readings), np.array([[0.0, 0.0], [4.0, -3.0]]), BOUNDS)
    assert found.settled.all()
    assert np.allclose(found.parameters, truth, atol=1e-5)
    assert np.all(found.misfit < 1e-6)


def grid_around(value, half=1.0, points=21):
    return value + np.linspace(-half, half, points)


def test_the_profile_of_a_straight_line_is_a_parabola_with_the_textbook_interval():
    sd, readings = 0.3, np.array([1.0, 2.9, 5.2, 8.8])

    def evaluate(parameters):
        slopes = np.broadcast_to(line() / sd, (len(parameters), 4, 2))
        return (parameters @ line().T - readings) / sd, slopes

    best = fit(evaluate, np.zeros((1, 2)), (np.full(2, -50.0), np.full(2, 50.0)))
    error = fisher_information(("a", "b"), line(), sd**2 * np.eye(4)).standard_errors[1]
    grid = grid_around(best.parameters[0, 1], 4 * error, 161)
    (found,) = profiles(evaluate, best, [("b", np.array([0.0, 1.0]), grid)], (np.full(2, -50.0), np.full(2, 50.0)))
    assert np.allclose(found.misfit, ((found.values - found.best) / error) ** 2, atol=1e-6)
    low, high = found.interval()
    assert low == pytest.approx(found.best - 1.959964 * error, rel=1e-3)
    assert high == pytest.approx(found.best + 1.959964 * error, rel=1e-3)


def ridged(readings):
    """p and q act through their product only: the exponential with A = p q (parameters ln p, ln q, ln k)."""
    inner = exponential(readings)

    def evaluate(parameters):
        residuals, slopes = inner(np.stack([parameters[:, 0] + parameters[:, 1], parameters[:, 2]], axis=1))
        return residuals, slopes[:, :, [0, 0, 1]]

    return evaluate


def test_the_profile_of_a_parameter_that_cannot_be_identified_is_flat_and_that_of_the_product_is_not():
    readings = 10 * np.exp(-0.5 * TIMES) + np.array([0.1, -0.05, 0.02, 0.07])
    bounds = np.full(3, -8.0), np.full(3, 8.0)
    evaluate = ridged(readings)
    best = fit(evaluate, np.array([[1.0, 1.0, -1.0]]), bounds)
    alone, both = np.array([1.0, 0.0, 0.0]), np.array([1.0, 1.0, 0.0])
    centre = best.parameters[0]
    found = profiles(
        evaluate, best, [("p", alone, grid_around(centre[0], 3.0)), ("p*q", both, grid_around(centre @ both))], bounds
    )
    assert np.all(found[0].misfit < 1e-3)
    assert found[0].interval() == (-np.inf, np.inf)
    assert found[1].misfit[[0, -1]].min() > 1000
    low, high = found[1].interval()
    assert -0.1 < low - centre @ both < 0 < high - centre @ both < 0.1
    assert all(one.settled.all() for one in found)


def test_a_prior_closes_a_flat_profile_at_its_own_width():
    readings = 10 * np.exp(-0.5 * TIMES)
    bounds = np.full(3, -8.0), np.full(3, 8.0)
    prior = Prior(mean=np.log([2.0, 5.0, 0.5]), standard_deviation=np.array([1.0, 1.0, np.inf]))
    evaluate = ridged(readings)
    best = fit(evaluate, prior.mean[None, :], bounds, prior)
    grid = grid_around(best.parameters[0, 0], 3.0, 61)
    (found,) = profiles(evaluate, best, [("p", np.array([1.0, 0.0, 0.0]), grid)], bounds, prior)
    low, high = found.interval()
    assert high - low == pytest.approx(2 * 1.959964 / np.sqrt(2), rel=0.02)  # q goes the other way and pays too


def test_what_cannot_be_evaluated_is_stepped_around():
    inner = exponential(10 * np.exp(-0.5 * TIMES))

    def evaluate(parameters):
        residuals, slopes = inner(parameters)
        residuals[parameters[:, 1] > 0.5] = np.nan
        return residuals, slopes

    found = fit(evaluate, np.array([[2.0, 0.4], [2.0, 0.9]]), BOUNDS)
    assert np.allclose(found.parameters[0], np.log([10.0, 0.5]), atol=1e-5)
    assert found.misfit[1] == np.inf
    assert not found.settled[1]


def test_an_interval_that_no_point_reaches_is_the_best_fit():
    values = np.array([-1.0, 1.0])
    narrow = Profile(name="p", values=values, misfit=np.array([9.0, 9.0]), settled=np.ones(2, bool), best=0.0)
    assert narrow.interval() == (0.0, 0.0)
    assert isinstance(fit(exponential(np.ones(4)), np.zeros((1, 2)), BOUNDS), Fits)
