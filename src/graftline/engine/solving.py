"""Solving: a patient gets the same numbers whoever else is in the batch, in any order, with any number of threads."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

import numpy as np

from .compiling.kernel import CompiledModel, compile_model, compile_observe
from .compiling.native import Library
from .compiling.program import Program
from .request import Request, check_request
from .result import Result, Status, message
from .running.preparing import infused_slots, job_of, kernel_of
from .running.records import JobArrays, Kernel, Numbers, new_lanes, packed

Progress = Callable[[int, int], None]
"""called with (patients begun, patients) now and then"""
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
    compiled = compile_model(program, infused_slots(program, request.doses), lanes)
    observe = _observe(compiled, request)
    kernel = kernel_of(compiled, observe.addresses["observe"] if observe else 0)
    out: Numbers = np.empty((len(request), request.times.shape[-1], len(request.outputs)))
    arrays = job_of(compiled, request, out, all_states=observe is not None)
    _work(kernel, arrays, compiled.layout.places, min(threads or _processors(), max(len(request), 1)), progress)
    status, names = arrays["status"], program.quantities
    return Result(
        names=tuple(request.outputs),
        units={name: program.units[name] for name in request.outputs if name in program.units},
        times=request.times,
        values=out,
        status=status,
        steps=arrays["steps"],
        rejected=arrays["rejected"],
        messages={
            int(patient): message(int(status[patient]), float(arrays["failed_at"][patient]), names, quantity)
            for patient in np.flatnonzero(status != Status.OK)
            for quantity in [int(arrays["failed_in"][patient])]
        },
    )


def _processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _observe(compiled: CompiledModel, request: Request) -> Library | None:
    """Code for the outputs, if some of them are more than states."""
    if set(request.outputs) <= set(compiled.program.states):
        return None
    return compile_observe(compiled, tuple(request.outputs))


def _work(kernel: Kernel, arrays: JobArrays, places: int, threads: int, progress: Progress | None) -> None:
    """Run the control loop in some threads until all patients are done; an interrupt ends all of them."""
    from .running.loop import run_lanes  # numba takes a while to import

    job = arrays.job
    own = [new_lanes(kernel, job, places) for _ in range(threads)]
    records = [(packed(kernel), packed(job), packed(one.lanes)) for one in own]
    others = [threading.Thread(target=run_lanes, args=three, daemon=True) for three in records]
    for one in others:
        one.start()
    try:
        while any(one.is_alive() for one in others):
            for one in others:
                one.join(_LOOK_EVERY / threads)
            if progress is not None:
                progress(min(int(arrays["next_patient"][0]), job.patients), job.patients)
    finally:
        arrays["stop"][0] = 1
        for one in others:
            one.join()
    if progress is not None:
        progress(job.patients, job.patients)
