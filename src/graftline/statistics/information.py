"""What measurements can tell about parameters: Fisher information, with and without prior knowledge. Knows no model.

Parameters are on the scale on which they are estimated. On that of logarithms a standard error of 0.1 means about 10 %.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
_ROUND_OFF = 1e-10  # of the largest eigenvalue: smaller ones are zero
_NO_SHARE = 1e-5  # of a unit vector: as good as no component along a direction without information


@dataclass(frozen=True, kw_only=True)
class Information:
    """Fisher information of parameters, (parameters, parameters), for small changes around one set of values."""

    names: tuple[str, ...]
    matrix: Numbers

    def with_prior(self, standard_deviations: Numbers) -> Information:
        """Together with independent normal priors, (parameters,); infinity for none."""
        return replace(self, matrix=self.matrix + np.diag(1 / standard_deviations**2))

    @property
    def eigenvalues(self) -> Numbers:
        """From the largest: the information along each direction; 1 / sqrt is the standard error along it. Round-off is
        read as 0."""
        values = np.linalg.eigvalsh(self.matrix)[::-1]
        return np.asarray(np.where(values > _ROUND_OFF * values[0], values, 0.0), dtype=np.float64)

    @property
    def directions(self) -> Numbers:
        """(parameters, directions): unit eigenvectors in the order of the eigenvalues, largest component positive."""
        vectors = np.linalg.eigh(self.matrix)[1][:, ::-1]
        largest = vectors[np.abs(vectors).argmax(axis=0), np.arange(vectors.shape[1])]
        return np.asarray(vectors * np.sign(largest), dtype=np.float64)

    def error_of(self, weights: Mapping[str, float]) -> float:
        """Standard error of a weighted sum of parameters (on the log scale: of a product of powers).

        The others are estimated at the same time. Infinity if the measurements leave it open.
        """
        vector = np.array([weights.get(name, 0.0) for name in self.names])
        values, directions = self.eigenvalues, self.directions
        along = directions.T @ vector
        informed = values > 0
        if np.any(np.abs(along[~informed]) > _NO_SHARE * np.linalg.norm(vector)):
            return float("inf")
        return float(np.sqrt(np.sum(along[informed] ** 2 / values[informed])))

    @property
    def standard_errors(self) -> Numbers:
        """(parameters,): of each parameter, all others estimated at the same time (Cramer-Rao); infinity if open."""
        return np.array([self.error_of({name: 1.0}) for name in self.names])

    @property
    def correlations(self) -> Numbers:
        """(parameters, parameters): of the estimates. NaN for parameters whose standard error is infinite."""
        known = np.isfinite(self.standard_errors)
        found = np.full(self.matrix.shape, np.nan)
        if known.any():
            covariance = np.linalg.pinv(self.matrix, rcond=_ROUND_OFF, hermitian=True)[np.ix_(known, known)]
            spread = np.sqrt(np.diag(covariance))
            found[np.ix_(known, known)] = covariance / np.outer(spread, spread)
        return found

    def of(self, names: Sequence[str]) -> Information:
        """Of some parameters, the others estimated at the same time (Schur complement)."""
        chosen = np.array([name in names for name in self.names])
        inner, cross = self.matrix[np.ix_(chosen, chosen)], self.matrix[np.ix_(chosen, ~chosen)]
        rest = self.matrix[np.ix_(~chosen, ~chosen)]
        left = inner - cross @ np.linalg.pinv(rest, rcond=_ROUND_OFF, hermitian=True) @ cross.T
        kept = tuple(name for name, one in zip(self.names, chosen, strict=True) if one)
        return Information(names=kept, matrix=(left + left.T) / 2)

    def best_combination(self, names: Sequence[str]) -> dict[str, float]:
        """The weighted sum of these parameters that is known best; the largest weight is 1."""
        among = self.of(names)
        weights = among.directions[:, 0]
        return dict(zip(among.names, (weights / np.abs(weights).max()).tolist(), strict=True))


def fisher_information(names: Sequence[str], jacobian: Numbers, covariance: Numbers) -> Information:
    """Information of readings with normal errors: transposed J times inverse of the covariance times J.

    `jacobian` is (readings, parameters), change of each expected reading per change of each parameter; `covariance` is
    (readings, readings) and does not depend on the parameters.
    """
    white = whitened(jacobian, covariance)
    return Information(names=tuple(names), matrix=white.T @ white)


def whitened(readings: Numbers, covariance: Numbers) -> Numbers:
    """Readings, or derivatives of them along their first axis, made independent with variance 1."""
    return np.asarray(np.linalg.solve(np.linalg.cholesky(covariance), readings), dtype=np.float64)
