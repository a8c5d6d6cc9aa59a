"""Survival over simulated trials: each trial has its own Kaplan-Meier curve, the figure shows how these spread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy as np
import polars as pl
from markupsafe import Markup
from numpy.typing import NDArray

from ...base.units import DAYS_PER_MONTH, DAYS_PER_WEEK, PERCENT
from ...statistics import Transform, kaplan_meier, survival_on_days
from ..spreads import LEVEL, NOTHING, quantiles
from .style import WIDTH, palette, shown, to_svg, values

Numbers = NDArray[np.float64]
LANDMARKS = (6, 12, 18)
"""months"""
_LEAST_SHARE_AT_RISK = 0.05
_NOBODY = -1
_MOST_COLUMNS = 12


@dataclass(frozen=True)
class Followed:
    """One group followed to an event: its name and the columns of ADSL with days and event."""

    arm: str
    days: str
    event: str


@dataclass(frozen=True)
class SurvivalRow:
    """One group, ready to print: median in months and the share without the event at each landmark."""

    arm: str
    median: str
    landmarks: tuple[str, ...]


@dataclass(frozen=True)
class Survival:
    """A figure with the tables under it: weeks, how many of a trial are at risk (median), and the rates."""

    svg: Markup
    weeks: list[int]
    at_risk: list[tuple[str, list[int]]]
    rows: list[SurvivalRow]


@dataclass(frozen=True, kw_only=True)
class _Group:
    """Curves of one group: `curves` is (trials, days), NaN where nobody of the trial is followed any more."""

    arm: str
    curves: Numbers
    at_risk: NDArray[np.int64]
    """(trials, days)"""
    medians: Numbers
    """days, (trials,); infinite where a curve does not come down to one half"""

    @property
    def last(self) -> int:
        """The last day on which 5 % of everybody are at risk: what lies beyond rests on too few."""
        together = self.at_risk.sum(axis=0)
        return int(np.flatnonzero(together >= _LEAST_SHARE_AT_RISK * together[0])[-1])


def survival(people: pl.DataFrame, groups: tuple[Followed, ...], title: str, name: str) -> Survival | None:
    """Median over trials of the Kaplan-Meier curve with the band that holds 90 % of the trials; None for nobody.

    The axis ends where fewer than 5 % of each group are at risk. Days are counted from the event that the name says.
    """
    found = [group for one in groups if (group := _group(people, one)) is not None]
    if not found:
        return None
    last = max(max(group.last for group in found), DAYS_PER_WEEK)
    weeks = list(range(0, last // DAYS_PER_WEEK + 1, _tick_weeks(last)))
    start = "apheresis" if name.endswith("apheresis") else "infusion"
    axis = alt.Axis(values=weeks)
    scale = alt.Scale(domain=[0, last / DAYS_PER_WEEK], nice=False)
    x = alt.X("week:Q", title=f"Weeks since {start}", axis=axis, scale=scale)
    y = alt.Y("share:Q", title=title, axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1]))
    legend = alt.Legend(symbolOpacity=1) if len(found) > 1 else None
    colour = alt.Color("arm:N", scale=palette(group.arm for group in found), title=None, legend=legend)
    rows = [row for group in found for row in _steps(group)]
    base = alt.Chart(values(rows)).encode(x=x, color=colour)
    band = base.mark_area(interpolate="step-after", opacity=0.18).encode(
        y=alt.Y("low:Q", title=title, scale=alt.Scale(domain=[0, 1])), y2="high:Q"
    )
    line = base.mark_line(interpolate="step-after", strokeWidth=2).encode(y=y)
    return Survival(
        svg=to_svg(alt.layer(band, line).properties(width=WIDTH - 90, height=250), name),
        weeks=weeks,
        at_risk=[(shown(group.arm), _median_at_risk(group, weeks)) for group in found],
        rows=[_row(group) for group in found],
    )


def _group(people: pl.DataFrame, group: Followed) -> _Group | None:
    if group.days not in people.columns or group.event not in people.columns:
        return None
    known = people.select("REPLICATE", group.days, group.event).drop_nulls().filter(pl.col(group.days) >= 0)
    if known.is_empty():
        return None
    trials = [trial.sort(group.days) for _, trial in known.sort("REPLICATE").group_by("REPLICATE", maintain_order=True)]
    most = max(trial.height for trial in trials)
    days = np.full((len(trials), most), _NOBODY, dtype=np.int64)
    events = np.zeros((len(trials), most), dtype=np.bool_)
    for place, trial in enumerate(trials):
        days[place, : trial.height] = np.floor(trial[group.days].cast(pl.Float64).to_numpy())
        events[place, : trial.height] = trial[group.event].cast(pl.Boolean).to_numpy()
    longest = int(days.max())
    medians = [_median_days(row[row >= 0], happened[row >= 0]) for row, happened in zip(days, events, strict=True)]
    at_risk = np.stack([np.sum(days >= day, axis=1) for day in range(longest + 1)], axis=1)
    curves = survival_on_days(days, events, longest)
    return _Group(arm=group.arm, curves=curves, at_risk=at_risk, medians=np.array(medians, dtype=np.float64))


def _median_days(days: NDArray[np.int64], events: NDArray[np.bool_]) -> float:
    found = kaplan_meier(days, events.astype(np.int64), transform=Transform.LOG_LOG).median().days
    return float("inf") if np.isnan(found) else found


def _steps(group: _Group) -> list[dict[str, Any]]:
    """Days on which the median or an end of the band moves, to the group's last day."""
    tail = (1 - LEVEL) / 2
    drawn = group.curves[:, : group.last + 1]
    low, middle, high = np.nanquantile(drawn, (tail, 0.5, 1 - tail), axis=0, method="inverted_cdf")
    moved = np.any(np.diff(np.stack([low, middle, high]), axis=1) != 0, axis=0)
    days = sorted({0, *(int(day) + 1 for day in np.flatnonzero(moved)), group.last})
    return [
        {
            "arm": shown(group.arm),
            "week": round(day / DAYS_PER_WEEK, 3),
            "share": round(float(middle[day]), 4),
            "low": round(float(low[day]), 4),
            "high": round(float(high[day]), 4),
        }
        for day in days
    ]


def _median_at_risk(group: _Group, weeks: list[int]) -> list[int]:
    days = [week * DAYS_PER_WEEK for week in weeks]
    within = group.at_risk.shape[1]
    return [int(quantiles(group.at_risk[:, day].astype(np.float64))[0]) if day < within else 0 for day in days]


def _row(group: _Group) -> SurvivalRow:
    """Median survival and landmark rates: median over trials, with the middle 90 % of the trials."""
    return SurvivalRow(
        arm=shown(group.arm),
        median=_spread(group.medians, _months),
        landmarks=tuple(_landmark(group, months) for months in LANDMARKS),
    )


def _landmark(group: _Group, months: int) -> str:
    day = round(months * DAYS_PER_MONTH)
    if day > group.last:
        return NOTHING
    rates = group.curves[:, day]
    return _spread(rates[~np.isnan(rates)], lambda share: f"{PERCENT * share:.0f}\u00a0%")


def _spread(samples: Numbers, show: Any) -> str:
    middle, low, high = quantiles(samples)
    return NOTHING if np.isnan(middle) else f"{show(middle)} ({show(low)} to {show(high)})"


def _months(days: float) -> str:
    return f"{days / DAYS_PER_MONTH:.1f}" if np.isfinite(days) else "not reached"


def _tick_weeks(last: int) -> int:
    """Weeks between numbers at risk, at most thirteen columns."""
    for weeks in (1, 2, 4, 8, 13, 26, 52):
        if last <= _MOST_COLUMNS * weeks * DAYS_PER_WEEK:
            return weeks
    return 104
