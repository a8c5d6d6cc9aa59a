"""Evidence cards: loaded from the YAML files beside this module, checked, asked for by name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError

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
    UNSETTLED = "unsettled"
    """printed without saying whether it is a variance or a standard deviation: nothing may be drawn from it"""
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

    @model_validator(mode="after")
    def _card_makes_sense(self) -> Card:
        values = self.value if isinstance(self.value, tuple) else (self.value,)
        if not values or not all(math.isfinite(value) for value in values):
            raise ValueError("the value must be one finite number or a list of them")
        if self.bounds is not None and not self.bounds[0] < self.bounds[1]:
            raise ValueError("bounds need the smaller number first")
        if not self.source.strip() or not self.meaning.strip():
            raise ValueError("a card needs a meaning and a source ('none found' with a placeholder reason)")
        return self

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
    return load_cards(files(__package__).joinpath("cards"))


def load_cards(folder: Traversable) -> Mapping[str, Card]:
    """Every card in the YAML files of a folder, by name. Raises InputError with all faults, each with file and line."""
    cards: dict[str, Card] = {}
    faults: list[Fault] = []
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".yaml"):
            continue
        faults += _add_file(cards, file.name, file.read_text(encoding="utf-8"))
    if faults:
        raise InputError(faults)
    return MappingProxyType(cards)


def read_cards(text: str, file: str) -> Mapping[str, Card]:
    """The cards of one text, by name; `file` is what faults call it. Raises InputError with all faults."""
    cards: dict[str, Card] = {}
    faults = _add_file(cards, file, text)
    if faults:
        raise InputError(faults)
    return MappingProxyType(cards)


def _add_file(cards: dict[str, Card], file: str, text: str) -> list[Fault]:
    """Check the cards of one file and put them with the others; the faults of those that cannot be used."""
    content, faults = _read_yaml(file, text)
    for name, fields in content.items():
        place = f"{file}:{_line_of(name, text)} {name}"
        if name in cards:
            faults.append(Fault(place, "the name stands twice", "give each card its own name"))
        elif not isinstance(fields, Mapping):
            faults.append(Fault(place, f"{fields!r} is no card", "write value, unit, meaning, source and sure"))
        else:
            faults += _add(cards, name, fields, place)
    return faults


def _read_yaml(file: str, text: str) -> tuple[Mapping[str, object], list[Fault]]:
    """The cards of one file as plain data; empty, with a fault, if the file is no list of named cards."""
    try:
        content = YAML(typ="safe", pure=True).load(text)
    except DuplicateKeyError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return {}, [Fault(f"{file}:{line}", "the name stands twice", "give each card its own name")]
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return {}, [Fault(f"{file}:{line}", f"no valid YAML ({error.problem})", "mend the file")]
    if content is None:
        return {}, []
    if not isinstance(content, Mapping):
        return {}, [Fault(f"{file}:1", "the file is no list of named cards", "write 'name:' and its fields below")]
    return content, []


def _add(cards: dict[str, Card], name: str, fields: Mapping[str, object], place: str) -> list[Fault]:
    """Check one card and put it with the others; the faults, if it cannot be used."""
    try:
        cards[name] = Card.model_validate({"name": name, **fields})
    except ValidationError as error:
        return [
            Fault(".".join((place, *map(str, one["loc"]))), one["msg"].removeprefix("Value error, "), "mend the card")
            for one in error.errors()
        ]
    return []


def _line_of(name: str, text: str) -> int:
    """The line on which a card begins, counted from 1."""
    lines = text.splitlines()
    return next((number for number, line in enumerate(lines, start=1) if line.startswith(f"{name}:")), 1)


def describe(card: Card) -> list[tuple[str, str]]:
    """A card as rows of label and text, in reading order, for `graftline evidence show` and the reports."""
    rows = [("name", card.name), ("meaning", card.meaning), ("value", _spell_value(card))]
    if card.spread.kind is not SpreadKind.NONE:
        rows.append(("spread", _spell_spread(card)))
    if card.bounds is not None:
        rows.append(("bounds", f"{card.bounds[0]:g} to {card.bounds[1]:g} {_spell_unit(card.unit)}".strip()))
    if card.n is not None:
        rows.append(("n", str(card.n)))
    rows += [("source", card.source), ("how sure", f"{card.sure.value} ({SURE_MEANINGS[card.sure]})")]
    if card.is_placeholder:
        rows.append(("placeholder", card.placeholder or "no source: stays exposed"))
    if card.note is not None:
        rows.append(("note", card.note))
    return rows


SURE_MEANINGS: Mapping[Sure, str] = MappingProxyType(
    {
        Sure.PRIMARY: "read in the primary source",
        Sure.SECONDARY: "read in a secondary source",
        Sure.DERIVED: "derived by arithmetic from sources",
        Sure.MEMORY: "from memory, unverified",
        Sure.STRUCTURAL: "a free prior without a source",
        Sure.DEFINITION: "fixed by a published definition",
    }
)

_SPREAD_LABELS: Mapping[SpreadKind, str] = MappingProxyType(
    {
        SpreadKind.SD: "standard deviation",
        SpreadKind.CV: "coefficient of variation (log-normal)",
        SpreadKind.VARIANCE: "variance",
        SpreadKind.LOG_SD: "standard deviation of the natural logarithm",
        SpreadKind.LOG10_SD: "standard deviation of the decimal logarithm",
        SpreadKind.LOGIT_SD: "standard deviation of the logit",
        SpreadKind.IQR: "quartiles",
        SpreadKind.RANGE: "range",
        SpreadKind.CI95: "95 % confidence interval",
        SpreadKind.SE: "standard error",
        SpreadKind.UNSETTLED: "variance or standard deviation, unsettled",
    }
)
_IN_THE_UNIT_OF_THE_VALUE = {SpreadKind.SD, SpreadKind.IQR, SpreadKind.RANGE, SpreadKind.CI95, SpreadKind.SE}


def _spell_unit(unit: str) -> str:
    return "" if unit == "1" else unit


def _spell_value(card: Card) -> str:
    values = card.value if isinstance(card.value, tuple) else (card.value,)
    return f"{', '.join(f'{value:g}' for value in values)} {_spell_unit(card.unit)}".strip()


def _spell_spread(card: Card) -> str:
    spread = card.spread
    numbers = f"{spread.low:g} to {spread.high:g}" if spread.value is None else f"{spread.value:g}"
    unit = _spell_unit(card.unit) if spread.kind in _IN_THE_UNIT_OF_THE_VALUE else ""
    return f"{_SPREAD_LABELS[spread.kind]} {numbers} {unit}".strip()
