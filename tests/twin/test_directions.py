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
def hundred():
    """One hundred varied patients, as in the table of direction tests of the twin notes."""
    return latents_of(varied_baseline(100, seed=21))


@pytest.fixture(scope="module")
def hundred_course(hundred):
    return course(hundred)


@pytest.fixture(scope="module")
def no_kill(hundred):
    """A cleared tumour ends its own antigen drive, so expansion is compared without killing."""
    return hundred.changed(kap=0.0)


@pytest.fixture(scope="module")
def no_kill_course(no_kill):
    return course(no_kill)


@pytest.fixture(scope="module")
def blind_course(no_kill):
    return course(no_kill.changed(s=0.0))


def test_1_a_stronger_signal_does_not_lower_expansion(no_kill, no_kill_course):
    s = no_kill.parameters["s"]
    signal = s / (1 + s)
    stronger = 2 * signal / (1 + signal)
    ratio = marks(course(no_kill.changed(s=stronger / (1 - stronger)))) / marks(no_kill_course)
    assert np.all(ratio >= 0.98)
    assert np.allclose(np.median(ratio, axis=1), [1.04, 1.12, 1.17, 1.21], atol=0.04)


def test_2_antigen_expands_the_cells(no_kill_course, blind_course):
    ratio = marks(no_kill_course) / marks(blind_course)
    assert np.all(ratio >= 0.98)
    assert np.allclose(np.median(ratio, axis=1), [1.05, 1.28, 1.46, 1.63], atol=0.15)


def test_2_antigen_costs_at_most_a_little_memory(no_kill_course, blind_course):
    memory = on(no_kill_course.states["M"], 180) / on(blind_course.states["M"], 180)
    assert np.all(memory >= 0.85)
    assert np.median(memory) > 1 and np.sum(memory < 0.99) <= 5


def test_3_tumour_burden_hardly_moves_expansion(no_kill, no_kill_course):
    room = 0.6 * no_kill.parameters["Vmax"]
    bigger = course(no_kill.changed(V0=np.minimum(no_kill.parameters["V0"] * 3, room)))
    small, large = (sum(one.states[symbol] for symbol in "METX").max(axis=1) for one in (no_kill_course, bigger))
    assert np.all(large >= 0.99 * small)
    assert 1 <= np.median(large / small) < 1.05


def test_4_more_antigen_positive_tumour_does_not_lower_persistence(hundred, hundred_course):
    mostly_negative = course(hundred.changed(fN=0.9))
    for day in (28, 60, 90):
        ratio = on(hundred_course.tcrt_per_microlitre, day) / on(mostly_negative.tcrt_per_microlitre, day)
        assert np.all(ratio >= 0.98)
        assert 1.1 < np.median(ratio) < 1.5


def test_5_full_signal_raises_activation_growth_and_killing():
    """The typical patient of the notes, a tenth of the tumour antigen-negative."""
    typical = typical_latents(afp_tumour_ihc=np.nan)
    weak, strong = (course(typical.changed(s=s)) for s in (0.05 / 0.95, 1e6))
    assert on(weak.tcrt_per_microlitre, 28) == pytest.approx(4.6, rel=0.1)
    assert on(strong.tcrt_per_microlitre, 28) == pytest.approx(11.2, rel=0.1)
    assert weak.states["T"].max() == pytest.approx(0.21, rel=0.1)
    assert strong.states["T"].max() == pytest.approx(1.21, rel=0.1)
    assert on(weak.viable_volume, 56) == pytest.approx(220, rel=0.05)
    assert on(strong.viable_volume, 56) == pytest.approx(32, rel=0.25)


def test_6_lymphodepletion_raises_cells_on_day_28_three_to_six_fold(hundred, hundred_course):
    without = course(hundred, conditioned=False)
    ratio = on(hundred_course.tcrt_per_microlitre, 28) / on(without.tcrt_per_microlitre, 28)
    assert 3 < np.median(ratio) < 6
    assert np.min(ratio) > 1
    typical = [course(typical_latents(), conditioned=given).tcrt_per_microlitre for given in (True, False)]
    assert on(typical[0], 28) / on(typical[1], 28) == pytest.approx(4.4, rel=0.1)


def test_7_without_antigen_cells_expand_on_cytokine_then_contract():
    blood = course(typical_latents().changed(s=0.0)).tcrt_per_microlitre
    assert blood.max() == pytest.approx(7.0, rel=0.1)
    assert peak_day(blood)[0] == pytest.approx(5.8, abs=0.75)
    assert on(blood, 28)[0] == pytest.approx(4.2, rel=0.1)
    assert on(blood, 180)[0] == pytest.approx(2.0, rel=0.1)


def test_8_cells_are_measurable_in_month_six_of_a_responder():
    latents = latents_of(varied_baseline(40, seed=4)).changed(s=1.0, kap=10.0)
    one = course(latents)
    response = on(one.scan_volume, 112) < 0.7**3 * one.scan_volume[:, 0]  # sum of diameters -30 %
    assert response.sum() >= 5
    assert np.median(on(one.tcrt_per_microlitre, 180)[response]) > 0.5
    assert np.all(one.copies_per_ug[response, -1] > 0)


def test_9_cytokine_peaks_in_the_first_week_and_no_release_begins_after_day_14(hundred_course):
    effect = hundred_course.il6_effect
    reacting = effect.max(axis=1) > 10
    assert 2 < np.median(TIMES[np.argmax(effect, axis=1)][reacting]) < 7
    over = effect > 60
    first = TIMES[np.argmax(over, axis=1)][over.any(axis=1)]
    assert len(first) > 10 and np.all(first <= 14)


def test_9_a_wave_of_alt_from_the_liver_peaks_in_the_first_week(hundred):
    """In patients whose normal liver shows the antigen; waves that come later are led by killed tumour."""
    alt = course(hundred.changed(J0=0.05, sU=0.0)).alt
    high = alt.max(axis=1) > 200
    assert high.sum() >= 5
    assert np.median(peak_day(alt[high])) < 7


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
