"""Other solvers on the same problems. Each is optional: absent ones are named as not installed.

All get the equations of the model with common parts computed once, solve from one change (dose, begin or end of an
infusion) to the next, and return all states at all times.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray
from problem import Problem

from graftline import engine
from graftline.engine.system import TIME, symbol

Numbers = NDArray[np.float64]
Solver = Callable[[Problem, float, int], Numbers]
"""(problem, rtol, threads) -> values (patients, times, states)"""
MOST_STEPS = 200_000


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A stretch of time in which nothing changes from outside."""

    begin: float
    end: float
    first: int
    """of the times after `begin` up to `end`"""
    last: int
    jumps: Numbers
    """(patients, states), at `begin`"""
    inputs: Numbers
    """(patients, infused states), per time"""

    def asked(self, times: Numbers) -> Numbers:
        """`begin`, the times asked, `end`."""
        inside = times[self.first : self.last]
        ends = [] if len(inside) and inside[-1] == self.end else [self.end]
        return np.array([self.begin, *inside, *ends])


def infused(problem: Problem) -> list[str]:
    """States into which something is infused."""
    return sorted({dose.state for dose in problem.doses if dose.duration})


def segments(problem: Problem) -> list[Segment]:
    """From the start to the last time."""
    changes = {problem.start, float(problem.times[-1])}
    for dose in problem.doses:
        changes |= {dose.time, dose.time + dose.duration}
    edges = sorted(edge for edge in changes if edge <= problem.times[-1])
    names, found = infused(problem), []
    for begin, end in pairwise(edges):
        jumps, inputs = np.zeros((len(problem), len(problem.states))), np.zeros((len(problem), len(names)))
        for dose in problem.doses:
            if dose.duration and dose.time <= begin < dose.time + dose.duration:
                inputs[:, names.index(dose.state)] += dose.amount / dose.duration
            elif not dose.duration and dose.time == begin:
                jumps[:, problem.states.index(dose.state)] += dose.amount
        first, last = np.searchsorted(problem.times, [begin, end], side="right")
        found.append(Segment(begin=begin, end=end, first=int(first), last=int(last), jumps=jumps, inputs=inputs))
    return found


def started(model: engine.Model, problem: Problem) -> tuple[Numbers, Numbers]:
    """Initial states (patients, states) and all parameters (patients, parameters), as the text says."""
    at_start = problem.request(1e-6)
    names = (*problem.states, *model.parameters)
    request = engine.Request(
        times=np.array([problem.start]), outputs=names, start=at_start.start, parameters=problem.parameters
    )
    values = engine.solve(model, request).values[:, 0]
    return values[:, : len(problem.states)].copy(), values[:, len(problem.states) :].copy()


def _formulas(model: engine.Model, problem: Problem) -> tuple[list[Any], list[Any]]:
    """Rates of the states with inputs added, and the names of parameters and inputs, as sympy has them."""
    inputs = {state: symbol(f"input_{state}") for state in infused(problem)}
    rates = [model.system.rates[state] + inputs.get(state, 0) for state in problem.states]
    assert not any(TIME in rate.free_symbols for rate in rates), "the peers' models do not depend on time itself"
    return rates, [*map(symbol, model.parameters), *inputs.values()]


def _python(model: engine.Model, problem: Problem) -> str:
    """`rates(t, u, du, p)` for numba, common parts computed once."""
    rates, names = _formulas(model, problem)
    parts, results = sp.cse(rates, sp.numbered_symbols("part"))
    lines = [f"    {name} = p[{k}]" for k, name in enumerate(map(str, names))]
    lines += [f"    {state} = u[{k}]" for k, state in enumerate(problem.states)]
    lines += [f"    {name} = {sp.pycode(value)}" for name, value in parts]
    lines += [f"    du[{k}] = {sp.pycode(value)}" for k, value in enumerate(results)]
    return "\n".join(["def rates(t, u, du, p):", *lines])


def _share(work: Callable[[int, int], None], patients: int, threads: int) -> None:
    """Hand out pieces of patients to threads, as each gets free."""
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


def numbalsoda(model: engine.Model, problem: Problem) -> Solver:
    """LSODA called from compiled code, with the right-hand side compiled by numba; raises ImportError if absent."""
    import math

    import numba
    import numbalsoda as peer

    space: dict[str, Any] = {"math": math}
    exec(_python(model, problem), space)  # written by sympy from our own text
    address = numba.cfunc(peer.lsoda_sig)(space["rates"]).address
    lsoda = peer.lsoda

    @numba.njit(nogil=True)
    def solve(table, y, asked, rtol, out, place):  # type: ignore[no-untyped-def]
        found, _ = lsoda(address, y, asked, table, rtol=rtol, atol=rtol * 1e-3, mxstep=MOST_STEPS)
        first, last = place
        out[first:last] = found[1 : 1 + last - first]
        return found[-1].copy()

    @numba.njit(nogil=True)
    def solve_some(tables, y, jumps, asked, rtol, out, place):  # type: ignore[no-untyped-def]  # noqa: PLR0913
        for patient in range(len(y)):
            begun = y[patient] + jumps[patient]
            y[patient] = solve(tables[patient], begun, asked, rtol, out[patient], place)

    def run(problem: Problem, rtol: float, threads: int) -> Numbers:
        start, table = started(model, problem)
        out = np.empty((len(problem), len(problem.times), len(problem.states)))
        stretches = [(one, np.hstack([table, one.inputs])) for one in segments(problem)]

        def work(begin: int, end: int) -> None:
            y = start[begin:end]
            for one, tables in stretches:
                some = slice(begin, end)
                place = (one.first, one.last)
                solve_some(tables[some], y, one.jumps[some], one.asked(problem.times), rtol, out[some], place)

        _share(work, len(problem), threads)
        return out

    return run


def _with_events(model: engine.Model, problem: Problem) -> tuple[str, list[str]]:
    """The text with doses after the start as events, time counted from the start; the parameters of the doses."""
    text, names = problem.text, [f"dose_{number}" for number in range(len(problem.doses))]
    events = [f"{name} = 1" for name in model.needed]
    for state in infused(problem):
        text = re.sub(rf"^{state}' = (.*)$", rf"{state}' = \1 + input_{state}", text, flags=re.MULTILINE)
        events.append(f"input_{state} = 0")
    for name, dose in zip(names, problem.doses, strict=True):
        at = dose.time - problem.start
        events.append(f"{name} = 0")
        target = f"input_{dose.state}" if dose.duration else dose.state
        if at > 0:
            events.append(f"at (time >= {at!r}): {target} = {target} + {name}")
        if dose.duration:
            events.append(f"at (time >= {at + dose.duration!r}): {target} = {target} - {name}")
    return "\n".join([text, *events]), names


def libroadrunner(model: engine.Model, problem: Problem) -> Solver:
    """CVODE on the SBML with the doses as events; raises ImportError if absent."""
    import antimony
    import roadrunner

    text, names = _with_events(model, problem)
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(text) >= 0, antimony.getLastError()
    runner = roadrunner.RoadRunner(antimony.getSBMLString(antimony.getMainModuleName()))
    runner.timeCourseSelections = list(problem.states)

    def run(problem: Problem, rtol: float, threads: int) -> Numbers:
        assert threads == 1, "one process, one thread"
        start, table = started(model, problem)
        runner.integrator.setValue("relative_tolerance", rtol)
        runner.integrator.setValue("absolute_tolerance", rtol * 1e-3)
        runner.integrator.setValue("maximum_num_steps", MOST_STEPS)
        times = problem.times - problem.start
        asked = times.tolist() if times[0] == 0 else [0.0, *times.tolist()]
        out = np.empty((len(start), len(times), len(problem.states)))
        for patient in range(len(start)):
            runner.resetAll()
            for name, value in zip(model.parameters, table[patient], strict=True):
                runner[name] = value
            begun = dict(zip(problem.states, start[patient], strict=True))
            inputs = dict.fromkeys(infused(problem), 0.0)
            for name, dose in zip(names, problem.doses, strict=True):
                amount = dose.amount[patient] / (dose.duration or 1.0)
                runner[name] = amount
                if dose.time == problem.start:
                    (inputs if dose.duration else begun)[dose.state] += amount
            for state, value in begun.items():
                runner[state] = value
            for state, value in inputs.items():
                runner[f"input_{state}"] = value
            out[patient] = np.asarray(runner.simulate(times=asked))[-len(times) :]
        return out

    return run


def scipy_lsoda(model: engine.Model, problem: Problem) -> Solver:
    """SciPy's LSODA on a Python function."""
    from scipy.integrate import solve_ivp

    rates, names = _formulas(model, problem)
    states = [symbol(state) for state in problem.states]
    slope = sp.lambdify([*states, *names], rates, "math", cse=True)

    def run(problem: Problem, rtol: float, threads: int) -> Numbers:
        assert threads == 1, "one process, one thread"
        start, table = started(model, problem)
        out = np.empty((len(problem), len(problem.times), len(problem.states)))
        for patient in range(len(problem)):
            y = start[patient]
            for one in segments(problem):
                own = (*table[patient].tolist(), *one.inputs[patient].tolist())
                asked = one.asked(problem.times)
                solved = solve_ivp(
                    lambda _, y, own=own: slope(*y.tolist(), *own),
                    (one.begin, one.end),
                    y + one.jumps[patient],
                    "LSODA",
                    asked,
                    rtol=rtol,
                    atol=rtol * 1e-3,
                )
                out[patient, one.first : one.last] = solved.y.T[1 : 1 + one.last - one.first]
                y = solved.y[:, -1]
        return out

    return run


def diffrax(model: engine.Model, problem: Problem) -> Solver:
    """Kvaerno's method of order 5 in diffrax, all patients in one batch; raises ImportError if absent."""
    import diffrax as peer
    import jax

    jax.config.update("jax_enable_x64", True)
    rates, names = _formulas(model, problem)
    states = [symbol(state) for state in problem.states]
    slope = sp.lambdify([*states, *names], rates, "jax", cse=True)
    term = peer.ODETerm(lambda _t, y, own: jax.numpy.stack(slope(*y, *own)))

    def one_patient(y: Any, own: Any, asked: Any, rtol: Any) -> Any:
        control = peer.PIDController(rtol=rtol, atol=rtol * 1e-3)
        return peer.diffeqsolve(
            term, peer.Kvaerno5(), asked[0], asked[-1], None, y, own, saveat=peer.SaveAt(ts=asked),
            stepsize_controller=control, max_steps=MOST_STEPS, throw=False,
        ).ys  # fmt: skip

    batch = jax.jit(jax.vmap(one_patient, in_axes=(0, 0, None, None)))

    def run(problem: Problem, rtol: float, threads: int) -> Numbers:
        assert threads == 1, "XLA chooses its threads itself"
        y, table = started(model, problem)
        out = np.empty((len(problem), len(problem.times), len(problem.states)))
        for one in segments(problem):
            own = np.hstack([table, one.inputs])
            found = np.asarray(batch(y + one.jumps, own, one.asked(problem.times), rtol))
            out[:, one.first : one.last] = found[:, 1 : 1 + one.last - one.first]
            y = found[:, -1]
        return out

    return run


@dataclass(frozen=True, kw_only=True)
class Peer:
    """How a peer is made and timed."""

    package: str
    make: Callable[[engine.Model, Problem], Solver]
    patients: int
    """with how many it is timed"""
    threads: tuple[int, ...] = (1,)
    tolerances: Sequence[float] = (
        1e-4, 3e-5, 1e-5, 3e-6, 1.5e-6, 1e-6, 8e-7, 5e-7, 3e-7, 2e-7, 1e-7, 5e-8, 2e-8, 1.4e-8, 1e-8, 5e-9, 1e-9,
    )  # fmt: skip
    """tried from the loosest on"""


COARSE = (1e-4, 1e-5, 3e-6, 1e-6, 1e-7, 1e-8, 1e-9)
PEERS = (
    Peer(package="numbalsoda", make=numbalsoda, patients=2000, threads=(1, 2)),
    Peer(package="libroadrunner", make=libroadrunner, patients=100),
    Peer(package="diffrax", make=diffrax, patients=64, tolerances=COARSE),
    Peer(package="scipy", make=scipy_lsoda, patients=8, tolerances=COARSE),
)


def available(model: engine.Model, problem: Problem) -> Iterator[tuple[Peer, Solver | None]]:
    """Every peer, with its solver where it is installed."""
    for peer in PEERS:
        try:
            yield peer, peer.make(model, problem)
        except ImportError:
            yield peer, None
