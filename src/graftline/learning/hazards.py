"""Hazards learned from visits: worsening of the liver, new lesions, death in the twin's own form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..evidence import card
from ..statistics import LikelihoodFit, maximise
from ..twin import DeathCoefficients
from .natural_history import NaturalHistory

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
DECOMPENSATED_POINTS = 7
"""Child-Pugh score from which the liver counts as decompensated (class B)"""
FRESH_DAYS = 180.0
"""how long the findings of a visit speak for a patient who is not seen again"""
_SAME_DAY = 0.5  # days at risk of a patient who dies on the day of the last visit
_RATE = 1e-3  # rates are fitted as logarithms of multiples of 1 in 1000 days


@dataclass(frozen=True, kw_only=True)
class LiverFit:
    """Child-Pugh up to 6 against 7 or more as a two-state process seen at visits only."""

    fit: LikelihoodFit
    steps: int
    worsened: int
    """intervals that begin at 6 or less; how many of them end at 7 or more"""

    @property
    def worsening(self) -> tuple[float, float, float]:
        """Hazard of 6 or less to 7 or more, 1/day, with its 95 % interval."""
        return _rate(self.fit, "ln_worsening")

    @property
    def recovery(self) -> tuple[float, float, float]:
        """Hazard of the way back, 1/day, with its 95 % interval."""
        return _rate(self.fit, "ln_recovery")


def fit_child_pugh(history: NaturalHistory) -> LiverFit:
    """Worsening and recovery with constant hazards, from the state at each visit and at the next.

    The way back is part of it: scores rise after an embolisation and fall again, and who counts only the first rise
    takes each for lasting. Between visits the path is summed over (closed form of two states).
    """
    steps = history.intervals
    before, after = (history.child_pugh[rows] >= DECOMPENSATED_POINTS for rows in (steps.start, steps.end))
    person, people = _people(history, steps.start)

    def contributions(values: Mapping[str, float]) -> Numbers:
        worse, better = _RATE * np.exp([values["ln_worsening"], values["ln_recovery"]])
        leaving = np.where(before, better, worse)
        moved = leaving / (worse + better) * -np.expm1(-(worse + better) * steps.days)
        logarithm = np.where(before != after, np.log(moved), np.log1p(-moved))
        return _sums(person, logarithm, people)

    return LiverFit(
        fit=maximise(contributions, {"ln_worsening": 0.0, "ln_recovery": 1.0}),
        steps=int(np.sum(~before)),
        worsened=int(np.sum(~before & after)),
    )


@dataclass(frozen=True, kw_only=True)
class NewLesionFit:
    """New lesions between visits: hazard = level x (volume / reference volume)^exponent."""

    fit: LikelihoodFit
    intervals: int
    lesions: int

    @property
    def level(self) -> tuple[float, float, float]:
        """Hazard at the twin's reference volume, 1/day, with its 95 % interval."""
        return _rate(self.fit, "ln_level")


def fit_new_lesions(history: NaturalHistory, *, with_treatment: bool = False) -> NewLesionFit:
    """From intervals without treatment that begin with a lesion in sight: was a new lesion found at their end?

    `with_treatment` takes the intervals that follow a treatment as well. A new lesion is found when it is looked for:
    the hazard counts intervals, and its growth before it is seen is part of it.
    """
    found = history.intervals
    found = found.where((history.diameter[found.start] > 0) & (with_treatment | ~history.treated[found.start]))
    seen = history.new_lesion[found.end]
    relative = np.log(history.volume[found.start] / card("twin_hn_volume").number)
    person, people = _people(history, found.start)

    def contributions(values: Mapping[str, float]) -> Numbers:
        cumulated = _RATE * np.exp(values["ln_level"] + values["exponent"] * relative) * found.days
        return _sums(person, np.where(seen, np.log(-np.expm1(-cumulated)), -cumulated), people)

    return NewLesionFit(
        fit=maximise(contributions, {"ln_level": 1.0, "exponent": 0.0}), intervals=len(found), lesions=int(seen.sum())
    )


@dataclass(frozen=True, kw_only=True)
class DeathFit:
    """The twin's hazard of death, fitted."""

    fit: LikelihoodFit
    deaths: int
    days_at_risk: float

    @property
    def level(self) -> tuple[float, float, float]:
        """Hazard at the reference, 1/day, with its 95 % interval."""
        return _rate(self.fit, "ln_level")

    @property
    def coefficients(self) -> DeathCoefficients:
        """In the form that the twin takes."""
        return _coefficients({name: self.fit[name] for name in self.fit.names})


def decompensated_so_far(history: NaturalHistory) -> Flags:
    """Whether a patient who began at Child-Pugh 6 or less has had 7 or more by this visit; for good, as in the twin."""
    high = history.child_pugh >= DECOMPENSATED_POINTS
    ever = np.cumsum(high).astype(np.int64)
    began = ever[history.first] - high[history.first].astype(np.int64)
    return np.asarray((ever > began[history.subject]) & ~high[history.first][history.subject])


def fit_death(history: NaturalHistory, *, fresh_days: float = FRESH_DAYS, wanted: Flags | None = None) -> DeathFit:
    """Piecewise-constant likelihood: each visit's findings hold until the next visit, for `fresh_days` at most.

    After that the patient is not at risk here (censored) until seen again, because nobody knows the findings any more.
    `wanted`, one flag per visit, leaves out what follows other visits.
    """
    to_next = np.full(len(history), np.inf)
    same = np.diff(history.subject) == 0
    to_next[:-1][same] = np.diff(history.day)[same]
    ends = np.minimum(to_next, history.days_left)
    dies = np.isinf(to_next) & history.died & (history.days_left <= fresh_days)
    at_risk = np.minimum(ends, fresh_days)
    at_risk = np.where(dies & (at_risk == 0), _SAME_DAY, at_risk)
    used = np.flatnonzero((at_risk > 0) if wanted is None else (at_risk > 0) & wanted)
    person, people = _people(history, used)
    volume, score, afp = history.volume[used], history.child_pugh[used], history.afp[used]
    worse, days, died = decompensated_so_far(history)[used], at_risk[used], dies[used]

    def contributions(values: Mapping[str, float]) -> Numbers:
        hazard = _coefficients(values).hazard(volume, score, worse, afp)
        return _sums(person, np.where(died, np.log(hazard), 0.0) - hazard * days, people)

    start = {"ln_level": 0.0, "volume": 0.0, "points": 0.0, "decompensated": 0.0, "high_afp": 0.0}
    return DeathFit(fit=maximise(contributions, start), deaths=int(died.sum()), days_at_risk=float(days.sum()))


def _coefficients(values: Mapping[str, float]) -> DeathCoefficients:
    return DeathCoefficients(
        level=_RATE * float(np.exp(values["ln_level"])),
        volume=values["volume"],
        points=values["points"],
        decompensated=values["decompensated"],
        high_afp=values["high_afp"],
    )


def _people(history: NaturalHistory, rows: NDArray[np.intp]) -> tuple[NDArray[np.intp], int]:
    """Whose these rows are, 0, 1, … without gaps, and how many patients."""
    known, person = np.unique(history.subject[rows], return_inverse=True)
    return person, len(known)


def _sums(person: NDArray[np.intp], contributions: Numbers, people: int) -> Numbers:
    return np.bincount(person, weights=contributions, minlength=people).astype(np.float64)


def _rate(fit: LikelihoodFit, name: str) -> tuple[float, float, float]:
    value, low, high = (_RATE * float(np.exp(one)) for one in (fit[name], *fit.interval(name)))
    return value, low, high
