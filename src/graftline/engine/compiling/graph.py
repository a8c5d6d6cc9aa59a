"""Expressions shared by value: the same operation on the same arguments is one node, computed once.

A node is a whole number. Leaves are numbers and *slots*: slot 0 is time, then come the states, then the constants of
the model. What depends on neither time nor a state is *fixed*: it can be computed once per patient.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

Node = int

ARITHMETIC = ("add", "sub", "mul", "neg", "recip", "sqrt", "abs", "min", "max", "floor", "ceil")
TRANSCENDENTAL = ("exp", "log", "pow")
LIBRARY = (
    "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "gamma", "digamma",
)  # fmt: skip
"""functions of the C library, called lane by lane; digamma is our own"""
RELATIONS = ("lt", "le", "eq", "ne")
LOGIC = ("and", "or", "not", "xor", "true", "false")
"""nodes of these and of RELATIONS are booleans, all others are numbers"""


class Graph:
    """Nodes in an order in which each uses only earlier ones.

    `first_constant` is the slot from which on leaves are fixed. Building simplifies where the result is the same
    number for all finite arguments; constants are folded in double precision.
    """

    def __init__(self, first_constant: int) -> None:
        self.first_constant = first_constant
        self.operations: list[str] = []
        self.arguments: list[tuple[int, ...]] = []
        self.numbers: dict[Node, float] = {}
        self.states: list[int] = []
        """bit s of a node's mask: it depends on slot s (time or a state)"""
        self._known: dict[tuple[object, ...], Node] = {}

    def __len__(self) -> int:
        return len(self.operations)

    def restore(
        self, operations: Sequence[str], arguments: Sequence[tuple[int, ...]], numbers: Mapping[Node, float]
    ) -> None:
        """Take over nodes as another graph had them; this one must be empty."""
        assert not self.operations, "only an empty graph can take over nodes"
        for node, (operation, own) in enumerate(zip(operations, arguments, strict=True)):
            if operation == "number":
                same = self.number(numbers[node])
            elif operation == "slot":
                same = self.slot(own[0])
            else:
                same = self._node(operation, *own)
            assert same == node, "nodes of a graph are all different"

    def copied(self, operation: str, *arguments: Node) -> Node:
        """A node as another graph has it, on nodes of this one."""
        return self._node(operation, *arguments)

    # leaves

    def number(self, value: float) -> Node:
        """A literal; zeros of both signs and NaN are their own nodes."""
        key = ("number", float(value).hex())
        if key not in self._known:
            self._known[key] = self._append("number", (), 0)
            self.numbers[self._known[key]] = float(value)
        return self._known[key]

    def slot(self, place: int) -> Node:
        """Time (0), a state or a constant of the model."""
        mask = 1 << place if place < self.first_constant else 0
        return self._shared("slot", (place,), mask)

    def _append(self, operation: str, arguments: tuple[int, ...], mask: int) -> Node:
        self.operations.append(operation)
        self.arguments.append(arguments)
        self.states.append(mask)
        return len(self.operations) - 1

    def _shared(self, operation: str, arguments: tuple[int, ...], mask: int) -> Node:
        key = (operation, *arguments)
        if key not in self._known:
            self._known[key] = self._append(operation, arguments, mask)
        return self._known[key]

    def _node(self, operation: str, *arguments: Node) -> Node:
        mask = 0
        for argument in arguments:
            mask |= self.states[argument]
        return self._shared(operation, arguments, mask)

    # questions

    def is_fixed(self, node: Node) -> bool:
        """Whether it depends on neither time nor a state."""
        return self.states[node] == 0

    def is_number(self, node: Node, value: float) -> bool:
        """Whether it is the literal `value`."""
        return node in self.numbers and self.numbers[node] == value

    def is_boolean(self, node: Node) -> bool:
        """Whether it is true or false rather than a number."""
        return self.operations[node] in RELATIONS or self.operations[node] in LOGIC

    def reached(self, roots: Iterable[Node]) -> list[Node]:
        """All nodes the roots need, each after those it uses."""
        seen: set[Node] = set()
        waiting = list(roots)
        while waiting:
            node = waiting.pop()
            if node not in seen:
                seen.add(node)
                if self.operations[node] != "slot":
                    waiting.extend(self.arguments[node])
        return sorted(seen)

    # numbers

    def add(self, a: Node, b: Node) -> Node:
        """a + b"""
        if a in self.numbers and b in self.numbers:
            return self.number(self.numbers[a] + self.numbers[b])
        if self.is_number(a, 0.0):
            return b
        if self.is_number(b, 0.0):
            return a
        if self.operations[b] == "neg":
            return self.sub(a, self.arguments[b][0])
        if self.operations[a] == "neg":
            return self.sub(b, self.arguments[a][0])
        return self._node("add", *sorted((a, b)))

    def sub(self, a: Node, b: Node) -> Node:
        """a - b"""
        if a in self.numbers and b in self.numbers:
            return self.number(self.numbers[a] - self.numbers[b])
        if self.is_number(b, 0.0):
            return a
        if self.is_number(a, 0.0):
            return self.neg(b)
        if a == b:
            return self.number(0.0)
        if self.operations[b] == "neg":
            return self.add(a, self.arguments[b][0])
        return self._node("sub", a, b)

    def neg(self, a: Node) -> Node:
        """-a"""
        if a in self.numbers:
            return self.number(-self.numbers[a])
        if self.operations[a] == "neg":
            return self.arguments[a][0]
        if self.operations[a] == "sub":
            return self._node("sub", *reversed(self.arguments[a]))
        return self._node("neg", a)

    def mul(self, a: Node, b: Node) -> Node:
        """a * b"""
        if a in self.numbers and b in self.numbers:
            return self.number(self.numbers[a] * self.numbers[b])
        for one, other in ((a, b), (b, a)):
            if self.is_number(one, 0.0):
                return self.number(0.0)
            if self.is_number(one, 1.0):
                return other
            if self.is_number(one, -1.0):
                return self.neg(other)
            if self.operations[one] == "neg":
                return self.neg(self.mul(self.arguments[one][0], other))
        return self._node("mul", *sorted((a, b)))

    def recip(self, a: Node) -> Node:
        """1 / a. A quotient is a product with this, so that a denominator is divided by once."""
        if a in self.numbers:
            value = self.numbers[a]
            return self.number(1.0 / value if value else math.copysign(math.inf, value))
        if self.operations[a] == "recip":
            return self.arguments[a][0]
        if self.operations[a] == "neg":
            return self.neg(self.recip(self.arguments[a][0]))
        return self._node("recip", a)

    def div(self, a: Node, b: Node) -> Node:
        """a / b"""
        if a in self.numbers and b in self.numbers and self.numbers[b]:
            return self.number(self.numbers[a] / self.numbers[b])
        return self.mul(a, self.recip(b))

    def power(self, base: Node, exponent: Node) -> Node:
        """base ** exponent; small whole and half exponents become products and roots."""
        if exponent in self.numbers:
            value = self.numbers[exponent]
            if value == 0.0:
                return self.number(1.0)
            if value < 0:
                return self.recip(self.power(base, self.number(-value)))
            if value == 0.5:
                return self.call("sqrt", base)
            if value == int(value) and value <= 32:
                return self._whole_power(base, int(value))
            if 2 * value == int(2 * value) and value <= 8:
                return self.mul(self._whole_power(base, int(value - 0.5)), self.call("sqrt", base))
        return self.call("pow", base, exponent)

    def _whole_power(self, base: Node, exponent: int) -> Node:
        """By squaring; the exponent is above zero."""
        if exponent == 1:
            return base
        half = self._whole_power(base, exponent // 2)
        square = self.mul(half, half)
        return self.mul(square, base) if exponent % 2 else square

    def call(self, function: str, *arguments: Node) -> Node:
        """A function of one or two numbers, by its name in ARITHMETIC, TRANSCENDENTAL or LIBRARY."""
        if function in {"min", "max"}:
            if arguments[0] == arguments[1]:
                return arguments[0]
            arguments = tuple(sorted(arguments))
        return self._node(function, *arguments)

    def select(self, condition: Node, yes: Node, no: Node) -> Node:
        """yes where the condition is true, else no"""
        if yes == no or self.operations[condition] == "true":
            return yes
        if self.operations[condition] == "false":
            return no
        return self._node("select", condition, yes, no)

    # booleans

    def truth(self, value: bool) -> Node:
        """true or false"""
        return self._node("true" if value else "false")

    def relation(self, operation: str, a: Node, b: Node) -> Node:
        """lt, le, gt, ge, eq or ne"""
        if operation in {"gt", "ge"}:
            return self.relation({"gt": "lt", "ge": "le"}[operation], b, a)
        if a in self.numbers and b in self.numbers:
            x, y = self.numbers[a], self.numbers[b]
            return self.truth({"lt": x < y, "le": x <= y, "eq": x == y, "ne": x != y}[operation])
        return self._node(operation, a, b)

    def logic(self, operation: str, arguments: Sequence[Node]) -> Node:
        """and, or, xor of any number of booleans, not of one"""
        if operation == "not":
            (only,) = arguments
            if self.operations[only] in {"true", "false"}:
                return self.truth(self.operations[only] == "false")
            return self._node("not", only)
        result = self.truth(operation == "and")
        for argument in arguments:
            result = self._both(operation, result, argument)
        return result

    def _both(self, operation: str, a: Node, b: Node) -> Node:
        neutral = "true" if operation == "and" else "false"
        if self.operations[a] == neutral:
            return b
        if self.operations[b] == neutral:
            return a
        return self._node(operation, a, b)
