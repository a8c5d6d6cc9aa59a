"""From libSBML's formulas to sympy's expressions.

Comparisons and branches are kept as written (not evaluated by sympy), so that their meaning at every number stays.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import libsbml
import sympy as sp

from ..system import TIME, Expression

AVOGADRO = 6.02214179e23  # SBML Level 3 Version 2 core, section 3.4.6


class UnsupportedError(Exception):
    """A formula uses something that is not supported; the text says what."""


Lookup = Callable[[str], Expression]


def _ten(x: Expression) -> Expression:
    return sp.log(x) / sp.log(sp.Integer(10))


_ONE = {
    libsbml.AST_FUNCTION_ABS: sp.Abs,
    libsbml.AST_FUNCTION_CEILING: sp.ceiling,
    libsbml.AST_FUNCTION_FLOOR: sp.floor,
    libsbml.AST_FUNCTION_EXP: sp.exp,
    libsbml.AST_FUNCTION_LN: sp.log,
    libsbml.AST_FUNCTION_FACTORIAL: lambda x: sp.gamma(x + 1),
    libsbml.AST_FUNCTION_SIN: sp.sin,
    libsbml.AST_FUNCTION_COS: sp.cos,
    libsbml.AST_FUNCTION_TAN: sp.tan,
    libsbml.AST_FUNCTION_SEC: lambda x: 1 / sp.cos(x),
    libsbml.AST_FUNCTION_CSC: lambda x: 1 / sp.sin(x),
    libsbml.AST_FUNCTION_COT: lambda x: 1 / sp.tan(x),
    libsbml.AST_FUNCTION_SINH: sp.sinh,
    libsbml.AST_FUNCTION_COSH: sp.cosh,
    libsbml.AST_FUNCTION_TANH: sp.tanh,
    libsbml.AST_FUNCTION_SECH: lambda x: 1 / sp.cosh(x),
    libsbml.AST_FUNCTION_CSCH: lambda x: 1 / sp.sinh(x),
    libsbml.AST_FUNCTION_COTH: lambda x: 1 / sp.tanh(x),
    libsbml.AST_FUNCTION_ARCSIN: sp.asin,
    libsbml.AST_FUNCTION_ARCCOS: sp.acos,
    libsbml.AST_FUNCTION_ARCTAN: sp.atan,
    libsbml.AST_FUNCTION_ARCSEC: lambda x: sp.acos(1 / x),
    libsbml.AST_FUNCTION_ARCCSC: lambda x: sp.asin(1 / x),
    libsbml.AST_FUNCTION_ARCCOT: lambda x: sp.atan(1 / x),
    libsbml.AST_FUNCTION_ARCSINH: sp.asinh,
    libsbml.AST_FUNCTION_ARCCOSH: sp.acosh,
    libsbml.AST_FUNCTION_ARCTANH: sp.atanh,
    libsbml.AST_FUNCTION_ARCSECH: lambda x: sp.acosh(1 / x),
    libsbml.AST_FUNCTION_ARCCSCH: lambda x: sp.asinh(1 / x),
    libsbml.AST_FUNCTION_ARCCOTH: lambda x: sp.atanh(1 / x),
}
_RELATIONS = {
    libsbml.AST_RELATIONAL_LT: sp.StrictLessThan,
    libsbml.AST_RELATIONAL_LEQ: sp.LessThan,
    libsbml.AST_RELATIONAL_GT: sp.StrictGreaterThan,
    libsbml.AST_RELATIONAL_GEQ: sp.GreaterThan,
    libsbml.AST_RELATIONAL_EQ: sp.Eq,
    libsbml.AST_RELATIONAL_NEQ: sp.Ne,
}
_LOGIC = {libsbml.AST_LOGICAL_AND: sp.And, libsbml.AST_LOGICAL_OR: sp.Or, libsbml.AST_LOGICAL_XOR: sp.Xor}


class Formulas:
    """Translates formulas; `value` gives the expression behind a name, `rate` its change per time."""

    def __init__(self, value: Lookup, rate: Lookup) -> None:
        self._value, self._rate = value, rate

    def number(self, node: Any) -> Expression:
        """A formula as a number; a boolean counts as 1 or 0."""
        found = self._any(node)
        return _as_number(found)

    def boolean(self, node: Any) -> Expression:
        """A formula as a boolean; a number counts as true unless it is 0."""
        found = self._any(node)
        return found if _is_boolean(found) else sp.Ne(found, 0, evaluate=False)

    def _any(self, node: Any) -> Expression:
        kind = node.getType()
        leaf = self._leaf(node, kind)
        if leaf is not None:
            return leaf
        children = [node.getChild(index) for index in range(node.getNumChildren())]
        if kind == libsbml.AST_FUNCTION_RATE_OF:
            return self._rate(children[0].getName())
        if kind == libsbml.AST_FUNCTION_PIECEWISE:
            return self._piecewise(children)
        if kind in _LOGIC:
            return _LOGIC[kind](*[self.boolean(child) for child in children])
        if kind == libsbml.AST_LOGICAL_NOT:
            return sp.Not(self.boolean(children[0]))
        if kind == libsbml.AST_LOGICAL_IMPLIES:
            return sp.Or(sp.Not(self.boolean(children[0])), self.boolean(children[1]))
        if kind in _RELATIONS:
            return self._relation(kind, children)
        return _real(self._arithmetic(node, kind, [self.number(child) for child in children]))

    def _leaf(self, node: Any, kind: int) -> Expression | None:
        if kind == libsbml.AST_INTEGER:
            return sp.Integer(node.getInteger())
        if kind in (libsbml.AST_REAL, libsbml.AST_REAL_E):
            return literal(node.getReal())
        if kind == libsbml.AST_RATIONAL:
            return sp.Rational(node.getNumerator(), node.getDenominator())
        if kind == libsbml.AST_NAME:
            return self._value(node.getName())
        constants = {
            libsbml.AST_NAME_TIME: TIME,
            libsbml.AST_NAME_AVOGADRO: sp.Float(AVOGADRO),
            libsbml.AST_CONSTANT_E: sp.E,
            libsbml.AST_CONSTANT_PI: sp.pi,
            libsbml.AST_CONSTANT_TRUE: sp.true,
            libsbml.AST_CONSTANT_FALSE: sp.false,
        }
        return constants.get(kind)

    def _piecewise(self, children: list[Any]) -> Expression:
        """Branches in order; without an otherwise, what no condition covers is not a number."""
        pairs = [(children[k], children[k + 1]) for k in range(0, len(children) - 1, 2)]
        otherwise = self._any(children[-1]) if len(children) % 2 else sp.nan
        values, conditions = [self._any(value) for value, _ in pairs], [self.boolean(one) for _, one in pairs]
        if all(_is_boolean(one) for one in (*values, otherwise)):
            result = otherwise
            for value, condition in zip(reversed(values), reversed(conditions), strict=True):
                result = sp.Or(sp.And(condition, value), sp.And(sp.Not(condition), result))
            return result
        numbers = [_as_number(value) for value in values]
        branches = [*zip(numbers, conditions, strict=True), (_as_number(otherwise), sp.true)]
        return sp.Piecewise(*branches, evaluate=False) if len(branches) > 1 else branches[0][0]

    def _relation(self, kind: int, children: list[Any]) -> Expression:
        """Between all neighbours."""
        parts = [self._any(child) for child in children]
        if kind in (libsbml.AST_RELATIONAL_EQ, libsbml.AST_RELATIONAL_NEQ) and all(map(_is_boolean, parts)):
            unequal = [sp.Xor(a, b) for a, b in pairwise(parts)]
            return sp.And(*[one if kind == libsbml.AST_RELATIONAL_NEQ else sp.Not(one) for one in unequal])
        numbers = [_as_number(part) for part in parts]
        return sp.And(*[_RELATIONS[kind](a, b, evaluate=False) for a, b in pairwise(numbers)])

    def _arithmetic(self, node: Any, kind: int, parts: list[Expression]) -> Expression:
        if kind == libsbml.AST_PLUS:
            return sp.Add(*parts)
        if kind == libsbml.AST_TIMES:
            return sp.Mul(*parts)
        if kind == libsbml.AST_MINUS:
            return -parts[0] if len(parts) == 1 else parts[0] - parts[1]
        if kind == libsbml.AST_DIVIDE:
            return parts[0] / parts[1]
        if kind in (libsbml.AST_POWER, libsbml.AST_FUNCTION_POWER):
            return sp.Pow(*parts)
        if kind == libsbml.AST_FUNCTION_ROOT:
            return sp.sqrt(parts[0]) if len(parts) == 1 else sp.Pow(parts[1], 1 / parts[0])
        if kind == libsbml.AST_FUNCTION_LOG:
            return _ten(parts[0]) if len(parts) == 1 else sp.log(parts[1]) / sp.log(parts[0])
        if kind in (libsbml.AST_FUNCTION_MIN, libsbml.AST_FUNCTION_MAX):
            extreme = sp.Min if kind == libsbml.AST_FUNCTION_MIN else sp.Max
            return parts[0] if len(parts) == 1 else extreme(*parts, evaluate=False)
        if kind == libsbml.AST_FUNCTION_QUOTIENT:
            return _whole_part(parts[0] / parts[1])
        if kind == libsbml.AST_FUNCTION_REM:
            return parts[0] - parts[1] * _whole_part(parts[0] / parts[1])
        if kind in _ONE:
            return _ONE[kind](parts[0])
        if kind == libsbml.AST_FUNCTION_DELAY:
            raise UnsupportedError("uses delay(), a value from the past")
        raise UnsupportedError(f"uses {node.getName() or libsbml.formulaToL3String(node)}, which is not known")


def literal(value: float) -> Expression:
    """A number of a text, exactly."""
    if math.isnan(value):
        return sp.nan
    if math.isinf(value):
        return sp.oo if value > 0 else -sp.oo
    return sp.Integer(int(value)) if value == int(value) and abs(value) < 2**53 else sp.Float(value)


def _whole_part(x: Expression) -> Expression:
    """Rounded towards zero."""
    return sp.Piecewise((sp.floor(x), sp.GreaterThan(x, 0, evaluate=False)), (sp.ceiling(x), sp.true), evaluate=False)


def _is_boolean(e: Expression) -> bool:
    return isinstance(e, (sp.logic.boolalg.Boolean, sp.logic.boolalg.BooleanAtom)) and not e.is_Symbol


def _as_number(e: Expression) -> Expression:
    if not _is_boolean(e):
        return e
    return sp.Piecewise((sp.Integer(1), e), (sp.Integer(0), sp.true), evaluate=False)


def _real(e: Expression) -> Expression:
    """What has no real value (1/0, log(-1)) is not a number."""
    if e is sp.zoo:
        return sp.oo
    return sp.nan if e.has(sp.I) else e
