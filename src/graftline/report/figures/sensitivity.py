"""How far responses and cytokine release syndrome move when one parameter goes to either end of its range."""

from __future__ import annotations

import altair as alt
import polars as pl
from markupsafe import Markup

from .style import BLUE, ORANGE, WIDTH, colours, to_svg, values

_MOST_BARS = 15
_LONGEST_LABEL = 46
_ENDS = {"low end": BLUE, "high end": ORANGE}


def tornado(table: pl.DataFrame, outcome: str, axis: str) -> Markup | None:
    """Bars from the base share to the share at each end of a parameter's range, the widest first.

    `outcome` is RESPONSE or CRS. The thin line is one Monte-Carlo standard error to each side, where given.
    """
    low, high, base = f"{outcome}_LOW", f"{outcome}_HIGH", f"{outcome}_BASE"
    known = table.drop_nulls([low, high, base])
    if known.is_empty():
        return None
    swing = pl.max_horizontal((pl.col(low) - pl.col(base)).abs(), (pl.col(high) - pl.col(base)).abs())
    widest = (
        known.with_columns(swing.alias("swing")).sort("swing", descending=True, maintain_order=True).head(_MOST_BARS)
    )
    rows = [
        {
            "label": _short(one["LABEL"]),
            "base": one[base],
            "share": one[column],
            "end": end,
            "under": one[column] - (one.get(f"{outcome}_SE") or 0),
            "over": one[column] + (one.get(f"{outcome}_SE") or 0),
        }
        for one in widest.to_dicts()
        for column, end in ((low, "low end"), (high, "high end"))
    ]
    y = alt.Y("label:N", sort=[_short(label) for label in widest["LABEL"]], title=None, axis=alt.Axis(labelLimit=330))
    chart = alt.Chart(values(rows)).encode(y=y, yOffset=alt.YOffset("end:N", sort=list(_ENDS)))
    x = alt.X("base:Q", title=axis, axis=alt.Axis(format="%", tickCount=6), scale=alt.Scale(zero=False))
    bars = chart.mark_bar().encode(
        x=x, x2="share:Q", color=alt.Color("end:N", scale=colours(_ENDS), title="Parameter at the")
    )
    errors = chart.mark_rule(color="#1f2933").encode(x="under:Q", x2="over:Q")
    rule = alt.Chart(values([{"base": float(known[base][0])}])).mark_rule(color="#1f2933").encode(x="base:Q")
    return to_svg(
        alt.layer(bars, errors, rule).properties(width=WIDTH - 330, height=alt.Step(11)), f"tornado-{outcome.lower()}"
    )


def _short(label: str) -> str:
    """The label without what stands in brackets, cut at a word if it is still too long to read."""
    plain = label.split(" (")[0]
    return plain if len(plain) <= _LONGEST_LABEL else plain[:_LONGEST_LABEL].rsplit(" ", 1)[0] + " …"
