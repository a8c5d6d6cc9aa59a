"""Eligibility and screening step by step."""

import numpy as np
import pytest

from graftline.base.streams import Keys, Streams
from graftline.population import PopulationPlan
from graftline.population.simulate import draw_baseline
from graftline.protocol.criteria import Moment
from graftline.screening import eligible, measurements_of, screening_order
from graftline.screening.simulate import DETERIORATED, DIED, WITHDREW, screen

PATIENTS = 6000


@pytest.fixture(scope="module")
def keys():
    return Keys.of(0, 7, np.arange(PATIENTS))


@pytest.fixture(scope="module")
def baseline(keys):
    return draw_baseline(PopulationPlan(country=np.full(PATIENTS, "FR")), keys, Streams(1))


@pytest.fixture(scope="module")
def screened(reference, baseline, keys):
    return screen(reference, baseline, keys, Streams(1))


def test_every_criterion_of_screening_is_judged_exactly_once(reference):
    judged = [one.name for criteria in screening_order(reference) for one in criteria]
    expected = [one.name for one in reference.eligibility if {Moment.PRESCREENING, Moment.SCREENING} & set(one.when)]
    assert sorted(judged) == sorted(expected)


def test_a_criterion_is_judged_as_soon_as_it_can_be_and_in_the_order_of_the_steps(reference):
    order = [[one.name for one in criteria] for criteria in screening_order(reference)]
    assert order[:3] == [["hla", "hla_exclusion"], ["tumour_antigen"], ["liver_antigen"]]
    assert "age" in order[3]
    assert "platelets" in order[4]


def without(reference, variable):
    steps = tuple(
        step.model_copy(update={"measures": tuple(name for name in step.measures if name != variable) or ("age",)})
        for step in reference.screening
    )
    return reference.model_copy(update={"screening": steps})


def test_what_no_step_measures_is_unknown_and_stops_the_patient_after_the_last_step(reference, baseline, keys):
    protocol = without(reference, "platelets")
    assert "platelets" in [one.name for one in screening_order(protocol)[-1]]
    result = screen(protocol, baseline, keys, Streams(1))
    assert not result.passed.any()
    stopped = result.reason[result.criterion == "platelets"]
    assert len(stopped) > 0
    assert set(stopped) == {"not known: platelets at least 75e9/L"}


def test_patients_pass_only_if_all_criteria_of_screening_pass(reference, baseline, screened):
    measured = measurements_of(baseline)
    both = eligible(reference.eligibility, Moment.PRESCREENING, measured) & eligible(
        reference.eligibility, Moment.SCREENING, measured
    )
    assert screened.passed.any()
    assert both.passed[screened.passed].all()
    lost = ~screened.passed & both.passed
    causes = {DIED, WITHDREW, DETERIORATED}
    assert set(screened.reason[lost]) - causes <= {
        "not known: AFP in tumour (at least 20 % of cells stained) or serum AFP at or above the cut-off"
    }


def test_every_patient_who_does_not_pass_has_a_reason(screened):
    assert np.array_equal(screened.reason == "", screened.passed)
    left = np.isin(screened.reason, [DIED, WITHDREW, DETERIORATED])
    assert np.array_equal(screened.criterion == "", screened.passed | left)
    assert {DIED, WITHDREW, DETERIORATED} <= set(screened.reason)


def test_screening_stops_at_the_step_of_the_criterion_that_was_not_passed(reference, screened):
    step_of = {one.name: step for step, criteria in enumerate(screening_order(reference)) for one in criteria}
    for name in np.unique(screened.criterion[screened.criterion != ""]):
        assert set(screened.last_step[screened.criterion == name]) == {step_of[name]}
    assert set(screened.last_step[screened.passed]) == {len(reference.screening) - 1}


def test_those_who_pass_need_the_time_of_all_steps(reference, screened):
    total = sum(step.takes.to("days") for step in reference.screening)
    total += reference.apheresis.after_eligibility.to("days")
    assert screened.days[screened.passed].mean() == pytest.approx(total, rel=0.1)
    assert np.all(screened.days > 0)


def test_a_patient_without_biopsy_is_unknown_only_if_serum_afp_does_not_decide(reference):
    measured = {"afp_serum": np.array([500.0, 10.0, 10.0]), "afp_tumour_ihc": np.array([np.nan, np.nan, 30.0])}
    rule = next(one for one in reference.eligibility if one.name == "tumour_antigen")
    verdicts = eligible([rule], Moment.PRESCREENING, measured)
    assert (verdicts[0].passed, verdicts[1].unknown, verdicts[2].passed) == (True, True, True)


def test_a_variable_that_nobody_handed_in_is_unknown(reference, baseline):
    verdicts = eligible(reference.eligibility, Moment.BEFORE_INFUSION, measurements_of(baseline))
    assert verdicts.unknown.all()


def test_without_criteria_at_a_moment_everybody_passes(reference, baseline):
    assert eligible(reference.eligibility, Moment.BEFORE_APHERESIS, measurements_of(baseline)).passed.all()


def test_a_lower_cut_off_lets_more_patients_through(reference, baseline, keys, screened):
    criteria = []
    for one in reference.eligibility:
        if one.name == "tumour_antigen":
            changed = one.rule.any[0].model_copy(update={"at_least": "100 ng/mL"})
            criteria.append(
                one.model_copy(update={"rule": one.rule.model_copy(update={"any": (changed, one.rule.any[1])})})
            )
        else:
            criteria.append(one)
    wider = screen(reference.model_copy(update={"eligibility": tuple(criteria)}), baseline, keys, Streams(1))
    assert wider.passed.sum() > screened.passed.sum()
    assert wider.passed[screened.passed].all(), "nobody is lost by a wider rule"


def test_a_patients_screening_does_not_depend_on_who_else_is_screened(reference, baseline, keys, screened):
    some = np.arange(11, 400, 13)
    alone = screen(reference, baseline.take(some), keys.take(some), Streams(1))
    assert np.array_equal(alone.days, screened.days[some])
    assert np.array_equal(alone.reason, screened.reason[some])
