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

from ..base.clock import calendar_date, day_number
from ..statistics import beta_binomial_prediction
from .spreads import ENOUGH, LEVEL, NOTHING, Numbers, added, median_limits, per_infused, quantiles

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
    "earlier" or "later", else "" (and always "" with fewer trials than an interval needs). `error` holds the
    Monte-Carlo limits of the median.
    """

    label: str
    published: str
    median: str
    error: str
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
    per_infused: bool = False
    """shown for as many infused as were published, since the number infused differs from trial to trial"""


def _best(code: str, label: str) -> _Row:
    return _Row(label, (code,), (f"{code}_NC",), "INFUSED", per_infused=True)


def _toxic(label: str, *columns: str) -> _Row:
    return _Row(label, columns, out_of="INFUSED", per_infused=True)


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
    "NE": _best("NE", "Best response: not evaluable"),
    "CRS_ANY": _toxic("CRS, any grade", "CRS_ANY"),
    "CRS_G1_2": _toxic("CRS, grade 1 or 2", "CRS_G1", "CRS_G2"),
    "CRS_G3": _toxic("CRS, grade 3", "CRS_G3"),
    "CRS_G4": _toxic("CRS, grade 4", "CRS_G4"),
    "DLT": _toxic("Dose-limiting toxicity", "DLT"),
    "DAY_2": _nth(2, "2nd"),
    "DAY_9": _nth(9, "9th"),
    "DAY_12": _nth(12, "12th"),
    "DAY_18": _nth(18, "18th"),
}


_EVALUATED = ("CR", "PR", "SD", "PD")


def compare(replicates: pl.DataFrame, published: list[dict[str, Any]]) -> list[ComparisonRow]:
    """The table's rows, in the order of the published list; rows the simulation does not count say so."""
    entries = _with_not_evaluable(published)
    known = {_key(entry["row"]): entry.get("published") for entry in entries}
    return [_row(entry, replicates, known) for entry in entries]


def infused_of(published: list[dict[str, Any]]) -> int | None:
    """How many were infused in the published trial, if that is known and not none."""
    found = {_key(entry["row"]): entry.get("published") for entry in published}.get("INFUSED")
    return found if isinstance(found, int) and found > 0 else None


def _with_not_evaluable(published: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The list with a row for patients who were not evaluable, the infused less those with a published response.

    Only where all four responses and the number infused are known and no such row was published.
    """
    known = {_key(entry["row"]): entry.get("published") for entry in published}
    counts = [known.get(code) for code in ("INFUSED", *_EVALUATED)]
    if "NE" in known or not all(isinstance(count, int) for count in counts):
        return published
    infused, *responses = (int(count) for count in counts if isinstance(count, int))
    left = infused - sum(responses)
    if left < 0:
        return published
    text = f"derived: {infused} − ({' + '.join(map(str, responses))})"
    after = max(place for place, entry in enumerate(published) if _key(entry["row"]) in _EVALUATED)
    return [*published[: after + 1], {"row": "NE", "published": left, "text": text}, *published[after + 1 :]]


def _key(row: object) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in str(row).upper())


def _row(entry: dict[str, Any], replicates: pl.DataFrame, known: Mapping[str, Any]) -> ComparisonRow:
    key, found = _key(entry["row"]), entry.get("published")
    row, note = _ROWS.get(key), str(entry.get("text") or "")
    if row is None:
        return _not_simulated(entry, note)
    infused = known.get("INFUSED")
    whole = infused if row.per_infused and isinstance(infused, int) and infused > 0 else None
    show = _show_day if row.is_date else _show_count if whole is None else _show_rate
    samples = _samples(replicates, row, row.columns, whole)
    middle, low, high = quantiles(samples)
    outside = ""
    if len(samples) >= ENOUGH:
        outside = _side(_published_span(found), low, high, ("earlier", "later") if row.is_date else ("below", "above"))
    limits = median_limits(samples)
    return ComparisonRow(
        label=row.label if whole is None else f"{row.label}, per {whole} infused",
        published=_show_published(found),
        median=show(middle),
        error=NOTHING if limits is None else _range(*limits, show),
        interval=_range(low, high, show),
        outside=outside,
        no_cells=_without_cells(row, replicates, whole, show),
        naive=_naive(row, found, known.get(row.out_of)),
        kind=Kind(entry.get("kind", row.kind)),
        note=note,
    )


def _not_simulated(entry: dict[str, Any], note: str) -> ComparisonRow:
    return ComparisonRow(
        label=str(entry["row"]),
        published=_show_published(entry.get("published")),
        median="not simulated",
        error=NOTHING,
        interval=NOTHING,
        outside="",
        no_cells=NOTHING,
        naive=NOTHING,
        kind=Kind.PREDICTED,
        note=note,
    )


def _samples(replicates: pl.DataFrame, row: _Row, columns: tuple[str, ...], whole: int | None) -> Numbers:
    if whole is not None:
        return per_infused(replicates, columns, whole)
    return added(replicates, columns, missing=np.inf if row.is_date else 0.0)


def _side(span: tuple[float, float] | None, low: float, high: float, names: tuple[str, str]) -> str:
    """On which side of the interval the published value lies; nothing where it is inside or cannot be compared."""
    if span is None or np.isnan(low):
        return ""
    return names[0] if span[1] < low else names[1] if span[0] > high else ""


def _without_cells(row: _Row, replicates: pl.DataFrame, whole: int | None, show: Callable[[float], str]) -> str:
    if not row.without_cells:
        return NOTHING
    middle, low, high = quantiles(_samples(replicates, row, row.without_cells, whole))
    return NOTHING if np.isnan(middle) else f"{show(middle)} ({_range(low, high, show)})"


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


def _show_rate(value: float) -> str:
    return NOTHING if np.isnan(value) else f"{value:.1f}"


def _show_day(value: float) -> str:
    if np.isnan(value):
        return NOTHING
    return calendar_date(int(value)).isoformat() if np.isfinite(value) else NOT_REACHED


def _range(low: float, high: float, show: Callable[[float], str]) -> str:
    return NOTHING if np.isnan(low) else show(low) if show(low) == show(high) else f"{show(low)} to {show(high)}"
