"""Solves ordinary differential equations for many patients at once. Knows no medicine."""

from .model import Model, load, load_antimony, load_sbml
from .request import Doses, Extinction, Request
from .result import Result, Status
from .solve import solve

__all__ = [
    "Doses", "Extinction", "Model", "Request", "Result", "Status", "load", "load_antimony", "load_sbml", "solve",
]  # fmt: skip
