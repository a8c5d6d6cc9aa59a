"""The change of an expression per time along the solution."""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp

from ..system import TIME, Expression
from .operations import UnsupportedError, branches, related


def total_derivative(e: Expression, rate: Callable[[str], Expression]) -> Expression:
    """d e / d time; `rate` gives that of a quantity. Where e jumps or bends, that on the side it is on."""
    known: dict[Expression, Expression] = {}

    def of(part: Expression) -> Expression:
        if part not in known:
            known[part] = rate(part.name) if part.is_Symbol and part != TIME else _of_parts(part, of)
        return known[part]

    return of(e)


def _of_parts(e: Expression, of: Callable[[Expression], Expression]) -> Expression:
    """The derivative of what is no quantity; `of` gives that of a part."""
    if e.is_Atom or isinstance(e, (sp.floor, sp.ceiling)):
        return sp.Integer(1 if e == TIME else 0)
    if e.is_Add:
        return sp.Add(*map(of, e.args))
    if isinstance(e, sp.Piecewise):
        return branches([(of(pair.expr), pair.cond) for pair in e.args], sp.nan)
    if isinstance(e, (sp.Min, sp.Max)):
        first = sp.LessThan if isinstance(e, sp.Min) else sp.GreaterThan
        cases = [(of(one), sp.And(*[related(first, one, other) for other in e.args])) for one in e.args]
        return branches(cases, sp.nan)
    if isinstance(e, sp.Abs):
        change = of(e.args[0])
        return branches([(change, related(sp.GreaterThan, e.args[0], sp.Integer(0)))], -change)
    changes = [(place, of(part)) for place, part in enumerate(e.args)]
    return sp.Add(*[_slope(e, place) * change for place, change in changes if change != 0])


def _slope(e: Expression, place: int) -> Expression:
    """d e / d its argument at this place."""
    if e.is_Mul:
        return sp.Mul(*e.args[:place], *e.args[place + 1 :])
    if e.is_Pow:
        base, exponent = e.args
        return exponent * sp.Pow(base, exponent - 1) if place == 0 else e * sp.log(base)
    if isinstance(e, sp.polygamma):
        raise UnsupportedError("uses a second rate of a factorial")
    return e.fdiff(place + 1)
