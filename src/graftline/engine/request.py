"""What is asked of the engine and what comes back: records over patients, checked before anything runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from ..base.errors import Fault, InputError
from .model import Model

Numbers = NDArray[np.float64]
SMALLEST_STEP = 1e-8
"""Output times lie at least this far apart (in the time unit of the model)."""


def _no_numbers() -> Numbers:
    return np.empty(0)


@dataclass(frozen=True, kw_only=True)
class Doses:
    """Doses of all patients as one table; every field is an array over doses, in any order.

    `amount` is in units of the state. Duration 0 is a bolus: the state jumps. A longer one is a zero-order infusion of
    amount/duration into the state. Infusions that overlap add up.
    """

    patient: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    time: Numbers = field(default_factory=_no_numbers)
    state: NDArray[np.str_] = field(default_factory=lambda: np.empty(0, dtype=np.str_))
    amount: Numbers = field(default_factory=_no_numbers)
    duration: Numbers = field(default_factory=_no_numbers)

    def __len__(self) -> int:
        return len(self.patient)


@dataclass(frozen=True, kw_only=True)
class Extinction:
    """A group of states that dies out as one: once its sum is below `threshold`, all of it is set to zero.

    Looked at on output times and where doses begin or end, so extinction is dated to the next such time. It does not
    happen while any of the states in `not_while_positive` (a source that still feeds the group) is above zero. The
    equations must keep an empty group empty; only a dose brings it back.
    """

    states: tuple[str, ...]
    threshold: float
    not_while_positive: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Request:
    """Many patients, one model: who differs in what, from when, with which doses, to be seen when.

    Arrays are (patients,). `parameters` and `initial` need only what differs from the numbers in the model text.
    `times` is (times,) for all or (patients, times), rising. A value at a time is that just before any dose given at
    that time; before a patient's own start it is NaN.
    """

    start: Numbers
    times: Numbers
    outputs: Sequence[str]
    parameters: Mapping[str, Numbers] = field(default_factory=dict)
    initial: Mapping[str, Numbers] = field(default_factory=dict)
    doses: Doses = field(default_factory=Doses)
    extinctions: Sequence[Extinction] = ()
    relative_tolerance: float = 1e-6
    absolute_tolerance: float | Mapping[str, float] = 1e-9
    """one number for all states, or one per state (every state then)"""

    def __len__(self) -> int:
        return len(self.start)


class Status(IntEnum):
    """How solving one patient ended."""

    OK = 0
    SOLVER_FAILED = 1
    NOT_FINITE = 2


@dataclass(frozen=True, kw_only=True)
class Solution:
    """What was asked for, (patients, times) each; NaN where solving a patient failed and from there on."""

    times: Numbers
    """(times,) or (patients, times), as asked"""
    values: Mapping[str, Numbers]
    status: NDArray[np.int8]
    """(patients,), of `Status`"""
    messages: Mapping[int, str]
    """patient -> why solving failed"""


def check_request(model: Model, request: Request) -> None:
    """Raises InputError with every fault of the request, before anything runs."""
    faults = [*_name_faults(model, request), *_shape_faults(request), *_number_faults(model, request)]
    if not faults:
        faults = list(_dose_faults(model, request))
    if faults:
        raise InputError(faults)


def _name_faults(model: Model, request: Request) -> Iterator[Fault]:
    known_outputs = {*model.states, *model.observables}
    groups = [name for group in request.extinctions for name in (*group.states, *group.not_while_positive)]
    for place, names, allowed in (
        ("parameters", request.parameters, set(model.parameters)),
        ("initial", request.initial, set(model.states)),
        ("outputs", request.outputs, known_outputs),
        ("extinctions", groups, set(model.states)),
    ):
        for name in names:
            if name not in allowed:
                yield Fault(f"request.{place} {name}", "the model has no such name", f"choose from {sorted(allowed)}")
    for place, needed, given in (
        ("parameters", model.parameters, request.parameters),
        ("initial", model.states, request.initial),
    ):
        for name in needed:
            if name not in given and name not in model.own_values:
                yield Fault(f"request.{place} {name}", "has no value in the model text", "give one per patient")
    if isinstance(request.absolute_tolerance, Mapping):
        for name in set(model.states) ^ set(request.absolute_tolerance):
            yield Fault(f"request.absolute_tolerance {name}", "not one per state", "give each state of the model one")


def _shape_faults(request: Request) -> Iterator[Fault]:
    patients = len(request)
    for place, given in (("parameters", request.parameters), ("initial", request.initial)):
        for name, array in given.items():
            if array.shape != (patients,):
                yield Fault(f"request.{place} {name}", f"has shape {array.shape}", f"give shape ({patients},)")
    if request.times.ndim not in (1, 2) or (request.times.ndim == 2 and len(request.times) != patients):
        yield Fault("request.times", f"has shape {request.times.shape}", f"give (times,) or ({patients}, times)")
    elif request.times.shape[-1] == 0:
        yield Fault("request.times", "is empty", "ask for at least one time")
    doses = request.doses
    lengths = {len(doses.patient), len(doses.time), len(doses.state), len(doses.amount), len(doses.duration)}
    if len(lengths) != 1:
        yield Fault("request.doses", f"has columns of lengths {sorted(lengths)}", "give one row per dose")


def _number_faults(model: Model, request: Request) -> Iterator[Fault]:
    named = {**request.parameters, **request.initial, "start": request.start, "times": request.times}
    for name, array in named.items():
        if not np.all(np.isfinite(array)):
            yield Fault(f"request {name}", "holds a number that is not finite", "mend it or leave the patient out")
    if np.any(np.diff(request.times, axis=-1) < SMALLEST_STEP):
        yield Fault("request.times", "do not rise", "sort them and give each once")
    tolerances = request.absolute_tolerance
    smallest = min(tolerances.values(), default=1.0) if isinstance(tolerances, Mapping) else tolerances
    if not (request.relative_tolerance > 0 and smallest > 0):
        yield Fault("request tolerances", "are not above zero", "give for example 1e-6 and 1e-9")


def _dose_faults(model: Model, request: Request) -> Iterator[Fault]:
    doses = request.doses
    for state in sorted({str(name) for name in doses.state} - set(model.inputs)):
        remedy = f"add the parameter input_{state} to its rate, or dose one of {sorted(model.inputs)}"
        yield Fault(f"request.doses {state}", "the model takes no dose into it", remedy)
    if not len(doses):
        return
    numbers = np.stack([doses.time, doses.amount, doses.duration])
    if not np.all(np.isfinite(numbers)):
        yield Fault("request.doses", "a time, amount or duration is not finite", "mend the dose table")
    if np.any(doses.duration < 0) or np.any(doses.amount < 0):
        yield Fault(
            "request.doses", "an amount or duration is below zero", "give 0 for a bolus, above 0 for an infusion"
        )
    inside = (doses.patient >= 0) & (doses.patient < len(request))
    if not np.all(inside):
        yield Fault("request.doses", "a dose for nobody", f"number patients from 0 to {len(request) - 1}")
    elif np.any(doses.time < request.start[doses.patient]):
        yield Fault("request.doses", "a dose before its patient's start", "start the patient earlier")
