"""One whole Rodas5P step of several patients at once.

What is particular to a model is straight code: rates with their derivatives, the factorisation, the solution with its
factors, and rates alone. Each is written once and called for every stage; between them numbers stand in the workspace.
That keeps the code small enough for the fast caches, and a number is in memory once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .assembly import Assembly
from .control import begin_function, judge_function
from .derivative import Derivatives
from .evaluation import evaluate
from .graph import Graph, Node
from .layout import Layout
from .program import Program
from .rodas5p import GAMMA, STAGES, stage_times
from .sparse import RIGHT, Entry, Factorisation, Operation
from .stages import combine_function, new_states_function, take_function

_WORK, _STAGE = "%w", "%u"
_PIVOTS: Entry = (-1, -1)  # stands for what tells whether all pivots are finite
_PIECE = 2000  # operations of the factorisation in one function: the compiler is slow on longer ones


@dataclass(frozen=True, kw_only=True)
class Equations:
    """What a step needs of a program."""

    graph: Graph
    rates: tuple[Node, ...]
    jacobian: Mapping[tuple[int, int], Node]
    """(row, column) -> its entry; absent ones are zero"""
    time_derivatives: Mapping[int, Node]
    """row -> its change with time at fixed states; absent ones are zero"""

    @property
    def roots(self) -> list[Node]:
        """Every node a step computes."""
        return [*self.rates, *self.jacobian.values(), *self.time_derivatives.values()]

    @property
    def uses_time(self) -> bool:
        """Whether a rate depends on time itself."""
        return any(self.graph.states[rate] & 1 for rate in self.rates)


def equations(program: Program) -> Equations:
    """Rates with their derivatives."""
    graph, derivatives = program.graph, Derivatives(program.graph)
    jacobian, time_derivatives = {}, {}
    for row, rate in enumerate(program.rates):
        mask = graph.states[rate]
        for slot in range(len(program.states) + 1):
            if not mask >> slot & 1:
                continue
            entry = derivatives.of(rate, slot)
            if graph.is_number(entry, 0.0):
                continue
            if slot:
                jacobian[row, slot - 1] = entry
            else:
                time_derivatives[row] = entry
    return Equations(graph=graph, rates=program.rates, jacobian=jacobian, time_derivatives=time_derivatives)


class StepWriter:
    """Writes the step of a model for a number of lanes."""

    def __init__(self, equations: Equations, plan: Factorisation, layout: Layout, lanes: int) -> None:
        self.equations, self.plan, self.layout, self.lanes = equations, plan, layout, lanes
        self._hoisted = {node: layout.first_hoisted + k for k, node in enumerate(layout.hoisted)}
        self._inputs = {state - 1: layout.first_input + k for k, state in enumerate(layout.infused)}
        self._matrix = {entry: layout.matrix + k for k, entry in enumerate(plan.entries)}

    def functions(self) -> list[str]:
        """`i64 step(ptr w)`, which returns the lanes to be looked at, `void take(ptr w)`, and what they call."""
        layout, lanes = self.layout, self.lanes
        factor, factor_names = self._pieces("factor", self.plan.operations, "ptr noalias %w")
        solve, solve_names = self._pieces("solve", self.plan.solution, "ptr noalias %w, ptr noalias %u")
        return [
            take_function(layout, lanes, "take"),
            begin_function(layout, lanes, "begin_step"),
            self._derivatives("derivatives"),
            self._mend("mend"),
            self._rates("rates_of_stage"),
            *factor,
            *solve,
            *(combine_function(layout, lanes, stage, f"combine_{stage}") for stage in range(1, STAGES)),
            new_states_function(layout, lanes, "end_step"),
            judge_function(layout, lanes, "judge"),
            self._step(factor_names, solve_names),
        ]

    def _step(self, factor: Sequence[str], solve: Sequence[str]) -> str:
        """The order in which all this is called."""
        look = Assembly(self.lanes)
        flagged = look.compare("lt", look.number(0.5), look.load(_WORK, self.layout.control("mend")))
        any_flagged = look.as_mask(flagged)
        lines = [
            *(f"call void @{name}(ptr %w)" for name in ("take", "begin_step", "derivatives")),
            *look.lines,
            f"%some = icmp ne i64 {any_flagged}, 0",
            "br i1 %some, label %mend, label %whole",
            "mend:",
            "call void @mend(ptr %w)",
            "br label %whole",
            "whole:",
            *(f"call void @{name}(ptr %w)" for name in factor),
        ]
        for stage in range(STAGES):
            place = (self.layout.stages + stage * self.layout.states) * self.lanes
            lines.append(f"%u{stage} = getelementptr inbounds double, ptr %w, i64 {place}")
            if stage:
                weight = f"double {Assembly(1).number(float(stage_times()[1][stage]))}"
                lines.append(f"call void @combine_{stage}(ptr %w, ptr %u{stage})")
                lines.append(f"call void @rates_of_stage(ptr %w, ptr %u{stage}, {weight})")
            lines.extend(f"call void @{name}(ptr %w, ptr %u{stage})" for name in solve)
        lines += ["call void @end_step(ptr %w)", "%open = call i64 @judge(ptr %w)", "ret i64 %open"]
        return "\n".join(["define i64 @step(ptr noalias %w) {", *lines, "}"])

    def turned(self, relations: Sequence[Node]) -> str:
        """`i64 turned(ptr w)`: lanes in which a relation is other inside the step than at its beginning."""
        code, any_turned = Assembly(self.lanes), Assembly(self.lanes).always(False)
        values = self._evaluated(code, relations, self.layout.inside)
        for number, relation in enumerate(relations):
            was = code.compare("lt", code.number(0.5), code.load(_WORK, self.layout.truths + number))
            any_turned = code.logic("or", any_turned, code.logic("xor", was, values[relation]))
        mask = code.as_mask(any_turned)
        return "\n".join(["define i64 @turned(ptr noalias %w) {", *code.lines, f"ret i64 {mask}", "}"])

    def _evaluated(self, code: Assembly, roots: Sequence[Node], moment: int) -> Mapping[Node, str]:
        """Values of the roots where time and states stand from place `moment` on."""
        graph, slots = self.equations.graph, dict[int, str]()

        def leaf(node: Node) -> str | None:
            if graph.operations[node] == "slot":
                (slot,) = graph.arguments[node]
                if slot not in slots:
                    slots[slot] = code.load(_WORK, slot + (moment if slot <= self.layout.states else 0))
                return slots[slot]
            return code.load(_WORK, self._hoisted[node]) if node in self._hoisted else None

        return evaluate(code, graph, roots, leaf)

    def _slopes(self, code: Assembly, values: Mapping[Node, str]) -> list[str]:
        """The rates with the infusions that run."""
        slopes = [values[rate] for rate in self.equations.rates]
        for row, place in self._inputs.items():
            slopes[row] = code.add(slopes[row], code.load(_WORK, place))
        return slopes

    def _derivatives(self, name: str) -> str:
        """`void name(ptr w)`: at the begin, the matrix I / (h GAMMA) - J, the drift and the first right-hand side."""
        own, layout, code = self.equations, self.layout, Assembly(self.lanes)
        values = self._evaluated(code, own.roots, 0)
        diagonal = code.mul(code.number(1.0 / GAMMA), code.load(_WORK, layout.control("per_step")))
        order = self.plan.order
        code.store(_WORK, layout.control("pivots"), code.number(0.0))
        for place, (i, j) in enumerate(self.plan.entries):
            node = own.jacobian.get((order[i], order[j]))
            if i == j:
                entry = diagonal if node is None else code.sub(diagonal, values[node])
            else:
                entry = code.number(0.0) if node is None else code.neg(values[node])
            code.store(_WORK, layout.matrix + place, entry)
        slopes, weight = self._slopes(code, values), float(stage_times()[1][0])
        for row, node in own.time_derivatives.items():
            drift = code.mul(code.load(_WORK, layout.control("step_size")), values[node])
            code.store(_WORK, layout.drift + row, drift)
            slopes[row] = code.fma(code.number(weight), drift, slopes[row])
        for row, slope in enumerate(slopes):
            code.store(_WORK, layout.stages + row, slope)
        return _function(f"{name}(ptr noalias %w)", code)

    def _mend(self, name: str) -> str:
        """`void name(ptr w)`: where `mend` says, entries that are not finite become those of a rate that never changes.

        An infinite slope, as that of a root at 0, is no reason to give a patient up while the rates are finite: the
        method then loses order, not consistency, and the error control sees it.
        """
        code, layout = Assembly(self.lanes), self.layout
        here = code.compare("lt", code.number(0.5), code.load(_WORK, layout.control("mend")))
        diagonal = code.mul(code.number(1.0 / GAMMA), code.load(_WORK, layout.control("per_step")))
        for place, (i, j) in enumerate(self.plan.entries):
            entry = code.load(_WORK, layout.matrix + place)
            finite = code.compare("lt", code.intrinsic("fabs", entry), code.number(float("inf")))
            mended = code.logic("and", here, code.logic("not", finite))
            code.store(
                _WORK, layout.matrix + place, code.select(mended, diagonal if i == j else code.number(0.0), entry)
            )
        return _function(f"{name}(ptr noalias %w)", code)

    def _rates(self, name: str) -> str:
        """`void name(ptr w, ptr u, double d)`: the right-hand side of a stage; `u` holds the part known before."""
        code, layout = Assembly(self.lanes), self.layout
        slopes = self._slopes(code, self._evaluated(code, self.equations.rates, layout.moment))
        per_step = code.load(_WORK, layout.control("per_step"))
        weight = code.spread("%d") if self.equations.time_derivatives else ""
        for row, slope in enumerate(slopes):
            right = code.fma(per_step, code.load(_STAGE, row), slope)
            if row in self.equations.time_derivatives:
                right = code.fma(weight, code.load(_WORK, layout.drift + row), right)
            code.store(_STAGE, row, right)
        return _function(f"{name}(ptr noalias %w, ptr noalias %u, double %d)", code)

    def _place(self, cell: Entry) -> tuple[str, int]:
        """Where a number of the factorisation or of a right-hand side stands."""
        if cell == _PIVOTS:
            return _WORK, self.layout.control("pivots")
        row, column = cell
        return (_STAGE, self.plan.order[row]) if column == RIGHT else (_WORK, self._matrix[cell])

    def _pieces(self, name: str, operations: Sequence[Operation], arguments: str) -> tuple[list[str], list[str]]:
        """The operations in order, as functions of bearable length; their texts and names."""
        texts: list[str] = []
        names: list[str] = []
        for first in range(0, len(operations), _PIECE):
            code, values, changed = Assembly(self.lanes), dict[Entry, str](), dict[Entry, None]()

            def get(cell: Entry, code: Assembly = code, values: dict[Entry, str] = values) -> str:
                if cell not in values:
                    values[cell] = code.load(*self._place(cell))
                return values[cell]

            for one in operations[first : first + _PIECE]:
                if one.kind == "invert":
                    pivot = get(one.target)
                    values[_PIVOTS] = code.fma(pivot, code.number(0.0), get(_PIVOTS))  # stays 0 while all are finite
                    changed[_PIVOTS] = None
                    value = code.div(code.number(1.0), pivot)
                elif one.kind == "scale":
                    value = code.mul(get(one.target), get(one.first))
                else:
                    value = code.fma(code.neg(get(one.first)), get(one.second), get(one.target))
                values[one.target] = value
                changed[one.target] = None
            for cell in changed:
                base, place = self._place(cell)
                code.store(base, place, values[cell])
            names.append(f"{name}_{len(names)}")
            texts.append(_function(f"{names[-1]}({arguments})", code))
        return texts, names


def _function(head: str, code: Assembly) -> str:
    return "\n".join([f"define internal void @{head} noinline {{", *code.lines, "ret void", "}"])
