"""Virtual patients that are impossible: rules on the parameters underneath, and rest before any treatment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from ..base.units import HOURS_PER_DAY
from ..evidence import card
from ..population.plausibility import outside
from .courses import CourseRequest, run_courses
from .latents import Latents
from .parameters import number

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
AT_REST = ("L", "I", "B", "C", "Q", "R", "J", "U")
"""states that stay as they are in a patient who is not treated"""


def _no_number(latents: Latents) -> Flags:
    values = np.stack([*latents.parameters.values(), latents.fludarabine_volume, latents.cyclophosphamide_volume])
    return np.asarray(~np.all(np.isfinite(values) & (values >= 0), axis=0), dtype=np.bool_)


def _half_life(rate: Numbers) -> Numbers:
    """Hours, from a rate per day."""
    return np.asarray(HOURS_PER_DAY * np.log(2) / rate, dtype=np.float64)


def _doubles_too_fast(latents: Latents) -> Flags:
    p = latents.parameters
    growth = p["lam0"] * np.maximum(0.0, np.log(p["Vmax"] / (p["V0"] + p["eps"])))
    return np.asarray(growth * card("plausible_doubling_days").number > np.log(2), dtype=np.bool_)


def _fills_the_liver(latents: Latents) -> Flags:
    p = latents.parameters
    return np.asarray(p["V0"] > number("V0_share") * p["Vmax"] * (1 + np.finfo(np.float32).eps), dtype=np.bool_)


def _not_at_rest(latents: Latents) -> Flags:
    course = run_courses(CourseRequest(latents=latents), np.array([0.0, 1.0]))
    moved = [
        np.abs(course.states[symbol][:, 1] - course.states[symbol][:, 0]) > tolerance
        for symbol in AT_REST
        for tolerance in [card("plausible_rest").number * np.maximum(np.abs(course.states[symbol][:, 0]), 1.0)]
    ]
    return np.asarray(np.logical_or.reduce([*moved, course.status != 0]), dtype=np.bool_)


LATENT_RULES: Mapping[str, tuple[str, Callable[[Latents], Flags]]] = MappingProxyType(
    {
        "no_number": ("a parameter below zero, infinite or not a number", _no_number),
        "tumour_doubling": ("a tumour at referral that doubles faster than any that was seen", _doubles_too_fast),
        "liver_capacity": (
            "a liver that could hold more tumour than a body has room for",
            lambda one: one.parameters["Vmax"] > card("plausible_liver_capacity").number * one.parameters["VL"],
        ),
        "tumour_fills_liver": ("a tumour at referral larger than its share of that capacity", _fills_the_liver),
        "fludarabine_half_life": (
            "clearance and volume of fludarabine that do not go together",
            lambda one: outside(_half_life(one.parameters["kF"]), "plausible_fludarabine_half_life"),
        ),
        "cyclophosphamide_half_life": (
            "clearance and volume of cyclophosphamide that do not go together",
            lambda one: outside(_half_life(one.parameters["kY"]), "plausible_cyclophosphamide_half_life"),
        ),
        "not_at_rest": ("blood, cytokines or liver that drift before any treatment", _not_at_rest),
    }
)
"""rule -> what it refuses, and the flags of patients"""


def implausible_latents(latents: Latents) -> Mapping[str, Flags]:
    """Rule -> which patients break it, (patients,). Rest is looked at only in patients whose numbers are numbers."""
    broken = {name: rule(latents) for name, (_, rule) in LATENT_RULES.items() if name != "not_at_rest"}
    sound = np.flatnonzero(~broken["no_number"])
    drifting = np.zeros(len(latents), dtype=np.bool_)
    if len(sound):
        drifting[sound] = _not_at_rest(latents.take(sound))
    return {**broken, "not_at_rest": drifting}
