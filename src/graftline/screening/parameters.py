"""The evidence cards behind simulated screening."""

from __future__ import annotations

from collections.abc import Mapping

from ..evidence import Card, card

CARDS = (
    "screening_step_variation",
    "screening_death_median",
    "screening_withdrawal_hazard",
    "screening_deterioration_hazard",
    "screening_biopsy_missing_share",
)


def screening_cards() -> Mapping[str, Card]:
    """Every card that screening is drawn from, by name."""
    return {name: card(name) for name in CARDS}
