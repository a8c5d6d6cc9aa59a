"""Apheresis: collection of white blood cells as starting material."""

from .rules import accept_collection, blood_volume_litres, may_collect_again

__all__ = ["accept_collection", "blood_volume_litres", "may_collect_again"]
