"""Manufacture of the product: whether it may leave the plant, and what is tried when it may not."""

from ..records.batch import Batch, Batches, Sterility
from .rules import may_release, next_attempt, reasons_of_failure, releasable

__all__ = ["Batch", "Batches", "Sterility", "may_release", "next_attempt", "reasons_of_failure", "releasable"]
