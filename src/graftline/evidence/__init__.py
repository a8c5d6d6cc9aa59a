"""Every number with its value, unit, spread and its kind, source and how sure it is. Code asks by the card's name."""

from .cards import Card, EvidenceError, Spread, SpreadKind, Sure, all_cards, card

__all__ = ["Card", "EvidenceError", "Spread", "SpreadKind", "Sure", "all_cards", "card"]
