"""What the operators of MathML give, as sympy expressions of real numbers.

Sympy reckons with complex numbers and exact ones. Where that would differ from real numbers in double precision (1/0,
log(-1), 200!), IEEE 754 decides: a number at once, anything else when its value is known.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import libsbml
import numpy as np
import sympy as sp
from sympy.functions.elementary.piecewise import ExprCondPair

from ..system import Expression

_LONG = 64  # parts of a formula of numbers


class UnsupportedError(Exception):
    """A formula uses something that is not supported; the text says what."""


def literal(value: float) -> Expression:
    """A number of a text, exactly."""
    if math.isnan(value):
        return sp.nan
    if math.isinf(value):
        return sp.oo if value > 0 else -sp.oo
    return sp.Integer(int(value)) if value == int(value) and abs(value) < 2**53 else sp.Float(value)


def is_boolean(e: Expression) -> bool:
    """Whether it is true or false rather than a number."""
    return isinstance(e, (sp.logic.boolalg.Boolean, sp.logic.boolalg.BooleanAtom)) and not e.is_Symbol


def as_number(e: Expression) -> Expression:
    """A boolean as 1 or 0; a number as it is."""
    return branches([(sp.Integer(1), e)], sp.Integer(0)) if is_boolean(e) else e


class Branches(sp.Piecewise):  # type: ignore[misc]  # sympy has no types
    """A piecewise that stays as it is written: sympy's own is taken apart in powers and put together anew with its
    conditions simplified, one within a condition is even written out into all its cases."""

    def __new__(cls, *pairs: Any, **_: Any) -> Any:
        kept = [one if isinstance(one, ExprCondPair) else sp.Tuple.__new__(ExprCondPair, *one) for one in pairs]
        found = sp.Basic.__new__(cls, *kept)
        hash(found)  # kept by sympy; of a long chain it could not be had at once
        return found

    def _eval_power(self, _exponent: Expression) -> None:
        return None

    def _eval_template_is_attr(self, _name: str) -> None:
        return None


def branches(pairs: Sequence[tuple[Expression, Expression]], otherwise: Expression) -> Expression:
    """The value beside the first condition that holds."""
    kept: list[tuple[Expression, Expression]] = []
    for value, condition in (*pairs, (otherwise, sp.true)):
        if condition != sp.false:
            kept.append((value, condition))
        if condition == sp.true:
            break
    return kept[0][0] if len(kept) == 1 else Branches(*kept)


def negated(e: Expression) -> Expression:
    """Not e; a comparison is not turned round, because with NaN both are false."""
    return sp.Not(e, evaluate=not e.is_Relational)


def related(relation: Any, a: Expression, b: Expression) -> Expression:
    """A comparison as written; with NaN only "unequal" is true."""
    if sp.nan in (a, b):
        return sp.true if relation is sp.Ne else sp.false
    return relation(a, b, evaluate=False)


def _made(function: Callable[..., Expression], ieee: Callable[..., Any], *parts: Expression) -> Expression:
    """A sum, product or power as sympy simplifies it; `ieee` is the same in double precision."""
    value = _of_numbers(function, ieee, parts)
    if value is not None:
        return value
    try:
        result = function(*parts)
    except TypeError:  # sympy compares what cannot be compared
        result = sp.zoo
    return function(*parts, evaluate=False) if _is_complex(result, parts) else result


def _of_numbers(
    function: Callable[..., Expression], ieee: Callable[..., Any], parts: Sequence[Expression]
) -> Expression | None:
    """The value, if all parts are numbers: exact if it is a real number, else as in double precision."""
    numbers = [_as_float(part) for part in parts]
    if None in numbers:
        return None
    with np.errstate(all="ignore"):
        value = float(ieee(*(np.float64(one) for one in numbers if one is not None)))
    if not math.isfinite(value) or value == 0.0:
        return literal(value)
    result = function(*parts)
    return result if result.is_real and result.is_finite else literal(value)


def _as_float(e: Expression) -> float | None:
    """The number, if it is one already (and not a very long formula, which is left as it is)."""
    waiting = [e]
    for _ in range(_LONG):
        if not waiting:
            break
        one = waiting.pop()
        if one.is_Symbol:
            return None
        waiting.extend(one.args)
    if waiting:
        return None
    try:
        return float(e)
    except (TypeError, OverflowError):
        return None


def _is_complex(e: Expression, parts: Sequence[Expression]) -> bool:
    """Whether something other than real numbers and plus or minus infinity came in; the parts are free of it."""
    known, waiting = set(parts), [e]
    for part in parts:
        known.update(part.args)  # of a sum in a sum
    while waiting:
        one = waiting.pop()
        if one is sp.zoo or one is sp.I or isinstance(one, sp.AccumBounds):
            return True
        if one not in known:
            known.add(one)
            waiting.extend(one.args)
    return False


def divided(a: Expression, b: Expression) -> Expression:
    """a / b"""
    return _made(_quotient, np.divide, a, b)


def _quotient(a: Expression, b: Expression, *, evaluate: bool = True) -> Expression:
    return sp.Mul(a, sp.Pow(b, -1, evaluate=evaluate), evaluate=evaluate)


def _power(a: Expression, b: Expression) -> Expression:
    return _made(sp.Pow, np.power, a, b)


def _gamma_of_next(x: Expression, *, evaluate: bool = True) -> Expression:
    return sp.gamma(x + 1, evaluate=evaluate)


def _ieee_factorial(x: float) -> float:
    try:
        return math.gamma(x + 1)
    except OverflowError:
        return math.inf
    except ValueError:
        return math.nan


def _one(function: Any, ieee: Callable[..., Any]) -> Callable[[Expression], Expression]:
    """A function as written: sympy would turn exp(ln(x)) into x, also below zero."""

    def of(x: Expression) -> Expression:
        value = _of_numbers(function, ieee, [x])
        return function(x, evaluate=False) if value is None else value

    return of


def _of_inverse(function: Callable[[Expression], Expression]) -> Callable[[Expression], Expression]:
    return lambda x: function(divided(sp.Integer(1), x))


def _inverse_of(function: Callable[[Expression], Expression]) -> Callable[[Expression], Expression]:
    return lambda x: divided(sp.Integer(1), function(x))


def floor_of_quotient(a: Expression, b: Expression) -> Expression:
    """floor(a / b); a whole number is itself, also if the engine's quotient is rounded to just below it."""
    quotient = divided(a, b)
    nearest = _FLOOR(_made(sp.Add, np.add, quotient, sp.Rational(1, 2)))
    return branches([(nearest, related(sp.Eq, b * nearest, a))], _FLOOR(quotient))


def ceiling_of_quotient(a: Expression, b: Expression) -> Expression:
    """ceiling(a / b), as floor_of_quotient."""
    return -floor_of_quotient(-a, b)


def whole_quotient(a: Expression, b: Expression) -> Expression:
    """a / b without its fraction: rounded towards zero."""
    up = related(sp.StrictLessThan, divided(a, b), sp.Integer(0))
    return branches([(ceiling_of_quotient(a, b), up)], floor_of_quotient(a, b))


def remainder(a: Expression, b: Expression) -> Expression:
    """What is left of a when b is taken from it as often as it fits in; with the sign of a.

    Exact, as fmod() of C, as long as it fits in fewer than 2^53 times.
    """
    x, y = _as_float(a), _as_float(b)
    if x is not None and y is not None:
        with np.errstate(all="ignore"):
            return literal(float(np.fmod(x, y)))
    if y == 0:
        return sp.nan
    if y is not None and math.isinf(y):
        return a
    size, step = _ABS(a), _ABS(b)
    times = _FLOOR(divided(size, step))
    rest = size - step * times  # rounded once
    too_often = related(sp.StrictLessThan, rest, sp.Integer(0))
    times = branches([(times - 1, too_often), (times + 1, related(sp.GreaterThan, rest, step))], times)
    return a - branches([(-step, related(sp.StrictLessThan, a, sp.Integer(0)))], step) * times


def _extreme(function: Any, parts: Sequence[Expression]) -> Expression:
    if sp.nan in parts:
        return sp.nan
    return parts[0] if len(parts) == 1 else function(*parts, evaluate=False)


_ABS, _LOG = _one(sp.Abs, np.abs), _one(sp.log, np.log)
_FLOOR, _CEILING = _one(sp.floor, np.floor), _one(sp.ceiling, np.ceil)
_SIN, _COS, _TAN = _one(sp.sin, np.sin), _one(sp.cos, np.cos), _one(sp.tan, np.tan)
_SINH, _COSH, _TANH = _one(sp.sinh, np.sinh), _one(sp.cosh, np.cosh), _one(sp.tanh, np.tanh)
_ASIN, _ACOS, _ATAN = _one(sp.asin, np.arcsin), _one(sp.acos, np.arccos), _one(sp.atan, np.arctan)
_ASINH, _ACOSH, _ATANH = _one(sp.asinh, np.arcsinh), _one(sp.acosh, np.arccosh), _one(sp.atanh, np.arctanh)

_ONE: dict[int, Callable[[Expression], Expression]] = {
    libsbml.AST_FUNCTION_ABS: _ABS,
    libsbml.AST_FUNCTION_CEILING: _CEILING,
    libsbml.AST_FUNCTION_FLOOR: _FLOOR,
    libsbml.AST_FUNCTION_EXP: _one(sp.exp, np.exp),
    libsbml.AST_FUNCTION_LN: _LOG,
    libsbml.AST_FUNCTION_FACTORIAL: _one(_gamma_of_next, _ieee_factorial),
    libsbml.AST_FUNCTION_SIN: _SIN,
    libsbml.AST_FUNCTION_COS: _COS,
    libsbml.AST_FUNCTION_TAN: _TAN,
    libsbml.AST_FUNCTION_SEC: _inverse_of(_COS),
    libsbml.AST_FUNCTION_CSC: _inverse_of(_SIN),
    libsbml.AST_FUNCTION_COT: _inverse_of(_TAN),
    libsbml.AST_FUNCTION_SINH: _SINH,
    libsbml.AST_FUNCTION_COSH: _COSH,
    libsbml.AST_FUNCTION_TANH: _TANH,
    libsbml.AST_FUNCTION_SECH: _inverse_of(_COSH),
    libsbml.AST_FUNCTION_CSCH: _inverse_of(_SINH),
    libsbml.AST_FUNCTION_COTH: _inverse_of(_TANH),
    libsbml.AST_FUNCTION_ARCSIN: _ASIN,
    libsbml.AST_FUNCTION_ARCCOS: _ACOS,
    libsbml.AST_FUNCTION_ARCTAN: _ATAN,
    libsbml.AST_FUNCTION_ARCSEC: _of_inverse(_ACOS),
    libsbml.AST_FUNCTION_ARCCSC: _of_inverse(_ASIN),
    libsbml.AST_FUNCTION_ARCCOT: _of_inverse(_ATAN),
    libsbml.AST_FUNCTION_ARCSINH: _ASINH,
    libsbml.AST_FUNCTION_ARCCOSH: _ACOSH,
    libsbml.AST_FUNCTION_ARCTANH: _ATANH,
    libsbml.AST_FUNCTION_ARCSECH: _of_inverse(_ACOSH),
    libsbml.AST_FUNCTION_ARCCSCH: _of_inverse(_ASINH),
    libsbml.AST_FUNCTION_ARCCOTH: _of_inverse(_ATANH),
}


def applied(kind: int, parts: Sequence[Expression]) -> Expression | None:
    """What libSBML's operator of this kind gives for numbers; None: no such operator is known."""
    if kind == libsbml.AST_PLUS:
        return _made(sp.Add, lambda *numbers: sum(numbers), *parts)
    if kind == libsbml.AST_TIMES:
        return _made(sp.Mul, lambda *numbers: math.prod(numbers), *parts)
    if kind == libsbml.AST_MINUS:
        return -parts[0] if len(parts) == 1 else _made(sp.Add, np.add, parts[0], -parts[1])
    if kind == libsbml.AST_DIVIDE:
        return divided(*parts)
    if kind in (libsbml.AST_POWER, libsbml.AST_FUNCTION_POWER):
        return _power(*parts)
    if kind == libsbml.AST_FUNCTION_ROOT:
        degree, x = parts if len(parts) == 2 else (sp.Integer(2), parts[0])
        return _power(x, divided(sp.Integer(1), degree))
    if kind == libsbml.AST_FUNCTION_LOG:
        base, x = parts if len(parts) == 2 else (sp.Integer(10), parts[0])
        return divided(_LOG(x), _LOG(base))
    if kind in (libsbml.AST_FUNCTION_MIN, libsbml.AST_FUNCTION_MAX):
        return _extreme(sp.Min if kind == libsbml.AST_FUNCTION_MIN else sp.Max, parts)
    if kind == libsbml.AST_FUNCTION_QUOTIENT:
        return whole_quotient(*parts)
    if kind == libsbml.AST_FUNCTION_REM:
        return remainder(*parts)
    return _ONE[kind](parts[0]) if kind in _ONE else None
