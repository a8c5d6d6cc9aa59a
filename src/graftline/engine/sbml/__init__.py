"""Reads Antimony and SBML texts into equations. What is not understood is refused, never guessed."""

from .documents import antimony_as_sbml, faults_of_units, newest_sbml, read_antimony, read_sbml, units_declared
from .exporting import Dose, completed

__all__ = [
    "Dose", "antimony_as_sbml", "completed", "faults_of_units", "newest_sbml", "read_antimony", "read_sbml",
    "units_declared",
]  # fmt: skip
