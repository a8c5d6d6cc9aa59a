"""Sobol indices as bars: first-order and total, with intervals, a panel per result."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl
from markupsafe import Markup

from .style import BLUE, INK, LINES, ORANGE, WIDTH, colours, to_svg, two_lines, values

_MOST_BARS = 8
_LABEL_WIDTH = 50
_TITLE_WIDTH = 92
_ROW = 15
_SHARES = [-0.1, 1.1]  # room for estimates and intervals beyond 0 and 1
_FIRST, _TOTAL = "alone (first-order index)", "with its interactions (total index)"


def sobol_bars(table: pl.DataFrame, titles: dict[str, str], captions: list[str]) -> Markup:
    """The factors with the largest total index of each output of `SensitivityResult.table`.

    `titles` are output -> words; `captions` stand on top, a line or more each. Thin lines are the intervals.
    """
    panels = [_panel(table.filter(pl.col("output") == output), words) for output, words in titles.items()]
    whole = alt.vconcat(*panels, spacing=26).properties(
        title=alt.TitleParams(
            "Which unknown moves which result: shares of its variance",
            subtitle=[line for caption in captions for line in two_lines(caption, _TITLE_WIDTH + 20).split("\n")],
            subtitleColor=INK,
            anchor="start",
            offset=14,
        )
    )
    return to_svg(whole, "sobol")


def _panel(table: pl.DataFrame, title: str) -> Any:
    shown = table.filter(pl.col("total").is_finite()).head(_MOST_BARS)
    title_lines = two_lines(title, _TITLE_WIDTH).split("\n")
    if shown.is_empty():
        nothing = alt.Chart(values([{"text": "does not vary, or could not be solved"}])).mark_text(align="left")
        return alt.layer(nothing.encode(text="text:N")).properties(title=title_lines, width=WIDTH - 330, height=30)
    rows = [row for one in shown.to_dicts() for row in _bars(one)]
    order = list(dict.fromkeys(row["label"] for row in rows))
    y = alt.Y("label:N", sort=order, title=None, axis=alt.Axis(labelLimit=0, labelExpr=LINES))
    offset = alt.YOffset("index:N", sort=[_FIRST, _TOTAL])
    scale = alt.Scale(domain=_SHARES)
    x = alt.X("value:Q", title="share of the variance", scale=scale, axis=alt.Axis(tickCount=6, format=".1~f"))
    chart = alt.Chart(values(rows)).encode(y=y, yOffset=offset)
    bars = chart.mark_bar(clip=True).encode(
        x=x, color=alt.Color("index:N", scale=colours({_FIRST: BLUE, _TOTAL: ORANGE}), title=None)
    )
    lines = chart.mark_rule(color=INK, clip=True).encode(x="low:Q", x2="high:Q")
    return alt.layer(bars, lines).properties(title=title_lines, width=WIDTH - 330, height=alt.Step(_ROW))


def _bars(one: dict[str, Any]) -> list[dict[str, Any]]:
    words = one["factor_meaning"].split(" (")[0]
    label = two_lines(f"{one['factor']}: {words}", _LABEL_WIDTH)
    return [
        {"label": label, "index": name, "value": one[key], "low": one[f"{key}_low"], "high": one[f"{key}_high"]}
        for name, key in ((_FIRST, "first"), (_TOTAL, "total"))
    ]
