"""Solves ordinary differential equations for many patients at once. Knows no medicine."""

from .model import (
    DeclaredUnit,
    Model,
    as_sbml,
    check_units,
    declared_units,
    load,
    load_antimony,
    load_sbml,
    solve,
    solve_to_parquet,
    stream,
)  # fmt: skip
from .request import Doses, Extinction, Request
from .result import Result, Status
from .sensitivity import Sensitivities, sensitivities

__all__ = [
    "DeclaredUnit", "Doses", "Extinction", "Model", "Request", "Result", "Sensitivities", "Status", "as_sbml",
    "check_units", "declared_units", "load", "load_antimony", "load_sbml", "sensitivities", "solve",
    "solve_to_parquet", "stream",
]  # fmt: skip
