"""Solving: a patient gets the same numbers whoever else is in the batch, in any order, with any number of threads."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..base.errors import Fault, InputError
from .compiling.kernel import CompiledModel, compile_model, compile_observe
from .compiling.native import Library
from .compiling.program import Program
from .request import Request, check_request
from .result import Result, Status, message
from .running.preparing import infused_slots, job_of, kernel_of
from .running.records import JobArrays, Kernel, Numbers, new_lanes, packed

Progress = Callable[[int, int], None]
"""called with (patients begun, patients) now and then"""
LANES = (1, 2, 4, 8, 16)
_LOOK_EVERY = 0.05  # seconds between looks at threads that work


def solve_program(
    program: Program,
    request: Request,
    threads: int | None = None,
    *,
    lanes: int | None = None,
    progress: Progress | None = None,
) -> Result:
    """What `engine.solve` gives, from the equations alone."""
    check_request(program, request)
    _check_numbers(threads, lanes)
    compiled = compile_model(program, infused_slots(program, request.doses), lanes)
    observe = _observe(compiled, request)
    kernel = kernel_of(compiled, observe.addresses["observe"] if observe else 0)
    out: Numbers = np.empty((len(request), request.times.shape[-1], len(request.outputs)))
    arrays = job_of(compiled, request, out, all_states=observe is not None)
    held = _Held(compiled=compiled, observe=observe)
    _work(kernel, arrays, min(threads or _processors(), max(len(request), 1)), progress, held)
    status, outputs = arrays["status"], tuple(request.outputs)
    return Result(
        names=outputs,
        units={name: program.units[name] for name in request.outputs if name in program.units},
        times=request.times,
        values=out,
        status=status,
        steps=arrays["steps"],
        rejected=arrays["rejected"],
        messages={
            int(patient): message(
                int(status[patient]),
                float(arrays["failed_at"][patient]),
                outputs if status[patient] == Status.OUTPUT_NOT_A_NUMBER else program.quantities,
                int(arrays["failed_in"][patient]),
            )
            for patient in np.flatnonzero(status != Status.OK)
        },
    )


def _check_numbers(threads: int | None, lanes: int | None) -> None:
    faults = []
    if threads is not None and threads < 1:
        faults.append(Fault("threads", f"is {threads}", "give 1 or more, or leave it out"))
    if lanes is not None and lanes not in LANES:
        faults.append(Fault("lanes", f"is {lanes}", f"give one of {', '.join(map(str, LANES))}, or leave it out"))
    if faults:
        raise InputError(faults)


def _processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _observe(compiled: CompiledModel, request: Request) -> Library | None:
    """Code for the outputs, if some of them are more than states."""
    if set(request.outputs) <= set(compiled.program.states):
        return None
    return compile_observe(compiled, tuple(request.outputs))


def _work(kernel: Kernel, arrays: JobArrays, threads: int, progress: Progress | None, held: _Held) -> None:
    """Run the control loop in some threads until all patients are done; an interrupt ends all of them."""
    from .running.loop import run_lanes  # numba takes a while to import

    job, ended = arrays.job, list[threading.Event]()
    own = [new_lanes(kernel, job, held.compiled.layout.places) for _ in range(threads)]
    records = [(packed(kernel), packed(job), packed(one.lanes)) for one in own]
    try:
        for three in records:
            end = threading.Event()
            threading.Thread(target=_until_done, args=(run_lanes, three, end, (held, arrays, own)), daemon=True).start()
            ended.append(end)
        while not all(end.is_set() for end in ended):
            for end in ended:
                end.wait(_LOOK_EVERY / threads)
            if progress is not None:
                progress(min(int(arrays["next_patient"][0]), job.patients), job.patients)
    finally:
        arrays["stop"][0] = 1
        _wait_for_all(ended)
    if progress is not None:
        progress(job.patients, job.patients)


@dataclass(frozen=True, kw_only=True)
class _Held:
    """Code that must stay in memory as long as a thread may call it."""

    compiled: CompiledModel
    observe: Library | None


def _until_done(work: Callable[..., None], records: tuple[Any, ...], end: threading.Event, _held: object) -> None:
    """What a thread does, holding on to all it touches; it says so at its end, whatever happens."""
    try:
        work(*records)
    finally:
        end.set()


def _wait_for_all(ended: Sequence[threading.Event]) -> None:
    """Until no thread works any more; another interrupt does not cut that short.

    A thread's own `join` will not do: when an interrupt falls into it, Python takes the thread for ended.
    """
    while True:
        try:
            for end in ended:
                end.wait()
            return
        except KeyboardInterrupt:
            continue
