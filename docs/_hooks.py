"""Pages that are written from the code when the documentation is built, so that they cannot drift from it.

A line `<!-- written from the code: NAME -->` in a page is replaced by what the function NAME of this file returns.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import typer

from graftline.assessment import OBSERVABLES
from graftline.cli.app import app
from graftline.protocol import _types, criteria, schema
from graftline.records import VARIABLES, VariableKind
from graftline.twin import MODULES, twin_equations

MARK = re.compile(r"<!-- written from the code: (\w+) -->")

KINDS = {
    "Duration": ("time with its unit", "14 days"),
    "Cells": ("number of cells", "5e9 cells"),
    "DailyDose": ("dose per body surface and day", "500 mg/m^2/day"),
    "PeopleRate": ("people per time", "0.8 people/month"),
    "SlotRate": ("slots per time", "1 slots/week"),
    "Share": ("share", "25 percent"),
    "Concentration": ("mass per volume", "1 ng/mL"),
    "PerTime": ("rate", "0.1 1/s"),
    "Weight": ("body weight", "50 kg"),
    "CellsPerWeight": ("cells per body weight", "3.1e6 cells/kg"),
    "Symbol": ("name in a model text", "dX"),
    "ModelFile": ("file of a model text, without folder", "mine.ant"),
    "CardFile": ("file of evidence cards, without folder", "mine_cards.yaml"),
    "Copies": ("vector copies per cell", "5 copies/cell"),
    "ProtocolDay": ("protocol day, a whole number and never 0", -7),
    "Count": ("whole number from 1", 3),
    "CountOrZero": ("whole number from 0", 0),
    "Name": ("name: letters, digits, `_`, `-`, `.`", "level_1"),
    "Text": ("text", "a sentence"),
    "Peptide": ("8 to 11 amino-acid letters", "FMNKFIYEI"),
    "CountryCode": ("two capital letters", "FR"),
    "HlaMolecule": ("HLA class I molecule", "HLA-A*02"),
    "HlaGroup": ("HLA group", "A*02:01 P group"),
    "HlaAllele": ("HLA allele with its fields", "A*02:01"),
    "Day": ("day, without quotes", "2019-06-01"),
}
"""kind of value -> in words, and an example that a test reads"""
PLAIN = {
    "str": "text",
    "int": "whole number",
    "bool": "`true` or `false`",
    "object": "any value of the file",
    "Limit": "bound with the unit of the variable, for example `400 ng/mL`; a bare number where the unit is 1",
    "Branch": "[criterion](#criterion), or a tree of [all](#all), [any](#anyof) and [not](#not)",
}


def on_page_markdown(markdown: str, **_: Any) -> str:
    """MkDocs calls this for every page."""
    return MARK.sub(lambda mark: WRITERS[mark.group(1)](), markdown)


def protocol_fields() -> str:
    """One section per chapter of the protocol file, from the schema that reads it."""
    written = {**_classes(schema), **_classes(criteria)}
    sections = []
    for model in _models(schema.Protocol, written):
        rows = list(_rows(model, written))
        about = " ".join((inspect.getdoc(model) or "").split())
        head = f"### {model.__name__} {{#{model.__name__.lower()}}}\n\n{about}\n\n"
        sections.append(head + _table(("key", "value", "needed", "meaning"), rows))
    return "\n\n".join(sections)


def kinds_of_value() -> str:
    """The kinds of value with an example each."""
    return _table(("kind", "example"), [(words, f"`{example}`") for words, example in KINDS.values()])


def variables() -> str:
    """What an eligibility criterion can ask about."""
    return _table(
        ("variable", "meaning", "kind", "unit or values", "bounds from, to"),
        [
            (
                f"`{name}`",
                one.meaning,
                one.kind.value,
                ", ".join(f"`{word}`" for word in one.categories) or one.unit,
                f"{one.lowest:g}, {one.highest:g}" if one.kind is VariableKind.NUMBER else "",
            )
            for name, one in sorted(VARIABLES.items())
        ],
    )


def commands() -> str:
    """Every command with its arguments and options, from the program itself."""
    return "\n\n".join(_commands(typer.main.get_command(app), "graftline"))


def observables() -> str:
    """What can be seen of a twin, with error, limits and cards."""
    rows = []
    for name, one in OBSERVABLES.items():
        low, high = one.limit(one.lower_limit_card), one.limit(one.upper_limit_card)
        limits = [text for text in (f"from {low:g}" if low else "", f"to {high:g}" if high else "") if text]
        cards = ", ".join(f"`{each}`" + (" (placeholder)" if each in one.placeholders else "") for each in one.cards)
        cells = (f"`{name}`", one.meaning, one.unit, f"`{one.read_out}`", one.error_in_words, " ".join(limits), cards)
        rows.append(cells)
    return _table(("name", "meaning", "unit", "read-out", "error", "limits", "cards"), rows)


def decisions() -> str:
    """Every decision by its first line."""
    files = sorted((Path(__file__).parent / "decisions").glob("0*.md"))
    titles = [(file, file.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")) for file in files]
    return "\n".join(f"- [{title}]({file.name})" for file, title in titles)


def twin_equations_by_part() -> str:
    """The equations of the core of the twin and of each module, with what each says."""
    sections = []
    for part in ("tcrt_core", *MODULES):
        rows = [
            (f"`{one.name}`", f"{'+ ' if one.adds else ''}`{one.formula}`", one.meaning) for one in twin_equations(part)
        ]
        sections.append(f"## {part} {{ #{part} }}\n\n{_table(('defines', 'as', 'meaning'), rows)}")
    return "\n\n".join(sections)


WRITERS: dict[str, Callable[[], str]] = {
    writer.__name__: writer
    for writer in (
        protocol_fields,
        kinds_of_value,
        variables,
        commands,
        observables,
        decisions,
        twin_equations_by_part,
    )
}


def _classes(module: Any) -> dict[str, ast.ClassDef]:
    tree = ast.parse(inspect.getsource(module))
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}


def _models(model: Any, written: dict[str, ast.ClassDef]) -> list[Any]:
    """The model and every part it is made of, in the order in which the file names them."""
    found: list[Any] = []

    def visit(one: Any) -> None:
        if one in found:
            return
        found.append(one)
        for node in _annotations(written[one.__name__]).values():
            for name in re.findall(r"[A-Za-z]+", ast.unparse(node)):
                inner = ("Criterion", "All", "AnyOf", "Not") if name == "Branch" else (name,)
                for part in inner:
                    kind = getattr(schema, part, None) or getattr(criteria, part, None)
                    if inspect.isclass(kind) and issubclass(kind, _types.Part):
                        visit(kind)

    visit(model)
    return found


def _annotations(node: ast.ClassDef) -> dict[str, ast.expr]:
    fields = (one for one in node.body if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name))
    return {one.target.id: one.annotation for one in fields if isinstance(one.target, ast.Name)}


def _remarks(node: ast.ClassDef) -> dict[str, str]:
    """The sentence below each field."""
    found = {}
    for field, after in zip(node.body, node.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            assert isinstance(field.target, ast.Name)
            found[field.target.id] = " ".join(str(after.value.value).split())
    return found


def _rows(model: Any, written: dict[str, ast.ClassDef]) -> Iterator[tuple[str, ...]]:
    node = written[model.__name__]
    annotations, remarks = _annotations(node), _remarks(node)
    for name, field in model.model_fields.items():
        words = _in_words(annotations[name])
        limits = {key: getattr(part, key) for part in field.metadata for key in ("ge", "le") if hasattr(part, key)}
        if words == PLAIN["int"] and limits:
            words += f", {limits['ge']} to {limits['le']}"
        yield f"`{field.alias or name}`", words, "yes" if field.is_required() else "", remarks.get(name, "")


def _in_words(node: ast.expr) -> str:
    """A type as the writer of a protocol file would say it. An unknown one stops the build."""
    if isinstance(node, ast.BinOp):  # X | None
        return _in_words(node.left)
    if isinstance(node, ast.Subscript):
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        outer = ast.unparse(node.value)
        if outer == "Literal":
            return " or ".join(f"`{ast.literal_eval(part)}`" for part in parts)
        if outer == "tuple":
            return f"list: {_in_words(parts[0])}"
        assert outer == "dict", f"no words for {ast.unparse(node)}"
        return f"pairs, {_in_words(parts[0])}: {_in_words(parts[1])}"
    name = ast.unparse(node)
    if name in KINDS:
        words, example = KINDS[name]
        return words if name in ("Name", "Text") else f"{words}, for example `{example}`"
    if name in PLAIN:
        return PLAIN[name]
    kind = getattr(schema, name, None) or getattr(criteria, name)
    if issubclass(kind, StrEnum):
        return " or ".join(f"`{one.value}`" for one in kind)
    return f"[{name}](#{name.lower()})"


def _commands(command: Any, path: str) -> Iterator[str]:
    inner = getattr(command, "commands", None)
    if inner is not None:
        for name, one in inner.items():
            yield from _commands(one, f"{path} {name}")
        return
    rows = [
        (f"`{_spelled(one)}`", getattr(one, "help", "") or "", "needed" if one.required else _default(one))
        for one in command.params
        if one.name != "help"
    ]
    yield f"## {path}\n\n{inspect.cleandoc(command.help or '')}\n\n" + _table(("", "meaning", "if left out"), rows)


def _spelled(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return (parameter.metavar or str(parameter.name)).strip("[]").upper()
    return ", ".join(parameter.opts)


def _default(parameter: Any) -> str:
    value = parameter.default
    return "" if value in (None, False, "") else f"`{value}`"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
