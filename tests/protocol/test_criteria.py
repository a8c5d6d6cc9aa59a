"""Eligibility is three-valued: what is not known never passes and never fails by itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from graftline.base.verdict import Outcome
from graftline.protocol import Criterion, EligibilityCriterion, variables_of

TREES = {
    "any": {"any": [{"variable": "afp_serum", "at_least": "400 ng/mL"}, {"variable": "ecog", "at_most": 1}]},
    "all": {"all": [{"variable": "afp_serum", "at_least": "400 ng/mL"}, {"variable": "ecog", "at_most": 1}]},
}
AFP = st.sampled_from([np.nan, 0.0, 399.9, 400.0, 1e6])
ECOG = st.sampled_from([np.nan, 0.0, 1.0, 2.0])


def criterion(rule):
    return EligibilityCriterion.model_validate({"name": "x", "text": "words", "when": ["screening"], "rule": rule})


def outcome(rule, **values):
    return criterion(rule).evaluate({name: np.array([value]) for name, value in values.items()})[0].outcome


def single(value, holds):
    return Outcome.UNKNOWN if np.isnan(value) else Outcome.PASS if holds else Outcome.FAIL


@settings(deadline=None)  # the first reading of a unit loads the registry
@given(afp=AFP, ecog=ECOG)
def test_any_and_all_follow_kleene(afp, ecog):
    parts = single(afp, afp >= 400), single(ecog, ecog <= 1)
    assert outcome(TREES["any"], afp_serum=afp, ecog=ecog) == max(parts)
    assert outcome(TREES["all"], afp_serum=afp, ecog=ecog) == min(parts)


@settings(deadline=None)  # the first reading of a unit loads the registry
@given(afp=AFP, ecog=ECOG, tree=st.sampled_from(["any", "all"]))
def test_not_swaps_pass_and_fail_and_keeps_unknown(afp, ecog, tree):
    straight = outcome(TREES[tree], afp_serum=afp, ecog=ecog)
    assert outcome({"not": TREES[tree]}, afp_serum=afp, ecog=ecog) == Outcome.PASS - straight
    assert outcome({"not": {"not": TREES[tree]}}, afp_serum=afp, ecog=ecog) == straight


def test_one_passing_branch_settles_an_unknown_one():
    assert outcome(TREES["any"], afp_serum=np.nan, ecog=0.0) is Outcome.PASS
    assert outcome(TREES["all"], afp_serum=np.nan, ecog=2.0) is Outcome.FAIL


def test_bounds_are_compared_in_the_unit_of_the_record():
    assert outcome({"variable": "platelets", "at_least": "75e9 cells/L"}, platelets=75.0) is Outcome.PASS
    assert outcome({"variable": "platelets", "above": "75e9 cells/L"}, platelets=75.0) is Outcome.FAIL


def test_categories_and_flags_may_be_unknown():
    assert outcome({"variable": "sex", "is_in": ["female"]}, sex="") is Outcome.UNKNOWN
    assert outcome({"variable": "sex", "is_in": ["female"]}, sex="male") is Outcome.FAIL
    assert outcome({"variable": "fever", "holds": False}, fever=np.nan) is Outcome.UNKNOWN
    assert outcome({"variable": "fever", "holds": False}, fever=0.0) is Outcome.PASS


def test_the_reason_is_the_text_of_the_criterion():
    verdict = criterion(TREES["any"]).evaluate({"afp_serum": np.array([1.0]), "ecog": np.array([3.0])})[0]
    assert verdict.reasons == ("words",)


def test_every_variable_below_is_found():
    assert variables_of(criterion({"not": TREES["all"]}).rule) == {"afp_serum", "ecog"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"variable": "ecog", "holds": True},
        {"variable": "fever", "at_least": 1},
        {"variable": "sex", "is_in": ["other"]},
        {"variable": "ecog"},
        {"variable": "ecog", "at_most": True},
    ],
)
def test_a_comparison_that_does_not_fit_its_variable_is_refused(wrong):
    with pytest.raises(ValidationError):
        Criterion.model_validate(wrong)


def test_a_measurement_older_than_its_window_is_as_if_there_were_none():
    criterion = Criterion(variable="platelets", at_least="75e9 cells/L", window="7 days")
    measured = {"platelets": np.array([150.0, 150.0, 20.0])}
    ages = {"platelets": np.array([7.0, 8.0, 8.0])}
    assert criterion.evaluate(measured, ages).outcomes.tolist() == [Outcome.PASS, Outcome.UNKNOWN, Outcome.UNKNOWN]
    assert criterion.evaluate(measured).outcomes.tolist() == [Outcome.PASS, Outcome.PASS, Outcome.FAIL]
