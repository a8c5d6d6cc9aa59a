"""Patients between apheresis and treatment: their clock runs on the course without cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..base.streams import Keys, Streams
from ..base.units import DAYS_PER_WEEK
from ..evidence import card
from ..protocol.criteria import Moment
from ..protocol.schema import Protocol
from ..records import Baseline
from ..screening import eligible, measurements_of
from ..twin import (
    CourseRequest,
    Courses,
    CourseState,
    Latents,
    death_hazard,
    decompensation_hazard,
    first_event,
    new_lesion_hazard,
    run_courses,
)
from .calendar import INFECTION

Numbers = NDArray[np.float64]
_FAR = np.iinfo(np.int32).max


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Apheresed patients on the course without cells; arrays are (patients,), days count from apheresis."""

    keys: Keys
    baseline: Baseline
    latents: Latents
    courses: Courses
    clocks: Numbers
    """(patients, 3) uniforms for decompensation, new lesion and death"""
    decompensation: Numbers
    death: Numbers
    withdrawal: Numbers
    decline: Numbers
    """when the performance status falls by one step"""
    need: Numbers
    """when cells become needed: progressed, intolerant or refusing"""
    infected: NDArray[np.bool_]
    """whether an infection is found the first time lymphodepletion is planned"""

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def leaves(self) -> NDArray[np.int64]:
        """Day of death or withdrawal, whichever is first."""
        return np.minimum(np.minimum(self.death, self.withdrawal), _FAR).astype(np.int64)

    def states_on(self, rows: NDArray[np.intp], days: NDArray[np.int64]) -> CourseState:
        """All states of these patients, each that many days after apheresis."""
        latest = self.courses.times[-1]
        every = np.zeros(len(self))
        every[rows] = np.minimum(days, latest)
        return self.courses.state_at(every).take(rows)

    def clocks_after(self, rows: NDArray[np.intp], days: NDArray[np.int64]) -> Numbers:
        """Uniforms that are left of each clock after the hazard lived through, (rows, 3)."""
        hazards = (
            decompensation_hazard(self.courses),
            new_lesion_hazard(self.courses),
            death_hazard(self.courses, self.decompensation),
        )
        left = [
            self.clocks[rows, place] * np.exp(_lived(hazard[rows], self.courses.times, days))
            for place, hazard in enumerate(hazards)
        ]
        # a lesion that has appeared before is part of the new baseline scan: its clock starts afresh
        left = [np.where(one >= 1, self.clocks[rows, place], one) for place, one in enumerate(left)]
        return np.stack(left, axis=1)


def _lived(hazard: Numbers, times: Numbers, days: NDArray[np.int64]) -> Numbers:
    """Hazard cumulated from apheresis to each patient's day."""
    rate = np.nan_to_num(hazard)
    steps = np.diff(times) * (rate[:, 1:] + rate[:, :-1]) / 2
    cumulated = np.concatenate([np.zeros((len(rate), 1)), np.cumsum(steps, axis=1)], axis=1)
    return np.array([np.interp(day, times, row) for day, row in zip(days, cumulated, strict=True)]).reshape(len(days))


def wait(protocol: Protocol, baseline: Baseline, latents: Latents, keys: Keys, streams: Streams) -> Waiting:
    """Solve the course without cells from apheresis on and draw the clocks that run beside it."""
    horizon = card("trial_natural_horizon").to("day")
    times = np.arange(0, horizon + DAYS_PER_WEEK, DAYS_PER_WEEK, dtype=np.float64)
    courses = run_courses(CourseRequest(latents=latents, modules=protocol.model.modules), times)
    names = ("decompensation", "new_lesion", "death")
    clocks = np.concatenate([streams.named("clock", name).uniform(keys) for name in names], axis=1)
    decompensation = first_event(decompensation_hazard(courses), times, clocks[:, 0])
    known = baseline.progressed_on_systemic | baseline.intolerant_of_systemic | baseline.refuses_systemic
    return Waiting(
        keys=keys,
        baseline=baseline,
        latents=latents,
        courses=courses,
        clocks=clocks,
        decompensation=decompensation,
        death=first_event(death_hazard(courses, decompensation), times, clocks[:, 2]),
        withdrawal=_after("withdrawal", 1 / card("trial_withdrawal_hazard").to("1/day"), keys, streams),
        decline=_after("decline", 1 / card("trial_performance_decline_hazard").to("1/day"), keys, streams),
        need=np.where(known, 0.0, _after("need", card("trial_need_delay").to("day"), keys, streams)),
        infected=streams.named("clock", "infection").uniform(keys)[:, 0] < card("trial_infection_share").number,
    )


def _after(purpose: str, mean: float, keys: Keys, streams: Streams) -> Numbers:
    return np.asarray(mean * streams.named("clock", purpose).exponential(keys)[:, 0], dtype=np.float64)


def reasons_against(protocol: Protocol, waiting: Waiting, row: int, day: int, *, looked_at: bool) -> tuple[str, ...]:
    """Why lymphodepletion may not begin that many days after apheresis; empty if it may.

    `looked_at`: the patient was found infected before, and has been treated for it since.
    """
    if waiting.infected[row] and not looked_at:
        return (INFECTION,)
    index = np.array([row])
    measured = measurements_of(waiting.baseline.take(index))
    courses = waiting.courses
    place = int(np.clip(np.searchsorted(courses.times, day), 0, len(courses.times) - 1))
    ascites = max(float(waiting.latents.ascites[row]), float(waiting.decompensation[row] <= day))
    measured |= {
        "ecog": measured["ecog"] + float(waiting.decline[row] <= day),
        "child_pugh": _child_pugh(courses, row, place, ascites),
        "bilirubin": courses.bilirubin[row : row + 1, place],
        "alt": courses.alt[row : row + 1, place],
        "progressed_on_systemic": np.array([float(waiting.need[row] <= day)]),
        "active_infection": np.zeros(1),
        "fever": np.zeros(1),
    }
    verdict = eligible(protocol.eligibility, Moment.BEFORE_LYMPHODEPLETION, measured)[0]
    return () if verdict.passed else tuple(f"no longer met: {reason}" for reason in verdict.reasons)


def _child_pugh(courses: Courses, row: int, place: int, ascites: float) -> Numbers:
    slight = np.full((len(courses), 1), ascites)
    return courses.child_pugh_with(slight)[row : row + 1, place]
