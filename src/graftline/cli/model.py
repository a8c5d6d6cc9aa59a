"""`graftline model check|describe|run|export`: any SBML or Antimony model on the engine."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Column, Table

from ..base.errors import Fault, InputError

if TYPE_CHECKING:
    from ..engine import Doses, Model, Result

app = typer.Typer(help="Check, describe, run or export a model file (Antimony or SBML).", no_args_is_help=True)

File = Annotated[Path, typer.Argument(metavar="FILE", help="A model file: .ant, .txt (Antimony), .xml, .sbml (SBML).")]
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_SETTING = re.compile(rf"(?P<name>[^=]+)=(?P<value>{_NUMBER})")
_DOSE = re.compile(rf"(?P<name>[^=]+)=(?P<amount>{_NUMBER})@(?P<time>{_NUMBER})(?:/(?P<duration>{_NUMBER}))?")


def _loaded(file: Path) -> Model:
    from ..engine import load  # heavy

    return load(file)


@app.command("check")
def check(file: File) -> None:
    """Read a model and say what it is made of, or every fault in it. Example: graftline model check my.ant"""
    model = _loaded(file)
    counts = (
        (len(model.states), "states"),
        (len(model.parameters), "parameters"),
        (len(model.observables), "observables"),
        (len(model.program.events), "events"),
    )
    typer.echo(f"{file}: " + ", ".join(f"{count} {word}" for count, word in counts))
    if model.needed:
        typer.echo(f"to be given when it is run: {', '.join(model.needed)}")


@app.command("describe")
def describe(
    file: File, as_json: Annotated[bool, typer.Option("--json", help="Write JSON for other programs.")] = False
) -> None:
    """The equations of a model with values and units. Example: graftline model describe my.ant"""
    rows = list(_rows(_loaded(file)))
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    table = Table("what", "name", Column("formula or value", overflow="fold"), "unit")
    for row in rows:
        table.add_row(row["what"], row["name"], row["formula"], row["unit"])
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
    file: File,
    until: Annotated[float, typer.Option(help="Last time, in the model's unit of time.")],
    points: Annotated[int, typer.Option(help="How many times, from 0 to the last.", min=2)] = 101,
    set_: Annotated[list[str], typer.Option("--set", metavar="NAME=VALUE", help="A parameter or a start.")] = [],  # noqa: B006
    dose: Annotated[
        list[str], typer.Option(metavar="STATE=AMOUNT@TIME[/DURATION]", help="A bolus, or an infusion.")
    ] = [],  # noqa: B006
    output: Annotated[list[str], typer.Option(metavar="NAME", help="What is written; all states if left out.")] = [],  # noqa: B006
    rtol: Annotated[float, typer.Option(help="Relative tolerance of the solver.")] = 1e-6,
    out: Annotated[Path | None, typer.Option(help="A table (.csv, .parquet) or a picture (.svg, .png).")] = None,
) -> None:
    """Solve a model for one patient. Example: graftline model run my.ant --until 30 --set k=0.2 --out course.svg"""
    write = _writer(out)
    model = _loaded(file)
    given, doses = _given(model, set_, dose)
    result = model.run(
        times=np.linspace(0.0, until, points),
        outputs=output or None,
        parameters={name: value for name, value in given.items() if name in model.parameters},
        initial={name: value for name, value in given.items() if name in model.states},
        doses=doses,
        rtol=rtol,
    )
    for message in result.messages.values():
        typer.echo(f"not solved to the end: {message}", err=True)
    write(result)


def _given(model: Model, settings: list[str], doses: list[str]) -> tuple[dict[str, float], Doses]:
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


def _writer(out: Path | None) -> Callable[[Result], None]:
    """How the result is shown, by the ending of the file."""
    writers: dict[str, Callable[[Result, Path], None]] = {
        ".csv": lambda result, path: _frame(result).write_csv(path),
        ".parquet": lambda result, path: _frame(result).write_parquet(path),
        ".svg": lambda result, path: _chart(result).save(path),
        ".png": lambda result, path: _chart(result).save(path, scale_factor=2),
    }
    if out is None:
        return _print_last
    if out.suffix not in writers:
        raise InputError(Fault(f"--out {out}", "has no known ending", f"write one of {', '.join(writers)}"))

    def write(result: Result) -> None:
        unfinished = out.with_name(f".{out.stem}.unfinished{out.suffix}")
        try:
            writers[out.suffix](result, unfinished)
            unfinished.replace(out)
        finally:
            unfinished.unlink(missing_ok=True)
        typer.echo(f"wrote {out}")

    return write


def _frame(result: Result) -> Any:
    """A row per time: time, then the outputs."""
    import polars as pl

    return pl.DataFrame({"time": result.times, **{name: result[name][0] for name in result.names}})


def _print_last(result: Result) -> None:
    table = Table("name", f"at time {result.times[-1]:g}", "unit")
    for name in result.names:
        table.add_row(name, f"{result[name][0, -1]:.6g}", result.units.get(name, ""))
    Console().print(table)


def _chart(result: Result) -> Any:
    """The courses, one panel below the other for each unit."""
    import altair as alt

    rows = _frame(result).unpivot(index="time", variable_name="name", value_name="value")
    units = dict.fromkeys(result.units.get(name, "") for name in result.names)
    panels = []
    for unit in units:
        names = [name for name in result.names if result.units.get(name, "") == unit]
        panels.append(
            alt.Chart(rows.filter(rows["name"].is_in(names)), width=560, height=220)
            .mark_line()
            .encode(
                x=alt.X("time:Q", title="time (the model's unit)"),
                y=alt.Y("value:Q", title=unit or "value (no unit declared)"),
                color=alt.Color("name:N", title=None, sort=names),
            )
        )
    return alt.vconcat(*panels).resolve_scale(color="independent")


@app.command("export")
def export(
    file: File,
    out: Annotated[Path, typer.Option(help="The SBML file to write.")],
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
) -> None:
    """Write a model as SBML Level 3 Version 2. Example: graftline model export my.ant --out my.xml"""
    from ..engine import as_sbml

    if out.exists() and not force:
        raise InputError(Fault(f"--out {out}", "is there already", "name another file, or add --force"))
    text = as_sbml(_loaded(file))
    unfinished = out.with_name(f".{out.name}.unfinished")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(out)
    typer.echo(f"wrote {out}")
