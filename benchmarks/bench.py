"""How long the main steps take, and the solver beside a simple peer: `make bench`.

Everything runs in one process. The steps take turns, round after round, so that a machine that slows down slows all of
them; the fastest round counts. Times differ between machines, ratios hardly.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from peer_lsoda import solve_course
from rich.console import Console
from rich.table import Table

from graftline import __version__
from graftline.base.streams import Keys, Streams
from graftline.population import PopulationPlan
from graftline.population.simulate import draw_baseline
from graftline.protocol import load_protocol
from graftline.records import Baseline
from graftline.screening.simulate import screen
from graftline.trial import simulate_part
from graftline.twin import Conditioning, CourseRequest, Infusion, referral_state, run_courses
from graftline.twin.simulate import draw_latents

Step = Callable[[], object]
Numbers = NDArray[np.float64]
PATIENTS, TREATED, PEER_COURSES, CELLS, SEED = 10_000, 100, 10, 5.0, 1
DAYS = np.concatenate([np.arange(0.0, 60.0), np.arange(60.0, 365.0, 7.0)])
REGIMEN = [("cyclophosphamide", day, 600.0, 1.0) for day in (-7, -6, -5)]
REGIMEN += [("fludarabine", day, 30.0, 0.5) for day in (-7, -6, -5, -4)]


def patients(count: int) -> tuple[Baseline, Keys, Streams]:
    """Virtual patients of one site."""
    keys, streams = Keys.of(0, 1, np.arange(count)), Streams(SEED)
    plan = PopulationPlan(country=np.full(count, "FR"))
    return draw_baseline(plan, keys, streams), keys, streams


def course_request(count: int) -> CourseRequest:
    """Conditioning 600 x 3 + 30 x 4 and one infusion on Day 1 for each patient."""
    rows = [(patient, *row) for patient in range(count) for row in REGIMEN]
    who, drug, day, dose, hours = (np.array(column) for column in zip(*rows, strict=True))
    return CourseRequest(
        latents=draw_latents(*patients(count)),
        conditioning=Conditioning(patient=who, drug=drug, dose=dose, protocol_day=day, hours=hours),
        infusions=(Infusion(cells=np.full(count, CELLS), time=np.zeros(count)),),
        start_time=np.full(count, -7.0),
    )


def steps() -> dict[str, Step]:
    """Name -> what is timed; what is needed beforehand is made here and not timed."""
    file = load_protocol("adp_a2afp")
    baseline, keys, streams = patients(PATIENTS)
    request, few = course_request(TREATED), course_request(PEER_COURSES)
    return {
        f"population, {PATIENTS:,} patients": lambda: patients(PATIENTS),
        f"screening, {PATIENTS:,} patients": lambda: screen(file.protocol, baseline, keys, streams),
        f"twin, {TREATED} courses": lambda: run_courses(request, DAYS),
        "one replicate of the reference trial": lambda: simulate_part(file, [0], SEED),
        f"twin, {PEER_COURSES} courses": lambda: run_courses(few, DAYS),
        f"peer (SciPy LSODA), {PEER_COURSES} courses": lambda: peer(few),
    }


def peer(request: CourseRequest) -> list[Numbers]:
    """The same courses with equations written in Python, under SciPy's LSODA, with the twin's relative tolerance."""
    return [solve_course(request.latents, patient, REGIMEN, CELLS, DAYS) for patient in range(len(request))]


def disagreement() -> float:
    """Largest difference of tumour volume between twin and peer over all courses, as a share of the volume at start."""
    request = course_request(PEER_COURSES)
    ours = run_courses(request, DAYS)
    theirs = np.stack(peer(request))
    start = referral_state(request.latents).states
    volume = ours.states["A"] + ours.states["N"]
    return float(np.max(np.abs(volume - theirs) / (start["A"] + start["N"])[:, None]))


def measure(named: dict[str, Step], rounds: int) -> dict[str, list[float]]:
    """Seconds of every step in every round, after one round that is thrown away."""
    seconds: dict[str, list[float]] = {name: [] for name in named}
    for turn in range(rounds + 1):
        for name, step in named.items():
            begin = perf_counter()
            step()
            if turn:
                seconds[name].append(perf_counter() - begin)
    return seconds


def main() -> None:
    """Measure, print the table, write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out") / "bench.json")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    seconds = measure(steps(), arguments.rounds)
    fastest = {name: min(found) for name, found in seconds.items()}
    ours, theirs = list(fastest.values())[-2:]
    apart = disagreement()
    table = Table("step", "fastest, s", "slowest, s")
    for name, found in seconds.items():
        table.add_row(name, f"{min(found):.3f}", f"{max(found):.3f}")
    console = Console()
    console.print(table)
    console.print(f"twin against peer: {theirs / ours:.1f} times as fast; tumour volumes differ by at most {apart:.1e}")
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "code_version": __version__,
        "machine": {"system": platform.platform(), "python": platform.python_version(), "cores": os.cpu_count()},
        "rounds": arguments.rounds,
        "seconds": seconds,
        "peer_over_twin": theirs / ours,
        "largest_difference_of_tumour_volume": apart,
    }
    arguments.out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    console.print(f"wrote {arguments.out}")


if __name__ == "__main__":
    main()
