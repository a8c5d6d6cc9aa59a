"""What measurements tell about parameters: standard errors, combinations, correlations and profiles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import polars as pl
from markupsafe import Markup
from numpy.typing import NDArray

from .style import BLUE, GREY, INK, LINES, ORANGE, RED, WIDTH, colours, to_svg, two_lines, values

Numbers = NDArray[np.float64]
_LABEL_WIDTH = 46
_CAPTION_WIDTH = 112
_SMALLEST, _LARGEST = 0.01, 100.0
"""ends of the axis of standard errors; what is beyond stands at the end and is said to be open"""
_TWOFOLD = math.log(2) / 1.96
_ROW, _CELL = 32, 36
_PRIOR, _DATA, _BOTH = "known before (prior)", "from the measurements alone", "both together"
_ERROR_AXIS = "standard error of the logarithm (dashed: known to within a factor of two; at the right end: open)"


def identifiability(
    table: pl.DataFrame,
    combinations: pl.DataFrame,
    correlations: Numbers,
    profiles: Sequence[tuple[str, list[dict[str, Any]]]],
    captions: list[str],
) -> Markup:
    """One picture: errors of `Identification.table`, `combinations`, `correlations`, and profiles (name, rows of value,
    misfit and kind, which is data or both) if there are any."""
    panels: list[Any] = [_errors(table), _combinations(combinations), _correlations(table, correlations)]
    panels += [_profiles(profiles)] if profiles else []
    whole = (
        alt.vconcat(*panels, spacing=30)
        .resolve_scale(color="independent")
        .properties(
            title=alt.TitleParams(
                "What these measurements can and cannot tell apart",
                subtitle=[line for caption in captions for line in two_lines(caption, _CAPTION_WIDTH).split("\n")],
                subtitleColor=INK,
                anchor="start",
                offset=14,
            )
        )
    )
    return to_svg(whole, "identifiability")


def _within(error: float) -> float:
    return min(max(error, _SMALLEST), _LARGEST)


def _error_scale() -> alt.Scale:
    return alt.Scale(type="log", domain=[_SMALLEST, _LARGEST], nice=False)


def _error_x(field: str) -> alt.X:
    powers = [_SMALLEST, 0.1, 1.0, 10.0, _LARGEST]
    return alt.X(field, title=_ERROR_AXIS, scale=_error_scale(), axis=alt.Axis(values=powers, format="~g"))


def _twofold() -> Any:
    return alt.Chart(values([{"at": _TWOFOLD}])).mark_rule(color=RED, strokeDash=[4, 3]).encode(x="at:Q")


def _errors(table: pl.DataFrame) -> Any:
    rows: list[dict[str, Any]] = []
    for one in table.to_dicts():
        label = two_lines(f"{one['parameter']}: {one['meaning'].split(' (')[0]}".removesuffix(": "), _LABEL_WIDTH)
        rows += [
            {"label": label, "kind": kind, "error": _within(one[key])}
            for kind, key in ((_PRIOR, "error_prior"), (_DATA, "error_data"), (_BOTH, "error_both"))
            if not (kind == _PRIOR and math.isinf(one[key]))
        ]
    order = list(dict.fromkeys(row["label"] for row in rows))
    palette = colours({_PRIOR: GREY, _DATA: ORANGE, _BOTH: BLUE})
    marks = (
        alt.Chart(values(rows))
        .mark_point(filled=True, size=75, opacity=1)
        .encode(
            x=_error_x("error:Q"),
            y=alt.Y("label:N", sort=order, title=None, axis=alt.Axis(labelLimit=0, labelExpr=LINES, grid=True)),
            color=alt.Color("kind:N", scale=palette, title=None),
            shape=alt.Shape(
                "kind:N",
                scale=alt.Scale(domain=[_PRIOR, _DATA, _BOTH], range=["diamond", "square", "circle"]),
                legend=None,
            ),
        )
    )
    return alt.layer(_twofold(), marks).properties(title="Each parameter", width=WIDTH - 330, height=alt.Step(_ROW))


def _combinations(table: pl.DataFrame) -> Any:
    rows: list[dict[str, Any]] = [
        {
            "label": two_lines(f"{one['combination']}. {one['made_of']}", _LABEL_WIDTH),
            "error": _within(one["error"]),
            "from": _SMALLEST,
        }
        for one in table.to_dicts()
    ]
    axis = alt.Axis(labelLimit=0, labelExpr=LINES)
    y = alt.Y("label:N", sort=[row["label"] for row in rows], title=None, axis=axis)
    bars = alt.Chart(values(rows)).mark_bar(color=ORANGE).encode(y=y, x=_error_x("error:Q"), x2="from:Q")
    return alt.layer(bars, _twofold()).properties(
        title="Products of powers that the measurements alone tell apart, the best known first",
        width=WIDTH - 330,
        height=alt.Step(_ROW),
    )


def _correlations(table: pl.DataFrame, correlations: Numbers) -> Any:
    names = table["parameter"].to_list()
    rows = [
        {"row": row, "column": column, "value": value, "text": f"{value:.1f}".replace("-0.0", "0.0")}
        for row, line in zip(names, correlations.tolist(), strict=True)
        for column, value in zip(names, line, strict=True)
        if row != column and math.isfinite(value)
    ]
    scale = alt.Scale(domain=[-1, 0, 1], range=[ORANGE, "#ffffff", BLUE], interpolate="rgb")
    base = alt.Chart(values(rows)).encode(
        x=alt.X("column:N", sort=names, title=None, axis=alt.Axis(labelAngle=0, orient="bottom")),
        y=alt.Y("row:N", sort=names, title=None),
    )
    cells = base.mark_rect(stroke="white").encode(color=alt.Color("value:Q", scale=scale, title="correlation"))
    texts = base.mark_text(fontSize=10, color=INK).encode(text="text:N")
    return alt.layer(cells, texts).properties(
        title="Correlation of the estimates from the measurements alone (near -1 and 1: only together known)",
        width=alt.Step(_CELL),
        height=alt.Step(_CELL - 8),
    )


_LIMIT, _TOP = 3.84, 12.0


def _profiles(profiles: Sequence[tuple[str, list[dict[str, Any]]]]) -> Any:
    charts = []
    palette = colours({_DATA: ORANGE, _BOTH: BLUE})
    for name, rows in profiles:
        kinds = {"data": _DATA, "both": _BOTH}
        shown = [{**row, "misfit": min(row["misfit"], 2 * _TOP), "kind": kinds[row["kind"]]} for row in rows]
        y = alt.Y("misfit:Q", title="loss of fit", scale=alt.Scale(domain=[0, _TOP], clamp=False))
        lines = (
            alt.Chart(values(shown))
            .mark_line(point=True, clip=True)
            .encode(
                x=alt.X("value:Q", title=f"ln {name}", scale=alt.Scale(zero=False, nice=False)),
                y=y,
                color=alt.Color("kind:N", scale=palette, title=None),
            )
        )
        limit = alt.Chart(values([{"at": _LIMIT}])).mark_rule(color=RED, strokeDash=[4, 3]).encode(y="at:Q")
        charts.append(alt.layer(lines, limit).properties(width=300, height=170))
    return alt.concat(*charts, columns=2).properties(
        title="Profile likelihood on simulated readings (dashed: 95 %; flat: open)"
    )
