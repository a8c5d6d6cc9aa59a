"""One whole Rodas5P step of several patients at once, as straight code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .assembly import Assembly
from .derivative import Derivatives
from .elementary import EXP, LOG
from .evaluation import evaluate
from .graph import Graph, Node
from .layout import Layout
from .program import Program
from .rodas5p import GAMMA, ORDER, STAGES, A, C, H, stage_times
from .sparse import Factorisation, factorise

_WORK = "%w"
SAFETY = 0.9
SMALLEST_ERROR = 1e-8  # below it the step grows no faster


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
    """Writes the step kernel of a model for a number of lanes."""

    def __init__(self, equations: Equations, layout: Layout, lanes: int) -> None:
        self.equations, self.layout = equations, layout
        self.code = Assembly(lanes)
        self._hoisted = {node: layout.first_hoisted + k for k, node in enumerate(layout.hoisted)}
        places = {state - 1: layout.first_input + k for k, state in enumerate(layout.infused)}
        self._inputs = {row: self.code.load(_WORK, place) for row, place in places.items()}
        self._size = layout.states
        self._plan: Factorisation = factorise(self._size, equations.jacobian)
        self._entries: dict[tuple[int, int], str] = {}

    def function(self, name: str) -> str:
        """The kernel as LLVM text: `void name(ptr workspace)`."""
        code, n = self.code, self._size
        y = [code.load(_WORK, 1 + i) for i in range(n)]
        h = code.load(_WORK, self.layout.step_size)
        per_h = code.div(code.number(1.0), h)
        slopes, drift = self._first_stage(y, per_h)
        self._factor()
        c, d = stage_times()
        time = code.load(_WORK, 0) if self.equations.uses_time else None
        drift = {row: code.mul(h, value) for row, value in drift.items()}
        u = [self._solve(self._with_drift(slopes, drift, d[0]))]
        at = y
        for stage in range(1, STAGES):
            if stage < len(A):
                at = [code.weighted(A[stage], [one[i] for one in u], y[i]) for i in range(n)]
            else:
                at = [code.add(at[i], u[-1][i]) for i in range(n)]
            moment = None if time is None else code.fma(code.number(float(c[stage])), h, time)
            slopes = self._rates(at, moment)
            right = [code.fma(per_h, code.weighted(C[stage], [one[i] for one in u]), slopes[i]) for i in range(n)]
            u.append(self._solve(self._with_drift(right, drift, d[stage])))
        new = [code.add(at[i], u[-1][i]) for i in range(n)]
        self._finish(y, new, u)
        body = "\n".join(code.lines)
        return f"define void @{name}(ptr noalias %w) {{\n{body}\nret void\n}}\n"

    def _leaf(self, y: Sequence[str], time: str | None) -> Mapping[Node, str]:
        """Values of the slots that change."""
        values = {1 + i: value for i, value in enumerate(y)}
        return values if time is None else {0: time, **values}

    def _evaluated(self, roots: Sequence[Node], y: Sequence[str], time: str | None) -> Mapping[Node, str]:
        graph, slots = self.equations.graph, self._leaf(y, time)

        def leaf(node: Node) -> str | None:
            if graph.operations[node] == "slot":
                (place,) = graph.arguments[node]
                return slots[place] if place in slots else self.code.load(_WORK, place)
            return self.code.load(_WORK, self._hoisted[node]) if node in self._hoisted else None

        return evaluate(self.code, graph, roots, leaf)

    def _with_inputs(self, slopes: list[str]) -> list[str]:
        for row, value in self._inputs.items():
            slopes[row] = self.code.add(slopes[row], value)
        return slopes

    def _rates(self, y: Sequence[str], time: str | None) -> list[str]:
        values = self._evaluated(self.equations.rates, y, time)
        return self._with_inputs([values[rate] for rate in self.equations.rates])

    def _first_stage(self, y: Sequence[str], per_h: str) -> tuple[list[str], dict[int, str]]:
        """Rates and drift at the begin, and the matrix I / (h GAMMA) - J in the order of elimination."""
        code, own = self.code, self.equations
        time = code.load(_WORK, 0) if any(own.graph.states[root] & 1 for root in own.roots) else None
        values = self._evaluated(own.roots, y, time)
        diagonal = code.mul(code.number(1.0 / GAMMA), per_h)
        order = self._plan.order
        for i, j in self._plan.entries:
            node = own.jacobian.get((order[i], order[j]))
            if i == j:
                self._entries[i, j] = diagonal if node is None else code.sub(diagonal, values[node])
            else:
                self._entries[i, j] = code.number(0.0) if node is None else code.neg(values[node])
        slopes = self._with_inputs([values[rate] for rate in own.rates])
        return slopes, {row: values[node] for row, node in own.time_derivatives.items()}

    def _with_drift(self, right: list[str], drift: Mapping[int, str], weight: float) -> list[str]:
        if weight:
            for row, value in drift.items():
                right[row] = self.code.fma(self.code.number(float(weight)), value, right[row])
        return right

    def _factor(self) -> None:
        code, entries = self.code, self._entries
        for operation in self._plan.operations:
            if operation.kind == "invert":
                entries[operation.target] = code.div(code.number(1.0), entries[operation.target])
            elif operation.kind == "scale":
                entries[operation.target] = code.mul(entries[operation.target], entries[operation.first])
            else:
                product = (code.neg(entries[operation.first]), entries[operation.second])
                entries[operation.target] = code.fma(*product, entries[operation.target])

    def _solve(self, right: Sequence[str]) -> list[str]:
        """Solve with the factored matrix; right-hand side and solution in the order of the states."""
        code, plan, entries = self.code, self._plan, self._entries
        z: list[str] = []
        for i in range(self._size):
            value = right[plan.order[i]]
            for k in plan.below(i):
                value = code.fma(code.neg(entries[i, k]), z[k], value)
            z.append(value)
        solution = [""] * self._size
        for i in reversed(range(self._size)):
            value = z[i]
            for k in plan.above(i):
                value = code.fma(code.neg(entries[i, k]), solution[plan.order[k]], value)
            solution[plan.order[i]] = code.mul(value, entries[i, i])
        return solution

    def _finish(self, y: Sequence[str], new: Sequence[str], u: Sequence[Sequence[str]]) -> None:
        """Store the result and the stages, and the error in units of what is tolerated."""
        code, layout, n = self.code, self.layout, self._size
        relative = code.load(_WORK, layout.relative_tolerance)
        total = code.number(0.0)
        for i in range(n):
            size = code.intrinsic("maxnum", code.intrinsic("fabs", y[i]), code.intrinsic("fabs", new[i]))
            allowed = code.fma(relative, size, code.load(_WORK, layout.absolute_tolerances + i))
            share = code.div(u[-1][i], allowed)
            total = code.fma(share, share, total)
        for i in range(n):
            code.store(_WORK, layout.new_states + i, new[i])
            for stage in range(STAGES):
                code.store(_WORK, layout.stages + stage * n + i, u[stage][i])
        self._judge(code.intrinsic("sqrt", code.mul(total, code.number(1.0 / max(n, 1)))))

    def _judge(self, error: str) -> None:
        """Store the error and the factors for the next step: proportional and integral control when accepted."""
        code, place = self.code, self.layout.error
        enough = code.intrinsic("maxnum", error, code.number(SMALLEST_ERROR))
        logarithm = code.own(LOG, enough)
        last = code.load(_WORK, place + 4)
        power = code.fma(code.number(-0.8 / ORDER), logarithm, code.mul(code.number(0.2 / ORDER), last))
        grow = code.mul(code.number(SAFETY), code.own(EXP, power))
        shrink = code.mul(code.number(SAFETY), code.own(EXP, code.mul(code.number(-1.0 / ORDER), logarithm)))
        for offset, value in enumerate((error, grow, shrink, logarithm)):
            code.store(_WORK, place + offset, value)


def take_function(layout: Layout, lanes: int, name: str) -> str:
    """`void name(ptr workspace)`: the new states become the states in lanes that are marked."""
    code = Assembly(lanes)
    marked = code.compare("lt", code.number(0.5), code.load(_WORK, layout.error + 5))
    for state in range(layout.states):
        new = code.load(_WORK, layout.new_states + state)
        code.store(_WORK, 1 + state, code.select(marked, new, code.load(_WORK, 1 + state)))
    body = "\n".join(code.lines)
    return f"define void @{name}(ptr noalias %w) {{\n{body}\nret void\n}}\n"


def dense_function(layout: Layout, lanes: int, name: str) -> str:
    """`void name(ptr workspace, ptr states, i64 count)`: K0, K1, K2 of the listed states (0, 1, …)."""
    code, n = Assembly(lanes), layout.states
    stages = []
    for stage in range(STAGES):
        base = (layout.stages + stage * n) * lanes
        address = code._new(f"getelementptr inbounds double, ptr {_WORK}, i64 %at{stage}")
        stages.append(code._new(f"load {code.type}, ptr {address}, align 8"))
        code.lines.insert(len(code.lines) - 2, f"%at{stage} = add i64 %offset, {base}")
    for m in range(len(H)):
        value = code.weighted(H[m], stages)
        place = (layout.dense + m * n) * lanes
        code.lines.append(f"%to{m} = add i64 %offset, {place}")
        address = code._new(f"getelementptr inbounds double, ptr {_WORK}, i64 %to{m}")
        code.lines.append(f"store {code.type} {value}, ptr {address}, align 8")
    body = "\n".join(code.lines)
    return f"""define void @{name}(ptr noalias %w, ptr noalias readonly %states, i64 %count) {{
entry:
%none = icmp eq i64 %count, 0
br i1 %none, label %end, label %each
each:
%k = phi i64 [0, %entry], [%next, %each]
%which = getelementptr inbounds i64, ptr %states, i64 %k
%state = load i64, ptr %which
%offset = mul i64 %state, {lanes}
{body}
%next = add i64 %k, 1
%more = icmp ult i64 %next, %count
br i1 %more, label %each, label %end
end:
ret void
}}
"""
