"""The kinds of value a protocol file holds: quantities with units, protocol days, names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from ..base.units import Quantity, parse_quantity


class Part(BaseModel):
    """A part of the protocol: frozen, and a key nobody knows is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class PartError(ValueError):
    """What is wrong with the keys of one part, each by itself, so that each is told at its own line."""

    def __init__(self, slips: Mapping[str, str]) -> None:
        self.slips = slips
        super().__init__(". ".join(slips.values()))


def _reads(fits: str) -> BeforeValidator:
    def read(value: object) -> Quantity:
        return value if isinstance(value, Quantity) else parse_quantity(value, fits)

    return BeforeValidator(read)


_AS_TEXT = PlainSerializer(str, return_type=str)


def _positive(quantity: Quantity) -> Quantity:
    if quantity.value <= 0:
        raise ValueError(f"{quantity} is not above zero; write a positive quantity")
    return quantity


def _not_negative(quantity: Quantity) -> Quantity:
    if quantity.value < 0:
        raise ValueError(f"{quantity} is negative; write zero or more")
    return quantity


Duration = Annotated[Quantity, _reads("days"), _AS_TEXT, AfterValidator(_not_negative)]
Cells = Annotated[Quantity, _reads("cells"), _AS_TEXT, AfterValidator(_positive)]
DailyDose = Annotated[Quantity, _reads("mg/m^2/day"), _AS_TEXT, AfterValidator(_positive)]
PeopleRate = Annotated[Quantity, _reads("people/month"), _AS_TEXT, AfterValidator(_not_negative)]
SlotRate = Annotated[Quantity, _reads("slots/week"), _AS_TEXT, AfterValidator(_positive)]
Concentration = Annotated[Quantity, _reads("ng/mL"), _AS_TEXT, AfterValidator(_positive)]
Weight = Annotated[Quantity, _reads("kg"), _AS_TEXT, AfterValidator(_positive)]
CellsPerWeight = Annotated[Quantity, _reads("cells/kg"), _AS_TEXT, AfterValidator(_positive)]
PerTime = Annotated[Quantity, _reads("1/s"), _AS_TEXT, AfterValidator(_positive)]
Share = Annotated[Quantity, _reads("percent"), _AS_TEXT, AfterValidator(_not_negative)]
Copies = Annotated[Quantity, _reads("copies/cell"), _AS_TEXT, AfterValidator(_not_negative)]


def _no_day_zero(day: int) -> int:
    if day == 0:
        raise ValueError("there is no Day 0; Day 1 is the day of infusion, the day before is -1")
    return day


ProtocolDay = Annotated[int, Field(strict=True), AfterValidator(_no_day_zero)]
Count = Annotated[int, Field(strict=True, ge=1)]
CountOrZero = Annotated[int, Field(strict=True, ge=0)]
Name = Annotated[str, Field(min_length=1, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]*$")]
Text = Annotated[str, Field(min_length=1)]


def _matches(pattern: str, remedy: str) -> AfterValidator:
    """Text of one pattern, refused in words and not by the pattern."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"found {text!r}; {remedy}")
        return text

    return AfterValidator(check)


_FIELDS = r"\*\d{2,3}(:\d{2,3}){%s}"
_HLA = r"(HLA-)?[ABC]" + _FIELDS
_EXPRESSED = "[NLSCAQ]?"
"""how an allele is expressed, as in A*24:09N"""
Peptide = Annotated[
    str, _matches("[ACDEFGHIKLMNPQRSTVWY]{8,11}", "write 8 to 11 amino-acid letters (ACDEFGHIKLMNPQRSTVWY)")
]
Symbol = Annotated[str, _matches("[A-Za-z_][A-Za-z0-9_]*", "write a name of the model text, for example E or dX")]
ModelFile = Annotated[
    str, _matches(r"[A-Za-z0-9_][\w.\-]*\.ant", "write a file name without folder, for example mine.ant")
]
CardFile = Annotated[
    str, _matches(r"[A-Za-z0-9_][\w.\-]*\.yaml", "write a file name without folder, for example mine_cards.yaml")
]
CountryCode = Annotated[str, _matches("[A-Z]{2}", "write two capital letters, for example FR")]
HlaMolecule = Annotated[
    str, _matches(_HLA % "0,3" + _EXPRESSED, "write an HLA class I molecule, for example HLA-A*02 or HLA-A*02:01")
]
HlaGroup = Annotated[
    str, _matches(_HLA % "1,3" + r"( ?[PG]( group)?)?", "write an HLA group, for example A*02:01 P group")
]
HlaAllele = Annotated[
    str, _matches(_HLA % "1,3" + _EXPRESSED, "write an HLA allele with its fields, for example A*02:01")
]


def _a_day(value: object) -> date:
    if type(value) is not date:
        raise ValueError(f"{value!r} is no day; write a day as 2019-06-01, without quotes")
    return value


Day = Annotated[date, BeforeValidator(_a_day)]
