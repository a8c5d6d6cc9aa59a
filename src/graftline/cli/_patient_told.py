"""What is told of the twin of one patient: as text, as JSON, as files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from textwrap import wrap
from typing import Any

import numpy as np
import typer
import vl_convert
from rich.console import Console
from rich.table import Column, Table

from .. import __version__
from ..base.clock import protocol_day
from ..base.errors import Fault
from ..base.units import BILLION, PERCENT
from ..conditioning import fludarabine_fraction, planned_doses
from ..evidence import card
from ..exchange import chance_rows, code_digest, course_bands, outcome_rows, parameter_digest
from ..records import VARIABLES
from ..report.figures.one_patient import one_patient_picture
from ..trial import ASSUMED_FROM, OnePatient, free_priors
from ..twin import CARD_OF

ARMS = {"cells": "cells", "no cells": "no cells"}
NOTES = (
    "No treatment advice: an uncalibrated model for research, not a forecast of what will happen to this patient.",
    "The link from IL-6 to CRS, and hazards of decompensation, new lesions and death, are placeholders.",
    "What was not given is drawn as for the virtual population: neither fitted to what was given nor to eligibility.",
    "Signal, entry into the tumour, kill and growth of T cells there cannot be told apart, only a product of powers.",
)
_WIDE = 110
_ENDINGS = (".csv", ".parquet", ".svg", ".png")
_WORDS = {
    "afp_serum": "AFP",
    "afp_tumour_ihc": "tumour stained for AFP",
    "afp_nontumour_ihc": "liver stained for AFP",
    "hla_a0201p_alleles": "HLA-A*02:01 alleles",
    "lesion_diameters": "lesions (sum of diameters)",
    "memory_share": "memory share",
    "copies_per_cell": "copies per cell",
    "egfr": "eGFR",
    "inr": "INR",
    "alt": "ALT",
    "crp": "CRP",
}
"""names of variables as readers know them"""


def faults_of_files(outs: list[Path]) -> Iterator[Fault]:
    """The faults of files that cannot be written: no known ending, no folder to lie in."""
    for out in outs:
        if out.suffix not in _ENDINGS:
            yield Fault(f"--out {out}", "has no known ending", f"write one of {', '.join(_ENDINGS)}")
        elif not out.parent.is_dir():
            yield Fault(f"--out {out}", f"there is no folder {out.parent}", "make it, or name another")


def given_values(patient: OnePatient) -> dict[str, str]:
    """What was given of patient and product, in words."""
    known, planned = patient.known, patient.planned
    found = {} if known.sex is None else {"sex": known.sex}
    found |= {name: f"{value:.4g} {VARIABLES[name].unit}".removesuffix(" 1") for name, value in known.numbers.items()}
    if known.lesion_diameters:
        found["lesion_diameters"] = " + ".join(f"{value:g}" for value in known.lesion_diameters) + " mm"
    if planned.memory_share is not None:
        found["memory_share"] = f"{planned.memory_share:g}"
    if planned.copies_per_cell is not None:
        found["copies_per_cell"] = f"{planned.copies_per_cell:g} copies/cell"
    return found


def assumed_values(patient: OnePatient) -> list[dict[str, Any]]:
    """What was not given: spread over the samples, and the cards behind it."""
    given = given_values(patient)
    rows = []
    for name, cards in ASSUMED_FROM.items():
        if name in given:
            continue
        values, unit = _drawn(patient, name)
        low, median, high = (float(value) for value in np.percentile(values, (5, 50, 95)))
        rows.append({"name": name, "unit": unit, "median": median, "p05": low, "p95": high, "cards": list(cards)})
    return rows


def _drawn(patient: OnePatient, name: str) -> tuple[Any, str]:
    """Values over the samples and their unit; of sex the share of men, of lesions the sum of diameters."""
    match name:
        case "sex":
            return (patient.baseline.sex == "male").astype(float), "1 = male"
        case "lesion_diameters":
            return patient.baseline.sum_of_diameters, "mm"
        case "memory_share":
            return patient.memory_share, ""
        case "copies_per_cell" | "hla_a0201p_alleles":
            return np.array([card(ASSUMED_FROM[name][0]).number]), ""
        case _:
            return getattr(patient.baseline, name), VARIABLES[name].unit.removeprefix("1")


def chemotherapy(patient: OnePatient) -> list[dict[str, Any]]:
    """Every infusion of chemotherapy; of fludarabine the range over the samples, by renal function."""
    planned = patient.planned
    conditioning = planned.protocol.conditioning
    regimen = next(one for one in conditioning.regimens if one.name == planned.regimen)
    share = fludarabine_fraction(conditioning.fludarabine_by_renal_function, patient.baseline.egfr)
    rows = []
    for dose in planned_doses(regimen, (), float("nan")):
        low, high = (float(share.min()), float(share.max())) if dose.drug == "fludarabine" else (1.0, 1.0)
        rows.append(
            {
                "drug": dose.drug,
                "day": dose.day,
                "mg_per_m2": [dose.dose * low, dose.dose * high],
                "hours": dose.hours,
            }
        )
    return rows


def as_json(patient: OnePatient, command: str, digest: str) -> dict[str, Any]:
    """Everything as plain data."""
    planned = patient.planned
    return {
        "samples": len(patient),
        "solved": {arm: int(one.solved.sum()) for arm, one in patient.arms.items()},
        "given": given_values(patient),
        "assumed": assumed_values(patient),
        "treatment": {
            "protocol": planned.protocol.short_name,
            "regimen": planned.regimen,
            "chemotherapy": chemotherapy(patient),
            "transduced_cells": planned.cells,
            "modules": list(planned.modules),
            "first_day": protocol_day(patient.begins),
            "last_day": planned.last_day,
        },
        "outcomes": [asdict(row) for row in outcome_rows(patient)],
        "probabilities": [asdict(row) for row in chance_rows(patient)],
        "notes": list(NOTES),
        "free_priors": {symbol: card(CARD_OF[symbol]).meaning for symbol in _priors(patient)},
        "recipe": {
            "command": command,
            "seed": patient.streams.seed,
            "protocol_digest": digest,
            "parameter_set": f"evidence cards as shipped, SHA-256 {parameter_digest()}",
            "code_version": f"{__version__}, SHA-256 {code_digest()}",
        },
    }


def tell(patient: OnePatient, console: Console) -> None:
    """Print what was given, what was assumed, the outcomes, and what they do not say."""
    planned = patient.planned
    head = (
        f"{len(patient)} samples of one patient, {planned.protocol.short_name}, {planned.regimen}, "
        f"{planned.cells / BILLION:g}e9 transduced cells on Day 1, followed to Day {planned.last_day}"
    )
    _say(head)
    given = ", ".join(f"{_WORDS.get(name, name)} {value}" for name, value in given_values(patient).items())
    _say(f"given: {given or 'nothing'}")
    assumed = ", ".join(_assumed_in_words(row) for row in assumed_values(patient))
    if assumed:
        _say(f"not given, so drawn around their cards, median (5 to 95 %): {assumed}")
    _say(f"chemotherapy: {_chemotherapy_in_words(patient)}")
    console.print(_outcome_table(patient))
    console.print(_chance_table(patient))
    unsolved = ", ".join(
        f"{len(patient) - int(one.solved.sum())} of {len(patient)} ({arm})" for arm, one in patient.arms.items()
    )
    _say(f"samples that could not be solved and are left out: {unsolved}")
    for note in NOTES:
        _say(note)
    priors = _priors(patient)
    _say(f"Free priors, without a source or from memory ({len(priors)}): {', '.join(priors)}")
    _say("What a symbol means: graftline evidence list twin_, or --json")


def _priors(patient: OnePatient) -> tuple[str, ...]:
    """Symbols of the free priors, without the memory share of the product where that was given."""
    measured = () if patient.planned.memory_share is None else ("fM",)
    return tuple(symbol for symbol in free_priors(patient.planned.modules) if symbol not in measured)


def _say(text: str) -> None:
    for line in wrap(text, _WIDE, subsequent_indent="    ", break_on_hyphens=False):
        typer.echo(line)


def _assumed_in_words(row: Mapping[str, Any]) -> str:
    name = _WORDS.get(row["name"], row["name"])
    if row["p05"] == row["p95"]:
        return f"{name} {_short(row['median'])} {row['unit']}".strip()
    return f"{name} {_short(row['median'])} ({_short(row['p05'])} to {_short(row['p95'])}) {row['unit']}".strip()


def _chemotherapy_in_words(patient: OnePatient) -> str:
    by_dose: dict[tuple[str, str], list[int]] = {}
    for row in chemotherapy(patient):
        low, high = row["mg_per_m2"]
        amount = f"{low:g} mg/m^2" if low == high else f"{low:g} to {high:g} mg/m^2, by eGFR,"
        by_dose.setdefault((row["drug"], amount), []).append(row["day"])
    return "; ".join(f"{drug} {amount} on Day {', '.join(map(str, days))}" for (drug, amount), days in by_dose.items())


def _short(value: float) -> str:
    """A number with three digits that matter."""
    return f"{value:,.0f}" if abs(value) >= PERCENT else f"{value:.3g}"


def _outcome_table(patient: OnePatient) -> Table:
    arms = list(patient.arms)
    table = Table("median (5 to 95 %)", *(Column(ARMS[arm], justify="right") for arm in arms), "unit")
    for row in outcome_rows(patient):
        days = not row.unit
        shown: Callable[[float], str] = (lambda value: f"{value:.0f}") if days else _short
        cells = [
            f"{shown(one.median)} ({shown(one.low)} to {shown(one.high)})" if (one := row.arms.get(arm)) else "-"
            for arm in arms
        ]
        table.add_row(row.label, *cells, row.unit)
    return table


def _chance_table(patient: OnePatient) -> Table:
    arms = list(patient.arms)
    title = f"probability by Day {patient.planned.last_day} (95 % limits of the sampling)"
    table = Table(title, *(Column(ARMS[arm], justify="right") for arm in arms))
    for row in chance_rows(patient):
        if any(one.share > 0 for one in row.arms.values()) or not row.name.endswith("unknown"):
            cells = [f"{one.share:.1%} ({one.low:.1%} to {one.high:.1%})" for one in map(row.arms.__getitem__, arms)]
            table.add_row(row.label, *cells)
    return table


def write(patient: OnePatient, outs: list[Path], *, as_measured: bool) -> None:
    """Percentile courses as a table, or drawn, by the ending of each file."""
    bands = course_bands(patient, as_measured=as_measured)
    drawn = any(out.suffix in (".svg", ".png") for out in outs)
    drawing = _drawing(patient, bands, as_measured=as_measured) if drawn else {}
    for out in outs:
        unfinished = out.with_name(f".{out.stem}.unfinished{out.suffix}")
        try:
            match out.suffix:
                case ".csv":
                    bands.write_csv(unfinished)
                case ".parquet":
                    bands.write_parquet(unfinished)
                case ".svg":
                    unfinished.write_text(vl_convert.vegalite_to_svg(drawing), encoding="utf-8")
                case _:
                    unfinished.write_bytes(vl_convert.vegalite_to_png(drawing, scale=2))
            unfinished.replace(out)
        finally:
            unfinished.unlink(missing_ok=True)
        typer.echo(f"wrote {out}", err=True)


def _drawing(patient: OnePatient, bands: Any, *, as_measured: bool) -> dict[str, Any]:
    planned = patient.planned
    known = ", ".join(f"{_WORDS.get(name, name)} {value}" for name, value in given_values(patient).items())
    what = "readings with their error" if as_measured else "true values, without error of the assay"
    subtitle = [
        *wrap(f"Given: {known or 'nothing'}. Everything else is drawn.", _WIDE),
        f"{planned.regimen}, {planned.cells / BILLION:g}e9 transduced cells on Day 1 (dashed); {len(patient)} samples.",
        f"Median, 50 % and 90 % of the samples alive on each day; {what}.",
        "An uncalibrated model: no treatment advice. TCR-T parameters are free priors.",
    ]
    return one_patient_picture(bands, "Twin of one patient", subtitle)
