"""A model as equations: what a text says, free of its format. Symbols are sympy's; numbers are those of the text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

Expression = Any
"""a sympy expression or boolean (sympy has no types of its own)"""

TIME = sp.Symbol("<time>", real=True)
"""time in equations; no id of a model can be spelled like it"""


def symbol(name: str) -> Expression:
    """The symbol of a quantity."""
    return sp.Symbol(name, real=True)


@dataclass(frozen=True, kw_only=True)
class Event:
    """What happens at once when a condition becomes true (SBML Level 3 semantics).

    Expressions are over quantities and `TIME`.
    """

    name: str
    trigger: Expression
    """a boolean; the event fires when it turns from false to true"""
    initial_value: bool
    """what the trigger is taken to have been before the start"""
    persistent: bool
    """whether it still happens if the trigger turns false again between firing and happening"""
    delay: Expression | None
    """time from firing to happening; None: none"""
    priority: Expression | None
    """of events at one time the highest happens first; None: none was given"""
    values_from_trigger_time: bool
    """whether the new values are computed when the event fires, not when it happens"""
    assignments: Mapping[str, Expression]
    """quantity -> its new value; all are computed before any is set"""
    factors: Mapping[str, Expression] = field(default_factory=dict)
    """quantity -> what its new value is multiplied with when the event happens, whenever the value was computed (the
    volume, where a concentration is set and an amount is kept)"""


@dataclass(frozen=True, kw_only=True)
class System:
    """An initial value problem with events.

    A *quantity* is a number that must be known to know the patient: a state (it has a rate) or a constant (it has none,
    and stays as it is unless an event sets it). Everything else with a name is an *observable*: it follows from time
    and quantities. Expressions are over quantities and `TIME` only; observables are written out in them.
    """

    name: str
    states: tuple[str, ...]
    constants: tuple[str, ...]
    initial: Mapping[str, Expression]
    """quantity -> its own initial value, a number or an expression over quantities; in an order in which each uses
    only earlier ones. A quantity without one must be given by the caller."""
    rates: Mapping[str, Expression]
    """state -> its change per time"""
    observables: Mapping[str, Expression] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    dose_volume: Mapping[str, str] = field(default_factory=dict)
    """state that is a concentration -> the constant (its compartment) by which an amount dosed into it is divided"""
    units: Mapping[str, str] = field(default_factory=dict)
    """name -> unit as declared in the text; names without a unit are missing"""

    @property
    def quantities(self) -> tuple[str, ...]:
        """States, then constants."""
        return (*self.states, *self.constants)
