"""Direction tests of the twin: paired, the same patients with one thing changed."""

import numpy as np
import pytest
from house_patients import latents_of, treated, typical_latents, varied_baseline

from graftline.twin import run_courses

TIMES = np.concatenate([np.arange(-7, 28, 0.25), np.arange(28, 181, 2.0)])
REST = np.array([28.0, 90.0, 180.0])


def course(latents, **more):
    return run_courses(treated(latents, **more), TIMES)


def on(values, day):
    return values[:, np.argmin(np.abs(TIMES - day))]


def marks(one):
    """Blood TCR-T: peak, day 28, 90, 180."""
    blood = one.tcrt_per_microlitre
    return np.stack([blood.max(axis=1), *(on(blood, day) for day in REST)])


def peak_day(values):
    return TIMES[np.argmax(values, axis=1)]


@pytest.fixture(scope="module")
def no_kill(population):
    """A cleared tumour ends its own antigen drive, so expansion is compared without killing."""
    return population.changed(kap=0.0)


@pytest.fixture(scope="module")
def no_kill_course(no_kill):
    return course(no_kill)


def test_a_stronger_signal_does_not_lower_expansion(no_kill, no_kill_course):
    s = no_kill.parameters["s"]
    signal = s / (1 + s)
    stronger = 2 * signal / (1 + signal)
    ratio = marks(course(no_kill.changed(s=stronger / (1 - stronger)))) / marks(no_kill_course)
    assert np.all(ratio >= 0.98)
    assert np.all(np.median(ratio, axis=1) > 1.0)


def test_antigen_expands_the_cells_and_costs_at_most_a_little_memory(no_kill, no_kill_course):
    blind = course(no_kill.changed(s=0.0))
    ratio = marks(no_kill_course) / marks(blind)
    assert np.all(ratio >= 0.98)
    assert np.all(np.median(ratio[1:], axis=1) > 1.1)
    assert np.all(on(no_kill_course.states["M"], 180) >= 0.85 * on(blind.states["M"], 180))


def test_tumour_burden_hardly_moves_expansion(no_kill, no_kill_course):
    body = "METX"
    bigger = no_kill.changed(
        V0=np.minimum(no_kill.parameters["V0"] * 3, 0.6 * no_kill.parameters["Vmax"]),
    )
    small = sum(no_kill_course.states[symbol] for symbol in body).max(axis=1)
    large = sum(course(bigger).states[symbol] for symbol in body).max(axis=1)
    assert np.all(large >= 0.99 * small)
    assert np.median(large / small) < 1.2


def test_more_antigen_positive_tumour_does_not_lower_persistence():
    mostly_negative = course(typical_latents(afp_tumour_ihc=10.0))
    mostly_positive = course(typical_latents(afp_tumour_ihc=90.0))
    for day in (28, 60, 90):
        assert on(mostly_positive.tcrt_per_microlitre, day) > on(mostly_negative.tcrt_per_microlitre, day)


def test_full_signal_raises_activation_growth_and_killing():
    weak, strong = (course(typical_latents().changed(s=s)) for s in (0.05 / 0.95, 1e6))
    assert on(strong.tcrt_per_microlitre, 28) > 1.5 * on(weak.tcrt_per_microlitre, 28)
    assert strong.states["T"].max() > 3 * weak.states["T"].max()
    assert on(strong.viable_volume, 56) < 0.3 * on(weak.viable_volume, 56)


def test_lymphodepletion_raises_cells_on_day_28(population, population_course):
    without = course(population, conditioned=False)
    blood = population_course.tcrt_per_microlitre[:, np.argmin(np.abs(population_course.times - 28))]
    ratio = blood / on(without.tcrt_per_microlitre, 28)
    assert 2.5 < np.median(ratio) < 6
    assert np.min(ratio) > 1


def test_without_antigen_cells_expand_on_cytokine_then_contract():
    blood = course(typical_latents().changed(s=0.0)).tcrt_per_microlitre
    assert 3 < peak_day(blood)[0] < 9
    assert blood.max() == pytest.approx(7.0, rel=0.15)
    assert blood.max() > on(blood, 28)[0] > on(blood, 180)[0] > 0.1 * blood.max()


def test_cells_are_measurable_in_month_six_of_a_responder():
    latents = latents_of(varied_baseline(40, seed=4)).changed(s=1.0, kap=10.0)
    one = course(latents)
    response = on(one.scan_volume, 112) < 0.7**3 * one.scan_volume[:, 0]  # sum of diameters -30 %
    assert response.sum() >= 5
    assert np.median(on(one.tcrt_per_microlitre, 180)[response]) > 0.5


def test_cytokine_peaks_in_the_first_week_and_no_release_begins_after_day_14(population_course):
    times, effect = population_course.times, population_course.il6_effect
    reacting = effect.max(axis=1) > 10
    assert 2 < np.median(times[np.argmax(effect, axis=1)][reacting]) < 7
    over = effect > 60
    first = times[np.argmax(over, axis=1)][over.any(axis=1)]
    assert len(first) > 0 and np.all(first <= 14)


def test_a_liver_that_shows_the_antigen_is_hit_in_the_first_week():
    """The shape of SCG101 (e-cmh 2024 no. 1940): ALT 1 404 U/L on day 3."""
    alt = course(typical_latents().changed(J0=0.3, s=1.0)).alt
    assert 1000 < alt.max() < 1800
    assert 2 <= peak_day(alt)[0] <= 4.5
    assert on(alt, 60)[0] < 0.2 * alt.max()  # renewal of the target (kJ) keeps a little going


def test_with_the_kill_set_to_zero_the_same_cells_leave_the_tumour_alone(population):
    kept = course(population, kill_scale=np.zeros(len(population)))
    untreated = course(population, cells=0.0)
    assert np.allclose(kept.viable_volume, untreated.viable_volume, rtol=1e-5)
    assert np.all(kept.tcrt_per_microlitre.max(axis=1) > 0)
    assert np.all(untreated.tcrt_in_body == 0)
    killing = course(population)
    assert np.all(killing.viable_volume[:, -1] <= kept.viable_volume[:, -1] * (1 + 1e-6))


def test_more_cells_never_leave_more_tumour():
    latents = latents_of(varied_baseline(10, seed=5))
    left = [course(latents, cells=cells).viable_volume[:, -1] for cells in (0.1, 1.0, 10.0)]
    assert np.all(left[1] <= left[0] * (1 + 1e-6)) and np.all(left[2] <= left[1] * (1 + 1e-6))


@pytest.mark.long
def test_the_plausibility_run_stays_in_range():
    """Four hundred patients against the ranges of the plausibility run of the twin notes (not a calibration)."""
    chance = np.random.default_rng(11)
    cells = np.where(chance.random(400) < 0.2, 0.5, chance.uniform(2, 10, 400))
    one = course(latents_of(varied_baseline(400, seed=6)), cells=cells)
    assert np.all(one.status == 0)
    assert 0.05 < np.median(one.lymphocytes.min(axis=1)) < 0.12
    assert 0.6 < np.median(on(one.lymphocytes, 28)) < 1.1
    assert 3.5 < np.median(one.states["I"].max(axis=1)) < 5
    assert 4 < np.median(one.tcrt_per_microlitre.max(axis=1)) < 10
    assert 18 < np.median(one.il6.max(axis=1)) < 40
    assert 0.15 < np.mean((one.il6_effect > 60).any(axis=1)) < 0.40
    assert 40 < np.median(one.crp.max(axis=1)) < 80
    assert np.mean(one.alt.max(axis=1) > 200) < 0.03
    response = np.mean(on(one.scan_volume, 112) < 0.7**3 * one.scan_volume[:, 0])
    assert 0.01 < response < 0.15
