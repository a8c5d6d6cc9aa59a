"""`graftline protocol list|show|new` and `graftline check FILE`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ..base.errors import Fault, InputError
from ..protocol import ModelText, ProtocolFile, list_protocols, load_protocol, shipped_text

app = typer.Typer(help="List, show or begin protocol files.", no_args_is_help=True)

REFERENCE = "adp_a2afp"
_HEAD = (
    "# A new protocol, begun as a copy of the reference trial. Change every value that is not yours, take out the\n"
    "# placeholder and source remarks that no longer hold, and try 'graftline check' on the file as you go.\n#\n"
)

WrittenAsJson = Annotated[bool, typer.Option("--json", help="Write JSON for other programs.")]
ProtocolName = Annotated[str, typer.Argument(metavar="PROTOCOL", help="A shipped name, or the path of a file.")]


@app.command("list")
def list_shipped(as_json: WrittenAsJson = False) -> None:
    """The protocols that come with Graftline."""
    shipped = {name: load_protocol(name).protocol for name in list_protocols()}
    if as_json:
        rows = [{"name": name, "registry_id": one.registry_id, "title": one.title} for name, one in shipped.items()]
        typer.echo(json.dumps(rows, indent=2))
        return
    for name, one in shipped.items():
        typer.echo(f"{name}  {one.registry_id}  {one.title}")


@app.command("show")
def show(name: ProtocolName = "") -> None:
    """Print a protocol file as it stands, comments included."""
    if not name:
        names = ", ".join(list_protocols())
        raise InputError(Fault("PROTOCOL", "no name was given", f"write one of: {names}, or the path of a file"))
    text = shipped_text(name) if name in list_protocols() else _own_text(name)
    typer.echo(text.decode("utf-8-sig"), nl=False)


def _own_text(name: str) -> bytes:
    load_protocol(name)  # tells what is wrong with it, if anything
    return Path(name).read_bytes()


@app.command("new")
def new(file: Annotated[Path, typer.Argument(help="The file to write.")]) -> None:
    """Write a commented copy of the reference protocol to begin a protocol of your own."""
    try:
        with file.open("x", encoding="utf-8") as handle:
            handle.write(_HEAD + shipped_text(REFERENCE).decode("utf-8"))
    except FileExistsError:
        found, remedy = "there is already something of that name", "choose another name; nothing was written"
        raise InputError(Fault(str(file), found, remedy)) from None
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(Fault(str(file), "its folder does not exist", "make the folder first")) from None
    typer.echo(f"wrote {file}; try: graftline check {file}")


def check(name: ProtocolName, as_json: WrittenAsJson = False) -> None:
    """Check a protocol file: every fault with its line (exit code 2), or a short summary."""
    try:
        file = load_protocol(name)
    except InputError as error:
        if not as_json:
            raise
        faults = [{"place": one.place, "found": one.found, "remedy": one.remedy} for one in error.faults]
        typer.echo(json.dumps({"valid": False, "faults": faults}, indent=2))
        raise typer.Exit(2) from None
    summary = _summary(file)
    if as_json:
        typer.echo(json.dumps({"valid": True, **summary}, indent=2))
        return
    typer.echo(f"{file.file}: no faults")
    for label, value in summary.items():
        typer.echo(f"  {label.replace('_', ' '):<14}{value}")


def _summary(file: ProtocolFile) -> dict[str, str | int]:
    protocol = file.protocol
    return {
        "title": protocol.title,
        "registry_id": protocol.registry_id,
        "digest": file.digest,
        "sites": len(protocol.sites),
        "amendments": len(protocol.amendments),
        "versions": len(file.versions),
        "placeholders": len(file.placeholders),
        "sources": len(file.sources),
        **_of_model(file.model_text),
    }


def _of_model(text: ModelText | None) -> dict[str, str | int]:
    """What a model of one's own is made of, and how many of its numbers are assumed."""
    if text is None:
        return {}
    assumed = sum(one.is_placeholder for one in text.cards.values())
    return {
        "model": f"{text.chapter.text}, {len(text.model.states)} states, {len(text.cards)} numbers on cards",
        "assumed": assumed,
    }
