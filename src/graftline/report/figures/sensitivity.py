"""How far responses and cytokine release syndrome move when one parameter goes to either end of its range."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import altair as alt
import polars as pl
from markupsafe import Markup

from .style import BLUE, INK, LINES, ORANGE, WIDTH, colours, to_svg, two_lines, values

_MOST_BARS = 15
_LABEL_WIDTH = 46
_ROW = 17
_COLOURS = (BLUE, ORANGE)


@dataclass(frozen=True)
class Drawn:
    """One tornado with what its caption must say."""

    svg: Markup
    caption: str


def tornado(table: pl.DataFrame, outcome: str, axis: str) -> Drawn | None:
    """Bars from the base share to the share at each end of a parameter's range, the widest first.

    `outcome` is RESPONSE or CRS. The thin line is one standard error of the paired difference to the base (the same
    patients) to each side, where given and not 0.
    """
    low, high, base = f"{outcome}_LOW", f"{outcome}_HIGH", f"{outcome}_BASE"
    known = table.drop_nulls([low, high, base])
    if known.is_empty():
        return None
    swing = pl.max_horizontal((pl.col(low) - pl.col(base)).abs(), (pl.col(high) - pl.col(base)).abs())
    ordered = known.with_columns(swing.alias("swing")).sort("swing", descending=True, maintain_order=True)
    widest = ordered.head(_MOST_BARS)
    ends = _ends(widest)
    rows = [
        _bar(one, column, one[base], end)
        for one in widest.to_dicts()
        for column, end in zip((low, high), ends, strict=True)
    ]
    labels = [_label(label) for label in widest["LABEL"]]
    y = alt.Y("label:N", sort=labels, title=None, axis=alt.Axis(labelLimit=0, labelExpr=LINES))
    chart = alt.Chart(values(rows)).encode(y=y, yOffset=alt.YOffset("end:N", sort=list(ends)))
    x = alt.X("base:Q", title=axis, axis=alt.Axis(format=_digits(rows), tickCount=6), scale=alt.Scale(zero=False))
    scale = colours(dict(zip(ends, _COLOURS, strict=True)))
    bars = chart.mark_bar().encode(x=x, x2="share:Q", color=alt.Color("end:N", scale=scale, title="Parameter"))
    layers: list[alt.Chart] = [bars]
    uncertain = [row for row in rows if row["under"] < row["over"]]
    if uncertain:
        lines = alt.Chart(values(uncertain)).mark_rule(color=INK).encode(x="under:Q", x2="over:Q")
        layers.append(lines.encode(y=y, yOffset=alt.YOffset("end:N", sort=list(ends))))
    layers.append(alt.Chart(values([{"base": float(known[base][0])}])).mark_rule(color=INK).encode(x="base:Q"))
    figure = alt.layer(*layers).properties(width=WIDTH - 330, height=alt.Step(_ROW))
    shown = _how_many(widest.height, ordered.height)
    caption = (
        f"{_range_used(widest)}{_patients(widest)} Upright line: base. {shown}{_errors(uncertain, widest, outcome)}"
    )
    return Drawn(to_svg(figure, f"tornado-{outcome.lower()}"), caption)


def _bar(one: dict[str, Any], column: str, base: float, end: str) -> dict[str, Any]:
    error = one.get(f"{column}_SE") or 0.0
    share = one[column]
    return {
        "label": _label(one["LABEL"]),
        "base": base,
        "share": share,
        "end": end,
        "under": share - error,
        "over": share + error,
    }


def _factor(table: pl.DataFrame) -> float | None:
    """The factor common to all rows, if they were moved by one."""
    found = table["FACTOR"].drop_nulls().unique() if "FACTOR" in table.columns else pl.Series()
    return float(found[0]) if len(found) == 1 else None


def _ends(table: pl.DataFrame) -> tuple[str, str]:
    factor = _factor(table)
    return ("at its low end", "at its high end") if factor is None else (f"÷ {factor:g}", f"× {factor:g}")


def _range_used(table: pl.DataFrame) -> str:
    factor = _factor(table)
    if factor is None:
        return "One parameter at a time at the low and the high end of its range."
    return f"One parameter at a time divided and multiplied by {factor:g}."


def _patients(table: pl.DataFrame) -> str:
    found = table["N"].drop_nulls() if "N" in table.columns else pl.Series()
    return f" The same {int(found[0])} infused patients each time." if len(found) else " The same patients each time."


def _how_many(shown: int, known: int) -> str:
    one = f"All {known} parameters that were moved" if shown == known else f"The {shown} widest of {known}"
    return f"{one}, the widest first."


def _errors(uncertain: list[dict[str, Any]], table: pl.DataFrame, outcome: str) -> str:
    if f"{outcome}_LOW_SE" not in table.columns:
        return ""
    if not uncertain:
        return " No patient's outcome changed."
    return (
        " Thin lines: one standard error of the paired difference to the base, to each side; none where no patient's "
        "outcome changed."
    )


def _digits(rows: list[dict[str, Any]]) -> str:
    """Percent with a digit after the point where all bars lie within a few percent."""
    ends = [row[name] for row in rows for name in ("base", "under", "over")]
    return ".1%" if max(ends) - min(ends) < _FEW_PERCENT else ".0%"


_FEW_PERCENT = 0.06


def _label(text: str) -> str:
    """The whole label without what stands in brackets at its end, over lines."""
    return two_lines(text.split(" (")[0], _LABEL_WIDTH)
