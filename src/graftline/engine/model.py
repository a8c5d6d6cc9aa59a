"""A model text, read and checked: its states, parameters, observables and where doses may enter."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..base.errors import Fault, InputError

INPUT = "input_"
"""A dose into state X enters through the parameter ``input_X``, in units of X per time, added to the rate of X."""


@dataclass(frozen=True, kw_only=True)
class Model:
    """The equations of one patient, without the patient.

    Every name is one of: a state (has a rate), an observable (follows from states at once), an input (``input_X``,
    where doses into state X enter) or a parameter. `own_values` are the numbers that stand in the text; a state or
    parameter without one must be given with the request.
    """

    name: str
    states: tuple[str, ...]
    parameters: tuple[str, ...]
    observables: tuple[str, ...]
    inputs: Mapping[str, str]
    """state -> the parameter through which its doses enter"""
    own_values: Mapping[str, float]
    units: Mapping[str, str]
    """name -> unit as declared in the text; names without a unit are missing"""
    sbml: str
    """the model as SBML, initial assignments taken out; also the key under which a compiled model is kept"""


def load_antimony(text: str, name: str = "model") -> Model:
    """Read an Antimony text (rate rules, assignment rules, parameters; no reactions, events or delays).

    Raises InputError with every fault found; `name` is what the faults call the text.
    """
    import antimony  # heavy, needed only when a model is read

    antimony.clearPreviousLoads()
    try:
        if antimony.loadAntimonyString(text) < 0:
            raise InputError(_syntax_fault(antimony.getLastError(), name))
        return load_sbml(antimony.getSBMLString(antimony.getMainModuleName()), name)
    finally:
        antimony.clearPreviousLoads()


def load_sbml(text: str, name: str = "model") -> Model:
    """Read an SBML text under the same limits as `load_antimony`."""
    import libsbml  # heavy, needed only when a model is read

    document = libsbml.readSBMLFromString(text)
    content = document.getModel()
    faults = [*_what_we_cannot_solve(content, name), *_unknown_names(content, name)]
    if faults:
        raise InputError(faults)
    while content.getNumInitialAssignments():  # initial values come with the request
        content.removeInitialAssignment(0)
    rules = [content.getRule(index) for index in range(content.getNumRules())]
    states = tuple(rule.getVariable() for rule in rules if rule.isRate())
    observables = tuple(rule.getVariable() for rule in rules if rule.isAssignment())
    quantities = [content.getParameter(index) for index in range(content.getNumParameters())]
    fixed = tuple(one.getId() for one in quantities if one.getId() not in {*states, *observables})
    inputs = {state: INPUT + state for state in states if INPUT + state in fixed}
    own_values = {one.getId(): one.getValue() for one in quantities if one.isSetValue()}
    for one in quantities:  # the solver wants a number everywhere; the request is checked to bring it
        if not one.isSetValue() and one.getId() not in observables:
            one.setValue(0.0)
    return Model(
        name=name,
        states=states,
        parameters=tuple(other for other in fixed if other not in inputs.values()),
        observables=observables,
        inputs=inputs,
        own_values={key: own_values[key] for key in (*states, *fixed) if key in own_values},
        units={one.getId(): one.getUnits() for one in quantities if one.isSetUnits()},
        sbml=libsbml.writeSBMLToString(document),
    )


def _syntax_fault(message: str, name: str) -> Fault:
    """Antimony's own message with its line, as a fault."""
    line = re.search(r"line (\d+)", message)
    place = f"{name}:{line.group(1)}" if line else name
    return Fault(place, " ".join(message.split()), "mend the model text")


def _what_we_cannot_solve(content: Any, name: str) -> Iterator[Fault]:
    """What the engine does not take: reactions, events, constraints, algebraic rules, compartments' species, delays."""
    for kind, count in (
        ("reactions", content.getNumReactions()),
        ("species", content.getNumSpecies()),
        ("events", content.getNumEvents()),
    ):
        if count:
            yield Fault(name, f"the model has {kind}", "write states as rate rules (X' = ...), doses as doses")
    rules = [content.getRule(index) for index in range(content.getNumRules())]
    if any(rule.isAlgebraic() for rule in rules):
        yield Fault(name, "the model has an algebraic rule", "solve it for one quantity and write X := ...")
    if not any(rule.isRate() for rule in rules):
        yield Fault(name, "the model has no state", "write at least one rate rule, X' = ...")


def _unknown_names(content: Any, name: str) -> Iterator[Fault]:
    """Inputs that belong to no state: a dose into them would be lost."""
    states = {rule.getVariable() for rule in map(content.getRule, range(content.getNumRules())) if rule.isRate()}
    for parameter in map(content.getParameter, range(content.getNumParameters())):
        symbol = parameter.getId()
        if symbol.startswith(INPUT) and symbol.removeprefix(INPUT) not in states:
            yield Fault(f"{name} {symbol}", "an input without its state", f"name it {INPUT}X after a state X")
