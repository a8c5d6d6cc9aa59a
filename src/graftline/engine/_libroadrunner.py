"""The present solver: libroadrunner with CVODE (stiff BDF), one patient after the other.

Every dose begins and ends a segment and the integrator starts anew there, so that no dose is stepped over. Between
patients all parameters, states and the time are set again: nothing is carried from one to the next.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .model import Model
from .request import Doses, Extinction, Request, Solution, Status

Numbers = NDArray[np.float64]
_STEPS_BETWEEN_OUTPUTS = 20_000
_MODELS_KEPT = 8
_TICKS = 2.0**30  # doses, starts and times that differ by less than this share of the time unit are the same moment


class _NotFiniteError(Exception):
    """A state became infinite or not a number."""


@lru_cache(maxsize=_MODELS_KEPT)
def _compiled(sbml: str) -> Any:
    """The model as machine code, made once per process."""
    import roadrunner  # heavy, needed only when something is solved

    roadrunner.Logger.disableLogging()  # failures come back as statuses
    for stream in ("SUNLOGGER_ERROR_FILENAME", "SUNLOGGER_WARNING_FILENAME"):  # CVODE writes past Python otherwise
        os.environ.setdefault(stream, os.devnull)
    runner = roadrunner.RoadRunner(sbml)
    runner.integrator.setValue("stiff", True)
    runner.integrator.setValue("maximum_num_steps", _STEPS_BETWEEN_OUTPUTS)
    return runner


@dataclass(frozen=True)
class _Dose:
    """One dose of one patient; `state` is the place of the state among the model's states."""

    begin: float
    end: float
    state: int
    amount: float

    @property
    def rate(self) -> float:
        """Units of the state per time, for an infusion."""
        return self.amount / (self.end - self.begin)


def solve_batch(model: Model, request: Request) -> Solution:
    """Solve patient after patient. The request has been checked."""
    machine = _Machine(model, request)
    patients, times = len(request), on_ticks(request.times)
    table = np.full((patients, times.shape[-1], len(machine.columns)), np.nan)
    status = np.zeros(patients, dtype=np.int8)
    messages: dict[int, str] = {}
    doses = _doses_by_patient(model, request.doses, patients)
    for patient in range(patients):
        try:
            machine.run(patient, times if times.ndim == 1 else times[patient], doses[patient], table[patient])
        except _NotFiniteError as error:
            status[patient], messages[patient] = Status.NOT_FINITE, str(error)
        except RuntimeError as error:  # how libroadrunner reports a failing integrator
            status[patient], messages[patient] = Status.SOLVER_FAILED, " ".join(str(error).split())
    values = {name: np.ascontiguousarray(table[:, :, machine.columns.index(name)]) for name in request.outputs}
    return Solution(times=request.times, values=values, status=status, messages=messages)


def on_ticks(times: Numbers) -> Numbers:
    """Times moved to the nearest tick, so that moments meant to be one are one, whatever rounding made of them."""
    return np.asarray(np.round(times * _TICKS) / _TICKS, dtype=np.float64)


def _doses_by_patient(model: Model, doses: Doses, patients: int) -> list[list[_Dose]]:
    """Each patient's doses by time, those at the same time by state and amount, whatever the order of the table."""
    table: list[list[_Dose]] = [[] for _ in range(patients)]
    place = {name: index for index, name in enumerate(model.states)}
    ends = on_ticks(doses.time + doses.duration)
    columns = (doses.patient, on_ticks(doses.time), ends, doses.state, doses.amount)
    for patient, begin, end, state, amount in zip(*(column.tolist() for column in columns), strict=True):
        table[patient].append(_Dose(begin, end, place[state], amount))
    for own in table:
        own.sort(key=lambda dose: (dose.begin, dose.end, dose.state, dose.amount))
    return table


class _Machine:
    """A compiled model with the places of its numbers, set up for one request."""

    def __init__(self, model: Model, request: Request) -> None:
        self.runner = _compiled(model.sbml)
        self.columns = (*model.states, *(name for name in request.outputs if name not in model.states))
        self.runner.timeCourseSelections = list(self.columns)
        self.numbers = self.runner.model
        ids = list(self.numbers.getGlobalParameterIds())
        self.state_places = [ids.index(name) for name in model.states]
        self.input_places = {
            place: ids.index(model.inputs[name]) for place, name in enumerate(model.states) if name in model.inputs
        }
        names = (*model.parameters, *model.inputs.values())
        self.parameter_places = [ids.index(name) for name in names]
        self.parameters = _rows(names, request.parameters, model.own_values, len(request))
        self.initial = _rows(model.states, request.initial, model.own_values, len(request))
        self.start = on_ticks(request.start)
        self.extinctions = _Extinctions(model, request.extinctions)
        self._set_tolerances(model, request)

    def _set_tolerances(self, model: Model, request: Request) -> None:
        integrator = self.runner.integrator
        integrator.setValue("relative_tolerance", request.relative_tolerance)
        absolute = request.absolute_tolerance
        each = absolute if isinstance(absolute, Mapping) else dict.fromkeys(model.states, absolute)
        integrator.setValue("absolute_tolerance", min(each.values()))
        for name in model.states:
            integrator.setIndividualTolerance(name, each[name])

    def run(self, patient: int, times: Numbers, doses: Sequence[_Dose], rows: Numbers) -> None:
        """Fill `rows` (times, columns) for one patient; rows before the start stay NaN."""
        start, last = float(self.start[patient]), float(times[-1])
        self.numbers.setTime(start)
        self.numbers.setGlobalParameterValues(self.parameter_places, self.parameters[patient])
        self.numbers.setGlobalParameterValues(self.state_places, self.initial[patient])
        here = int(np.searchsorted(times, start))
        if here < len(times) and times[here] == start:
            rows[here] = self.runner.getSelectedValues()
            here += 1
        edges = {start, last, *(dose.begin for dose in doses), *(dose.end for dose in doses)}
        breaks = sorted(edge for edge in edges if start <= edge <= last)
        for begin, end in pairwise(breaks):
            self._give(doses, begin, end)
            ahead = int(np.searchsorted(times, end, side="right"))
            self._segment([begin, *times[here:ahead].tolist(), end], rows[here:ahead])
            here = ahead

    def _give(self, doses: Sequence[_Dose], begin: float, end: float) -> None:
        """Boluses that fall on `begin`, and the sum of the infusions that run from `begin` to `end`."""
        rates = dict.fromkeys(self.input_places, 0.0)
        jumps: dict[int, float] = {}
        for dose in doses:
            if dose.begin == dose.end == begin:
                jumps[dose.state] = jumps.get(dose.state, 0.0) + dose.amount
            elif dose.begin <= begin and end <= dose.end:
                rates[dose.state] += dose.rate
        if rates:
            self.numbers.setGlobalParameterValues(list(self.input_places.values()), list(rates.values()))
        for state, jump in jumps.items():
            place = [self.state_places[state]]
            self.numbers.setGlobalParameterValues(place, self.numbers.getGlobalParameterValues(place) + jump)

    def _segment(self, stops: list[float], rows: Numbers) -> None:
        """Integrate over `stops` (the begin, the output times, the end) and fill `rows`, one per output time."""
        done, total = 0, len(rows)
        if len(stops) > 2 and stops[-2] == stops[-1]:
            stops = stops[:-1]
        while True:
            seen = np.asarray(self.runner.simulate(times=stops))
            if not np.all(np.isfinite(seen)):
                raise _NotFiniteError(f"a state is not finite after time {stops[0]:g}")
            dead = self.extinctions.first(seen)
            until = len(seen) if dead is None else dead[0] + 1
            filled = min(until - 1, total - done)
            rows[done : done + filled] = seen[1 : 1 + filled]
            if dead is None:
                return
            row, places = dead
            values = seen[row, : len(self.state_places)].copy()
            values[places] = 0.0
            self.numbers.setGlobalParameterValues(self.state_places, values)
            if row - 1 < total - done:
                self.numbers.setTime(stops[row])
                rows[done + row - 1] = self.runner.getSelectedValues()
            done += filled
            stops = stops[row:]
            if len(stops) < 2:
                return


class _Extinctions:
    """The extinction rules of a request as tables (states, groups)."""

    def __init__(self, model: Model, rules: Sequence[Extinction]) -> None:
        self.members = _membership(model, [rule.states for rule in rules])
        self.sources = _membership(model, [rule.not_while_positive for rule in rules])
        self.thresholds = np.array([rule.threshold for rule in rules])

    def first(self, seen: Numbers) -> tuple[int, NDArray[np.intp]] | None:
        """The first row after the begin where a group that is neither empty nor fed is below its threshold.

        `seen` is (rows, columns) with the states first; returns the row and the places of the states to set to zero.
        """
        later = seen[1:, : len(self.members)]
        sums = later @ self.members
        below = (sums < self.thresholds) & (sums != 0)
        if not below.any():
            return None
        below &= (later > 0).astype(np.float64) @ self.sources == 0
        rows = below.any(axis=1)
        if not rows.any():
            return None
        row = int(np.argmax(rows))
        return row + 1, np.flatnonzero(self.members[:, below[row]].any(axis=1))


def _membership(model: Model, groups: Sequence[Sequence[str]]) -> Numbers:
    """1 where a state belongs to a group, (states, groups)."""
    columns = [[float(state in group) for state in model.states] for group in groups]
    return np.array(columns, dtype=np.float64).reshape(len(groups), len(model.states)).T


def _rows(names: Sequence[str], given: Mapping[str, Numbers], own: Mapping[str, float], patients: int) -> Numbers:
    """A table (patients, names) of what was given, else of the model's own values."""
    table = np.empty((patients, len(names)))
    for column, name in enumerate(names):
        table[:, column] = given[name] if name in given else own.get(name, math.nan)
    return table
