"""How all figures look, and how a chart becomes SVG that can stand in a page with others."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Iterable
from typing import Any

import altair as alt
import vl_convert
from markupsafe import Markup

WIDTH = 760
Chart = alt.Chart | alt.LayerChart | alt.VConcatChart | alt.HConcatChart | alt.FacetChart
BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#8A8F98"
PURPLE, SKY = "#CC79A7", "#56B4E9"
"""Okabe & Ito's colours, told apart by colour-blind readers"""

ARMS = {"cells": BLUE, "no cells": ORANGE, "apheresed": GREEN}
WITHOUT_EFFECT = "cells without effect (no-cells column)"
LABELS = {"no cells": WITHOUT_EFFECT}
"""what readers see instead of the name in the tables"""
RESPONSES = {"CR": GREEN, "PR": SKY, "SD": ORANGE, "PD": RED, "NE": GREY}
_ROOM = {"left": 42, "right": 42, "top": 8, "bottom": 6}  # readers' fonts may run wider than the renderer's
_FONT = "Helvetica, Arial, 'Liberation Sans', sans-serif"
INK, _FAINT = "#1f2933", "#e4e7eb"
_IDENTIFIER = re.compile(r'(\bid="|url\(#|href="#)([\w-]+)')


def shown(arm: str) -> str:
    """The arm's name for readers."""
    return LABELS.get(arm, arm)


def palette(arms: Iterable[str]) -> alt.Scale:
    """Colours of these arms under the names that readers see."""
    return colours({shown(arm): ARMS[arm] for arm in arms})


def two_lines(text: str, width: int) -> str:
    """The text broken at words with line feeds, as many lines as it takes: nothing is cut."""
    return "\n".join(textwrap.wrap(text, width)) or text


LINES = "split(datum.label, '\\n')"
"""axis labels over several lines"""


def values(rows: list[dict[str, Any]]) -> alt.InlineData:
    """Rows written into the chart itself."""
    return alt.InlineData(values=rows)


def colours(palette: dict[str, str]) -> alt.Scale:
    """Names to colours, in this order."""
    return alt.Scale(domain=list(palette), range=list(palette.values()))


def styled(chart: Chart) -> Chart:
    """The chart with the fonts, colours and margins of all figures."""
    dressed: Chart = (
        chart.configure(font=_FONT, background="white", padding=_ROOM)
        .configure_view(stroke=None)
        .configure_axis(
            labelFontSize=12,
            titleFontSize=13,
            titleFontWeight="normal",
            labelColor=INK,
            titleColor=INK,
            gridColor=_FAINT,
            domainColor=GREY,
            tickColor=GREY,
            titlePadding=8,
            labelFlush=False,
        )
        .configure_legend(labelFontSize=12, titleFontSize=12, titleFontWeight="normal", orient="top", labelLimit=0)
        .configure_header(labelFontSize=13, titleFontSize=13, labelFontWeight="bold", labelColor=INK)
        .configure_title(fontSize=13, anchor="start", color=INK)
    )
    return dressed


def to_svg(chart: Chart, name: str) -> Markup:
    """The chart as SVG, its inner names prefixed with `name` so that several charts can share a page."""
    drawn = vl_convert.vegalite_to_svg(styled(chart).to_dict())
    numbers: dict[str, int] = {}  # the renderer counts on from chart to chart; here each chart starts anew

    def renamed(found: re.Match[str]) -> str:
        return f"{found[1]}{name}-{numbers.setdefault(found[2], len(numbers))}"

    return Markup(_IDENTIFIER.sub(renamed, drawn))


def logarithmic(low: float, high: float) -> tuple[alt.Scale, alt.Axis]:
    """Scale and axis over whole powers of ten around positive values, a line at each power."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    last = max(last, first + 1)
    powers = [10.0**power for power in range(first, last + 1)]
    scale = alt.Scale(type="log", domain=[powers[0], powers[-1]], nice=False)
    return scale, alt.Axis(values=powers, format=",")


def linear() -> tuple[alt.Scale, alt.Axis]:
    """Scale and axis from zero with few ticks."""
    return alt.Scale(), alt.Axis(tickCount=5, format=",~f")
