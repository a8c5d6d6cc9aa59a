"""Every number with its value, unit, spread and its kind, source and how sure it is. Code asks by the card's name."""

from .cards import (
    SURE_MEANINGS,
    Card,
    EvidenceError,
    Spread,
    SpreadKind,
    Sure,
    all_cards,
    card,
    describe,
    load_cards,
    read_cards,
)
from .published_results import PublishedResult, published_results

__all__ = [
    "SURE_MEANINGS",
    "Card",
    "EvidenceError",
    "PublishedResult",
    "Spread",
    "SpreadKind",
    "Sure",
    "all_cards",
    "card",
    "describe",
    "load_cards",
    "published_results",
    "read_cards",
]
