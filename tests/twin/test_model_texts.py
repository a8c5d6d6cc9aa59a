"""The model texts: units fit, every symbol is explained, every parameter has its card."""

import re

import antimony
import libsbml
import pytest

from graftline.base.errors import InputError
from graftline.evidence import all_cards
from graftline.twin import CARD_OF, CARDS, twin_model, twin_text

MODULES = ("marrow",)


def symbols_in_the_table():
    """The first column (eight letters) of the symbol tables at the top of the texts."""
    rows = re.findall(r"^# (.{8}) \S", twin_text(MODULES), flags=re.MULTILINE)
    return {symbol for row in rows for symbol in row.split()}


def test_every_state_and_parameter_stands_in_the_symbol_table():
    model = twin_model(MODULES)
    assert {*model.states, *model.parameters} <= symbols_in_the_table()


def test_every_parameter_has_a_card_and_no_card_is_idle():
    assert set(CARD_OF) == set(twin_model(MODULES).parameters)
    assert set(CARDS) <= set(all_cards())
    assert {name for name in all_cards() if name.startswith("twin_")} <= set(CARDS)


def test_every_card_named_in_the_symbol_table_exists():
    named = set(re.findall(r"twin_\w+", twin_text(MODULES)))
    assert named and named <= set(all_cards())


def test_the_texts_carry_no_numbers_of_their_own():
    assert set(twin_model(MODULES).own_values.values()) <= {0.0, 1.0}


def test_the_units_of_all_equations_fit():
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(twin_text(MODULES)) >= 0, antimony.getLastError()
    model = libsbml.readSBMLFromString(antimony.getSBMLString(antimony.getMainModuleName())).getModel()
    assert all(one.isSetUnits() for one in model.getListOfParameters())
    for rule in [*model.getListOfRules(), *model.getListOfInitialAssignments()]:
        formula = rule.getMath().deepCopy()
        _pure_numbers(formula)
        rule.setMath(formula)
    document = libsbml.readSBMLFromString(libsbml.writeSBMLToString(model.getSBMLDocument()))
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_MODELING_PRACTICE, False)
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, True)
    document.checkConsistency()
    faults = [document.getError(index).getMessage() for index in range(document.getNumErrors())]
    assert faults == []


def _pure_numbers(node):
    """Say of the 0, 1 and 2 in a formula that they have no unit; libsbml cannot check them otherwise."""
    if node.isNumber():
        node.setUnits("dimensionless")
    for index in range(node.getNumChildren()):
        _pure_numbers(node.getChild(index))


def test_an_unknown_module_is_refused_with_the_ones_there_are():
    with pytest.raises(InputError, match=r"model\.modules bone: no such module of the twin; choose from marrow"):
        twin_text(("bone",))
