"""Data sets in the field's formats. No decisions."""

from .adam import tables

__all__ = ["tables"]
