"""Hazards per day along a course, and the first event they bring."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .parameters import number
from .readouts import Courses

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]


def decompensation_hazard(courses: Courses) -> Numbers:
    """Hazard of first decompensation of the liver, 1/day, (patients, times)."""
    return np.asarray(number("hd") * np.exp(number("gammad") * (1 - courses.reserve_ratio)), dtype=np.float64)


def new_lesion_hazard(courses: Courses) -> Numbers:
    """Hazard of a new lesion, 1/day, (patients, times); a systemic drug lowers it as it slows growth."""
    size = np.sqrt(courses.viable_volume / number("hn_volume"))
    return np.asarray(number("hn") * courses.parameter("mlam") * size, dtype=np.float64)


def lethal_cytokine_hazard(courses: Courses) -> Numbers:
    """The part of the hazard of death that cytokine release adds, 1/day, (patients, times).

    By the IL-6 that acts: serum IL-6 that rises because tocilizumab blocks its uptake harms nobody.
    """
    return np.where(courses.il6_effect > number("il6_lethal"), number("hX"), 0.0)


@dataclass(frozen=True, kw_only=True)
class DeathCoefficients:
    """The natural hazard of death: its level and how it rises with what is known of a patient."""

    level: float
    """1/day, at a tumour of the reference volume, Child-Pugh 5, not decompensated, low AFP"""
    volume: float
    """per logarithm of tumour volume"""
    points: float
    """per Child-Pugh point above 5"""
    decompensated: float
    """once decompensated"""
    high_afp: float
    """with AFP at or above the high level"""

    @classmethod
    def from_cards(cls) -> DeathCoefficients:
        """Those of the twin as shipped."""
        return cls(
            level=number("hD"),
            volume=number("gamma1"),
            points=number("gamma2"),
            decompensated=number("gamma3"),
            high_afp=number("gamma4"),
        )

    def hazard(self, volume: Numbers, child_pugh: Numbers, decompensated: Flags, afp: Numbers) -> Numbers:
        """Hazard of death without cytokine release, 1/day; arrays that broadcast together.

        Tumour volume in cm^3 (0 for none), Child-Pugh score, whether decompensated, AFP in ng/mL.
        """
        logarithm = (
            self.volume * np.log((volume + 1) / number("hn_volume"))
            + self.points * (child_pugh - number("child_pugh_lowest"))
            + self.decompensated * decompensated
            + self.high_afp * (afp >= number("afp_high"))
        )
        return np.asarray(self.level * np.exp(logarithm), dtype=np.float64)


def death_hazard(
    courses: Courses, decompensated_from: Numbers, coefficients: DeathCoefficients | None = None
) -> Numbers:
    """Hazard of death, 1/day, (patients, times), cytokine release included.

    `decompensated_from` is the model time of decompensation of each patient, infinity for never, (patients,); from
    then on ascites is at least slight and the hazard is raised. `coefficients` default to those on the twin's cards.
    """
    decompensated = courses.times >= decompensated_from[:, None]
    before = courses.latents.ascites[:, None]
    ascites = np.where(decompensated, np.maximum(before, 1.0), before)
    natural = (coefficients or DeathCoefficients.from_cards()).hazard(
        courses.scan_volume, courses.child_pugh_with(ascites), decompensated, courses.afp
    )
    return np.asarray(natural + lethal_cytokine_hazard(courses), dtype=np.float64)


def first_event(hazard: Numbers, times: Numbers, uniforms: Numbers) -> Numbers:
    """When the first event of a hazard falls, (patients,): infinity if not by the last time.

    The hazard (patients, times) is cumulated by the trapezoid rule over `times`, (times,) or (patients, times); the
    event falls where the cumulated hazard passes -ln(uniform), linear between times. NaN counts as no hazard.
    """
    rate = np.nan_to_num(hazard, nan=0.0)
    days = np.broadcast_to(times, rate.shape)
    steps = np.diff(days, axis=1) * (rate[:, 1:] + rate[:, :-1]) / 2
    cumulated = np.concatenate([np.zeros((len(rate), 1)), np.cumsum(steps, axis=1)], axis=1)
    threshold = -np.log(uniforms)
    passed = (cumulated < threshold[:, None]).sum(axis=1)
    reached = passed < rate.shape[1]
    after = np.clip(passed, 1, rate.shape[1] - 1)
    rows = np.arange(len(rate))
    gain = cumulated[rows, after] - cumulated[rows, after - 1]
    share = np.divide(threshold - cumulated[rows, after - 1], gain, out=np.zeros_like(threshold), where=gain > 0)
    day = days[rows, after - 1] + share * (days[rows, after] - days[rows, after - 1])
    return np.where(reached, day, np.inf)
