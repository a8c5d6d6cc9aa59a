"""An SBML model with the numbers, doses and meanings of one patient written into it, so that any SBML tool runs it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

import libsbml

from ...base.errors import Fault, InputError


@dataclass(frozen=True, kw_only=True)
class Dose:
    """One dose: what goes where, from when, over how long (0: at once). Amounts as in `engine.Doses`."""

    state: str
    amount: float
    time: float
    duration: float = 0.0


def completed(
    text: str, name: str, *, values: Mapping[str, float], doses: Sequence[Dose], notes: Mapping[str, str]
) -> str:
    """The SBML text with own values of parameters and starts, with doses as events, and with a note on each equation.

    A note is looked up by what its rule defines, with ' for a rate. Raises InputError for a name that is not there.
    """
    document = libsbml.readSBMLFromString(text)
    model = document.getModel()
    faults = [
        Fault(f"{name} {symbol}", "no such parameter or state in the model", "mend the name")
        for symbol in (*values, *(one.state for one in doses))
        if model.getElementBySId(_plain(symbol)) is None
    ]
    if faults:
        raise InputError(faults)
    for symbol, value in values.items():
        _set(model, _plain(symbol), value)
    for number, dose in enumerate(sorted(doses, key=lambda one: (one.time, one.state)), start=1):
        _add_dose(model, _free_name(model, f"dose_{number}"), dose)
    for rule in model.getListOfRules():
        note = notes.get(rule.getVariable() + ("'" if rule.isRate() else ""))
        if note:
            rule.setNotes(f'<p xmlns="http://www.w3.org/1999/xhtml">{escape(note)}</p>')
    return str(libsbml.writeSBMLToString(document))


def _plain(symbol: str) -> str:
    """The id behind the name of a quantity."""
    return symbol.removeprefix("amount(").removesuffix(")")


def _set(model: Any, symbol: str, value: float) -> None:
    """A number in place of what stands there; of a species in the unit in which it is kept in formulas."""
    model.removeInitialAssignment(symbol)
    element = model.getElementBySId(symbol)
    if isinstance(element, libsbml.Species):
        element.unsetInitialAmount()
        element.unsetInitialConcentration()
        setter = element.setInitialAmount if element.getHasOnlySubstanceUnits() else element.setInitialConcentration
    else:
        setter = element.setSize if isinstance(element, libsbml.Compartment) else element.setValue
    setter(value)


def _free_name(model: Any, wanted: str) -> str:
    return wanted if model.getElementBySId(wanted) is None else _free_name(model, f"{wanted}_")


def _add_dose(model: Any, name: str, dose: Dose) -> None:
    """Parameters of the dose by name, and the event (two of an infusion) that gives it."""
    state = _plain(dose.state)
    unit = _unit_of_amount(model, state)
    _parameter(model, name, dose.amount, unit)
    _parameter(model, f"{name}_time", dose.time, model.getTimeUnits())
    per_volume = _per_volume(model, state)
    if dose.duration == 0:
        _event(model, f"{name}_given", f"time >= {name}_time", state, f"{state} + {name}{per_volume}")
        return
    flow = f"{name}_flow"
    _parameter(model, f"{name}_duration", dose.duration, model.getTimeUnits())
    _parameter(model, flow, 0.0, _flow_unit(model, unit), constant=False)
    _event(model, f"{name}_begins", f"time >= {name}_time", flow, f"{name} / {name}_duration")
    _event(model, f"{name}_ends", f"time >= {name}_time + {name}_duration", flow, f"0 * {name} / {name}_duration")
    rule = model.getRateRule(state)
    if rule is not None:
        formula = libsbml.formulaToL3String(rule.getMath())
        rule.setMath(_math(f"{formula} + {flow}{per_volume}"))
        return
    reaction = model.createReaction()
    reaction.setId(f"{name}_into_{state}")
    reaction.setReversible(False)
    product = reaction.createProduct()
    product.setSpecies(state)
    product.setStoichiometry(1)
    product.setConstant(True)
    reaction.createKineticLaw().setMath(_math(flow))


def _per_volume(model: Any, state: str) -> str:
    """What makes an amount into the concentration by which a species goes; nothing for other states."""
    species = model.getSpecies(state)
    return f" / {species.getCompartment()}" if species is not None and not species.getHasOnlySubstanceUnits() else ""


def _parameter(model: Any, name: str, value: float, unit: str, *, constant: bool = True) -> None:
    one = model.createParameter()
    one.setId(name)
    one.setConstant(constant)
    one.setValue(value)
    if unit:
        one.setUnits(unit)


def _event(model: Any, name: str, trigger: str, target: str, formula: str) -> None:
    event = model.createEvent()
    event.setId(name)
    event.setUseValuesFromTriggerTime(False)  # doses at one moment add up: each sees what the one before it left
    when = event.createTrigger()
    when.setInitialValue(False)  # what is due at the very start happens at the start
    when.setPersistent(True)
    when.setMath(_math(trigger))
    assignment = event.createEventAssignment()
    assignment.setVariable(target)
    assignment.setMath(_math(formula))


def _math(formula: str) -> Any:
    math = libsbml.parseL3Formula(formula)
    assert math is not None, f"{formula}: {libsbml.getLastParseL3Error()}"
    return math


def _unit_of_amount(model: Any, state: str) -> str:
    """The declared unit of an amount into a state, empty if there is none."""
    parameter, species = model.getParameter(state), model.getSpecies(state)
    if parameter is not None:
        return str(parameter.getUnits())
    return str(species.getSubstanceUnits() if species is not None else "")


def _flow_unit(model: Any, unit: str) -> str:
    """The unit of an amount per time, defined in the model if need be; empty if either is not declared."""
    amount, time = (_definition(model, one) for one in (unit, model.getTimeUnits()))
    if amount is None or time is None:
        return ""
    ratio = libsbml.UnitDefinition.divide(amount, time)
    for known in model.getListOfUnitDefinitions():
        if libsbml.UnitDefinition.areIdentical(known, ratio):
            return str(known.getId())
    name = _free_name(model, f"{unit}_per_time")
    ratio.setId(name)
    model.addUnitDefinition(ratio)
    return name


def _definition(model: Any, unit: str) -> Any:
    """The definition of a unit by its id, None if there is none."""
    return next(iter(_definitions(model, unit)), None)


def _definitions(model: Any, unit: str) -> Iterator[Any]:
    for one in model.getListOfUnitDefinitions():
        if one.getId() == unit:
            yield one
    kind = libsbml.UnitKind_forName(unit)
    if kind != libsbml.UNIT_KIND_INVALID:
        made = libsbml.UnitDefinition(model.getLevel(), model.getVersion())
        one = made.createUnit()
        one.initDefaults()
        one.setKind(kind)
        yield made
