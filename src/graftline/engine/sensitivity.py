"""Forward sensitivities: how outputs change with parameters, solved together with the states."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..base.errors import Fault, InputError
from .compiling.augmenting import augmented, sensitivity_name
from .compiling.program import Program, from_json
from .model import Model
from .request import Request, check_request
from .result import Result
from .solving import solve_program

_KEPT = 8


@dataclass(frozen=True, kw_only=True)
class Sensitivities:
    """What `sensitivities` gives."""

    result: Result
    """the outputs themselves"""
    parameters: tuple[str, ...]
    values: NDArray[np.float64]
    """(patients, times, outputs, parameters): d output / d parameter, in units of output per unit of parameter"""


def sensitivities(
    model: Model, request: Request, parameters: Sequence[str], threads: int | None = None
) -> Sensitivities:
    """Solve the request together with the derivatives of its outputs with respect to parameters of the model.

    Initial values that the text computes from parameters change with them; those given in the request do not. Where a
    rate jumps (a branch), derivatives are right up to the jump only. Raises InputError for models with events, for
    extinctions, and for doses divided by a volume that is among the parameters.
    """
    check_request(model.program, request)
    faults = list(_faults(model.program, request, parameters))
    if faults:
        raise InputError(faults)
    given = (*request.initial, *request.parameters)
    program = _augmented(model.program.json, tuple(parameters), tuple(request.outputs), given)
    names = [sensitivity_name(output, one) for output in request.outputs for one in parameters]
    tolerance = request.absolute_tolerance
    if not isinstance(tolerance, float | int):
        own = [tolerance[name] for name in model.states]
        tolerance = dict(zip(program.states, own * (1 + len(parameters)), strict=True))
    asked = replace(request, outputs=(*request.outputs, *names), absolute_tolerance=tolerance)
    solved = solve_program(program, asked, threads)
    count = len(request.outputs)
    shape = (*solved.values.shape[:2], count, len(parameters))
    return Sensitivities(
        result=replace(solved, names=tuple(request.outputs), values=solved.values[:, :, :count]),
        parameters=tuple(parameters),
        values=solved.values[:, :, count:].reshape(shape),
    )


@lru_cache(maxsize=_KEPT)
def _augmented(text: str, parameters: tuple[str, ...], outputs: tuple[str, ...], given: tuple[str, ...]) -> Program:
    """Kept, because fits ask for the same derivatives over and over, and forming them takes longer than solving."""
    return augmented(from_json(text), parameters, outputs, given)


def _faults(program: Program, request: Request, parameters: Sequence[str]) -> Iterator[Fault]:
    for name in parameters:
        if name not in program.constants:
            yield Fault(
                f"parameters {name}", "is no parameter of the model", f"choose from {sorted(program.constants)}"
            )
    if program.events:
        named = ", ".join(event.name for event in program.events)
        yield Fault("model", f"has events ({named})", "use finite differences of solutions instead")
    if request.extinctions:
        yield Fault("request.extinctions", "make outputs jump", "leave them out, or use finite differences")
    dosed = {program.slot(str(name)) for name in np.unique(request.doses.state)}
    for state, volume in program.dose_volume.items():
        name = program.quantities[volume - 1]
        if state in dosed and name in parameters:
            remedy = "leave it out, or give the dose as an initial value"
            yield Fault(f"parameters {name}", "is a volume that doses are divided by", remedy)
