"""Courses of patients: what is given, to whom, from which state; solved in one batch. A pure function, no chance."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .. import engine
from ..base.clock import model_time
from ..base.units import HOURS_PER_DAY
from .latents import Latents
from .model import twin_model
from .parameters import number
from .readouts import Courses, CourseState

Numbers = NDArray[np.float64]
FLUDARABINE, CYCLOPHOSPHAMIDE = "fludarabine", "cyclophosphamide"
_GRAFT = ("G", "M", "E", "T", "X")


@dataclass(frozen=True, kw_only=True)
class Conditioning:
    """Conditioning chemotherapy of all patients as one table; every field is an array over single infusions."""

    patient: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    drug: NDArray[np.str_] = field(default_factory=lambda: np.empty(0, dtype=np.str_))
    """'fludarabine' (as phosphate) or 'cyclophosphamide'"""
    dose: Numbers = field(default_factory=lambda: np.empty(0))
    """mg/m^2 in this infusion"""
    protocol_day: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    """…, -2, -1, 1, 2, … with the (first) infusion of cells on Day 1; there is no Day 0"""
    hours: Numbers = field(default_factory=lambda: np.empty(0))
    """duration of the infusion"""

    def __len__(self) -> int:
        return len(self.patient)

    def __post_init__(self) -> None:
        unknown = set(self.drug.tolist()) - {FLUDARABINE, CYCLOPHOSPHAMIDE}
        assert not unknown, f"no such conditioning drug in the model: {sorted(unknown)}"


@dataclass(frozen=True, kw_only=True)
class Infusion:
    """One infusion of cells per patient."""

    cells: Numbers
    """transduced cells, 1e9, (patients,); 0 for none"""
    time: Numbers
    """model time in days, (patients,); 0 is the first infusion on Day 1"""


@dataclass(frozen=True, kw_only=True)
class CourseRequest:
    """A batch of courses; arrays are (patients,).

    `start` are the states at `start_time` (default: the untreated patient at referral). `start_time` defaults to the
    first conditioning of the patient, or 0. `kill_scale` 0 gives the same patient with the tumour kill of the cells
    set to zero (the no-cells column of comparisons); no infusion at all is another course. A second infusion is one
    more entry of `infusions`, with its conditioning in the same table.
    """

    latents: Latents
    conditioning: Conditioning = field(default_factory=Conditioning)
    infusions: tuple[Infusion, ...] = ()
    memory_share: Numbers | None = None
    """memory-like share of the product; None or NaN: as drawn with the patient"""
    copies_per_cell: Numbers | None = None
    """vector copies per transduced cell; None or NaN: as its card says"""
    kill_scale: Numbers | None = None
    start: CourseState | None = None
    start_time: Numbers | None = None
    modules: tuple[str, ...] = ()
    relative_tolerance: float | None = None
    """of the solver; None: as its card says"""

    def __len__(self) -> int:
        return len(self.latents)


def referral_state(latents: Latents) -> CourseState:
    """The untreated patient at referral, all states of core and modules (the initial values of the model texts)."""
    p = latents.parameters
    nothing = np.zeros(len(latents))
    positive, negative = p["V0"] * (1 - p["fN"]), p["V0"] * p["fN"]
    growth = p["mlam"] * p["lam0"] * np.maximum(0.0, np.log(p["Vmax"] / (p["V0"] + p["eps"])))
    empty = dict.fromkeys(("F", "Y", "G", "M", "E", "T", "X", "D", "B", "Q"), nothing)
    neutrophils = dict.fromkeys(("NP", "N1", "N2", "N3", "ANC"), p["ANC0"])
    platelets = dict.fromkeys(("PP", "P1", "P2", "P3", "PLT"), p["PLT0"])
    return CourseState(
        {
            **empty,
            **neutrophils,
            **platelets,
            "L": p["L0"],
            "I": np.ones(len(latents)),
            "A": positive,
            "N": negative,
            "P": p["sP"] * (positive + p["qN"] * negative) / (p["kP"] + growth),
            "C": p["C0"],
            "R": p["R0"],
            "J": p["J0"],
            "U": p["U0"],
            "H": p["rH"] * p["H0"] / (p["rH"] + p["dV"] * p["V0"] / p["VL"]),
        }
    )


def run_courses(request: CourseRequest, times: Numbers, threads: int = 1) -> Courses:
    """Solve all courses of the batch; `times` is model time in days, (times,) or (patients, times), rising.

    A value at the time of a dose is that just before it. A patient whose equations cannot be solved is marked in
    `status`; the others go on. Nothing depends on who else is in the batch.
    """
    latents, model = request.latents, twin_model(request.modules)
    parameters = {symbol: latents.parameters[symbol] for symbol in model.parameters}
    parameters["fM"] = _given_or(request.memory_share, parameters["fM"])
    if request.kill_scale is not None:
        parameters["kap"] = parameters["kap"] * request.kill_scale
    states = {**referral_state(latents).states, **(request.start.states if request.start else {})}
    asked = engine.Request(
        parameters=parameters,
        initial={symbol: np.maximum(states[symbol], 0.0) for symbol in model.states},
        start=_start_times(request),
        doses=_doses(request),
        times=np.asarray(times, dtype=np.float64),
        outputs=model.states,
        extinctions=_extinctions(),
        never_negative=model.states,
        relative_tolerance=request.relative_tolerance or number("relative_tolerance"),
        absolute_tolerance=number("absolute_tolerance"),
    )
    solved = engine.solve(model, asked, threads)
    return Courses(
        latents=latents,
        times=solved.times,
        states={symbol: np.ascontiguousarray(solved[symbol]) for symbol in model.states},
        copies_per_cell=_given_or(request.copies_per_cell, np.full(len(request), number("copies_per_cell"))),
        status=solved.status,
        messages=solved.messages,
    )


def _given_or(given: Numbers | None, otherwise: Numbers) -> Numbers:
    """What was given for a patient, else the other."""
    return otherwise if given is None else np.where(np.isnan(given), otherwise, given)


def _conditioning_times(conditioning: Conditioning) -> Numbers:
    return np.asarray(model_time(conditioning.protocol_day), dtype=np.float64)


def _start_times(request: CourseRequest) -> Numbers:
    """As given, else the first conditioning or infusion of each patient, at the latest 0."""
    if request.start_time is not None:
        return np.asarray(request.start_time, dtype=np.float64)
    start = np.zeros(len(request))
    if len(request.conditioning):
        np.minimum.at(start, request.conditioning.patient, _conditioning_times(request.conditioning))
    return start


def _doses(request: CourseRequest) -> engine.Doses:
    """Conditioning in mg/L of plasma over its hours, cells at once into the product in transit."""
    conditioning, latents = request.conditioning, request.latents
    flu = conditioning.drug == FLUDARABINE
    who = conditioning.patient
    volume = np.where(flu, latents.fludarabine_volume[who], latents.cyclophosphamide_volume[who])
    active = np.where(flu, number("flu_active_share"), 1.0)
    amounts = [conditioning.dose * latents.body_surface_area[who] * active / volume]
    patients, times = [who], [_conditioning_times(conditioning) if len(conditioning) else np.empty(0)]
    states, durations = [np.where(flu, "F", "Y")], [conditioning.hours / HOURS_PER_DAY]
    for infusion in request.infusions:
        treated = np.flatnonzero(infusion.cells > 0)
        patients.append(treated.astype(np.int64))
        times.append(infusion.time[treated])
        states.append(np.full(len(treated), "G"))
        amounts.append(infusion.cells[treated])
        durations.append(np.zeros(len(treated)))
    return engine.Doses(
        patient=np.concatenate(patients),
        time=np.concatenate(times),
        state=np.concatenate(states),
        amount=np.concatenate(amounts),
        duration=np.concatenate(durations),
    )


def _extinctions() -> tuple[engine.Extinction, ...]:
    """A clone below one cell is gone unless another still feeds it; the graft dies out as one."""
    one_cell = number("one_cell")
    return (
        engine.Extinction(states=("A",), threshold=one_cell),
        engine.Extinction(states=("N",), threshold=one_cell, not_while_positive=("A",)),
        engine.Extinction(states=_GRAFT, threshold=number("one_tcell")),
    )
