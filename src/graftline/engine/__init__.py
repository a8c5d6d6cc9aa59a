"""Solves ordinary differential equations for many patients at once. Knows no medicine."""

from .model import Model, as_sbml, check_units, load, load_antimony, load_sbml, solve, solve_to_parquet, stream
from .request import Doses, Extinction, Request
from .result import Result, Status
from .sensitivity import Sensitivities, sensitivities

__all__ = [
    "Doses", "Extinction", "Model", "Request", "Result", "Sensitivities", "Status", "as_sbml", "check_units", "load",
    "load_antimony", "load_sbml", "sensitivities", "solve", "solve_to_parquet", "stream",
]  # fmt: skip
