"""Remission and relapse of leukaemia: thresholds, order of visits, and what best response makes of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftline.assessment import (
    ConfirmationRule,
    ProgressionRule,
    RemissionRule,
    Response,
    Visit,
    best_overall_response,
    duration_of_response,
    in_overall_remission,
    marrow_response,
    marrow_responses,
    progression_free,
    remission_rule,
)
from graftline.protocol import load_protocol

RULE = RemissionRule(blasts_below=0.05, relapse_at=0.05)
CONFIRMED = ConfirmationRule(confirmation_days=28, minimum_stable_days=28)
CR, SD, PD, NE = Response.CR, Response.SD, Response.PD, Response.NE


@pytest.mark.parametrize(
    ("blasts", "in_remission", "expected"),
    [
        (0.0, False, CR),
        (0.049, False, CR),
        (0.05, False, SD),
        (0.9, False, SD),
        (0.05, True, PD),
        (0.049, True, CR),
        (None, False, NE),
        (float("nan"), True, NE),
    ],
)
def test_remission_lies_below_the_threshold_and_relapse_needs_a_remission_before(blasts, in_remission, expected):
    assert marrow_response(blasts, RULE, in_remission=in_remission) is expected


def test_between_two_thresholds_a_patient_stays_what_they_were():
    rule = RemissionRule(blasts_below=0.05, relapse_at=0.2)
    assert marrow_response(0.1, rule, in_remission=True) is CR
    assert marrow_response(0.1, rule, in_remission=False) is SD


@given(st.lists(st.one_of(st.floats(0, 1), st.just(float("nan"))), min_size=1, max_size=8))
def test_many_patients_are_judged_as_one_by_one(course):
    codes, before = [], False
    for blasts in course:
        found = marrow_response(blasts, RULE, in_remission=before)
        before = before or blasts < RULE.blasts_below
        codes.append(int(found))
    assert marrow_responses(np.array([course, course]), RULE).tolist() == [codes, codes]


def judged(*blasts, days=(27, 89, 179, 359)):
    codes = marrow_responses(np.array([blasts]), RULE)[0]
    by_code = {int(one): one for one in Response}
    return [Visit(day, by_code[int(code)]) for day, code in zip(days, codes, strict=False)]


def test_a_remission_kept_for_four_weeks_counts_and_lasts_until_the_relapse():
    visits = judged(0.01, 0.0, 0.02, 0.3)
    best = best_overall_response(visits, CONFIRMED, time_zero=0)
    assert (best.response, best.day, best.confirmed) == (CR, 27, True)
    lasted = duration_of_response(visits, best, ProgressionRule())
    assert (lasted.days, lasted.event, lasted.reason) == (359 - 27, True, "progression")
    assert in_overall_remission([best], within_days=91, time_zero=0).tolist() == [True]


def test_a_remission_that_is_lost_at_the_next_marrow_does_not_count():
    visits = judged(0.01, 0.4)
    best = best_overall_response(visits, CONFIRMED, time_zero=0)
    assert best.response is not CR
    assert progression_free(visits, ProgressionRule(), time_zero=0).days == 89
    assert not in_overall_remission([best], within_days=91, time_zero=0)[0]


def test_a_remission_that_comes_too_late_does_not_count():
    best = best_overall_response(judged(0.4, 0.3, 0.01, 0.01), CONFIRMED, time_zero=0)
    assert best.response is CR
    assert not in_overall_remission([best], within_days=91, time_zero=0)[0]


def test_leukaemia_that_stays_is_no_relapse():
    visits = judged(0.4, 0.5, 0.6, 0.7)
    assert [visit.response for visit in visits] == [SD] * 4
    assert not progression_free(visits, ProgressionRule(), time_zero=0).event


def test_thresholds_come_from_the_protocol():
    written = load_protocol("tisagenlecleucel_all").protocol.response.remission
    assert remission_rule(written) == RULE


def test_thresholds_out_of_order_are_a_defect():
    with pytest.raises(AssertionError, match="no order of thresholds"):
        RemissionRule(blasts_below=0.05, relapse_at=0.01)
