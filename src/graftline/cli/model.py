"""`graftline model list|check|describe|run|export`: shipped models and any SBML or Antimony file on the engine.

`graftline model sensitivity` and `identify` stand in files of their own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Column, Table

from ..base.errors import Fault, InputError
from . import _courses, _published

if TYPE_CHECKING:
    from ..engine import Doses, Extinction, Model, Result
    from ..twin import PublishedModel

app = typer.Typer(
    help="List the published models that are shipped; check, describe, run or export one of them or a model file.",
    no_args_is_help=True,
)

Named = Annotated[
    str,
    typer.Argument(metavar="MODEL", help="A shipped name, or a model file: .ant, .txt (Antimony), .xml, .sbml (SBML)."),
]
Settings = Annotated[list[str], typer.Option("--set", metavar="NAME=VALUE", help="A parameter or a start.")]
Doses_ = Annotated[
    list[str], typer.Option("--dose", metavar="STATE=AMOUNT@TIME[/DURATION]", help="A bolus, or an infusion.")
]
WrittenAsJson = Annotated[bool, typer.Option("--json", help="Write JSON for other programs.")]
_WIDE = 200  # columns of a table that goes to a file or a pipe
_NARROWEST_TABLE = 150  # columns below which models are printed one below the other
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_SETTING = re.compile(rf"(?P<name>[^=]+)=(?P<value>{_NUMBER})")
_DOSE = re.compile(rf"(?P<name>[^=]+)=(?P<amount>{_NUMBER})@(?P<time>{_NUMBER})(?:/(?P<duration>{_NUMBER}))?")


@app.command("list")
def list_shipped(as_json: WrittenAsJson = False) -> None:
    """The published models that are shipped, and those left out with what they lack. Example: graftline model list"""
    from ..twin import models_left_out, published_models  # heavy

    shipped, left_out = published_models(), models_left_out()
    if as_json:
        rows = [_published.row_of(one) for one in shipped.values()]
        lacking = [{"name": name, **one.model_dump()} for name, one in left_out.items()]
        typer.echo(json.dumps({"models": rows, "left_out": lacking}, indent=2, ensure_ascii=False))
        return
    console = Console()
    if not console.is_terminal:
        console.width = max(console.width, _WIDE)  # in a file or a pipe there is no edge to keep to
    if console.width < _NARROWEST_TABLE:
        _print_in_blocks(shipped.values())
    else:
        console.print(_published.table(shipped.values()))
    typer.echo("left out, because a run lacks:")
    for name, one in left_out.items():
        typer.echo(f"  {name} ({one.title}): {one.lacks}")


def _print_in_blocks(models: Iterable[PublishedModel]) -> None:
    """Where the terminal is too narrow for a table."""
    for one in models:
        typer.echo(one.name)
        for label, text in _published.about(one):
            typer.echo(f"    {label}: {text}")


@app.command("check")
def check(name: Named) -> None:
    """Read a model and say what it is made of, or every fault in it. Example: graftline model check my.ant"""
    model, _ = _published.found(name)
    counts = (
        (len(model.states), "state"),
        (len(model.parameters), "parameter"),
        (len(model.observables), "observable"),
        (len(model.program.events), "event"),
    )
    typer.echo(f"{name}: " + ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts))
    if model.needed:
        typer.echo(f"to be given when it is run: {', '.join(model.needed)}")


@app.command("describe")
def describe(name: Named, as_json: WrittenAsJson = False) -> None:
    """The equations of a model with values and units. Example: graftline model describe my.ant"""
    model, known = _published.found(name)
    rows = list(_rows(model))
    equations = _published.equations_in_words(name)
    if known is not None:
        rows = [_published.in_words(row, known) for row in rows]
    elif equations:
        rows = [{**row, "meaning": equations.get(f"{row['what']} {row['name']}", "")} for row in rows]
    if as_json:
        noted = [] if known is None else _published.notes(known)
        typer.echo(json.dumps([*noted, *rows], indent=2))
        return
    for label, text in [] if known is None else _published.about(known):
        typer.echo(f"{label}: {text}")
    table = Table("what", "name", Column("formula or value", overflow="fold"), "unit")
    if known is not None or equations:
        table.add_column("meaning", overflow="fold")
    for row in rows:
        table.add_row(*row.values())
    Console().print(table)


def _rows(model: Model) -> Iterator[dict[str, str]]:
    """Rates, starts, parameters, observables, events."""
    from sympy import sstr  # heavy

    system = model.system

    def row(what: str, name: str, formula: object) -> dict[str, str]:
        return {"what": what, "name": name, "formula": written(formula), "unit": model.units.get(name, "")}

    def written(formula: object) -> str:
        return str(sstr(formula, full_prec=False))

    for name in system.states:
        yield row("rate of", name, system.rates[name])
        yield row("start of", name, system.initial.get(name, "to be given"))
    for name in system.constants:
        yield row("parameter", name, system.initial.get(name, "to be given"))
    for name, formula in system.observables.items():
        yield row("observable", name, formula)
    for event in system.events:
        settings = "; ".join(f"{name} = {written(value)}" for name, value in event.assignments.items())
        delay = "" if event.delay is None else f" after {written(event.delay)}"
        yield row("event", event.name, f"when {written(event.trigger)}{delay}: {settings}")


@app.command("run")
def run(  # noqa: PLR0913  # one option each
    name: Named,
    until: Annotated[float, typer.Option(help="Last time, in the model's unit of time.")],
    points: Annotated[int, typer.Option(help="How many times, from 0 to the last.", min=2)] = 101,
    set_: Settings = [],  # noqa: B006
    dose: Doses_ = [],  # noqa: B006
    output: Annotated[
        list[str],
        typer.Option(metavar="NAME", help="What is written; if left out all states, of a shipped model a little more."),
    ] = [],  # noqa: B006
    rtol: Annotated[float, typer.Option(help="Relative tolerance of the solver.")] = 1e-6,
    may_be_negative: Annotated[
        list[str], typer.Option(metavar="NAME", help="A parameter that may be below zero; others are refused.")
    ] = [],  # noqa: B006
    no_extinction: Annotated[
        bool,
        typer.Option("--no-extinction", help="Solve on where a shipped model's extinction rule would end a group."),
    ] = False,
    out: Annotated[Path | None, typer.Option(help="A table (.csv, .parquet) or a picture (.svg, .png).")] = None,
) -> None:
    """Solve a model for one patient. Example: graftline model run kimmel_2021 --until 60 --set r_B=0.1 --out c.svg"""
    from ..engine import Request, solve  # heavy

    if not until > 0:
        raise InputError(Fault(f"--until {until:g}", "is not after the start, which is time 0", "give a time above 0"))
    model, known = _published.found(name)
    write = None if out is None else _courses.writer(out, known)
    given, doses = given_numbers(model, set_, dose)
    extinctions = () if known is None or no_extinction else known.extinctions
    request = Request(
        times=np.linspace(0.0, until, points),
        outputs=tuple(output or (*model.states, *(() if known is None else known.also_shown))),
        start=np.zeros(1),
        parameters={key: np.array([value]) for key, value in given.items() if key in model.parameters},
        initial={key: np.array([value]) for key, value in given.items() if key in model.states},
        doses=doses,
        extinctions=extinctions,
        relative_tolerance=rtol,
        absolute_tolerance=absolute_tolerances(model, extinctions, rtol),
        may_be_negative=tuple(may_be_negative),
    )
    result = solve(model, request)
    for text in _published.extinction_texts(known) if known is not None and extinctions else ():
        typer.echo(f"extinction rule: {text}", err=True)
    for message in result.messages.values():
        typer.echo(f"not solved to the end: {message}", err=True)
    if write is None:
        _print_last(result, known)
    else:
        write(result)
        typer.echo(f"wrote {out}")
    if result.messages:
        raise typer.Exit(1)


def absolute_tolerances(model: Model, extinctions: Sequence[Extinction], rtol: float) -> dict[str, float]:
    """Small enough to say when a group falls below its threshold."""
    usual = 1e-3 * rtol
    close = {name: min(usual, rtol * one.threshold) for one in extinctions for name in one.states}
    return {name: close.get(name, usual) for name in model.states}


def given_numbers(model: Model, settings: list[str], doses: list[str]) -> tuple[dict[str, float], Doses]:
    """Numbers by name and the dose table; raises InputError with every fault."""
    from ..engine import Doses

    faults, given, rows = [], {}, []
    for text in settings:
        match = _SETTING.fullmatch(text)
        if match is None or match["name"] not in (*model.parameters, *model.states):
            known = ", ".join((*model.parameters, *model.states))
            faults.append(
                Fault(f"--set {text}", "sets no number of the model", f"write NAME=VALUE, NAME one of {known}")
            )
        else:
            given[match["name"]] = float(match["value"])
    for text in doses:
        match = _DOSE.fullmatch(text)
        if match is None or match["name"] not in model.states:
            remedy = f"write STATE=AMOUNT@TIME or STATE=AMOUNT@TIME/DURATION, STATE one of {', '.join(model.states)}"
            faults.append(Fault(f"--dose {text}", "is no dose into the model", remedy))
        else:
            rows.append((match["name"], *(float(match[part] or 0) for part in ("amount", "time", "duration"))))
    if faults:
        raise InputError(faults)
    states = np.array([row[0] for row in rows], dtype=np.str_)
    amount, time, duration = (np.array([row[k] for row in rows], dtype=float) for k in (1, 2, 3))
    patient = np.zeros(len(rows), dtype=np.int64)
    return given, Doses(patient=patient, time=time, state=states, amount=amount, duration=duration)


def _print_last(result: Result, known: PublishedModel | None) -> None:
    table = Table("name", f"at time {result.times[-1]:g}", "unit")
    units = _courses.units_of(result, known)
    for name in result.names:
        table.add_row(name, f"{result[name][0, -1]:.6g}", units[name])
    Console().print(table)


@app.command("export")
def export(
    name: Named,
    out: Annotated[Path, typer.Option(help="The SBML file to write.")],
    set_: Settings = [],  # noqa: B006
    dose: Doses_ = [],  # noqa: B006
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
) -> None:
    """Write a model as SBML, with doses as events. Example: graftline model export my.ant --out my.xml --dose x=4@1"""
    from ..engine import as_sbml

    if out.exists() and not force:
        raise InputError(Fault(f"--out {out}", "is there already", "name another file, or add --force"))
    model, known = _published.found(name)
    given, doses = given_numbers(model, set_, dose)
    text = as_sbml(model, values=given, doses=doses)
    unfinished = out.with_name(f".{out.name}.unfinished")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(out)
    typer.echo(f"wrote {out}")
    open_numbers = [name for name in model.needed if name not in given]
    if open_numbers:
        typer.echo(f"without a number, to be given before it is run: {', '.join(open_numbers)}", err=True)
    for rule in () if known is None else _published.extinction_texts(known):
        typer.echo(f"extinction rule, which SBML does not carry: {rule}", err=True)
