"""Survival estimates against R survival 3.5-3 on the Freireich/Gehan 6-MP data, and exact special cases."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftline.statistics import Transform, cumulative_incidence, kaplan_meier, survival_on_days

# Freireich et al., Blood 1963;21:699 (weeks in remission; R MASS::gehan): + is censored
SIX_MP = "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+"
CONTROL = "1 1 2 2 3 4 4 5 5 8 8 8 8 11 11 12 12 15 17 22 23"
courses = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 2)), min_size=1, max_size=40)


def followed(entries):
    entries = entries.split()
    return [int(entry.rstrip("+")) for entry in entries], [not entry.endswith("+") for entry in entries]


def six_mp(transform="log"):
    return kaplan_meier(*followed(SIX_MP), transform=transform)


def test_the_six_mp_curve_is_that_of_r():
    days = [6, 7, 10, 13, 16, 22, 23]
    expected = [0.857143, 0.806723, 0.752941, 0.690196, 0.627451, 0.537815, 0.448179]
    assert six_mp().at(days) == pytest.approx(expected, abs=1e-6)
    assert six_mp().at([0, 5, 35]) == pytest.approx([1, 1, 0.448179], abs=1e-6)


def test_greenwoods_errors_are_those_of_r():
    curve = six_mp()
    errors = dict(zip(curve.days.tolist(), curve.standard_error, strict=True))
    assert (errors[6], errors[23]) == pytest.approx((0.076360, 0.134591), abs=1e-6)


@pytest.mark.parametrize(
    ("entries", "transform", "median", "low", "high"),
    [
        (SIX_MP, "log", 23, 16, np.nan),
        (SIX_MP, "log-log", 23, 13, np.nan),
        (SIX_MP, "plain", 23, 13, np.nan),
        (CONTROL, "log", 8, 4, 12),
        (CONTROL, "log-log", 8, 4, 11),
        (CONTROL, "plain", 8, 4, 11),
    ],
)
def test_the_interval_of_the_median_depends_on_the_named_transform(entries, transform, median, low, high):
    found = kaplan_meier(*followed(entries), transform=transform).median()
    assert (found.days, found.low, found.high) == pytest.approx((median, low, high), nan_ok=True)


def test_the_restricted_mean_is_that_of_r():
    assert six_mp().restricted_mean(20) == pytest.approx((16.117, 1.252), abs=5e-4)
    assert kaplan_meier(*followed(CONTROL), transform="log").restricted_mean(20)[0] == pytest.approx(8.429, abs=5e-4)


def test_numbers_at_risk_count_those_still_followed_that_morning():
    assert six_mp().at_risk_on([0, 6, 7, 10, 23, 35, 36]).tolist() == [21, 21, 17, 15, 6, 1, 0]


def test_on_the_same_day_events_come_before_censorings():
    curve = kaplan_meier([5, 5], [1, 0], transform="log")
    assert curve.at(5) == 0.5
    assert curve.at_risk.tolist() == [2]


def test_a_median_on_a_flat_stretch_is_its_middle():
    assert kaplan_meier([2, 4, 6, 8], [1, 1, 1, 1], transform="log").median().days == 5


def test_limits_enclose_the_curve_on_every_scale():
    for transform in Transform:
        curve = six_mp(transform)
        low, high = curve.limits_at(curve.days)
        assert np.all((low <= curve.survival) & (curve.survival <= high))
        assert np.all((low >= 0) & (high <= 1))


def test_nobody_has_an_interval_once_everybody_had_the_event():
    curve = kaplan_meier(*followed(CONTROL), transform="log-log")
    assert curve.at(23) == 0
    assert np.isnan([curve.low[-1], curve.high[-1], curve.standard_error[-1]]).all()


@pytest.mark.parametrize(
    ("days", "events", "words"),
    [
        ([1.5], [1], "whole days"),
        ([-1], [1], "whole days"),
        ([], [], "nobody"),
        ([1], [2], "between"),
        ([1, 2], [1], "each"),
    ],
)
def test_times_that_are_no_whole_days_are_refused(days, events, words):
    with pytest.raises(ValueError, match=words):
        kaplan_meier(days, events, transform="log")


@given(courses)
def test_a_curve_never_rises_and_the_order_of_people_is_irrelevant(people):
    days, causes = zip(*people, strict=True)
    events = [cause > 0 for cause in causes]
    curve = kaplan_meier(days, events, transform="log-log")
    assert np.all(np.diff(curve.survival) <= 0)
    assert np.array_equal(kaplan_meier(days[::-1], events[::-1], transform="log-log").survival, curve.survival)


@given(courses)
def test_without_censoring_the_curve_is_the_share_still_free(people):
    days = np.array([day for day, _ in people])
    curve = kaplan_meier(days, np.ones(len(days)), transform="log")
    assert curve.survival == pytest.approx([np.mean(days > day) for day in curve.days])


@given(courses)
def test_competing_shares_and_the_free_share_add_up_to_one(people):
    days, causes = zip(*people, strict=True)
    shares = cumulative_incidence(days, causes, 2)
    assert shares.incidence.sum(axis=0) + shares.free == pytest.approx(np.ones(len(shares.days)))
    naive = 1 - kaplan_meier(days, np.array(causes) == 1, transform="log").survival
    assert np.all(shares.incidence[0] <= naive + 1e-12)


@given(courses)
def test_with_one_cause_incidence_is_one_minus_kaplan_meier_with_greenwoods_error(people):
    days, causes = zip(*people, strict=True)
    events = np.array(causes) > 0
    shares, curve = cumulative_incidence(days, events, 1), kaplan_meier(days, events, transform="log")
    assert shares.incidence[0] == pytest.approx(1 - curve.survival)
    known = curve.survival > 0
    assert shares.standard_error[0][known] == pytest.approx(curve.standard_error[known], abs=1e-6)


def test_without_censoring_the_incidence_is_a_plain_share_with_its_binomial_error():
    days = np.arange(1, 21)
    causes = np.where(np.arange(20) % 4 == 0, 1, 2)
    shares = cumulative_incidence(days, causes, 2)
    assert shares.at(1, [0, 20]) == pytest.approx([0, 0.25])
    assert shares.standard_error[0, -1] == pytest.approx(np.sqrt(0.25 * 0.75 / 20))


def test_many_curves_at_once_equal_one_by_one():
    chance = np.random.default_rng(3)
    days, events = chance.integers(0, 40, (6, 15)), chance.random((6, 15)) < 0.6
    days[2, 10:] = -1
    together = survival_on_days(days, events, 30)
    for row in range(6):
        used = days[row] >= 0
        curve = kaplan_meier(days[row][used], events[row][used], transform="log")
        grid = np.arange(31)
        followed_still = (curve.at_risk_on(grid) > 0) | (curve.at(grid) == 0)
        assert np.array_equal(np.isnan(together[row]), ~followed_still)
        assert together[row][followed_still] == pytest.approx(curve.at(grid)[followed_still])
