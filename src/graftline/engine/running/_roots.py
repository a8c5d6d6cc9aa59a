"""Arithmetic of the control loop that must not depend on a library."""

from __future__ import annotations

from ._calls import njit


@njit
def fifth_root(x: float) -> float:
    """The fifth root of a number above zero, to a few digits and the same on every machine (no library function)."""
    scale = 1.0
    while x > 32.0:
        x, scale = x / 32.0, scale * 2.0
    while x < 1.0 / 32.0 and scale > 1e-60:
        x, scale = x * 32.0, scale * 0.5
    root = 1.0
    for _ in range(12):
        root -= 0.2 * (root - x / (root * root * root * root))
    return root * scale
