"""What solvers are compared on: a model, patients who differ, doses, times, and which errors matter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from graftline import engine

Numbers = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Dose:
    """One dose of every patient: into which state, when, how much; duration 0 is a bolus."""

    time: float
    state: str
    amount: Numbers
    """(patients,)"""
    duration: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A model with many patients; parameters are (patients,), initial values follow from them as the text says."""

    name: str
    text: str
    """Antimony"""
    parameters: Mapping[str, Numbers]
    doses: tuple[Dose, ...]
    start: float
    times: Numbers
    floors: Mapping[str, float]
    """state -> its smallest value that matters; in the order of the model's states"""

    def __len__(self) -> int:
        return len(next(iter(self.parameters.values())))

    @property
    def states(self) -> tuple[str, ...]:
        """In the order of outputs."""
        return tuple(self.floors)

    def take(self, chosen: slice | NDArray[np.intp]) -> Problem:
        """Some of the patients."""
        parameters = {name: values[chosen] for name, values in self.parameters.items()}
        doses = tuple(replace(dose, amount=dose.amount[chosen]) for dose in self.doses)
        return replace(self, parameters=parameters, doses=doses)

    def request(self, rtol: float) -> engine.Request:
        """All states of these patients at all times."""
        patients, given = len(self), len(self.doses)
        table = engine.Doses(
            patient=np.tile(np.arange(patients), given),
            time=np.repeat([dose.time for dose in self.doses], patients),
            state=np.repeat([dose.state for dose in self.doses], patients),
            amount=np.concatenate([dose.amount for dose in self.doses]),
            duration=np.repeat([dose.duration for dose in self.doses], patients),
        )
        return engine.Request(
            times=self.times,
            outputs=self.states,
            start=np.full(patients, self.start),
            parameters=self.parameters,
            doses=table,
            never_negative=self.states,
            relative_tolerance=rtol,
            absolute_tolerance={state: rtol * floor for state, floor in self.floors.items()},
        )

    def errors(self, found: Numbers, reference: Numbers) -> Numbers:
        """Per patient, the largest error over times and states, relative to the value plus its floor."""
        apart = np.abs(found - reference) / (np.abs(reference) + np.array(list(self.floors.values())))
        return np.where(np.isfinite(apart), apart, np.inf).reshape(len(found), -1).max(axis=1)
