"""Quantities with units, read at the edges of the program; inside, the unit stands in the name.

Conversions that code may use as plain numbers are declared here once, by name.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache, lru_cache
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
    numbers that are not finite. Other spellings ("0,6 x 10^9 cells") are refused with the one that is read here.
    """
    if isinstance(text, bool) or not str(text).strip():
        raise UnitError(f"{text!r} is no quantity; {_remedy(fits)}")
    return _parse(str(text), repr(text), fits)


@lru_cache(maxsize=4096)
def _parse(text: str, shown: str, fits: str) -> Quantity:
    """Kept by text alone: numbers that only compare equal (1, True, 1.0) never stand in for each other."""
    words = text.split(maxsplit=1)
    try:
        number = float(words[0])
    except ValueError:
        raise UnitError(f"{shown} {_why_no_number(words[0])}; {_remedy(fits, text)}") from None
    if not math.isfinite(number):
        raise UnitError(f"{shown} is not a finite number; {_remedy(fits)}")
    if len(words) == 1:
        raise UnitError(f"{shown} has no unit; {_remedy(fits)}")
    quantity = Quantity(number, words[1].strip())
    if not is_unit(quantity.unit):
        raise UnitError(f"{quantity.unit!r} is not a known unit; {_remedy(fits, text)}")
    if not same_dimension(quantity.unit, fits):
        raise UnitError(f"{shown} is not a quantity in {fits}; {_remedy(fits, text)}")
    return quantity


def _why_no_number(word: str) -> str:
    if word.lower().lstrip("+-").removeprefix(".") in ("nan", "inf"):
        return "is not a finite number"
    if re.match(r"[+-]?\d+,\d", word):
        return "has a comma in its number"
    return "has no space between number and unit" if _NUMBER.match(word) else "does not begin with a number"


def _remedy(fits: str, text: str = "") -> str:
    """What to write instead: the same quantity respelled where that is beyond doubt, or else an example."""
    respelled = _respelled(text, fits)
    if respelled:
        return f"write {respelled!r}"
    comma = "a decimal point, no comma, " if re.match(r"\s*[+-]?\d+,\d", text) else ""
    return f"write {comma}a number and a unit, for example {_example(fits)!r}"


_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_POWER_OF_TEN = re.compile(r"(?<=\d)\s*[x×*·]\s*10\s*(?:\^|\*\*)\s*([+-]?\d+)")
_THOUSANDS = re.compile(r"\s*[+-]?[1-9]\d{0,2}(,\d{3})+(?!\d)")
_RAISED = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+")
_LOWERED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_PER_VOLUME = {"/uL": "cells/uL", "/mm^3": "cells/uL", "/mcL": "cells/uL", "/nL": "cells/nL", "/L": "cells/L"}
"""how laboratories shorten counts of cells"""


def _respelled(text: str, fits: str) -> str | None:
    """The text as it is read here, if a known slip of spelling is all that is wrong with it.

    1,000 may be a thousand or one: such a comma is not decided on.
    """
    if _THOUSANDS.match(text):
        return None
    plain = _RAISED.sub(lambda raised: "^" + raised[0].translate(_LOWERED), text.strip())
    plain = plain.replace("µ", "u").replace("μ", "u")
    plain = re.sub(r"^([+-]?\d+),(?=\d)", r"\1.", plain)
    plain = _POWER_OF_TEN.sub(r"e\1 ", plain)
    number = _NUMBER.match(plain)
    if number is None:
        return None
    unit = re.sub(r"(?<=[A-Za-z])([23])(?!\d)", r"^\1", plain[number.end() :].strip())
    for candidate in (unit, _PER_VOLUME.get(unit, unit), unit.lower()):
        spelled = f"{number[0]} {candidate}"
        if candidate and spelled != text.strip() and is_unit(candidate) and same_dimension(candidate, fits):
            return spelled
    return None


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
