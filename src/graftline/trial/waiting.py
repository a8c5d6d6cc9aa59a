"""Patients between apheresis and treatment: their clock runs on the course without cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..assessment.simulate import measure
from ..base.streams import Keys, Streams
from ..base.units import DAYS_PER_WEEK
from ..evidence import card
from ..population import egfr_ckd_epi_2021
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
from .calendar import INFECTION, OnTheDay

Numbers = NDArray[np.float64]
_FAR = np.iinfo(np.int32).max
_MEASURED_AGAIN = ("neutrophils", "platelets", "haemoglobin", "ast", "creatinine")
"""blood values that keep their resting level in a patient who waits, and are measured anew before lymphodepletion"""


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Apheresed patients on the course without cells; arrays are (patients,), days count from apheresis."""

    keys: Keys
    baseline: Baseline
    latents: Latents
    courses: Courses
    clocks: Numbers
    """(patients, 3) uniforms for decompensation, new lesion and death"""
    later_lesion: Numbers
    """uniforms for the next new lesion of patients in whom one appeared while they waited"""
    decompensation: Numbers
    death: Numbers
    withdrawal: Numbers
    decline: Numbers
    """when the performance status falls by one step"""
    need: Numbers
    """when cells become needed: progressed, intolerant or refusing"""
    infected: NDArray[np.bool_]
    """whether an infection is found the first time lymphodepletion is planned"""
    unfit: Mapping[str, NDArray[np.bool_]]
    """'fever' and 'active_infection' on the planned day of infusion"""
    unfit_days: NDArray[np.int64]
    """how long either lasts"""
    measured_again: Mapping[str, Numbers]
    """blood values found before lymphodepletion, in the units of `records.VARIABLES`"""

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def leaves(self) -> NDArray[np.int64]:
        """Day of death or withdrawal, whichever is first."""
        return np.minimum(np.minimum(self.death, self.withdrawal), _FAR).astype(np.int64)

    @property
    def leaving(self) -> NDArray[np.str_]:
        """What that is, in words."""
        return np.where(self.death <= self.withdrawal, "died while waiting", "withdrew while waiting")

    def states_on(self, rows: NDArray[np.intp], days: NDArray[np.int64]) -> CourseState:
        """All states of these patients, each that many days after apheresis."""
        every = np.zeros(len(self))
        every[rows] = np.minimum(days, self.courses.times[-1])
        return self.courses.state_at(every).take(rows)

    def clocks_after(self, rows: NDArray[np.intp], days: NDArray[np.int64]) -> Numbers:
        """Uniforms that are left of each clock after the hazard lived through, (rows, 3).

        A clock that has run out (a lesion that appeared, a liver that decompensated) is spent: the next lesion has its
        own draw, and decompensation is a state that the caller carries on.
        """
        hazards = (
            decompensation_hazard(self.courses),
            new_lesion_hazard(self.courses),
            death_hazard(self.courses, self.decompensation),
        )
        left = np.stack(
            [
                self.clocks[rows, place] * np.exp(_lived(hazard[rows], self.courses.times, days))
                for place, hazard in enumerate(hazards)
            ],
            axis=1,
        )
        lesion = np.where(left[:, 1] >= 1, self.later_lesion[rows], left[:, 1])
        return np.stack([np.minimum(left[:, 0], 1.0), lesion, np.minimum(left[:, 2], 1.0)], axis=1)


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
    unfit = _happens("unfit", "trial_unfit_at_infusion_share", keys, streams)
    fever = _happens("fever", "trial_fever_share_of_unfit", keys, streams)
    lasts = _after("unfit_days", card("trial_unfit_days").to("day"), keys, streams)
    return Waiting(
        keys=keys,
        baseline=baseline,
        latents=latents,
        courses=courses,
        clocks=clocks,
        later_lesion=streams.named("clock", "later_lesion").uniform(keys)[:, 0],
        decompensation=decompensation,
        death=first_event(death_hazard(courses, decompensation), times, clocks[:, 2]),
        withdrawal=_after("withdrawal", 1 / card("trial_withdrawal_hazard").to("1/day"), keys, streams),
        decline=_after("decline", 1 / card("trial_performance_decline_hazard").to("1/day"), keys, streams),
        need=np.where(known, 0.0, _after("need", card("trial_need_delay").to("day"), keys, streams)),
        infected=_happens("infection", "trial_infection_share", keys, streams),
        unfit={"fever": unfit & fever, "active_infection": unfit & ~fever},
        unfit_days=np.ceil(lasts).astype(np.int64),
        measured_again={
            name: measure(getattr(baseline, name)[:, None], name, keys, streams).value[:, 0] for name in _MEASURED_AGAIN
        },
    )


def _after(purpose: str, mean: float, keys: Keys, streams: Streams) -> Numbers:
    return np.asarray(mean * streams.named("clock", purpose).exponential(keys)[:, 0], dtype=np.float64)


def _happens(purpose: str, name: str, keys: Keys, streams: Streams) -> NDArray[np.bool_]:
    return np.asarray(streams.named("clock", purpose).uniform(keys)[:, 0] < card(name).number, dtype=np.bool_)


def reasons_against(protocol: Protocol, waiting: Waiting, row: int, day: int, *, looked_at: bool) -> tuple[str, ...]:
    """Why lymphodepletion may not begin that many days after apheresis; empty if it may.

    `looked_at`: the patient was found infected before, and has been treated for it since. Liver, tumour and performance
    are those of the day, blood counts are measured anew.
    """
    if waiting.infected[row] and not looked_at:
        return (INFECTION,)
    courses = waiting.courses
    place = int(np.clip(np.searchsorted(courses.times, day), 0, len(courses.times) - 1))
    ascites = max(float(waiting.latents.ascites[row]), float(waiting.decompensation[row] <= day))
    found = _at_recheck(waiting.baseline, courses, row, place, ascites)
    found |= {name: values[row : row + 1] for name, values in waiting.measured_again.items()}
    found |= {
        "ecog": waiting.baseline.ecog[row : row + 1] + float(waiting.decline[row] <= day),
        "progressed_on_systemic": np.array([float(waiting.need[row] <= day)]),
    }
    found["egfr"] = egfr_ckd_epi_2021(found["creatinine"], found["age"], found["sex"])
    ages = {name: np.array([float(day if name not in _FRESH else 0)]) for name in found}
    return not_met(protocol, Moment.BEFORE_LYMPHODEPLETION, found, ages)


_FRESH = frozenset(
    {*_MEASURED_AGAIN, "egfr", "child_pugh", "bilirubin", "albumin", "alt", "measurable_disease", "active_infection"}
    | {"fever", "ecog", "progressed_on_systemic"}
)
"""what is looked at anew before lymphodepletion; everything else is as old as the screening"""


def not_met(
    protocol: Protocol, moment: Moment, measured: Mapping[str, NDArray[Any]], ages: Mapping[str, NDArray[Any]]
) -> tuple[str, ...]:
    """The criteria of that moment that one patient no longer meets, or of which nothing is known."""
    verdict = eligible(protocol.eligibility, moment, measured, ages)[0]
    return () if verdict.passed else tuple(f"no longer met: {reason}" for reason in verdict.reasons)


def _at_recheck(baseline: Baseline, courses: Courses, row: int, place: int, ascites: float) -> dict[str, NDArray[Any]]:
    """What is found of one patient at a time of their course: baseline, with liver and tumour of that time."""
    slight = np.full((len(courses), 1), ascites)
    at = (slice(row, row + 1), place)
    return measurements_of(baseline.take(np.array([row]))) | {
        "child_pugh": courses.child_pugh_with(slight)[at],
        "bilirubin": courses.bilirubin[at],
        "albumin": courses.albumin[at],
        "alt": courses.alt[at],
        "measurable_disease": (courses.scan_volume[at] > 0).astype(np.float64),
        "active_infection": np.zeros(1),
        "fever": np.zeros(1),
    }


def on_the_day(protocol: Protocol, waiting: Waiting, row: int) -> OnTheDay:
    """How a lymphodepleted patient is on the planned day of infusion: fever, infection, and what the protocol asks."""
    found = measurements_of(waiting.baseline.take(np.array([row])))
    found |= {name: flags[row : row + 1].astype(np.float64) for name, flags in waiting.unfit.items()}
    reasons = not_met(protocol, Moment.BEFORE_INFUSION, found, {})
    return OnTheDay(reasons=reasons, days=int(waiting.unfit_days[row]))
