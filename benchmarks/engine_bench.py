"""The engine beside other solvers at equal error, and how it holds at the extremes: part of `make bench`.

Solvers take turns in one process, so that a noisy machine is noisy for all; ratios are medians over the rounds.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import study_model
import twin_problem
from engine_peers import PEERS, Peer, Solver, available
from problem import Numbers, Problem
from rich.console import Console
from rich.table import Table

from graftline import engine
from graftline.engine.compiling.native import this_machine

PATIENTS, TIGHT, OFF, NUDGE = 2000, 1e-10, 1e-2, 1e-6
LEVELS = (1e-4, 2e-6)  # of the 99th percentile of errors
OURS = (
    1e-4, 7e-5, 5e-5, 4e-5, 3.6e-5, 3.3e-5, 3e-5, 2e-5, 1.5e-5, 1e-5, 7e-6, 5e-6, 3e-6, 2.2e-6, 2e-6, 1.8e-6, 1.5e-6,
    1e-6, 7e-7, 5e-7, 3e-7, 2e-7,
)  # fmt: skip


def ours(model: engine.Model) -> Solver:
    """Our engine with the peers' signature."""
    return lambda problem, rtol, threads: engine.solve(model, problem.request(rtol), threads).values


def p99(problem: Problem, found: Numbers, reference: Numbers) -> float:
    """The error that 99 of 100 patients stay below."""
    return float(np.quantile(problem.errors(found, reference), 0.99))


def loosest(solver: Solver, problem: Problem, reference: Numbers, level: float, choice: Sequence[float]) -> float:
    """The largest tolerance whose errors stay below the level; NaN if none does."""
    for rtol in choice:
        if p99(problem, solver(problem, rtol, 1), reference) <= level:
            return float(rtol)
    return float("nan")


def compare(problem: Problem, rounds: int, console: Console) -> list[dict[str, Any]]:
    """Ratios to each peer at each level of error and number of threads."""
    model = engine.load_antimony(problem.text, problem.name).compile()
    own, rows = ours(model), []
    reference = own(problem, TIGHT, 2)
    mine = {level: loosest(own, problem, reference, level, OURS) for level in LEVELS}
    for peer, solver in available(model, problem):
        if solver is None:
            console.print(f"{peer.package}: not installed")
            continue
        for level in LEVELS:
            rows += beside(problem, reference, level, mine[level], peer, own, solver, rounds)
            console.print(rows[-1] if rows else "")
    return rows


def beside(  # noqa: PLR0913  # a row of the comparison has so many sides
    problem: Problem, reference: Numbers, level: float, mine: float, peer: Peer, own: Solver, other: Solver, rounds: int
) -> list[dict[str, Any]]:
    """One peer at one level of error, for each number of threads."""
    some = problem.take(slice(peer.patients))
    few = problem.take(slice(min(peer.patients, 500)))
    theirs = loosest(other, few, reference[: len(few)], level, peer.tolerances)
    rows = []
    for threads in peer.threads if np.isfinite(theirs) else ():
        seconds = alternate((own, problem, mine), (other, some, theirs), threads, rounds)
        rates = np.array([[len(problem), len(some)]]) / seconds
        ratios = rates[:, 0] / rates[:, 1]
        rows.append({
            "model": problem.name, "peer": peer.package, "version": version(peer.package), "p99_at_most": level,
            "threads": threads, "own_rtol": mine, "peer_rtol": theirs,
            "own_per_second": float(np.median(rates[:, 0])), "peer_per_second": float(np.median(rates[:, 1])),
            "ratio": float(np.median(ratios)), "ratio_least": float(ratios.min()), "ratio_most": float(ratios.max()),
        })  # fmt: skip
    return rows


Run = tuple[Solver, Problem, float]


def alternate(mine: Run, other: Run, threads: int, rounds: int) -> Numbers:
    """Seconds of both in every round, (rounds, 2), after one round that is thrown away."""
    seconds = []
    for _ in range(rounds + 1):
        pair = []
        for solver, problem, rtol in (mine, other):
            begin = perf_counter()
            solver(problem, rtol, threads)
            pair.append(perf_counter() - begin)
        seconds.append(pair)
    return np.array(seconds[1:])


def extremes(model: engine.Model, patients: int, checked: int) -> dict[str, Any]:
    """Patients whose every parameter varies with a log-sd of 1: failures, and errors of random and of hard ones.

    For those off by more than OFF: the error at ever tighter tolerances, and by how much the solution itself moves
    when every parameter is a millionth larger. An error that falls with the tolerance, on a solution that moves so
    much, is the problem's own.
    """
    failed, looked, steps, worst, sensitive = 0, 0, [], 0.0, []
    for number, begin in enumerate(range(0, patients, 50_000)):
        count = min(50_000, patients - begin)
        problem = study_model.problem(count, 1000 + number, 1.0)
        result = engine.solve(model, problem.request(1e-6))
        failed += int(np.count_nonzero(result.status))
        steps.append(result.steps)
        share = max(checked * count // patients, 1)
        chosen = np.unique([*range(share), *np.argsort(result.steps)[-max(share // 20, 1) :].tolist()])
        some = problem.take(chosen)
        tight = engine.solve(model, some.request(TIGHT)).values
        apart = some.errors(result.values[chosen], tight)
        worst, looked = max(worst, float(apart.max())), looked + len(chosen)
        off = np.flatnonzero(apart > OFF)
        if len(off):
            sensitive += shown_sensitive(model, some.take(off), tight[off])
    all_steps = np.concatenate(steps)
    return {
        "patients": patients, "failed": failed, "steps_mean": float(all_steps.mean()),
        "steps_most": int(all_steps.max()), "checked": looked, "largest_error": worst,
        "off_by_more_than_1e-2": len(sensitive), "those": sensitive,
    }  # fmt: skip


def shown_sensitive(model: engine.Model, problem: Problem, tight: Numbers) -> list[dict[str, float]]:
    """Per patient: errors by tolerance, and the solution's own movement."""
    errors = {
        rtol: problem.errors(engine.solve(model, problem.request(rtol)).values, tight) for rtol in (1e-6, 1e-7, 1e-8)
    }
    nudged = replace(problem, parameters={name: v * (1 + NUDGE) for name, v in problem.parameters.items()})
    moved = problem.errors(engine.solve(model, nudged.request(TIGHT)).values, tight)
    return [
        {**{f"error_at_{rtol:.0e}": float(error[k]) for rtol, error in errors.items()},
         "moved_by_a_millionth": float(moved[k])}
        for k in range(len(problem))
    ]  # fmt: skip


def accuracy(problem: Problem) -> dict[str, float]:
    """p99 of the error over the tolerance asked for."""
    own = ours(engine.load_antimony(problem.text, problem.name))
    reference = own(problem, 1e-11, 2)
    tolerances = (1e-4, 1e-5, 1e-6, 1e-7, 1e-8)
    return {f"{rtol:.0e}": p99(problem, own(problem, rtol, 2), reference) / rtol for rtol in tolerances}


def installed(name: str) -> str:
    """The version of a package, or that it is not there."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def shown(rows: list[dict[str, Any]]) -> Table:
    """The comparison as a table."""
    table = Table(
        "model", "beside", "p99 at most", "threads", "rtol, ours and theirs", "ours, patients/s", "theirs", "ratio"
    )
    for row in rows:
        table.add_row(
            row["model"], f"{row['peer']} {row['version']}", f"{row['p99_at_most']:.0e}", str(row["threads"]),
            f"{row['own_rtol']:.1e}, {row['peer_rtol']:.1e}", f"{row['own_per_second']:,.0f}",
            f"{row['peer_per_second']:,.0f}",
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
    console, machine = Console(), this_machine()
    problems = (study_model.problem(PATIENTS), twin_problem.problem(PATIENTS))
    study = engine.load_antimony(problems[0].text, "study").compile()
    content = {
        "machine": {"cpu": machine.cpu, "lanes": machine.lanes, "system": platform.platform()},
        "versions": {name: installed(name) for name in ("numpy", "numba", "llvmlite", *(one.package for one in PEERS))},
        "ratios": [row for problem in problems for row in compare(problem, arguments.rounds, console)],
        "p99_over_rtol": {problem.name: accuracy(problem) for problem in problems},
        "extremes": extremes(study, arguments.patients, arguments.checked),
    }
    console.print(content["machine"], content["versions"], shown(content["ratios"]))
    console.print("p99 of the error over rtol:", content["p99_over_rtol"])
    console.print("every parameter with log-sd 1:", content["extremes"])
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    console.print(f"wrote {arguments.out}")


if __name__ == "__main__":
    main()
