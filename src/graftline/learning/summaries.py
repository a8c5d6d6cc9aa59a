"""What is read off a course as one number: a peak, a value at a time, and so on."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..base.errors import Fault, InputError
from ..base.units import PERCENT

Numbers = NDArray[np.float64]
Kind = Literal["peak", "minimum", "peak_time", "value", "best_change", "best_ratio", "reaches"]
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_OF = re.compile(r"(?P<log>log10:)?(?P<kind>peak|minimum|peak_time|best_change|best_ratio):(?P<name>\w+)")
_AT = re.compile(rf"(?P<log>log10:)?(?P<name>\w+)@(?P<number>{_NUMBER})")
_REACHES = re.compile(rf"reaches:(?P<name>\w+):(?P<number>{_NUMBER})")
FORMS = (
    "peak:X, minimum:X, peak_time:X, best_change:X, best_ratio:X, X@TIME or reaches:X:LEVEL; before all but the last "
    "log10: for the logarithm"
)


@dataclass(frozen=True, kw_only=True)
class Summary:
    """One number per course.

    `peak`, `minimum`, `peak_time`: over all times. `value`: at time `number`. `best_ratio`: the lowest value after the
    first time over that at the first time, `best_change` the same in percent (negative: a fall); `at` limits both to
    visits. `reaches`: 1 if the course ever reaches `number`, else 0. With `log` the decimal logarithm, which is
    undefined (NaN) at or below 0.
    """

    kind: Kind
    quantity: str
    number: float = math.nan
    log: bool = False
    at: tuple[float, ...] = ()
    """times at which `best_ratio` and `best_change` look; empty: at all"""

    @property
    def times(self) -> tuple[float, ...]:
        """Times that must be among those of the course."""
        return (self.number,) if self.kind == "value" else self.at

    def of(self, times: Numbers, course: Numbers) -> Numbers:
        """(patients,) from a course (patients, times); NaN where the course has NaN."""
        found = self._of(times, course)
        found = np.where(np.isnan(course).any(axis=1), np.nan, found)
        if not self.log:
            return np.asarray(found, dtype=np.float64)
        positive = found > 0
        return np.asarray(np.where(positive, np.log10(np.where(positive, found, 1.0)), np.nan), dtype=np.float64)

    def _of(self, times: Numbers, course: Numbers) -> Numbers:
        match self.kind:
            case "peak":
                return np.asarray(course.max(axis=1), dtype=np.float64)
            case "minimum":
                return np.asarray(course.min(axis=1), dtype=np.float64)
            case "peak_time":
                return np.asarray(times[course.argmax(axis=1)], dtype=np.float64)
            case "value":
                return np.asarray(course[:, int(np.abs(times - self.number).argmin())], dtype=np.float64)
            case "reaches":
                return np.asarray(course.max(axis=1) >= self.number, dtype=np.float64)
            case "best_ratio":
                return self._best_ratio(times, course)
            case "best_change":
                return np.asarray(PERCENT * (self._best_ratio(times, course) - 1), dtype=np.float64)

    def _best_ratio(self, times: Numbers, course: Numbers) -> Numbers:
        visits = np.isin(times, self.at) if self.at else times > times[0]
        start = course[:, 0]
        lowest = course[:, visits].min(axis=1)
        positive = start > 0
        return np.asarray(np.where(positive, lowest / np.where(positive, start, 1.0), np.nan), dtype=np.float64)

    def spelled(self) -> str:
        """As it is written on the command line."""
        match self.kind:
            case "value":
                text = f"{self.quantity}@{self.number:g}"
            case "reaches":
                text = f"reaches:{self.quantity}:{self.number:g}"
            case _:
                text = f"{self.kind}:{self.quantity}"
        return f"log10:{text}" if self.log else text


def read_summary(text: str, quantities: Collection[str], place: str = "output") -> Summary:
    """The summary that a text names; raises InputError naming the forms, or the quantities there are."""
    found = _OF.fullmatch(text) or _AT.fullmatch(text) or _REACHES.fullmatch(text)
    if found is None:
        raise InputError(Fault(f"{place} {text}", "is no number of a course", f"write {FORMS}"))
    parts = found.groupdict()
    if parts["name"] not in quantities:
        known = ", ".join(sorted(quantities))
        raise InputError(Fault(f"{place} {text}", f"there is no {parts['name']}", f"choose from {known}"))
    kind: Kind = parts.get("kind") or ("value" if "@" in text else "reaches")  # type: ignore[assignment]
    return Summary(
        kind=kind,
        quantity=parts["name"],
        number=float(parts.get("number") or "nan"),
        log=bool(parts.get("log")),
    )
