"""Simulated against published: each row with its prediction interval, its control and its naive rival."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..base.clock import calendar_date, day_number
from ..statistics import beta_binomial_prediction, prediction_interval

Numbers = NDArray[np.float64]
LEVEL = 0.9
NOTHING = "–"
NOT_REACHED = "not reached"


class Kind(StrEnum):
    """How far a simulated number was free to agree with the published one."""

    FITTED = "fitted"
    PREDICTED = "predicted"
    FREE_RATE = "free rate"


@dataclass(frozen=True, kw_only=True)
class ComparisonRow:
    """One published number beside what the simulated trials gave; texts ready to print.

    `outside` says on which side of the prediction interval the published value lies: "below" or "above", for dates
    "earlier" or "later", else "".
    """

    label: str
    published: str
    median: str
    interval: str
    outside: str
    no_cells: str
    naive: str
    kind: Kind
    note: str = ""


@dataclass(frozen=True)
class _Row:
    label: str
    columns: tuple[str, ...]
    """added up, replicate by replicate"""
    without_cells: tuple[str, ...] = ()
    out_of: str = ""
    """key of the published row that is the denominator of the naive interval"""
    kind: Kind = Kind.PREDICTED
    is_date: bool = False


def _best(code: str, label: str) -> _Row:
    return _Row(label, (code,), (f"{code}_NC",), "INFUSED")


def _nth(number: int, label: str) -> _Row:
    return _Row(f"Date of {label} infusion", (f"DAY_{number}",), is_date=True)


_ROWS: Mapping[str, _Row] = {
    "SCREENED": _Row("Screened, people", ("SCREENED",), kind=Kind.FREE_RATE),
    "APHERESED": _Row("Apheresed, people", ("APHERESED",), out_of="SCREENED"),
    "INFUSED": _Row("Infused, people", ("INFUSED",), out_of="APHERESED"),
    "CR": _best("CR", "Best response: complete"),
    "PR": _best("PR", "Best response: partial"),
    "SD": _best("SD", "Best response: stable disease"),
    "PD": _best("PD", "Best response: progression"),
    "CRS_ANY": _Row("CRS, any grade", ("CRS_ANY",), out_of="INFUSED"),
    "CRS_G1_2": _Row("CRS, grade 1 or 2", ("CRS_G1", "CRS_G2"), out_of="INFUSED"),
    "CRS_G3": _Row("CRS, grade 3", ("CRS_G3",), out_of="INFUSED"),
    "CRS_G4": _Row("CRS, grade 4", ("CRS_G4",), out_of="INFUSED"),
    "DLT": _Row("Dose-limiting toxicity", ("DLT",), out_of="INFUSED"),
    "DAY_2": _nth(2, "2nd"),
    "DAY_9": _nth(9, "9th"),
    "DAY_12": _nth(12, "12th"),
    "DAY_18": _nth(18, "18th"),
}


def compare(replicates: pl.DataFrame, published: list[dict[str, Any]]) -> list[ComparisonRow]:
    """The table's rows, in the order of the published list; rows the simulation does not count say so."""
    known = {_key(entry["row"]): entry.get("published") for entry in published}
    return [_row(entry, replicates, known) for entry in published]


def spread_of(replicates: pl.DataFrame, *columns: str) -> str:
    """Median and 90 % interval of a count over replicates, for running text."""
    middle, low, high = _quantiles(_sum(replicates, columns, missing=0.0))
    return NOTHING if np.isnan(middle) else f"{middle:.0f} (90 % {low:.0f} to {high:.0f})"


def _key(row: object) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in str(row).upper())


def _row(entry: dict[str, Any], replicates: pl.DataFrame, known: Mapping[str, Any]) -> ComparisonRow:
    key, found = _key(entry["row"]), entry.get("published")
    row, note = _ROWS.get(key), str(entry.get("text") or "")
    if row is None:
        text = NOTHING if found is None else str(found)
        return ComparisonRow(
            label=str(entry["row"]),
            published=text,
            median="not simulated",
            interval=NOTHING,
            outside="",
            no_cells=NOTHING,
            naive=NOTHING,
            kind=Kind.PREDICTED,
            note=note,
        )
    show = _show_day if row.is_date else _show_count
    middle, low, high = _quantiles(_sum(replicates, row.columns, missing=np.inf if row.is_date else 0.0))
    span = _published_span(found)
    outside = _side(span, low, high, ("earlier", "later") if row.is_date else ("below", "above"))
    return ComparisonRow(
        label=row.label,
        published=_show_published(found),
        median=show(middle),
        interval=_range(low, high, show),
        outside=outside,
        no_cells=_without_cells(row, replicates),
        naive=_naive(row, found, known.get(row.out_of)),
        kind=Kind(entry.get("kind", row.kind)),
        note=note,
    )


def _sum(replicates: pl.DataFrame, columns: tuple[str, ...], *, missing: float) -> Numbers:
    if any(name not in replicates.columns for name in columns):
        return np.empty(0)
    parts = [replicates[name].cast(pl.Float64).fill_nan(None).fill_null(missing).to_numpy() for name in columns]
    return np.asarray(np.sum(parts, axis=0), dtype=np.float64)


def _quantiles(samples: Numbers) -> tuple[float, float, float]:
    """Median, lower and upper end of the prediction interval; all are values that did occur. NaN without samples."""
    if len(samples) == 0:
        return float("nan"), float("nan"), float("nan")
    low, high = prediction_interval(samples, LEVEL)
    middle = np.sort(samples)[(len(samples) - 1) // 2]
    return float(middle), float(low), float(high)


def _side(span: tuple[float, float] | None, low: float, high: float, names: tuple[str, str]) -> str:
    """On which side of the interval the published value lies; nothing where it is inside or cannot be compared."""
    if span is None or np.isnan(low):
        return ""
    return names[0] if span[1] < low else names[1] if span[0] > high else ""


def _without_cells(row: _Row, replicates: pl.DataFrame) -> str:
    if not row.without_cells:
        return NOTHING
    middle, low, high = _quantiles(_sum(replicates, row.without_cells, missing=0.0))
    return NOTHING if np.isnan(middle) else f"{middle:.0f} ({_range(low, high, _show_count)})"


def _naive(row: _Row, successes: object, trials: object) -> str:
    if not row.out_of or not isinstance(successes, int) or not isinstance(trials, int) or successes > trials:
        return NOTHING
    low, high = beta_binomial_prediction(successes, trials, trials, LEVEL)
    return _range(float(low), float(high), _show_count)


def _published_span(found: object) -> tuple[float, float] | None:
    """First and last value that the published text allows: a month is all its days."""
    if isinstance(found, int | float):
        return float(found), float(found)
    if not isinstance(found, str):
        return None
    parts = [int(part) for part in found.split("-") if part.isdigit()]
    if len(parts) == 3:
        day = float(day_number(date(*parts)))
        return day, day
    if len(parts) == 2:
        first = date(parts[0], parts[1], 1)
        last = first.replace(day=monthrange(*parts)[1])
        return float(day_number(first)), float(day_number(last))
    return None


def _show_published(found: object) -> str:
    return NOTHING if found is None else str(found)


def _show_count(value: float) -> str:
    return NOTHING if np.isnan(value) else f"{value:.0f}"


def _show_day(value: float) -> str:
    if np.isnan(value):
        return NOTHING
    return calendar_date(int(value)).isoformat() if np.isfinite(value) else NOT_REACHED


def _range(low: float, high: float, show: Callable[[float], str]) -> str:
    return NOTHING if np.isnan(low) else show(low) if low == high else f"{show(low)} to {show(high)}"
