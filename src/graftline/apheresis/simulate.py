"""Draws collections: cells from blood volume, lymphocyte count and efficiency. Vectorised over patients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from ..base.streams import Keys, Streams
from ..base.units import PER_uL_PER_e9_L
from ..evidence import card
from ..protocol.schema import Apheresis
from ..records import Baseline
from ..records.baseline import Flags, Numbers
from .rules import blood_volume_litres


@dataclass(frozen=True, kw_only=True)
class Collections:
    """What one procedure gave; arrays are (patients,)."""

    cd3_cells: Numbers
    """1e9"""
    processed_litres: Numbers
    complication: Flags

    def __len__(self) -> int:
        return len(self.cd3_cells)


def draw_collection(
    apheresis: Apheresis, baseline: Baseline, keys: Keys, streams: Streams, attempt: int
) -> Collections:
    """One collection from each patient: blood processed times CD3+ cells per litre times efficiency, with noise.

    Patients whose lymphocytes were not counted (NaN) give NaN cells, which are not accepted.
    """
    processed = apheresis.blood_volume_processed.to("1") * blood_volume_litres(
        baseline.sex, baseline.height, baseline.weight
    )
    share, efficiency = card("apheresis_cd3_share"), card("apheresis_efficiency")
    scores = streams.named("apheresis", "cells", attempt).normal(keys, 2)
    cd3 = expit(logit(share.number) + share.spread_value * scores[:, 0])
    taken = efficiency.number * np.exp(efficiency.spread_value * scores[:, 1])
    e9_per_litre = baseline.lymphocytes / PER_uL_PER_e9_L
    drawn = streams.named("apheresis", "complication", attempt).uniform(keys)[:, 0]
    return Collections(
        cd3_cells=np.asarray(processed * e9_per_litre * cd3 * taken, dtype=np.float64),
        processed_litres=processed,
        complication=np.asarray(drawn < card("apheresis_complication_share").number, dtype=np.bool_),
    )
