"""Courses over all replicates: markers with bands, and survival with numbers at risk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy as np
import polars as pl
from markupsafe import Markup

from ...statistics import SurvivalCurve, Transform, kaplan_meier
from .style import ARMS, WIDTH, colours, linear, logarithmic, to_svg, values

_PERCENTILES = ("P05", "P25", "P50", "P75", "P95")
_WEEK = 7
_MOST_CENSOR_MARKS = 60


@dataclass(frozen=True)
class Marker:
    """One measured course: its axis and, for a logarithmic one, the lowest value drawn."""

    code: str
    title: str
    axis: str
    floor: float | None


MARKERS = (
    Marker("AFP", "Serum AFP", "AFP, ng/mL", 1.0),
    Marker("TRANSGENE", "Transgene in blood", "Transgene, copies per µg DNA", 1.0),
    Marker("TUMOUR", "Tumour on the scan", "Tumour volume, cm³", 1.0),
)


def course(bands: pl.DataFrame, marker: Marker) -> Markup | None:
    """Median, 25-75 % (filled) and 5-95 % (dotted) of one marker, with cells and without."""
    ours = bands.filter(pl.col("PARAMCD") == marker.code).drop_nulls(_PERCENTILES).sort("ARM", "ADY")
    if ours.is_empty():
        return None
    if marker.floor is not None:
        ours = ours.with_columns(pl.col(_PERCENTILES).clip(lower_bound=marker.floor))
    drawn = ours.select(_PERCENTILES).to_numpy()
    scale, axis = linear() if marker.floor is None else logarithmic(float(drawn.min()), float(drawn.max()))
    x = alt.X("ADY:Q", title="Protocol day (infusion is Day 1)", axis=alt.Axis(tickCount=10))
    colour = alt.Color("ARM:N", scale=colours({arm: ARMS[arm] for arm in ("cells", "no cells")}), title=None)
    base = alt.Chart(values(ours.select("ADY", "ARM", *_PERCENTILES).to_dicts())).encode(x=x, color=colour)
    middle = alt.Y("P50:Q", title=marker.axis, scale=scale, axis=axis)
    chart = alt.layer(
        base.mark_area(opacity=0.22).encode(y=alt.Y("P25:Q", title=marker.axis, scale=scale, axis=axis), y2="P75:Q"),
        base.mark_line(strokeDash=[2, 3], strokeWidth=1.3).encode(
            y=alt.Y("P05:Q", title=marker.axis, scale=scale, axis=axis)
        ),
        base.mark_line(strokeDash=[2, 3], strokeWidth=1.3).encode(
            y=alt.Y("P95:Q", title=marker.axis, scale=scale, axis=axis)
        ),
        base.mark_line(strokeWidth=2.2).encode(y=middle),
    )
    return to_svg(chart.properties(width=WIDTH - 90, height=250), f"course-{marker.code.lower()}")


@dataclass(frozen=True)
class Followed:
    """One group followed to an event: its name and the columns of ADSL with days and event."""

    arm: str
    days: str
    event: str


def survival(people: pl.DataFrame, groups: tuple[Followed, ...], title: str, name: str) -> tuple[Markup, Any] | None:
    """Kaplan-Meier curves of these groups, pooled over replicates, and the rows of numbers at risk beneath.

    The table is (labels of months, rows of (arm, people at risk)). None if nobody can be followed.
    """
    curves = {group.arm: curve for group in groups if (curve := _curve(people, group)) is not None}
    if not curves:
        return None
    longest = max(int(curve.days[-1]) for curve in curves.values())
    step = _tick_days(longest)
    ticks = list(range(0, longest + 1, step))
    rows = [row for arm, curve in curves.items() for row in _steps(arm, curve)]
    marks = [row for arm, curve in curves.items() for row in _censor_marks(arm, curve)]
    start = "apheresis" if name.endswith("apheresis") else "infusion"
    x = alt.X(
        "week:Q",
        title=f"Weeks since {start}",
        axis=alt.Axis(values=[day // _WEEK for day in ticks]),
        scale=alt.Scale(domain=[0, longest / _WEEK], nice=False),
    )
    y = alt.Y("share:Q", title=title, axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1]))
    legend = alt.Legend() if len(curves) > 1 else None
    colour = alt.Color("arm:N", scale=colours({arm: ARMS[arm] for arm in curves}), title=None, legend=legend)
    lines = alt.Chart(values(rows)).mark_line(interpolate="step-after", strokeWidth=2).encode(x=x, y=y, color=colour)
    censored = alt.Chart(values(marks)).mark_tick(thickness=1.2, size=9, orient="vertical")
    chart = alt.layer(lines, censored.encode(x=x, y=y, color=colour))
    at_risk = [(arm, [int(n) for n in curve.at_risk_on(np.array(ticks))]) for arm, curve in curves.items()]
    table = ([day // _WEEK for day in ticks], at_risk)
    return to_svg(chart.properties(width=WIDTH - 90, height=250), name), table


def _curve(people: pl.DataFrame, group: Followed) -> SurvivalCurve | None:
    if group.days not in people.columns or group.event not in people.columns:
        return None
    known = people.select(group.days, group.event).drop_nulls().filter(pl.col(group.days) >= 0)
    if known.is_empty():
        return None
    days = np.floor(known[group.days].cast(pl.Float64).to_numpy())
    return kaplan_meier(days, known[group.event].cast(pl.Int64).to_numpy(), transform=Transform.LOG_LOG)


def _tick_days(longest: int) -> int:
    """Days between numbers at risk: whole weeks, at most thirteen columns."""
    for weeks in (4, 8, 13, 26, 52):
        if longest <= 12 * weeks * _WEEK:
            return weeks * _WEEK
    return 104 * _WEEK


def _steps(arm: str, curve: SurvivalCurve) -> list[dict[str, Any]]:
    moved = curve.events > 0
    moved[-1] = True
    rows = [
        {"arm": arm, "week": int(day) / _WEEK, "share": round(float(share), 5)}
        for day, share in zip(curve.days[moved], curve.survival[moved], strict=True)
    ]
    return [{"arm": arm, "week": 0, "share": 1}, *rows]


def _censor_marks(arm: str, curve: SurvivalCurve) -> list[dict[str, Any]]:
    """A tick where people were censored, at most one for each sixtieth of the axis."""
    days = curve.days[curve.censored > 0]
    width = max(int(curve.days[-1]) // _MOST_CENSOR_MARKS, 1)
    _, first = np.unique(days // width, return_index=True)
    return [{"arm": arm, "week": int(day) / _WEEK, "share": round(float(curve.at(day)), 5)} for day in days[first]]
