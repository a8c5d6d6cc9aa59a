"""Virtual patients that are impossible: rules on the baseline at referral, and drawing again until none is broken.

A rule is about what cannot be, not about what is rare: spreads stay as their cards say, but for their impossible ends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..base.errors import Fault, InputError
from ..base.streams import Streams
from ..base.units import MM_PER_CM, SPHERE_VOLUME_PER_CUBED_DIAMETER
from ..evidence import card
from ..records import Baseline
from ..records.baseline import Flags, Numbers
from ..records.refusals import Refusals

Rows = NDArray[np.intp]


class Patients(Protocol):
    """Arrays over patients, of which some rows can be taken and put in."""

    def take(self, index: Rows | Flags) -> Self:
        """The patients at these places."""

    def replaced(self, index: Rows, others: Self) -> Self:
        """The same, with others in these places."""


Drawn = TypeVar("Drawn", bound=Patients)


def outside(values: Numbers, limits: str) -> Flags:
    """Whether values lie outside the two numbers of a card; what is missing does not."""
    low, high = card(limits).numbers
    return np.asarray((values < low) | (values > high), dtype=np.bool_)


def _tumour(baseline: Baseline) -> Numbers:
    """Volume of all lesions as spheres, cm^3."""
    diameters = baseline.lesion_diameters / MM_PER_CM
    volumes = diameters * diameters * diameters
    return np.asarray(SPHERE_VOLUME_PER_CUBED_DIAMETER * np.nansum(volumes, axis=1), dtype=np.float64)


def _no_room_for_the_tumour(baseline: Baseline) -> Flags:
    capacity = card("plausible_liver_capacity").number * card("twin_VL").number
    return np.asarray(_tumour(baseline) > card("twin_V0_share").number * capacity, dtype=np.bool_)


def _afp_without_tumour(baseline: Baseline) -> Flags:
    most = card("plausible_afp_per_volume").number * _tumour(baseline)
    return np.asarray(baseline.afp_serum > most, dtype=np.bool_)


def _synthesis_contradicts_itself(baseline: Baseline) -> Flags:
    inr, albumin, bilirubin = card("plausible_liver_contradiction").numbers
    failing, sound = baseline.inr > inr, (baseline.albumin > albumin) & (baseline.bilirubin < bilirubin)
    return np.asarray(failing & sound, dtype=np.bool_)


BASELINE_RULES: Mapping[str, tuple[str, Callable[[Baseline], Flags]]] = MappingProxyType(
    {
        "resting_lymphocytes": (
            "lymphocytes at rest below or above what a patient without another blood disease has",
            lambda one: outside(one.lymphocytes, "plausible_lymphocytes"),
        ),
        "transaminases": (
            "AST and ALT further apart than one liver disease brings",
            lambda one: outside(one.ast / one.alt, "plausible_ast_over_alt"),
        ),
        "liver_contradiction": (
            "clotting as in liver failure with the albumin and bilirubin of a sound liver",
            _synthesis_contradicts_itself,
        ),
        "active_in_encephalopathy": (
            "fully active (ECOG 0) in severe encephalopathy",
            lambda one: np.asarray((one.encephalopathy == 2) & (one.ecog == 0), dtype=np.bool_),
        ),
        "tumour_without_room": ("more tumour than any liver has room for", _no_room_for_the_tumour),
        "afp_without_tumour": ("more serum AFP than that volume of tumour can make", _afp_without_tumour),
    }
)
"""rule -> what it refuses, and the flags of a baseline"""


def implausible_baseline(baseline: Baseline) -> Mapping[str, Flags]:
    """Rule -> which patients break it, (patients,)."""
    return {name: rule(baseline) for name, (_, rule) in BASELINE_RULES.items()}


def draw_plausible(
    draw: Callable[[Rows, Streams], Drawn],
    judge: Callable[[Drawn], Mapping[str, Flags]],
    patients: int,
    streams: Streams,
) -> tuple[Drawn, Refusals]:
    """Draw patients, and those who break a rule again from streams of their own, until nobody breaks any.

    `draw` is told the rows it is about. Whoever is plausible at once keeps the draw that they would have
    without any rule, and nobody's draws depend on anybody else. Raises InputError if the rules leave nobody.
    """
    everyone = np.arange(patients)
    drawn = draw(everyone, streams)
    broken = judge(drawn)
    by_rule = {rule: flags.astype(np.int64) for rule, flags in broken.items()}
    draws = np.ones(patients, dtype=np.int64)
    rows = np.flatnonzero(_any(broken, patients))
    most = int(card("plausible_most_draws").number)
    for attempt in range(1, most + 1):
        if not len(rows):
            return drawn, Refusals(by_rule=by_rule, draws=draws)
        again = draw(rows, streams.again(attempt))
        broken = judge(again)
        draws[rows] += 1
        for rule, flags in broken.items():
            by_rule[rule][rows] += flags
        kept = ~_any(broken, len(rows))
        drawn = drawn.replaced(rows[kept], again.take(kept))
        rows = rows[~kept]
    often = max(by_rule, key=lambda rule: int(by_rule[rule][rows].sum()))
    found = f"refused {most} draws in a row, most often because of {often}"
    raise InputError(Fault("plausibility rules", found, "bring the rule's card and the cards of the draw together"))


def _any(broken: Mapping[str, Flags], patients: int) -> Flags:
    return np.asarray(np.logical_or.reduce([*broken.values(), np.zeros(patients, dtype=np.bool_)]), dtype=np.bool_)
