"""What is asked of the engine: records over patients, checked before anything runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real

import numpy as np
from numpy.typing import NDArray

from ..base.errors import Fault, InputError
from .compiling.program import Program

Numbers = NDArray[np.float64]
_MOST_STEPS = 2**52


def _no_numbers() -> Numbers:
    return np.empty(0)


@dataclass(frozen=True, kw_only=True)
class Doses:
    """Doses of all patients as one table; every field is an array over doses, in any order.

    `amount` is in units of the state; where the state is the concentration of a species in a compartment, in units of
    the species' amount. Duration 0 is a bolus: the state jumps. A longer one is a zero-order infusion of
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
    """A group of states that dies out as one: the moment its sum falls below `threshold`, all of it is set to zero.

    It does not happen while any of the states in `not_while_positive` (a source that still feeds the group) is above
    zero, nor while an infusion runs into the group. The equations must keep an empty group empty; only a dose or an
    event brings it back.
    """

    states: tuple[str, ...]
    threshold: float
    not_while_positive: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Request:
    """Many patients, one model: who differs in what, from when, with which doses, to be seen when.

    Arrays are (patients,). `parameters` and `initial` need only what differs from the model text. `times` is (times,)
    for all or (patients, times), rising. A value at the time of a dose is that just before it, a value at the time of
    an event of the model that just after it; before a patient's own start it is NaN.
    """

    times: Numbers
    outputs: Sequence[str]
    """states, parameters or observables"""
    start: Numbers
    parameters: Mapping[str, Numbers] = field(default_factory=dict)
    initial: Mapping[str, Numbers] = field(default_factory=dict)
    """states"""
    doses: Doses = field(default_factory=Doses)
    extinctions: Sequence[Extinction] = ()
    never_negative: Sequence[str] = ()
    """states that the equations keep at or above zero (amounts, numbers of cells): what error control lets fall below
    is set to zero, and a fall by more than the tolerance repeats the step"""
    relative_tolerance: float = 1e-6
    absolute_tolerance: float | Mapping[str, float] = 1e-9
    """one number for all states, or one per state (every state then)"""
    may_be_negative: Sequence[str] = ()
    """parameters that may be below zero; those whose own value in the text is below zero may be anyway"""
    max_steps: int = 1_000_000
    """of one patient, after which solving it is given up"""

    def __len__(self) -> int:
        return len(self.start)


def check_request(program: Program, request: Request) -> None:
    """Raises InputError with every fault of the request, before anything runs."""
    faults = list(_kind_faults(request))
    if not faults:
        faults = [*_name_faults(program, request), *_shape_faults(request), *_number_faults(program, request)]
    if not faults:
        faults = list(_dose_faults(program, request))
    if faults:
        raise InputError(faults)


def _kind_faults(request: Request) -> Iterator[Fault]:
    """What is no array of numbers, or no number, where one is needed."""
    doses = request.doses
    arrays = {
        "times": request.times,
        "start": request.start,
        **{f"parameters {name}": array for name, array in request.parameters.items()},
        **{f"initial {name}": array for name, array in request.initial.items()},
        **{f"doses.{name}": getattr(doses, name) for name in ("time", "amount", "duration")},
    }
    for place, array in arrays.items():
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
            yield Fault(f"request.{place}", f"is {_told(array)}", "give a numpy array of numbers")
    if not isinstance(doses.patient, np.ndarray) or doses.patient.dtype.kind not in "iu":
        yield Fault("request.doses.patient", f"is {_told(doses.patient)}", "give a numpy array of whole numbers")
    if not isinstance(doses.state, np.ndarray) or doses.state.dtype.kind != "U":
        yield Fault("request.doses.state", f"is {_told(doses.state)}", "give a numpy array of names")
    if isinstance(request.outputs, str):
        yield Fault("request.outputs", f"is the text {request.outputs!r}", "give a tuple of names")
    tolerances = request.absolute_tolerance
    named = list(tolerances.values()) if isinstance(tolerances, Mapping) else [tolerances]
    for value in (request.relative_tolerance, *named, *(group.threshold for group in request.extinctions)):
        if not isinstance(value, Real) or not np.isfinite(float(value)):
            yield Fault("request", f"has {value!r} as a tolerance or threshold", "give a finite number")
    if not isinstance(request.max_steps, int | np.integer) or request.max_steps > _MOST_STEPS:
        yield Fault("request.max_steps", f"is {request.max_steps!r}", f"give a whole number up to {_MOST_STEPS:g}")


def _told(value: object) -> str:
    return f"an array of {value.dtype}" if isinstance(value, np.ndarray) else f"of type {type(value).__name__}"


def _name_faults(program: Program, request: Request) -> Iterator[Fault]:
    known_outputs = {*program.states, *program.constants, *program.observables}
    groups = [name for group in request.extinctions for name in (*group.states, *group.not_while_positive)]
    for place, names, allowed in (
        ("parameters", request.parameters, set(program.constants)),
        ("initial", request.initial, set(program.states)),
        ("outputs", request.outputs, known_outputs),
        ("extinctions", groups, set(program.states)),
        ("never_negative", request.never_negative, set(program.states)),
        ("may_be_negative", request.may_be_negative, set(program.constants)),
    ):
        for name in names:
            if name not in allowed:
                yield Fault(f"request.{place} {name}", "the model has no such name", f"choose from {sorted(allowed)}")
    for name in program.needed:
        place = "initial" if name in program.states else "parameters"
        if name not in getattr(request, place):
            yield Fault(f"request.{place} {name}", "has no value in the model text", "give one per patient")
    if isinstance(request.absolute_tolerance, Mapping):
        for name in set(program.states) ^ set(request.absolute_tolerance):
            yield Fault(f"request.absolute_tolerance {name}", "not one per state", "give each state of the model one")


def _shape_faults(request: Request) -> Iterator[Fault]:
    if request.start.ndim != 1:
        yield Fault("request.start", f"has shape {request.start.shape}", "give (patients,)")
        return
    patients = len(request)
    for group in request.extinctions:
        if not group.states:
            yield Fault("request.extinctions", f"{group} has no states", "name those that die out together")
    for place, given in (("parameters", request.parameters), ("initial", request.initial)):
        for name, array in given.items():
            if np.shape(array) != (patients,):
                yield Fault(f"request.{place} {name}", f"has shape {np.shape(array)}", f"give shape ({patients},)")
    times = request.times
    if times.ndim not in (1, 2) or (times.ndim == 2 and len(times) != patients):
        yield Fault("request.times", f"has shape {times.shape}", f"give (times,) or ({patients}, times)")
    elif times.shape[-1] == 0:
        yield Fault("request.times", "is empty", "ask for at least one time")
    doses = request.doses
    lengths = {len(doses.patient), len(doses.time), len(doses.state), len(doses.amount), len(doses.duration)}
    if len(lengths) != 1 or any(getattr(doses, name).ndim != 1 for name in Doses.__dataclass_fields__):
        yield Fault("request.doses", f"has columns of lengths {sorted(lengths)}", "give one row per dose")


def _number_faults(program: Program, request: Request) -> Iterator[Fault]:
    named = {**request.parameters, **request.initial, "start": request.start, "times": request.times}
    for name, array in named.items():
        if not np.all(np.isfinite(array)):
            yield Fault(f"request {name}", "holds a number that is not finite", "mend it or leave the patient out")
    own = program.own_values
    for name in request.never_negative:
        if np.any(np.asarray(request.initial.get(name, own.get(name, 0.0))) < 0):
            yield Fault(f"request.initial {name}", "is below zero", "mend it, or leave it out of never_negative")
    free = {*request.may_be_negative, *(name for name, value in own.items() if value < 0)}
    for name, array in request.parameters.items():
        if name not in free and np.any(np.asarray(array) < 0):
            yield Fault(f"request.parameters {name}", "is below zero", "mend it, or name it in may_be_negative")
    if np.any(np.diff(request.times, axis=-1) <= 0):
        yield Fault("request.times", "do not rise", "sort them and give each once")
    tolerances = request.absolute_tolerance
    smallest = min(tolerances.values(), default=1.0) if isinstance(tolerances, Mapping) else tolerances
    if not (request.relative_tolerance > 0 and smallest > 0):
        yield Fault("request tolerances", "are not above zero", "give for example 1e-6 and 1e-9")
    if request.max_steps < 1:
        yield Fault("request.max_steps", f"is {request.max_steps}", "give 1 or more")


def _dose_faults(program: Program, request: Request) -> Iterator[Fault]:
    doses = request.doses
    for state in sorted({str(name) for name in np.unique(doses.state)} - set(program.states)):
        yield Fault(f"request.doses {state}", "is no state of the model", f"dose one of {sorted(program.states)}")
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
