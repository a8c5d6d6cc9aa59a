"""`graftline evidence list|show`: every number that the models use, with unit, spread, source and how sure it is."""

from __future__ import annotations

import json
from difflib import get_close_matches
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ..base.errors import Fault, InputError
from ..evidence import all_cards, describe

app = typer.Typer(help="List the numbers in use, or show one with its source.", no_args_is_help=True)

WrittenAsJson = Annotated[bool, typer.Option("--json", help="Write JSON for other programs.")]


@app.command("list")
def list_cards(
    word: Annotated[str, typer.Argument(metavar="[WORD]", help="Only cards with this word.")] = "",
    as_json: WrittenAsJson = False,
) -> None:
    """Every evidence card: name, value, how sure, meaning."""
    wanted = word.lower()
    rows = [
        dict(describe(card))
        for name, card in sorted(all_cards().items())
        if wanted in name.lower() or wanted in card.meaning.lower()
    ]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    table = Table("name", "value", "how sure", "meaning")
    for row in rows:
        table.add_row(row["name"], row["value"], row["how sure"].split(" ")[0], row["meaning"])
    Console().print(table)
    typer.echo(f"{len(rows)} cards; A primary, B secondary source, C derived, D definition, M memory, S free prior")


@app.command("show")
def show(name: Annotated[str, typer.Argument(help="The card's name.")], as_json: WrittenAsJson = False) -> None:
    """One evidence card in full."""
    cards = all_cards()
    if name not in cards:
        near = get_close_matches(name, cards, n=3)
        remedy = f"write {' or '.join(near)}" if near else "see 'graftline evidence list'"
        raise InputError(Fault("evidence", f"there is no card {name!r}", remedy))
    rows = describe(cards[name])
    if as_json:
        typer.echo(json.dumps(dict(rows), indent=2))
        return
    table = Table(show_header=False)
    for label, text in rows:
        table.add_row(label, text)
    Console().print(table)
