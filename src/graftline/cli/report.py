"""`graftline report` and `graftline demo`: from a results folder to the page, and from nothing to both."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..report import write_report
from .simulate import Replicates, Seed, Workers, run_simulation


def report(folder: Annotated[Path, typer.Argument(help="A folder written by `graftline simulate`.")]) -> None:
    """Write report.html, one page that works offline. Example: graftline report out/adp_a2afp"""
    typer.echo(f"report: {write_report(folder)}")


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("out") / "adp_a2afp",
    replicates: Replicates = 200,
    seed: Seed = 20170508,
    workers: Workers = 2,
) -> None:
    """Simulate the reference trial and write its report: what `make trial` does, without make."""
    run_simulation("adp_a2afp", out, replicates=replicates, seed=seed, workers=workers)
    report(out)
