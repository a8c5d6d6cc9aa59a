"""`graftline evidence list|show`: every number that the models use, with unit, spread, source and how sure it is."""

from __future__ import annotations

import json
from difflib import get_close_matches
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from ..base.errors import Fault, InputError
from ..evidence import all_cards, describe

app = typer.Typer(help="List the numbers in use, or show one with its source.", no_args_is_help=True)

_WIDE = 200  # columns of a table that goes to a file or a pipe
_OTHER_COLUMNS = 50  # columns that value, sureness, meaning and the frame need beside the name

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
    if not rows:
        near = get_close_matches(wanted, _words_of_names(), n=3)
        remedy = f"write {' or '.join(near)}" if near else "write another word, or none for every card"
        raise InputError(Fault("evidence", f"no card has the word {word!r} in its name or meaning", remedy))
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    widest = max(len(row["name"]) for row in rows)
    console = Console()
    if not console.is_terminal:
        console.width = max(console.width, _WIDE)  # in a file or a pipe there is no edge to keep to
    if console.width < widest + _OTHER_COLUMNS:
        _print_in_blocks(rows)
    else:
        name = Column("name", no_wrap=True, min_width=widest)  # a name is there to be typed: never cut
        table = Table(name, "value", Column("how sure", no_wrap=True), "meaning")
        for row in rows:
            table.add_row(row["name"], row["value"], row["how sure"].split(" ")[0], row["meaning"])
        console.print(table)
    typer.echo(f"{len(rows)} cards; A primary, B secondary source, C derived, D definition, M memory, S free prior")


def _words_of_names() -> list[str]:
    """Every name of a card, and every word in one."""
    return sorted({word for name in all_cards() for word in (name, *name.split("_"))})


def _print_in_blocks(rows: list[dict[str, str]]) -> None:
    """Two lines for each card, where the terminal is too narrow for a table with whole names."""
    for row in rows:
        sure = row["how sure"].split(" ")[0]
        typer.echo(f"{row['name']}\n    {row['value']} ({sure}): {row['meaning']}")


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
