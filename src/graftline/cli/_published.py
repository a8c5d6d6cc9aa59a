"""Shipped published models on the command line: found by name, listed, described."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from rich.table import Column, Table

from ..base.errors import Fault, InputError
from ..evidence import SURE_MEANINGS

if TYPE_CHECKING:
    from ..engine import Model
    from ..twin import PublishedModel, PublishedQuantity, PublishedSpread

_TWIN = "tcrt_core"
_WIDTH = 112  # of a line in the head of a model text


def found(name: str) -> tuple[Model, PublishedModel | None]:
    """A shipped model by its name with what is known of it, the twin, or any model from its file. Raises InputError.

    The twin is named with its modules: tcrt_core, or tcrt_core+marrow+immunity.
    """
    from ..engine import load  # heavy
    from ..twin import models_left_out, published_model, published_models, twin_model

    if name in published_models() or name in models_left_out():
        known = published_model(name)
        return known.engine_model(), known
    core, *modules = name.split("+")
    if core == _TWIN:
        return twin_model(tuple(modules)), None
    path = Path(name)
    if not path.suffix and not path.exists():
        near = get_close_matches(name, published_models(), n=1)
        shipped = ", ".join(published_models())
        remedy = f"write {near[0]}" if near else f"write the path of a model file, or one of: {shipped}"
        raise InputError(Fault(name or "MODEL", "there is no such file and no shipped model of that name", remedy))
    return load(path), None


def equations_in_words(name: str) -> Mapping[str, str]:
    """What each equation of the twin says: "rate of A" or "observable V" -> a line; of other models none."""
    from ..twin import twin_meanings

    core, *modules = name.split("+")
    if core != _TWIN:
        return {}
    told = twin_meanings(tuple(modules)).items()
    return {f"rate of {key[:-1]}" if key.endswith("'") else f"observable {key}": words for key, words in told}


def about(model: PublishedModel) -> list[tuple[str, str]]:
    """What is known about a model as rows of label and text, in reading order."""
    sure = f"{model.sure.value} ({SURE_MEANINGS[model.sure]})"
    rows = [
        ("model", model.title),
        ("disease", model.disease),
        ("data", model.data),
        ("reference", cited(model)),
        ("source", model.source),
        ("licence", model.licence),
        ("how sure", sure),
        ("shows", model.shows),
        *(("correction", text) for text in model.corrections or ("none",)),
        *(("known fault", text) for text in model.faults),
        *(("extinction rule", text) for text in extinction_texts(model)),
    ]
    return [(label, " ".join(text.split())) for label, text in rows]


def cited(model: PublishedModel) -> str:
    """Reference, DOI, PubMed number."""
    pubmed = f", PubMed {model.pubmed}" if model.pubmed else ""
    return f"{model.reference}; doi {model.doi}{pubmed}"


def extinction_texts(model: PublishedModel) -> list[str]:
    """The extinction rules in words."""
    return [
        f"{' + '.join(one.states)} is set to 0 below {one.threshold:g} {one.unit} ({one.meaning})"
        for one in model.extinction_rules
    ]


def head(model: PublishedModel) -> list[str]:
    """The lines that stand at the top of a shipped model text."""
    lines = []
    for label, text in about(model):
        lines += wrap(f"{label}: {text}", _WIDTH, subsequent_indent="    ", break_on_hyphens=False)
    lines += ["", f"symbols (time in {model.time_unit})"]
    quantities = model.quantities
    widest = max(map(len, quantities)) + 2
    for name, one in quantities.items():
        text = name.ljust(widest) + " | ".join((one.meaning, one.unit, *_numbers(one)))
        lines += wrap(text, _WIDTH, subsequent_indent=" " * widest, break_on_hyphens=False)
    return lines


def _numbers(one: PublishedQuantity) -> Iterator[str]:
    if one.value is not None:
        yield f"{one.value:.12g}"
    if one.spread is not None:
        yield spelled_spread(one.spread)


def spelled_spread(spread: PublishedSpread) -> str:
    """A spread in words."""
    if spread.kind == "iqr":
        text = f"quartiles {spread.low:g} to {spread.high:g}"
    else:
        text = f"random effect {spread.value:g}, variance or standard deviation unsettled"
    return "; ".join(part for part in (f"{text} {spread.unit or ''}".strip(), spread.note) if part)


def table(models: Iterable[PublishedModel]) -> Table:
    """The shipped models, a row each."""
    shown = Table(
        Column("name", no_wrap=True),
        Column("disease, data", ratio=3),
        Column("states", justify="right"),
        Column("reference", ratio=3),
        Column("sure", no_wrap=True),
        Column("what it shows", ratio=4),
        Column("caveats", ratio=6),
        show_lines=True,
        expand=True,
    )
    for one in models:
        caveats = "; ".join(text.rstrip(". ") for text in (*one.faults, *extinction_texts(one)))
        cells = (f"{one.disease}: {one.data}", str(len(one.states)), cited(one), one.sure.value, one.shows, caveats)
        shown.add_row(one.name, *cells)
    return shown


def in_words(row: dict[str, str], model: PublishedModel) -> dict[str, str]:
    """A row of the description with the unit and the meaning that are known."""
    known = model.quantities.get(row["name"])
    if known is None:
        return {**row, "meaning": ""}
    spread = f" ({spelled_spread(known.spread)})" if known.spread is not None and row["what"] != "rate of" else ""
    unit = f"{known.unit} per {model.time_unit}" if row["what"] == "rate of" else known.unit
    return {**row, "unit": unit, "meaning": known.meaning + spread}


def notes(model: PublishedModel) -> list[dict[str, str]]:
    """What is known about a model as rows of the description."""
    return [
        {"what": "about", "name": label, "formula": text, "unit": "", "meaning": ""} for label, text in about(model)
    ]


def row_of(model: PublishedModel) -> dict[str, Any]:
    """A model for `graftline model list --json`."""
    row = model.model_dump(mode="json")
    row["extinction"] = extinction_texts(model)
    return row
