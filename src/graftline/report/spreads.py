"""How numbers spread over simulated trials: middle, interval, and how well so many trials tell the middle."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import binom

from ..statistics import prediction_interval

Numbers = NDArray[np.float64]
LEVEL = 0.9
ENOUGH = 20
"""trials from which the middle 90 % is less than lowest to highest; below, nothing is marked as outside"""
NOTHING = "–"
_TAIL_OF_THE_MEDIAN = 0.025


def span_name(trials: int) -> str:
    """What the interval over this many trials is: the middle 90 %, or only from the lowest to the highest."""
    return f"{LEVEL:.0%}".replace("%", "\u00a0%") if trials >= ENOUGH else "lowest to highest"


def quantiles(samples: Numbers) -> tuple[float, float, float]:
    """Median, lower and upper end of the prediction interval; all are values that did occur. NaN without samples."""
    if len(samples) == 0:
        return float("nan"), float("nan"), float("nan")
    low, high = prediction_interval(samples, LEVEL)
    middle = np.sort(samples)[(len(samples) - 1) // 2]
    return float(middle), float(low), float(high)


def median_limits(samples: Numbers) -> tuple[float, float] | None:
    """Monte-Carlo error: 95 % limits of the median over infinitely many trials, from order statistics.

    Distribution-free (sign test): between the k-th lowest and the k-th highest, k from the binomial law with one half.
    None below six trials, where no such limits exist.
    """
    count = len(samples)
    rank = int(binom.ppf(_TAIL_OF_THE_MEDIAN, count, 0.5)) if count else 0
    if rank < 1:
        return None
    values = np.sort(samples)
    return float(values[rank - 1]), float(values[count - rank])


def spread_of(replicates: pl.DataFrame, *columns: str) -> str:
    """Median and interval of a count over replicates, for running text."""
    middle, low, high = quantiles(added(replicates, columns, missing=0.0))
    if np.isnan(middle):
        return NOTHING
    return f"{middle:.0f} ({span_name(replicates.height)} {low:.0f} to {high:.0f})"


def added(replicates: pl.DataFrame, columns: tuple[str, ...], *, missing: float) -> Numbers:
    """These columns added up, replicate by replicate; empty if one is not there."""
    if any(name not in replicates.columns for name in columns):
        return np.empty(0)
    parts = [replicates[name].cast(pl.Float64).fill_nan(None).fill_null(missing).to_numpy() for name in columns]
    return np.asarray(np.sum(parts, axis=0), dtype=np.float64)


def per_infused(replicates: pl.DataFrame, columns: tuple[str, ...], infused: int) -> Numbers:
    """The count of each replicate for `infused` infused patients; replicates that infused nobody are left out."""
    counts, treated = added(replicates, columns, missing=0.0), added(replicates, ("INFUSED",), missing=0.0)
    if len(counts) == 0 or len(treated) == 0:
        return np.empty(0)
    some = treated > 0
    return np.asarray(counts[some] * infused / treated[some], dtype=np.float64)
