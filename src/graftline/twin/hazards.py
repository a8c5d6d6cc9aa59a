"""Hazards per day along a course, and the first event they bring."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .parameters import number
from .readouts import Courses

Numbers = NDArray[np.float64]


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


def death_hazard(courses: Courses, decompensated_from: Numbers) -> Numbers:
    """Hazard of death, 1/day, (patients, times), cytokine release included.

    `decompensated_from` is the model time of decompensation of each patient, infinity for never, (patients,); from
    then on ascites is at least slight and the hazard is raised.
    """
    decompensated = courses.times >= decompensated_from[:, None]
    before = courses.latents.ascites[:, None]
    ascites = np.where(decompensated, np.maximum(before, 1.0), before)
    points = courses.child_pugh_with(ascites) - number("child_pugh_lowest")
    logarithm = (
        number("gamma1") * np.log((courses.scan_volume + 1) / number("hn_volume"))
        + number("gamma2") * points
        + number("gamma3") * decompensated
        + number("gamma4") * (courses.afp >= number("afp_high"))
    )
    return np.asarray(number("hD") * np.exp(logarithm) + lethal_cytokine_hazard(courses), dtype=np.float64)


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
