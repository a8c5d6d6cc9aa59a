"""`graftline model identify`: which parameters a schedule of measurements can and cannot tell apart."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Column, Table

from ..base.errors import Fault, InputError
from . import _published
from ._insight import TWIN, AsJson, Outs, Seed, Threads, check_outs, check_seed, plain, progress_bar, write_outs
from .model import Doses_, Settings, given_numbers

if TYPE_CHECKING:
    from ..learning import Experiment, Identification

_OPEN = "open"
_OPEN_ABOVE = math.log(1000)  # a standard error of a logarithm that says nothing


def identify(  # noqa: PLR0913  # one option each
    name: Annotated[str, typer.Argument(metavar="MODEL", help="The twin, a shipped name or a model file.")] = TWIN,
    schedule: Annotated[
        Path | None,
        typer.Option(help="Measurements, .yaml or .csv. Of the twin the reference trial's AFP, scans and transgene."),
    ] = None,
    parameter: Annotated[
        list[str],
        typer.Option(
            metavar="NAME[=MEDIAN~CV]",
            help="What is estimated, with what is known before. Of the twin the prior is its card's spread.",
        ),
    ] = [],  # noqa: B006
    profile: Annotated[
        list[str],
        typer.Option(metavar="NAME[*NAME^POWER…]", help="Profile likelihood of a parameter or a product of powers."),
    ] = [],  # noqa: B006
    set_: Settings = [],  # noqa: B006
    dose: Doses_ = [],  # noqa: B006
    seed: Seed = 1,
    threads: Threads = None,
    out: Outs = [],  # noqa: B006
    as_json: AsJson = False,
) -> None:
    """What measurements can tell about parameters. Example: graftline model identify --profile kap --out known.svg

    Another: graftline model identify my.ant --schedule visits.yaml --parameter k --parameter K=2~0.5
    """
    from ..learning import identify as told_apart  # heavy

    check_seed(seed)
    check_outs(out)
    experiment = (
        _twin(schedule, parameter, set_, dose, threads)
        if name == TWIN
        else _any_model(name, schedule, parameter, (set_, dose), threads)
    )
    with progress_bar("fitting") as told:
        found = told_apart(experiment, profiled=profile, seed=seed, threads=threads, progress=told)
    write_outs(out, found.table(), lambda: _picture(name, found))
    if as_json:
        typer.echo(json.dumps(_as_json(name, found), indent=2, ensure_ascii=False))
    else:
        _print(name, found)


def _twin(
    schedule: Path | None, parameters: Sequence[str], settings: list[str], doses: list[str], threads: int | None
) -> Experiment:
    from ..learning import measured_twin, read_schedule, twin_experiment, usual_measurements

    if doses:
        raise InputError(Fault(f"--dose {doses[0]}", "the twin is treated as in its protocol", "leave it out"))
    with_prior = [text for text in parameters if "=" in text]
    if with_prior:
        remedy = "write the name alone; --set NAME=VALUE changes the typical patient"
        raise InputError(
            [Fault(f"--parameter {text}", "the twin's priors are its cards' spreads", remedy) for text in with_prior]
        )
    model = measured_twin()
    numbers, _ = given_numbers(model, settings, [])
    measurements = (
        () if schedule is None else read_schedule(schedule, (*model.states, *model.observables), usual_measurements())
    )
    more: dict[str, Any] = {"parameters": tuple(parameters)} if parameters else {}
    return twin_experiment(measurements=measurements, changed=numbers, threads=threads, **more)


def _any_model(
    name: str,
    schedule: Path | None,
    parameters: Sequence[str],
    given: tuple[list[str], list[str]],
    threads: int | None,
) -> Experiment:
    from ..engine import Request
    from ..learning import FreeParameter, experiment_for, read_distribution, read_schedule

    model, known = _published.found(name)
    if schedule is None:
        remedy = "write the measurements into a .yaml or .csv file and name it with --schedule"
        raise InputError(Fault("--schedule", "is not given", remedy))
    measurements = read_schedule(schedule, (*model.states, *model.observables), {})
    numbers, doses = given_numbers(model, *given)
    values = {**model.own_values, **numbers}
    words = {} if known is None else known.quantities
    free, faults = [], []
    for text in parameters or [one for one in model.parameters if values.get(one, 0.0) > 0]:
        one, prior, form = text.partition("=")
        meaning, unit = (words[one].meaning, words[one].unit) if one in words else ("", model.units.get(one, ""))
        if one not in model.parameters:
            faults.append(
                Fault(
                    f"--parameter {text}", "is no parameter of the model", f"choose from {', '.join(model.parameters)}"
                )
            )
            continue
        made = FreeParameter(name=one, value=values.get(one, math.nan), meaning=meaning, unit=unit)
        if prior:
            found = read_distribution(form, f"--parameter {text}")
            if found.kind != "lognormal":
                faults.append(
                    Fault(f"--parameter {text}", "a prior is log-normal here", f"write for example {one}=2~0.5")
                )
                continue
            made = replace(made, value=found.first, prior_sd=found.log_sd)
        free.append(made)
    if faults:
        raise InputError(faults)
    request = Request(
        times=np.zeros(1),
        outputs=model.states,
        start=np.zeros(1),
        parameters={key: np.array([value]) for key, value in numbers.items() if key in model.parameters},
        initial={key: np.array([value]) for key, value in numbers.items() if key in model.states},
        doses=doses,
    )
    return experiment_for(model, request, free, measurements, threads)


def _notes(found: Identification) -> list[str]:
    """What must be said beside the numbers."""
    lines = [f"{label}: {text}" for label, text in found.experiment.notes.items()]
    lines += [one.spelled() for one in found.experiment.measurements]
    lines += [
        f"{output}: {count} readings left out, beyond a limit of quantification in the typical patient"
        for output, count in found.experiment.left_out.items()
    ]
    lines.append("what is not estimated counts as known")
    return lines


def _ridge_lines(name: str, found: Identification) -> list[str]:
    """The known ridge of the twin, if all of it is estimated."""
    from ..learning import EFFECTIVE_KILL

    if name != TWIN or not set(EFFECTIVE_KILL) <= set(found.experiment.names):
        return []
    ridge = found.ridge(EFFECTIVE_KILL)
    powers = " ".join(f"{one}^{power:.2f}" for one, power in ridge.best.items())
    alone = ", ".join(f"{one} {_error(error)}" for one, error in zip(ridge.names, ridge.alone, strict=True))
    best = (
        f"best known is {powers}, standard error {_error(ridge.best_error)} "
        f"(prior {_error(ridge.best_error_prior)}, both {_error(ridge.best_error_both)})"
    )
    rest = f"plain product {_error(ridge.product)}; each alone: {alone}"
    return [f"effective kill, measurements alone: {best}; {rest}"]


def _error(error: float) -> str:
    return f"{_OPEN} ({error:.3g})" if error > _OPEN_ABOVE else f"{error:.2f}"


def _picture(name: str, found: Identification) -> str:
    from ..report.figures.identifiability import identifiability  # heavy

    profiles = [
        (one.name, _profile_rows(one, "data") + _profile_rows(other, "both"))
        for one, other in zip(found.profiles, found.profiles_with_prior, strict=True)
    ]
    captions = ["Patient twin" if name == TWIN else name, *_notes(found), *_ridge_lines(name, found)]
    return str(identifiability(found.table(), found.combinations(), found.correlations, profiles, captions))


def _profile_rows(profile: Any, kind: str) -> list[dict[str, Any]]:
    return [
        {"value": float(value), "misfit": float(misfit), "kind": kind, "settled": bool(settled)}
        for value, misfit, settled in zip(profile.values, profile.misfit, profile.settled, strict=True)
    ]


def _as_json(name: str, found: Identification) -> dict[str, Any]:
    def rows(table: Any) -> list[dict[str, Any]]:
        return [{key: plain(value) for key, value in row.items()} for row in table.to_dicts()]

    return {
        "model": name,
        "seed": found.seed,
        "notes": _notes(found),
        "effective_kill": _ridge_lines(name, found),
        "parameters": rows(found.table()),
        "combinations": rows(found.combinations()),
        "correlations": [[plain(value) for value in line] for line in found.correlations.tolist()],
        "profiles": [
            {
                "name": one.name,
                "interval_data": [plain(end) for end in one.interval()],
                "interval_both": [plain(end) for end in other.interval()],
                "data": _profile_rows(one, "data"),
                "both": _profile_rows(other, "both"),
            }
            for one, other in zip(found.profiles, found.profiles_with_prior, strict=True)
        ],
    }


def _print(name: str, found: Identification) -> None:
    console = Console()
    table = Table(
        "parameter",
        "value",
        Column("prior", justify="right"),
        Column("measurements", justify="right"),
        Column("both", justify="right"),
        "meaning",
        title="Standard errors on the logarithmic scale (0.1 is about 10 %)",
        title_justify="left",
    )
    for row in found.table().to_dicts():
        errors = (row["error_prior"], row["error_data"], row["error_both"])
        value = f"{row['value']:.4g} {row['unit']}".strip()
        table.add_row(row["parameter"], value, *(_error(one) for one in errors), row["meaning"])
    console.print(table)
    combined = Table(
        "", "standard error", "product of powers", title="What the measurements alone tell apart", title_justify="left"
    )
    for row in found.combinations().to_dicts():
        combined.add_row(str(row["combination"]), _error(row["error"]), row["made_of"])
    console.print(combined)
    for one, other in zip(found.profiles, found.profiles_with_prior, strict=True):
        restless = int(np.sum(~one.settled) + np.sum(~other.settled))
        unsure = (
            f"; {restless} of {len(one.settled) + len(other.settled)} fits did not come to rest" if restless else ""
        )
        typer.echo(
            f"profile of ln {one.name}, 95 %: measurements {_interval(one)}, with priors {_interval(other)}{unsure}"
        )
    for line in (*_ridge_lines(name, found), *_notes(found)):
        typer.echo(line)


def _interval(profile: Any) -> str:
    low, high = profile.interval()
    if np.isinf(low) and np.isinf(high):
        return _OPEN
    return f"{'open' if np.isinf(low) else f'{low:.2f}'} to {'open' if np.isinf(high) else f'{high:.2f}'}"
