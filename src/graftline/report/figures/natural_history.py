"""The twin without cells against real visits: percentiles of diameter and AFP, and survival."""

from __future__ import annotations

from typing import Any

import altair as alt
from markupsafe import Markup

from ...base.units import DAYS_PER_YEAR, PERCENT
from ...learning import Band, SurvivalCheck
from .style import BLUE, GREEN, GREY, INK, ORANGE, RED, colours, logarithmic, to_svg, values

_PANEL_WIDTH, _PANEL_HEIGHT = 265, 250
_SURVIVAL_WIDTH = 400
_TITLES = {"diameter": "Largest lesion, mm", "afp": "Serum AFP, ng/mL"}
_MEDIAN = 0.5
_LINES = {
    "data": INK,
    "twin as shipped": ORANGE,
    "twin with fitted numbers": BLUE,
    "fitted hazard, real findings": GREEN,
}
_DASHES = {name: [1, 0] if name == "data" else [6, 3] for name in _LINES}


def course_check(bands: tuple[Band, ...], quantity: str) -> Markup:
    """Observed percentiles as lines, the interval that holds 90 % of the simulated ones as bands, a panel for each set.

    AFP on a logarithmic axis. The number of visits of each bin stands at the top of the panels.
    """
    ours = [band for band in bands if band.quantity == quantity]
    rows: list[dict[str, Any]] = [
        {
            "panel": band.assumptions,
            "day": round(band.day, 1),
            "percentile": f"{PERCENT * band.percentile:.0f} %",
            "kind": "median" if band.percentile == _MEDIAN else "10th and 90th percentile",
            "observed": round(band.observed, 2),
            "low": round(band.low, 2),
            "high": round(band.high, 2),
            "visits": str(band.visits),
        }
        for band in ours
    ]
    kinds = {"median": RED, "10th and 90th percentile": BLUE}
    if quantity == "afp":
        scale, axis = logarithmic(min(row["low"] for row in rows), max(row["high"] for row in rows))
    else:
        top = 1.1 * max(max(row["high"], row["observed"]) for row in rows)  # room for the number of visits
        scale, axis = alt.Scale(domain=[0, top], nice=False), alt.Axis(tickCount=6)
    title = _TITLES[quantity]
    panels = dict.fromkeys(band.assumptions for band in ours)
    charts = []
    for place, panel in enumerate(panels):
        chosen = values([row for row in rows if row["panel"] == panel])
        colour = alt.Color("kind:N", title=None, scale=colours(kinds), legend=alt.Legend(symbolOpacity=1))
        x = alt.X("day:Q", title="Days since the first untreated visit", scale=alt.Scale(domain=[0, 320], nice=False))
        y = alt.Y("observed:Q", title=title if place == 0 else None, scale=scale, axis=axis)
        base = alt.Chart(chosen).encode(x=x, color=colour, detail="percentile:N")
        area = base.mark_area(opacity=0.25).encode(
            y=alt.Y("low:Q", title=title if place == 0 else None, scale=scale, axis=axis), y2="high:Q"
        )
        line = base.mark_line(strokeWidth=2, point=alt.OverlayMarkDef(size=28, filled=True)).encode(y=y)
        counts = (
            alt.Chart(values([row for row in rows if row["panel"] == panel and row["percentile"] == "50 %"]))
            .mark_text(color=GREY, fontSize=11, baseline="top")
            .encode(x=x, y=alt.value(2), text="visits:N")
        )
        charts.append(alt.layer(area, line, counts).properties(width=_PANEL_WIDTH, height=_PANEL_HEIGHT, title=panel))
    heading = alt.TitleParams(
        "Lines: observed. Bands: where 90 % of the simulated replicates lie. Grey: visits.",
        fontSize=12,
        fontWeight="normal",
    )
    return to_svg(alt.hconcat(*charts, spacing=16, title=heading), f"check-{quantity}")


def survival_check(check: SurvivalCheck) -> Markup:
    """Kaplan-Meier of the data with 95 % limits, the simulated curves, and how many real patients are at risk."""
    panels = dict.fromkeys(line.panel for line in check.lines)
    return to_svg(alt.hconcat(*(_survival_panel(check, panel) for panel in panels), spacing=28), "check-survival")


def _survival_panel(check: SurvivalCheck, panel: str) -> alt.VConcatChart:
    rows: list[dict[str, Any]] = []
    for line in check.lines:
        if line.panel != panel:
            continue
        for place in range(0, len(line.days), 10):
            row = {"year": line.days[place] / DAYS_PER_YEAR, "share": float(line.survival[place]), "line": line.name}
            if line.low is not None and line.high is not None:
                row |= {"low": float(line.low[place]), "high": float(line.high[place])}
            rows.append(row)
    last = check.risk_days[-1] / DAYS_PER_YEAR
    x = alt.X(
        "year:Q",
        title="Years since the first visit",
        axis=alt.Axis(tickCount=5, format="d"),
        scale=alt.Scale(domain=[0, last], nice=False),
    )
    y = alt.Y("share:Q", title="Alive", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1]))
    legend = alt.Legend(columns=2, symbolType="stroke", symbolStrokeWidth=2)
    colour = alt.Color("line:N", title=None, scale=colours(_LINES), legend=legend)
    dash = alt.StrokeDash(
        "line:N", title=None, scale=alt.Scale(domain=list(_DASHES), range=list(_DASHES.values())), legend=legend
    )
    limits = values([row for row in rows if "low" in row])
    area = (
        alt.Chart(limits).mark_area(opacity=0.15, color=INK).encode(x=x, y=alt.Y("low:Q", title="Alive"), y2="high:Q")
    )
    lines = alt.Chart(values(rows)).mark_line(strokeWidth=2).encode(x=x, y=y, color=colour, strokeDash=dash)
    curves = alt.layer(area, lines).properties(width=_SURVIVAL_WIDTH, height=_PANEL_HEIGHT, title=panel)
    counts = next(numbers for name, numbers in check.at_risk if name == panel)
    at_risk = [
        {"year": day / DAYS_PER_YEAR, "n": f"{number:,}"} for day, number in zip(check.risk_days, counts, strict=True)
    ]
    table = (
        alt.Chart(values(at_risk))
        .mark_text(fontSize=11, color=INK)
        .encode(
            x=alt.X("year:Q", axis=None, scale=alt.Scale(domain=[0, last], nice=False)),
            y=alt.value(8),
            text="n:N",
        )
        .properties(width=_SURVIVAL_WIDTH, height=16, title=alt.TitleParams("real patients at risk", fontSize=11))
    )
    return alt.vconcat(curves, table, spacing=4)
