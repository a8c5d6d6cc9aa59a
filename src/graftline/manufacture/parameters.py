"""The evidence cards behind a simulated batch."""

from __future__ import annotations

from collections.abc import Mapping

from ..evidence import Card, card

CARDS = (
    "manufacture_starting_cells",
    "manufacture_growth_failure_share",
    "manufacture_fold_expansion",
    "manufacture_fold_per_year",
    "manufacture_fold_lymphocyte_exponent",
    "manufacture_most_cells",
    "manufacture_transduced_share",
    "manufacture_viability",
    "manufacture_cd3_share",
    "manufacture_copies_per_cell",
    "manufacture_contamination_share",
    "manufacture_mix_up_share",
    "twin_fM",
    "baseline_age",
    "baseline_lymphocytes",
)


def manufacture_cards() -> Mapping[str, Card]:
    """Every card a batch is drawn from, by name."""
    return {name: card(name) for name in CARDS}
