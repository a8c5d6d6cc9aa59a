"""The infusion: may these cells go into this patient now, how many, and what if the window is missed. Rules only."""

from .rules import (
    Bedside,
    WindowDecision,
    dose_to_give,
    dose_verdict,
    in_window,
    may_infuse,
    outside_window,
)

__all__ = [
    "Bedside",
    "WindowDecision",
    "dose_to_give",
    "dose_verdict",
    "in_window",
    "may_infuse",
    "outside_window",
]
