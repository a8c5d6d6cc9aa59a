"""`graftline report` and `graftline demo`: from a results folder to the page, and from nothing to both."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..report import write_report
from .simulate import run_simulation


def report(folder: Annotated[Path, typer.Argument(help="A folder written by `graftline simulate`.")]) -> None:
    """Write report.html, one page that works offline. Example: graftline report out/adp_a2afp"""
    typer.echo(f"report: {write_report(folder)}")


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("out") / "adp_a2afp",
    replicates: Annotated[int, typer.Option(help="How many times the whole trial is simulated.")] = 200,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 20170508,
    workers: Annotated[int, typer.Option(help="Processes; the results do not depend on it.")] = 2,
) -> None:
    """Simulate the reference trial and write its report: what `make trial` does, without make."""
    run_simulation("adp_a2afp", out, replicates=replicates, seed=seed, workers=workers)
    report(out)
