"""The infusion: may these cells go into this patient now, how many, and what if the window is missed. Rules only."""

from .rules import (
    Bedside,
    DoseRange,
    WindowDecision,
    dose_range,
    dose_to_give,
    dose_verdict,
    in_window,
    may_infuse,
    outside_window,
)

__all__ = [
    "Bedside",
    "DoseRange",
    "WindowDecision",
    "dose_range",
    "dose_to_give",
    "dose_verdict",
    "in_window",
    "may_infuse",
    "outside_window",
]
