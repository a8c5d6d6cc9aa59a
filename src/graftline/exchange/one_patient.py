"""The twin of one patient as tables: clinical outcomes with their spread over the samples, courses as percentiles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..assessment import OBSERVABLES, UNKNOWN_GRADE, ErrorKind, Response
from ..assessment.simulate_observables import draw_observable
from ..base.clock import protocol_day
from ..base.units import PERCENT
from ..evidence import card
from ..statistics import wilson
from ..trial import OnePatient, SampledArm

Numbers = NDArray[np.float64]
Table = pl.DataFrame
WITH, WITHOUT = "cells", "no cells"
_PERCENTILES = (5, 25, 50, 75, 95)
_BEST = (Response.CR, Response.PR, Response.SD, Response.PD)
_GRADES = (0, 1, 2, 3, 4)
_NOISE = 0.01  # a rise by less is none: the day of its peak would be round-off of the solver

BAND_SCHEMA: Mapping[str, type[pl.DataType]] = {
    "ARM": pl.String,
    "PARAMCD": pl.String,
    "UNIT": pl.String,
    "TIME": pl.Float64,
    "ADY": pl.Int64,
    "N": pl.Int64,
    **{f"P{share:02d}": pl.Float64 for share in _PERCENTILES},
}
"""Columns of `course_bands`: arm, quantity, unit, model time in days, protocol day, samples alive, percentiles."""


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Median and 5 to 95 % of a quantity over the samples that have it."""

    median: float
    low: float
    high: float
    samples: int


@dataclass(frozen=True, kw_only=True)
class Chance:
    """Share of the samples in which something happens; the limits are the 95 % (Wilson) of the number of samples."""

    share: float
    low: float
    high: float
    samples: int


@dataclass(frozen=True, kw_only=True)
class OutcomeRow:
    """One quantity of the table: by arm, the spread; an arm in which it means nothing is left out."""

    name: str
    label: str
    unit: str
    arms: Mapping[str, Spread]


@dataclass(frozen=True, kw_only=True)
class ChanceRow:
    """One event of the table: by arm, the share of samples in which it happens."""

    name: str
    label: str
    arms: Mapping[str, Chance]


def outcome_rows(patient: OnePatient) -> tuple[OutcomeRow, ...]:
    """The clinical quantities of the samples that could be solved. Days are protocol days (Day 1 is the infusion)."""
    by_arm = {name: dict(_quantities(patient, arm)) for name, arm in patient.arms.items()}
    rows = []
    for name, (label, unit) in _labels().items():
        arms = {arm: found for arm, values in by_arm.items() if (found := _spread(values[name])) is not None}
        if arms:
            rows.append(OutcomeRow(name=name, label=label, unit=unit, arms=arms))
    return tuple(rows)


def chance_rows(patient: OnePatient) -> tuple[ChanceRow, ...]:
    """Events and categories of the samples that could be solved, to death or to the end of the follow-up."""
    by_arm = {name: dict(_happens(arm)) for name, arm in patient.arms.items()}
    events = next(iter(by_arm.values()))
    return tuple(
        ChanceRow(
            name=name,
            label=label,
            arms={arm: _chance(values[name][1]) for arm, values in by_arm.items()},
        )
        for name, (label, _) in events.items()
    )


def _labels() -> dict[str, tuple[str, str]]:
    """name -> label, unit"""
    month = protocol_day(int(card("one_patient_month").to("day")))
    return {
        "transgene_peak": ("Transgene in blood, peak", "copies/ug DNA"),
        "transgene_peak_day": ("    on Day", ""),
        "tcrt_peak": ("TCR-T cells in blood, peak", "cells/uL"),
        f"lymphocytes_day_{month}": (f"Lymphocytes on Day {month}", "cells/uL"),
        "neutrophil_nadir": ("Neutrophils, nadir", "cells/uL"),
        "platelet_nadir": ("Platelets, nadir", "cells/nL"),
        "il6_peak": ("IL-6, peak", "pg/mL"),
        "il6_peak_day": ("    on Day", ""),
        "crp_peak": ("CRP, peak", "mg/L"),
        "alt_peak": ("ALT, peak", "U/L"),
        "alt_peak_day": ("    on Day", ""),
        "afp_nadir": ("AFP, nadir", "% of baseline"),
        "best_change": ("Sum of diameters, best change", "%"),
        "bilirubin_peak": ("Bilirubin, peak", "umol/L"),
    }


def _quantities(patient: OnePatient, arm: SampledArm) -> Iterator[tuple[str, Numbers]]:
    """Every quantity of an arm, (samples,), NaN where it means nothing for a sample."""
    courses, times = arm.outcomes.courses, arm.outcomes.courses.times
    lived = _lived(patient, arm)
    after = lived & (times >= 0)
    for name, code in (("transgene", "copies_per_ug"), ("il6", "il6"), ("alt", "alt")):
        value, day = _peak(getattr(courses, code), times, after)
        yield f"{name}_peak", value
        yield f"{name}_peak_day", day
    yield "tcrt_peak", _peak(courses.tcrt_per_microlitre, times, after)[0]
    yield "crp_peak", _peak(courses.crp, times, after)[0]
    yield "bilirubin_peak", _peak(courses.bilirubin, times, after)[0]
    month = card("one_patient_month").to("day")
    place = int(np.searchsorted(times, month))
    counts = {name: OBSERVABLES[name].factor for name in ("lymphocytes", "neutrophils", "platelets")}
    lymphocytes = np.where(lived[:, place], counts["lymphocytes"] * courses.lymphocytes[:, place], np.nan)
    yield f"lymphocytes_day_{protocol_day(int(month))}", lymphocytes
    yield "neutrophil_nadir", counts["neutrophils"] * _least(courses.neutrophils, lived)
    yield "platelet_nadir", counts["platelets"] * _least(courses.platelets, lived)
    baseline = courses.afp[:, int(np.searchsorted(times, patient.begins))]
    yield "afp_nadir", PERCENT * _least(courses.afp, after) / np.where(baseline > 0, baseline, np.nan)
    yield "best_change", np.where(arm.solved, PERCENT * arm.outcomes.seen.series.best_change, np.nan)


def _lived(patient: OnePatient, arm: SampledArm) -> NDArray[np.bool_]:
    """Where a sample is under observation and alive, (samples, times); nowhere if it could not be solved."""
    times = arm.outcomes.courses.times
    observed = (times >= patient.begins) & (times <= arm.observed_until[:, None])
    return np.asarray(observed & arm.solved[:, None], dtype=np.bool_)


def _peak(values: Numbers, times: Numbers, where: NDArray[np.bool_]) -> tuple[Numbers, Numbers]:
    """Highest value and its protocol day; NaN where there is none, and for the day where it does not rise."""
    seen = np.where(where, values, -np.inf)
    highest, first = seen.max(axis=1), seen[np.arange(len(seen)), where.argmax(axis=1)]
    there = np.isfinite(highest) & (highest > 0)
    rises = there & (highest > (1 + _NOISE) * first)
    day = np.where(rises, protocol_day(times[seen.argmax(axis=1)].astype(np.int64)), np.nan)
    return np.where(there, highest, np.nan), day


def _least(values: Numbers, where: NDArray[np.bool_]) -> Numbers:
    lowest = np.where(where, values, np.inf).min(axis=1)
    return np.where(np.isfinite(lowest), lowest, np.nan)


def _spread(values: Numbers) -> Spread | None:
    known = values[~np.isnan(values)]
    if not len(known):
        return None
    low, median, high = np.percentile(known, (_PERCENTILES[0], _PERCENTILES[2], _PERCENTILES[-1]))
    return Spread(median=float(median), low=float(low), high=float(high), samples=len(known))


def _happens(arm: SampledArm) -> Iterator[tuple[str, tuple[str, NDArray[np.bool_]]]]:
    """Name -> label, and whether it happened to each solved sample."""
    outcomes, solved = arm.outcomes, arm.solved
    worst, best, until = outcomes.crs.worst, outcomes.seen.best_response, arm.observed_until
    for grade in _GRADES:
        label = "No CRS (placeholder link)" if grade == 0 else f"CRS, worst grade {grade} (placeholder link)"
        yield f"crs_grade_{grade}", (label, (worst == grade)[solved])
    yield "crs_grade_unknown", ("CRS not known: no day after infusion", (worst == UNKNOWN_GRADE)[solved])
    for one in _BEST:
        yield f"best_response_{one.label}", (f"Best response {one.label}", (best == one)[solved])
    other = ~np.isin(best, [int(one) for one in _BEST])
    yield "best_response_NE", ("Best response not evaluable", other[solved])
    events = {
        "decompensation": ("Decompensation of the liver", outcomes.decompensation_day),
        "new_lesion": ("New lesion", arm.new_lesion_day),
        "death": ("Death", outcomes.death_day),
    }
    for name, (label, day) in events.items():
        happened = (day <= until) & (day <= outcomes.last_day)
        yield name, (label, happened[solved])


def _chance(happened: NDArray[np.bool_]) -> Chance:
    samples, count = len(happened), int(happened.sum())
    if not samples:
        return Chance(share=float("nan"), low=float("nan"), high=float("nan"), samples=0)
    limits = wilson(count, samples)
    return Chance(share=count / samples, low=float(limits.low), high=float(limits.high), samples=samples)


def course_bands(patient: OnePatient, *, as_measured: bool = False) -> Table:
    """Percentiles of each course by day and arm over the samples alive on that day, to the end of the follow-up.

    True values, without assay error; `as_measured` gives readings instead, with the error and the limits of their
    observable. Quantities are the observables by name, and blood TCR-T cells (tcrt) and the Child-Pugh score, which
    have no assay and are true in both.
    """
    found = [pl.DataFrame(schema=BAND_SCHEMA)]
    for name, arm in patient.arms.items():
        times = arm.outcomes.courses.times
        until = float(arm.outcomes.last_day.max())
        chosen = np.flatnonzero((times >= patient.begins) & (times <= until))
        lived = _lived(patient, arm)
        for code, (unit, values) in _courses(patient, arm, as_measured=as_measured).items():
            found.append(_bands(np.where(lived, values, np.nan)[:, chosen], times[chosen], (name, code, unit)))
    return pl.concat(found)


def _courses(patient: OnePatient, arm: SampledArm, *, as_measured: bool) -> dict[str, tuple[str, Numbers]]:
    """Quantity -> unit and values (samples, times)."""
    courses = arm.outcomes.courses
    found = {"tcrt": ("cells/uL", courses.tcrt_per_microlitre), "child_pugh": ("1", courses.child_pugh)}
    for name, one in OBSERVABLES.items():
        if one.error is ErrorKind.LINK or name in ("lesion_diameter", "fever"):
            continue
        source = OBSERVABLES[one.made_from] if one.made_from and as_measured else one
        truth = source.factor * getattr(courses, source.read_out)
        if as_measured:
            truth = draw_observable(name, truth, patient.keys, patient.streams, times=courses.times).value
        found[name] = (one.unit, truth)
    return found


def _bands(values: Numbers, times: Numbers, head: tuple[str, str, str]) -> Table:
    """Percentiles over the samples, one row per time with anybody alive."""
    alive = (~np.isnan(values)).sum(axis=0)
    kept = np.flatnonzero(alive)
    levels = np.nanpercentile(values[:, kept], _PERCENTILES, axis=0)
    arm, code, unit = head
    columns: dict[str, Any] = {
        "ARM": arm,
        "PARAMCD": code,
        "UNIT": unit,
        "TIME": times[kept],
        "ADY": protocol_day(times[kept].astype(np.int64)),
        "N": alive[kept],
        **{f"P{share:02d}": level for share, level in zip(_PERCENTILES, levels, strict=True)},
    }
    return pl.DataFrame(columns, schema=BAND_SCHEMA)
