"""Code for shared expressions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from .assembly import Assembly
from .elementary import EXP, LOG, POW
from .graph import LIBRARY, RELATIONS, Graph, Node

_OWN = {"exp": EXP, "log": LOG, "pow": POW}
_INTRINSICS = {"sqrt": "sqrt", "abs": "fabs", "floor": "floor", "ceil": "ceil"}


def evaluate(
    assembly: Assembly, graph: Graph, roots: Sequence[Node], leaf: Callable[[Node], str | None]
) -> Mapping[Node, str]:
    """Write the code for the roots; returns where each node's value is.

    `leaf` gives the value of a node that is at hand already (a slot, or something computed before), else None. A
    product that is used once, in a sum, is fused with it: the same decision for any number of lanes.
    """
    values: dict[Node, str] = {}
    uses, order = _uses(graph, roots, leaf, values)
    fused = _fused(graph, order, uses, set(roots))
    skipped = set(fused.values())
    for node in order:
        if node not in skipped:
            values[node] = _write(assembly, graph, node, values, fused.get(node))
    return values


def _uses(
    graph: Graph, roots: Sequence[Node], leaf: Callable[[Node], str | None], values: dict[Node, str]
) -> tuple[dict[Node, int], list[Node]]:
    """How often each node to be computed is used, and those nodes in order; leaves go into `values`."""
    uses: dict[Node, int] = {}
    waiting, order = list(roots), set()
    while waiting:
        node = waiting.pop()
        if node in values or node in order:
            continue
        found = leaf(node)
        if found is not None:
            values[node] = found
            continue
        order.add(node)
        for part in graph.arguments[node]:
            uses[part] = uses.get(part, 0) + 1
            waiting.append(part)
    return uses, sorted(order)


def _fused(graph: Graph, order: Sequence[Node], uses: Mapping[Node, int], roots: set[Node]) -> dict[Node, Node]:
    """sum -> the product among its terms that is fused into it"""
    inside = set(order)
    fused: dict[Node, Node] = {}
    for node in order:
        if graph.operations[node] in {"add", "sub"}:
            for term in graph.arguments[node]:
                if term in inside and graph.operations[term] == "mul" and uses[term] == 1 and term not in roots:
                    fused[node] = term
                    break
    return fused


def _write(a: Assembly, graph: Graph, node: Node, values: Mapping[Node, str], product: Node | None) -> str:
    """Code for one node whose arguments are there."""
    operation, own = graph.operations[node], graph.arguments[node]
    if operation == "number":
        return a.number(graph.numbers[node])
    if product is not None:
        return _write_fused(a, graph, node, values, product)
    parts = [values[one] for one in own]
    if operation in {"add", "sub", "mul", "neg", "select"}:
        return str(getattr(a, operation)(*parts))
    if operation == "recip":
        return a.div(a.number(1.0), parts[0])
    if operation in {"min", "max"}:  # which of two equal ones, or with NaN: the first, on every machine
        smaller = a.compare("lt", parts[1], parts[0]) if operation == "min" else a.compare("lt", parts[0], parts[1])
        return a.select(smaller, parts[1], parts[0])
    if operation in _INTRINSICS:
        return a.intrinsic(_INTRINSICS[operation], *parts)
    if operation in _OWN:
        return a.own(_OWN[operation], *parts)
    if operation in LIBRARY:
        return a.c_function(operation, parts[0])
    if operation in RELATIONS:
        return a.compare(operation, *parts)
    if operation in {"true", "false"}:
        return a.always(operation == "true")
    return a.logic(operation, *parts)


def _write_fused(a: Assembly, graph: Graph, node: Node, values: Mapping[Node, str], product: Node) -> str:
    """A sum with one of its products fused in."""
    first, second = graph.arguments[node]
    one, other = (values[factor] for factor in graph.arguments[product])
    rest = values[second if product == first else first]
    if graph.operations[node] == "add":
        return a.fma(one, other, rest)
    if product == first:  # one * other - rest
        return a.fma(one, other, a.neg(rest))
    return a.fma(a.neg(one), other, rest)
