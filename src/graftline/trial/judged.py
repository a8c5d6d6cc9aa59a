"""What the protocol makes of a treated course: dose-limiting toxicity, worst laboratory grades, response at the scans.

Every patient is judged by the version of the protocol they consented to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..assessment import (
    CTCAE_4,
    CTCAE_5,
    Attribution,
    ConfirmationRule,
    DltCriterion,
    DltDefinition,
    GradingScale,
    ProgressionRule,
    ScanSeries,
    TimeToEvent,
    ToxicityEvent,
    best_overall_response,
    duration_of_response,
    free_of_dose_limiting_toxicity,
    grade_laboratory,
    is_evaluable,
    progression_free,
    responses,
    toxicity_events,
    visits_in,
)
from ..base.clock import protocol_day
from ..base.units import PER_uL_PER_e9_L
from ..base.verdict import Outcome
from ..evidence import card
from ..protocol.schema import Protocol
from ..twin import Courses

Numbers = NDArray[np.float64]
DISEASE, CYTOKINE_RELEASE = "disease", "cytokine release"

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
SIMULATED_EVENTS = frozenset({"death", "crs", "liver_tests", "neutropenia", "thrombocytopenia"})
"""events of a definition of dose-limiting toxicity that a simulated patient can have; the others never occur"""
_LABORATORY = ("neutrophils", "platelets", "lymphocytes", "alt")


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Scans up to death or the end of observation, and what they mean; arrays are (patients, visits) or (patients,)."""

    series: ScanSeries
    responses: NDArray[np.int8]
    best_response: NDArray[np.int8]
    progression: tuple[TimeToEvent, ...]
    duration: tuple[TimeToEvent | None, ...]


@dataclass(frozen=True, kw_only=True)
class Toxicity:
    """How the definition of dose-limiting toxicity judges one patient. Days are model time."""

    free: Outcome
    """pass: none; fail: dose-limiting toxicity; unknown: the window is not complete"""
    reasons: tuple[str, ...]
    first_day: int | None
    """on which the first dose-limiting toxicity was one; None if there was none"""
    evaluable: bool
    """whether the patient counts for dose finding"""


@dataclass(frozen=True, kw_only=True)
class Observed:
    """End of the observation of each patient, (patients,): last day in model time, and why who died did (else '')."""

    until: Numbers
    cause: NDArray[np.str_]
    dose_fraction: Numbers
    """cells given over the target of the level"""


def scale_of(protocol: Protocol) -> GradingScale:
    """The scale of laboratory grades that the protocol names."""
    version = protocol.safety.adverse_event_scale.version
    return CTCAE_4 if version.startswith(CTCAE_4.version[0]) else CTCAE_5


def dlt_definition(protocol: Protocol) -> DltDefinition:
    """The protocol's definition as the rule in `assessment` reads it."""
    written = protocol.safety.dose_limiting_toxicity
    highest: dict[str, int] = {}
    for line in written.criteria:
        highest[line.event] = max(highest.get(line.event, 0), line.grade)
    with_dose = written.evaluable_if == "infused_at_least_lowest_dose_and_observed"
    return DltDefinition(
        first_day=written.window.first_day,
        last_day=written.window.last_day,
        least_attribution=_ATTRIBUTION[written.attribution],
        excluded_kinds=("progression",),
        least_dose_fraction=1.0 if with_dose else None,
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


def daily(courses: Courses, values: Numbers, until: Numbers) -> Numbers:
    """Daily values from Day 1 on to the end of the daily output; NaN after death or the end of observation."""
    last = card("trial_daily_until").to("day")
    chosen = (courses.times >= 0) & (courses.times <= last)
    return np.where(courses.times[chosen][None, :] <= until[:, None], values[:, chosen], np.nan)


@dataclass(frozen=True, kw_only=True)
class Laboratory:
    """Daily laboratory grades of patients who are graded on one scale, by test, (patients, days) from Day 1 on."""

    grades: dict[str, NDArray[np.int8]]

    def worst(self, test: str) -> NDArray[np.int64]:
        """Highest grade, (patients,)."""
        return np.asarray(self.grades[test].max(axis=1), dtype=np.int64)


def grade_blood(courses: Courses, at_start: NDArray[np.intp], until: Numbers, scale: GradingScale) -> Laboratory:
    """Grades of true blood values on each day; `at_start` is the place of each patient's baseline among the times."""
    readings = {
        "neutrophils": courses.neutrophils * PER_uL_PER_e9_L,
        "platelets": courses.platelets,
        "lymphocytes": courses.lymphocytes * PER_uL_PER_e9_L,
        "alt": courses.alt,
    }
    rows = np.arange(len(courses))
    return Laboratory(
        grades={
            test: grade_laboratory(
                test,
                daily(courses, readings[test], until),
                scale=scale,
                baseline=readings[test][rows, at_start][:, None],
            )
            for test in _LABORATORY
        }
    )


def judge_toxicity(
    protocols: Sequence[Protocol], crs_grades: NDArray[np.int8], blood: Laboratory, observed: Observed
) -> tuple[Toxicity, ...]:
    """Dose-limiting toxicity of each patient by the definition that binds them.

    Toxicities are held at least possibly related to the cells; a death is, if cytokine release brought it. One from
    the disease is judged unrelated: not dose limiting, but the window stays incomplete.
    """
    grades = {
        "crs": crs_grades,
        "neutropenia": blood.grades["neutrophils"],
        "thrombocytopenia": blood.grades["platelets"],
        "alt": blood.grades["alt"],
    }
    definitions = {id(protocol): dlt_definition(protocol) for protocol in protocols}
    found = []
    for patient, protocol in enumerate(protocols):
        definition, last = definitions[id(protocol)], int(max(observed.until[patient], 0))
        events = _events(definition, {kind: values[patient] for kind, values in grades.items()}, last)
        cause = str(observed.cause[patient])
        if cause:
            events.append(_death(protocol_day(last), cause))
        found.append(_judged(definition, events, last, (bool(cause), float(observed.dose_fraction[patient]))))
    return tuple(found)


def _events(definition: DltDefinition, grades: dict[str, NDArray[np.int8]], last: int) -> list[ToxicityEvent]:
    events: list[ToxicityEvent] = []
    for line in definition.criteria:
        for kind in line.kinds:
            if kind in grades:
                seen = grades[kind][: last + 1].tolist()
                events += toxicity_events(kind, seen, line, attribution=Attribution.POSSIBLE)
    return events


def _judged(definition: DltDefinition, events: list[ToxicityEvent], last: int, end: tuple[bool, float]) -> Toxicity:
    gone, dose_fraction = end
    until = protocol_day(last)
    verdict = free_of_dose_limiting_toxicity(events, definition, observed_until=until)
    counts = is_evaluable(events, definition, observed_until=until, dose_fraction=dose_fraction, gone=gone)
    return Toxicity(
        free=verdict.outcome,
        reasons=verdict.reasons if verdict.failed else (),
        first_day=_first_failing(definition, events, last) if verdict.failed else None,
        evaluable=counts.passed,
    )


def _first_failing(definition: DltDefinition, events: list[ToxicityEvent], last: int) -> int:
    """The first day (model time) on which what had been seen until then was a dose-limiting toxicity."""
    for day in range(1, protocol_day(last) + 1):
        seen = [_as_seen_on(day, event) for event in events if event.first_day <= day]
        if free_of_dose_limiting_toxicity(seen, definition, observed_until=day).failed:
            return day - 1
    return last


def _as_seen_on(day: int, event: ToxicityEvent) -> ToxicityEvent:
    going_on = event.last_day is None or event.last_day >= day
    return ToxicityEvent(
        kind=event.kind,
        grade=event.grade,
        first_day=event.first_day,
        last_day=None if going_on else event.last_day,
        attribution=event.attribution,
        expected_from_lymphodepletion=event.expected_from_lymphodepletion,
    )


def _death(day: int, cause: str) -> ToxicityEvent:
    related = Attribution.POSSIBLE if cause == CYTOKINE_RELEASE else Attribution.UNRELATED
    grade = int(card("ctcae_death_grade").number)
    return ToxicityEvent(kind="death", grade=grade, first_day=day, last_day=None, attribution=related)


def judge_scans(protocols: Sequence[Protocol], series: ScanSeries, death: Numbers, last_day: Numbers) -> Seen:
    """Responses, best response, progression and duration of each patient by the response rule that binds them."""
    codes = responses(series)
    best, progression, duration = [], [], []
    for patient, row in enumerate(visits_in(series.days, codes)):
        read = tuple(visit for visit, done in zip(row, series.done[patient].tolist(), strict=True) if done)
        died = int(death[patient]) if death[patient] <= last_day[patient] else None
        found = best_overall_response(read, _response_rule(protocols[patient]), time_zero=0)
        best.append(int(found.response))
        progression.append(progression_free(read, ProgressionRule(), time_zero=0, death_day=died))
        duration.append(duration_of_response(read, found, ProgressionRule(), death_day=died))
    return Seen(
        series=series,
        responses=codes,
        best_response=np.array(best, dtype=np.int8),
        progression=tuple(progression),
        duration=tuple(duration),
    )


def _response_rule(protocol: Protocol) -> ConfirmationRule:
    return ConfirmationRule(
        confirmation_days=int(protocol.response.confirmation.to("days")),
        minimum_stable_days=int(protocol.response.stable_disease_minimum.to("days")),
    )
