"""Functions of one patient, called now and then: begin, prepare, rates, conditions, events, observe.

Each takes `ptr moment` (time and states), `ptr rest` (the workspace, for constants and hoisted numbers) and `ptr out`.
The numbers of the patient stand `stride` apart (the lanes of the workspace); `out` is dense.
"""

from __future__ import annotations

from collections.abc import Sequence

from .assembly import Assembly
from .evaluation import evaluate
from .graph import Graph, Node
from .layout import Layout
from .program import Program

_MOMENT, _REST, _OUT = "%moment", "%rest", "%out"


class SingleWriter:
    """Writes the functions of one patient for workspaces of `stride` lanes."""

    def __init__(self, program: Program, layout: Layout, stride: int) -> None:
        self.program, self.layout, self.stride = program, layout, stride
        self._hoisted = {node: layout.first_hoisted + k for k, node in enumerate(layout.hoisted)}

    @property
    def graph(self) -> Graph:
        """The shared expressions."""
        return self.program.graph

    def begin(self) -> str:
        """Every quantity that is NaN gets its own initial value, where the model has one."""
        code = Assembly(1)
        values: dict[int, str] = {}

        def leaf(node: Node) -> str | None:
            if self.graph.operations[node] != "slot":
                return None
            (slot,) = self.graph.arguments[node]
            if slot not in values:
                values[slot] = code.load(_REST, slot, self.stride)
            return values[slot]

        for slot, node in self.program.initial.items():
            given = code.load(_REST, slot, self.stride)
            own = evaluate(code, self.graph, [node], leaf)[node]
            values[slot] = code.select(code.is_nan(given), own, given)
            code.store(_REST, slot, values[slot], self.stride)
        return _function("begin", code)

    def prepare(self) -> str:
        """The hoisted numbers from the constants."""
        code = Assembly(1)
        slots: dict[Node, str] = {}

        def leaf(node: Node) -> str | None:
            if self.graph.operations[node] != "slot":
                return None
            if node not in slots:
                slots[node] = code.load(_REST, self.graph.arguments[node][0], self.stride)
            return slots[node]

        values = evaluate(code, self.graph, self.layout.hoisted, leaf)
        for node, place in self._hoisted.items():
            code.store(_REST, place, values[node], self.stride)
        return _function("prepare", code)

    def rates(self) -> str:
        """`out`: the rate of each state, infusions included."""
        code = Assembly(1)
        values = list(self._evaluated(code, self.program.rates))
        for k, state in enumerate(self.layout.infused):
            place = self.layout.first_input + k
            values[state - 1] = code.add(values[state - 1], code.load(_REST, place, self.stride))
        return _stored("rates", code, values)

    def conditions(self) -> str:
        """`out`: 1 or 0 for each relation of the program."""
        return self._function_of("conditions", self.program.relations())

    def events(self) -> str:
        """`out`: triggers (1 or 0), delays, priorities, then the values of all assignments and their factors."""
        events, zero, one = self.program.events, self.graph.number(0.0), self.graph.number(1.0)
        lowest = self.graph.number(float("-inf"))
        roots = [
            *(event.trigger for event in events),
            *(zero if event.delay is None else event.delay for event in events),
            *(lowest if event.priority is None else event.priority for event in events),
            *(node for event in events for node in event.assignments.values()),
            *(event.factors.get(slot, one) for event in events for slot in event.assignments),
        ]
        return self._function_of("events", roots)

    def observe(self, outputs: Sequence[Node]) -> str:
        """`out`: the asked nodes."""
        return self._function_of("observe", outputs)

    def _function_of(self, name: str, roots: Sequence[Node]) -> str:
        code = Assembly(1)
        return _stored(name, code, self._evaluated(code, roots))

    def _evaluated(self, code: Assembly, roots: Sequence[Node]) -> list[str]:
        """Values of the roots as numbers."""

        def leaf(node: Node) -> str | None:
            if self.graph.operations[node] == "slot":
                (slot,) = self.graph.arguments[node]
                base = _MOMENT if slot <= self.layout.states else _REST
                return code.load(base, slot, self.stride)
            return code.load(_REST, self._hoisted[node], self.stride) if node in self._hoisted else None

        values = evaluate(code, self.graph, roots, leaf)
        numbers = []
        for root in roots:
            value = values[root]
            if self.graph.is_boolean(root):
                value = code.select(value, code.number(1.0), code.number(0.0))
            numbers.append(value)
        return numbers


def _stored(name: str, code: Assembly, values: Sequence[str]) -> str:
    for place, value in enumerate(values):
        code.store(_OUT, place, value)
    return _function(name, code)


def _function(name: str, code: Assembly) -> str:
    body = "\n".join(code.lines)
    arguments = ", ".join(f"ptr noalias {one}" for one in (_MOMENT, _REST, _OUT))
    return f"define void @{name}({arguments}) {{\n{body}\nret void\n}}\n"
