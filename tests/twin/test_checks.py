"""Checks (a) to (g) of the twin: what must hold exactly, whatever the parameters."""

import numpy as np
import pytest
from house_patients import latents_of, make_baseline, treated, typical_latents, varied_baseline

from graftline.twin import MODULES, CourseRequest, CourseState, referral_state, run_courses
from graftline.twin.courses import solver_request

YEAR = np.arange(0, 366, 5.0)


def untreated(latents, times=YEAR, **more):
    return run_courses(CourseRequest(latents=latents, relative_tolerance=1e-9, **more), times)


def test_without_any_treatment_blood_cytokine_and_liver_target_stay_at_rest(population):
    course = untreated(population, modules=MODULES)
    resting = {**referral_state(population).states}
    for symbol in ("L", "I", "B", "C", "Q", "R", "J", "U", "ANC", "PLT", "Toc", "Dex", "Z", "G2", "M2", "E2", "T2"):
        assert np.allclose(course.states[symbol], resting[symbol][:, None], rtol=1e-6, atol=1e-9), symbol
    assert np.all(course.tcrt_in_body == 0)


def test_drugs_fall_exponentially_after_the_infusion():
    latents = typical_latents()
    course = run_courses(treated(latents, relative_tolerance=1e-10), np.array([-6.9, -6.5, -6.1]))
    for symbol, rate in (("F", "kF"), ("Y", "kY")):
        level = course.states[symbol][0]
        expected = level[0] * np.exp(-latents.parameters[rate][0] * np.array([0, 0.4, 0.8]))
        assert np.allclose(level, expected, rtol=1e-7)


def test_afp_of_a_slowly_growing_tumour_is_quasi_steady():
    latents = typical_latents(afp_tumour_ihc=100.0).changed(mu=0.0, lam0=0.0022)
    course = untreated(latents, np.arange(0, 188, 1.0))
    volume = course.viable_volume[0]
    p = {symbol: values[0] for symbol, values in latents.parameters.items()}
    steady = p["sP"] * volume / (p["kP"] + p["lam0"] * np.log(p["Vmax"] / volume))
    assert course.afp[0, 0] == pytest.approx(400, rel=1e-9)
    assert np.max(np.abs(course.afp[0] / steady - 1)) < 0.005


def test_untreated_growth_is_gompertz():
    latents = latents_of(varied_baseline(10)).changed(s=0.0)
    p = {symbol: values[:, None] for symbol, values in latents.parameters.items()}
    expected = p["Vmax"] * (p["V0"] / p["Vmax"]) ** np.exp(-p["lam0"] * YEAR)
    assert np.allclose(untreated(latents).viable_volume, expected, rtol=1e-5)


def test_antigen_loss_moves_tumour_but_makes_none():
    latents = latents_of(varied_baseline(10)).changed(lam0=0.0, kap=0.0, mu=0.01)
    course = run_courses(treated(latents), YEAR)
    assert np.allclose(course.viable_volume, latents.parameters["V0"][:, None], rtol=1e-7)
    assert np.all(np.diff(course.states["N"], axis=1) > 0)


@pytest.mark.parametrize(
    ("positive", "negative", "grows"), [(0.0, 0.0, False), (0.0, 100.0, True), (2500.0, 1500.0, False)]
)
def test_no_tumour_all_negative_and_overfull_are_finite(positive, negative, grows):
    latents = typical_latents()
    start = CourseState({**referral_state(latents).states, "A": np.array([positive]), "N": np.array([negative])})
    course = run_courses(treated(latents, start=start), YEAR)
    assert course.status[0] == 0
    assert all(np.all(np.isfinite(values)) for values in course.states.values())
    assert (course.viable_volume[0, -1] > positive + negative) == grows
    for values in (course.antigen_positive_share, course.afp, course.copies_per_ug, course.child_pugh):
        assert np.all(np.isfinite(values))


def test_no_state_falls_below_zero_by_more_than_round_off(population_course):
    assert np.all(population_course.status == 0)
    for symbol, values in population_course.states.items():
        assert np.nanmin(values) >= -1e-6, symbol


def test_a_clone_of_less_than_one_cell_is_gone_for_good():
    latents = typical_latents(afp_tumour_ihc=100.0).changed(mu=0.0, kap=2000.0, s=5.0)
    course = run_courses(treated(latents), np.arange(0, 400.0))
    assert course.viable_volume[0, 0] > 100
    gone = np.argmax(course.viable_volume[0] == 0)
    assert gone > 0
    assert np.all(course.viable_volume[0, gone:] == 0)
    assert course.scan_volume[0, -1] < 1e-6


def test_the_graft_dies_out_as_one():
    latents = typical_latents(afp_tumour_ihc=0.0).changed(dM=1.0, dE=1.0, dT=1.0, dX=1.0, rh=0.0)
    body = run_courses(treated(latents, cells=1e-3), np.arange(0, 120.0)).tcrt_in_body[0]
    assert body[1] > 0
    gone = 1 + np.argmax(body[1:] == 0)
    assert body[gone - 1] >= 1e-9 and np.all(body[gone:] == 0)


def test_the_start_written_in_the_model_text_is_the_referral_state():
    import antimony
    import roadrunner

    from graftline.twin import twin_model, twin_text

    latents = latents_of(make_baseline(1))
    values = solver_request(CourseRequest(latents=latents, modules=MODULES), YEAR).parameters
    lines = "\n".join(f"{symbol} = {float(value[0])!r}" for symbol, value in values.items())
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(f"{twin_text(MODULES)}\n{lines}") >= 0, antimony.getLastError()
    runner = roadrunner.RoadRunner(antimony.getSBMLString(antimony.getMainModuleName()))
    start = referral_state(latents).states
    for symbol in twin_model(MODULES).states:
        assert runner[symbol] == pytest.approx(start[symbol][0], rel=1e-12), symbol
