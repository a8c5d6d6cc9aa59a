"""The evidence cards behind a simulated collection."""

from __future__ import annotations

from collections.abc import Mapping

from ..evidence import Card, card

CARDS = (
    "apheresis_nadler_male",
    "apheresis_nadler_female",
    "apheresis_cd3_share",
    "apheresis_efficiency",
    "apheresis_complication_share",
)


def apheresis_cards() -> Mapping[str, Card]:
    """Every card a collection is drawn from, by name."""
    return {name: card(name) for name in CARDS}
