"""Values of one patient as typed on the command line: read with or without a unit, refused all at once by name."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from ..base.errors import Fault, InputError
from ..base.units import Quantity, UnitError, parse_quantity
from ..records import PRODUCT_VARIABLES, VARIABLES, Variable

OPTION_OF: Mapping[str, str] = {
    "age": "--age",
    "weight": "--weight",
    "height": "--height",
    "afp_serum": "--afp",
    "afp_tumour_ihc": "--afp-tumour-stained",
    "afp_nontumour_ihc": "--afp-liver-stained",
    "hla_a0201p_alleles": "--hla-alleles",
    "egfr": "--egfr",
    "bilirubin": "--bilirubin",
    "albumin": "--albumin",
    "inr": "--inr",
    "ascites": "--ascites",
    "encephalopathy": "--encephalopathy",
    "lymphocytes": "--lymphocytes",
    "neutrophils": "--neutrophils",
    "platelets": "--platelets",
    "alt": "--alt",
    "crp": "--crp",
}
"""variable of a patient -> option"""
PRODUCT_OPTION_OF: Mapping[str, str] = {
    "transduced_cells": "--dose",
    "memory_share": "--memory-share",
    "copies_per_cell": "--copies-per-cell",
}


@dataclass
class Reading:
    """Reads one text after the other and keeps every fault, so that all are told together."""

    faults: list[Fault] = field(default_factory=list)

    def number(self, option: str, text: str | None, variable: Variable) -> float | None:
        """The value in the unit of the variable; None if nothing was given or it cannot be used."""
        if text is None:
            return None
        try:
            value = _in_unit(text, variable)
        except UnitError as error:
            found, _, remedy = str(error).rpartition("; ")
            allowed = f" ({variable.plausible_in_words})"
            self.faults.append(Fault(option, found or str(error), (remedy or "write another value") + allowed))
            return None
        if variable.may_be(value):
            return value
        shown = f"{text!r}"
        if f"{value:g}" not in text:
            shown += f" ({value:g} {variable.unit})"
        whole = "a whole number, " if variable.whole else ""
        remedy = f"write {whole}{variable.plausible_in_words}"
        self.faults.append(Fault(option, f"{shown} is outside the allowed range", remedy))
        return None

    def whole(self, option: str, text: str, between: tuple[int, int]) -> int:
        """A whole number within a range; the lowest if it cannot be used (a fault is kept)."""
        low, high = between
        try:
            value = int(text)
        except ValueError:
            self.faults.append(Fault(option, f"{text!r} is no whole number", f"write {low} to {high}"))
            return low
        if low <= value <= high:
            return value
        self.faults.append(Fault(option, f"{text!r} is outside the allowed range", f"write {low} to {high}"))
        return low

    def choice(self, option: str, text: str, choices: Sequence[str]) -> str:
        """One of the choices; the first if it is none of them (a fault is kept)."""
        if text in choices:
            return text
        near = get_close_matches(text, choices, n=1)
        remedy = f"write {near[0]}" if near else f"write one of {', '.join(choices)}"
        self.faults.append(Fault(option, f"{text!r} is not known", remedy))
        return choices[0]

    def patient(self, texts: Mapping[str, Any]) -> dict[str, float]:
        """Every number of the patient that was given, by variable; `texts` are by option name without dashes."""
        found = {
            name: self.number(option, texts[option.removeprefix("--").replace("-", "_")], VARIABLES[name])
            for name, option in OPTION_OF.items()
        }
        return {name: value for name, value in found.items() if value is not None}

    def lesions(self, texts: Iterable[str], most: int) -> tuple[float, ...]:
        """Diameters in mm."""
        given = list(texts)
        if len(given) > most:
            found = f"{len(given)} lesions, more than the twin can hold"
            self.faults.append(Fault("--lesion", found, f"give the {most} largest"))
        read = [self.number("--lesion", text, VARIABLES["largest_lesion"]) for text in given]
        return tuple(value for value in read if value is not None)

    def product(self, name: str, text: str | None) -> float | None:
        """A number of the product that is given."""
        return self.number(PRODUCT_OPTION_OF[name], text, PRODUCT_VARIABLES[name])

    def finish(self) -> None:
        """Raise InputError with every fault that was kept."""
        if self.faults:
            raise InputError(self.faults)


def _in_unit(text: str, variable: Variable) -> float:
    """The number in the variable's unit: bare, with a unit that fits, or as mass per volume where the molar mass is
    known. Raises UnitError."""
    try:
        bare = float(text)
    except ValueError:
        pass
    else:
        if not math.isfinite(bare):
            raise UnitError(f"{text!r} is not a finite number; write a number")
        return bare
    try:
        return parse_quantity(text, variable.unit).to(variable.unit)
    except UnitError:
        if variable.grams_per_mole is None:
            raise
        try:
            moles = parse_quantity(text, "g/L").to("g/L") / variable.grams_per_mole
        except UnitError:
            moles = math.nan
        if math.isnan(moles):
            raise
        return Quantity(moles, "mol/L").to(variable.unit)
