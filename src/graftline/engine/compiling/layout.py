"""Where each number of a patient stands in the workspace. A place holds one number per lane."""

from __future__ import annotations

from dataclasses import dataclass

from .graph import Graph, Node
from .rodas5p import STAGES

CONTROL = (
    "step_size", "per_step", "planned", "rejected", "steps", "step_limit", "stop", "look", "end", "error",
    "last_log_error", "accepted", "taken", "share", "pivots", "mend",
)  # fmt: skip
"""Numbers of a lane beside its equations, each at `Layout.control(name)`:

- `step_size` the step to try, `per_step` 1 over it, `planned` what it would be if nothing stopped it
- `rejected` 1 after a rejected step; `steps` how many were tried, `step_limit` how many may be
- `stop` the moment a step may not cross, `look` the moment from which on the control loop must look at the step
- `end` of the step; `error` the root of the mean over states of (error / tolerance) squared, and the logarithm of that
  of the last accepted step
- `accepted` 1 if the step is; `taken` 1 where its end becomes the beginning of the next
- `share` of the step at which one looks inside it; `pivots` 0 if all of the factorisation are finite, else not a number
- `mend` 1 after a step that came to no finite error: from then on entries of the matrix that are not finite are mended
"""


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
    entries: int
    """of the matrix of a step, those that can differ from zero"""

    @property
    def first_hoisted(self) -> int:
        """The first of the hoisted nodes."""
        return 1 + self.states + self.constants

    @property
    def first_input(self) -> int:
        """The rates of infusion, one per infused state."""
        return self.first_hoisted + len(self.hoisted)

    def control(self, name: str) -> int:
        """One of CONTROL."""
        return self.first_input + len(self.infused) + CONTROL.index(name)

    @property
    def relative_tolerance(self) -> int:
        """The same for all states; the absolute ones follow."""
        return self.first_input + len(self.infused) + len(CONTROL)

    @property
    def absolute_tolerances(self) -> int:
        """One per state."""
        return self.relative_tolerance + 1

    @property
    def lowest(self) -> int:
        """What each state cannot be below, one per state."""
        return self.absolute_tolerances + self.states

    @property
    def truths(self) -> int:
        """1 for each watched relation that is true at the beginning of the step, else 0."""
        return self.lowest + self.states

    @property
    def new_states(self) -> int:
        """The states after the step; those below their lowest value are set to it when the step is taken over."""
        return self.truths + self.relations

    @property
    def stages(self) -> int:
        """U of every stage, one after the other; before it is solved for, the right-hand side of its equation."""
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
    def moment(self) -> int:
        """Time and states at which a stage looks at the rates."""
        return self.inside + 1 + self.states

    @property
    def drift(self) -> int:
        """The step times the change of each rate with time itself."""
        return self.moment + 1 + self.states

    @property
    def matrix(self) -> int:
        """The matrix of the step and later its factors, by the place of the entry in the plan."""
        return self.drift + self.states

    @property
    def places(self) -> int:
        """How many there are."""
        return self.matrix + self.entries


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
