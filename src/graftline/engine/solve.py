"""Solving: a patient gets the same numbers whoever else is in the batch, in any order, with any number of workers."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ._libroadrunner import solve_batch
from .model import Model
from .request import Doses, Request, Solution, check_request

_CHUNKS_PER_WORKER = 4  # patients differ in how long they take; smaller chunks even that out


@dataclass
class Workers:
    """Processes that solve patients side by side; open them once with ``with`` and hand them to every `solve`."""

    count: int

    def __post_init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        if self.count > 1:  # spawn: a forked copy of a process with compiled code and threads is unsafe
            self._pool = ProcessPoolExecutor(self.count, mp_context=multiprocessing.get_context("spawn"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def solve(self, model: Model, parts: Sequence[Request]) -> list[Solution]:
        """Each part solved, in the order given."""
        if self._pool is None:
            return [solve_batch(model, part) for part in parts]
        return list(self._pool.map(solve_batch, [model] * len(parts), parts))


def solve(model: Model, request: Request, workers: Workers | None = None) -> Solution:
    """Solve the model for every patient of the request.

    Raises InputError (all faults at once) before anything runs. A patient whose equations cannot be solved is marked
    in `status` and `messages`; the others go on. Results do not depend on the other patients, their order or `workers`,
    to the last bit.
    """
    check_request(model, request)
    if workers is None or workers.count < 2 or len(request) < 2:
        return solve_batch(model, request)
    pieces = np.array_split(np.arange(len(request)), min(len(request), workers.count * _CHUNKS_PER_WORKER))
    return _joined(request, pieces, workers.solve(model, [_part(request, piece) for piece in pieces]))


def _part(request: Request, patients: NDArray[np.intp]) -> Request:
    """The request for some patients only; `patients` is a range without gaps."""
    doses, first = request.doses, int(patients[0])
    own = (doses.patient >= first) & (doses.patient <= int(patients[-1]))
    return replace(
        request,
        start=request.start[patients],
        times=request.times if request.times.ndim == 1 else request.times[patients],
        parameters={name: array[patients] for name, array in request.parameters.items()},
        initial={name: array[patients] for name, array in request.initial.items()},
        doses=Doses(
            patient=doses.patient[own] - first,
            time=doses.time[own],
            state=doses.state[own],
            amount=doses.amount[own],
            duration=doses.duration[own],
        ),
    )


def _joined(request: Request, pieces: Sequence[NDArray[np.intp]], parts: Sequence[Solution]) -> Solution:
    return Solution(
        times=request.times,
        values={name: np.concatenate([part.values[name] for part in parts]) for name in request.outputs},
        status=np.concatenate([part.status for part in parts]),
        messages={
            int(piece[index]): message
            for piece, part in zip(pieces, parts, strict=True)
            for index, message in part.messages.items()
        },
    )
