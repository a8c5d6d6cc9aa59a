"""Reads Antimony and SBML texts into equations. What is not understood is refused, never guessed."""

from .documents import read_antimony, read_sbml

__all__ = ["read_antimony", "read_sbml"]
