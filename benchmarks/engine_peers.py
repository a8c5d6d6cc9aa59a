"""Other solvers on the study model. Each is optional: absent ones are named as not installed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import study_model as study
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Solver = Callable[[dict[str, Numbers], float, int], Numbers]
"""(parameters, rtol, threads) -> values (patients, times, states)"""
_SEGMENTS = (*study.DOSES, float(study.DAYS[-1]))


def numbalsoda() -> Solver:
    """LSODA called from compiled code, with the right-hand side compiled by numba; raises ImportError if absent."""
    import numba
    import numbalsoda as peer

    names = list(study.PARAMETERS)
    assigned = [f"    {name} = p[{k}]" for k, name in enumerate(names)]
    assigned += [f"    {name} = u[{k}]" for k, name in enumerate(study.STATES)]
    formulas = {name: formula.replace("ln(", "log(") for name, formula in {**study.HELPERS, **study.RATES}.items()}
    assigned += [f"    {name} = {formulas[name]}" for name in study.HELPERS]
    assigned += [f"    du[{k}] = {formulas[name]}" for k, name in enumerate(study.STATES)]
    space: dict[str, Any] = {"log": np.log}
    exec("def rates(t, u, du, p):\n" + "\n".join(assigned), space)  # from our own text, for numba
    address = numba.cfunc(peer.lsoda_sig)(space["rates"]).address
    lsoda = peer.lsoda
    edges = np.array(_SEGMENTS)
    first = np.searchsorted(study.DAYS, edges[:-1], side="right")
    last = np.searchsorted(study.DAYS, edges[1:], side="right")

    @numba.njit(nogil=True)
    def solve(table, start, jumps, rtol, out, piece):  # type: ignore[no-untyped-def]
        for patient in range(piece[0], piece[1]):
            y = start[patient].copy()
            for k in range(len(edges) - 1):
                y = y + jumps[patient, k]
                inside = days[first[k] : last[k]]
                ends = len(inside) > 0 and inside[-1] == edges[k + 1]
                asked = np.empty(len(inside) + (1 if ends else 2))
                asked[0], asked[1 : 1 + len(inside)], asked[-1] = edges[k], inside, edges[k + 1]
                found, _ = lsoda(address, y, asked, table[patient], rtol=rtol, atol=rtol * 1e-3, mxstep=200000)
                out[patient, first[k] : last[k]] = found[1 : 1 + len(inside)]
                y = found[-1].copy()

    days = study.DAYS

    def run(parameters: dict[str, Numbers], rtol: float, threads: int) -> Numbers:
        table = np.stack(list(parameters.values()), axis=1)
        start, jumps = _start(parameters), _jumps(parameters)
        out = np.empty((len(table), len(study.DAYS), len(study.STATES)))
        _share(lambda begin, end: solve(table, start, jumps, rtol, out, (begin, end)), len(table), threads)
        return out

    return run


def _start(parameters: dict[str, Numbers]) -> Numbers:
    patients = len(parameters["keF"])
    values = {name: eval(study.START.get(name, "0"), {}, dict(parameters)) for name in study.STATES}  # our own text
    return np.stack([np.broadcast_to(values[name], (patients,)).astype(float) for name in study.STATES], axis=1)


def _jumps(parameters: dict[str, Numbers]) -> Numbers:
    jumps = np.zeros((len(parameters["keF"]), len(study.DOSES), len(study.STATES)))
    for k, given in enumerate(study.DOSES.values()):
        for state, dose in given.items():
            jumps[:, k, study.STATES.index(state)] = parameters[dose]
    return jumps


def _share(work: Callable[[int, int], None], patients: int, threads: int) -> None:
    """Hand out pieces of 100 patients to threads, as each gets free."""
    pieces, lock = list(range(0, patients, 100)), threading.Lock()

    def worker() -> None:
        while True:
            with lock:
                if not pieces:
                    return
                begin = pieces.pop()
            work(begin, min(begin + 100, patients))

    workers = [threading.Thread(target=worker) for _ in range(threads)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()


def libroadrunner() -> Solver:
    """CVODE on the SBML with the doses after day 0 as events; raises ImportError if absent."""
    import antimony
    import roadrunner

    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(study.text(events=True)) >= 0, antimony.getLastError()
    runner = roadrunner.RoadRunner(antimony.getSBMLString(antimony.getMainModuleName()))
    runner.timeCourseSelections = list(study.STATES)
    times = [0.0, *study.DAYS.tolist()]

    def run(parameters: dict[str, Numbers], rtol: float, threads: int) -> Numbers:
        assert threads == 1, "one process, one thread"
        start = _start(parameters) + _jumps(parameters)[:, 0]
        runner.integrator.setValue("relative_tolerance", rtol)
        runner.integrator.setValue("absolute_tolerance", rtol * 1e-3)
        runner.integrator.setValue("maximum_num_steps", 200_000)
        out = np.empty((len(start), len(study.DAYS), len(study.STATES)))
        for patient in range(len(start)):
            runner.resetAll()
            for name, values in parameters.items():
                runner[name] = values[patient]
            for k, name in enumerate(study.STATES):
                runner[name] = start[patient, k]
            out[patient] = np.asarray(runner.simulate(times=times))[1:]
        return out

    return run


PEERS: dict[str, tuple[Callable[[], Solver], int, tuple[int, ...]]] = {
    "numbalsoda": (numbalsoda, 2000, (1, 2)),
    "libroadrunner": (libroadrunner, 100, (1,)),
}
"""name -> how to make it, with how many patients it is timed, with how many threads"""
