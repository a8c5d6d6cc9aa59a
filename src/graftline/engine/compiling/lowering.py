"""From sympy expressions to shared ones."""

from __future__ import annotations

import math
from collections.abc import Mapping

import sympy as sp

from ..system import TIME, Expression, System
from .graph import Graph, Node
from .program import EventNodes, Program

_FUNCTIONS = {
    sp.exp: "exp", sp.log: "log", sp.Abs: "abs", sp.floor: "floor", sp.ceiling: "ceil", sp.sin: "sin", sp.cos: "cos",
    sp.tan: "tan", sp.asin: "asin", sp.acos: "acos", sp.atan: "atan", sp.sinh: "sinh", sp.cosh: "cosh", sp.tanh: "tanh",
    sp.asinh: "asinh", sp.acosh: "acosh", sp.atanh: "atanh", sp.gamma: "gamma",
}  # fmt: skip
_RELATIONS = {
    sp.StrictLessThan: "lt", sp.LessThan: "le", sp.StrictGreaterThan: "gt", sp.GreaterThan: "ge", sp.Eq: "eq",
    sp.Ne: "ne",
}  # fmt: skip
_LOGIC = {sp.And: "and", sp.Or: "or", sp.Xor: "xor", sp.Not: "not"}


def lower(system: System) -> Program:
    """The system as a program: one graph of shared expressions with its roots."""
    names = ("", *system.states, *system.constants)
    slots = {name: slot for slot, name in enumerate(names) if slot}
    lowering = _Lowering(Graph(first_constant=1 + len(system.states)), slots)
    events = tuple(
        EventNodes(
            name=event.name,
            trigger=lowering.node(event.trigger),
            initial_value=event.initial_value,
            persistent=event.persistent,
            delay=None if event.delay is None else lowering.node(event.delay),
            priority=None if event.priority is None else lowering.node(event.priority),
            values_from_trigger_time=event.values_from_trigger_time,
            assignments={slots[name]: lowering.node(value) for name, value in event.assignments.items()},
            factors={slots[name]: lowering.node(value) for name, value in event.factors.items()},
        )
        for event in system.events
    )
    return Program(
        graph=lowering.graph,
        states=system.states,
        constants=system.constants,
        rates=tuple(lowering.node(system.rates[name]) for name in system.states),
        initial={slots[name]: lowering.node(value) for name, value in system.initial.items()},
        observables={name: lowering.node(value) for name, value in system.observables.items()},
        events=events,
        dose_volume={slots[state]: slots[volume] for state, volume in system.dose_volume.items()},
        units=dict(system.units),
    )


class _Lowering:
    """Turns expressions into nodes of one graph; each expression once."""

    def __init__(self, graph: Graph, slots: Mapping[str, int]) -> None:
        self.graph = graph
        self._slots = slots
        self._known: dict[Expression, Node] = {}

    def node(self, expression: Expression) -> Node:
        """The node of an expression and, before it, those of its parts."""
        waiting = [expression]
        while waiting:  # no recursion: written-out models are deep
            one = waiting[-1]
            missing = [part for part in self._parts(one) if part not in self._known]
            if missing:
                waiting.extend(missing)
                continue
            waiting.pop()
            if one not in self._known:
                self._known[one] = self._build(one)
        return self._known[expression]

    def _parts(self, e: Expression) -> tuple[Expression, ...]:
        if isinstance(e, sp.Piecewise):
            return tuple(part for pair in e.args for part in (pair.expr, pair.cond))
        return () if e.is_Atom else tuple(e.args)

    def _build(self, e: Expression) -> Node:
        g, known = self.graph, self._known
        if e in (sp.true, sp.false):
            return g.truth(bool(e))
        if e.is_Symbol:
            return g.slot(0 if e == TIME else self._slots[e.name])
        if e.is_Atom:
            return g.number(_as_float(e))
        parts = [known[part] for part in self._parts(e)]
        if e.is_Add:
            return self._sum(e)
        if e.is_Mul:
            return self._product(e)
        if e.is_Pow:
            return self._power(e.base, *parts)
        if isinstance(e, sp.Piecewise):
            return self._branches(parts)
        if isinstance(e, (sp.Min, sp.Max)):
            return self._extreme("min" if isinstance(e, sp.Min) else "max", parts)
        if e.func in _RELATIONS:
            return self._relation(_RELATIONS[e.func], *parts)
        if e.func in _LOGIC:
            return g.logic(_LOGIC[e.func], parts)
        if e.func is sp.ITE:
            yes, no = g.logic("and", parts[:2]), g.logic("and", [g.logic("not", parts[:1]), parts[2]])
            return g.logic("or", [yes, no])
        if e.func is sp.cot:
            return g.recip(g.call("tan", *parts))
        if e.func is sp.polygamma:
            return g.call("digamma", parts[1])
        if e.func in _FUNCTIONS:
            return g.call(_FUNCTIONS[e.func], *parts)
        raise AssertionError(f"no node for {e.func}")

    def _fixed_first(self, parts: tuple[Expression, ...]) -> list[Expression]:
        """What can be computed once per patient stands together, so that it becomes one node."""
        return sorted(parts, key=lambda part: not self.graph.is_fixed(self._known[part]))

    def _sum(self, e: Expression) -> Node:
        total = self.graph.number(0.0)
        for part in self._fixed_first(e.args):
            total = self.graph.add(total, self._known[part])
        return total

    def _product(self, e: Expression) -> Node:
        g, product = self.graph, self.graph.number(1.0)
        below = g.number(1.0)
        for part in self._fixed_first(e.args):
            node = self._known[part]
            if g.operations[node] == "recip" and not g.is_fixed(node):
                below = g.mul(below, g.arguments[node][0])
            else:
                product = g.mul(product, node)
        return g.mul(product, g.recip(below))

    def _power(self, base: Expression, below: Node, above: Node) -> Node:
        """Powers of e have a function of their own; to an infinite power, only pow() is right."""
        if base == sp.E:
            return self.graph.call("exp", above)
        endless = above in self.graph.numbers and not math.isfinite(self.graph.numbers[above])
        return self.graph.call("pow", below, above) if endless else self.graph.power(below, above)

    def _branches(self, parts: list[Node]) -> Node:
        values, conditions = parts[0::2], parts[1::2]
        assert self.graph.operations[conditions[-1]] == "true", "a piecewise ends in its otherwise"
        result = values[-1]
        for value, condition in zip(values[-2::-1], conditions[-2::-1], strict=True):
            result = self.graph.select(condition, value, result)
        return result

    def _extreme(self, operation: str, parts: list[Node]) -> Node:
        result = parts[0]
        for part in parts[1:]:
            result = self.graph.call(operation, result, part)
        return result

    def _relation(self, operation: str, a: Node, b: Node) -> Node:
        """Also between booleans, where only equal and unequal mean something."""
        if self.graph.is_boolean(a) and self.graph.is_boolean(b):
            unequal = self.graph.logic("xor", [a, b])
            return unequal if operation == "ne" else self.graph.logic("not", [unequal])
        return self.graph.relation(operation, a, b)


def _as_float(e: Expression) -> float:
    if e is sp.nan:
        return math.nan
    if e in (sp.oo, -sp.oo, sp.zoo):
        return -math.inf if e == -sp.oo else math.inf
    return float(e)
