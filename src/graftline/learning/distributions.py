"""How an uncertain number is distributed, as people write it: `low:high`, `low:high:log` or `median~cv`."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from ..base.errors import Fault, InputError

Numbers = NDArray[np.float64]
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_RANGE = re.compile(rf"({_NUMBER}):({_NUMBER})(:log)?")
_LOGNORMAL = re.compile(rf"({_NUMBER})~({_NUMBER})")
FORMS = "LOW:HIGH (uniform), LOW:HIGH:log (uniform in the logarithm) or MEDIAN~CV (log-normal, CV as a fraction)"


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """`uniform` and `loguniform` from `first` to `second`; `lognormal` with median `first` and coefficient of variation
    `second` (0.3 is 30 %)."""

    kind: Literal["uniform", "loguniform", "lognormal"]
    first: float
    second: float

    def at(self, quantile: Numbers) -> Numbers:
        """Values at quantiles between 0 and 1."""
        match self.kind:
            case "uniform":
                return self.first + quantile * (self.second - self.first)
            case "loguniform":
                return np.asarray(self.first * (self.second / self.first) ** quantile, dtype=np.float64)
            case "lognormal":
                return np.asarray(self.first * np.exp(self.log_sd * ndtri(quantile)), dtype=np.float64)

    @property
    def log_sd(self) -> float:
        """Standard deviation of the logarithm of a log-normal."""
        assert self.kind == "lognormal", "of log-normals only"
        return math.sqrt(math.log1p(self.second**2))

    def spelled(self) -> str:
        """In words."""
        if self.kind == "lognormal":
            return f"log-normal, median {self.first:g}, CV {self.second:g}"
        return f"uniform{' in the logarithm' if self.kind == 'loguniform' else ''}, {self.first:g} to {self.second:g}"


def read_distribution(text: str, place: str) -> Distribution:
    """The distribution that a text names; raises InputError, which says where (`place`) and what to write instead."""
    found = _RANGE.fullmatch(text)
    if found is not None:
        low, high = float(found[1]), float(found[2])
        if not low < high:
            raise InputError(Fault(place, f"{low:g} is not below {high:g}", "write the lower end first"))
        if found[3] and low <= 0:
            raise InputError(Fault(place, f"the logarithm of {low:g} does not exist", "begin above 0"))
        return Distribution(kind="loguniform" if found[3] else "uniform", first=low, second=high)
    found = _LOGNORMAL.fullmatch(text)
    if found is None:
        raise InputError(Fault(place, f"{text!r} is no distribution", f"write {FORMS}"))
    median, variation = float(found[1]), float(found[2])
    if median <= 0 or variation <= 0:
        raise InputError(Fault(place, "a log-normal needs numbers above 0", "write for example 0.2~0.3"))
    return Distribution(kind="lognormal", first=median, second=variation)
