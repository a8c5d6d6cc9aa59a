"""A program with its forward sensitivities: what a small change of a parameter does to states and outputs.

For each state y and parameter p there is one more state, W = s dy/dp with s = |p| (1 where p is 0), so that it has the
unit and the size of y and the same tolerances fit: dW/dt = J W + s df/dp.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .derivative import Derivatives
from .graph import Graph, Node
from .program import Program, Slot


def sensitivity_name(output: str, parameter: str) -> str:
    """The name of d output / d parameter among the observables of an augmented program."""
    return f"d({output})/d({parameter})"


def augmented(program: Program, parameters: Sequence[str], outputs: Sequence[str], given: Sequence[str]) -> Program:
    """The program with sensitivities of `outputs` to `parameters`; `given` quantities do not follow from parameters.

    The program must have no events.
    """
    assert not program.events, "sensitivities across events are not defined here"
    return _Augmentation(program, parameters, given).program(outputs)


class _Augmentation:
    """Builds the augmented program; its graph is new, because the slots of the constants move."""

    def __init__(self, program: Program, parameters: Sequence[str], given: Sequence[str]) -> None:
        self._old, self._parameters = program, parameters
        self._size = len(program.states)
        added = self._size * len(parameters)
        self.graph = Graph(first_constant=1 + self._size + added)
        self._shift = added
        self._moved = self._taken_over()
        self._derivatives = Derivatives(self.graph)
        self._given = {program.slot(name) for name in given}

    def _new_slot(self, slot: Slot) -> Slot:
        return slot if slot <= self._size else slot + self._shift

    def _taken_over(self) -> list[Node]:
        """Every node of the old graph in the new one."""
        old, moved = self._old.graph, [0] * len(self._old.graph)
        for node, (operation, arguments) in enumerate(zip(old.operations, old.arguments, strict=True)):
            if operation == "number":
                moved[node] = self.graph.number(old.numbers[node])
            elif operation == "slot":
                moved[node] = self.graph.slot(self._new_slot(arguments[0]))
            else:
                moved[node] = self.graph.copied(operation, *(moved[argument] for argument in arguments))
        return moved

    def program(self, outputs: Sequence[str]) -> Program:
        """The whole."""
        old, moved = self._old, self._moved
        rates = [moved[rate] for rate in old.rates]
        initial = {self._new_slot(slot): moved[node] for slot, node in old.initial.items()}
        names = {name: self.graph.slot(self._new_slot(slot)) for slot, name in enumerate(old.quantities, start=1)}
        observables = {name: moved[node] for name, node in old.observables.items()}
        found: dict[str, Node] = {}
        for number, parameter in enumerate(self._parameters):
            start, scale = self._starts(parameter), self._scale(parameter)
            rates += [self._along(rate, number, start, scale) for rate in (moved[rate] for rate in old.rates)]
            for state in range(self._size):
                begins = self.graph.mul(scale, start.get(1 + state, self.graph.number(0.0)))
                initial[self._added(number, state)] = begins
            for output in outputs:
                node = observables.get(output, names.get(output, -1))
                value = self.graph.mul(self._along(node, number, start, scale), self.graph.recip(scale))
                found[sensitivity_name(output, parameter)] = value
        added = tuple(sensitivity_name(state, one) for one in self._parameters for state in old.states)
        return Program(
            graph=self.graph,
            states=(*old.states, *(f"scaled {name}" for name in added)),
            constants=old.constants,
            rates=tuple(rates),
            initial=initial,
            observables={**observables, **found},
            events=(),
            dose_volume={slot: self._new_slot(volume) for slot, volume in old.dose_volume.items()},
            units=old.units,
        )

    def _added(self, number: int, state: int) -> Slot:
        """The slot of a state's sensitivity to the number-th parameter."""
        return 1 + self._size * (1 + number) + state

    def _scale(self, parameter: str) -> Node:
        graph, zero = self.graph, self.graph.number(0.0)
        own = graph.slot(self._new_slot(self._old.slot(parameter)))
        return graph.select(graph.relation("eq", own, zero), graph.number(1.0), graph.call("abs", own))

    def _starts(self, parameter: str) -> Mapping[Slot, Node]:
        """d quantity / d parameter at the start; quantities that do not depend on it are missing."""
        graph, slot = self.graph, self._new_slot(self._old.slot(parameter))
        found = {slot: graph.number(1.0)}
        for old_slot, node in self._old.initial.items():
            own = self._new_slot(old_slot)
            if own in found or old_slot in self._given:
                continue
            total = self._total(self._moved[node], found)
            if not graph.is_number(total, 0.0):
                found[own] = total
        return found

    def _total(self, node: Node, changes: Mapping[Slot, Node]) -> Node:
        """The change of a node if slots change so."""
        graph, total = self.graph, self.graph.number(0.0)
        for slot, change in changes.items():
            total = graph.add(total, graph.mul(self._derivatives.of(node, slot), change))
        return total

    def _along(self, node: Node, number: int, start: Mapping[Slot, Node], scale: Node) -> Node:
        """s d node / d parameter along the solution: through the states and through the constants."""
        graph = self.graph
        states = {1 + state: graph.slot(self._added(number, state)) for state in range(self._size)}
        constants = {slot: change for slot, change in start.items() if slot > self._size}
        return graph.add(self._total(node, states), graph.mul(scale, self._total(node, constants)))
