"""From libSBML's formulas to sympy's expressions.

Comparisons and branches are kept as written (not evaluated by sympy), so that their meaning at every number stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import libsbml
import sympy as sp

from ..system import TIME, Expression
from . import operations
from .operations import UnsupportedError, as_number, branches, is_boolean, literal

AVOGADRO = 6.02214179e23  # SBML Level 3 Version 2 core, section 3.4.6

Lookup = Callable[[str], Expression]

_RELATIONS = {
    libsbml.AST_RELATIONAL_LT: sp.StrictLessThan,
    libsbml.AST_RELATIONAL_LEQ: sp.LessThan,
    libsbml.AST_RELATIONAL_GT: sp.StrictGreaterThan,
    libsbml.AST_RELATIONAL_GEQ: sp.GreaterThan,
    libsbml.AST_RELATIONAL_EQ: sp.Eq,
    libsbml.AST_RELATIONAL_NEQ: sp.Ne,
}
_LOGIC = {libsbml.AST_LOGICAL_AND: sp.And, libsbml.AST_LOGICAL_OR: sp.Or, libsbml.AST_LOGICAL_XOR: sp.Xor}
_ROUNDED = {
    libsbml.AST_FUNCTION_FLOOR: operations.floor_of_quotient,
    libsbml.AST_FUNCTION_CEILING: operations.ceiling_of_quotient,
}


@dataclass(frozen=True, kw_only=True)
class _Argument:
    """What a function was called with."""

    value: Expression
    name: str
    """of the element it is, empty if it is a formula"""


class Formulas:
    """Translates formulas; `value` gives the expression behind a name, `rate` its change per time.

    `functions` are the function definitions by id; calls are written out.
    """

    def __init__(self, value: Lookup, rate: Lookup, functions: Mapping[str, Any]) -> None:
        self._value, self._rate, self._functions = value, rate, functions
        self._arguments: dict[str, _Argument] = {}
        self._called: tuple[str, ...] = ()

    def number(self, node: Any) -> Expression:
        """A formula as a number; a boolean counts as 1 or 0."""
        return as_number(self._any(node))

    def boolean(self, node: Any) -> Expression:
        """A formula as a boolean; a number counts as true unless it is 0."""
        found = self._any(node)
        return found if is_boolean(found) else operations.related(sp.Ne, found, sp.Integer(0))

    def _any(self, node: Any) -> Expression:
        kind = node.getType()
        leaf = self._leaf(node, kind)
        if leaf is not None:
            return leaf
        children = [node.getChild(index) for index in range(node.getNumChildren())]
        if kind == libsbml.AST_FUNCTION:
            return self._call(node.getName(), children)
        if kind == libsbml.AST_FUNCTION_RATE_OF:
            return self._rate_of(children[0])
        if kind == libsbml.AST_FUNCTION_PIECEWISE:
            return self._piecewise(children)
        if kind in _LOGIC:
            return _LOGIC[kind](*[self.boolean(child) for child in children])
        if kind == libsbml.AST_LOGICAL_NOT:
            return operations.negated(self.boolean(children[0]))
        if kind == libsbml.AST_LOGICAL_IMPLIES:
            return sp.Or(operations.negated(self.boolean(children[0])), self.boolean(children[1]))
        if kind in _RELATIONS:
            return self._relation(kind, children)
        if kind in _ROUNDED and children[0].getType() == libsbml.AST_DIVIDE:
            return _ROUNDED[kind](*[self.number(children[0].getChild(index)) for index in range(2)])
        if kind == libsbml.AST_FUNCTION_DELAY:
            raise UnsupportedError("uses delay(), a value from the past")
        if kind in (libsbml.AST_PLUS, libsbml.AST_TIMES):
            children = _of_chain(node, kind)
        found = operations.applied(kind, [self.number(child) for child in children])
        if found is None:
            raise UnsupportedError(f"uses {node.getName() or libsbml.formulaToL3String(node)}, which is not known")
        return found

    def _leaf(self, node: Any, kind: int) -> Expression | None:
        if kind == libsbml.AST_INTEGER:
            return sp.Integer(node.getInteger())
        if kind in (libsbml.AST_REAL, libsbml.AST_REAL_E):
            return literal(node.getReal())
        if kind == libsbml.AST_RATIONAL:
            parts = [sp.Integer(node.getNumerator()), sp.Integer(node.getDenominator())]
            return operations.applied(libsbml.AST_DIVIDE, parts)
        if kind == libsbml.AST_NAME:
            return self._named(node.getName())
        constants = {
            libsbml.AST_NAME_TIME: TIME,
            libsbml.AST_NAME_AVOGADRO: sp.Float(AVOGADRO),
            libsbml.AST_CONSTANT_E: sp.E,
            libsbml.AST_CONSTANT_PI: sp.pi,
            libsbml.AST_CONSTANT_TRUE: sp.true,
            libsbml.AST_CONSTANT_FALSE: sp.false,
        }
        return constants.get(kind)

    def _named(self, name: str) -> Expression:
        """What a name stands for; within a function only its arguments have names."""
        if not self._called:
            return self._value(name)
        if name not in self._arguments:
            raise UnsupportedError(f"uses {self._called[-1]}(), in which {name} is not an argument")
        return self._arguments[name].value

    def _rate_of(self, node: Any) -> Expression:
        """The rate of the name that a formula consists of, or stands for within a function."""
        name = self._name_of(node)
        if not name:
            raise UnsupportedError("uses rateOf() of a formula, not of a name")
        inside, self._arguments, self._called = (self._arguments, self._called), {}, ()
        try:
            return self._rate(name)
        finally:
            self._arguments, self._called = inside

    def _call(self, name: str, children: list[Any]) -> Expression:
        """What a function definition gives."""
        definition = self._functions.get(name)
        if definition is None or definition.getBody() is None:
            raise UnsupportedError(f"uses {name}(), which is not defined")
        names = [definition.getArgument(index).getName() for index in range(definition.getNumArguments())]
        if len(names) != len(children):
            raise UnsupportedError(f"gives {name}() {len(children)} arguments instead of {len(names)}")
        if name in self._called:
            raise UnsupportedError(f"uses {name}(), which calls itself")
        given = [_Argument(value=self._any(child), name=self._name_of(child)) for child in children]
        outside, self._arguments = self._arguments, dict(zip(names, given, strict=True))
        self._called = (*self._called, name)
        try:
            return self._any(definition.getBody())
        finally:
            self._arguments, self._called = outside, self._called[:-1]

    def _name_of(self, node: Any) -> str:
        name = str(node.getName()) if node.getType() == libsbml.AST_NAME else ""
        return self._arguments[name].name if name in self._arguments else name

    def _piecewise(self, children: list[Any]) -> Expression:
        """Branches in order; without an otherwise, what no condition covers is not a number."""
        pairs = [(children[k], children[k + 1]) for k in range(0, len(children) - 1, 2)]
        otherwise = self._any(children[-1]) if len(children) % 2 else sp.nan
        values, conditions = [self._any(value) for value, _ in pairs], [self.boolean(one) for _, one in pairs]
        if all(is_boolean(one) for one in (*values, otherwise)):
            result = otherwise
            for value, condition in zip(reversed(values), reversed(conditions), strict=True):
                result = sp.Or(sp.And(condition, value), sp.And(operations.negated(condition), result))
            return result
        numbers = [as_number(value) for value in values]
        return branches(list(zip(numbers, conditions, strict=True)), as_number(otherwise))

    def _relation(self, kind: int, children: list[Any]) -> Expression:
        """Between all neighbours."""
        parts = [self._any(child) for child in children]
        if kind in (libsbml.AST_RELATIONAL_EQ, libsbml.AST_RELATIONAL_NEQ) and all(map(is_boolean, parts)):
            unequal = [sp.Xor(a, b) for a, b in pairwise(parts)]
            return sp.And(*[one if kind == libsbml.AST_RELATIONAL_NEQ else operations.negated(one) for one in unequal])
        numbers = [as_number(part) for part in parts]
        return sp.And(*[operations.related(_RELATIONS[kind], a, b) for a, b in pairwise(numbers)])


def _of_chain(node: Any, kind: int) -> list[Any]:
    """The terms of a sum of sums, or the factors of a product of products: some programs nest them very deep."""
    waiting, found = [node], []
    while waiting:
        one = waiting.pop()
        if one.getType() == kind:
            waiting.extend(one.getChild(index) for index in reversed(range(one.getNumChildren())))
        else:
            found.append(one)
    return found
