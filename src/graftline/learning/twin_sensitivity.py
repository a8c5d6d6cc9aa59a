"""Global sensitivity of the patient twin: patients spread as their evidence cards say, clinical results.

Inputs are drawn independently. Correlations between baseline values of real patients are not used here, because Sobol
indices of dependent inputs have no single meaning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ..assessment.simulate import diameter_mm
from ..base.errors import Fault, InputError
from ..evidence import card
from ..twin import Courses, run_courses, twin_model
from ..twin.quantiles import latents_at, spread_inputs
from ._treated import first_conditioning, reference_protocol, treated, treatment_in_words, visits
from .distributions import Distribution
from .sensitivity import Study, StudyOutput
from .summaries import Summary, read_summary

Numbers = NDArray[np.float64]
QUANTITIES = {
    "transgene": ("copies_per_ug", "transgene in blood", "copies/µg DNA"),
    "tcrt": ("tcrt_per_microlitre", "TCR-T cells in blood", "cells/µL"),
    "lymphocytes": ("lymphocytes", "lymphocytes in blood", "1e9/L"),
    "tumour": ("scan_volume", "tumour on the scan", "cm³"),
    "afp": ("afp", "AFP in serum", "ng/mL"),
    "il6": ("il6_effect", "IL-6 that acts", "pg/mL"),
    "crp": ("crp", "C-reactive protein", "mg/L"),
    "alt": ("alt", "alanine aminotransferase", "U/L"),
    "neutrophils": ("neutrophils", "neutrophils", "1e9/L"),
    "platelets": ("platelets", "platelets", "1e9/L"),
}
"""name -> read-out of the course, meaning, unit; `diameter` (mm, of the tumour as one sphere) and states come on top"""
_DAY_28, _LAST_DAY = 28.0, 168.0
_FINE_UNTIL, _DAILY_UNTIL, _FINE, _WEEK = 14.0, 56.0, 0.25, 7.0


def clinical_outputs(until: float = _LAST_DAY) -> tuple[StudyOutput, ...]:
    """Peak transgene, lymphocytes on day 28, best change of diameters, IL-6 behind CRS, and CRS itself."""
    onset = card("crs_il6_onset").to("pg/mL")
    scans = tuple(visits("imaging", until).tolist())
    return (
        StudyOutput(
            name="peak_transgene",
            summary=Summary(kind="peak", quantity="transgene", log=True),
            meaning="peak transgene in blood",
            unit="log10 copies/µg DNA",
            note="heavy-tailed, so its decimal logarithm",
        ),
        StudyOutput(
            name="lymphocytes_day_28",
            summary=Summary(kind="value", quantity="lymphocytes", number=_DAY_28, log=True),
            meaning="lymphocytes 28 days after infusion",
            unit="log10 1e9/L",
            note="heavy-tailed, so its decimal logarithm",
        ),
        StudyOutput(
            name="best_change",
            summary=Summary(kind="best_ratio", quantity="diameter", at=scans, log=True),
            meaning="best change of diameters on planned scans",
            unit="log10 of smallest over first",
            note="as the logarithm of a ratio: in percent a few fast growers would make most of the variance; true "
            "diameters without reading error, new lesions do not count",
        ),
        StudyOutput(
            name="crs_latent",
            summary=Summary(kind="peak", quantity="il6", log=True),
            meaning="peak IL-6, the latent scale of CRS",
            unit="log10 pg/mL",
            note="grades are read from it by a placeholder link, so this scale says more than yes or no",
        ),
        StudyOutput(
            name="crs",
            summary=Summary(kind="reaches", quantity="il6", number=onset),
            meaning=f"CRS of any grade (IL-6 reaches {onset:g} pg/mL)",
            unit="yes or no",
            note="shares of the variance of yes or no: first-order indices are those of the probability of CRS "
            "given the factor; mostly interaction by nature, wider intervals",
        ),
    )


def read_output(text: str, until: float = _LAST_DAY) -> StudyOutput:
    """A clinical output by name, or any summary of a quantity or state, such as `peak:afp`. Raises InputError."""
    clinical = {one.name: one for one in clinical_outputs(until)}
    if text in clinical:
        return clinical[text]
    names = (*QUANTITIES, "diameter", *_states())
    try:
        summary = read_summary(text, names)
    except InputError as error:
        known = ", ".join(clinical)
        faults = [Fault(one.place, one.found, f"{one.remedy}; or one of {known}") for one in error.faults]
        raise InputError(faults) from None
    _, meaning, unit = QUANTITIES.get(summary.quantity, ("", summary.quantity, ""))
    return StudyOutput(name=summary.spelled(), summary=summary, meaning=f"{text} ({meaning})", unit=unit)


def twin_study(
    inputs: Sequence[str] = (),
    outputs: Sequence[StudyOutput] = (),
    changed: Mapping[str, Distribution] | None = None,
    until: float = _LAST_DAY,
) -> Study:
    """A study of the twin treated as in the reference trial, up to day `until`.

    `inputs` (default: all with a spread between patients) vary as their cards say, `changed` ones as given there; all
    others stay at their medians. `outputs` default to `clinical_outputs`. Raises InputError.
    """
    cards, changed = spread_inputs(), changed or {}
    chosen = tuple(outputs) or clinical_outputs(until)
    asked = tuple(inputs) or (*cards, *(name for name in changed if name not in cards))
    known = latents_at(1).parameters
    faults = [
        Fault(f"parameter {name}", "has no card with a spread between patients", _choose(cards, known))
        for name in asked
        if name not in cards and name not in changed
    ]
    faults += [
        Fault(f"parameter {name}", "is no parameter of the model text", "leave out its distribution: it has its card's")
        for name in changed
        if name not in known
    ]
    faults += [
        Fault(f"output {one.name}", f"looks at day {time:g}", f"name a day up to {until:g}")
        for one in chosen
        for time in one.summary.times
        if time > until
    ]
    if faults:
        raise InputError(faults)
    times = _times(chosen, until)

    def evaluate(quantiles: Mapping[str, Numbers], threads: int | None) -> tuple[Numbers, NDArray[np.bool_]]:
        count = len(next(iter(quantiles.values())))
        latents = latents_at(count, {name: values for name, values in quantiles.items() if name not in changed})
        latents = latents.changed(**{name: changed[name].at(quantiles[name]) for name in quantiles if name in changed})
        courses = run_courses(treated(latents), times, threads)
        columns = [one.summary.of(times, _course(courses, one.summary.quantity)) for one in chosen]
        return np.stack(columns, axis=1), np.asarray(courses.status == 0)

    return Study(
        inputs={name: _meaning(name, changed) for name in asked},
        outputs=chosen,
        evaluate=evaluate,
        fixed={
            "treatment": treatment_in_words(),
            "patients": "one tumour, nothing else measured; inputs independent; what is not varied is at its median",
            "known": "TCR-T-specific parameters are free priors: indices say what follows from their assumed spreads",
        },
    )


def _choose(cards: Mapping[str, object], known: Mapping[str, object]) -> str:
    others = [name for name in known if name not in cards]
    return f"choose from {', '.join(cards)}; or give a distribution to one of {', '.join(others)}"


def _meaning(name: str, changed: Mapping[str, Distribution]) -> str:
    """In words, from the card."""
    cards = spread_inputs()
    words = (
        "tumour at referral (diameter of the lesion)" if name == "V0" else cards[name].meaning if name in cards else ""
    )
    if name in changed:
        return "; ".join(part for part in (words, changed[name].spelled()) if part)
    return words


def _times(outputs: Sequence[StudyOutput], until: float) -> Numbers:
    """From the first conditioning: every quarter of a day at first, then daily, then weekly, and where outputs look."""
    fine = np.arange(first_conditioning(), _FINE_UNTIL, _FINE)
    daily, weekly = np.arange(_FINE_UNTIL, _DAILY_UNTIL, 1.0), np.arange(_DAILY_UNTIL, until, _WEEK)
    asked = np.array([time for one in outputs for time in one.summary.times])
    every = np.unique(np.concatenate([fine, daily, weekly, [until], asked]))
    return np.asarray(every[every <= until], dtype=np.float64)


def _states() -> tuple[str, ...]:
    return twin_model(reference_protocol().model.modules).states


def _course(courses: Courses, quantity: str) -> Numbers:
    """(patients, times)"""
    if quantity == "diameter":
        return diameter_mm(courses.scan_volume)
    if quantity in QUANTITIES:
        return np.asarray(getattr(courses, QUANTITIES[quantity][0]), dtype=np.float64)
    return courses.state(quantity)
