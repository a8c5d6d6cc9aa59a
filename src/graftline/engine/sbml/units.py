"""Whether the two sides of every equation of an SBML model are of one unit. Declared units only, nothing is guessed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any

import libsbml

from ...base.errors import Fault

_SAME = 1e-9
"""relative difference of two factors that is still round-off"""
_REMEDY = "mend the equation, or the unit of a name in it"


class _MisfitError(ValueError):
    """Why a formula has no unit."""


@dataclass(frozen=True)
class Unit:
    """A unit as a multiple of a product of powers of base units."""

    factor: float = 1.0
    powers: tuple[tuple[str, float], ...] = ()
    """base unit -> exponent, sorted, no zeros"""

    def times(self, other: Unit, power: float = 1.0) -> Unit:
        """This unit times a power of another."""
        powers = dict(self.powers)
        for base, exponent in other.powers:
            powers[base] = powers.get(base, 0.0) + exponent * power
        kept = tuple(sorted((base, exponent) for base, exponent in powers.items() if abs(exponent) > _SAME))
        return Unit(self.factor * other.factor**power, kept)

    def fits(self, other: Unit) -> bool:
        """Whether the two are one unit."""
        alike = len(self.powers) == len(other.powers) and all(
            one == two and math.isclose(left, right, rel_tol=_SAME)
            for (one, left), (two, right) in zip(self.powers, other.powers, strict=True)
        )
        return alike and math.isclose(self.factor, other.factor, rel_tol=_SAME)


NONE = Unit()
"""a pure number"""


def unit_faults(model: Any, name: str) -> Iterator[Fault]:
    """A fault per rule, initial assignment, event assignment or kinetic law whose units do not fit, by what it defines.

    Numbers that stand in a formula are pure numbers. A name without a declared unit is a fault where it is used.
    """
    units = _Units(model)
    for rule in model.getListOfRules():
        rate = rule.isRate()
        variable = rule.getVariable()
        place = f"{name} equation of {variable}{chr(39) if rate else ''}"
        yield from units.faults(place, rule.getMath(), variable, per_time=rate)
    for one in model.getListOfInitialAssignments():
        yield from units.faults(f"{name} start of {one.getSymbol()}", one.getMath(), one.getSymbol())
    for event in model.getListOfEvents():
        for one in event.getListOfEventAssignments():
            place = f"{name} event {event.getId()}, new value of {one.getVariable()}"
            yield from units.faults(place, one.getMath(), one.getVariable())
    for reaction in model.getListOfReactions():
        law = reaction.getKineticLaw()
        if law is not None and law.isSetMath():
            yield from units.faults(f"{name} rate of {reaction.getId()}", law.getMath(), None)


def declared(model: Any) -> dict[str, Unit]:
    """Every parameter, compartment and species with a declared unit, in base units."""
    return {name: unit for name, unit in _Units(model).of.items() if unit is not None}


class _Units:
    """The declared units of a model, and the unit of a formula by them."""

    def __init__(self, model: Any) -> None:
        elements = (*model.getListOfParameters(), *model.getListOfCompartments(), *model.getListOfSpecies())
        self.of = {one.getId(): _read(one.getDerivedUnitDefinition()) for one in elements}
        self._time = _named(model, model.getTimeUnits()) if model.isSetTimeUnits() else None
        extent = _named(model, model.getExtentUnits()) if model.isSetExtentUnits() else None
        self._flow = None if extent is None or self._time is None else extent.times(self._time, -1)
        self._spelled = {one.getId(): _read(one) for one in model.getListOfUnitDefinitions()}
        self._spelled |= {name: _named(model, name) for name in ("litre", "gram")}

    def faults(self, place: str, math: Any, variable: str | None, *, per_time: bool = False) -> Iterator[Fault]:
        """What is wrong with one equation; `variable` None is a rate of reaction."""
        if math is None:
            return
        try:
            found, wanted = self.unit(math), self._wanted(variable, per_time)
        except _MisfitError as misfit:
            yield Fault(place, str(misfit), _REMEDY)
            return
        if not found.fits(wanted):
            yield Fault(place, f"is {self.spelled(found)}, but should be {self.spelled(wanted)}", _REMEDY)

    def _wanted(self, variable: str | None, per_time: bool) -> Unit:
        if variable is None:
            if self._flow is None:
                raise _MisfitError("the model declares no unit of extent or of time")
            return self._flow
        own = self._unit_of(variable)
        if not per_time:
            return own
        if self._time is None:
            raise _MisfitError("the model declares no unit of time")
        return own.times(self._time, -1)

    def _unit_of(self, name: str) -> Unit:
        found = self.of.get(name)
        if found is None:
            raise _MisfitError(f"{name} has no declared unit")
        return found

    def unit(self, node: Any) -> Unit:
        """The unit of a formula; raises _MisfitError."""
        kind = node.getType()
        if kind == libsbml.AST_NAME:
            return self._unit_of(node.getName())
        if kind == libsbml.AST_NAME_TIME:
            if self._time is None:
                raise _MisfitError("the model declares no unit of time")
            return self._time
        if node.isNumber() or node.isConstant():
            return NONE
        parts = [node.getChild(index) for index in range(node.getNumChildren())]
        if kind == libsbml.AST_FUNCTION_PIECEWISE:
            for condition in parts[1::2]:
                self.unit(condition)
            return self._alike(node, [*parts[0::2]])
        if kind in _ALIKE:
            return self._alike(node, parts)
        if kind == libsbml.AST_TIMES:
            return reduce(lambda one, part: one.times(self.unit(part)), parts, NONE)
        if kind == libsbml.AST_DIVIDE:
            return self.unit(parts[0]).times(self.unit(parts[1]), -1)
        if kind in (libsbml.AST_POWER, libsbml.AST_FUNCTION_POWER):
            return self._power(node, *parts)
        if node.isRelational():
            self._alike(node, parts)
            return NONE
        return self._of_pure_numbers(node, parts)

    def _alike(self, node: Any, parts: list[Any]) -> Unit:
        first, *others = [self.unit(part) for part in parts] or [NONE]
        for part, other in zip(parts[1:], others, strict=True):
            if not other.fits(first):
                left, right = _formula(parts[0]), _formula(part)
                raise _MisfitError(f"joins {left} ({self.spelled(first)}) with {right} ({self.spelled(other)})")
        return first

    def _power(self, node: Any, base: Any, exponent: Any) -> Unit:
        below = self.unit(base)
        if not self.unit(exponent).fits(NONE):
            raise _MisfitError(f"has an exponent with a unit in {_formula(node)}")
        if below.fits(NONE):
            return NONE
        number = _literal(exponent)
        if number is None:
            raise _MisfitError(f"raises {_formula(base)} ({self.spelled(below)}) to a power that is no plain number")
        return NONE.times(below, number)

    def _of_pure_numbers(self, node: Any, parts: list[Any]) -> Unit:
        """Exponentials, logarithms, angles, logic: arguments and value are pure numbers."""
        for part in parts:
            found = self.unit(part)
            if not found.fits(NONE):
                raise _MisfitError(f"{_formula(node)} needs a pure number, {_formula(part)} is {self.spelled(found)}")
        return NONE

    def spelled(self, unit: Unit) -> str:
        """By the name the model gives it, else as a product."""
        if unit.fits(NONE):
            return "a pure number"
        for name, known in self._spelled.items():
            if known is not None and known.fits(unit):
                return str(name)
        factor = [] if math.isclose(unit.factor, 1, rel_tol=_SAME) else [f"{unit.factor:.6g}"]
        return " ".join([*factor, *(base if power == 1 else f"{base}^{power:g}" for base, power in unit.powers)])


_ALIKE = (libsbml.AST_PLUS, libsbml.AST_MINUS, libsbml.AST_FUNCTION_MAX, libsbml.AST_FUNCTION_MIN,
          libsbml.AST_FUNCTION_ABS, libsbml.AST_FUNCTION_FLOOR, libsbml.AST_FUNCTION_CEILING)  # fmt: skip


def _read(definition: Any) -> Unit | None:
    """A unit of libSBML in base units; None if it is not (wholly) declared."""
    if definition is None or definition.getNumUnits() == 0:
        return None
    found, base_units = NONE, libsbml.UnitDefinition.convertToSI(definition)  # the list lives no longer than its owner
    for one in base_units.getListOfUnits():
        kind, exponent = libsbml.UnitKind_toString(one.getKind()), one.getExponentAsDouble()
        base = Unit((one.getMultiplier() * 10.0 ** one.getScale()) ** exponent)
        found = found.times(base if kind == "dimensionless" else Unit(base.factor, ((kind, exponent),)))
    return found


def _named(model: Any, name: str) -> Unit | None:
    """A unit the model defines or a base unit of SBML, by its id."""
    definition = model.getUnitDefinition(name)
    if definition is None:
        definition = libsbml.UnitDefinition(model.getLevel(), model.getVersion())
        one = definition.createUnit()
        one.initDefaults()
        one.setKind(libsbml.UnitKind_forName(name))
    return _read(definition)


def _formula(node: Any) -> str:
    return str(libsbml.formulaToL3String(node))


def _literal(node: Any) -> float | None:
    """The number a node writes out, minus signs included."""
    if node.isNumber():
        return float(node.getValue())
    if node.getType() == libsbml.AST_MINUS and node.getNumChildren() == 1 and node.getChild(0).isNumber():
        return -float(node.getChild(0).getValue())
    return None
