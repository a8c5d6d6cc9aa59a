"""Courses of patients: what is given, to whom, from which state; solved in one batch. A pure function, no chance."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .. import engine
from ..base.clock import model_time
from ..base.errors import Fault, InputError
from ..base.units import HOURS_PER_DAY
from .comparators import on_comparator
from .latents import Latents
from .model import twin_model
from .parameters import number
from .readouts import GRAFT, Courses, CourseState

Numbers = NDArray[np.float64]
FLUDARABINE, CYCLOPHOSPHAMIDE = "fludarabine", "cyclophosphamide"
TOCILIZUMAB, CORTICOSTEROID = "tocilizumab", "corticosteroid"
_SUPPORTIVE = {TOCILIZUMAB: "Toc", CORTICOSTEROID: "Dex"}


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
class SupportiveDoses:
    """Tocilizumab and corticosteroids of all patients as one table; every field is an array over single infusions.

    The module of the drug's name must be on. Corticosteroids are written as dexamethasone.
    """

    patient: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    drug: NDArray[np.str_] = field(default_factory=lambda: np.empty(0, dtype=np.str_))
    """'tocilizumab' or 'corticosteroid'"""
    dose: Numbers = field(default_factory=lambda: np.empty(0))
    """mg in this infusion"""
    time: Numbers = field(default_factory=lambda: np.empty(0))
    """model time in days; 0 is the first infusion of cells on Day 1"""
    hours: Numbers = field(default_factory=lambda: np.empty(0))
    """duration of the infusion; 0 for a bolus"""

    def __len__(self) -> int:
        return len(self.patient)

    def __post_init__(self) -> None:
        unknown = set(self.drug.tolist()) - set(_SUPPORTIVE)
        assert not unknown, f"no such supportive drug in the model: {sorted(unknown)}"


@dataclass(frozen=True, kw_only=True)
class Infusion:
    """One infusion of cells per patient."""

    cells: Numbers
    """transduced cells, 1e9, (patients,); 0 for none"""
    time: Numbers
    """model time in days, (patients,); 0 is the first infusion on Day 1"""
    second_product: bool = False
    """cells of another product than the first, with the phenotype of `CourseRequest.second`; needs its module"""


@dataclass(frozen=True, kw_only=True)
class SecondProduct:
    """What a second product is like; arrays are (patients,), None or NaN: as the first product."""

    memory_share: Numbers | None = None
    copies_per_cell: Numbers | None = None
    strength: Numbers | None = None
    """signal strength of its receptor over that of the first"""


@dataclass(frozen=True, kw_only=True)
class CourseRequest:
    """A batch of courses; arrays are (patients,).

    `start` are the states at `start_time` (default: the untreated patient at referral). `start_time` defaults to the
    first conditioning of the patient, or 0. `kill_scale` 0 gives the same patient with the tumour kill of the cells
    set to zero (the no-cells column of comparisons); no infusion at all is another course. `comparator` puts the
    patients on a systemic drug (`COMPARATORS`), usually with no infusion. A second infusion is one more entry of
    `infusions`, with its conditioning in the same table.
    """

    latents: Latents
    conditioning: Conditioning = field(default_factory=Conditioning)
    infusions: tuple[Infusion, ...] = ()
    supportive: SupportiveDoses = field(default_factory=SupportiveDoses)
    second: SecondProduct = field(default_factory=SecondProduct)
    comparator: str | None = None
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
    empty = dict.fromkeys(("F", "Y", "D", "B", "Q", "Toc", "Dex", "Z", *GRAFT), nothing)
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


def run_courses(request: CourseRequest, times: Numbers, threads: int | None = 1) -> Courses:
    """Solve all courses of the batch; `times` is model time in days, (times,) or (patients, times), rising.

    A value at the time of a dose is that just before it. A patient whose equations cannot be solved is marked in
    `status`; the others go on. Nothing depends on who else is in the batch.
    """
    asked, model = solver_request(request, times), twin_model(request.modules)
    solved = engine.solve(model, asked, threads)
    copies = _given_or(request.copies_per_cell, np.full(len(request), number("copies_per_cell")))
    return Courses(
        latents=_treated_latents(request),
        times=solved.times,
        states={symbol: np.ascontiguousarray(solved[symbol]) for symbol in model.states},
        copies_per_cell=copies,
        second_copies_per_cell=_given_or(request.second.copies_per_cell, copies),
        status=solved.status,
        messages=solved.messages,
    )


def solver_request(request: CourseRequest, times: Numbers) -> engine.Request:
    """What the engine is asked for these courses: parameters, states at the start, doses, extinction rules.

    Raises InputError where a dose needs a module that is off.
    """
    model = twin_model(request.modules)
    _check_modules(request, model)
    treated = _treated_latents(request).parameters
    memory = _given_or(request.memory_share, treated["fM"])
    strength = _given_or(request.second.strength, np.ones(len(request)))
    of_products = {
        "fM": memory,
        "fM2": _given_or(request.second.memory_share, memory),
        "s2": treated["s"] * strength,
    }
    parameters = {symbol: {**treated, **of_products}[symbol] for symbol in model.parameters}
    if request.kill_scale is not None:
        parameters["kap"] = parameters["kap"] * request.kill_scale
    states = {**referral_state(request.latents).states, **(request.start.states if request.start else {})}
    return engine.Request(
        parameters=parameters,
        initial={symbol: np.maximum(states[symbol], 0.0) for symbol in model.states},
        start=start_times_of(request),
        doses=doses_of(request),
        times=np.asarray(times, dtype=np.float64),
        outputs=model.states,
        extinctions=_extinctions(model),
        never_negative=model.states,
        may_be_negative=("lam0",),  # a lesion may shrink by itself
        relative_tolerance=request.relative_tolerance or number("relative_tolerance"),
        absolute_tolerance=number("absolute_tolerance"),
    )


def _treated_latents(request: CourseRequest) -> Latents:
    """The patients, on the systemic comparator if there is one."""
    return request.latents if request.comparator is None else on_comparator(request.latents, request.comparator)


def _check_modules(request: CourseRequest, model: engine.Model) -> None:
    faults = []
    for drug, state in _SUPPORTIVE.items():
        if drug in request.supportive.drug and state not in model.states:
            faults.append(Fault(f"supportive dose of {drug}", "the model has no such drug", f"add the module {drug}"))
    if any(one.second_product for one in request.infusions) and "G2" not in model.states:
        faults.append(Fault("infusion of a second product", "the model has one only", "add the module second_product"))
    if faults:
        raise InputError(faults)


def _given_or(given: Numbers | None, otherwise: Numbers) -> Numbers:
    """What was given for a patient, else the other."""
    return otherwise if given is None else np.where(np.isnan(given), otherwise, given)


def conditioning_times(conditioning: Conditioning) -> Numbers:
    """Model time in days of each single infusion of chemotherapy."""
    return np.asarray(model_time(conditioning.protocol_day), dtype=np.float64)


def start_times_of(request: CourseRequest) -> Numbers:
    """As given, else the first conditioning or infusion of each patient, at the latest 0."""
    if request.start_time is not None:
        return np.asarray(request.start_time, dtype=np.float64)
    start = np.zeros(len(request))
    if len(request.conditioning):
        np.minimum.at(start, request.conditioning.patient, conditioning_times(request.conditioning))
    return start


def doses_of(request: CourseRequest) -> engine.Doses:
    """Drugs in mg/L of their volume over their hours, cells at once into the product in transit."""
    tables = [_conditioning_doses(request), _supportive_doses(request)]
    tables += [_cells(infusion) for infusion in request.infusions]
    return engine.Doses(
        patient=np.concatenate([one.patient for one in tables]),
        time=np.concatenate([one.time for one in tables]),
        state=np.concatenate([one.state for one in tables]),
        amount=np.concatenate([one.amount for one in tables]),
        duration=np.concatenate([one.duration for one in tables]),
    )


def _conditioning_doses(request: CourseRequest) -> engine.Doses:
    conditioning, latents = request.conditioning, request.latents
    flu = conditioning.drug == FLUDARABINE
    who = conditioning.patient
    volume = np.where(flu, latents.fludarabine_volume[who], latents.cyclophosphamide_volume[who])
    active = np.where(flu, number("flu_active_share"), 1.0)
    return engine.Doses(
        patient=who,
        time=conditioning_times(conditioning) if len(conditioning) else np.empty(0),
        state=np.where(flu, "F", "Y"),
        amount=conditioning.dose * latents.body_surface_area[who] * active / volume,
        duration=conditioning.hours / HOURS_PER_DAY,
    )


def _supportive_doses(request: CourseRequest) -> engine.Doses:
    supportive, latents = request.supportive, request.latents
    antibody = supportive.drug == TOCILIZUMAB
    who = supportive.patient
    volume = np.where(antibody, latents.tocilizumab_volume[who], latents.corticosteroid_volume[who])
    return engine.Doses(
        patient=who,
        time=supportive.time,
        state=np.where(antibody, _SUPPORTIVE[TOCILIZUMAB], _SUPPORTIVE[CORTICOSTEROID]),
        amount=supportive.dose / volume,
        duration=supportive.hours / HOURS_PER_DAY,
    )


def _cells(infusion: Infusion) -> engine.Doses:
    treated = np.flatnonzero(infusion.cells > 0).astype(np.int64)
    return engine.Doses(
        patient=treated,
        time=infusion.time[treated],
        state=np.full(len(treated), "G2" if infusion.second_product else "G"),
        amount=infusion.cells[treated],
        duration=np.zeros(len(treated)),
    )


def _extinctions(model: engine.Model) -> tuple[engine.Extinction, ...]:
    """A clone below one cell is gone unless another still feeds it; the graft dies out as one, of whatever product."""
    one_cell = number("one_cell")
    return (
        engine.Extinction(states=("A",), threshold=one_cell),
        engine.Extinction(states=("N",), threshold=one_cell, not_while_positive=("A",)),
        engine.Extinction(
            states=tuple(symbol for symbol in GRAFT if symbol in model.states), threshold=number("one_tcell")
        ),
    )
