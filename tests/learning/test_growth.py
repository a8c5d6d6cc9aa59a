"""The growth model finds the truth it was made from, and is not fooled by carried-over diameters."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm
from visit_tables import made, visits_of

from graftline.learning import fit_growth
from graftline.learning.growth import _gompertz, _mixed, growth_likelihood, untreated
from graftline.learning.natural_history import series

LN_ROOM = 3000.0


def grown(patients, mean, spread, error, seed, erratic_share=0.0, per_patient=4, whole_mm=False):
    """Patients whose largest lesion grows by the Gompertz law, read with error."""
    chance = np.random.default_rng(seed)
    subject, day = visits_of(patients, per_patient)
    start = np.log(chance.uniform(60.0, 500.0, patients))
    constant = mean + spread * chance.standard_normal(patients)
    erratic = chance.random(patients) < erratic_share
    room = np.log(LN_ROOM) - start
    followed = np.log(LN_ROOM) - room[subject] * np.exp(-constant[subject] * day)
    wild = start[subject] + (-0.012 + 0.010 * chance.standard_normal(patients))[subject] * day
    noise = np.where(erratic[subject], 1.2, error) * chance.standard_normal(len(subject))
    volume = np.exp(np.where(erratic[subject], wild, followed) + noise)
    diameter = 10 * np.cbrt(6 * volume / np.pi)
    return made(subject, day, diameter=np.rint(diameter) if whole_mm else np.maximum(diameter, 1.0))


@pytest.fixture(scope="module")
def found():
    """Fitted to 1000 made patients with a mean of 0.0010 and a spread of 0.0015 per day."""
    return fit_growth(grown(1000, mean=0.0010, spread=0.0015, error=0.2, seed=1, erratic_share=0.3))


def test_known_growth_is_found_within_its_interval(found):
    fit = found
    for name, truth in (("mean", 1.0), ("ln_sd", np.log(1.5)), ("ln_error", np.log(0.2))):
        assert abs(fit.fit[name] - truth) < 4 * fit.fit.standard_error(name), name
    assert fit.mean == pytest.approx(0.0010, abs=0.00025)
    assert fit.standard_deviation == pytest.approx(0.0015, rel=0.2)
    # lesions that fall below 20 mm end a series, and those are the erratic ones
    assert 0.6 < fit.followed_share < 0.85


def test_the_doubling_time_of_those_that_grow_follows_from_the_fit(found):
    fit = found
    draws = fit.mean + fit.standard_deviation * np.random.default_rng(0).standard_normal(400_000)
    growing = draws[draws > 0]
    assert fit.growing_share == pytest.approx(len(growing) / len(draws), abs=0.003)
    assert fit.growing_quantile(0.75) == pytest.approx(np.quantile(growing, 0.75), rel=0.01)
    value, low, high = fit.doubling_days()
    assert value == pytest.approx(np.log(2) / (np.median(growing) * np.log(3000 / 151)), rel=0.01)
    assert low < value < high


def test_the_likelihood_by_hand_is_that_of_a_multivariate_normal():
    history = grown(6, mean=0.001, spread=0.001, error=0.2, seed=3, per_patient=3)
    chains = untreated(history).chains()
    followed = series(history, chains, np.log(history.volume))
    by_hand = _mixed(followed, followed.days, 0.002, 0.003, 0.25)
    for row in range(len(chains)):
        seen = followed.seen[row]
        days, change = followed.days[row][seen], followed.change[row][seen]
        covariance = 0.25**2 * (np.eye(len(days)) + 1) + 0.003**2 * np.outer(days, days)
        assert by_hand[row] == pytest.approx(multivariate_normal(0.002 * days, covariance).logpdf(change))


def test_the_gompertz_part_is_the_integral_over_the_constant():
    history = grown(4, mean=0.001, spread=0.004, error=0.3, seed=7, per_patient=3)
    chains = untreated(history).chains()
    followed = series(history, chains, np.log(history.volume))
    room = np.log(3000) - followed.start
    found = _gompertz(followed, room, 0.001, 0.003, 0.25)
    constants = np.linspace(-0.02, 0.02, 1601)
    for row in range(len(chains)):
        seen = followed.seen[row]
        days, change = followed.days[row][seen], followed.change[row][seen]
        densities = []
        for constant in constants:
            left = np.exp(-constant * days)
            covariance = 0.25**2 * (np.eye(len(days)) + np.outer(left, left))
            densities.append(multivariate_normal(room[row] * (1 - left), covariance).pdf(change))
        integral = np.trapezoid(np.array(densities) * norm(0.001, 0.003).pdf(constants), constants)
        assert found[row] == pytest.approx(np.log(integral), abs=1e-3)


def test_both_kinds_of_series_count_by_their_share():
    history = grown(5, mean=0.001, spread=0.001, error=0.2, seed=4)
    followed = series(history, untreated(history).chains(), np.log(history.volume))
    same = {"mean": 1.0, "ln_sd": 0.0, "ln_error": -1.0, "other_mean": -9.0, "other_ln_sd": 2.0, "other_ln_error": 0.0}
    contributions = growth_likelihood(followed)
    never, always = (contributions({**same, "logit_followed": logit}) for logit in (-60.0, 60.0))
    half = contributions({**same, "logit_followed": 0.0})
    assert np.exp(half) == pytest.approx((np.exp(never) + np.exp(always)) / 2)


def test_diameters_that_are_carried_over_do_not_slow_the_growth():
    history = grown(700, mean=0.0020, spread=0.0010, error=0.2, seed=5, erratic_share=0.2, whole_mm=True)
    copied = np.random.default_rng(6).random(len(history)) < 0.3
    copied[history.first] = False
    diameter = history.diameter.copy()
    for row in np.flatnonzero(copied):
        diameter[row] = diameter[row - 1]
    again = fit_growth(made(history.subject, history.day, diameter=diameter))
    assert again.copied_share == pytest.approx(0.3, abs=0.03)
    assert again.mean == pytest.approx(0.0020, abs=0.0003)


def test_treated_intervals_short_and_long_ones_and_small_lesions_are_left_out():
    subject, day = visits_of(2, 5)
    day[1], day[4] = 5.0, 180.0 + 201.0  # the first interval is too short, the last too long
    treated = np.zeros(10, dtype=bool)
    treated[7] = True
    diameter = np.full(10, 60.0)
    diameter[5] = 19.0
    found = untreated(made(subject, day, embolization=treated, diameter=diameter))
    assert found.start.tolist() == [1, 2, 6, 8]
    assert found.chains() == [[1, 2, 3], [6, 7], [8, 9]]


@pytest.mark.long
def test_the_real_table_gives_the_growth_in_the_documentation(real):
    fit = fit_growth(real)
    assert (fit.runs, fit.runs_used, fit.fit.people) == (886, 775, 654)
    assert fit.mean == pytest.approx(2.99e-4, rel=0.01)
    assert fit.scan_error / 3 == pytest.approx(0.103, abs=0.002)  # a tenth of a diameter, as twin.md assumes
    assert fit.doubling_days() == pytest.approx((166.7, 102.2, 271.7), rel=0.01)
