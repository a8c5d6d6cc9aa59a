"""Treated courses: from the decision to treat to what was measured. Evaluated in batches, each patient on their own.

Model time 0 is the (first) infusion on Day 1; each patient's course begins with their own first lymphodepletion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..assessment import ScanSeries, VisitSchedule, observable
from ..assessment.simulate import LesionCourse, Visits, at_visits, draw_scans, draw_visits, measure
from ..assessment.simulate_crs import CrsCourse, crs_from_cytokine
from ..base.clock import model_time, protocol_day
from ..base.streams import Keys, Streams
from ..base.units import DAYS_PER_WEEK
from ..conditioning import planned_doses
from ..evidence import card
from ..protocol.schema import Assessment, Protocol, Regimen
from ..twin import (
    Conditioning,
    CourseRequest,
    Courses,
    CourseState,
    Infusion,
    Latents,
    death_hazard,
    decompensation_hazard,
    first_event,
    lethal_cytokine_hazard,
    new_lesion_hazard,
    run_courses,
)
from .judged import (
    CYTOKINE_RELEASE,
    DISEASE,
    Laboratory,
    Observed,
    Seen,
    Toxicity,
    daily,
    grade_blood,
    judge_scans,
    judge_toxicity,
    scale_of,
)

Numbers = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Treatment:
    """A batch of patients to be treated; arrays are (patients,). Courses run from the start of lymphodepletion."""

    keys: Keys
    latents: Latents
    start: CourseState
    """state on the first day of lymphodepletion, from the course without cells"""
    protocols: tuple[Protocol, ...]
    """the version that binds each patient"""
    conditioning_starts: tuple[tuple[int, ...], ...]
    """model times at which conditioning begins, per patient; more than one if it had to be repeated"""
    egfr: Numbers
    cells: Numbers
    """transduced cells given, 1e9"""
    target: Numbers
    """of the dose level, 1e9"""
    memory_share: Numbers
    copies_per_cell: Numbers
    clocks: Numbers
    """(patients, 3) uniforms for decompensation, new lesion and death after the time already lived through"""
    decompensated: NDArray[np.bool_]
    """whether the liver had decompensated before"""
    second_day: Numbers
    """model time of a second infusion, NaN for none"""
    second_cells: Numbers

    def __len__(self) -> int:
        return len(self.cells)

    @property
    def regimen(self) -> tuple[Regimen, ...]:
        """The conditioning regimen of each patient."""
        return tuple(regimen_in_force(protocol) for protocol in self.protocols)

    @property
    def begins(self) -> Numbers:
        """Model time of the first conditioning, (patients,)."""
        return np.array([min(starts) for starts in self.conditioning_starts], dtype=np.float64)


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """What happened to treated patients and what was seen of it; days are model time (0 is the infusion on Day 1)."""

    courses: Courses
    last_day: NDArray[np.int64]
    """last day of observation: data cut or end of follow-up"""
    death_day: Numbers
    """infinite if not within the course; negative if between the start of lymphodepletion and the infusion"""
    death_cause: NDArray[np.str_]
    """'disease' or 'cytokine release'; empty for who is alive at the end of observation"""
    decompensation_day: Numbers
    crs: CrsCourse
    toxicity: tuple[Toxicity, ...]
    blood: dict[str, NDArray[np.int64]]
    """worst laboratory grade by test from infusion to death or to the end of the daily output, (patients,)"""
    seen: Seen

    def __len__(self) -> int:
        return len(self.last_day)

    @property
    def survival_days(self) -> NDArray[np.int64]:
        """Days from infusion to death or to the end of observation."""
        return np.minimum(self.death_day, self.last_day).astype(np.int64)

    @property
    def survival_event(self) -> NDArray[np.bool_]:
        """Whether the patient was seen to die."""
        return np.asarray(self.death_day <= self.last_day, dtype=np.bool_)


def regimen_in_force(protocol: Protocol) -> Regimen:
    """The conditioning regimen of this version."""
    return next(one for one in protocol.conditioning.regimens if one.name == protocol.conditioning.in_force)


def first_day_of(regimen: Regimen) -> int:
    """Model time of the first chemotherapy of a regimen that is not put off."""
    return min(model_time(day) for drug in regimen.drugs for day in drug.days)


def output_times() -> Numbers:
    """Model times of every treated course: daily at first, weekly after, to the end of follow-up.

    The same for all patients, whoever is in the batch; before a patient's own start there are no values.
    """
    first = -int(card("trial_longest_before_infusion").to("day"))
    until = int(card("trial_daily_until").to("day"))
    last = int(card("trial_followup").to("day"))
    weekly = np.arange(until + DAYS_PER_WEEK, last + DAYS_PER_WEEK, DAYS_PER_WEEK)
    return np.concatenate([np.arange(first, until + 1), weekly]).astype(np.float64)


@dataclass(frozen=True, kw_only=True)
class Arm:
    """What is done to the same patients: the cells as they are, or without any effect (the no-cells column)."""

    cells_act: bool = True
    """False: kill, cytokines and liver hit of the cells set to zero; the same conditioning, no second infusion"""
    cytokine_reading: float = 1.0
    """factor on the cytokine level at which signs of cytokine release are read, for sensitivity analyses"""


CELLS, NO_CELLS = Arm(), Arm(cells_act=False)


def evaluate(treatment: Treatment, last_day: NDArray[np.int64], streams: Streams, arm: Arm = CELLS) -> Outcomes:
    """Solve the courses and judge each patient by the protocol that binds them."""
    if not arm.cells_act:
        none = np.full(len(treatment), np.nan)
        harmless = treatment.latents.changed(p6=0.0, kO=0.0)
        treatment = replace(treatment, latents=harmless, second_day=none, second_cells=none)
    courses = run_courses(_request(treatment, arm), output_times())
    fell = first_event(decompensation_hazard(courses), courses.times, treatment.clocks[:, 0])
    decompensation = np.where(treatment.decompensated, treatment.begins, fell)
    new_lesion = first_event(new_lesion_hazard(courses), courses.times, treatment.clocks[:, 1])
    death = np.ceil(first_event(death_hazard(courses, decompensation), courses.times, treatment.clocks[:, 2]))
    drawn = streams.named("clock", "cause").uniform(treatment.keys)[:, 0]
    died = death <= last_day
    observed = Observed(
        until=np.minimum(death, last_day),
        cause=np.where(died, _causes(courses, decompensation, death, drawn), ""),
        dose_fraction=treatment.cells / treatment.target,
    )
    felt = daily(courses, courses.il6_effect, observed.until) * arm.cytokine_reading
    crs = crs_from_cytokine(felt, treatment.keys, streams)
    blood = _blood(treatment, courses, observed.until)
    series = _scans(treatment, courses, new_lesion, observed.until, streams)
    return Outcomes(
        courses=courses,
        last_day=last_day,
        death_day=death,
        death_cause=observed.cause,
        decompensation_day=decompensation,
        crs=crs,
        toxicity=judge_toxicity(treatment.protocols, crs.grade, blood, observed),
        blood={test: blood.worst(test) for test in blood.grades},
        seen=judge_scans(treatment.protocols, series, death, last_day.astype(np.float64)),
    )


def _request(treatment: Treatment, arm: Arm) -> CourseRequest:
    second = ~np.isnan(treatment.second_day)
    infusions = [Infusion(cells=treatment.cells, time=np.zeros(len(treatment)))]
    if second.any():
        day = np.where(second, treatment.second_day, 0.0)
        infusions.append(Infusion(cells=np.where(second, treatment.second_cells, 0.0), time=day))
    return CourseRequest(
        latents=treatment.latents,
        conditioning=_conditioning(treatment),
        infusions=tuple(infusions),
        memory_share=treatment.memory_share,
        copies_per_cell=treatment.copies_per_cell,
        kill_scale=None if arm.cells_act else np.zeros(len(treatment)),
        start=treatment.start,
        start_time=treatment.begins,
        modules=treatment.protocols[0].model.modules,
    )


def _conditioning(treatment: Treatment) -> Conditioning:
    """Every single infusion of chemotherapy, before the first and, where repeated, before the second cells."""
    rows: list[tuple[int, str, float, int, float]] = []
    for patient, protocol in enumerate(treatment.protocols):
        regimen = regimen_in_force(protocol)
        first = first_day_of(regimen)
        starts = list(treatment.conditioning_starts[patient])
        second = treatment.second_day[patient]
        if protocol.dosing.second_infusion.repeat_conditioning and not np.isnan(second):
            starts.append(first + int(second))
        table = protocol.conditioning.fludarabine_by_renal_function
        for planned in planned_doses(regimen, table, float(treatment.egfr[patient])):
            for start in starts:
                day = protocol_day(model_time(planned.day) + start - first)
                rows.append((patient, planned.drug, planned.dose, day, planned.hours))
    patients, drugs, doses, days, hours = zip(*rows, strict=True)
    return Conditioning(
        patient=np.array(patients, dtype=np.int64),
        drug=np.array(drugs, dtype=np.str_),
        dose=np.array(doses, dtype=np.float64),
        protocol_day=np.array(days, dtype=np.int64),
        hours=np.array(hours, dtype=np.float64),
    )


def _causes(courses: Courses, decompensated_from: Numbers, death: Numbers, drawn: Numbers) -> NDArray[np.str_]:
    """Why each patient died, by the share of cytokine release in the hazard on that day; 'disease' for the living."""
    day = np.where(np.isfinite(death), death, courses.times[-1])
    place = np.clip(np.searchsorted(courses.times, day), 0, len(courses.times) - 1)
    rows = np.arange(len(courses))
    lethal = lethal_cytokine_hazard(courses)[rows, place]
    every = death_hazard(courses, decompensated_from)[rows, place]
    share = np.divide(lethal, every, out=np.zeros_like(every), where=every > 0)
    return np.where(drawn < share, CYTOKINE_RELEASE, DISEASE)


def _at_start(treatment: Treatment, courses: Courses) -> NDArray[np.intp]:
    """Place of each patient's start of lymphodepletion among the times."""
    return np.searchsorted(courses.times, treatment.begins)


def _blood(treatment: Treatment, courses: Courses, until: Numbers) -> Laboratory:
    """Daily grades, each patient on the scale of the protocol that binds them."""
    at_start = _at_start(treatment, courses)
    scales = [scale_of(protocol) for protocol in treatment.protocols]
    graded = {scale: grade_blood(courses, at_start, until, scale) for scale in dict.fromkeys(scales)}
    first = graded[scales[0]]
    return Laboratory(
        grades={
            test: np.stack([graded[scale].grades[test][patient] for patient, scale in enumerate(scales)])
            for test in first.grades
        }
    )


def visit_schedule(assessment: Assessment) -> VisitSchedule:
    """The planned days of one kind of assessment, the repeating part written out."""
    days = list(assessment.days)
    if assessment.then_every is not None and assessment.until is not None:
        step = int(assessment.then_every.to("days"))
        while protocol_day(model_time(days[-1]) + step) <= assessment.until:
            days.append(protocol_day(model_time(days[-1]) + step))
    width = int(assessment.window.to("days"))
    return VisitSchedule(name=assessment.name, protocol_days=tuple(days), days_before=width, days_after=width)


def _scans(treatment: Treatment, courses: Courses, new_lesion: Numbers, until: Numbers, streams: Streams) -> ScanSeries:
    """What the reader writes down; the baseline is the scan at the start of lymphodepletion."""
    imaging = next(one for one in treatment.protocols[0].assessments if one.name == "imaging")
    planned = draw_visits(visit_schedule(imaging), treatment.keys, streams)
    visits = Visits(times=planned.times, done=planned.done & (planned.times <= until[:, None]))
    volumes = courses.lesion_volumes()
    course = LesionCourse(
        baseline_day=treatment.begins.astype(np.int64),
        baseline_volumes=volumes[np.arange(len(treatment)), _at_start(treatment, courses), :],
        volumes=_at(courses.times, volumes, visits.times),
        new_lesion_time=new_lesion,
    )
    return draw_scans(course, visits, treatment.keys, streams)


def _at(times: Numbers, values: Numbers, days: NDArray[np.int64]) -> Numbers:
    """Values (patients, times, …) at each patient's days (patients, visits), linear between output times."""
    after = np.clip(np.searchsorted(times, days), 1, len(times) - 1)
    weight = np.clip((days - times[after - 1]) / (times[after] - times[after - 1]), 0, 1)
    rows = np.arange(len(values))[:, None]
    weight = weight.reshape(weight.shape + (1,) * (values.ndim - 2))
    before, later = values[rows, after - 1], values[rows, after]
    return np.where(weight == 1, later, before * (1 - weight) + later * weight)  # exact at an output time


_QUANTITIES: dict[str, dict[str, str]] = {
    "afp": {"AFP": "afp"},
    "transgene": {"TRANSGENE": "transgene"},
    "cytokines": {"IL6": "il6", "CRP": "crp"},
    "laboratory": {"ANC": "neutrophils", "PLT": "platelets", "LYM": "lymphocytes", "ALT": "alt"},
}
"""assessment of the protocol -> code -> observable"""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One quantity as measured at visits: model times and values (patients, visits), NaN where there is none."""

    code: str
    unit: str
    times: NDArray[np.int64]
    values: Numbers
    """where a limit of quantification was passed, that limit"""
    below_limit: NDArray[np.bool_]
    above_limit: NDArray[np.bool_]


def readings(
    assessments: Sequence[Assessment], treatment: Treatment, outcomes: Outcomes, streams: Streams
) -> tuple[Reading, ...]:
    """What the laboratory reports of treated patients, with assay error and limits of quantification."""
    found = []
    observed = np.minimum(outcomes.death_day, outcomes.last_day)
    for assessment in assessments:
        if assessment.name not in _QUANTITIES:
            continue
        planned = draw_visits(visit_schedule(assessment), treatment.keys, streams)
        within = (planned.times <= observed[:, None]) & (planned.times >= treatment.begins[:, None])
        visits = Visits(times=planned.times, done=planned.done & within)
        for code, name in _QUANTITIES[assessment.name].items():
            seen = observable(name)
            truth = seen.factor * _at(outcomes.courses.times, getattr(outcomes.courses, seen.read_out), visits.times)
            measured = at_visits(measure(truth, name, treatment.keys, streams, times=visits.times), visits)
            found.append(
                Reading(
                    code=code,
                    unit=seen.unit,
                    times=visits.times,
                    values=measured.value,
                    below_limit=measured.below_limit,
                    above_limit=measured.above_limit,
                )
            )
    return tuple(found)
