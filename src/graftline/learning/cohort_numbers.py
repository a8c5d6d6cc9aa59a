"""What the table says before any model: the numbers by which it was first described, each computed anew."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from ..evidence import card
from ..statistics import Transform, kaplan_meier
from .alpha_fetoprotein import FOLLOWED_FROM, LEAST_AFP, half_lives
from .growth import LEAST_DIAMETER_MM, UNTREATED_DAYS, untreated
from .hazards import DECOMPENSATED_POINTS
from .natural_history import NaturalHistory

Numbers = NDArray[np.float64]
_QUARTILES = (0.25, 0.5, 0.75)
_SECRETOR_FROM = 20.0  # ng/mL, upper limit of normal of many laboratories
_GROWN, _SHRUNK = 1.2, 0.7  # RECIST 1.1: +20 % and -30 % of a diameter
_QUARTER_YEAR = (45.0, 135.0)
_LARGE_MM = 100.0
_SERIES_VISITS = 3


@dataclass(frozen=True)
class CohortNumber:
    """One number or a few that belong together: what, values, unit, and how many records stand behind it."""

    name: str
    values: tuple[float, ...]
    unit: str
    n: int


def cohort_numbers(history: NaturalHistory) -> tuple[CohortNumber, ...]:
    """Visits, first visits, AFP against volume, half-life, untreated intervals, liver, survival, in this order."""
    return (*_visits(history), *_first_visits(history), *_in_time(history), *_survival(history))


def _visits(history: NaturalHistory) -> tuple[CohortNumber, ...]:
    per_patient = np.bincount(history.subject).astype(np.float64)
    gaps = np.diff(history.day)[np.diff(history.subject) == 0]
    capped = history.afp >= card("assay_afp_upper_limit").number
    told = (history.afp >= _SECRETOR_FROM) & (history.diameter > 0)
    long_series = np.bincount(history.subject[told], minlength=history.patients) >= _SERIES_VISITS
    return (
        CohortNumber("patients, visits", (float(history.patients), float(len(history))), "1", len(history)),
        CohortNumber("visits per patient (quartiles)", _quantiles(per_patient), "1", history.patients),
        CohortNumber("days between visits (quartiles)", _quantiles(gaps), "day", len(gaps)),
        CohortNumber("rows with AFP at the cap", (float(capped.sum()),), "1", len(history)),
        CohortNumber(
            "share of rows without a visible lesion", (float(np.mean(history.diameter == 0)),), "1", len(history)
        ),
        CohortNumber(
            "patients with 3 or more visits with AFP >= 20 ng/mL and a lesion",
            (float(long_series.sum()),),
            "1",
            len(history),
        ),
    )


def _first_visits(history: NaturalHistory) -> tuple[CohortNumber, ...]:
    rows = history.first
    afp, diameter, n = history.afp[rows], history.diameter[rows], len(rows)
    both = (afp > 0) & (diameter > 0)
    seen = diameter > 0
    per_volume = np.log(np.maximum(afp[seen], LEAST_AFP) / history.volume[rows][seen])
    high = per_volume[afp[seen] >= _SECRETOR_FROM]
    shares = tuple(float(np.mean(afp >= level)) for level in (_SECRETOR_FROM, 100.0, 400.0))
    return (
        CohortNumber("largest lesion (5, 25, 50, 75, 95 %)", _quantiles(diameter, (0.05, *_QUARTILES, 0.95)), "mm", n),
        CohortNumber("its volume as a sphere, median", _quantiles(history.volume[rows], (0.5,)), "cm^3", n),
        CohortNumber("AFP (quartiles)", _quantiles(afp), "ng/mL", n),
        CohortNumber("share with AFP >= 20, 100, 400 ng/mL", shares, "1", n),
        CohortNumber(
            "share with Child-Pugh 6 or less",
            (float(np.mean(history.child_pugh[rows] < DECOMPENSATED_POINTS)),),
            "1",
            n,
        ),
        CohortNumber(
            "Spearman correlation of AFP and diameter",
            (float(spearmanr(afp[both], diameter[both])[0]),),
            "1",
            int(both.sum()),
        ),
        CohortNumber(
            "ln(AFP / volume), AFP below 1 ng/mL taken as 1: mean and SD", _mean_sd(per_volume), "1", len(per_volume)
        ),
        CohortNumber("ln(AFP / volume) with AFP >= 20 ng/mL, mean and SD", _mean_sd(high), "1", len(high)),
    )


def _in_time(history: NaturalHistory) -> tuple[CohortNumber, ...]:
    lives = half_lives(history)
    calm = untreated(history)
    ratio = history.diameter[calm.end] / history.diameter[calm.start]
    grown = ratio >= _GROWN
    doubling = np.log(2) * calm.days[grown] / (3 * np.log(ratio[grown]))
    steps = history.intervals
    quarter = steps.where(
        (history.child_pugh[steps.start] < DECOMPENSATED_POINTS)
        & (steps.days >= _QUARTER_YEAR[0])
        & (steps.days <= _QUARTER_YEAR[1])
    )
    worse = history.child_pugh[quarter.end] >= DECOMPENSATED_POINTS
    return (
        *_afp_on_volume(history),
        CohortNumber("AFP half-life after resection (quartiles)", _quantiles(lives), "day", len(lives)),
        CohortNumber("untreated intervals: share with diameter +20 % or more", (float(grown.mean()),), "1", len(calm)),
        CohortNumber(
            "untreated intervals: share with diameter -30 % or less",
            (float(np.mean(ratio <= _SHRUNK)),),
            "1",
            len(calm),
        ),
        CohortNumber(
            "untreated intervals: share with the diameter repeated", (float(np.mean(ratio == 1)),), "1", len(calm)
        ),
        CohortNumber("volume doubling where +20 % or more (quartiles)", _quantiles(doubling), "day", len(doubling)),
        CohortNumber("Child-Pugh 6 or less to 7 or more in 45-135 days", (float(worse.mean()),), "1", len(quarter)),
        _vanished(history),
    )


def _vanished(history: NaturalHistory) -> CohortNumber:
    """Lesions gone without any recorded treatment: a sign that the table does not hold every treatment."""
    found = history.intervals
    found = found.where(
        ~history.treated[found.start]
        & (history.diameter[found.start] >= LEAST_DIAMETER_MM)
        & (found.days >= UNTREATED_DAYS[0])
        & (found.days <= UNTREATED_DAYS[1])
    )
    gone = history.diameter[found.end] == 0
    return CohortNumber(
        "untreated lesions of 20 mm or more that are gone at the next visit", (float(gone.mean()),), "1", len(found)
    )


def _afp_on_volume(history: NaturalHistory) -> tuple[CohortNumber, ...]:
    """Least squares of the change of ln AFP on the change of ln volume, from visit to visit, AFP high at both."""
    steps = history.intervals
    used = steps.where(
        (history.afp[steps.start] >= FOLLOWED_FROM)
        & (history.afp[steps.end] >= FOLLOWED_FROM)
        & (history.diameter[steps.start] > 0)
        & (history.diameter[steps.end] > 0)
    )
    y = np.log(history.afp[used.end] / history.afp[used.start])
    x = np.log(history.volume[used.end] / history.volume[used.start])
    slope = float(np.sum((x - x.mean()) * (y - y.mean())) / np.sum((x - x.mean()) ** 2))
    left = y - y.mean() - slope * (x - x.mean())
    spread = float(np.sqrt(np.sum(left**2) / (len(y) - 2)))
    error = spread / float(np.sqrt(np.sum((x - x.mean()) ** 2)))
    correlation = float(np.corrcoef(x, y)[0, 1])
    n = len(used)
    return (
        CohortNumber("change of ln AFP on change of ln volume: slope and its error", (slope, error), "1", n),
        CohortNumber("the same: correlation and residual SD", (correlation, spread), "1", n),
        CohortNumber(
            "the same: days between the visits (median, mean)",
            (float(np.median(used.days)), float(used.days.mean())),
            "day",
            n,
        ),
    )


def _survival(history: NaturalHistory) -> tuple[CohortNumber, ...]:
    rows = history.first
    days, died = np.rint(history.days_left[rows]), history.died[rows]
    high = history.afp[rows] >= card("twin_afp_high").number
    groups = (
        ("all", np.ones(len(rows), dtype=np.bool_)),
        ("AFP below 400 ng/mL", ~high),
        ("AFP 400 ng/mL or more", high),
        ("lesion of 100 mm or more", history.diameter[rows] >= _LARGE_MM),
    )
    return tuple(
        CohortNumber(
            f"median survival, {name}",
            (kaplan_meier(days[group], died[group], transform=Transform.LOG_LOG).median().days,),
            "day",
            int(group.sum()),
        )
        for name, group in groups
        if group.any()
    )


def _quantiles(values: Numbers, shares: tuple[float, ...] = _QUARTILES) -> tuple[float, ...]:
    return tuple(float(one) for one in np.quantile(values, shares)) if len(values) else (float("nan"),) * len(shares)


def _mean_sd(values: Numbers) -> tuple[float, float]:
    return float(values.mean()), float(values.std(ddof=1))
