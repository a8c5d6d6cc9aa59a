"""`graftline simulate`: run the trial of a protocol file many times and leave a folder with data sets."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from .. import __version__
from ..base.errors import Fault, InputError, SurroundingsError
from ..evidence import all_cards, published_results
from ..exchange import (
    bands,
    code_digest,
    course_table,
    example_patient,
    journey_table,
    merge_parts,
    missing_parts,
    open_folder,
    parameter_digest,
    refusal_table,
    replicate_table,
    tables,
    write_json,
    write_part,
    write_table,
)
from ..protocol import ProtocolFile, load_protocol
from ..trial import SIMULATED_EVENTS, endpoint_table, simulate_part, tornado
from ._whole_numbers import whole_number

_REPLICATES_PER_PART = 10
_MOST_SEED = 2**63
_GO_ON = "give the same command again: finished parts are kept and it goes on from there"


Replicates = Annotated[
    int,
    typer.Option(
        parser=whole_number("--replicates", 200), metavar="INTEGER", help="How many times the whole trial is simulated."
    ),
]
Seed = Annotated[
    int, typer.Option(parser=whole_number("--seed", 1), metavar="INTEGER", help="The same seed gives the same bytes.")
]
Workers = Annotated[
    int,
    typer.Option(
        parser=whole_number("--workers", 2), metavar="INTEGER", help="Processes; the results do not depend on it."
    ),
]


@dataclass(frozen=True)
class Job:
    """One part of a run, as handed to a worker."""

    protocol: str
    folder: Path
    number: int
    replicates: tuple[int, ...]
    seed: int


def simulate(
    protocol: Annotated[str, typer.Argument(help="A shipped protocol's name or the path of a file.")],
    out: Annotated[Path, typer.Option(help="Folder for the results; made if absent.")],
    replicates: Replicates = 200,
    seed: Seed = 1,
    workers: Workers = 2,
) -> None:
    """Simulate the trial of a protocol file. Example: graftline simulate adp_a2afp --replicates 200 --out out/run

    Interrupted runs leave a folder that is readable; the same command goes on where it stopped.
    """
    run_simulation(protocol, out, replicates=replicates, seed=seed, workers=workers)
    typer.echo(f"for the page: graftline report {out}")


def run_simulation(protocol: str, out: Path, *, replicates: int, seed: int, workers: int) -> None:
    """Simulate, merge and summarise; see `simulate`. Raises InputError for arguments that cannot be used."""
    file = load_protocol(protocol)
    _check_arguments(replicates, seed, workers)
    recipe = {
        "command": f"graftline simulate {protocol} --replicates {replicates} --seed {seed} --out {out}",
        "protocol_digest": file.digest,
        "parameter_set": f"evidence cards as shipped, SHA-256 {parameter_digest()}",
        "code_version": f"{__version__}, SHA-256 {code_digest()}",
        "seed": seed,
        "replicates": replicates,
    }
    open_folder(out, recipe)
    step = _REPLICATES_PER_PART
    parts = [tuple(range(first, min(first + step, replicates))) for first in range(0, replicates, step)]
    jobs = [Job(protocol, out, number, parts[number], seed) for number in missing_parts(out, len(parts))]
    if not jobs:
        typer.echo(f"{out} is already complete", err=True)
    try:
        _run(jobs, workers, replicates)
    except KeyboardInterrupt:
        typer.echo(f"interrupted; {_GO_ON}", err=True)
        raise
    _summarise(file, out, len(parts), recipe)
    typer.echo(f"results: {out}")


def _check_arguments(replicates: int, seed: int, workers: int) -> None:
    faults = []
    if replicates < 1:
        faults.append(Fault("--replicates", f"{replicates}", "write 1 or more"))
    if not 0 <= seed < _MOST_SEED:
        faults.append(Fault("--seed", f"{seed}", f"write a whole number from 0 to {_MOST_SEED - 1}"))
    if workers < 1:
        faults.append(Fault("--workers", f"{workers}", "write 1 or more"))
    if faults:
        raise InputError(faults)


def _run(jobs: list[Job], workers: int, replicates: int) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        to_do = sum(len(job.replicates) for job in jobs)
        bar = progress.add_task("simulating trials", total=replicates, completed=replicates - to_do)
        if workers == 1 or len(jobs) < 2:
            for job in jobs:
                simulate_job(job)
                progress.advance(bar, len(job.replicates))
            return
        with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
            try:
                with _not_interrupted():
                    running = {pool.submit(simulate_job, job): job for job in jobs}
                for done in as_completed(running):
                    done.result()
                    progress.advance(bar, len(running[done].replicates))
            except BrokenProcessPool:
                raise SurroundingsError(
                    "a worker process ended before its part was done (killed, or out of memory)", _GO_ON
                ) from None
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                for worker in multiprocessing.active_children():
                    worker.terminate()
                raise


@contextmanager
def _not_interrupted() -> Iterator[None]:
    """Workers started in here never see Ctrl-C: the parent ends them, so that nobody prints a traceback."""
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


def simulate_job(job: Job) -> None:
    """Simulate one part and write it; the first part carries the tornado and the single patient too."""
    part = simulate_part(load_protocol(job.protocol), job.replicates, job.seed)
    found = {**tables(part, job.seed), "courses": course_table(part), "journey": journey_table(part)}
    found["refusals"] = refusal_table(part)
    texts: dict[str, dict[str, Any]] = {}
    if job.number == 0:
        rows = [_flat(asdict(swing)) for swing in tornado(part, job.seed)]
        if rows:
            found["tornado"] = pl.DataFrame(rows)
        example = example_patient(part)
        if example is not None:
            found["patient"], texts["patient"] = example
    write_part(job.folder, job.number, found, texts)


def _flat(swing: dict[str, Any]) -> dict[str, Any]:
    names = ("LOW", "BASE", "HIGH")
    heads = {"PARAMETER": "parameter", "LABEL": "meaning", "FACTOR": "factor", "N": "patients"}
    flat = {column: swing[name] for column, name in heads.items()}
    for column in ("response", "cytokine_release"):
        head = "RESPONSE" if column == "response" else "CRS"
        low, high = swing[f"{column}_error"]
        flat |= {f"{head}_LOW_SE": low, f"{head}_HIGH_SE": high}
    flat |= {f"RESPONSE_{name}": value for name, value in zip(names, swing["response"], strict=True)}
    return flat | {f"CRS_{name}": value for name, value in zip(names, swing["cytokine_release"], strict=True)}


def _refused(table: pl.DataFrame) -> dict[str, dict[str, int | str]]:
    """Rule of plausibility -> what it refuses, patients looked at, draws refused, over all replicates."""
    together = table.group_by("RULE", "MEANING", maintain_order=True).agg(pl.col("PATIENTS", "REFUSED").sum())
    return {
        str(rule): {"refuses": str(meaning), "patients": int(patients), "refused": int(refused)}
        for rule, meaning, patients, refused in together.iter_rows()
    }


def _summarise(file: ProtocolFile, out: Path, parts: int, recipe: dict[str, Any]) -> None:
    merged = merge_parts(out, parts)
    replicates = replicate_table(merged["adsl"])
    write_table(out, "replicates", replicates)
    write_table(out, "endpoints", endpoint_table(file.protocol, merged["adsl"]))
    write_table(out, "bands", bands(merged["courses"]))
    protocol = file.protocol
    write_json(
        out / "summary.json",
        {
            "recipe": recipe,
            "protocol": {
                "title": protocol.title,
                "registry_id": protocol.registry_id,
                "short_name": protocol.short_name,
                "digest": file.digest,
                "placeholders": [
                    {"path": one.path, "value": str(one.value), "reason": one.reason, "line": one.line}
                    for one in file.placeholders
                ],
            },
            "fitted": "nothing is fitted yet",
            "toxicities_not_simulated": [
                line.name
                for line in protocol.safety.dose_limiting_toxicity.criteria
                if line.event not in SIMULATED_EVENTS
            ],
            "implausible_draws": _refused(merged["refusals"]),
            "solver_failures": int(merged["adsl"]["SOLVFL"].sum() or 0),
            "published": [one.model_dump(mode="json") for one in published_results(protocol.registry_id)],
            "evidence_placeholders": [
                {
                    "name": card.name,
                    "value": str(card.value),
                    "unit": card.unit,
                    "meaning": card.meaning,
                    "reason": card.placeholder or f"how sure: {card.sure.value}",
                }
                for card in all_cards().values()
                if card.is_placeholder
            ],
        },
    )
