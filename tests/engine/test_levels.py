"""Older levels and versions of SBML mean what they meant, through libSBML's converter."""

import re

import libsbml
import numpy as np
import pytest
import texts
from suite import ARCHIVE, case, levels, numbers
from texts import TIME, apply, math, sbml, several

from graftline import engine
from graftline.base.errors import InputError
from graftline.engine.sbml import read_sbml

OLDER = [(3, 1), (2, 5), (2, 4), (2, 3), (2, 2), (2, 1)]
EVERY = 40  # of the fast tests: one case in so many; all of them in the long ones
needs_data = pytest.mark.skipif(not ARCHIVE.exists(), reason="the shared data with the SBML Test Suite are absent")
VERSIONS = pytest.mark.parametrize("version", [1, 2, 3, 4, 5])


def older(text, level, version):
    """The text in an older version, or None if libSBML loses something: names given to initial formulas, or formulas."""
    document = libsbml.readSBMLFromString(text)
    has_formulas = document.getModel().getNumInitialAssignments() > 0
    document.setLevelAndVersion(level, version, False)
    written = libsbml.writeSBMLToString(document)
    return None if (level, version) == (2, 1) and has_formulas else written


def equations(text, number):
    system = read_sbml(text, number)
    initial = {name: _rounded(value) for name, value in system.initial.items()}
    return system.states, system.constants, initial, dict(system.rates), dict(system.observables), system.events


def _rounded(value):
    return f"{float(value):.14g}" if value.is_number else value


def differ(number):
    """Versions of which the suite has the case, and in which the equations are others."""
    model = case(number).model
    newest = equations(model, number)
    texts_of = {one: older(model, *one) for one in OLDER if one in levels(number)}
    return [one for one, text in texts_of.items() if text is not None and equations(text, number) != newest]


@needs_data
@pytest.mark.parametrize("number", numbers()[::EVERY] or ["absent"])
def test_a_case_of_the_suite_is_the_same_in_older_versions(number):
    assert differ(number) == []


@needs_data
@pytest.mark.long
def test_every_case_of_the_suite_is_the_same_in_older_versions():
    assert {number: differ(number) for number in numbers() if number != "01247" and differ(number)} == {}


# what only older versions have

TWO = several("Compartments", '<compartment id="C" size="2"/>') + several(
    "Species",
    '<species id="S" compartment="C" initialAmount="10"/>',
    '<species id="P" compartment="C" initialConcentration="0"/>',
)


def reaction(product='<speciesReference species="P"/>', law=None, local="", more=""):
    law = apply("times", "C", 0.1, "S") if law is None else law
    return several(
        "Reactions",
        f'<reaction id="J"{more}><listOfReactants><speciesReference species="S"/></listOfReactants>'
        f"<listOfProducts>{product}</listOfProducts><kineticLaw>{math(law)}{local}</kineticLaw></reaction>",
    )


def course(version, inside, outputs, times=(0, 1, 2)):
    return engine.load_sbml(sbml(inside, 2, version)).run(times=times, outputs=outputs, rtol=1e-9).values[0].T


GONE = 10 * (1 - np.exp(-0.1 * np.array([0, 1, 2])))


@VERSIONS
def test_amounts_concentrations_and_local_parameters_of_level_2(version):
    local = several("Parameters", '<parameter id="k" value="0.1"/>')
    inside = TWO + texts.parameters(k=9) + reaction(law=apply("times", "C", "k", "S"), local=local)
    found = course(version, inside, ["S", "amount(S)", "P", "amount(P)"])
    assert np.allclose(found, [(10 - GONE) / 2, 10 - GONE, GONE / 2, GONE], atol=1e-6)


@VERSIONS
def test_stoichiometry_by_a_formula_follows_what_it_uses(version):
    product = f'<speciesReference species="P"><stoichiometryMath>{math("x")}</stoichiometryMath></speciesReference>'
    inside = TWO + texts.parameters(x=0) + several("Rules", texts.rule("rate", "x", 1)) + reaction(product)
    t = np.array([0, 1, 2])
    assert np.allclose(course(version, inside, ["amount(P)"]), 100 - (100 + 10 * t) * np.exp(-0.1 * t), atol=1e-6)


@VERSIONS
@pytest.mark.parametrize("delay", ["", f"<delay>{math(0.7)}</delay>"])
def test_events_of_level_2_are_true_before_the_start_persist_and_take_values_from_their_trigger(version, delay):
    def event(name, trigger):
        change = several("EventAssignments", f'<eventAssignment variable="{name}">{math("y")}</eventAssignment>')
        return f"<event><trigger>{math(trigger)}</trigger>{delay}{change}</event>"

    window = apply("and", apply("gt", TIME, 0.5), apply("lt", TIME, 0.6))
    events = several("Events", event("a", apply("gt", "y", -1)), event("b", window))
    inside = texts.parameters(a=9, b=9, y=0) + several("Rules", texts.rule("rate", "y", 1)) + events
    assert np.allclose(course(version, inside, ["a", "b"]), [[9, 9, 9], [9, 9 if delay else 0.5, 0.5]])


@pytest.mark.parametrize("version", [4, 5])
def test_an_event_of_level_2_may_take_values_from_when_it_happens(version):
    change = several("EventAssignments", f'<eventAssignment variable="a">{math("y")}</eventAssignment>')
    trigger, delay = math(apply("gt", TIME, 0.5)), math(0.7)
    event = (
        f'<event useValuesFromTriggerTime="false"><trigger>{trigger}</trigger><delay>{delay}</delay>{change}</event>'
    )
    inside = texts.parameters(a=9, y=0) + several("Rules", texts.rule("rate", "y", 1)) + several("Events", event)
    assert np.allclose(course(version, inside, ["a"]), [[9, 9, 1.2]])


@pytest.mark.parametrize("version", [1, 2])
def test_units_of_time_of_an_event_change_nothing(version):
    change = several("EventAssignments", f'<eventAssignment variable="a">{math(1)}</eventAssignment>')
    event = f'<event timeUnits="second"><trigger>{math(apply("gt", TIME, 0.5))}</trigger>{change}</event>'
    assert course(version, texts.parameters(a=9) + several("Events", event), ["a"]).tolist() == [[9, 1, 1]]


@VERSIONS
def test_in_a_compartment_of_level_2_without_dimensions_a_species_is_an_amount(version):
    inside = several("Compartments", '<compartment id="C" spatialDimensions="0"/>') + several(
        "Species",
        '<species id="S" compartment="C" initialAmount="10"/>',
        '<species id="P" compartment="C" initialAmount="0"/>',
    )
    found = course(version, inside + reaction(law=apply("times", 0.1, "S")), ["S", "amount(S)"])
    assert np.allclose(found, [10 - GONE, 10 - GONE], atol=1e-6)


@VERSIONS
def test_what_is_refused_in_level_3_is_refused_in_level_2(version):
    with pytest.raises(InputError, match="m J: is a fast reaction"):
        engine.load_sbml(sbml(TWO + reaction(more=' fast="true"'), 2, version), "m")
    rules = several("Rules", f"<algebraicRule>{math('x')}</algebraicRule>")
    with pytest.raises(InputError, match="is an algebraic rule"):
        engine.load_sbml(sbml(texts.parameters(x=0) + rules, 2, version), "m")


def test_a_compartment_without_a_size_has_1_in_level_1_only():
    inside = '<listOfCompartments><compartment name="C"/></listOfCompartments>'
    inside += '<listOfSpecies><species name="S" compartment="C" initialAmount="3"/></listOfSpecies>'
    text = (
        sbml(inside)
        .replace("level3/version2/core", "level1")
        .replace('level="3"', 'level="1"')
        .replace('id="m"', 'name="m"')
    )
    assert engine.load_sbml(text).run(times=[0.0], outputs=["S"]).values.item() == 3
    assert engine.load_sbml(sbml(re.sub('name="', 'id="', inside), 2, 4)).needed == ("C",)


def test_the_operators_of_version_2_may_be_used_in_version_1_by_its_package():
    rules = several("Rules", texts.rule("assignment", "a", apply("max", "x", 2)))
    text = sbml(texts.parameters(x=1, a=0) + rules, 3, 1)
    package = "http://www.sbml.org/sbml/level3/version1/l3v2extendedmath/version1"
    with_it = text.replace('level="3"', f'xmlns:e="{package}" e:required="true" level="3"', 1)
    assert engine.load_sbml(with_it).run(times=[0.0], outputs=["a"]).values.item() == 2
    with pytest.raises(InputError, match="max"):
        engine.load_sbml(text)
