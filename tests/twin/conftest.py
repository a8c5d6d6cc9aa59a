"""Fixtures shared by the tests of the twin."""

from house_patients import population, population_course

__all__ = ["population", "population_course"]
