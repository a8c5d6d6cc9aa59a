"""What comes back from the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


class Status(IntEnum):
    """How solving one patient ended."""

    OK = 0
    STEP_TOO_SMALL = 1
    TOO_MANY_STEPS = 2
    NOT_FINITE = 3
    TOO_MANY_EVENTS = 4
    STOPPED = 5
    OUTPUT_NOT_A_NUMBER = 6
    """solved to the end, but an output has no value somewhere, as the logarithm of a number below zero has none"""


_WORDS = {
    Status.STEP_TOO_SMALL: "the step became too small",
    Status.TOO_MANY_STEPS: "it took too many steps",
    Status.NOT_FINITE: "a number is not finite",
    Status.TOO_MANY_EVENTS: "events set off each other without end, or too many wait",
    Status.STOPPED: "stopped before the end",
    Status.OUTPUT_NOT_A_NUMBER: "solved to the end, but an output is not a number",
}


@dataclass(frozen=True, kw_only=True)
class Result:
    """Courses of patients. `values` is NaN before a patient's start, and from where solving it failed; nowhere else
    without a status that says so."""

    names: tuple[str, ...]
    """of the outputs"""
    units: Mapping[str, str]
    """output -> unit, where the model declares one"""
    times: Numbers
    """(times,) or (patients, times), as asked"""
    values: Numbers
    """(patients, times, outputs)"""
    status: NDArray[np.int64]
    """(patients,), of `Status`"""
    steps: NDArray[np.int64]
    """(patients,): steps tried"""
    rejected: NDArray[np.int64]
    """(patients,): steps tried in vain"""
    messages: Mapping[int, str]
    """patient -> why solving it failed, when and in which quantity"""

    def __len__(self) -> int:
        return len(self.status)

    def __getitem__(self, name: str) -> Numbers:
        """One output of all patients, (patients, times)."""
        return self.values[:, :, self.names.index(name)]


def message(status: int, time: float, names: Sequence[str], quantity: int) -> str:
    """Why solving a patient failed, in words; `quantity` is the place of the name, -1 for none."""
    place = f" in {names[quantity]}" if quantity >= 0 else ""
    return f"{_WORDS[Status(status)]} at time {time:g}{place}"
