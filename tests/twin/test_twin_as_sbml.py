"""Composed twins as SBML: libroadrunner opens each and gives the numbers of the engine, doses included."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import roadrunner
from house_patients import latents_of, supportive_for, treated, varied_baseline

from graftline import engine
from graftline.twin import MODULES, Infusion, SecondProduct, course_as_sbml, run_courses, twin_model

DAYS = np.array([0.25, 2.0, 5.5, 8.0, 9.75, 14.0, 35.0, 68.0, 97.0, 187.0])
"""since the first conditioning, at no moment of a dose"""
COMPOSITIONS = [chosen for count in range(len(MODULES) + 1) for chosen in combinations(MODULES, count)]
FAST = [(), ("marrow",), ("tocilizumab", "corticosteroid"), MODULES]


def request_for(modules):
    """A patient with a graft that lives, treated with everything the modules allow."""
    latents = latents_of(varied_baseline(4, seed=2)).changed(kZ=0.001).take(np.array([2]))
    rows = [("tocilizumab", 600.0, 2.0, 1.0), ("corticosteroid", 10.0, 2.0, 0.5), ("corticosteroid", 10.0, 2.5, 0.0)]
    request = treated(latents, cells=5.0, modules=modules, relative_tolerance=1e-10)
    rows = [row for row in rows if row[0] in modules]
    if rows:
        request = replace(request, supportive=supportive_for(1, rows))
    if "second_product" in modules:
        later = Infusion(cells=np.array([3.0]), time=np.array([60.0]), second_product=True)
        second = SecondProduct(memory_share=np.array([0.4]), strength=np.array([0.5]))
        request = replace(request, infusions=(*request.infusions, later), second=second)
    return request


def largest_difference(modules):
    request = request_for(modules)
    ours = run_courses(request, DAYS - 7)
    runner = roadrunner.RoadRunner(course_as_sbml(request))
    runner.integrator.setValue("relative_tolerance", 1e-11)
    runner.integrator.setValue("absolute_tolerance", 1e-14)
    runner.timeCourseSelections = list(ours.states)
    theirs = np.array(runner.simulate(times=[0.0, *DAYS.tolist()]))[1:].T
    together = np.stack([ours.states[symbol][0] for symbol in ours.states])
    scale = np.where(np.abs(together) > 1e-6, np.abs(together), 1.0)  # what is long gone, in its own unit
    return np.max(np.abs(theirs - together) / scale)


@pytest.mark.parametrize("modules", FAST, ids="+".join)
def test_libroadrunner_gives_the_numbers_of_the_engine(modules):
    assert largest_difference(modules) < 1e-6


@pytest.mark.long
@pytest.mark.parametrize("modules", COMPOSITIONS, ids="+".join)
def test_libroadrunner_agrees_on_every_composition(modules):
    assert largest_difference(modules) < 1e-6


def test_the_file_is_read_by_our_own_engine_with_units_that_fit():
    written = engine.load_sbml(course_as_sbml(request_for(MODULES)), "written")
    engine.check_units(written)
    assert written.needed == ()
    assert set(twin_model(MODULES).states) <= {*written.states}
    assert len(written.program.events) == 2 * 7 + 2 * 2 + 1 + 2  # conditioning, two infusions, a bolus, cells twice


def test_equations_carry_their_meaning():
    text = course_as_sbml(request_for(()))
    assert "AFP: made by viable tumour, eliminated" in text
    assert "Growth of the tumour slows towards the largest one (Gompertz)" in text
