"""Modules of the twin: what they do, that they do nothing when unused, and that they work together."""

from dataclasses import replace

import numpy as np
import pytest
from house_patients import latents_of, supportive_for, treated, typical_latents, varied_baseline

from graftline.base.errors import InputError
from graftline.twin import MODULES, Infusion, SecondProduct, lethal_cytokine_hazard, run_courses

TIMES = np.concatenate([np.arange(-7, 28, 0.25), np.arange(28, 181, 4.0)])
ALL = tuple(name for name in MODULES if name != "marrow")


def course(latents, **more):
    return run_courses(treated(latents, **more), TIMES)


def second_infusion(request, cells, day):
    dose = np.full(len(request), float(cells))
    later = Infusion(cells=dose, time=np.full(len(request), float(day)), second_product=True)
    return replace(request, infusions=(*request.infusions, later))


@pytest.fixture(scope="module")
def patients():
    return latents_of(varied_baseline(12, seed=8)).changed(kZ=0.0)


@pytest.fixture(scope="module")
def core_course(patients):
    return course(patients, relative_tolerance=1e-9)


def test_unused_modules_leave_the_core_as_it_is(patients, core_course):
    full = course(patients, modules=MODULES, relative_tolerance=1e-9)
    for symbol, values in core_course.states.items():
        assert np.allclose(full.states[symbol], values, rtol=1e-6, atol=1e-9), symbol
    for symbol in ("Toc", "Dex", "Z", "G2", "M2", "E2", "T2"):
        assert np.all(full.states[symbol] == 0), symbol
    assert np.allclose(full.copies_per_ug[:, 40], core_course_with_marrow_copies(patients)[:, 40], rtol=1e-6)


def core_course_with_marrow_copies(patients):
    return course(patients, modules=("marrow",), relative_tolerance=1e-9).copies_per_ug


def storm(drugs=(), modules=("tocilizumab", "corticosteroid"), **more):
    """A patient whose cells release cytokine, treated on day 2."""
    latents = typical_latents().changed(s=3.0, p6=10_000.0)
    if drugs:
        more["supportive"] = supportive_for(1, drugs)
    return course(latents, modules=modules, **more)


def after(values, day):
    return values[0][day < TIMES]


def test_tocilizumab_raises_serum_il6_and_takes_its_effect_away():
    untreated, helped = storm(), storm([("tocilizumab", 600.0, 2.0, 1.0)])
    assert after(helped.il6, 2.2).max() > 2 * after(untreated.il6, 2.2).max()
    assert after(helped.il6_effect, 3).max() < 0.3 * after(untreated.il6_effect, 3).max()
    assert after(helped.crp, 4).max() < after(untreated.crp, 4).max()
    assert np.allclose(helped.tcrt_in_body, untreated.tcrt_in_body, rtol=1e-5)  # the cells are not touched


def test_tocilizumab_falls_faster_once_its_receptor_takes_most_of_it():
    level = storm([("tocilizumab", 600.0, 2.0, 1.0)]).states["Toc"][0]
    at = [level[np.argmin(np.abs(TIMES - day))] for day in (3, 10, 40, 44)]
    assert at[0] == pytest.approx(600 / 6.4, rel=0.15)
    assert np.log(at[0] / at[1]) / 7 < np.log(at[2] / at[3]) / 4


def test_il6_that_is_blocked_kills_nobody():
    helped = storm([("tocilizumab", 800.0, 1.0, 1.0)])
    assert helped.il6.max() > 1000 > after(helped.il6_effect, 1.25).max()
    assert np.all(lethal_cytokine_hazard(helped)[0][TIMES > 1.25] == 0)


def test_a_corticosteroid_damps_cytokine_and_costs_cells():
    days = [("corticosteroid", 10.0, 2.0 + step / 4, 0.25) for step in range(12)]
    untreated, helped = storm(), storm(days)
    assert after(helped.il6, 3).max() < 0.7 * after(untreated.il6, 3).max()
    for values in ("tcrt_in_body", "lymphocytes"):
        mine, theirs = getattr(helped, values)[0], getattr(untreated, values)[0]
        assert mine[TIMES == 5] < 0.95 * theirs[TIMES == 5], values


def test_immunity_costs_cells_and_conditioning_delays_it():
    latents = typical_latents().changed(kZ=0.005)
    free, seen = course(latents), course(latents, modules=("immunity",))
    unconditioned = course(latents, modules=("immunity",), conditioned=False)
    assert seen.tcrt_in_body[0][TIMES == 88] < 0.9 * free.tcrt_in_body[0][TIMES == 88]
    assert np.all(np.diff(seen.states["Z"][0][(TIMES > 0) & (TIMES < 20)]) > 0)
    per_cell = [one.states["Z"][0][TIMES == 7] / one.tcrt_in_body[0][TIMES == 7] for one in (seen, unconditioned)]
    assert per_cell[0] < 0.5 * per_cell[1]


def test_one_product_in_two_halves_is_one_product(patients):
    whole = course(patients, cells=5.0, relative_tolerance=1e-10)
    request = treated(patients, cells=2.5, modules=("second_product",), relative_tolerance=1e-10)
    halves = run_courses(second_infusion(request, 2.5, 0.0), TIMES)
    for first, second in (("G", "G2"), ("M", "M2"), ("E", "E2"), ("T", "T2")):
        assert np.allclose(halves.states[first] + halves.states[second], whole.states[first], rtol=1e-5, atol=1e-9)
    for symbol in ("X", "A", "N", "D", "C", "U", "I", "L", "J", "H", "Q"):
        assert np.allclose(halves.states[symbol], whole.states[symbol], rtol=1e-5, atol=1e-9), symbol
    assert np.allclose(halves.tcrt_in_body, whole.tcrt_in_body, rtol=1e-5, atol=1e-9)
    assert np.allclose(halves.copies_per_ug, whole.copies_per_ug, rtol=1e-5, atol=1e-9)


def test_a_second_product_has_its_own_phenotype_and_receptor():
    latents = typical_latents()
    request = second_infusion(treated(latents, modules=("second_product",)), 5.0, 60)

    def with_second(**second):
        return run_courses(
            replace(request, second=SecondProduct(**{k: np.array([v]) for k, v in second.items()})), TIMES
        )

    alike, blind, strong = with_second(), with_second(strength=0.0), with_second(strength=5.0)
    memory = with_second(memory_share=0.8)
    before, last = TIMES <= 60, -1
    for one in (blind, strong, memory):
        assert np.allclose(one.states["A"][0][before], alike.states["A"][0][before], rtol=1e-6)
    assert strong.viable_volume[0, last] < alike.viable_volume[0, last] < blind.viable_volume[0, last]
    assert memory.states["M2"][0, last] > 2 * alike.states["M2"][0, last]
    marked = with_second(copies_per_cell=4.0)
    assert np.all(marked.copies_per_ug[0][TIMES > 64] > alike.copies_per_ug[0][TIMES > 64])
    assert np.array_equal(marked.copies_per_ug[0][before], alike.copies_per_ug[0][before])


def test_a_second_product_crowds_the_first(patients):
    request = treated(patients, modules=("second_product",))
    alone = run_courses(request, TIMES)
    crowded = run_courses(second_infusion(request, 20.0, 0.0), TIMES)
    first = crowded.states["M"][:, -1] + crowded.states["E"][:, -1]
    assert np.all(first <= (alone.states["M"][:, -1] + alone.states["E"][:, -1]) * (1 + 1e-6))


def test_modules_act_on_each_other():
    latents = typical_latents().changed(kZ=0.005)
    request = second_infusion(treated(latents, modules=ALL), 5.0, 20)
    plain = run_courses(replace(request, modules=("second_product",)), TIMES)
    both = run_courses(request, TIMES)
    steroid = run_courses(replace(request, supportive=supportive_for(1, [("corticosteroid", 40.0, 22.0, 24.0)])), TIMES)
    at, soon = TIMES == 48, TIMES == 23.5
    assert both.states["M2"][0][at] < 0.95 * plain.states["M2"][0][at]  # immunity sees the second product too
    assert steroid.states["E2"][0][soon] < 0.9 * both.states["E2"][0][soon]  # and so does the corticosteroid


def test_a_dose_needs_its_module():
    latents = typical_latents()
    with pytest.raises(InputError, match="supportive dose of tocilizumab: the model has no such drug; add the module"):
        course(latents, supportive=supportive_for(1, [("tocilizumab", 600.0, 2.0, 1.0)]))
    with pytest.raises(InputError, match="infusion of a second product: the model has one only; add the module"):
        run_courses(second_infusion(treated(latents), 5.0, 60), TIMES)


def test_a_graft_of_two_products_dies_out_as_one():
    latents = typical_latents().changed(dE=3.0, dM=3.0, dT=3.0, dX=3.0, rh=0.0)
    request = second_infusion(treated(latents, cells=1e-6, modules=("second_product",)), 1e-3, 5)
    left = run_courses(request, TIMES).states
    assert all(left[symbol][0, -1] == 0 for symbol in ("G", "M", "E", "T", "X", "G2", "M2", "E2", "T2"))
