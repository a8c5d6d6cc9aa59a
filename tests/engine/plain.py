"""A plain simulator of SBML Level 3 Version 2, written from the specification for comparison only: slow, and no shortcuts.

It walks libSBML's formulas with Python floats, keeps every species as an amount, integrates with SciPy, looks for events
on a fine grid and finds their time by bisection.
"""

import math
from itertools import pairwise

import libsbml
import numpy as np
from scipy.integrate import solve_ivp

_GRID = 40  # looks at triggers between two outputs
_ROUNDS = 1000  # events at one moment


def _factorial(x):
    return math.gamma(x + 1)


def _power(x, y):
    with np.errstate(all="ignore"):
        return float(np.power(float(x), float(y)))


def _divide(x, y):
    with np.errstate(all="ignore"):
        return float(np.divide(float(x), float(y)))


_FUNCTIONS = {
    libsbml.AST_PLUS: lambda *a: sum(a),
    libsbml.AST_TIMES: lambda *a: math.prod(a),
    libsbml.AST_MINUS: lambda *a: -a[0] if len(a) == 1 else a[0] - a[1],
    libsbml.AST_DIVIDE: _divide,
    libsbml.AST_POWER: _power,
    libsbml.AST_FUNCTION_POWER: _power,
    libsbml.AST_FUNCTION_ROOT: lambda degree, x: _power(x, 1 / degree),
    libsbml.AST_FUNCTION_LOG: lambda base, x: math.log(x) / math.log(base),
    libsbml.AST_FUNCTION_EXP: math.exp,
    libsbml.AST_FUNCTION_LN: math.log,
    libsbml.AST_FUNCTION_ABS: abs,
    libsbml.AST_FUNCTION_FLOOR: math.floor,
    libsbml.AST_FUNCTION_CEILING: math.ceil,
    libsbml.AST_FUNCTION_FACTORIAL: _factorial,
    libsbml.AST_FUNCTION_SIN: math.sin,
    libsbml.AST_FUNCTION_COS: math.cos,
    libsbml.AST_FUNCTION_TAN: math.tan,
    libsbml.AST_FUNCTION_TANH: math.tanh,
    libsbml.AST_FUNCTION_MIN: min,
    libsbml.AST_FUNCTION_MAX: max,
    libsbml.AST_FUNCTION_QUOTIENT: lambda x, y: math.trunc(x / y),
    libsbml.AST_FUNCTION_REM: math.fmod,
    libsbml.AST_LOGICAL_AND: lambda *a: all(a),
    libsbml.AST_LOGICAL_OR: lambda *a: any(a),
    libsbml.AST_LOGICAL_XOR: lambda *a: sum(map(bool, a)) % 2 == 1,
    libsbml.AST_LOGICAL_NOT: lambda a: not a,
    libsbml.AST_LOGICAL_IMPLIES: lambda a, b: not a or b,
    libsbml.AST_RELATIONAL_LT: lambda *a: all(x < y for x, y in pairwise(a)),
    libsbml.AST_RELATIONAL_LEQ: lambda *a: all(x <= y for x, y in pairwise(a)),
    libsbml.AST_RELATIONAL_GT: lambda *a: all(x > y for x, y in pairwise(a)),
    libsbml.AST_RELATIONAL_GEQ: lambda *a: all(x >= y for x, y in pairwise(a)),
    libsbml.AST_RELATIONAL_EQ: lambda *a: all(x == y for x, y in pairwise(a)),
    libsbml.AST_RELATIONAL_NEQ: lambda x, y: x != y,
}
_CONSTANTS = {
    libsbml.AST_CONSTANT_E: math.e,
    libsbml.AST_CONSTANT_PI: math.pi,
    libsbml.AST_CONSTANT_TRUE: True,
    libsbml.AST_CONSTANT_FALSE: False,
    libsbml.AST_NAME_AVOGADRO: 6.02214179e23,
}


class Plain:
    """One model and where it is: time, and the stored number of every symbol that no assignment rule sets."""

    def __init__(self, text):
        document = libsbml.readSBMLFromString(text)
        self.model = model = document.getModel()
        self.document = document  # which owns the model
        self.time, self.stored, self.initial = 0.0, {}, {}
        self.functions = {one.getId(): one for one in model.getListOfFunctionDefinitions()}
        self.species = {one.getId(): one.getCompartment() for one in model.getListOfSpecies()}
        points = {one.getId() for one in model.getListOfCompartments() if _is_point(one)}
        self.dense = {
            one.getId()
            for one in model.getListOfSpecies()
            if not one.getHasOnlySubstanceUnits() and one.getCompartment() not in points
        }
        rules = list(model.getListOfRules())
        self.assigned = {one.getVariable(): self.formula(one.getMath()) for one in rules if one.isAssignment()}
        self.rated = {one.getVariable(): self.formula(one.getMath()) for one in rules if one.isRate()}
        self.fluxes = {one.getId(): self._flux(one) for one in model.getListOfReactions()}
        self.changes = {one.getId(): self._changes(one) for one in model.getListOfSpecies()}
        self.events = [_Event(self, one) for one in model.getListOfEvents()]
        self._start()
        self.moving = sorted({*self.rated, *(name for name, terms in self.changes.items() if terms)})

    def _flux(self, reaction):
        law = reaction.getKineticLaw()
        own = {one.getId(): one.getValue() for one in law.getListOfLocalParameters()}
        return self.formula(law.getMath(), {name: lambda value=value: value for name, value in own.items()})

    def _changes(self, species):
        """Terms of the change of an amount: sign, stoichiometry, reaction, conversion factor."""
        if species.getBoundaryCondition() or species.getConstant():
            return []
        factor = species.getConversionFactor() or self.model.getConversionFactor()
        return [
            (sign, one.getId() or one.getStoichiometry(), reaction.getId(), factor)
            for reaction in self.model.getListOfReactions()
            for sign, ones in ((-1, reaction.getListOfReactants()), (1, reaction.getListOfProducts()))
            for one in ones
            if one.getSpecies() == species.getId()
        ]

    # values

    def value(self, name):
        """As the symbol stands in formulas."""
        if name in self.assigned:
            return self.assigned[name]()
        if name in self.fluxes:
            return self.fluxes[name]()
        if name in self.initial:
            self._initialise(name)
        return _divide(self.stored[name], self.value(self.species[name])) if name in self.dense else self.stored[name]

    def amount(self, name):
        return self.value(name) * self.value(self.species[name]) if name in self.dense else self.value(name)

    def concentration(self, name):
        return self.value(name) if name in self.dense else self.value(name) / self.value(self.species[name])

    def formula(self, node, arguments=None):
        """A function without arguments that gives what the formula is worth now."""
        kind, arguments = node.getType(), arguments or {}
        if kind in (libsbml.AST_INTEGER, libsbml.AST_REAL, libsbml.AST_REAL_E, libsbml.AST_RATIONAL):
            number = node.getInteger() if kind == libsbml.AST_INTEGER else node.getReal()
            return lambda: number
        if kind in _CONSTANTS:
            return lambda: _CONSTANTS[kind]
        if kind == libsbml.AST_NAME_TIME:
            return lambda: self.time
        name = node.getName()
        if kind == libsbml.AST_NAME:
            return arguments[name] if name in arguments else lambda: self.value(name)
        children = [node.getChild(index) for index in range(node.getNumChildren())]
        if kind == libsbml.AST_FUNCTION_RATE_OF:
            target = children[0].getName()
            return lambda: self.rate(target)
        parts = [self.formula(one, arguments) for one in children]
        if kind == libsbml.AST_FUNCTION_PIECEWISE:
            return lambda: _first(parts)
        if kind == libsbml.AST_FUNCTION:
            function = self.functions[name]
            names = [function.getArgument(index).getName() for index in range(function.getNumArguments())]
            return self.formula(function.getBody(), dict(zip(names, parts, strict=True)))
        operation = _FUNCTIONS[kind]
        return lambda: operation(*[part() for part in parts])

    # the start

    def _start(self):
        model = self.model
        self.stored = {one.getId(): one.getSize() for one in model.getListOfCompartments()}
        self.stored.update((one.getId(), one.getValue()) for one in model.getListOfParameters())
        for reaction in model.getListOfReactions():
            for one in (*reaction.getListOfReactants(), *reaction.getListOfProducts()):
                self.stored[one.getId()] = one.getStoichiometry()
        given = {one.getSymbol(): self.formula(one.getMath()) for one in model.getListOfInitialAssignments()}
        self.initial = {**dict.fromkeys(self.species), **given}
        while self.initial:
            self._initialise(next(iter(self.initial)))

    def _initialise(self, name):
        formula = self.initial.pop(name)
        element = self.model.getSpecies(name)
        if formula is not None:
            value = float(formula())
            self.stored[name] = value * self.value(self.species[name]) if name in self.dense else value
        elif element.isSetInitialAmount():
            self.stored[name] = element.getInitialAmount()
        else:
            self.stored[name] = element.getInitialConcentration() * self.value(self.species[name])

    # rates

    def rate(self, name):
        """d (value of the symbol) / d time, by the rules of differentiation for what is stored as an amount."""
        if name not in self.dense:
            return self.stored_rate(name)
        volume, growth = self.value(self.species[name]), self.rate(self.species[name])
        return (self.stored_rate(name) - self.value(name) * growth) / volume

    def stored_rate(self, name):
        if name in self.assigned:  # volumes that follow time; a difference is good enough
            now, width = self.time, 1e-6
            self.time = now + width
            above = self.value(name)
            self.time = now - width
            below = self.value(name)
            self.time = now
            return (above - below) / (2 * width)
        if name in self.rated:
            own = self.rated[name]()
            if name not in self.dense:
                return own
            return own * self.value(self.species[name]) + self.value(name) * self.rate(self.species[name])
        total = 0.0
        for sign, amount, reaction, factor in self.changes.get(name, []):
            amount = self.value(amount) if isinstance(amount, str) else amount
            total += sign * amount * self.value(reaction) * (self.value(factor) if factor else 1.0)
        return total

    # events

    def triggers(self):
        return [bool(event.trigger()) for event in self.events]

    def happen(self, before, queue):
        """Everything due now: queue what has turned true, take out what may not persist, execute the most urgent."""
        for _ in range(_ROUNDS):
            now = self.triggers()
            for index, (was, event) in enumerate(zip(before, self.events, strict=True)):
                if not now[index] and not event.persistent:
                    queue[:] = [one for one in queue if one[1] != index]
                if now[index] and not was:
                    queue.append((self.time + event.delay(), index, event.values() if event.from_trigger else None))
            before = now
            due = [one for one in queue if one[0] <= self.time]
            if not due:
                return before
            first = max(due, key=lambda one: self.events[one[1]].priority())
            queue.remove(first)
            values = self.events[first[1]].values() if first[2] is None else first[2]
            volumes = {name: self.value(self.species[name]) for name in values if name in self.dense}
            self.stored.update((name, value * volumes.get(name, 1.0)) for name, value in values.items())
        raise AssertionError("events without end")

    # the course

    def _rates(self, time, y):
        self.time = time
        self.stored.update(zip(self.moving, map(float, y), strict=True))
        return [float(self.stored_rate(name)) for name in self.moving]

    def _at(self, solution, time):
        """Go to a moment; what triggers say there."""
        self.time = time
        if self.moving:
            self.stored.update(zip(self.moving, map(float, solution(time)), strict=True))
        return self.triggers()

    def run(self, times, outputs):
        """Values (times, outputs) of names, amount(species) and concentration(species); the first time is 0."""
        queue = []
        before = self.happen([event.initially for event in self.events], queue)
        rows = [self._row(outputs)]
        for end in times[1:]:
            while self.time < end:
                stop = min([end, *[one[0] for one in queue if one[0] > self.time]])
                before = self._until(stop, before, queue)
            rows.append(self._row(outputs))
        return np.array(rows, dtype=float)

    def _until(self, stop, before, queue):
        """Integrate to the first moment at which a trigger changes or to the stop, and let happen what is due."""
        begin, solution = self.time, None
        if self.moving:
            y = [self.stored[name] for name in self.moving]
            found = solve_ivp(self._rates, (begin, stop), y, "LSODA", rtol=1e-10, atol=1e-13, dense_output=True)
            assert found.success, found.message
            solution = found.sol
        low = begin
        for share in range(1, _GRID + 1):
            high = begin + (stop - begin) * share / _GRID if share < _GRID else stop
            if self._at(solution, high) != before:
                while low + (high - low) / 2 not in (low, high):
                    middle = low + (high - low) / 2
                    low, high = (low, middle) if self._at(solution, middle) != before else (middle, high)
                break
            low = high
        self._at(solution, high)
        return self.happen(before, queue)

    def _row(self, outputs):
        asked = {"amount": self.amount, "concentration": self.concentration}
        return [asked.get(name.split("(")[0], self.value)(name.split("(")[-1].rstrip(")")) for name in outputs]


class _Event:
    def __init__(self, plain, element):
        trigger, nothing = element.getTrigger(), (lambda: 0.0)
        self.trigger = plain.formula(trigger.getMath())
        self.persistent, self.initially = trigger.getPersistent(), trigger.getInitialValue()
        self.from_trigger = element.getUseValuesFromTriggerTime()
        self.delay = (
            plain.formula(element.getDelay().getMath())
            if element.isSetDelay() and element.getDelay().isSetMath()
            else nothing
        )
        self.priority = plain.formula(element.getPriority().getMath()) if element.isSetPriority() else lambda: -math.inf
        self.assignments = {
            one.getVariable(): plain.formula(one.getMath())
            for one in element.getListOfEventAssignments()
            if one.isSetMath()
        }

    def values(self):
        return {name: float(formula()) for name, formula in self.assignments.items()}


def _is_point(compartment):
    return compartment.getSpatialDimensionsAsDouble() == 0 and not compartment.isSetSize()


def _first(parts):
    """What a piecewise with these values and conditions is worth."""
    for index in range(0, len(parts) - 1, 2):
        if parts[index + 1]():
            return parts[index]()
    return parts[-1]() if len(parts) % 2 else math.nan
