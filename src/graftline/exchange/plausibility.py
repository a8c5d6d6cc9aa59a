"""Which draws of virtual patients were refused because they were impossible."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from ..population import BASELINE_RULES
from ..trial import Part
from ..twin import LATENT_RULES

REFUSAL_SCHEMA: Mapping[str, type[pl.DataType]] = {
    "REPLICATE": pl.Int64,
    "RULE": pl.String,
    "MEANING": pl.String,
    "PATIENTS": pl.Int64,
    "REFUSED": pl.Int64,
}


def refusal_table(part: Part) -> pl.DataFrame:
    """One row for each replicate and rule: what it refuses, how many patients it looked at, how many draws it refused.

    A refused patient is drawn again. Rules on the baseline look at everyone referred, rules on what lies underneath at
    the apheresed.
    """
    rows = [
        (number, rule, meaning, int(own.sum()), int(refusals.by_rule[rule][own].sum()))
        for number in part.replicates.tolist()
        for keys, refusals, rules in (
            (part.arrivals.keys, part.refused, BASELINE_RULES),
            (part.waiting.keys, part.refused_underneath, LATENT_RULES),
        )
        for own in [keys.replicate == number]
        for rule, (meaning, _) in rules.items()
    ]
    return pl.DataFrame(rows, schema=REFUSAL_SCHEMA, orient="row")
