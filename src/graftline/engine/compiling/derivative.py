"""Derivatives of shared expressions, exact and sparse."""

from __future__ import annotations

from .graph import Graph, Node


class Derivatives:
    """Derivatives of the nodes of a graph with respect to its slots; each is built once and shared.

    Steps (floor, relations) have derivative 0; at a kink the derivative of the branch taken counts.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._known: dict[tuple[Node, int], Node] = {}
        self._constants: dict[Node, frozenset[int]] = {}

    def of(self, node: Node, slot: int) -> Node:
        """d node / d slot"""
        graph = self._graph
        for part in graph.reached([node]):  # from the leaves up: no recursion, however deep the expression
            if (part, slot) not in self._known:
                self._known[part, slot] = self._of_one(part, slot)
        return self._known[node, slot]

    def _of_one(self, node: Node, slot: int) -> Node:
        """The parts' derivatives are known already."""
        g, operation, parts = self._graph, self._graph.operations[node], self._graph.arguments[node]
        zero = g.number(0.0)
        if operation == "slot":
            return g.number(1.0) if parts[0] == slot else zero
        if g.is_boolean(node):
            return zero
        inner = [self._known[part, slot] for part in parts]
        if all(g.is_number(one, 0.0) for one in inner):
            return zero
        match operation:
            case "add":
                return g.add(*inner)
            case "sub":
                return g.sub(*inner)
            case "neg":
                return g.neg(inner[0])
            case "mul":
                return g.add(g.mul(inner[0], parts[1]), g.mul(parts[0], inner[1]))
            case "recip":
                return g.neg(g.mul(g.mul(node, node), inner[0]))
            case "pow":
                return self._of_power(node, parts, inner)
            case "select":
                return g.select(parts[0], inner[1], inner[2])
            case "min":
                return g.select(g.relation("lt", parts[1], parts[0]), inner[1], inner[0])
            case "max":
                return g.select(g.relation("lt", parts[0], parts[1]), inner[1], inner[0])
            case _:
                return g.mul(self._outer(operation, node, parts[0]), inner[0])

    def _of_power(self, node: Node, parts: tuple[Node, ...], inner: list[Node]) -> Node:
        """x ** n: n x ** (n - 1) dx, which is right at x = 0 too, and log(x) x ** n dn."""
        g, (base, exponent) = self._graph, parts
        found = g.number(0.0)
        if not g.is_number(inner[0], 0.0):
            lower = g.power(base, g.sub(exponent, g.number(1.0)))
            found = g.mul(g.mul(exponent, lower), inner[0])
        if not g.is_number(inner[1], 0.0):
            zero = g.number(0.0)
            logarithm = g.select(g.relation("eq", base, zero), zero, g.call("log", base))  # 0^n stays 0 for n above 0
            found = g.add(found, g.mul(g.mul(node, logarithm), inner[1]))
        return found

    def _outer(self, operation: str, node: Node, x: Node) -> Node:
        """The derivative of a function of one number at x; `node` is its value."""
        g, one = self._graph, self._graph.number(1.0)
        square = g.mul(x, x)
        match operation:
            case "exp":
                return node
            case "log":
                return g.recip(x)
            case "sqrt":
                return g.mul(g.number(0.5), g.recip(node))
            case "abs":
                return g.select(g.relation("lt", x, g.number(0.0)), g.number(-1.0), one)
            case "floor" | "ceil":
                return g.number(0.0)
            case "sin":
                return g.call("cos", x)
            case "cos":
                return g.neg(g.call("sin", x))
            case "tan":
                return g.add(one, g.mul(node, node))
            case "asin":
                return g.recip(g.call("sqrt", g.sub(one, square)))
            case "acos":
                return g.neg(g.recip(g.call("sqrt", g.sub(one, square))))
            case "atan":
                return g.recip(g.add(one, square))
            case "sinh":
                return g.call("cosh", x)
            case "cosh":
                return g.call("sinh", x)
            case "tanh":
                return g.sub(one, g.mul(node, node))
            case "asinh":
                return g.recip(g.call("sqrt", g.add(square, one)))
            case "acosh":
                return g.recip(g.call("sqrt", g.sub(square, one)))
            case "atanh":
                return g.recip(g.sub(one, square))
            case "gamma":
                return g.mul(node, g.call("digamma", x))
            case _:
                raise AssertionError(f"no derivative of {operation}")
