"""Treated courses: from the decision to treat to what was measured and how it is graded. Evaluated in batches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..assessment import (
    CTCAE_5,
    Attribution,
    ConfirmationRule,
    DltCriterion,
    DltDefinition,
    ProgressionRule,
    TimeToEvent,
    ToxicityEvent,
    VisitSchedule,
    best_overall_response,
    duration_of_response,
    free_of_dose_limiting_toxicity,
    grade_laboratory,
    progression_free,
    responses,
    toxicity_events,
    visits_in,
)
from ..assessment.simulate import LesionCourse, Visits, at_visits, draw_scans, draw_visits, measure
from ..assessment.simulate_crs import CrsCourse, crs_from_cytokine
from ..base.clock import model_time, protocol_day
from ..base.streams import Keys, Streams
from ..base.units import DAYS_PER_WEEK, PER_uL_PER_e9_L
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

Numbers = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Treatment:
    """A batch of patients to be treated; arrays are (patients,). Courses run from the start of lymphodepletion."""

    keys: Keys
    latents: Latents
    start: CourseState
    """state on the first day of lymphodepletion, from the course without cells"""
    regimen: tuple[Regimen, ...]
    egfr: Numbers
    cells: Numbers
    """transduced cells given, 1e9"""
    memory_share: Numbers
    copies_per_cell: Numbers
    clocks: Numbers
    """(patients, 3) uniforms left for decompensation, new lesion and death after the time already lived through"""
    second_day: Numbers
    """model time of a second infusion, NaN for none"""
    second_cells: Numbers

    def __len__(self) -> int:
        return len(self.cells)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Scans up to death or the end of observation, and what they mean; arrays are (patients, visits) or (patients,)."""

    visits: Visits
    sums: Numbers
    baseline_sum: Numbers
    best_change: Numbers
    responses: NDArray[np.int8]
    best_response: NDArray[np.int8]
    progression: tuple[TimeToEvent, ...]
    duration: tuple[TimeToEvent | None, ...]


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
    dose_limiting: tuple[tuple[str, ...], ...]
    """reasons, empty where there was none"""
    free_of_dlt: NDArray[np.int8]
    """Outcome of the rule: 2 free, 0 dose-limiting toxicity, 1 not known"""
    seen: Seen
    survival_days: NDArray[np.int64]
    survival_event: NDArray[np.bool_]
    grades: dict[str, NDArray[np.int64]]
    """worst laboratory grade by test from infusion to death or to the end of the daily output, (patients,)"""

    def __len__(self) -> int:
        return len(self.last_day)


def output_times(first: int) -> Numbers:
    """Model times of a treated course: daily at first, weekly after, to the end of follow-up."""
    daily = int(card("trial_daily_until").to("day"))
    last = int(card("trial_followup").to("day"))
    weekly = np.arange(daily + DAYS_PER_WEEK, last + DAYS_PER_WEEK, DAYS_PER_WEEK)
    return np.concatenate([np.arange(first, daily + 1), weekly]).astype(np.float64)


def evaluate(
    protocol: Protocol, treatment: Treatment, last_day: NDArray[np.int64], streams: Streams, *, with_kill: bool
) -> Outcomes:
    """Solve the courses and judge them as the protocol says; without kill it is the no-cells column."""
    first = min(model_time(day) for regimen in treatment.regimen for drug in regimen.drugs for day in drug.days)
    courses = run_courses(_request(protocol, treatment, with_kill), output_times(first))
    decompensation = first_event(decompensation_hazard(courses), courses.times, treatment.clocks[:, 0])
    new_lesion = first_event(new_lesion_hazard(courses), courses.times, treatment.clocks[:, 1])
    death = first_event(death_hazard(courses, decompensation), courses.times, treatment.clocks[:, 2])
    death = np.ceil(death)
    observed = np.minimum(death, last_day)
    cause = _causes(courses, decompensation, death, streams.named("clock", "cause").uniform(treatment.keys)[:, 0])
    crs = crs_from_cytokine(_daily(courses, courses.il6_effect, observed), treatment.keys, streams)
    verdicts = _dose_limiting(protocol, courses, crs, (observed, np.where(death <= last_day, cause, "")))
    seen = _seen(protocol, treatment, courses, (new_lesion, death, last_day.astype(np.float64)), streams)
    return Outcomes(
        courses=courses,
        last_day=last_day,
        death_day=death,
        decompensation_day=decompensation,
        crs=crs,
        dose_limiting=tuple(reasons for _, reasons in verdicts),
        free_of_dlt=np.array([outcome for outcome, _ in verdicts], dtype=np.int8),
        survival_days=observed.astype(np.int64),
        survival_event=death <= last_day,
        death_cause=np.where(death <= last_day, cause, ""),
        grades=_worst_grades(courses, observed),
        seen=seen,
    )


def _request(protocol: Protocol, treatment: Treatment, with_kill: bool) -> CourseRequest:
    second = ~np.isnan(treatment.second_day)
    infusions = [Infusion(cells=treatment.cells, time=np.zeros(len(treatment)))]
    if second.any():
        day = np.where(second, treatment.second_day, 0.0)
        infusions.append(Infusion(cells=np.where(second, treatment.second_cells, 0.0), time=day))
    return CourseRequest(
        latents=treatment.latents,
        conditioning=_conditioning(protocol, treatment),
        infusions=tuple(infusions),
        memory_share=treatment.memory_share,
        copies_per_cell=treatment.copies_per_cell,
        kill_scale=None if with_kill else np.zeros(len(treatment)),
        start=treatment.start,
        modules=protocol.model.modules,
    )


def _conditioning(protocol: Protocol, treatment: Treatment) -> Conditioning:
    """Every single infusion of chemotherapy, before the first and, where repeated, before the second cells."""
    rows: list[tuple[int, str, float, int, float]] = []
    repeat = protocol.dosing.second_infusion.repeat_conditioning
    for patient, regimen in enumerate(treatment.regimen):
        shifts = [0]
        if repeat and not np.isnan(treatment.second_day[patient]):
            shifts.append(int(treatment.second_day[patient]))
        table = protocol.conditioning.fludarabine_by_renal_function
        for planned in planned_doses(regimen, table, float(treatment.egfr[patient])):
            rows += [
                (patient, planned.drug, planned.dose, protocol_day(model_time(planned.day) + shift), planned.hours)
                for shift in shifts
            ]
    patients, drugs, doses, days, hours = zip(*rows, strict=True)
    return Conditioning(
        patient=np.array(patients, dtype=np.int64),
        drug=np.array(drugs, dtype=np.str_),
        dose=np.array(doses, dtype=np.float64),
        protocol_day=np.array(days, dtype=np.int64),
        hours=np.array(hours, dtype=np.float64),
    )


DISEASE, CYTOKINE_RELEASE = "disease", "cytokine release"


def _causes(courses: Courses, decompensated_from: Numbers, death: Numbers, drawn: Numbers) -> NDArray[np.str_]:
    """Why each patient died, by the share of cytokine release in the hazard on that day; 'disease' for the living."""
    day = np.where(np.isfinite(death), death, courses.times[-1])
    place = np.clip(np.searchsorted(courses.times, day), 0, len(courses.times) - 1)
    rows = np.arange(len(courses))
    lethal = lethal_cytokine_hazard(courses)[rows, place]
    every = death_hazard(courses, decompensated_from)[rows, place]
    share = np.divide(lethal, every, out=np.zeros_like(every), where=every > 0)
    return np.where(drawn < share, CYTOKINE_RELEASE, DISEASE)


def _daily(courses: Courses, values: Numbers, observed: Numbers) -> Numbers:
    """Daily values from Day 1 on to the end of the daily output; NaN after death or the end of observation."""
    last = card("trial_daily_until").to("day")
    chosen = (courses.times >= 0) & (courses.times <= last)
    return np.where(courses.times[chosen][None, :] <= observed[:, None], values[:, chosen], np.nan)


def _worst_grades(courses: Courses, observed: Numbers) -> dict[str, NDArray[np.int64]]:
    readings = {
        "neutrophils": courses.neutrophils * PER_uL_PER_e9_L,
        "platelets": courses.platelets,
        "lymphocytes": courses.lymphocytes * PER_uL_PER_e9_L,
        "alt": courses.alt,
    }
    return {
        test: grade_laboratory(test, _daily(courses, values, observed), scale=CTCAE_5, baseline=values[:, :1]).max(
            axis=1
        )
        for test, values in readings.items()
    }


_KINDS = {
    "death": ("death",),
    "crs": ("crs",),
    "icans": ("icans",),
    "liver_tests": ("alt",),
    "neutropenia": ("neutropenia",),
    "thrombocytopenia": ("thrombocytopenia",),
    "non_haematological": (),
}
_NOT_OTHER = (
    "death",
    "crs",
    "icans",
    "alt",
    "neutropenia",
    "thrombocytopenia",
    "lymphopenia",
    "anaemia",
    "progression",
)
_ATTRIBUTION = {
    "at_least_possible": Attribution.POSSIBLE,
    "at_least_probable": Attribution.PROBABLE,
    "definite": Attribution.DEFINITE,
}


def dlt_definition(protocol: Protocol) -> DltDefinition:
    """The protocol's definition as the rule in `assessment` reads it."""
    written = protocol.safety.dose_limiting_toxicity
    highest: dict[str, int] = {}
    for line in written.criteria:
        highest[line.event] = max(highest.get(line.event, 0), line.grade)
    return DltDefinition(
        first_day=written.window.first_day,
        last_day=written.window.last_day,
        least_attribution=_ATTRIBUTION[written.attribution],
        excluded_kinds=("progression",),
        criteria=tuple(
            DltCriterion(
                name=line.name,
                least_grade=line.grade,
                most_grade=line.grade if line.grade < highest[line.event] else None,
                kinds=_KINDS[line.event],
                other_than=_NOT_OTHER if line.event == "non_haematological" else (),
                allowed_days=None if line.lasting is None else int(line.lasting.to("days")),
                resolves_to=line.resolves_to,
                beyond_day=line.beyond_day,
                even_if_expected=line.beyond_day is not None,
            )
            for line in written.criteria
        ),
    )


def _dose_limiting(
    protocol: Protocol, courses: Courses, crs: CrsCourse, end: tuple[Numbers, NDArray[np.str_]]
) -> list[tuple[int, tuple[str, ...]]]:
    """Outcome of the rule and its reasons for each patient. `end`: last day observed, and the cause of a death then.

    Toxicities are held at least possibly related to the cells; a death is, if cytokine release brought it. One from
    the disease is judged unrelated: not dose limiting, but the window stays incomplete.
    """
    observed, cause = end
    definition = dlt_definition(protocol)
    daily = {"crs": crs.grade} | {
        kind: grade_laboratory(test, _daily(courses, values, observed), scale=CTCAE_5, baseline=values[:, :1])
        for kind, test, values in (
            ("neutropenia", "neutrophils", courses.neutrophils * PER_uL_PER_e9_L),
            ("thrombocytopenia", "platelets", courses.platelets),
            ("alt", "alt", courses.alt),
        )
    }
    found = []
    for patient in range(len(courses)):
        last = int(max(observed[patient], 0))
        events: list[ToxicityEvent] = []
        for line in definition.criteria:
            for kind in line.kinds:
                if kind in daily:
                    grades = daily[kind][patient, : last + 1].tolist()
                    events += toxicity_events(kind, grades, line, attribution=Attribution.POSSIBLE)
        if cause[patient]:
            events.append(_death(protocol_day(last), str(cause[patient])))
        verdict = free_of_dose_limiting_toxicity(events, definition, observed_until=protocol_day(last))
        found.append((int(verdict.outcome), verdict.reasons if verdict.failed else ()))
    return found


def _death(day: int, cause: str) -> ToxicityEvent:
    related = Attribution.POSSIBLE if cause == CYTOKINE_RELEASE else Attribution.UNRELATED
    grade = int(card("ctcae_death_grade").number)
    return ToxicityEvent(kind="death", grade=grade, first_day=day, last_day=None, attribution=related)


def visit_schedule(assessment: Assessment) -> VisitSchedule:
    """The planned days of one kind of assessment, the repeating part written out."""
    days = list(assessment.days)
    if assessment.then_every is not None and assessment.until is not None:
        step = int(assessment.then_every.to("days"))
        while protocol_day(model_time(days[-1]) + step) <= assessment.until:
            days.append(protocol_day(model_time(days[-1]) + step))
    width = int(assessment.window.to("days"))
    return VisitSchedule(name=assessment.name, protocol_days=tuple(days), days_before=width, days_after=width)


def _seen(
    protocol: Protocol, treatment: Treatment, courses: Courses, fate: tuple[Numbers, Numbers, Numbers], streams: Streams
) -> Seen:
    """`fate`: days of a new lesion and of death (infinite for never) and the last day of observation."""
    new_lesion, death, last_day = fate
    imaging = next(one for one in protocol.assessments if one.name == "imaging")
    planned = draw_visits(visit_schedule(imaging), treatment.keys, streams)
    observed = np.minimum(death, last_day)
    visits = Visits(times=planned.times, done=planned.done & (planned.times <= observed[:, None]))
    volumes = courses.lesion_volumes()
    course = LesionCourse(
        baseline_day=np.full(len(treatment), int(courses.times[0])),
        baseline_volumes=volumes[:, 0, :],
        volumes=_at(courses.times, volumes, visits.times),
        new_lesion_time=new_lesion,
    )
    series = draw_scans(course, visits, treatment.keys, streams)
    codes = responses(series)
    rule = ConfirmationRule(
        confirmation_days=int(protocol.response.confirmation.to("days")),
        minimum_stable_days=int(protocol.response.stable_disease_minimum.to("days")),
    )
    best, progression, duration = [], [], []
    for patient, row in enumerate(visits_in(visits.times, codes)):
        read = tuple(visit for visit, done in zip(row, visits.done[patient].tolist(), strict=True) if done)
        died = int(death[patient]) if death[patient] <= last_day[patient] else None
        found = best_overall_response(read, rule, time_zero=0)
        best.append(int(found.response))
        progression.append(progression_free(read, ProgressionRule(), time_zero=0, death_day=died))
        duration.append(duration_of_response(read, found, ProgressionRule(), death_day=died))
    return Seen(
        visits=visits,
        sums=series.sums,
        baseline_sum=series.baseline_sums,
        best_change=series.best_change,
        responses=codes,
        best_response=np.array(best, dtype=np.int8),
        progression=tuple(progression),
        duration=tuple(duration),
    )


def _at(times: Numbers, values: Numbers, days: NDArray[np.int64]) -> Numbers:
    """Values (patients, times, …) at each patient's days (patients, visits), linear between output times."""
    after = np.clip(np.searchsorted(times, days), 1, len(times) - 1)
    weight = np.clip((days - times[after - 1]) / (times[after] - times[after - 1]), 0, 1)
    rows = np.arange(len(values))[:, None]
    weight = weight.reshape(weight.shape + (1,) * (values.ndim - 2))
    return np.asarray(values[rows, after - 1] * (1 - weight) + values[rows, after] * weight, dtype=np.float64)


_QUANTITIES: dict[str, tuple[tuple[str, str, str, str], ...]] = {
    "afp": (("AFP", "afp", "afp", "ng/mL"),),
    "transgene": (("TRANSGENE", "transgene", "copies_per_ug", "copies/ug"),),
    "cytokines": (("IL6", "il6", "il6", "pg/mL"), ("CRP", "crp", "crp", "mg/L")),
    "laboratory": (
        ("ANC", "neutrophils", "neutrophils", "cells/uL"),
        ("PLT", "platelets", "platelets", "cells/nL"),
        ("LYM", "lymphocytes", "lymphocytes", "cells/uL"),
        ("ALT", "alt", "alt", "U/L"),
    ),
}
"""assessment of the protocol -> code, assay, read-out of the course, unit"""


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


def readings(protocol: Protocol, treatment: Treatment, outcomes: Outcomes, streams: Streams) -> tuple[Reading, ...]:
    """What the laboratory reports of treated patients, with assay error and limits of quantification."""
    found = []
    observed = np.minimum(outcomes.death_day, outcomes.last_day)
    for assessment in protocol.assessments:
        if assessment.name in ("imaging", "vital_status"):
            continue
        visits = draw_visits(visit_schedule(assessment), treatment.keys, streams)
        visits = Visits(times=visits.times, done=visits.done & (visits.times <= observed[:, None]))
        for code, quantity, read_out, unit in _QUANTITIES[assessment.name]:
            scale = PER_uL_PER_e9_L if unit == "cells/uL" else 1
            truth = scale * _at(outcomes.courses.times, getattr(outcomes.courses, read_out), visits.times)
            measured = at_visits(measure(truth, quantity, treatment.keys, streams, times=visits.times), visits)
            found.append(
                Reading(
                    code=code,
                    unit=unit,
                    times=visits.times,
                    values=measured.value,
                    below_limit=measured.below_limit,
                    above_limit=measured.above_limit,
                )
            )
    return tuple(found)
