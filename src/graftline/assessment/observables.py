"""What can be seen of a patient's course: one table of observables, each with its read-out, error and cards.

The read-out is what the twin holds true (a property of `graftline.twin.Courses`, by name); the error is what a
laboratory or a reader makes of it. The code that draws readings, the documentation and `graftline twin observables` all
read this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from ..base.units import PER_uL_PER_e9_L
from ..evidence import card


class ErrorKind(StrEnum):
    """How a reading errs around the truth."""

    LOG = "log"
    """log-normal; the card is the standard deviation of the natural logarithm"""
    PROPORTIONAL = "proportional"
    """in proportion to the truth; the card is the coefficient of variation, drawn log-normal: no reading is negative"""
    ADDITIVE = "additive"
    """normal around the truth; the card is the standard deviation in the unit of the quantity"""
    DERIVED = "derived"
    """no error of its own: it follows from the readings of another observable"""
    LINK = "link"
    """ordinal, through levels of another quantity that differ between patients; the card is their spread (log)"""


@dataclass(frozen=True, kw_only=True)
class Observable:
    """One quantity that is measured, read or graded. Cards are given by name."""

    name: str
    meaning: str
    unit: str
    read_out: str
    """true value: a property of `graftline.twin.Courses`, (patients, times) or (patients, times, lesions)"""
    factor: float = 1.0
    """the read-out times this is in `unit`"""
    error: ErrorKind
    error_card: str | None = None
    made_from: str | None = None
    """what it follows from: the readings of an observable (derived), or a read-out (link)"""
    fixed_error_card: str | None = None
    """part of the error that stays the same on all readings of one lesion"""
    slow_cards: tuple[str, str] | None = None
    """part of the error that wanders slowly from visit to visit: its standard deviation (log), its time"""
    lower_limit_card: str | None = None
    upper_limit_card: str | None = None
    other_cards: tuple[str, ...] = ()

    @property
    def cards(self) -> tuple[str, ...]:
        """Every card the reading needs besides those of the observable it is made from."""
        single = (self.error_card, self.fixed_error_card, self.lower_limit_card, self.upper_limit_card)
        named = (*single[:2], *(self.slow_cards or ()), *single[2:], *self.other_cards)
        return tuple(name for name in named if name is not None)

    @property
    def placeholders(self) -> tuple[str, ...]:
        """Those of its cards that are assumptions, with those of the observable it is made from."""
        base = OBSERVABLES.get(self.made_from or "")
        inherited = () if base is None else base.placeholders
        return (*inherited, *(name for name in self.cards if card(name).is_placeholder))

    @property
    def error_in_words(self) -> str:
        """Kind and size of the error, for tables."""
        match self.error:
            case ErrorKind.DERIVED:
                return f"from the readings of {self.made_from}"
            case ErrorKind.LINK:
                return f"ordinal in the logarithm of {self.made_from}, {_sized(self.error_card)} between patients"
            case ErrorKind.LOG:
                parts = [f"log, SD {_sized(self.error_card)}"]
            case ErrorKind.PROPORTIONAL:
                parts = [f"proportional, CV {_sized(self.error_card)}"]
            case ErrorKind.ADDITIVE:
                parts = [f"additive, SD {_sized(self.error_card)} {self.unit}"]
        if self.fixed_error_card is not None:
            parts.append(f"SD {_sized(self.fixed_error_card)} on all readings of a lesion alike")
        if self.slow_cards is not None:
            parts.append(f"SD {_sized(self.slow_cards[0])} that wanders within {_sized(self.slow_cards[1])} days")
        return "; ".join(parts)

    def limit(self, name: str | None) -> float | None:
        """A limit in the unit of the observable, None where there is none."""
        return None if name is None else card(name).to(self.unit)


def _sized(name: str | None) -> str:
    assert name is not None, "an error with a size has a card"
    return f"{card(name).number:g}"


def _chemistry(name: str, meaning: str, unit: str, factor: float = 1.0) -> Observable:
    """A blood test with the error that stands for all that have no card of their own."""
    return Observable(
        name=name,
        meaning=meaning,
        unit=unit,
        read_out=name,
        factor=factor,
        error=ErrorKind.PROPORTIONAL,
        error_card="assay_chemistry_error",
    )


OBSERVABLES: Mapping[str, Observable] = MappingProxyType(
    {
        one.name: one
        for one in (
            Observable(
                name="transgene",
                meaning="transgene copies in DNA of all nucleated blood cells; rises when the other cells fall",
                unit="copies/ug",
                read_out="copies_per_ug",
                error=ErrorKind.LOG,
                error_card="assay_transgene_error",
                lower_limit_card="assay_transgene_lower_limit",
            ),
            Observable(
                name="lymphocytes",
                meaning="absolute lymphocyte count, own and infused",
                unit="cells/uL",
                read_out="lymphocytes",
                factor=PER_uL_PER_e9_L,
                error=ErrorKind.PROPORTIONAL,
                error_card="assay_lymphocytes_error",
                lower_limit_card="assay_lymphocytes_lower_limit",
            ),
            Observable(
                name="afp",
                meaning="alpha-fetoprotein in serum",
                unit="ng/mL",
                read_out="afp",
                error=ErrorKind.LOG,
                error_card="assay_afp_error",
                slow_cards=("assay_afp_slow_error", "assay_afp_slow_time"),
                lower_limit_card="assay_afp_lower_limit",
                upper_limit_card="assay_afp_upper_limit",
            ),
            Observable(
                name="lesion_diameter",
                meaning="diameter of each lesion on the scan, in whole mm; 5 if too small to measure, 0 if unseen",
                unit="mm",
                read_out="lesion_diameters",
                error=ErrorKind.LOG,
                error_card="scan_diameter_error",
                fixed_error_card="scan_lesion_error",
                lower_limit_card="recist_too_small_to_measure",
                other_cards=("scan_gone_below",),
            ),
            Observable(
                name="sum_of_diameters",
                meaning="sum of the diameters of all lesions",
                unit="mm",
                read_out="sum_of_diameters",
                error=ErrorKind.DERIVED,
                made_from="lesion_diameter",
            ),
            Observable(
                name="il6",
                meaning="interleukin 6 in serum",
                unit="pg/mL",
                read_out="il6",
                error=ErrorKind.LOG,
                error_card="assay_il6_error",
                lower_limit_card="assay_il6_lower_limit",
                upper_limit_card="assay_il6_upper_limit",
            ),
            Observable(
                name="crp",
                meaning="C-reactive protein in serum",
                unit="mg/L",
                read_out="crp",
                error=ErrorKind.PROPORTIONAL,
                error_card="assay_crp_error",
                lower_limit_card="assay_crp_lower_limit",
            ),
            _chemistry("alt", "alanine aminotransferase", "U/L"),
            Observable(
                name="bilirubin",
                meaning="total bilirubin in serum",
                unit="umol/L",
                read_out="bilirubin",
                error=ErrorKind.PROPORTIONAL,
                error_card="assay_bilirubin_error",
            ),
            Observable(
                name="albumin",
                meaning="albumin in serum",
                unit="g/L",
                read_out="albumin",
                error=ErrorKind.PROPORTIONAL,
                error_card="assay_albumin_error",
            ),
            _chemistry("neutrophils", "absolute neutrophil count", "cells/uL", PER_uL_PER_e9_L),
            _chemistry("platelets", "platelet count", "cells/nL"),
            Observable(
                name="temperature",
                meaning="body temperature: a placeholder link from the effect of IL-6, 38 degrees at the onset of CRS",
                unit="degC",
                read_out="temperature",
                error=ErrorKind.ADDITIVE,
                error_card="assay_temperature_error",
                other_cards=("twin_temperature", "crs_il6_onset"),
            ),
            Observable(
                name="fever",
                meaning="1 where the temperature read is 38 degrees or more, else 0",
                unit="1",
                read_out="fever",
                error=ErrorKind.DERIVED,
                made_from="temperature",
                other_cards=("astct_fever",),
            ),
            Observable(
                name="crs_grade",
                meaning="proposed grade of cytokine release syndrome: a placeholder link from the effect of IL-6",
                unit="1",
                read_out="il6_effect",
                error=ErrorKind.LINK,
                error_card="crs_il6_sensitivity",
                made_from="il6_effect",
                other_cards=("crs_il6_onset", "crs_il6_pressure", "crs_il6_oxygen"),
            ),
        )
    }
)
"""What the twin lets us see, by name; names and units as in `graftline.records.VARIABLES` where it stands there too."""

WITHOUT_READ_OUT = ("leukocytes", "haemoglobin", "ast", "creatinine")
"""Blood tests with an assay of which the twin has no read-out; units as in `graftline.records.VARIABLES`."""


def observable(name: str) -> Observable:
    """The observable of that name; raises KeyError naming the known ones."""
    if name not in OBSERVABLES:
        raise KeyError(f"no observable {name!r}; known are {', '.join(OBSERVABLES)}")
    return OBSERVABLES[name]
