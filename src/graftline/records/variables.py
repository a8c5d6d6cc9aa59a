"""The variables that a protocol may ask about: name, meaning, unit, kind. Nobody can measure what is not listed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class VariableKind(StrEnum):
    """How a variable is compared: by size, by name, or as yes/no."""

    NUMBER = "number"
    CATEGORY = "category"
    FLAG = "flag"


@dataclass(frozen=True, kw_only=True)
class Variable:
    """Something that is measured or asked of a patient, and the unit in which records hold it."""

    name: str
    meaning: str
    kind: VariableKind = VariableKind.NUMBER
    unit: str = "1"
    categories: tuple[str, ...] = ()
    lowest: float = -math.inf
    highest: float = math.inf
    """range in `unit` beyond which a bound is a slip of the pen or of the unit; no medical limits of normal"""
    grams_per_mole: float | None = None
    """molar mass, where laboratories report both mass and moles per volume"""
    measured: tuple[float, float] | None = None
    """range in `unit` outside which a value measured of an adult is a slip of the pen or unit; None: as bounds"""
    whole: bool = False
    """whether only whole numbers have a meaning"""

    @property
    def plausible(self) -> tuple[float, float]:
        """Range in `unit` within which a measured value is taken."""
        return (self.lowest, self.highest) if self.measured is None else self.measured

    @property
    def plausible_in_words(self) -> str:
        """The range with its unit, for example '18 to 110 years'."""
        low, high = self.plausible
        return f"{low:g} to {high:g} {'' if self.unit == '1' else self.unit}".strip()

    def may_be(self, value: float) -> bool:
        """Whether a measured value, in `unit`, can be meant."""
        low, high = self.plausible
        return low <= value <= high and (not self.whole or float(value).is_integer())


def _number(
    name: str,
    unit: str,
    between: tuple[float, float],
    meaning: str,
    grams_per_mole: float | None = None,
    *,
    measured: tuple[float, float] | None = None,
) -> Variable:
    lowest, highest = between
    return Variable(
        name=name,
        unit=unit,
        meaning=meaning,
        lowest=lowest,
        highest=highest,
        grams_per_mole=grams_per_mole,
        measured=measured,
    )


def _whole(name: str, between: tuple[float, float], meaning: str) -> Variable:
    lowest, highest = between
    return Variable(name=name, meaning=meaning, lowest=lowest, highest=highest, whole=True)


def _flag(name: str, meaning: str) -> Variable:
    return Variable(name=name, meaning=meaning, kind=VariableKind.FLAG)


def _category(name: str, categories: tuple[str, ...], meaning: str) -> Variable:
    return Variable(name=name, meaning=meaning, kind=VariableKind.CATEGORY, categories=categories)


AETIOLOGIES = ("alcohol", "viral", "viral_and_alcohol", "nash", "other")
SEXES = ("female", "male")
BCLC_STAGES = ("B", "C")
BILIRUBIN, CREATININE = 584.66, 113.12
"""molar masses in g/mol, from the sum formulas C33H36N4O6 and C4H7N3O"""

VARIABLES: Mapping[str, Variable] = MappingProxyType(
    {
        variable.name: variable
        for variable in (
            _number("age", "years", (0, 130), "age at consent", measured=(18, 110)),
            _category("sex", SEXES, "sex"),
            _category("aetiology", AETIOLOGIES, "cause of the liver disease"),
            _whole("ecog", (0, 4), "ECOG performance status, 0 to 4"),
            _number("child_pugh", "1", (5, 15), "Child-Pugh score, 5 to 15"),
            _number("bilirubin", "umol/L", (0, 1500), "total bilirubin in serum", BILIRUBIN, measured=(1, 1500)),
            _number("albumin", "g/L", (0, 100), "albumin in serum", measured=(10, 70)),
            _number("inr", "1", (0, 20), "international normalised ratio of the prothrombin time", measured=(0.5, 15)),
            _whole("ascites", (0, 2), "ascites: 0 none, 1 slight, 2 moderate or more"),
            _whole("encephalopathy", (0, 2), "hepatic encephalopathy: 0 none, 1 grade 1-2, 2 grade 3-4"),
            _category("bclc", BCLC_STAGES, "Barcelona Clinic Liver Cancer stage"),
            _flag("macrovascular_invasion", "tumour in a large vessel"),
            _flag("extrahepatic_spread", "tumour outside the liver"),
            _number("lesion_count", "1", (0, 1000), "number of measurable lesions"),
            _number("largest_lesion", "mm", (0, 500), "diameter of the largest lesion", measured=(5, 300)),
            _number(
                "sum_of_diameters",
                "mm",
                (0, 2500),
                "sum of the diameters of the target lesions (RECIST 1.1: at most 5)",
            ),
            _number("afp_serum", "ng/mL", (0, 1e8), "alpha-fetoprotein in serum", measured=(0.1, 1e8)),
            _number("afp_tumour_ihc", "percent", (0, 100), "share of tumour cells stained for AFP at 1+ or more"),
            _number(
                "afp_nontumour_ihc",
                "percent",
                (0, 100),
                "share of non-tumour liver cells stained for AFP at any intensity",
            ),
            _whole("hla_a0201p_alleles", (0, 2), "number of alleles of the A*02:01 P group (0, 1 or 2)"),
            _flag("hla_excluded_allele", "carries an HLA allele that the protocol excludes (A*02:05 P group)"),
            _number("lymphocytes", "cells/uL", (0, 1e6), "absolute lymphocyte count", measured=(10, 100_000)),
            _number("neutrophils", "cells/uL", (0, 1e6), "absolute neutrophil count", measured=(10, 200_000)),
            _number("platelets", "cells/nL", (0, 5000), "platelet count", measured=(1, 3000)),
            _number("haemoglobin", "g/dL", (0, 30), "haemoglobin"),
            _number("creatinine", "umol/L", (0, 5000), "creatinine in serum", CREATININE),
            _number(
                "egfr",
                "mL/min",
                (0, 300),
                "estimated glomerular filtration rate (CKD-EPI 2021), per 1.73 m^2",
                measured=(1, 200),
            ),
            _number("alt", "U/L", (0, 50000), "alanine aminotransferase", measured=(1, 20_000)),
            _number("ast", "U/L", (0, 50000), "aspartate aminotransferase"),
            _number("crp", "mg/L", (0, 1000), "C-reactive protein", measured=(0.1, 800)),
            _number("weight", "kg", (0, 500), "body weight", measured=(25, 350)),
            _number("height", "cm", (0, 300), "body height", measured=(100, 250)),
            _number("prior_lines", "1", (0, 30), "number of earlier systemic lines"),
            _flag("progressed_on_systemic", "progressed on standard systemic therapy"),
            _flag("intolerant_of_systemic", "does not tolerate standard systemic therapy"),
            _flag("refuses_systemic", "refuses standard systemic therapy"),
            _number("marrow_blasts", "percent", (0, 100), "share of lymphoblasts among nucleated cells of the marrow"),
            _flag("cd19_positive", "leukaemia that shows CD19"),
            _whole("karnofsky", (0, 100), "Karnofsky or Lansky performance status, 0 to 100"),
            _flag("relapsed_or_refractory", "leukaemia that is refractory, or relapsed twice or after transplant"),
            _flag("measurable_disease", "at least one lesion measurable by RECIST 1.1"),
            _flag("resectable_or_transplantable", "amenable to resection or transplant"),
            _number("life_expectancy", "months", (0, 1200), "life expectancy as the physician estimates it"),
            _flag("active_infection", "active infection"),
            _flag("fever", "body temperature of 38 degrees or more"),
        )
    }
)

PRODUCT_VARIABLES: Mapping[str, Variable] = MappingProxyType(
    {
        variable.name: variable
        for variable in (
            _number("transduced_cells", "cells", (1e6, 1e12), "transduced viable cells that are given"),
            _number("memory_share", "1", (0, 1), "memory-like share of the transduced cells"),
            _number("copies_per_cell", "copies/cell", (0.1, 20), "vector copies per transduced cell"),
        )
    }
)
"""What is known of the product that is given; no eligibility criterion asks for it."""
