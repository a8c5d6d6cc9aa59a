"""Tables of the page: toxicity by worst grade, and what the report rests on without data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from ..base.units import DAYS_PER_MONTH, PERCENT
from ..statistics import prediction_interval
from .spreads import LEVEL, NOTHING

GRADES = (0, 1, 2, 3, 4)
_KINDS = {
    "Cytokine release syndrome (ASTCT)": "CRSGR",
    "Neutrophils low (CTCAE)": "ANCGR",
    "Platelets low (CTCAE)": "PLTGR",
    "Lymphocytes low (CTCAE)": "LYMGR",
    "Alanine aminotransferase high (CTCAE)": "ALTGR",
}


_STORY = ("events", "story")
"""names under which a followed patient's events may stand"""


@dataclass(frozen=True)
class ToxicityRow:
    """Share of infused patients by worst grade, ready to print; grade 5 counts with 4."""

    kind: str
    known: int
    shares: tuple[str, ...]
    severe: str


def toxicity(infused: pl.DataFrame) -> list[ToxicityRow]:
    """One row per kind that was graded; empty if nobody was infused."""
    rows = []
    for kind, column in _KINDS.items():
        if column not in infused.columns:
            continue
        grades = infused[column].drop_nulls().cast(pl.Int64).clip(upper_bound=GRADES[-1])
        if not len(grades):
            continue
        shares = tuple(_percent(int((grades == grade).sum()), len(grades)) for grade in GRADES)
        rows.append(ToxicityRow(kind, len(grades), shares, _percent(int((grades >= 3).sum()), len(grades))))
    return rows


def flagged(infused: pl.DataFrame, column: str) -> str:
    """Share of infused patients with this flag, among those in whom it is known."""
    if column not in infused.columns:
        return NOTHING
    known = infused[column].drop_nulls()
    return _percent(int(known.sum()), len(known)) if len(known) else NOTHING


_DEATH_WINDOW_DAYS = 28
"""Day 29 is 28 days after Day 1, the infusion"""


def early_deaths(infused: pl.DataFrame) -> str:
    """Who died by Day 29: how many of all infused and, where recorded, of what; ready to print."""
    if infused.is_empty() or not {"OSDY", "OSEV"} <= set(infused.columns):
        return NOTHING
    early = infused.filter(pl.col("OSEV").cast(pl.Boolean) & (pl.col("OSDY") <= _DEATH_WINDOW_DAYS))
    text = f"{early.height} of {infused.height} infused ({_percent(early.height, infused.height)})"
    if early.is_empty() or "DTHCAUS" not in early.columns:
        return text
    causes = early.with_columns(pl.col("DTHCAUS").cast(pl.String).fill_null("cause not recorded").alias("why"))
    counted = causes.group_by("why").agg(pl.len().alias("n")).sort(["n", "why"], descending=[True, False])
    named = ", ".join(f"{one['why']} {one['n']}" for one in counted.to_dicts())
    return f"{text}: {named}"


def _percent(part: int, whole: int) -> str:
    share = 100 * part / whole
    return "0\u00a0%" if part == 0 else "<\u00a01\u00a0%" if share < 1 else f"{share:.0f}\u00a0%"


_FACTS = {
    "age": "Age, years",
    "sex": "Sex",
    "aetiology": "Cause of the liver disease",
    "child_pugh": "Child-Pugh score",
    "afp_ng_mL": "AFP, ng/mL",
    "sum_of_diameters_mm": "Sum of target diameters, mm",
    "site": "Site",
    "country": "Country",
    "best_response": "Best response",
    "chosen": "How chosen",
}


def facts(story: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Facts of the followed patient as name and text, whether written as a mapping, a list or plain values."""
    found = story.get("facts", {name: value for name, value in story.items() if name not in _STORY})
    if isinstance(found, Mapping):
        order = [*(name for name in _FACTS if name in found), *(name for name in found if name not in _FACTS)]
        return [(_FACTS.get(name, str(name).replace("_", " ")), plain(found[name])) for name in order]
    return [("", plain(value)) for value in found] if isinstance(found, list) else [("", plain(found))]


def events(story: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The story in order of its days; those without a day come last."""
    told = [story[name] for name in _STORY if isinstance(story.get(name), list)]
    found = [one for events_told in told for one in events_told if isinstance(one, Mapping)]
    return sorted(found, key=lambda one: (one.get("day") is None, one.get("day") or 0))


def plain(value: object) -> str:
    """A value in a few characters: no walls of digits."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    if isinstance(value, list | tuple):
        return ", ".join(plain(one) for one in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {plain(one)}" for name, one in value.items())
    text = str(value)
    inside = _IN_BRACKETS.fullmatch(text)
    return ", ".join(_shorter(part.strip()) for part in inside[1].split(",") if part.strip()) if inside else text


_IN_BRACKETS = re.compile(r"[(\[]([^()\[\]{}]*,[^()\[\]{}]*)[)\]]")
"""a list of values that was written as text"""


def _shorter(part: str) -> str:
    try:
        return plain(float(part))
    except ValueError:
        return part.strip("'\"")


def with_unit(value: object, unit: str | None) -> str:
    """A value and its unit; a pure number stands alone."""
    return plain(value) if unit in (None, "", "1") else f"{plain(value)} {unit}"


@dataclass(frozen=True)
class EndpointRow:
    """One endpoint, ready to print: the representative trial with its intervals, and all trials."""

    name: str
    population: str
    events: str
    estimate: str
    interval: str
    wilson: str
    all_trials: str


def endpoint_rows(endpoints: pl.DataFrame, replicate: int | None) -> list[EndpointRow]:
    """Every endpoint of the protocol, in its order; empty if the results carry none."""
    if endpoints.is_empty() or replicate is None:
        return []
    rows = []
    for one in endpoints.filter(pl.col("REPLICATE") == replicate).to_dicts():
        same = pl.all_horizontal(pl.col(name) == one[name] for name in ("ENDPOINT", "POPULATION", "TIMEZERO"))
        values = endpoints.filter(same)["VALUE"].drop_nulls()
        share = one["KIND"] == "share"
        rows.append(
            EndpointRow(
                name=one["ENDPOINT"].replace("_", " ") + ("" if share else ", median"),
                population=f"{one['POPULATION'].replace('_', ' ')}, from {one['TIMEZERO'].replace('_', ' ')}",
                events=f"{one['EVENTS']} of {one['N']}",
                estimate=_amount(one["VALUE"], share) if one["N"] else NOTHING,
                interval=_between(one["LOW"], one["HIGH"], share),
                wilson=_between(one.get("WILSONLO"), one.get("WILSONHI"), share) if share else NOTHING,
                all_trials=_spread(values, share),
            )
        )
    return rows


def _amount(value: float | None, share: bool) -> str:
    if value is None:
        return "not reached" if not share else NOTHING
    return f"{PERCENT * value:.0f}\u00a0%" if share else f"{value / DAYS_PER_MONTH:.1f} months"


def _between(low: float | None, high: float | None, share: bool) -> str:
    if low is None and high is None:
        return NOTHING
    return f"{_amount(low, share)} to {_amount(high, share)}"


def _spread(values: pl.Series, share: bool) -> str:
    if not len(values):
        return NOTHING
    found = prediction_interval(values.to_numpy(), LEVEL)
    return f"{_amount(_median(values), share)} ({_between(float(found.low), float(found.high), share)})"


def _median(values: pl.Series) -> float:
    return float(np.median(values.to_numpy()))
