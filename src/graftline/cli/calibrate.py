"""`graftline calibrate`: learn numbers from real data and show the twin against them."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Column, Table

from ..base.errors import Fault, InputError
from ._whole_numbers import whole_number

if TYPE_CHECKING:
    from ..evidence import Card
    from ..learning import Band, CohortNumber, NaturalHistory, NaturalHistoryFits, SurvivalCheck

app = typer.Typer(help="Learn numbers from real data, and show the twin against them.", no_args_is_help=True)

CARDS, SUMMARY = "natural_history.yaml", "summary.json"
FIGURES = ("natural_history_diameter.svg", "natural_history_afp.svg", "natural_history_survival.svg")
_SETS, _CURVES = 3, 4  # simulated sets of courses and survival curves, for the bar
_SURVIVAL_SHARE = 10  # survival pools its replicates, so a tenth of them will do


@app.callback()
def _group() -> None:
    """Keeps `natural-history` a command of the group."""


@app.command("natural-history")
def natural_history(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="A table of visits (CSV), one row for each visit.")],
    out: Annotated[Path, typer.Option(help="Folder for cards, numbers and figures; made if absent.")],
    replicates: Annotated[
        int,
        typer.Option(
            parser=whole_number("--replicates", 100), metavar="INTEGER", help="How often the patients are simulated."
        ),
    ] = 100,
    seed: Annotated[
        int, typer.Option(parser=whole_number("--seed", 1), metavar="INTEGER", help="Of the simulated patients.")
    ] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Write the numbers as JSON to standard output.")] = False,
) -> None:
    """Fit growth, AFP, liver, new lesions and death to visits of real patients.

    Example: graftline calibrate natural-history visits.csv --out out/natural_history

    Writes evidence cards (natural_history.yaml), every number (summary.json) and three figures of the twin without
    cells against the data. The twin keeps its own cards.
    """
    from ..learning import (
        cards_as_yaml,
        cohort_numbers,
        dataset_of,
        natural_history_cards,
        read_natural_history,
        sensitivities,
    )
    from ..report.figures.natural_history import course_check, survival_check

    if replicates < 1:
        raise InputError(Fault("--replicates", f"{replicates}", "write 1 or more"))
    if out.exists() and not out.is_dir():
        raise InputError(Fault(f"--out {out}", "is a file, no folder", "name a folder"))
    history = read_natural_history(data)
    fits, bands, survival = _fitted_and_checked(history, data.name, replicates, seed)
    cards, numbers = natural_history_cards(fits, dataset_of(data)), cohort_numbers(history)
    summary = {
        "command": f"graftline calibrate natural-history {data} --replicates {replicates} --seed {seed}",
        "described": [asdict(one) for one in numbers],
        "fitted": [one.model_dump(mode="json", exclude_none=True) for one in cards],
        "sensitivities": [asdict(one) for one in sensitivities(history)],
    }
    written = {CARDS: cards_as_yaml(cards), SUMMARY: json.dumps(summary, indent=2) + "\n"}
    drawn = (course_check(bands, "diameter"), course_check(bands, "afp"), survival_check(survival))
    out.mkdir(parents=True, exist_ok=True)
    for name, text in (*written.items(), *zip(FIGURES, drawn, strict=True)):
        _write(out / name, text)
    if as_json:
        typer.echo(json.dumps(summary, indent=2))
    else:
        _print(numbers, cards)
        typer.echo(f"cards, numbers and figures: {out}")


def _fitted_and_checked(
    history: NaturalHistory, name: str, replicates: int, seed: int
) -> tuple[NaturalHistoryFits, tuple[Band, ...], SurvivalCheck]:
    """All fits and both checks, with a bar; raises InputError if the table tells too little for a fit."""
    from ..learning import Assumptions, Repetition, check_courses, check_survival, fit_all
    from ..statistics import NoMaximumError

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        fewer = -(-replicates // _SURVIVAL_SHARE)
        bar = progress.add_task("fitting", total=1 + _SETS * replicates + _CURVES * fewer)

        def told(_: str) -> None:
            progress.update(bar, advance=1, description="simulating")

        try:
            fits = fit_all(history)
        except NoMaximumError as error:
            raise InputError(Fault(name, f"tells too little ({error})", "give more patients and visits")) from None
        told("fits")
        shipped, fitted = Assumptions.as_shipped(), Assumptions.as_fitted(fits)
        sets = (shipped, fitted, Assumptions.as_fitted_with_erratic(fits))
        bands = check_courses(history, sets, Repetition(replicates=replicates, seed=seed, told=told))
        survival = check_survival(
            history, (shipped, fitted), fits.death.coefficients, Repetition(replicates=fewer, seed=seed, told=told)
        )
    return fits, bands, survival


def _write(path: Path, text: str) -> None:
    """Aside and renamed, so that nothing half-written is taken for whole."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)


def _print(numbers: tuple[CohortNumber, ...], cards: tuple[Card, ...]) -> None:
    from ..evidence import describe

    described = Table(Column("in the table", overflow="fold"), "value", "unit", "n", title="What the data say")
    for one in numbers:
        described.add_row(one.name, ", ".join(f"{value:.4g}" for value in one.values), one.unit, str(one.n))
    fitted = Table(
        Column("card", no_wrap=True), "value", Column("spread", overflow="fold"), "n", title="What is fitted"
    )
    for card in cards:
        rows = dict(describe(card))
        fitted.add_row(card.name, rows["value"], rows.get("spread", ""), str(card.n))
    console = Console()
    console.print(described)
    console.print(fitted)
