"""Readings of any observable of the twin, with its error: one door to the draws of `simulate` and `simulate_crs`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..base.streams import Keys, Streams
from .crs import UNKNOWN_GRADE, has_fever
from .observables import ErrorKind, observable
from .simulate import Measured, measure, read_diameters
from .simulate_crs import crs_from_cytokine

Numbers = NDArray[np.float64]


def draw_observable(
    name: str, truth: Numbers, keys: Keys, streams: Streams, *, times: NDArray[np.float64] | None = None
) -> Measured:
    """Readings of the observable around the truth, shaped as the truth but for a sum of lesions, (patients, visits).

    `truth` is in the unit of the observable; of a derived one it is the truth of the observable it is made from
    (diameters of the lesions for their sum, temperature for fever, effect of IL-6 on consecutive days for the grade).
    `times` as in `measure`. Raises KeyError for an unknown observable. Grades and fever are NaN where not known.
    """
    one = observable(name)
    match name:
        case "lesion_diameter" | "sum_of_diameters":
            read = read_diameters(truth, keys, streams)
            if name == "sum_of_diameters":
                read = np.where(np.isnan(read).all(axis=-1), np.nan, np.nansum(read, axis=-1))
            return _unlimited(read)
        case "fever":
            assert one.made_from is not None
            hot = has_fever(measure(truth, one.made_from, keys, streams).value).astype(np.float64)
            return _unlimited(np.where(np.isnan(truth), np.nan, hot))
        case "crs_grade":
            grade = crs_from_cytokine(truth, keys, streams).grade
            return _unlimited(np.where(grade == UNKNOWN_GRADE, np.nan, grade.astype(np.float64)))
        case _:
            assert one.error not in (ErrorKind.DERIVED, ErrorKind.LINK), f"no way to draw {name}"
            return measure(truth, name, keys, streams, times=times)


def _unlimited(value: Numbers) -> Measured:
    none = np.zeros(value.shape, dtype=np.bool_)
    return Measured(value=np.asarray(value, dtype=np.float64), below_limit=none, above_limit=none)
