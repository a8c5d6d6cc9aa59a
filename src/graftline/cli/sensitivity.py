"""`graftline model sensitivity`: Sobol indices of the twin or of any model."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from ..base.errors import Fault, InputError
from . import _published
from ._insight import TWIN, AsJson, Outs, Seed, Threads, check_outs, check_seed, plain, progress_bar, write_outs
from ._whole_numbers import whole_number
from .model import Doses_, Settings, absolute_tolerances, given_numbers

if TYPE_CHECKING:
    from ..learning import Distribution, SensitivityResult, Study

_GROUP = re.compile(r"(?P<name>[^=]+)=(?P<members>.+)")
_CONVERGED = 0.1
_SHOWN = 8
_POINTS = 201


def sensitivity(  # noqa: PLR0913  # one option each
    name: Annotated[str, typer.Argument(metavar="MODEL", help="The twin, a shipped name or a model file.")] = TWIN,
    parameter: Annotated[
        list[str],
        typer.Option(
            metavar="NAME[=DISTRIBUTION]",
            help="What varies: LOW:HIGH, LOW:HIGH:log or MEDIAN~CV. Of the twin NAME alone takes its card's spread, "
            "and all that have one vary if none is named.",
        ),
    ] = [],  # noqa: B006
    output: Annotated[
        list[str],
        typer.Option(
            metavar="OUTPUT",
            help="What is looked at: peak:X, minimum:X, peak_time:X, best_change:X, best_ratio:X, X@TIME, "
            "reaches:X:LEVEL; log10: before it for the logarithm. Of the twin also clinical outputs by name.",
        ),
    ] = [],  # noqa: B006
    group: Annotated[
        list[str], typer.Option(metavar="NAME=A,B,…", help="Parameters that get one index together.")
    ] = [],  # noqa: B006
    samples: Annotated[
        int,
        typer.Option(
            parser=whole_number("--samples", 512),
            metavar="INTEGER",
            help="A power of two; as many times (parameters + 2) patients are solved.",
        ),
    ] = 512,
    until: Annotated[float | None, typer.Option(help="Last time; of the twin 168 days if left out.")] = None,
    set_: Settings = [],  # noqa: B006
    dose: Doses_ = [],  # noqa: B006
    seed: Seed = 1,
    threads: Threads = None,
    out: Outs = [],  # noqa: B006
    as_json: AsJson = False,
) -> None:
    """Which unknown moves which result (Sobol indices). Example: graftline model sensitivity --out sobol.svg

    Another: graftline model sensitivity my.ant --parameter k=0.1:0.5 --output x@5 --until 10
    """
    from ..learning import sensitivity as solve_study  # heavy

    check_seed(seed)
    check_outs(out)
    groups = _groups(group)
    study = _twin(parameter, output, until, [*set_, *dose]) if name == TWIN else None
    if study is None:
        study = _any_model(name, parameter, output, until, (set_, dose))
    with progress_bar("solving patients") as told:
        found = solve_study(study, samples=samples, seed=seed, groups=groups, threads=threads, progress=told)
    write_outs(out, found.table(), lambda: _picture(name, found))
    if as_json:
        typer.echo(json.dumps(_as_json(name, found), indent=2, ensure_ascii=False))
    else:
        _print(found)


def _groups(texts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    found = {}
    for text in texts:
        match = _GROUP.fullmatch(text)
        if match is None:
            raise InputError(Fault(f"--group {text}", "is no group", "write NAME=A,B,…"))
        found[match["name"]] = tuple(one.strip() for one in match["members"].split(","))
    return found


def _varied(texts: Sequence[str]) -> dict[str, Distribution | None]:
    """Name -> distribution, None where only the name is given; raises InputError with every fault."""
    from ..learning import read_distribution

    found: dict[str, Distribution | None] = {}
    faults: list[Fault] = []
    for text in texts:
        name, given, form = text.partition("=")
        if name in found:
            faults.append(Fault(f"--parameter {text}", "names it twice", "name it once"))
        try:
            found[name] = read_distribution(form, f"--parameter {text}") if given else None
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError(faults)
    return found


def _twin(parameters: Sequence[str], outputs: Sequence[str], until: float | None, unused: Sequence[str]) -> Study:
    from ..learning import read_output, twin_study

    if unused:
        remedy = "leave out --set and --dose; vary a parameter with --parameter NAME=DISTRIBUTION"
        raise InputError(Fault(unused[0], "the twin is treated as in its protocol", remedy))
    varied = _varied(parameters)
    more = {} if until is None else {"until": until}
    changed = {name: one for name, one in varied.items() if one is not None}
    return twin_study(tuple(varied), tuple(read_output(one, **more) for one in outputs), changed, **more)


def _any_model(
    name: str,
    parameters: Sequence[str],
    outputs: Sequence[str],
    until: float | None,
    given: tuple[list[str], list[str]],
) -> Study:
    """Of a shipped model or a file; everything must be named."""
    from ..engine import Request
    from ..learning import StudyOutput, model_study, read_summary

    model, known = _published.found(name)
    varied = _varied(parameters)
    faults = [
        Fault(f"--parameter {one}", "has no distribution", f"write for example {one}=0.1:0.5 or {one}=0.2~0.3")
        for one, form in varied.items()
        if form is None
    ]
    for option, missing, example in (
        ("--parameter", not varied, f"{(*model.parameters, 'k')[0]}=0.1:0.5"),
        ("--output", not outputs, f"peak:{(*model.states, 'x')[0]}"),
        ("--until", until is None, "28"),
    ):
        if missing:
            faults.append(Fault(option, "is not given", f"write for example {option} {example}"))
    if faults or until is None:
        raise InputError(faults)
    numbers, doses = given_numbers(model, *given)
    extinctions = () if known is None else known.extinctions
    request = Request(
        times=np.linspace(0.0, until, _POINTS),
        outputs=model.states,
        start=np.zeros(1),
        parameters={key: np.array([value]) for key, value in numbers.items() if key in model.parameters},
        initial={key: np.array([value]) for key, value in numbers.items() if key in model.states},
        doses=doses,
        extinctions=extinctions,
        absolute_tolerance=absolute_tolerances(model, extinctions, Request.relative_tolerance),
    )
    quantities = (*model.states, *model.observables)
    summaries = [read_summary(one, quantities, "--output") for one in outputs]
    words = {} if known is None else {key: one.meaning for key, one in known.quantities.items()}
    asked = [
        StudyOutput(name=one.spelled(), summary=one, meaning=_in_words(one.spelled(), words.get(one.quantity, "")))
        for one in summaries
    ]
    return model_study(model, request, {key: form for key, form in varied.items() if form is not None}, asked)


def _in_words(text: str, meaning: str) -> str:
    return f"{text} ({meaning})" if meaning else text


def _notes(found: SensitivityResult) -> list[str]:
    """What must be said beside the numbers."""
    design = found.design
    lines = [f"{label}: {text}" for label, text in found.study.fixed.items()]
    lines.append(
        f"{len(design)} patients ({design.samples} samples, {len(design.factors)} factors, seed {found.seed}); "
        f"not solved: {found.failed} ({found.failed_share:.2%})"
    )
    for output, indices, undefined in zip(found.study.outputs, found.indices, found.undefined, strict=True):
        text = f"{output.name}: widest 95 % interval of a total index {indices.widest:.2f}"
        if not indices.widest <= _CONVERGED:
            text += " (not converged: take more samples)" if np.isfinite(indices.widest) else " (no indices)"
        if indices.left_out:
            text += f"; {indices.left_out} of {design.samples} samples left out"
        if undefined:
            text += f"; {undefined} patients have no value"
        lines.append(f"{text}{f'; {output.note}' if output.note else ''}")
    return lines


def _titles(found: SensitivityResult) -> dict[str, str]:
    return {
        one.name: f"{one.meaning[:1].upper()}{one.meaning[1:]}" + (f" ({one.unit})" if one.unit else "")
        for one in found.study.outputs
    }


def _picture(name: str, found: SensitivityResult) -> str:
    from ..report.figures.indices import sobol_bars  # heavy

    head = "Patient twin" if name == TWIN else name
    captions = [head, *_notes(found)[: len(found.study.fixed) + 1], "Thin lines: 95 % intervals (bootstrap)."]
    return str(sobol_bars(found.table(), _titles(found), captions))


def _as_json(name: str, found: SensitivityResult) -> dict[str, object]:
    rows = [{key: plain(value) for key, value in row.items()} for row in found.table().to_dicts()]
    return {
        "model": name,
        "patients": len(found.design),
        "samples": found.design.samples,
        "seed": found.seed,
        "failed": found.failed,
        "notes": dict(found.study.fixed),
        "outputs": [
            {
                "name": one.name,
                "meaning": one.meaning,
                "unit": one.unit,
                "note": one.note,
                "widest_interval": plain(indices.widest),
                "samples_left_out": indices.left_out,
                "undefined": undefined,
                "indices": [
                    {key: value for key, value in row.items() if not key.startswith("output")}
                    for row in rows
                    if row["output"] == one.name
                ],
            }
            for one, indices, undefined in zip(found.study.outputs, found.indices, found.undefined, strict=True)
        ],
    }


def _print(found: SensitivityResult) -> None:
    console = Console()
    table = found.table()
    for name, title in _titles(found).items():
        shown = Table("factor", "first", "95 %", "total", "95 %", "meaning", title=title, title_justify="left")
        for row in table.filter(table["output"] == name).head(_SHOWN).to_dicts():
            shown.add_row(
                row["factor"],
                f"{row['first']:.2f}",
                f"{row['first_low']:.2f} to {row['first_high']:.2f}",
                f"{row['total']:.2f}",
                f"{row['total_low']:.2f} to {row['total_high']:.2f}",
                row["factor_meaning"],
            )
        console.print(shown)
    for line in _notes(found):
        typer.echo(line)
