"""The commands of `graftline`: each group stands in its own file; here they meet, with faults and exit codes."""

from __future__ import annotations

from typing import Annotated

import typer

from .. import __version__
from ..base.errors import InputError, SurroundingsError
from . import calibrate, evidence, identify, model, protocol, report, sensitivity, simulate, twin

OK, FAULT, WRONG_INPUT = 0, 1, 2
"""exit codes"""

app = typer.Typer(
    name="graftline",
    help="The open platform for TCR-T cell-therapy trials: one protocol file in, a whole trial out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(protocol.app, name="protocol")
app.add_typer(evidence.app, name="evidence")
model.app.command("sensitivity")(sensitivity.sensitivity)
model.app.command("identify")(identify.identify)
app.add_typer(model.app, name="model")
app.add_typer(twin.app, name="twin")
app.add_typer(calibrate.app, name="calibrate")
app.command("check")(protocol.check)
app.command("simulate")(simulate.simulate)
app.command("report")(report.report)
app.command("demo")(report.demo)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"graftline {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and leave.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Options before any command."""


def run_command(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code; faults are told on standard error, never as a traceback."""
    try:
        app(arguments)
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else OK
    except InputError as error:
        for fault in error.faults:
            typer.echo(str(fault), err=True)
        return WRONG_INPUT
    except (SurroundingsError, OSError) as error:
        typer.echo(str(error), err=True)
        return FAULT
    return OK
