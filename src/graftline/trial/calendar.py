"""The calendar of one replicate: who is treated when, at which dose. Written as a generator that asks for courses.

The clock is the cohort: the dose rule opens a place, the stagger says from when, the queue of made products says who.
Each replicate's calendar yields one question (treat this patient at this dose on this day) and is sent the answer, so
that the courses of many replicates are solved in one batch.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field

from ..base.clock import day_number, model_time
from ..base.verdict import Outcome
from ..escalation import CohortState, decide, may_treat_next
from ..evidence import card
from ..infusion import dose_to_give
from ..protocol.schema import Protocol
from ..records import Dose


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


@dataclass(frozen=True, kw_only=True)
class Ask:
    """Treat this patient: row, first day of lymphodepletion, day of infusion, dose level, dose."""

    row: int
    lymphodepletion: int
    infusion: int
    level: str
    dose: Dose
    protocol: Protocol
    expires: int
    """first calendar day on which the product is out of date"""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the treated course showed: outcome of the DLT rule and the day of death, if any."""

    free_of_dlt: int
    death: int | None


@dataclass(frozen=True, kw_only=True)
class Treated:
    """An answered question."""

    ask: Ask
    answer: Answer
    known: int
    """calendar day from which the committee knows the outcome"""


@dataclass
class Finished:
    """What the calendar of one replicate came to."""

    treated: list[Treated] = field(default_factory=list)
    not_treated: dict[int, str] = field(default_factory=dict)
    postponed: dict[int, int] = field(default_factory=dict)
    """row -> calendar day on which an infection put lymphodepletion off"""
    ended: dict[int, int] = field(default_factory=dict)
    """row with a product, not treated -> calendar day on which that was found"""
    lymphodepleted: dict[int, tuple[Ask, int]] = field(default_factory=dict)
    """row -> question and calendar day of death, for who died between lymphodepletion and infusion"""
    decisions: list[tuple[int, str, str, tuple[str, ...]]] = field(default_factory=list)
    """(day, action, level, reasons), one entry whenever the action changes"""


Fitness = Callable[[int, int], tuple[str, ...]]
"""(row, day) -> reasons why lymphodepletion may not begin; empty if it may"""
ProtocolOf = Callable[[int], Protocol]
"""row -> the version the patient is bound by"""
Calendar = Generator[Ask, Answer, Finished]
INFECTION = "active infection"


def calendar(candidates: list[Candidate], protocol_of: ProtocolOf, fitness: Fitness) -> Calendar:
    """Run the calendar of one replicate from the first product to the last infusion allowed."""
    done = Finished()
    waiting = {one.row: one for one in candidates if one.available is not None}
    done.not_treated |= {one.row: one.no_product for one in candidates if one.available is None}
    available = {row: one.available or 0 for row, one in waiting.items()}
    today = min(available.values(), default=0)
    while waiting:
        first = min(waiting, key=lambda row: (available[row], row))
        protocol = protocol_of(first)
        decision = decide(protocol.dosing, _states(protocol, done.treated, today))
        _note(done, today, decision.action, decision.level or "", decision.reasons)
        if decision.action == "stop" or decision.level is None:
            pending = [one.known for one in done.treated if one.known > today]
            if decision.action == "wait" and pending:
                today = min(pending)
                continue
            done.ended |= dict.fromkeys(waiting, today)
            done.not_treated |= dict.fromkeys(waiting, f"dosing closed: {'; '.join(decision.reasons)}")
            break
        start = max(today, available[first], _earliest(protocol, decision.level, done.treated))
        if start > max(today, available[first]) and any(today < one.known <= start for one in done.treated):
            today = min(one.known for one in done.treated if today < one.known <= start)
            continue  # an outcome comes in before the stagger has elapsed: ask the rule again
        today = start
        ask = _ask(waiting[first], protocol, decision.level, start)
        if ask.infusion > day_number(protocol.recruitment.last_infusion):
            done.ended |= dict.fromkeys(waiting, start)
            done.not_treated |= {row: _reason_at_end(one, start) for row, one in waiting.items()}
            break
        reasons = _may_not(waiting[first], ask, fitness)
        if reasons == (INFECTION,):
            done.postponed[first] = start
            available[first] = start + int(card("trial_redo_wait").to("day"))
            today = min(today, min(available.values()))
            continue
        candidate = waiting.pop(first)
        if reasons:
            done.not_treated[candidate.row] = reasons[0]
            done.ended[candidate.row] = start
            continue
        answer = yield ask
        _record(done, ask, answer)
    return done


def _record(done: Finished, ask: Ask, answer: Answer) -> None:
    """A treated patient and when the committee will know; or one who died before the infusion."""
    if answer.death is not None and answer.death < ask.infusion:
        done.not_treated[ask.row] = "died after lymphodepletion, before infusion"
        done.lymphodepleted[ask.row] = (ask, answer.death)
        return
    window = ask.protocol.safety.dose_limiting_toxicity.window.last_day
    known = ask.infusion + model_time(window) + int(ask.protocol.dosing.escalation.committee_review.to("days"))
    done.treated.append(Treated(ask=ask, answer=answer, known=known))


def _ask(candidate: Candidate, protocol: Protocol, level_name: str, start: int) -> Ask:
    level = next(one for one in protocol.dosing.levels if one.name == level_name)
    regimen = next(one for one in protocol.conditioning.regimens if one.name == protocol.conditioning.in_force)
    days = [day for drug in regimen.drugs for day in drug.days]
    gap = int(protocol.infusion.target_after_conditioning.to("days"))
    infusion = start - model_time(min(days)) + max(0, gap + model_time(max(days)))
    return Ask(
        row=candidate.row,
        lymphodepletion=start,
        infusion=infusion,
        level=level_name,
        dose=dose_to_give(candidate.cells, level),
        protocol=protocol,
        expires=candidate.expires,
    )


def _may_not(candidate: Candidate, ask: Ask, fitness: Fitness) -> tuple[str, ...]:
    day = ask.lymphodepletion
    if day >= candidate.leaves:
        return (candidate.leaving,)
    if ask.infusion >= candidate.expires:
        return ("product out of date",)
    return fitness(candidate.row, day)


def _reason_at_end(candidate: Candidate, day: int) -> str:
    return candidate.leaving if day >= candidate.leaves else "still waiting at the end of dosing"


def _states(protocol: Protocol, treated: list[Treated], today: int) -> tuple[CohortState, ...]:
    """What the committee knows today, level by level."""
    states = []
    for level in protocol.dosing.levels:
        here = [one for one in treated if one.ask.level == level.name]
        known = [one for one in here if one.known <= today]
        evaluable = [one for one in known if one.answer.free_of_dlt != Outcome.UNKNOWN]
        states.append(
            CohortState(
                level=level.name,
                evaluable=len(evaluable),
                pending=len(here) - len(known),
                dose_limiting=sum(one.answer.free_of_dlt == Outcome.FAIL for one in evaluable),
                treated=len(here),
            )
        )
    return tuple(states)


def _earliest(protocol: Protocol, level: str, treated: list[Treated]) -> int:
    """First day on which lymphodepletion may begin at this level by the stagger rules."""
    here = [one.ask.infusion for one in treated if one.ask.level == level]
    below = [one.ask.infusion for one in treated if one.ask.level != level]
    day = max([*here, *below], default=0)
    while not may_treat_next(protocol.dosing, level, here, below, day).passed:
        day += 1
    return day


def _note(done: Finished, day: int, action: str, level: str, reasons: tuple[str, ...]) -> None:
    if not done.decisions or done.decisions[-1][1:] != (action, level, reasons):
        done.decisions.append((day, action, level, reasons))
