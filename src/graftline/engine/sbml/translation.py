"""From an SBML model to an initial value problem with events. Names follow `engine.system`: quantities, observables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from graphlib import CycleError, TopologicalSorter
from typing import Any

import libsbml
import sympy as sp

from ...base.errors import Fault, InputError
from ..system import TIME, Event, Expression, System, symbol
from .derivatives import total_derivative
from .mathematics import Formulas
from .operations import UnsupportedError, literal


@dataclass(frozen=True, kw_only=True)
class _Species:
    """How a species is kept."""

    name: str
    quantity: str
    """its name as a quantity: the species', or amount(species)"""
    is_amount: bool
    """whether its symbol in formulas means an amount"""
    keeps_amount: bool
    """whether its quantity is an amount"""
    compartment: str
    pointlike: bool
    """whether its compartment is a point, without a size, so that it has no concentration"""


@dataclass(frozen=True, kw_only=True)
class _Part:
    """What a species has in a reaction."""

    reaction: str
    sign: int
    """-1: it is used up, 1: it is made"""
    element: Any
    """the species reference"""


class Translation:
    """One model being translated. Values and rates behind names are worked out when first asked for."""

    def __init__(self, model: Any, name: str) -> None:
        self._model, self._name = model, name
        functions = {one.getId(): one for one in model.getListOfFunctionDefinitions()}
        self._formulas = Formulas(self.value, self.rate_of, functions)
        self._faults: list[Fault] = []
        self._values: dict[str, Expression | None] = {}
        self._rates: dict[str, Expression | None] = {}
        self._rules = {rule.getVariable(): rule for rule in model.getListOfRules() if rule.isSetMath()}
        self._assigned_names = {name for name, rule in self._rules.items() if rule.isAssignment()}
        self._assignments = {one.getSymbol(): one for one in model.getListOfInitialAssignments() if one.isSetMath()}
        self._reactions = {one.getId(): one for one in model.getListOfReactions()}
        self._plain = {one.getId(): one for one in (*model.getListOfCompartments(), *model.getListOfParameters())}
        self._parts = list(self._all_parts())
        self._references = {part.element.getId(): part.element for part in self._parts if part.element.getId()}
        self._species = {one.getId(): self._kept(one) for one in model.getListOfSpecies()}
        self._parts_of: dict[str, list[_Part]] = {name: [] for name in self._species}
        for part in self._parts:
            self._parts_of[part.element.getSpecies()].append(part)

    def _all_parts(self) -> Iterator[_Part]:
        for reaction in self._model.getListOfReactions():
            for sign, references in ((-1, reaction.getListOfReactants()), (1, reaction.getListOfProducts())):
                for one in references:
                    yield _Part(reaction=reaction.getId(), sign=sign, element=one)

    def _kept(self, species: Any) -> _Species:
        name, compartment = species.getId(), self._model.getCompartment(species.getCompartment())
        pointlike = self._is_point(compartment)
        is_amount = species.getHasOnlySubstanceUnits() or pointlike
        moving = not is_amount and not compartment.getConstant() and name not in self._assigned_names
        return _Species(
            name=name,
            quantity=f"amount({name})" if moving else name,
            is_amount=is_amount,
            keeps_amount=is_amount or moving,
            compartment=compartment.getId(),
            pointlike=pointlike,
        )

    def _is_point(self, compartment: Any) -> bool:
        """Whether it has no dimensions and nothing gives it a size: what is in it has an amount only."""
        if not compartment.isSetSpatialDimensions() or compartment.getSpatialDimensionsAsDouble() != 0:
            return False
        name = compartment.getId()
        return not (compartment.isSetSize() or name in self._rules or name in self._assignments)

    # values behind names

    def value(self, name: str) -> Expression:
        """What a name in a formula stands for, over quantities and time."""
        if name not in self._values:
            self._values[name] = None  # being worked out
            self._values[name] = self._worked_out(name)
        found = self._values[name]
        if found is None:
            raise UnsupportedError(f"{name} depends on itself")
        return found

    def _worked_out(self, name: str) -> Expression:
        rule = self._rules.get(name)
        if rule is not None and rule.isAssignment():
            return self._number_of(self._formula_of(name), name, otherwise=sp.nan)
        if name in self._species:
            species = self._species[name]
            found = symbol(species.quantity)
            moving = species.keeps_amount and not species.is_amount
            return found / self.value(species.compartment) if moving else found
        if name in self._reactions:
            return self._number_of(self._formula_of(name), name, otherwise=sp.Integer(0))
        if name in self._plain or name in self._references:
            return symbol(name)
        raise UnsupportedError(f"uses {name}, which is not defined")

    def _formula_of(self, name: str) -> Any:
        """What gives a name its value at every moment: the formula of its assignment rule or kinetic law, if any."""
        rule, reaction = self._rules.get(name), self._reactions.get(name)
        if rule is not None:
            return rule.getMath() if rule.isAssignment() else None
        law = None if reaction is None else reaction.getKineticLaw()
        return None if law is None else law.getMath()

    def _work_out_all(self) -> None:
        """Values of all that has a formula, what it uses before it: so chains of rules may be as long as they like."""
        formulas = {name: self._formula_of(name) for name in (*self._rules, *self._reactions)}
        uses = {name: _names_in(math) for name, math in formulas.items() if math is not None}
        try:
            ordered = list(TopologicalSorter({name: uses[name] & uses.keys() for name in uses}).static_order())
        except CycleError as error:
            circle = " -> ".join(reversed(error.args[1]))
            self._faults.append(
                Fault(f"{self._name} {error.args[1][0]}", f"depends on itself: {circle}", "break the circle")
            )
            ordered = []
        for name in ordered:
            self._guarded(name, partial(self.value, name))

    def _number_of(self, math: Any, place: str, otherwise: Expression) -> Expression:
        return otherwise if math is None else self._guarded(place, partial(self._formulas.number, math))

    def _guarded(self, place: str, make: Callable[[], Expression]) -> Expression:
        """What `make` gives; what is not supported becomes a fault at this place."""
        try:
            return make()
        except UnsupportedError as error:
            self._faults.append(Fault(f"{self._name} {place}", str(error), "write the model without it"))
            return sp.nan

    # change per time

    def rate_of(self, name: str) -> Expression:
        """The change per time of what a name stands for."""
        if name in self._species and name not in self._assigned_names:
            species = self._species[name]
            own = self._quantity_rate(species.quantity)
            if species.keeps_amount and not species.is_amount:
                volume = self.value(species.compartment)
                return (own - self.value(name) * self._change_of(volume)) / volume
            return own
        return self._change_of(self.value(name))

    def _change_of(self, e: Expression) -> Expression:
        """d e / d time along the solution."""
        return total_derivative(e, self._quantity_rate)

    def _quantity_rate(self, quantity: str) -> Expression:
        if quantity not in self._rates:
            self._rates[quantity] = None
            self._rates[quantity] = self._worked_out_rate(quantity)
        found = self._rates[quantity]
        if found is None:
            raise UnsupportedError(f"the rate of {quantity} depends on itself")
        return found

    def _worked_out_rate(self, quantity: str) -> Expression:
        name = quantity.removeprefix("amount(").removesuffix(")") if quantity not in self._plain else quantity
        species, rule = self._species.get(name), self._rules.get(name)
        if rule is not None and rule.isRate():
            own = self._number_of(rule.getMath(), name, otherwise=sp.Integer(0))
            if species is not None and species.keeps_amount and not species.is_amount:
                volume = self.value(species.compartment)
                return own * volume + self.value(name) * self._change_of(volume)
            return own
        return sp.Integer(0) if species is None else self._from_reactions(species)

    def _from_reactions(self, species: _Species) -> Expression:
        element = self._model.getSpecies(species.name)
        if element.getBoundaryCondition() or element.getConstant():
            return sp.Integer(0)
        terms = [
            part.sign * self._stoichiometry(part) * self.value(part.reaction) for part in self._parts_of[species.name]
        ]
        factor = element.getConversionFactor() or self._model.getConversionFactor()
        total = sp.Add(*terms) * (self.value(factor) if factor else 1)
        return total if species.keeps_amount else total / self.value(species.compartment)

    def _stoichiometry(self, part: _Part) -> Expression:
        """A number of the text, or what its name stands for."""
        if part.element.getId():
            return self.value(part.element.getId())
        if not part.element.isSetStoichiometry():
            found = f"does not say how much of {part.element.getSpecies()} it uses or makes"
            self._faults.append(Fault(f"{self._name} {part.reaction}", found, "give the stoichiometry"))
            return sp.nan
        return literal(part.element.getStoichiometry())

    # the whole

    def system(self) -> System:
        """The model as a system. Raises InputError with every fault found."""
        self._work_out_all()
        if self._faults:
            raise InputError(self._faults)
        states, constants = self._quantities()
        rates = {name: self._guarded(name, partial(self._quantity_rate, name)) for name in states}
        observables = dict(self._observables({*states, *constants}))
        initial = self._initial((*states, *constants))
        events = tuple(self._events({*states, *constants}))
        if self._faults:
            raise InputError(list(dict.fromkeys(self._faults)))
        volumes = {
            one.quantity: one.compartment
            for one in self._species.values()
            if one.quantity in states and not one.keeps_amount
        }
        return System(
            name=self._name,
            states=states,
            constants=constants,
            initial=initial,
            rates=rates,
            observables=observables,
            events=events,
            dose_volume=volumes,
            units=self._units(),
        )

    def _quantities(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """States, then constants, each in the order of the text: species, then the others.

        Every species that may change is a state, so that doses can go into it, also where nothing changes it.
        """
        states: list[str] = []
        constants: list[str] = []
        for name, species in self._species.items():
            if name in self._assigned_names:
                continue
            fixed = self._model.getSpecies(name).getConstant() and name not in self._rules
            (constants if fixed else states).append(species.quantity)
        for name in (*self._plain, *self._references):
            rule = self._rules.get(name)
            if rule is None or rule.isRate():
                (constants if rule is None else states).append(name)
        return tuple(states), tuple(constants)

    def _observables(self, quantities: set[str]) -> Iterator[tuple[str, Expression]]:
        for name in (*self._species, *self._plain, *self._references, *self._reactions):
            if name not in quantities:
                yield name, self._guarded(name, partial(self.value, name))
        for name, species in self._species.items():
            amount = f"amount({name})"
            value = self._guarded(name, partial(self.value, name))
            if amount not in quantities:
                yield amount, value if species.is_amount else value * self.value(species.compartment)
            if not species.pointlike:
                volume = self.value(species.compartment)
                yield f"concentration({name})", value / volume if species.is_amount else value

    # initial values

    def _initial(self, quantities: tuple[str, ...]) -> dict[str, Expression]:
        """Own initial values in an order in which each uses only earlier ones."""
        own = {name: value for name in quantities for value in [self._own_initial(name)] if value is not None}
        ordered: dict[str, Expression] = {}

        def place(name: str, above: tuple[str, ...]) -> None:
            if name in ordered or name not in own:
                return
            if name in above:
                self._faults.append(
                    Fault(f"{self._name} {name}", "its initial value depends on itself", "break the circle")
                )
                return
            for one in sorted(str(one.name) for one in own[name].free_symbols - {TIME}):
                place(one, (*above, name))
            ordered[name] = own[name]

        for name in quantities:
            place(name, ())
        return ordered

    def _own_initial(self, quantity: str) -> Expression | None:
        name = next((one.name for one in self._species.values() if one.quantity == quantity), quantity)
        species = self._species.get(name)
        assignment = self._assignments.get(name)
        if assignment is not None:
            value = self._number_of(assignment.getMath(), name, otherwise=sp.nan)
            moving = species is not None and species.keeps_amount and not species.is_amount
            return value * self.value(species.compartment) if species is not None and moving else value
        if species is not None:
            return self._species_initial(species)
        if name in self._references:
            reference = self._references[name]
            return literal(reference.getStoichiometry()) if reference.isSetStoichiometry() else None
        return self._size_or_value(self._plain[name])

    def _size_or_value(self, element: Any) -> Expression | None:
        """Of a compartment or a parameter, if the text gives one; a size that nothing needs is not a number."""
        if not hasattr(element, "isSetSize"):
            return literal(element.getValue()) if element.isSetValue() else None
        if element.isSetSize():
            return literal(element.getSize())
        name = element.getId()
        divides = any(one.compartment == name and not one.is_amount for one in self._species.values())
        return None if divides or name in self._mentioned else sp.nan

    @cached_property
    def _mentioned(self) -> set[str]:
        """Every name in a formula."""
        elements = self._model.getListOfAllElements()
        with_math = [one for one in map(elements.get, range(elements.getSize())) if hasattr(one, "getMath")]
        return {name for one in with_math if one.isSetMath() for name in _names_in(one.getMath())}

    def _species_initial(self, species: _Species) -> Expression | None:
        element = self._model.getSpecies(species.name)
        if element.isSetInitialAmount():
            amount = literal(element.getInitialAmount())
            return amount if species.keeps_amount else amount / self.value(species.compartment)
        if element.isSetInitialConcentration():
            concentration = literal(element.getInitialConcentration())
            return concentration * self.value(species.compartment) if species.keeps_amount else concentration
        return None

    # events

    def _events(self, quantities: set[str]) -> Iterator[Event]:
        for number, event in enumerate(self._model.getListOfEvents()):
            trigger = event.getTrigger()
            if trigger is None or not trigger.isSetMath():
                continue  # without a condition it never happens
            name = event.getId() or f"event {number + 1}"
            assignments: dict[str, Expression] = {}
            factors: dict[str, Expression] = {}
            for one in event.getListOfEventAssignments():
                if one.isSetMath():
                    quantity = self._assigned(one.getVariable(), factors)
                    value = self._number_of(one.getMath(), name, otherwise=sp.nan)
                    if quantity not in quantities:
                        self._faults.append(Fault(f"{self._name} {name}", f"sets {quantity}, which follows from a rule",
                                                  "set what the rule uses"))  # fmt: skip
                    assignments[quantity] = value
            yield Event(
                name=name,
                trigger=self._guarded(name, partial(self._formulas.boolean, trigger.getMath())),
                initial_value=trigger.getInitialValue(),
                persistent=trigger.getPersistent(),
                delay=self._optional(event.getDelay(), name),
                priority=self._optional(event.getPriority(), name),
                values_from_trigger_time=event.getUseValuesFromTriggerTime(),
                assignments=assignments,
                factors=factors,
            )

    def _optional(self, element: Any, place: str) -> Expression | None:
        if element is None or element.getMath() is None:
            return None
        return self._number_of(element.getMath(), place, otherwise=sp.nan)

    def _assigned(self, name: str, factors: dict[str, Expression]) -> str:
        """The quantity that is set when this name is; notes what to multiply with."""
        species = self._species.get(name)
        if species is None:
            return name
        if species.keeps_amount and not species.is_amount:
            factors[species.quantity] = self.value(species.compartment)
        return species.quantity

    def _units(self) -> dict[str, str]:
        """As declared, of parameters and compartments."""
        return {name: one.getUnits() for name, one in self._plain.items() if one.isSetUnits()}


def _names_in(math: Any) -> set[str]:
    """Names whose values a formula uses."""
    waiting, found = [math], set()
    while waiting:
        node = waiting.pop()
        if node.getType() == libsbml.AST_NAME:
            found.add(node.getName())
        if node.getType() != libsbml.AST_FUNCTION_RATE_OF:
            waiting.extend(node.getChild(index) for index in range(node.getNumChildren()))
    return found
