"""Reads Antimony and SBML texts into equations. What is not understood is refused, never guessed."""

from .documents import antimony_as_sbml, faults_of_units, newest_sbml, read_antimony, read_sbml

__all__ = ["antimony_as_sbml", "faults_of_units", "newest_sbml", "read_antimony", "read_sbml"]
