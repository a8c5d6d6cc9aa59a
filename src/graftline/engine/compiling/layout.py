"""Where each number of a patient stands in the workspace. A place holds one number per lane."""

from __future__ import annotations

from dataclasses import dataclass

from .graph import Graph, Node
from .rodas5p import STAGES


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Places in the workspace, in this order: time, states, constants, hoisted, inputs, and the step's own."""

    states: int
    constants: int
    hoisted: tuple[Node, ...]
    """nodes computed once per patient; beyond `known` they are those of derivatives"""
    known: int
    """nodes of the program itself"""
    relations: int
    """how many comparisons are watched"""
    infused: tuple[int, ...]
    """slots of the states that infusions run into"""

    @property
    def first_hoisted(self) -> int:
        """The first of the hoisted nodes."""
        return 1 + self.states + self.constants

    @property
    def first_input(self) -> int:
        """The rates of infusion, one per infused state."""
        return self.first_hoisted + len(self.hoisted)

    @property
    def step_size(self) -> int:
        """The step to try."""
        return self.first_input + len(self.infused)

    @property
    def error(self) -> int:
        """Root of the mean over states of (error / tolerance) squared. After it: what to multiply the step with if the
        step is accepted, what if it is rejected, the logarithm of the error, that of the last accepted one, and 1
        where the step is taken over."""
        return self.step_size + 1

    @property
    def relative_tolerance(self) -> int:
        """The same for all states; the absolute ones follow."""
        return self.error + 6

    @property
    def absolute_tolerances(self) -> int:
        """One per state."""
        return self.relative_tolerance + 1

    @property
    def new_states(self) -> int:
        """The states after the step."""
        return self.absolute_tolerances + self.states

    @property
    def stages(self) -> int:
        """U of every stage, one after the other."""
        return self.new_states + self.states

    @property
    def dense(self) -> int:
        """K0, K1 and K2 of each state, for values within the step."""
        return self.stages + STAGES * self.states

    @property
    def inside(self) -> int:
        """Time and states at a moment within the step."""
        return self.dense + 3 * self.states

    @property
    def places(self) -> int:
        """How many there are."""
        return self.inside + 1 + self.states


def hoisted_nodes(graph: Graph, roots: list[Node]) -> tuple[Node, ...]:
    """The largest parts of the roots that depend on neither time nor states and are more than a leaf."""
    found: list[Node] = []
    seen: set[Node] = set()
    waiting = list(roots)
    while waiting:
        node = waiting.pop()
        if node in seen or graph.operations[node] in {"number", "slot"}:
            continue
        seen.add(node)
        if graph.is_fixed(node) and not graph.is_boolean(node):
            found.append(node)
        else:
            waiting.extend(graph.arguments[node])
    return tuple(sorted(found))
