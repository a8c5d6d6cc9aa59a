"""Evidence cards: loaded from the YAML files beside this module, checked, asked for by name."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator, model_validator
from ruamel.yaml import YAML

from ..base.errors import Fault, InputError
from ..base.units import Quantity, is_unit

Value = float | tuple[float, ...]


class EvidenceError(KeyError):
    """Code asked for a card that does not exist."""


class Sure(StrEnum):
    """How sure a number is (after the evidence pack)."""

    PRIMARY = "A"
    """read in the primary source"""
    SECONDARY = "B"
    """read in a secondary source"""
    DERIVED = "C"
    """derived by arithmetic from A or B"""
    MEMORY = "M"
    """from memory, unverified"""
    STRUCTURAL = "S"
    """a free prior without a source; stays exposed"""
    DEFINITION = "D"
    """fixed by a published definition (a grading scale, RECIST), not measured"""


class SpreadKind(StrEnum):
    """What the spread numbers are; a variance taken for a standard deviation is a classic error."""

    SD = "sd"
    CV = "cv"
    """coefficient of variation of a log-normal, as a fraction"""
    VARIANCE = "variance"
    LOG_SD = "log_sd"
    """standard deviation of the natural logarithm"""
    LOG10_SD = "log10_sd"
    LOGIT_SD = "logit_sd"
    IQR = "iqr"
    """first and third quartile"""
    RANGE = "range"
    """smallest and largest, or the bounds of a plausible range"""
    CI95 = "ci95"
    """95 % confidence interval of the value"""
    SE = "se"
    NONE = "none"


_TWO_NUMBERS = {SpreadKind.IQR, SpreadKind.RANGE, SpreadKind.CI95}


class Spread(BaseModel):
    """How much a value varies, and in what sense."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: SpreadKind
    value: float | None = None
    low: float | None = None
    high: float | None = None

    @model_validator(mode="after")
    def _numbers_fit_the_kind(self) -> Spread:
        if self.kind in _TWO_NUMBERS:
            if self.low is None or self.high is None or self.value is not None or self.low > self.high:
                raise ValueError(f"a spread of kind {self.kind} needs low and high, in that order, and no value")
        elif self.kind is SpreadKind.NONE:
            if self.value is not None or self.low is not None or self.high is not None:
                raise ValueError("a spread of kind none carries no numbers")
        elif self.value is None or self.value < 0:
            raise ValueError(f"a spread of kind {self.kind} needs one value that is not negative")
        return self


class Card(BaseModel):
    """One number (or one short list of numbers that belong together) and where it comes from.

    `placeholder`, if given, is the reason why the number is an assumption; cards that are sure only from memory (M) or
    that are structural priors (S) count as placeholders too. `bounds` truncate the distribution.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    value: Value
    unit: str
    meaning: str
    source: str
    sure: Sure
    spread: Spread = Spread(kind=SpreadKind.NONE)
    bounds: tuple[float, float] | None = None
    n: int | None = None
    placeholder: str | None = None
    note: str | None = None

    @field_validator("unit")
    @classmethod
    def _unit_is_known(cls, unit: str) -> str:
        if not is_unit(unit):
            raise ValueError(f"{unit!r} is not a known unit; write for example 'mg/L', or '1' for no unit")
        return unit

    @property
    def is_placeholder(self) -> bool:
        """Whether reports must list the number as assumed."""
        return self.placeholder is not None or self.sure in (Sure.MEMORY, Sure.STRUCTURAL)

    @property
    def number(self) -> float:
        """The value in the card's own unit; the card must hold a single number."""
        assert isinstance(self.value, float), f"card {self.name} holds a list"
        return self.value

    @property
    def numbers(self) -> tuple[float, ...]:
        """The values in the card's own unit; the card must hold a list."""
        assert isinstance(self.value, tuple), f"card {self.name} holds a single number"
        return self.value

    @property
    def spread_value(self) -> float:
        """The single number of the spread; the spread must have one."""
        assert self.spread.value is not None, f"card {self.name} has no single spread value"
        return self.spread.value

    def to(self, unit: str) -> float:
        """The single value in another unit; raises UnitError if the dimensions differ."""
        return Quantity(self.number, self.unit).to(unit)


def card(name: str) -> Card:
    """The card of that name; raises EvidenceError naming near misses if there is none."""
    try:
        return all_cards()[name]
    except KeyError:
        near = [other for other in all_cards() if name in other or other in name]
        raise EvidenceError(f"no evidence card {name!r}" + (f"; near: {', '.join(near)}" if near else "")) from None


@cache
def all_cards() -> Mapping[str, Card]:
    """Every shipped card by name. Raises InputError with all faults if a card file is wrong."""
    cards: dict[str, Card] = {}
    faults: list[Fault] = []
    for file in sorted(files(__package__).joinpath("cards").iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".yaml"):
            continue
        content = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
        for name, fields in content.items():
            if name in cards:
                faults.append(Fault(f"{file.name} {name}", "the name stands twice", "give each card its own name"))
            try:
                cards[name] = Card(name=name, **fields)
            except ValidationError as error:
                faults += [
                    Fault(f"{file.name} {name}.{'.'.join(map(str, one['loc']))}", one["msg"], "mend the card")
                    for one in error.errors()
                ]
    if faults:
        raise InputError(faults)
    return MappingProxyType(cards)
