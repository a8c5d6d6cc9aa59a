"""Maximum likelihood with standard errors that allow for several records of the same person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import ndtri

Numbers = NDArray[np.float64]
LogLikelihood = Callable[[Mapping[str, float]], Numbers]
"""values by name -> what each person adds to the log-likelihood, (people,)"""

_STEP = 1e-4  # of a central difference, for a parameter of order 1
_FLAT = 1e-3  # largest slope of the mean log-likelihood, per unit of a parameter, that counts as the top
_FLAT_DIRECTION = 1e-6  # curvature, against the sharpest, that is round-off of the differences


class NoMaximumError(ArithmeticError):
    """The search ended away from a maximum: the data do not tell the parameters apart, or the start was poor."""


@dataclass(frozen=True, kw_only=True)
class LikelihoodFit:
    """Values at the maximum and their covariance.

    `covariance` is the sandwich estimate (Huber 1967; White, Econometrica 1982;50:1) with people as clusters: it stays
    right when records of one person are alike, or when the model is only roughly right. `model_covariance` is the
    inverse of the observed information, which trusts the model.
    """

    names: tuple[str, ...]
    values: Numbers
    covariance: Numbers
    model_covariance: Numbers
    log_likelihood: float
    people: int

    def __getitem__(self, name: str) -> float:
        """The value of a parameter."""
        return float(self.values[self.names.index(name)])

    def standard_error(self, name: str) -> float:
        """Standard error of a parameter, with people as clusters."""
        place = self.names.index(name)
        return float(np.sqrt(self.covariance[place, place]))

    def interval(self, name: str, level: float = 0.95) -> tuple[float, float]:
        """Wald interval of a parameter, on the scale on which it was fitted."""
        half = float(ndtri((1 + level) / 2)) * self.standard_error(name)
        return self[name] - half, self[name] + half

    def interval_of(self, function: Callable[[Mapping[str, float]], float], level: float = 0.95) -> tuple[float, float]:
        """Delta-method interval of a number that follows from the parameters."""
        slope = _slopes(lambda values: np.array([function(values)]), self.names, self.values)[:, 0]
        half = float(ndtri((1 + level) / 2)) * float(np.sqrt(slope @ self.covariance @ slope))
        value = function(dict(zip(self.names, self.values.tolist(), strict=True)))
        return value - half, value + half


def maximise(log_likelihood: LogLikelihood, start: Mapping[str, float]) -> LikelihoodFit:
    """The parameters at which the log-likelihood, summed over people, is highest.

    Parameters must be free to take any value and be of order 1: hand in logarithms of rates and of standard
    deviations. Raises NoMaximumError if the search does not end at a strict maximum.
    """
    names = tuple(start)
    people = len(log_likelihood(start))
    if people == 0:
        raise NoMaximumError("no maximum: there is nobody to learn from")

    def contributions(values: Mapping[str, float]) -> Numbers:
        return np.nan_to_num(log_likelihood(values), nan=-np.inf, posinf=np.inf, neginf=-np.inf)

    def cost(values: Numbers) -> float:
        return -float(np.mean(contributions(_named(names, values))))

    def slope(values: Numbers) -> Numbers:
        return -np.asarray(_slopes(contributions, names, values).mean(axis=1), dtype=np.float64)

    found = minimize(cost, np.array(list(start.values()), dtype=np.float64), jac=slope, method="BFGS")
    best = np.asarray(found.x, dtype=np.float64)
    if not np.isfinite(found.fun) or np.abs(slope(best)).max() > _FLAT:
        raise NoMaximumError(f"no maximum found from {dict(start)}: the search ended at {_named(names, best)}")
    scores = _slopes(contributions, names, best)
    information = people * _curvature(slope, best)
    curvatures = np.linalg.eigvalsh(information)
    if curvatures.min() <= _FLAT_DIRECTION * curvatures.max():
        raise NoMaximumError(f"no strict maximum at {_named(names, best)}: the data do not tell the parameters apart")
    inverse = np.asarray(np.linalg.inv(information), dtype=np.float64)
    small_sample = people / max(people - 1, 1)
    return LikelihoodFit(
        names=names,
        values=best,
        covariance=small_sample * inverse @ (scores @ scores.T) @ inverse,
        model_covariance=inverse,
        log_likelihood=-people * float(found.fun),
        people=people,
    )


def _named(names: tuple[str, ...], values: Numbers) -> dict[str, float]:
    return dict(zip(names, values.tolist(), strict=True))


def _slopes(function: LogLikelihood, names: tuple[str, ...], values: Numbers) -> Numbers:
    """Central differences by each parameter, (parameters, people)."""
    rows = []
    for place in range(len(values)):
        step = _STEP * max(1.0, abs(values[place]))
        up, down = values.copy(), values.copy()
        up[place] += step
        down[place] -= step
        rows.append((function(_named(names, up)) - function(_named(names, down))) / (2 * step))
    return np.stack(rows)


def _curvature(slope: Callable[[Numbers], Numbers], values: Numbers) -> Numbers:
    """Second derivatives of the cost from central differences of its slope."""
    rows = []
    for place in range(len(values)):
        step = _STEP * max(1.0, abs(values[place]))
        up, down = values.copy(), values.copy()
        up[place] += step
        down[place] -= step
        rows.append((slope(up) - slope(down)) / (2 * step))
    matrix = np.stack(rows)
    return np.asarray((matrix + matrix.T) / 2, dtype=np.float64)
