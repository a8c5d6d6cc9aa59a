"""Intervals against R's numbers, and what every interval must do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftline.statistics import (
    beta_binomial_prediction,
    clopper_pearson,
    jeffreys,
    prediction_interval,
    wilson,
)

# R and scipy agree (binom.test, 95 %): k, n, low, high
CLOPPER_PEARSON = [
    (2, 21, 0.011749, 0.303774),
    (6, 21, 0.112809, 0.521751),
    (1, 21, 0.001205, 0.238160),
    (14, 21, 0.430325, 0.854123),
    (0, 21, 0.0, 0.161098),
    (21, 38, 0.382991, 0.713759),
    (38, 477, 0.056990, 0.107708),
    (21, 477, 0.027456, 0.066512),
    (19, 44, 0.283494, 0.589663),
]
counts = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(("k", "n", "low", "high"), CLOPPER_PEARSON)
def test_clopper_pearson_gives_the_limits_of_r(k, n, low, high):
    assert clopper_pearson(k, n) == pytest.approx((low, high), abs=1e-6)


def test_five_of_ten_gives_the_limits_in_tern():
    assert clopper_pearson(5, 10) == pytest.approx((0.187086, 0.812914), abs=1e-6)
    assert jeffreys(5, 10) == pytest.approx((0.223529, 0.776471), abs=1e-6)
    assert wilson(5, 10, level=0.9) == pytest.approx((0.269272, 0.730728), abs=1e-6)


def test_many_intervals_at_once_equal_one_by_one():
    k, n = np.array([row[0] for row in CLOPPER_PEARSON]), np.array([row[1] for row in CLOPPER_PEARSON])
    for method in (clopper_pearson, wilson, jeffreys):
        together = method(k, n)
        assert np.array_equal(together.low, [method(*pair).low for pair in zip(k, n, strict=True)])
        assert np.array_equal(together.high, [method(*pair).high for pair in zip(k, n, strict=True)])


@given(counts, st.sampled_from([0.8, 0.9, 0.95]))
def test_an_interval_holds_its_estimate_and_mirrors(pair, level):
    k, n = pair
    for method in (clopper_pearson, wilson, jeffreys):
        low, high = method(k, n, level)
        assert 0 <= low <= k / n <= high <= 1
        assert method(n - k, n, level) == pytest.approx((1 - high, 1 - low), abs=1e-9)


@pytest.mark.parametrize("method", [clopper_pearson, wilson, jeffreys])
def test_without_trials_nothing_is_known(method):
    assert method(0, 0) == (0, 1)


@pytest.mark.parametrize(
    ("k", "n", "level", "words"),
    [(3, 2, 0.9, "more successes"), (-1, 2, 0.9, "whole"), (0.5, 2, 0.9, "whole"), (1, 2, 95, "level")],
)
def test_impossible_counts_are_refused(k, n, level, words):
    with pytest.raises(ValueError, match=words):
        clopper_pearson(k, n, level)


def test_the_naive_prediction_is_the_beta_binomial_by_hand():
    # Beta(1/2, 1/2) prior, 0 of 1 seen -> Beta(1/2, 3/2); one future patient: P(1) = 1/4, two: P(0,1,2) = 5/8, 1/4, 1/8
    assert beta_binomial_prediction(0, 1, 1, level=0.4) == (0, 0)
    assert beta_binomial_prediction(0, 1, 1, level=0.6) == (0, 1)
    assert beta_binomial_prediction(0, 1, 2, level=0.7) == (0, 1)
    assert beta_binomial_prediction(0, 1, 2, level=0.8) == (0, 2)


@given(counts, st.integers(0, 60))
def test_a_predicted_count_stays_between_none_and_all(pair, future):
    low, high = beta_binomial_prediction(*pair, future)
    assert 0 <= low <= high <= future


def test_a_prediction_interval_ends_at_sampled_values_of_the_right_rank():
    samples = np.arange(1, 201)
    assert prediction_interval(samples, 0.9) == (10, 190)
    assert prediction_interval(samples[::-1], 0.9) == (10, 190)
    assert prediction_interval([3], 0.9) == (3, 3)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=80), st.floats(0.05, 0.95))
def test_a_prediction_interval_holds_at_least_its_level(samples, level):
    low, high = prediction_interval(samples, level)
    assert low in samples and high in samples
    assert np.mean((np.array(samples) >= low) & (np.array(samples) <= high)) >= level - 1e-9


def test_a_prediction_interval_works_along_the_replicates_of_a_table():
    table = np.arange(40).reshape(20, 2)
    low, high = prediction_interval(table, 0.8, axis=0)
    assert low.tolist() == [2, 3] and high.tolist() == [34, 35]


@pytest.mark.parametrize(("samples", "words"), [([], "no samples"), ([1.0, float("nan")], "NaN")])
def test_failed_replicates_are_never_skipped_in_silence(samples, words):
    with pytest.raises(ValueError, match=words):
        prediction_interval(samples)
