"""Every number with its value, unit, spread and its kind, source and how sure it is. Code asks by the card's name."""

from .cards import SURE_MEANINGS, Card, EvidenceError, Spread, SpreadKind, Sure, all_cards, card, describe, load_cards

__all__ = [
    "SURE_MEANINGS",
    "Card",
    "EvidenceError",
    "Spread",
    "SpreadKind",
    "Sure",
    "all_cards",
    "card",
    "describe",
    "load_cards",
]
