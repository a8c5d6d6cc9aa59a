"""Systemic comparators: other courses of the same patients, and the calculation behind their cards done again."""

import numpy as np
import pytest
from house_patients import latents_of, varied_baseline
from scipy.optimize import minimize_scalar

from graftline.base.errors import InputError
from graftline.base.streams import Keys, Streams
from graftline.base.units import DAYS_PER_MONTH
from graftline.population import PopulationPlan
from graftline.population.simulate import draw_baseline
from graftline.twin import (
    COMPARATORS,
    CourseRequest,
    death_hazard,
    decompensation_hazard,
    first_event,
    new_lesion_hazard,
    run_courses,
)
from graftline.twin.simulate import draw_latents

YEAR = np.arange(0, 366, 7.0)


def courses(latents, comparator=None):
    return run_courses(CourseRequest(latents=latents, comparator=comparator), YEAR)


@pytest.fixture(scope="module")
def patients():
    return latents_of(varied_baseline(30, seed=9))


def test_supportive_care_is_the_natural_course(patients):
    natural, supported = courses(patients), courses(patients, "supportive_care")
    for symbol, values in natural.states.items():
        assert np.array_equal(values, supported.states[symbol]), symbol


def test_a_systemic_drug_leaves_less_tumour_fewer_new_lesions_and_nothing_else(patients):
    natural = courses(patients)
    for drug in set(COMPARATORS) - {"supportive_care"}:
        treated = courses(patients, drug)
        assert np.all(treated.viable_volume[:, 1:] < natural.viable_volume[:, 1:])
        assert np.all(new_lesion_hazard(treated) < new_lesion_hazard(natural))
        assert np.all(treated.tcrt_in_body == 0)
        assert np.allclose(treated.antigen_positive_share, natural.antigen_positive_share, rtol=0.05)
        for symbol in ("L", "I", "C", "R", "J"):
            assert np.allclose(treated.states[symbol], natural.states[symbol], rtol=1e-6), symbol


def test_the_patient_at_referral_is_the_same_whatever_is_given(patients):
    treated, natural = courses(patients, "cabozantinib"), courses(patients)
    for symbol, values in natural.states.items():
        assert np.array_equal(values[:, 0], treated.states[symbol][:, 0]), symbol


def test_an_unknown_comparator_is_refused_with_the_ones_there_are(patients):
    with pytest.raises(
        InputError, match="comparator sorafenib: there is no such comparator; choose from supportive_care"
    ):
        courses(patients, "sorafenib")


# the calculation behind the cards: tests/twin/test_comparators.py is named in evidence/cards/comparators.yaml

TWO_YEARS = np.arange(0, 730, 7.0)


class SecondLine:
    """Virtual second-line patients, Child-Pugh up to 6 and ECOG 0-1, with one clock per event for every course."""

    def __init__(self, drawn=3000, seed=20170508):
        keys, streams = Keys.of(0, 1, np.arange(drawn)), Streams(seed)
        baseline = draw_baseline(PopulationPlan(country=np.full(drawn, "FR")), keys, streams)
        chosen = np.flatnonzero((baseline.child_pugh <= 6) & (baseline.ecog <= 1))
        keys = keys.take(chosen)
        self.latents = draw_latents(baseline.take(chosen), keys, streams)
        names = ("decompensation", "new_lesion", "death")
        self.clocks = [streams.named("clock", name).uniform(keys)[:, 0] for name in names]

    def course(self, comparator, scans_every):
        """Objective response, days to progression or death, days to death; true diameters at each scan."""
        one = run_courses(CourseRequest(latents=self.latents, comparator=comparator), TWO_YEARS)
        fell = first_event(decompensation_hazard(one), TWO_YEARS, self.clocks[0])
        lesion = first_event(new_lesion_hazard(one), TWO_YEARS, self.clocks[1])
        death = first_event(death_hazard(one, fell), TWO_YEARS, self.clocks[2])
        scans = np.arange(0, len(TWO_YEARS), scans_every // 7)
        diameters = 10 * (6 / np.pi) ** (1 / 3) * np.nansum(np.cbrt(one.lesion_volumes()[:, scans]), axis=2)
        nadir = np.minimum.accumulate(diameters, axis=1)
        progressed = (diameters >= 1.2 * nadir) & (diameters - nadir >= 5)
        progressed |= lesion[:, None] <= TWO_YEARS[scans]
        first = np.where(progressed.any(axis=1), TWO_YEARS[scans][np.argmax(progressed, axis=1)], np.inf)
        free = np.minimum(first, death)
        responded = ((diameters <= 0.7 * diameters[:, :1]) & (TWO_YEARS[scans] < free[:, None])).any(axis=1)
        return np.mean(responded), free, death


def hazard_ratio(treated, control, until=720.0):
    """Of a Cox model with one factor (Breslow), both groups censored at `until`."""
    days = np.minimum(np.concatenate([treated, control]), until)
    group = np.concatenate([np.ones(len(treated)), np.zeros(len(control))])
    moments, events = np.unique(days[days < until], return_counts=True)
    in_treated = np.sum(group[days < until])
    at_risk = [np.array([np.sum((days >= moment) & (group == one)) for moment in moments]) for one in (1, 0)]

    def minus_log_likelihood(effect):
        return np.sum(events * np.log(at_risk[0] * np.exp(effect) + at_risk[1])) - effect * in_treated

    return np.exp(minimize_scalar(minus_log_likelihood, bounds=(-4, 2), method="bounded").x)


def test_the_cards_give_the_published_response_and_hazard_ratio_and_predict_survival():
    """RESORCE and CELESTIAL: response 7 and 4 %, hazard ratios 0.46 and 0.44; survival 10.6 and 10.2 months not used."""
    group = SecondLine()
    for drug, every, response, ratio, survival in (
        ("regorafenib", 42, 0.07, 0.46, 10.6),
        ("cabozantinib", 56, 0.04, 0.44, 10.2),
    ):
        found, free, death = group.course(drug, every)
        _, natural, _ = group.course("supportive_care", every)
        assert found == pytest.approx(response, abs=0.01), drug
        assert hazard_ratio(free, natural) == pytest.approx(ratio, abs=0.01), drug
        assert np.median(death) / DAYS_PER_MONTH == pytest.approx(survival, abs=1.0), drug


def test_the_natural_course_is_slower_to_progress_than_placebo_arms():
    """Why medians of progression-free survival were not used: 1.5-1.9 months in placebo arms (from memory)."""
    _, free, death = SecondLine().course("supportive_care", 42)
    assert 2.5 < np.median(free) / DAYS_PER_MONTH < 3.0
    assert 7.3 < np.median(death) / DAYS_PER_MONTH < 9.0
