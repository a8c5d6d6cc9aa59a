"""A model ready to be compiled: shared expressions and what each of them is for. Can be written and read as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from .graph import RELATIONS, Graph, Node

Slot = int


@dataclass(frozen=True, kw_only=True)
class EventNodes:
    """An event (see `system.Event`) by its nodes."""

    name: str
    trigger: Node
    initial_value: bool
    persistent: bool
    delay: Node | None
    priority: Node | None
    values_from_trigger_time: bool
    assignments: Mapping[Slot, Node]
    factors: Mapping[Slot, Node]

    @property
    def nodes(self) -> list[Node]:
        """All of them."""
        optional = [node for node in (self.delay, self.priority) if node is not None]
        return [self.trigger, *optional, *self.assignments.values(), *self.factors.values()]


@dataclass(frozen=True, kw_only=True)
class Program:
    """What `system.System` says, as nodes of one graph. Slot 0 is time, then come states, then constants."""

    graph: Graph
    states: tuple[str, ...]
    constants: tuple[str, ...]
    rates: tuple[Node, ...]
    initial: Mapping[Slot, Node]
    observables: Mapping[str, Node]
    events: tuple[EventNodes, ...]
    dose_volume: Mapping[Slot, Slot]
    units: Mapping[str, str]

    @property
    def quantities(self) -> tuple[str, ...]:
        """States, then constants; the slot of a quantity is its place here plus 1."""
        return (*self.states, *self.constants)

    @property
    def needed(self) -> tuple[str, ...]:
        """Quantities that the text leaves open: they must be given."""
        return tuple(name for slot, name in enumerate(self.quantities, start=1) if slot not in self.initial)

    def slot(self, name: str) -> Slot:
        """The slot of a quantity."""
        return self.quantities.index(name) + 1

    @property
    def own_values(self) -> dict[str, float]:
        """Quantities whose own initial value is a number."""
        names, numbers = self.quantities, self.graph.numbers
        return {names[slot - 1]: numbers[node] for slot, node in self.initial.items() if node in numbers}

    def relations(self) -> tuple[Node, ...]:
        """Every comparison on which a rate or a trigger turns: a step must not cross where one changes.

        Equality is true for a moment only; what is watched instead is which side is the greater. Adds to the graph.
        """
        graph, found = self.graph, []
        roots = [*self.rates, *(event.trigger for event in self.events)]
        for node in graph.reached(roots):
            if graph.operations[node] in RELATIONS and not graph.is_fixed(node):
                equal = graph.operations[node] in {"eq", "ne"}
                found.append(graph.relation("le", *graph.arguments[node]) if equal else node)
        return tuple(dict.fromkeys(found))

    def copy(self) -> Program:
        """An equal program with a graph of its own, which may be added to."""
        return from_json(self.json)

    @cached_property
    def json(self) -> str:
        """As text, from which `from_json` makes an equal program; written once, before anything is added."""
        graph = self.graph
        fields = {
            "first_constant": graph.first_constant,
            "operations": graph.operations,
            "arguments": graph.arguments,
            "numbers": {node: value.hex() for node, value in graph.numbers.items()},
            "states": self.states,
            "constants": self.constants,
            "rates": self.rates,
            "initial": list(self.initial.items()),
            "observables": list(self.observables.items()),
            "events": [_listed(event) for event in self.events],
            "dose_volume": list(self.dose_volume.items()),
            "units": dict(self.units),
        }
        return json.dumps(fields)


def _listed(event: EventNodes) -> dict[str, Any]:
    """An event whose tables are lists, because keys of JSON are texts."""
    tables = {"assignments": list(event.assignments.items()), "factors": list(event.factors.items())}
    return {**asdict(event), **tables}


def from_json(text: str) -> Program:
    """The program that `Program.json` is."""
    fields: dict[str, Any] = json.loads(text)
    graph = Graph(fields["first_constant"])
    graph.restore(
        fields["operations"],
        [tuple(one) for one in fields["arguments"]],
        {int(node): float.fromhex(value) for node, value in fields["numbers"].items()},
    )
    return Program(
        graph=graph,
        states=tuple(fields["states"]),
        constants=tuple(fields["constants"]),
        rates=tuple(fields["rates"]),
        initial=dict(fields["initial"]),
        observables=dict(fields["observables"]),
        events=tuple(
            EventNodes(**{**one, "assignments": dict(one["assignments"]), "factors": dict(one["factors"])})
            for one in fields["events"]
        ),
        dose_volume=dict(fields["dose_volume"]),
        units=fields["units"],
    )
