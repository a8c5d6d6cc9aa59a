"""Courses of a solved model as a table and as a picture."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np

from ..base.errors import Fault, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from ..engine import Result
    from ..twin import PublishedModel

_DECADES_OF_LOG = 3  # values that span more stand on a logarithmic axis
_MOST_TICKS = 9
_TITLE_WIDTH = 90
_SHORT_NUMBER = (
    "datum.value >= 1e4 || datum.value < 1e-2 ? replace(format(datum.value, '~e'), '+', '') : format(datum.value, '~g')"
)
_DECADES_SHOWN = 18  # what is smaller than the largest value by more is round-off


def writer(out: Path, known: PublishedModel | None) -> Callable[[Result], None]:
    """How a result is written, by the ending of the file; raises InputError if there is none for it."""
    writers: dict[str, Callable[[Result, Path], None]] = {
        ".csv": lambda result, path: frame(result).write_csv(path),
        ".parquet": lambda result, path: frame(result).write_parquet(path),
        ".svg": lambda result, path: chart(result, known).save(path),
        ".png": lambda result, path: chart(result, known).save(path, scale_factor=2),
    }
    if out.suffix not in writers:
        raise InputError(Fault(f"--out {out}", "has no known ending", f"write one of {', '.join(writers)}"))

    def write(result: Result) -> None:
        unfinished = out.with_name(f".{out.stem}.unfinished{out.suffix}")
        try:
            writers[out.suffix](result, unfinished)
            unfinished.replace(out)
        finally:
            unfinished.unlink(missing_ok=True)

    return write


def frame(result: Result) -> Any:
    """A row per time: time, then the outputs."""
    import polars as pl

    return pl.DataFrame({"time": result.times, **{name: result[name][0] for name in result.names}})


def units_of(result: Result, known: PublishedModel | None) -> Mapping[str, str]:
    """Output -> unit: in words where the model is a shipped one, else as the text declares it."""
    if known is None:
        return {name: result.units.get(name, "") for name in result.names}
    return {name: known.quantities[name].unit if name in known.quantities else "" for name in result.names}


def chart(result: Result, known: PublishedModel | None) -> Any:
    """The courses, one panel below the other for each unit; logarithmic where values span decades."""
    import altair as alt

    rows = frame(result).unpivot(index="time", variable_name="name", value_name="value")
    units = units_of(result, known)
    panels = []
    for unit in dict.fromkeys(units.values()):
        names = [name for name in result.names if units[name] == unit]
        panels.append(_panel(rows.filter(rows["name"].is_in(names)), names, unit, known))
    together = alt.vconcat(*panels).resolve_scale(color="independent", strokeDash="independent")
    if known is None:
        return together
    cited = [*wrap(known.reference, _TITLE_WIDTH), f"doi {known.doi}"]
    return together.properties(title=alt.TitleParams(wrap(known.title, _TITLE_WIDTH), subtitle=cited, anchor="start"))


def _panel(rows: Any, names: list[str], unit: str, known: PublishedModel | None) -> Any:
    import altair as alt
    import polars as pl

    unit_title, scale, axis = unit or "value (no unit declared)", alt.Scale(), alt.Axis()
    decades = _decades(rows["value"].to_numpy())
    if decades is not None:
        rows = rows.with_columns(pl.when(pl.col("value") >= decades[0]).then("value"))  # no course below, none at 0
        unit_title += ", logarithmic"
        scale = alt.Scale(type="log", domain=[decades[0], decades[-1]], nice=False)
        axis = alt.Axis(values=decades[:: 1 + len(decades) // _MOST_TICKS], labelExpr=_SHORT_NUMBER)
    words = {name: _in_words(name, known) for name in names}
    dashes = [[5, 3] if known is not None and name in known.also_shown else [1, 0] for name in names]
    legend = alt.Legend(labelLimit=400)
    by_name = alt.Scale(domain=list(words.values()), range=dashes)
    return (
        alt.Chart(rows.with_columns(pl.col("name").replace_strict(words)), width=560, height=220)
        .mark_line()
        .encode(
            x=alt.X("time:Q", title=f"time ({known.time_unit})" if known else "time (the model's unit)"),
            y=alt.Y("value:Q", title=unit_title, scale=scale, axis=axis),
            color=alt.Color("name:N", title=None, scale=alt.Scale(domain=by_name.domain), legend=legend),
            strokeDash=alt.StrokeDash("name:N", title=None, scale=by_name, legend=legend),
        )
    )


def _decades(values: NDArray[np.float64]) -> list[float] | None:
    """Powers of ten around the values, if they span enough of them for a logarithmic axis."""
    positive = values[np.isfinite(values) & (values > 0)]
    if not len(positive) or positive.max() <= 10.0**_DECADES_OF_LOG * positive.min():
        return None
    highest = int(np.ceil(np.log10(positive.max())))
    lowest = max(int(np.floor(np.log10(positive.min()))), highest - _DECADES_SHOWN)
    return [float(f"1e{power}") for power in range(lowest, highest + 1)]


def _in_words(name: str, known: PublishedModel | None) -> str:
    if known is None or name not in known.quantities:
        return name
    return f"{name}: {known.quantities[name].meaning}"
