"""The twin of one patient: small multiples of what the clinic sees, with cells against without."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import altair as alt
import polars as pl

from ...base.clock import model_time, protocol_day
from .style import ARMS, INK, Chart, colours, linear, logarithmic, styled, values

WITHOUT_CELLS = "no cells (same conditioning)"
_NAMES = {"cells": "cells", "no cells": WITHOUT_CELLS}
_EARLY_UNTIL = 43
"""protocol day on which the panels of the first weeks end"""
_WIDTH, _HEIGHT, _COLUMNS = 250, 130, 3
_Y_AXIS = 38  # room for labels, the same in all panels, so that they stand below one another
FEWEST = 20
"""samples alive (or half of all, if that is fewer) below which nothing is drawn: percentiles would be those of a few"""
_DECADES_OF_LOG = 1.5  # values that span more stand on a logarithmic axis
_MOST_DECADES = 5
_FIRST_WEEKS, _WHOLE = "first weeks", "whole follow-up"
_DAY = "datum.value >= 0 ? format(datum.value + 1, 'd') : format(datum.value, 'd')"
"""model time as protocol day: there is no Day 0"""
_DAYS = {_FIRST_WEEKS: (-7, 1, 8, 15, 22, 29, 36, 43), _WHOLE: (1, 29, 57, 85, 113, 141, 169)}
_GREATEST_STEP = 56
"""days between ticks of a long follow-up"""
_NUMBER = (
    "datum.value >= 10000 || datum.value < 0.01"
    " ? replace(format(datum.value, '.0e'), '+', '') : format(datum.value, '~g')"
)


@dataclass(frozen=True)
class Panel:
    """One small picture: quantity, title with unit, which part of the follow-up, the arms in which it is there."""

    code: str
    title: str
    span: str
    arms: tuple[str, ...] = ("cells", "no cells")
    from_zero: bool = True


PANELS = (
    Panel("lymphocytes", "Lymphocytes, per µL", _FIRST_WEEKS),
    Panel("neutrophils", "Neutrophils, per µL", _FIRST_WEEKS),
    Panel("platelets", "Platelets, per nL", _FIRST_WEEKS),
    Panel("il6", "IL-6, pg/mL", _FIRST_WEEKS),
    Panel("crp", "CRP, mg/L", _FIRST_WEEKS),
    Panel("alt", "ALT, U/L", _FIRST_WEEKS),
    Panel("transgene", "Transgene, copies/µg DNA", _WHOLE, arms=("cells",)),
    Panel("tcrt", "TCR-T cells in blood, per µL", _WHOLE, arms=("cells",)),
    Panel("afp", "AFP, ng/mL", _WHOLE),
    Panel("sum_of_diameters", "Sum of diameters, mm", _WHOLE),
    Panel("bilirubin", "Bilirubin, µmol/L", _WHOLE),
    Panel("albumin", "Albumin, g/L", _WHOLE, from_zero=False),
)


def one_patient_picture(bands: pl.DataFrame, title: str, subtitle: list[str]) -> dict[str, Any]:
    """Median, 50 % (dark) and 90 % (light) of the samples alive on each day, an arm in each colour, as Vega-Lite.

    A course ends where fewer than `FEWEST` samples live, or half of all if that is fewer. `bands` are those of
    `exchange.course_bands`. Axes are logarithmic where the values span decades.
    """
    rows, data = [], {}
    for span in (_FIRST_WEEKS, _WHOLE):
        panels = [panel for panel in PANELS if panel.span == span]
        for first in range(0, len(panels), _COLUMNS):
            drawn = []
            for panel in panels[first : first + _COLUMNS]:
                chart, data[panel.code] = _panel(bands, panel, last_row=first + _COLUMNS >= len(panels))
                drawn.append(chart)
            rows.append(alt.hconcat(*drawn, spacing=20))
    heading = alt.TitleParams(title, subtitle=subtitle, anchor="start", subtitleColor=INK, fontSize=15, offset=14)
    together = alt.vconcat(*rows, spacing=16, title=heading)
    drawing: dict[str, Any] = styled(together).to_dict()
    drawing["datasets"] |= data  # they stay out of the chart, which checks every value
    return drawing


def _panel(bands: pl.DataFrame, panel: Panel, *, last_row: bool) -> tuple[Chart, list[dict[str, Any]]]:
    """One quantity: two bands and a line for each arm, and its data."""
    shares = [name for name in bands.columns if name.startswith("P") and name[1:].isdigit()]
    ours = bands.filter((pl.col("PARAMCD") == panel.code) & pl.col("ARM").is_in(panel.arms)).drop_nans(shares)
    span = (float(str(bands["TIME"].min())), float(str(bands["TIME"].max())))
    if panel.span == _FIRST_WEEKS:
        span = (span[0], min(span[1], model_time(_EARLY_UNTIL)))
    ours = ours.filter(pl.col("N") >= min(FEWEST, int(str(bands["N"].max())) // 2))
    ours = ours.filter(pl.col("TIME").is_between(*span) & ((pl.col("TIME") > 0) | (len(panel.arms) > 1)))
    scale, axis, lowest = _axis(ours.select(shares).to_numpy(), from_zero=panel.from_zero)
    ours = ours.with_columns(pl.col(shares).clip(lower_bound=lowest))
    x = alt.X(
        "day:Q",
        title="Day" if last_row else None,
        axis=alt.Axis(values=[model_time(day) for day in _ticks(panel, span[1])], labelExpr=_DAY, grid=False),
        scale=alt.Scale(nice=False, domain=span),
    )
    there = set(bands["ARM"])
    colour = alt.Color(
        "arm:N",
        title=None,
        scale=colours({name: ARMS[arm] for arm, name in _NAMES.items() if arm in there}),
        legend=alt.Legend(orient="top", symbolOpacity=1, symbolType="square", symbolSize=120),
    )
    base = alt.Chart(alt.NamedData(panel.code)).encode(x=x, color=colour)

    def band(low: str, high: str, opacity: float) -> alt.Chart:
        y = alt.Y(f"{low}:Q", title=None, scale=scale, axis=axis)
        area: alt.Chart = base.mark_area(opacity=opacity, clip=True).encode(y=y, y2=f"{high}:Q")
        return area

    dashes = alt.Scale(domain=list(_NAMES.values()), range=[[1, 0], [5, 4]])  # both seen where the lines are the same
    line = base.mark_line(strokeWidth=2, clip=True).encode(
        y=alt.Y("P50:Q", title=None, scale=scale, axis=axis),
        strokeDash=alt.StrokeDash("arm:N", scale=dashes, legend=None),
    )
    infusion = alt.Chart(values([{"day": 0}])).mark_rule(color="#c5ccd4", strokeDash=[3, 3]).encode(x=x)
    chart = alt.layer(infusion, band("P05", "P95", 0.16), band("P25", "P75", 0.28), line)
    title = alt.TitleParams(panel.title, fontSize=12, anchor="start")
    ordered = sorted(ours.to_dicts(), key=lambda one: (panel.arms.index(one["ARM"]), one["TIME"]))
    rows = [{"day": one["TIME"], "arm": _NAMES[one["ARM"]], **{name: one[name] for name in shares}} for one in ordered]
    sized: Chart = chart.properties(width=_WIDTH, height=_HEIGHT, title=title)
    return sized, rows


def _ticks(panel: Panel, last: float) -> list[int]:
    """Protocol days of the ticks: weeks at first, then every fourth week or a multiple of the eighth."""
    if panel.span == _WHOLE and last > model_time(_DAYS[_WHOLE][-1]):
        step = _GREATEST_STEP * math.ceil(last / (len(_DAYS[_WHOLE]) * _GREATEST_STEP))
        return [protocol_day(time) for time in range(0, int(last) + 1, step)]
    return [day for day in _DAYS[panel.span] if model_time(day) <= last]


def _axis(seen: Any, *, from_zero: bool) -> tuple[alt.Scale, alt.Axis, float | None]:
    """Scale, axis and, for a logarithmic one, the lowest value drawn."""
    positive = seen[seen > 0]
    if len(positive) and from_zero and math.log10(positive.max() / positive.min()) > _DECADES_OF_LOG:
        lowest = max(float(positive.min()), float(positive.max()) / 10**_MOST_DECADES)
        scale, axis = logarithmic(lowest, float(positive.max()))
        axis.labelExpr, axis.labelFontSize, axis.minExtent = _NUMBER, 10, _Y_AXIS
        return scale, axis, 10.0 ** math.floor(math.log10(lowest))
    scale, axis = linear()
    if not from_zero:
        scale.zero = False
    axis.tickCount, axis.labelFontSize, axis.minExtent = 4, 10, _Y_AXIS
    return scale, axis, None
