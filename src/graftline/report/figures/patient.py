"""One virtual patient, from before the infusion to week 24: what the clinic would measure, and the tumour behind it."""

from __future__ import annotations

from dataclasses import dataclass

import altair as alt
import polars as pl
from markupsafe import Markup

from .style import BLUE, GREEN, ORANGE, WIDTH, colours, linear, logarithmic, to_svg, values

_GUIDES = "#c5ccd4"


@dataclass(frozen=True)
class Panel:
    """One strip of the page: axis title, columns with their names, and whether the axis is logarithmic."""

    axis: str
    columns: dict[str, str]
    floor: float | None = None


PANELS = (
    Panel("Tumour volume, cm³", {"VOLUME": "tumour"}),
    Panel("AFP, ng/mL", {"AFP": "AFP"}, 1.0),
    Panel("T cells, per µL", {"TCRT": "TCR-T cells"}, 0.01),
    Panel("Transgene, copies/µg DNA", {"COPIES": "transgene"}, 1.0),
    Panel("IL-6, pg/mL", {"IL6": "IL-6"}, 1.0),
    Panel("ANC and LYM, 10⁹/L", {"ANC": "neutrophils", "LYM": "lymphocytes"}, 0.01),
    Panel("Platelets, 10⁹/L", {"PLT": "platelets"}, 1.0),
)
_LINES = (BLUE, ORANGE, GREEN)


def follow(patient: pl.DataFrame, event_days: list[float]) -> Markup | None:
    """Strips under one axis of days since infusion; upright lines are the days of the story, on the same axis."""
    panels = [panel for panel in PANELS if any(_has(patient, name) for name in panel.columns)]
    if not panels or patient.is_empty():
        return None
    days = patient["TIME"].drop_nulls().cast(pl.Float64).to_list()
    span = [min(days), max(days)]
    inside = [{"day": day} for day in event_days if span[0] <= day <= span[1]]
    strips = [_strip(patient, panel, span, inside, last=panel is panels[-1]) for panel in panels]
    return to_svg(alt.vconcat(*strips, spacing=10).resolve_scale(color="independent"), "patient")


def _has(patient: pl.DataFrame, name: str) -> bool:
    return name in patient.columns and patient[name].drop_nulls().len() > 0


def _strip(
    patient: pl.DataFrame, panel: Panel, span: list[float], events: list[dict[str, float]], *, last: bool
) -> alt.LayerChart | alt.FacetChart:
    rows = []
    for column, name in panel.columns.items():
        if not _has(patient, column):
            continue
        for one in patient.select("TIME", column).drop_nulls().to_dicts():
            value = one[column] if panel.floor is None else max(one[column], panel.floor)
            rows.append({"day": one["TIME"], "value": value, "what": name})
    below = alt.Axis(labels=last, ticks=last)
    x = alt.X(
        "day:Q", title="Days since infusion" if last else None, axis=below, scale=alt.Scale(domain=span, nice=False)
    )
    seen = [float(row["value"]) for row in rows]
    scale, axis = linear() if panel.floor is None else logarithmic(min(seen), max(seen))
    axis.titleFontSize = 11
    y = alt.Y("value:Q", title=panel.axis.split(", "), scale=scale, axis=axis)
    names = dict(zip(panel.columns.values(), _LINES, strict=False))
    legend = alt.Legend(title=None, orient="right") if len(names) > 1 else None
    lines = alt.Chart(values(rows)).mark_line(strokeWidth=1.8, clip=True)
    rules = alt.Chart(values(events)).mark_rule(color=_GUIDES, strokeDash=[3, 3]).encode(x=x)
    drawn = lines.encode(x=x, y=y, color=alt.Color("what:N", scale=colours(names), legend=legend))
    return alt.layer(rules, drawn).properties(width=WIDTH - 240, height=95)
