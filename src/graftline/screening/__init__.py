"""Screening: eligibility at each moment of the patient's path, and the order in which criteria are judged."""

from .rules import eligible, measurements_of, screening_order

__all__ = ["eligible", "measurements_of", "screening_order"]
