"""Arithmetic of the control loop that must not depend on a library."""

from __future__ import annotations

from ._calls import njit


@njit
def inverse_fifth_root(x: float) -> float:
    """x^(-1/5) of a number above zero, to a few digits and the same on every machine (no library function)."""
    scale = 1.0
    while x > 32.0 and scale > 1e-70:  # ends for infinity too
        x, scale = x * 0.03125, scale * 0.5
    while x < 1.0 and scale < 1e60:
        x, scale = x * 32.0, scale * 2.0
    root = 1.0 / (1.02 + 0.034 * x)  # within 18 % of it between 1 and 32, where Newton's method converges
    for _ in range(4):
        square = root * root
        root *= 1.2 - 0.2 * x * square * square * root
    return root * scale
