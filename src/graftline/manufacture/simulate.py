"""Draws manufactured batches: growth, transduction, quality, tests and turnaround. Vectorised over patients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from ..base.streams import Keys, Streams
from ..base.units import BILLION
from ..evidence import Card, SpreadKind, card
from ..protocol.schema import Manufacture
from ..records import Baseline
from ..records.baseline import Flags, Numbers
from ..records.batch import Batches, Sterility


@dataclass(frozen=True)
class _Chance:
    """Draws for one attempt: every quantity of every patient has its own stream."""

    keys: Keys
    streams: Streams
    attempt: int

    def normal(self, quantity: str) -> Numbers:
        return self.streams.named("manufacture", quantity, self.attempt).normal(self.keys)[:, 0]

    def happens(self, name: str) -> Flags:
        """True with the probability on the card of that name."""
        drawn = self.streams.named("manufacture", name, self.attempt).uniform(self.keys)[:, 0]
        return np.asarray(drawn < card(name).number, dtype=np.bool_)

    def log_normal(self, name: str) -> Numbers:
        """Around the card's median, held within its bounds."""
        centre = card(name)
        assert centre.spread.kind is SpreadKind.LOG_SD, f"card {name} needs a log-normal spread"
        return _bounded(centre.number * np.exp(centre.spread_value * self.normal(name)), centre)

    def logit_normal(self, name: str) -> Numbers:
        """A share around the card's median."""
        centre = card(name)
        assert centre.spread.kind is SpreadKind.LOGIT_SD, f"card {name} needs a logit-normal spread"
        return np.asarray(expit(logit(centre.number) + centre.spread_value * self.normal(name)), dtype=np.float64)


def draw_batch(
    manufacture: Manufacture,
    baseline: Baseline,
    collected_cd3_cells: Numbers,
    keys: Keys,
    streams: Streams,
    attempt: int,
) -> Batches:
    """One batch for each patient from the CD3+ cells at hand (1e9): a collection, or the reserve of an earlier one.

    The culture starts with what the plant takes, the rest is kept in reserve; it ends when the plant has enough. The
    sterility test runs within the turnaround; where it is required before release and takes longer, release waits
    for it, and where release is conditional it is still pending.
    """
    chance = _Chance(keys, streams, attempt)
    started = np.minimum(collected_cd3_cells, card("manufacture_starting_cells").to("cells") / BILLION)
    transduced = np.minimum(chance.log_normal("manufacture_transduced_share"), 1)
    viable = chance.logit_normal("manufacture_viability")
    grown = ~chance.happens("manufacture_growth_failure_share") & (started > 0)
    made = started * _fold(baseline, chance) * transduced * viable
    days = _turnaround(manufacture, chance)
    test_days = manufacture.release.sterility_takes.to("days")
    required = manufacture.release.sterility == "required"
    result = np.where(chance.happens("manufacture_contamination_share"), Sterility.GROWTH, Sterility.STERILE)
    pending = ~np.asarray(required) & (days < test_days)
    return Batches(
        for_this_patient=np.ones(len(keys)),
        viable_fraction=viable,
        cd3_fraction=chance.logit_normal("manufacture_cd3_share"),
        transduced_fraction=transduced,
        copies_per_cell=chance.log_normal("manufacture_copies_per_cell"),
        transduced_cells=np.where(grown, np.minimum(made, card("manufacture_most_cells").to("cells") / BILLION), 0),
        sterility=np.where(pending, Sterility.PENDING, result).astype(np.int8),
        identity_test=(~chance.happens("manufacture_mix_up_share")).astype(np.float64),
        turnaround_days=np.maximum(days, test_days) if required else days,
        memory_share=chance.log_normal("twin_fM"),
        reserve_cells=collected_cd3_cells - started,
    )


def _fold(baseline: Baseline, chance: _Chance) -> Numbers:
    """Fold expansion in culture; smaller in the old and in those with few lymphocytes."""
    years = np.nan_to_num(baseline.age - card("baseline_age").number)
    relative = np.nan_to_num(baseline.lymphocytes / card("baseline_lymphocytes").number, nan=1.0)
    age = np.exp(card("manufacture_fold_per_year").number * years)
    lymphocytes = relative ** card("manufacture_fold_lymphocyte_exponent").number
    return np.asarray(chance.log_normal("manufacture_fold_expansion") * age * lymphocytes, dtype=np.float64)


def _turnaround(manufacture: Manufacture, chance: _Chance) -> Numbers:
    """Days from receipt to release: log-normal with the protocol's mean and coefficient of variation."""
    variance = np.log1p(manufacture.turnaround_variation.to("1") ** 2)
    mean = manufacture.turnaround.to("days")
    return np.asarray(mean * np.exp(np.sqrt(variance) * chance.normal("turnaround") - variance / 2), dtype=np.float64)


def _bounded(values: Numbers, centre: Card) -> Numbers:
    return values if centre.bounds is None else np.clip(values, *centre.bounds)
