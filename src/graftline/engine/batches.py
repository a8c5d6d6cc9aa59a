"""Requests in pieces, so that results never have to be in memory all at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..base.errors import Fault, InputError
from .request import Doses, Request
from .result import Result

OWN_COLUMNS = ("patient", "status", "time")
"""of every table, beside the outputs"""


def pieces(request: Request, size: int) -> Iterator[Request]:
    """The request for `size` patients at a time, in order."""
    if size < 1:
        raise InputError(Fault("chunk", f"is {size}", "give 1 or more patients"))
    order = np.argsort(request.doses.patient, kind="stable")
    doses = Doses(**{name: getattr(request.doses, name)[order] for name in Doses.__dataclass_fields__})
    for first in range(0, len(request), size):
        yield _piece(request, doses, slice(first, min(first + size, len(request))))


def _piece(request: Request, doses: Doses, patients: slice) -> Request:
    """The request for some patients; `doses` are sorted by patient."""
    own = slice(*np.searchsorted(doses.patient, [patients.start, patients.stop]).tolist())
    columns = {name: getattr(doses, name)[own] for name in Doses.__dataclass_fields__}
    return replace(
        request,
        start=request.start[patients],
        times=request.times if request.times.ndim == 1 else request.times[patients],
        parameters={name: array[patients] for name, array in request.parameters.items()},
        initial={name: array[patients] for name, array in request.initial.items()},
        doses=Doses(**{**columns, "patient": columns["patient"] - patients.start}),
    )


def write_parquet(results: Iterable[Result], folder: Path) -> list[Path]:
    """One Parquet file per result: `patient`, `status`, `time` and the outputs, a row per patient and time.

    Files appear whole; those of a folder together are one table. Raises InputError if the folder holds files already.
    """
    import polars as pl  # heavy, needed only here

    if folder.exists() and not folder.is_dir():
        raise InputError(Fault(str(folder), "is a file", "name a new folder"))
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise InputError(Fault(str(folder), "is not empty", "name a new folder"))
    written, first = [], 0
    for number, result in enumerate(results):
        patients, times, _ = result.values.shape
        columns = {
            "patient": np.repeat(np.arange(first, first + patients), times),
            "status": np.repeat(result.status, times).astype(np.int8),
            "time": np.broadcast_to(result.times, (patients, times)).ravel(),
        }
        columns |= {name: result.values[:, :, k].ravel() for k, name in enumerate(result.names)}
        path = folder / f"part-{number:05d}.parquet"
        unfinished = path.with_suffix(".unfinished")
        pl.DataFrame(columns).write_parquet(unfinished)
        unfinished.replace(path)
        written.append(path)
        first += patients
    return written
