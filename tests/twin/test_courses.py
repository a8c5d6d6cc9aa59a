"""Courses: starting, carrying on, second infusions, read-outs, blood counts."""

from dataclasses import replace

import numpy as np
import pytest
from house_patients import conditioning_for, latents_of, treated, typical_latents, varied_baseline

from graftline.twin import CourseRequest, Infusion, run_courses

DAYS = np.arange(-7, 60.0)


def test_a_course_depends_on_its_own_patient_alone(population):
    request = treated(population, modules=("marrow",))
    whole = run_courses(request, DAYS)
    some = np.array([7, 3, 30])
    part = run_courses(treated(population.take(some), modules=("marrow",)), DAYS)
    spread = run_courses(request, DAYS, threads=2)
    for symbol, values in whole.states.items():
        assert np.array_equal(part.states[symbol], values[some]), symbol
        assert np.array_equal(spread.states[symbol], values), symbol


def test_a_course_carried_on_from_a_natural_one_is_the_same_course():
    latents = latents_of(varied_baseline(5))
    natural = run_courses(CourseRequest(latents=latents), np.arange(0, 101.0))
    day = np.array([10.0, 20.0, 30.0, 50.0, 100.0])
    start = natural.state_at(day)
    carried = run_courses(CourseRequest(latents=latents, start=start), np.array([0.0, 30.0]))
    through = run_courses(CourseRequest(latents=latents), np.stack([np.zeros(5), day, day + 30], axis=1))
    assert np.allclose(carried.viable_volume[:, 1], through.viable_volume[:, 2], rtol=1e-5)
    assert np.allclose(carried.reserve_ratio[:, 0], through.reserve_ratio[:, 1], rtol=1e-5)


def test_a_state_between_two_days_lies_between_them_and_none_is_made_up():
    natural = run_courses(CourseRequest(latents=typical_latents(2)), np.array([0.0, 10.0, 20.0]))
    middle = natural.state_at(np.array([15.0, 20.0])).states["A"]
    assert natural.states["A"][0, 1] < middle[0] < natural.states["A"][0, 2]
    assert middle[1] == natural.states["A"][1, 2]
    with pytest.raises(ValueError, match="outside the output times"):
        natural.state_at(20.5)


def test_a_course_starts_with_its_conditioning_unless_told_otherwise():
    latents = typical_latents(2)
    conditioning = conditioning_for(1)  # the first patient only
    dose = Infusion(cells=np.array([5.0, 5.0]), time=np.zeros(2))
    course = run_courses(CourseRequest(latents=latents, conditioning=conditioning, infusions=(dose,)), DAYS)
    assert np.isfinite(course.viable_volume[0]).all()
    assert np.isnan(course.viable_volume[1, :7]).all() and np.isfinite(course.viable_volume[1, 7:]).all()
    assert np.isnan(course.child_pugh[1, 0]) and np.isnan(course.neutrophils[1, 0])


def test_a_second_infusion_with_conditioning_adds_cells():
    latents = typical_latents(2)
    first = conditioning_for(2)
    again = first.protocol_day + 108  # Day 101 to 104: model time 100 to 103
    both = replace(
        first,
        patient=np.concatenate([first.patient, first.patient[first.patient == 0]]),
        drug=np.concatenate([first.drug, first.drug[first.patient == 0]]),
        dose=np.concatenate([first.dose, first.dose[first.patient == 0]]),
        hours=np.concatenate([first.hours, first.hours[first.patient == 0]]),
        protocol_day=np.concatenate([first.protocol_day, again[first.patient == 0]]),
    )
    infusions = (
        Infusion(cells=np.full(2, 5.0), time=np.zeros(2)),
        Infusion(cells=np.array([5.0, 0.0]), time=np.full(2, 107.0)),
    )
    times = np.arange(-7, 150.0)
    course = run_courses(CourseRequest(latents=latents, conditioning=both, infusions=infusions), times)
    blood = course.tcrt_per_microlitre
    assert np.allclose(blood[0, times <= 100], blood[1, times <= 100], rtol=1e-6)
    assert course.lymphocytes[0, times == 106] < 0.3 * course.lymphocytes[1, times == 106]
    assert blood[0, times == 115] > 2 * blood[1, times == 115]


def test_the_product_decides_memory_and_copies():
    latents = typical_latents(3)
    course = run_courses(
        treated(latents, memory_share=np.array([0.05, 0.5, np.nan]), copies_per_cell=np.array([1.0, 2.0, np.nan])),
        DAYS,
    )
    memory = course.states["M"][:, -1]
    assert memory[0] < memory[2] < memory[1]
    per_cell = course.copies_per_ug[:, -1] / course.tcrt_per_microlitre[:, -1]
    assert per_cell[0] < per_cell[1]


def test_copies_rise_when_other_cells_are_gone_not_only_when_cells_grow():
    latents = typical_latents()
    with_chains = run_courses(treated(latents, modules=("marrow",)), DAYS)
    without = run_courses(treated(latents), DAYS)
    nadir = np.argmin(with_chains.neutrophils[0])
    assert with_chains.copies_per_ug[0, nadir] > 3 * without.copies_per_ug[0, nadir]
    assert np.allclose(with_chains.tcrt_per_microlitre, without.tcrt_per_microlitre, rtol=1e-5)


def test_lesions_keep_their_share_of_the_tumour():
    latents = latents_of(varied_baseline(10))
    course = run_courses(treated(latents), DAYS)
    assert np.allclose(np.nansum(course.lesion_volumes(), axis=2), course.scan_volume)
    assert np.allclose(np.nansum(course.lesion_volumes(viable=True), axis=2), course.viable_volume)


def test_child_pugh_at_referral_is_the_one_of_the_components():
    course = run_courses(CourseRequest(latents=typical_latents(4)), np.array([0.0, 1.0]))
    values = {"bilirubin": [17, 34, 50, 51], "albumin": [36, 35, 28, 27], "inr": [1.1, 1.7, 2.3, 2.4]}
    latents = replace(course.latents, **{name: np.array(column, float) for name, column in values.items()})
    at_referral = replace(course, latents=latents).child_pugh[:, 0]
    assert at_referral.tolist() == [5, 8, 8, 11]


def test_conditioning_causes_severe_neutropenia_that_recovers(population_course):
    times, neutrophils = population_course.times, population_course.neutrophils
    assert np.mean(neutrophils.min(axis=1) < 1.0) >= 0.9
    weeks = neutrophils[:, np.argmin(np.abs(times - 28))]
    assert np.mean(weeks > 1.0) >= 0.9
    after = times >= 0
    low = (neutrophils < 0.5) & after
    last = times[neutrophils.shape[1] - 1 - np.argmax(low[:, ::-1], axis=1)][low.any(axis=1)]
    assert 4 < np.median(last) < 14
    platelets = population_course.platelets
    assert np.all(platelets.min(axis=1) < population_course.latents.parameters["PLT0"])
    assert np.median(platelets[:, np.argmin(np.abs(times - 28))]) > 100


def test_lymphocytes_are_nearly_gone_at_infusion(population_course):
    at_infusion = population_course.lymphocytes[:, np.argmin(np.abs(population_course.times))]
    assert 0.03 < np.median(at_infusion) < 0.25
    assert at_infusion.max() < 0.7


def test_a_systemic_drug_slows_the_tumour_without_cells():
    latents = typical_latents()
    alone = run_courses(CourseRequest(latents=latents), np.array([0.0, 90.0])).scan_volume[0, 1]
    slowed = run_courses(CourseRequest(latents=latents.changed(mlam=0.3)), np.array([0.0, 90.0])).scan_volume[0, 1]
    killed = run_courses(CourseRequest(latents=latents.changed(kS=0.01)), np.array([0.0, 90.0])).scan_volume[0, 1]
    assert slowed < alone and killed < alone
