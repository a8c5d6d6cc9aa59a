"""Courses over all replicates: markers with bands."""

from __future__ import annotations

from dataclasses import dataclass

import altair as alt
import polars as pl
from markupsafe import Markup

from ...base.clock import model_time
from ...base.units import DAYS_PER_WEEK
from .style import ARMS, WIDTH, linear, logarithmic, palette, shown, to_svg, values

_PERCENTILES = ("P05", "P25", "P50", "P75", "P95")


@dataclass(frozen=True)
class Marker:
    """One measured course: its axis and, for a logarithmic one, the lowest value drawn."""

    code: str
    title: str
    axis: str
    floor: float | None
    arms: tuple[str, ...] = ("cells", "no cells")


MARKERS = (
    Marker("AFP", "Serum AFP", "AFP, ng/mL", 1.0),
    Marker("TRANSGENE", "Transgene in blood", "Transgene, copies per µg DNA", 1.0, ("cells",)),
    Marker("TUMOUR", "Tumour on the scan", "Tumour volume, cm³", 1.0),
)


def course(bands: pl.DataFrame, marker: Marker) -> Markup | None:
    """Median, 25-75 % (filled) and 5-95 % (dotted) of one marker, of the arms in which it means something."""
    ours = (
        bands.filter((pl.col("PARAMCD") == marker.code) & pl.col("ARM").is_in(marker.arms))
        .drop_nulls(_PERCENTILES)
        .sort("ARM", "ADY")
    )
    if ours.is_empty():
        return None
    if marker.floor is not None:
        ours = ours.with_columns(pl.col(_PERCENTILES).clip(lower_bound=marker.floor))
    drawn = ours.select(_PERCENTILES).to_numpy()
    scale, axis = linear() if marker.floor is None else logarithmic(float(drawn.min()), float(drawn.max()))
    rows = [
        {**one, "week": model_time(one["ADY"]) / DAYS_PER_WEEK, "arm": shown(one["ARM"])}
        for one in ours.select("ADY", "ARM", *_PERCENTILES).to_dicts()
    ]
    x = alt.X("week:Q", title="Weeks since infusion", axis=alt.Axis(tickCount=12), scale=alt.Scale(nice=False))
    legend = alt.Legend(symbolOpacity=1) if len(marker.arms) > 1 else None
    colour = alt.Color("arm:N", scale=palette(arm for arm in ARMS if arm in marker.arms), title=None, legend=legend)
    base = alt.Chart(values(rows)).encode(x=x, color=colour)
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
