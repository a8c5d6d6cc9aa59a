"""Solves ordinary differential equations for many patients at once. Knows no medicine.

A small interface that a compiled engine will stand behind later; libroadrunner (CVODE) does the work for now.
"""

from .model import Model, load_antimony
from .request import Doses, Extinction, Request, Solution, Status
from .solve import Workers, solve

__all__ = ["Doses", "Extinction", "Model", "Request", "Solution", "Status", "Workers", "load_antimony", "solve"]
