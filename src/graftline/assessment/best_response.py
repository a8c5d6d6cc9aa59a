"""From the responses at the visits to the endpoints of a course: best response, confirmation, progression, duration.

Days run without a gap (calendar day numbers or model time, not protocol days). Pure rules on the visits of one
patient; `best_overall_responses` and its like only repeat them over rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..evidence import card
from .recist import Codes, Response, VisitResponse

Days = NDArray[np.int64]

_STABLE_OR_BETTER = (Response.CR, Response.PR, Response.SD)
_EVALUABLE = (*_STABLE_OR_BETTER, Response.NON_CR_NON_PD, Response.PD)


class Visit(NamedTuple):
    """A day and the overall response found on it."""

    day: int
    response: Response


@dataclass(frozen=True, kw_only=True)
class ConfirmationRule:
    """When a response counts: fields of the protocol. The defaults of RECIST 1.1 are in `recist_rule`."""

    confirmation_days: int
    """a complete or partial response must be seen again at least so many days later"""
    minimum_stable_days: int
    """stable disease counts from so many days after time zero"""
    required: bool = True
    """without confirmation the first complete or partial response counts"""
    accept_stable_between: bool = False
    """whether one stable visit may lie between a partial response and its confirmation"""
    not_evaluable_between: int = 1
    """how many visits between a response and its confirmation may be not evaluable or not done"""
    early_progression_counts: bool = True
    """whether progression before the minimum for stable disease is progression (else not evaluable)"""
    stop_at_progression: bool = True
    """visits after the first progression are not read"""


def recist_rule() -> ConfirmationRule:
    """Confirmation after four weeks and the placeholder minimum for stable disease, from their cards."""
    return ConfirmationRule(
        confirmation_days=int(card("recist_confirmation_interval").to("day")),
        minimum_stable_days=int(card("recist_minimum_stable").to("day")),
    )


@dataclass(frozen=True, kw_only=True)
class BestResponse:
    """Best overall response of a course, the day of the visit that showed it first, and what to query in the data."""

    response: Response
    day: int | None
    """None only where there was no visit at all"""
    confirmed: bool
    """whether a complete or partial response was confirmed (or needed no confirmation)"""
    queries: tuple[str, ...] = ()


def visits_of(found: Sequence[VisitResponse]) -> tuple[Visit, ...]:
    """The days and overall responses of fully described visits."""
    return tuple(Visit(one.day, one.response) for one in found)


def best_overall_response(
    visits: Sequence[Visit], rule: ConfirmationRule, *, time_zero: int, last_day: int | None = None
) -> BestResponse:
    """The best response of one patient, confirmed if the rule asks for it.

    Each visit stands for what it can prove: a confirmed response; else stable disease, if it is late enough after
    `time_zero`; else nothing. The best of these counts, and of equals the first. So a partial response that is never
    confirmed leaves stable disease, and one followed by progression before the minimum leaves progression, on the day
    of the progression. Visits before `time_zero` and after `last_day` (start of another therapy) are not read.
    """
    read = [
        visit for visit in _read(visits, stop=rule.stop_at_progression, last_day=last_day) if visit.day >= time_zero
    ]
    if not read:
        return BestResponse(response=Response.MISSING, day=None, confirmed=False)
    proven = [(_proven(place, read, rule, time_zero), visit.day) for place, visit in enumerate(read)]
    response, day = min(proven)
    return BestResponse(
        response=response, day=day, confirmed=response in (Response.CR, Response.PR), queries=_queries(read)
    )


@dataclass(frozen=True, kw_only=True)
class TimeToEvent:
    """Days from time zero to the event or to the last day on which its absence is known, with the reason in words."""

    days: int
    event: bool
    reason: str


@dataclass(frozen=True, kw_only=True)
class ProgressionRule:
    """What counts for progression-free survival and duration of response: fields of the protocol."""

    longest_gap_days: int | None = None
    """progression or death later than this after the last evaluable visit is censored there; None: counts whenever"""


def progression_free(
    visits: Sequence[Visit],
    rule: ProgressionRule,
    *,
    time_zero: int,
    death_day: int | None = None,
    last_day: int | None = None,
) -> TimeToEvent:
    """Days from `time_zero` to progression or death; censored at the last evaluable visit, at 0 if there was none.

    `last_day` is the start of another therapy or the data cut: what happens later is not read, deaths included.
    """
    read = [visit for visit in _read(visits, stop=True, last_day=last_day) if visit.day >= time_zero]
    evaluable = [visit for visit in read if visit.response in _EVALUABLE]
    progressed = [visit.day for visit in evaluable if visit.response is Response.PD]
    if progressed:
        event, reason = progressed[0], "progression"
    elif death_day is not None and (last_day is None or death_day <= last_day):
        event, reason = death_day, "death"
    else:
        event, reason = None, ""
    before = [visit.day for visit in evaluable if event is None or visit.day < event]
    last_known = max(before, default=time_zero)
    if event is None:
        words = "last evaluable visit" if before else "no evaluable visit"
        return TimeToEvent(days=last_known - time_zero, event=False, reason=words)
    if rule.longest_gap_days is not None and event - last_known > rule.longest_gap_days:
        return TimeToEvent(days=last_known - time_zero, event=False, reason=f"{reason} after missed visits")
    return TimeToEvent(days=event - time_zero, event=True, reason=reason)


def duration_of_response(
    visits: Sequence[Visit],
    best: BestResponse,
    rule: ProgressionRule,
    *,
    death_day: int | None = None,
    last_day: int | None = None,
) -> TimeToEvent | None:
    """Days from the first visit that showed a response that counts to progression or death; None without a response.

    A course whose best response is complete counts from an earlier partial response, if there was one.
    """
    if best.response not in (Response.CR, Response.PR) or best.day is None:
        return None
    start = best.day
    for visit in sorted(visits, reverse=True):
        if visit.day >= best.day or visit.response in (Response.NE, Response.ND):
            continue
        if visit.response not in (Response.CR, Response.PR):
            break
        start = visit.day
    return progression_free(visits, rule, time_zero=start, death_day=death_day, last_day=last_day)


def overall_survival(*, time_zero: int, death_day: int | None, last_alive_day: int) -> TimeToEvent:
    """Days from `time_zero` to death, or to the last day on which the patient is known to be alive."""
    if death_day is not None:
        return TimeToEvent(days=death_day - time_zero, event=True, reason="death")
    return TimeToEvent(days=last_alive_day - time_zero, event=False, reason="alive")


@dataclass(frozen=True, kw_only=True)
class BestResponses:
    """Best overall response of many patients: code, day (-1 where there is none) and confirmed, each (patients,)."""

    response: Codes
    day: Days
    has_day: NDArray[np.bool_]
    confirmed: NDArray[np.bool_]


def visits_in(days: Days, codes: Codes) -> tuple[tuple[Visit, ...], ...]:
    """The visits of each patient, from days and Response codes, both (patients, visits)."""
    by_code = {int(response): response for response in Response}
    return tuple(
        tuple(Visit(day, by_code[code]) for day, code in zip(row_days, row_codes, strict=True))
        for row_days, row_codes in zip(days.tolist(), codes.tolist(), strict=True)
    )


def best_overall_responses(
    courses: Sequence[Sequence[Visit]], rule: ConfirmationRule, *, time_zero: Days, last_day: Days | None = None
) -> BestResponses:
    """`best_overall_response` for each of many patients; `time_zero` and `last_day` are (patients,)."""
    lasts: list[int | None] = [None] * len(courses) if last_day is None else list(last_day.tolist())
    found = [
        best_overall_response(visits, rule, time_zero=zero, last_day=last)
        for visits, zero, last in zip(courses, time_zero.tolist(), lasts, strict=True)
    ]
    return BestResponses(
        response=np.array([one.response for one in found], dtype=np.int8),
        day=np.array([-1 if one.day is None else one.day for one in found], dtype=np.int64),
        has_day=np.array([one.day is not None for one in found], dtype=np.bool_),
        confirmed=np.array([one.confirmed for one in found], dtype=np.bool_),
    )


def _read(visits: Sequence[Visit], *, stop: bool, last_day: int | None) -> list[Visit]:
    """The visits that count, in order of time, up to the first progression if `stop`."""
    read: list[Visit] = []
    for visit in sorted(visits):
        if last_day is not None and visit.day > last_day:
            break
        read.append(visit)
        if stop and visit.response is Response.PD:
            break
    return read


def _proven(place: int, visits: Sequence[Visit], rule: ConfirmationRule, time_zero: int) -> Response:
    """What this visit proves about the course."""
    day, response = visits[place]
    late_enough = day - time_zero >= rule.minimum_stable_days
    if response in (Response.CR, Response.PR) and (not rule.required or _confirmed(place, visits, rule)):
        return response
    if response in _STABLE_OR_BETTER:
        return Response.SD if late_enough else Response.NE
    if response is Response.NON_CR_NON_PD:
        return response if late_enough else Response.NE
    if response is Response.PD and not late_enough and not rule.early_progression_counts:
        return Response.NE
    return response


def _confirmed(place: int, visits: Sequence[Visit], rule: ConfirmationRule) -> bool:
    """Whether a later visit confirms the complete or partial response at `place`."""
    day, response = visits[place]
    not_evaluable = stable = 0
    complete_seen = False
    for later in visits[place + 1 :]:
        answers = later.response is Response.CR or (
            later.response is Response.PR and response is Response.PR and not complete_seen
        )
        if answers and later.day - day >= rule.confirmation_days:
            return True
        if later.response in (Response.NE, Response.ND):
            not_evaluable += 1
        elif later.response is Response.SD and response is Response.PR and rule.accept_stable_between:
            stable += 1
        elif not answers:
            return False
        complete_seen = complete_seen or later.response is Response.CR
        if not_evaluable > rule.not_evaluable_between or stable > 1:
            return False
    return False


def _queries(visits: Sequence[Visit]) -> tuple[str, ...]:
    """What a data manager should ask about: after a complete response only CR, PD or nothing evaluable fits."""
    complete = False
    for visit in visits:
        if complete and visit.response in (Response.PR, Response.SD):
            return (
                f"complete response followed by {visit.response.label} on day {visit.day}: confirm with the reader",
            )
        complete = complete or visit.response is Response.CR
    return ()
