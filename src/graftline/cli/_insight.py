"""What `graftline model sensitivity` and `identify` have in common: options, progress, files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ..base.errors import Fault, InputError
from ._whole_numbers import whole_number

if TYPE_CHECKING:
    import polars as pl

TWIN = "twin"
MOST_SEED = 2**63
_TABLES, _PICTURES = (".csv", ".parquet"), (".svg", ".png")
_PIXELS = 2.0  # of a PNG per pixel of the drawing

Seed = Annotated[
    int, typer.Option(parser=whole_number("--seed", 1), metavar="INTEGER", help="The same seed gives the same numbers.")
]
Threads = Annotated[int | None, typer.Option(help="Default: all processors; the results do not depend on it.", min=1)]
Outs = Annotated[
    list[Path],
    typer.Option("--out", help="A table (.csv, .parquet) or a picture (.svg, .png); may be given more than once."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON for other programs.")]


def check_seed(seed: int) -> None:
    """Raises InputError for a seed that cannot be used."""
    if not 0 <= seed < MOST_SEED:
        raise InputError(Fault("--seed", f"{seed}", f"write a whole number from 0 to {MOST_SEED - 1}"))


def check_outs(outs: Sequence[Path]) -> None:
    """Raises InputError for endings that nothing is written for, before anything runs."""
    faults = []
    for out in outs:
        if out.suffix not in (*_TABLES, *_PICTURES):
            known = ", ".join((*_TABLES, *_PICTURES))
            faults.append(Fault(f"--out {out}", "has no known ending", f"write one of {known}"))
        elif not out.parent.is_dir():
            faults.append(Fault(f"--out {out}", "its folder is not there", "make the folder, or name another"))
    if faults:
        raise InputError(faults)


def write_outs(outs: Sequence[Path], table: pl.DataFrame, picture: Callable[[], str]) -> None:
    """Write each file whole; the picture is drawn only if it is asked for."""
    drawn = picture() if any(out.suffix in _PICTURES for out in outs) else ""
    for out in outs:
        unfinished = out.with_name(f".{out.stem}.unfinished{out.suffix}")
        try:
            _write(unfinished, table, drawn)
            unfinished.replace(out)
        finally:
            unfinished.unlink(missing_ok=True)
        typer.echo(f"wrote {out}", err=True)


def _write(path: Path, table: pl.DataFrame, drawn: str) -> None:
    match path.suffix:
        case ".csv":
            table.write_csv(path)
        case ".parquet":
            table.write_parquet(path)
        case ".svg":
            path.write_text(drawn, encoding="utf-8")
        case _:
            import vl_convert

            path.write_bytes(vl_convert.svg_to_png(drawn, scale=_PIXELS))


@contextmanager
def progress_bar(words: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error that is told (done, of)."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(words, total=None)

        def told(done: int, of: int) -> None:
            progress.update(bar, completed=done, total=of)

        yield told


def plain(value: Any) -> Any:
    """A number for JSON: one that is not finite becomes null."""
    if isinstance(value, float) and value - value != 0:  # NaN or infinite
        return None
    return value
