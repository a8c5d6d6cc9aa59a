"""The calendar of one replicate: who is treated when, at which dose. Written as a generator that asks for courses.

The clock is the cohort: the dose rule opens a place, the stagger says from when, the queue of made products says who.
Each replicate's calendar yields one question (treat this patient at this dose on this day) and is sent the answer, so
that the courses of many replicates are solved in one batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace

from ..base.clock import day_number, model_time
from ..base.verdict import Outcome
from ..escalation import CohortState, decide, may_treat_next
from ..evidence import card
from ..infusion import dose_to_give, outside_window
from ..protocol.schema import Protocol
from ..records import Dose
from .treated import first_day_of, regimen_in_force


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A patient whose cells were collected; days are calendar day numbers."""

    row: int
    """place in the table of apheresed patients"""
    available: int | None
    """day from which a released product is at the hospital and the patient needs it; None: no product"""
    no_product: str
    """why there is no product; empty if there is one"""
    cells: float
    """transduced cells made, 1e9"""
    expires: int
    leaves: int
    """day of death or withdrawal while waiting; far in the future if neither"""
    leaving: str
    """'died while waiting' or 'withdrew while waiting'"""
    weight_kg: float = math.nan
    """body weight, for protocols that dose by it"""


@dataclass(frozen=True, kw_only=True)
class Ask:
    """Treat this patient: days of lymphodepletion and infusion, dose level, dose, the version that binds."""

    row: int
    lymphodepletion: int
    """first day of the first conditioning"""
    conditioning: tuple[int, ...]
    """first days of each conditioning; more than one if the infusion window was missed and it had to be repeated"""
    infusion: int
    level: str
    dose: Dose
    protocol: Protocol
    expires: int
    """first calendar day on which the product is out of date"""
    put_off: str = ""
    """why the infusion was later than planned; empty if it was not"""
    weight_kg: float = math.nan
    """body weight, for protocols that dose by it"""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the treated course showed; days are calendar day numbers."""

    free_of_dlt: Outcome
    evaluable: bool
    dlt_day: int | None
    """day on which the first dose-limiting toxicity was one"""
    death: int | None


@dataclass(frozen=True, kw_only=True)
class Treated:
    """An answered question."""

    ask: Ask
    answer: Answer
    known: int
    """calendar day from which the committee knows the outcome"""


@dataclass(frozen=True, kw_only=True)
class Lymphodepleted:
    """A patient who had conditioning and no cells: the infusion asked for, when that was clear, and why."""

    ask: Ask
    day: int
    died: bool
    reason: str


@dataclass
class Finished:
    """What the calendar of one replicate came to."""

    treated: list[Treated] = field(default_factory=list)
    not_treated: dict[int, str] = field(default_factory=dict)
    postponed: dict[int, int] = field(default_factory=dict)
    """row -> calendar day on which an infection put lymphodepletion off"""
    ended: dict[int, int] = field(default_factory=dict)
    """row with a product, not treated -> calendar day on which that was found"""
    lymphodepleted: dict[int, Lymphodepleted] = field(default_factory=dict)
    closed: int | None = None
    """calendar day on which dosing was over, so that nobody is screened or collected any more"""
    decisions: list[tuple[int, str, str, tuple[str, ...]]] = field(default_factory=list)
    """(day, action, level, reasons), one entry whenever the action changes"""


@dataclass(frozen=True, kw_only=True)
class OnTheDay:
    """How the patient is on the planned day of infusion: reasons against it, and for how many more days they last."""

    reasons: tuple[str, ...]
    days: int


@dataclass(frozen=True, kw_only=True)
class Patients:
    """What a calendar asks about its patients, by row."""

    protocol_of: Callable[[int], Protocol]
    """the version that binds the patient"""
    against_lymphodepletion: Callable[[int, int], tuple[str, ...]]
    """(row, day) -> reasons why lymphodepletion may not begin; empty if it may"""
    on_the_day: Callable[[int], OnTheDay]


Calendar = Generator[Ask, Answer, Finished]
INFECTION = "active infection"


def calendar(candidates: list[Candidate], patients: Patients) -> Calendar:
    """Run the calendar of one replicate from the first product to the last infusion allowed."""
    done = Finished()
    waiting = {one.row: one for one in candidates if one.available is not None}
    done.not_treated |= {one.row: one.no_product for one in candidates if one.available is None}
    available = {row: one.available or 0 for row, one in waiting.items()}
    today = min(available.values(), default=0)
    while waiting:
        first = min(waiting, key=lambda row: (available[row], row))
        protocol = patients.protocol_of(first)
        decision = decide(protocol.dosing, _states(protocol, done.treated, today))
        _note(done, today, decision.action, decision.level or "", decision.reasons)
        if decision.level is None:
            pending = [one.known for one in done.treated if one.known > today]
            if decision.action == "wait" and pending:
                today = min(pending)
                continue
            _close(done, waiting, today, f"dosing closed: {'; '.join(decision.reasons)}")
            break
        start = max(today, available[first], _earliest(protocol, decision.level, done.treated))
        news = [one.known for one in done.treated if today < one.known <= start]
        if news:
            today = min(news)
            continue  # an outcome comes in before the patient can begin: ask the rule again
        today = start
        ask = _ask(waiting[first], protocol, decision.level, start)
        if ask.infusion > day_number(protocol.recruitment.last_infusion):
            _close(done, waiting, start, "still waiting at the end of dosing")
            break
        reasons = _may_not(waiting[first], ask, patients)
        if reasons == (INFECTION,):
            done.postponed[first] = start
            available[first] = start + int(card("trial_redo_wait").to("day"))
            continue
        candidate = waiting.pop(first)
        if reasons:
            done.not_treated[candidate.row], done.ended[candidate.row] = reasons[0], start
            continue
        planned = _on_the_day(ask, patients.on_the_day(first))
        if isinstance(planned, Lymphodepleted):
            _without_cells(done, planned)
            continue
        _record(done, planned, (yield planned))
        if len(done.treated) >= protocol.recruitment.planned_enrolment:
            _close(done, waiting, today, "dosing closed: planned enrolment reached")
            break
    return done


def _close(done: Finished, waiting: dict[int, Candidate], day: int, reason: str) -> None:
    """Dosing is over: whoever still waits is told so, unless they had left before."""
    done.closed = day
    done.ended |= dict.fromkeys(waiting, day)
    done.not_treated |= {row: one.leaving if day >= one.leaves else reason for row, one in waiting.items()}


def _record(done: Finished, ask: Ask, answer: Answer) -> None:
    """A treated patient and when the committee will know; or one who died before the infusion."""
    if answer.death is not None and answer.death < ask.infusion:
        reason = "died after lymphodepletion, before infusion"
        _without_cells(done, Lymphodepleted(ask=ask, day=answer.death, died=True, reason=reason))
        return
    window = ask.protocol.safety.dose_limiting_toxicity.window.last_day
    climb = ask.protocol.dosing.escalation
    review = 0 if climb is None else int(climb.committee_review.to("days"))
    known = ask.infusion + model_time(window) + review
    if answer.dlt_day is not None:  # a serious event is reported within a day and need not wait for the window
        known = min(known, answer.dlt_day + int(card("trial_serious_event_report").to("day")))
    done.treated.append(Treated(ask=ask, answer=answer, known=known))


def _without_cells(done: Finished, found: Lymphodepleted) -> None:
    done.not_treated[found.ask.row] = found.reason
    done.lymphodepleted[found.ask.row] = found


def _ask(candidate: Candidate, protocol: Protocol, level_name: str, start: int) -> Ask:
    level = next(one for one in protocol.dosing.levels if one.name == level_name)
    return Ask(
        row=candidate.row,
        lymphodepletion=start,
        conditioning=(start,),
        infusion=start + days_to_infusion(protocol),
        level=level_name,
        dose=dose_to_give(candidate.cells, level, weight_kg=candidate.weight_kg),
        protocol=protocol,
        expires=candidate.expires,
        weight_kg=candidate.weight_kg,
    )


def days_to_infusion(protocol: Protocol) -> int:
    """From the first day of conditioning to the infusion, if nothing puts it off."""
    regimen = regimen_in_force(protocol)
    last = max(model_time(day) for drug in regimen.drugs for day in drug.days)
    gap = int(protocol.infusion.target_after_conditioning.to("days"))
    return max(gap + last, 0) - first_day_of(regimen)


def days_after_conditioning(ask: Ask) -> int:
    """From the last chemotherapy to the infusion."""
    days = [model_time(day) for drug in regimen_in_force(ask.protocol).drugs for day in drug.days]
    return ask.infusion - (ask.conditioning[-1] + max(days) - min(days))


def _on_the_day(ask: Ask, found: OnTheDay) -> Ask | Lymphodepleted:
    """The infusion as it can be given: as planned, later within the window, after new conditioning, or not at all."""
    if not found.reasons:
        return ask
    later = replace(ask, infusion=ask.infusion + found.days, put_off=found.reasons[0])
    again = later.infusion + days_to_infusion(ask.protocol)
    repeated = replace(later, conditioning=(*ask.conditioning, later.infusion), infusion=again)
    longest = int(card("trial_longest_before_infusion").to("day"))
    way = outside_window(
        ask.protocol.infusion,
        days_after_conditioning(later),
        cells_usable=later.infusion < ask.expires,
        may_repeat=again < ask.expires and again - ask.lymphodepletion <= longest,
    )
    if way.action == "infuse":
        return later
    if way.action == "repeat_conditioning":
        return repeated
    reason = f"lymphodepleted, not infused: {found.reasons[0]}"
    return Lymphodepleted(ask=ask, day=later.infusion, died=False, reason=reason)


def _may_not(candidate: Candidate, ask: Ask, patients: Patients) -> tuple[str, ...]:
    if ask.lymphodepletion >= candidate.leaves:
        return (candidate.leaving,)
    if ask.infusion >= candidate.expires:
        return ("product out of date",)
    return patients.against_lymphodepletion(candidate.row, ask.lymphodepletion)


def _states(protocol: Protocol, treated: list[Treated], today: int) -> tuple[CohortState, ...]:
    """What the committee knows today, level by level."""
    replaces = protocol.safety.dose_limiting_toxicity.replace_not_evaluable
    states = []
    for level in protocol.dosing.levels:
        here = [one for one in treated if one.ask.level == level.name]
        known = [one for one in here if one.known <= today]
        counted = [one for one in known if one.answer.evaluable or not replaces]
        states.append(
            CohortState(
                level=level.name,
                evaluable=len(counted),
                pending=len(here) - len(known),
                dose_limiting=sum(one.answer.free_of_dlt == Outcome.FAIL for one in counted),
                treated=len(here),
            )
        )
    return tuple(states)


def _earliest(protocol: Protocol, level: str, treated: list[Treated]) -> int:
    """First day on which lymphodepletion may begin at this level by the stagger rules."""
    here = [one.ask.infusion for one in treated if one.ask.level == level]
    elsewhere = [one.ask.infusion for one in treated if one.ask.level != level]
    day = max((one.ask.lymphodepletion for one in treated), default=0)
    while not may_treat_next(protocol.dosing, level, here, elsewhere, day).passed:
        day += 1
    return day


def _note(done: Finished, day: int, action: str, level: str, reasons: tuple[str, ...]) -> None:
    if not done.decisions or done.decisions[-1][1:] != (action, level, reasons):
        done.decisions.append((day, action, level, reasons))
