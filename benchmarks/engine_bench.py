"""The engine beside other solvers at equal error, and how it holds at the extremes: part of `make bench`.

Solvers take turns in one process, so that a noisy machine is noisy for all; ratios are medians over the rounds.
"""

from __future__ import annotations

import argparse
import json
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import study_model as study
from engine_peers import PEERS, Solver
from rich.console import Console
from rich.table import Table

from graftline import engine
from graftline.engine.compiling.native import this_machine

Numbers = study.Numbers
PATIENTS, TIGHT, SENSITIVE = 2000, 1e-10, 1e-2
LEVELS = (1e-4, 2e-6)  # of the 99th percentile of errors
OURS = (4e-5, 3.6e-5, 3.3e-5, 3e-5, 2e-5, 1e-5, 2.2e-6, 2e-6, 1.8e-6, 1.5e-6, 1e-6)
THEIRS = (1e-5, 3e-6, 1.5e-6, 1e-6, 8e-7, 5e-7, 3e-7, 2e-7, 1e-7, 5e-8, 2e-8, 1.4e-8, 1e-8, 5e-9, 1e-9)


def ours(model: engine.Model) -> Solver:
    """Our engine with the peers' signature."""
    return lambda parameters, rtol, threads: engine.solve(model, study.request(parameters, rtol), threads).values


def p99(found: Numbers, reference: Numbers) -> float:
    """The error that 99 of 100 patients stay below."""
    return float(np.quantile(study.errors(found, reference), 0.99))


def loosest(solver: Solver, parameters: dict[str, Numbers], reference: Numbers, level: float, choice: Any) -> float:
    """The largest tolerance whose errors stay below the level; NaN if none does."""
    for rtol in choice:
        if p99(solver(parameters, rtol, 1), reference) <= level:
            return float(rtol)
    return float("nan")


def first(parameters: dict[str, Numbers], patients: int) -> dict[str, Numbers]:
    """The first patients of a table."""
    return {name: values[:patients] for name, values in parameters.items()}


def compare(model: engine.Model, rounds: int, console: Console) -> list[dict[str, Any]]:
    """Ratios to each peer at each level of error and number of threads."""
    parameters, own, rows = study.draw(PATIENTS), ours(model), []
    reference = own(parameters, TIGHT, 2)
    for name, (make, patients, thread_counts) in PEERS.items():
        try:
            peer = make()
        except ImportError:
            console.print(f"{name}: not installed")
            continue
        some = first(parameters, patients)
        few, few_reference = first(parameters, min(patients, 500)), reference[: min(patients, 500)]
        for level in LEVELS:
            mine = loosest(own, parameters, reference, level, OURS)
            other = loosest(peer, few, few_reference, level, THEIRS)
            for threads in thread_counts if np.isfinite(other) else ():
                seconds = alternate(own, peer, (parameters, mine), (some, other), threads, rounds)
                rates = np.array([[PATIENTS, patients]]) / seconds
                ratios = rates[:, 0] / rates[:, 1]
                rows.append({
                    "peer": name, "version": version(name), "p99_at_most": level, "threads": threads, "own_rtol": mine,
                    "peer_rtol": other, "own_per_second": float(np.median(rates[:, 0])),
                    "peer_per_second": float(np.median(rates[:, 1])), "ratio": float(np.median(ratios)),
                    "ratio_least": float(ratios.min()), "ratio_most": float(ratios.max()),
                })  # fmt: skip
                console.print(rows[-1])
    return rows


def alternate(own: Solver, peer: Solver, mine: Any, other: Any, threads: int, rounds: int) -> Numbers:
    """Seconds of both in every round, (rounds, 2), after one round that is thrown away."""
    seconds = []
    for _ in range(rounds + 1):
        pair = []
        for solver, (parameters, rtol) in ((own, mine), (peer, other)):
            begin = perf_counter()
            solver(parameters, rtol, threads)
            pair.append(perf_counter() - begin)
        seconds.append(pair)
    return np.array(seconds[1:])


def extremes(model: engine.Model, patients: int, checked: int) -> dict[str, Any]:
    """Patients whose every parameter varies with a log-sd of 1: failures, and errors of random and of hard ones."""
    failed, steps, worst, off, looked = 0, [], 0.0, 0, 0
    for number, begin in enumerate(range(0, patients, 50_000)):
        count = min(50_000, patients - begin)
        parameters = study.draw(count, 1000 + number, 1.0)
        result = engine.solve(model, study.request(parameters, 1e-6))
        failed += int(np.count_nonzero(result.status))
        steps.append(result.steps)
        share = max(checked * count // patients, 1)
        chosen = np.unique([*range(share), *np.argsort(result.steps)[-max(share // 20, 1) :].tolist()])
        some = {name: values[chosen] for name, values in parameters.items()}
        tight = engine.solve(model, study.request(some, TIGHT)).values
        apart = study.errors(result.values[chosen], tight)
        worst, off, looked = max(worst, float(apart.max())), off + int(np.sum(apart > SENSITIVE)), looked + len(chosen)
    all_steps = np.concatenate(steps)
    return {
        "patients": patients, "failed": failed, "steps_mean": float(all_steps.mean()),
        "steps_most": int(all_steps.max()),
        "checked": looked, "largest_error": worst, "off_by_more_than_1e-2": off,
    }  # fmt: skip


def accuracy(model: engine.Model) -> dict[str, float]:
    """p99 of the error over the tolerance asked for."""
    parameters, own = study.draw(PATIENTS), ours(model)
    reference = own(parameters, 1e-11, 2)
    return {f"{rtol:.0e}": p99(own(parameters, rtol, 2), reference) / rtol for rtol in (1e-4, 1e-5, 1e-6, 1e-7, 1e-8)}


def installed(name: str) -> str:
    """The version of a package, or that it is not there."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def shown(rows: list[dict[str, Any]]) -> Table:
    """The comparison as a table."""
    table = Table(
        "peer",
        "p99 at most",
        "threads",
        "ours, rtol",
        "peer, rtol",
        "ours, patients/s",
        "peer, patients/s",
        "ratio (range)",
    )
    for row in rows:
        table.add_row(
            f"{row['peer']} {row['version']}", f"{row['p99_at_most']:.0e}", str(row["threads"]),
            f"{row['own_rtol']:.1e}",
            f"{row['peer_rtol']:.1e}", f"{row['own_per_second']:,.0f}", f"{row['peer_per_second']:,.0f}",
            f"{row['ratio']:.1f} ({row['ratio_least']:.1f} to {row['ratio_most']:.1f})",
        )  # fmt: skip
    return table


def main() -> None:
    """Measure, print the tables, write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--patients", type=int, default=20_000, help="patients with extreme parameters")
    parser.add_argument("--checked", type=int, default=2_000, help="of them, compared with a tight solve")
    parser.add_argument("--out", type=Path, default=Path("out") / "engine_bench.json")
    arguments = parser.parse_args()
    console, model = Console(), engine.load_antimony(study.text(), "study").compile()
    machine = this_machine()
    content = {
        "machine": {"cpu": machine.cpu, "lanes": machine.lanes, "system": platform.platform()},
        "versions": {name: installed(name) for name in ("numpy", "numba", "llvmlite", *PEERS)},
        "ratios": compare(model, arguments.rounds, console),
        "p99_over_rtol": accuracy(model),
        "extremes": extremes(model, arguments.patients, arguments.checked),
    }
    console.print(content["machine"], content["versions"], shown(content["ratios"]))
    console.print("p99 of the error over rtol:", content["p99_over_rtol"])
    console.print("every parameter with log-sd 1:", content["extremes"])
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    console.print(f"wrote {arguments.out}")


if __name__ == "__main__":
    main()
