"""Participant flow over all replicates, in the form of CONSORT: who went on, who did not, and why."""

from __future__ import annotations

import textwrap

import polars as pl
from markupsafe import Markup

from ..spreads import spread_of

_LEFT, _BOX, _SIDE, _GAP, _LINE, _PAD = 10, 260, 300, 34, 20, 12
_WIDE = 860
_MOST_REASONS = 8
_LONGEST = 72
_NO_BREAK = "\u00a0"
_INDENT = "\u2003"
"""set before the lines that go on with a reason"""
_SVG = Markup(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {height}" width="{wide}" height="{height}" role="img" '
    'aria-label="Participant flow"><defs><marker id="flow-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" '
    'markerHeight="8" orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="#52606d"/></marker></defs>{body}</svg>'
)
_RECT = Markup('<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="6" fill="{fill}" stroke="#9aa5b1"/>')
_TEXT = Markup('<text x="{x}" y="{y}" font-size="13" font-weight="{weight}" fill="#1f2933">{text}</text>')
_ARROW = Markup('<path d="{path}" fill="none" stroke="#52606d" stroke-width="1.5" marker-end="url(#flow-arrow)"/>')


def reasons(subjects: pl.DataFrame, disposition: str, replicates: list[int]) -> list[tuple[str, str]]:
    """Reasons of those who ended with this disposition, most frequent first, with counts over replicates."""
    ended = subjects.filter(pl.col("DISPO") == disposition).with_columns(
        pl.col("DCREAS").fill_null("").replace("", "reason not recorded").alias("DCREAS")
    )
    counted = ended.group_by("DCREAS").agg(pl.len().alias("n")).sort(["n", "DCREAS"], descending=[True, False])
    order = counted["DCREAS"].to_list()
    kept, rest = order[:_MOST_REASONS], order[_MOST_REASONS:]
    named = ended.with_columns(
        pl.when(pl.col("DCREAS").is_in(kept)).then("DCREAS").otherwise(pl.lit("other reasons")).alias("why")
    )
    shown = [*kept, *(["other reasons"] if rest else [])]
    return [(why, _spread(named.filter(pl.col("why") == why), replicates)) for why in shown]


def _spread(people: pl.DataFrame, replicates: list[int]) -> str:
    every = pl.DataFrame({"REPLICATE": replicates}, schema={"REPLICATE": pl.Int64})
    counts = people.group_by(pl.col("REPLICATE").cast(pl.Int64)).agg(pl.len().alias("n"))
    return spread_of(every.join(counts, on="REPLICATE", how="left").fill_null(0), "n")


def draw(subjects: pl.DataFrame, replicates: pl.DataFrame) -> Markup:
    """The diagram; counts are the median over replicates with their interval."""
    numbers = replicates["REPLICATE"].to_list()
    left = [
        ("Consented and screened", spread_of(replicates, "SCREENED")),
        ("Apheresed (intention to treat)", spread_of(replicates, "APHERESED")),
        ("Infused", spread_of(replicates, "INFUSED")),
    ]
    right = [
        ("Screen failures", reasons(subjects, "screen failure", numbers)),
        ("Apheresed, not infused", reasons(subjects, "apheresed, not infused", numbers)),
    ]
    body, y = Markup(), 10
    for place, (title, count) in enumerate(left):
        body += _box(_LEFT, y, _BOX, [title, count], fill="#e6f0f8")
        bottom = y + _tall(2)
        if place == len(right):
            y = bottom
            break
        name, why = right[place]
        reasons_told = [line for text, spread in why for line in _lines(f"{text}: {spread.replace(' ', _NO_BREAK)}")]
        lines = [name, *(reasons_told or ["none"])]
        side_y = bottom + _GAP
        following = side_y + _tall(len(lines)) + _GAP
        middle = _LEFT + _BOX // 2
        body += _box(_SIDE, side_y, _WIDE - _SIDE - _LEFT, lines, fill="#f5f7fa")
        body += _ARROW.format(path=f"M{middle},{bottom} V{following - 2}")
        body += _ARROW.format(path=f"M{middle},{side_y + 20} H{_SIDE - 2}")
        y = following
    return _SVG.format(wide=_WIDE, height=y + 10, body=body)


def _lines(text: str) -> list[str]:
    """The whole text over as many lines as it takes."""
    return textwrap.wrap(text, _LONGEST, subsequent_indent=_INDENT) or [text]


def _tall(lines: int) -> int:
    return 2 * _PAD + lines * _LINE - 4


def _box(x: int, y: int, width: int, lines: list[str], *, fill: str) -> Markup:
    drawn = _RECT.format(x=x, y=y, width=width, height=_tall(len(lines)), fill=fill)
    for place, text in enumerate(lines):
        weight = "bold" if place == 0 else "normal"
        drawn += _TEXT.format(x=x + _PAD, y=y + _PAD + 12 + place * _LINE, weight=weight, text=text)
    return drawn
