"""Quantities with units, read at the edges of the program; inside, the unit stands in the name.

Conversions that code may use as plain numbers are declared here once, by name.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from tokenize import TokenError

import pint

DAYS_PER_WEEK = 7
DAYS_PER_YEAR = 365.25
DAYS_PER_MONTH = DAYS_PER_YEAR / 12
HOURS_PER_DAY = 24
MINUTES_PER_DAY = 1440
PERCENT = 100
BILLION = 1e9
PER_uL_PER_e9_L = 1000  # 1e9 cells per litre are 1000 cells per microlitre
MM_PER_CM = 10
CM_PER_M = 100
ML_PER_L = 1000
SPHERE_VOLUME_PER_CUBED_DIAMETER = math.pi / 6


class UnitError(ValueError):
    """A text is no quantity, or its unit does not fit. The message says what to write instead."""


@cache
def _registry() -> pint.UnitRegistry[float]:
    registry: pint.UnitRegistry[float] = pint.UnitRegistry(cache_folder=None)
    for line in (
        "cell = [cell_count] = cell = cells",
        "copy = [copy_count] = copy = copies",
        "person = [people] = person = people = patient = patients",
        "slot = [slots] = slot = slots",
        "dose_unit = [enzyme] = U",
        "percent = 0.01 = %",
        "kill_unit = [kill]",
    ):
        registry.define(line)
    return registry


@dataclass(frozen=True)
class Quantity:
    """A number with its unit, for example 500 mg/m^2/day. `to` gives the plain number in another unit."""

    value: float
    unit: str

    def to(self, unit: str) -> float:
        """The magnitude in `unit`; raises UnitError if the dimensions differ."""
        if unit == self.unit:
            return self.value
        try:
            return float(_registry().Quantity(self.value, _spell(self.unit)).to(_spell(unit)).magnitude)
        except (pint.DimensionalityError, pint.UndefinedUnitError, AttributeError, KeyError, ArithmeticError) as error:
            raise UnitError(f"{self} cannot be expressed in {unit}") from error

    def __str__(self) -> str:
        return f"{self.value:g} {self.unit}"


def parse_quantity(text: object, fits: str) -> Quantity:
    """Read "400 ng/mL" as a quantity of the same dimension as the unit `fits`.

    Raises UnitError for a missing number, a missing unit, an unknown unit or one of another dimension, and for
    numbers that are not finite.
    """
    words = str(text).strip().split(maxsplit=1)
    example = f"write a number and a unit, for example {_example(fits)!r}"
    if not words or isinstance(text, bool):
        raise UnitError(f"{text!r} is no quantity; {example}")
    try:
        number = float(words[0])
    except ValueError:
        raise UnitError(f"{text!r} does not begin with a number; {example}") from None
    if not math.isfinite(number):
        raise UnitError(f"{text!r} is not a finite number; {example}")
    if len(words) == 1:
        raise UnitError(f"{text!r} has no unit; {example}")
    quantity = Quantity(number, words[1].strip())
    if not is_unit(quantity.unit):
        raise UnitError(f"{words[1]!r} is not a known unit; {example}")
    try:
        quantity.to(fits)
    except UnitError:
        raise UnitError(f"{text!r} is not a quantity in {fits}; {example}") from None
    return quantity


def is_unit(text: str) -> bool:
    """Whether `text` names a unit we know ("mg/m^2/day"); "1" means without unit."""
    try:
        _registry().parse_units(_spell(text))
    except (*_UNREADABLE, ValueError, TypeError, AttributeError, AssertionError, KeyError, ArithmeticError):
        return False
    return bool(text.strip())


_UNREADABLE = (pint.UndefinedUnitError, pint.DefinitionSyntaxError, TokenError)


def same_dimension(one: str, other: str) -> bool:
    """Whether the two units measure the same kind of thing."""
    try:
        Quantity(1.0, one).to(other)
    except UnitError:
        return False
    return True


def _spell(unit: str) -> str:
    """Our spelling to pint's: 1 for no unit, % for percent, µ for micro."""
    unit = unit.strip()
    return {"1": "dimensionless", "%": "percent"}.get(unit, unit.replace("µ", "u"))


def _example(fits: str) -> str:
    return f"5 {fits}" if fits != "1" else "0.5 1"
