"""The simulated patients on the tables of the journey: what happened to whom when, every step of it legal.

Course and bags follow the simulated plant. After death or withdrawal before release the course ends on that day,
although the simulated plant keeps its slot. A second infusion without repeated conditioning is not walked: the rule of
the infusion window has no day to count from. Steps after the data cut are left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, time
from functools import cache

import numpy as np

from ..assessment import TimeToEvent
from ..base.clock import calendar_date, model_time
from ..base.verdict import PASSED, Outcome, Verdict
from ..evidence import card
from ..infusion import Bedside, dose_range
from ..journey import MACHINES, Facts, Signed, Stagger, advance, all_guards
from ..records import Dose
from .calendar import Ask, Finished, Lymphodepleted, days_after_conditioning, days_to_infusion
from .run import Part, cut_days

_ONE_PER_PATIENT = ("subject", "course")


@dataclass(frozen=True)
class Event:
    """One step of one object: calendar day, machine, number of the bag, shipment or infusion (from 1), transition."""

    day: int
    machine: str
    number: int
    transition: str


@dataclass(frozen=True)
class Walked:
    """A step as taken: place of the patient among the arrivals, event, state before and after."""

    referred: int
    event: Event
    before: str
    after: str


@dataclass(frozen=True, kw_only=True)
class _Given:
    """One infusion of a patient: its question, dose, days and what the stagger counts."""

    ask: Ask
    dose: Dose
    lymphodepletion: int
    infusion: int
    stagger: Stagger

    @property
    def within_range(self) -> bool:
        return self.dose.within_range


@dataclass(frozen=True, kw_only=True)
class _Fate:
    """What became of an apheresed patient: infusions, or why and when there was none, and the end."""

    given: tuple[_Given, ...]
    conditioned: _Given | None
    """the infusion that was planned, of a patient who had lymphodepletion and no cells"""
    abandoned: int | None
    """day on which it was given up; None for who died before"""
    postponed: int | None
    ended: int | None
    why: str
    dies: float
    withdraws: float
    progression: TimeToEvent | None


def walk(part: Part) -> dict[str, int]:
    """How often each transition was taken; raises AssertionError at the first that the tables do not allow."""
    counts = Counter(f"{one.event.machine}.{one.event.transition}" for one in steps(part))
    return dict(sorted(counts.items()))


def steps(part: Part) -> Iterator[Walked]:
    """Every step of every referred patient, by patient and day; raises AssertionError at an illegal one."""
    fates, last = _fates(part), cut_days(part.protocol)
    rows = {int(referred): row for row, referred in enumerate(part.apheresed.referred)}
    for referred in range(len(part.arrivals)):
        closed = int(part.closed[referred])
        if part.arrivals.day[referred] > closed:
            continue  # recruitment had ended: nobody was referred any more
        row = rows.get(referred)
        if row is not None and part.apheresed.day[row] > closed:
            row = None  # recruitment ended before the collection
        events = [event for event in _until_eligible(part, referred) if event.day <= closed or row is not None]
        fate = None if row is None else fates[row]
        if row is not None and fate is not None:
            events += _collection_and_product(part, row, fate) + _treatment_and_end(part, row, fate)
        events.sort(key=lambda event: event.day)
        yield from _walked(part, referred, fate, [event for event in events if event.day <= last])


def _walked(part: Part, referred: int, fate: _Fate | None, events: list[Event]) -> Iterator[Walked]:
    """Take the steps on the tables. Objects begin in the first state of their table."""
    standing: dict[tuple[str, int], str] = {}
    collections = 0
    for event in events:
        machine = MACHINES[event.machine]
        own = (event.machine, 1 if event.machine in _ONE_PER_PATIENT else event.number)
        before = standing.get(own, machine.initial)
        facts = _in_order(event.machine, event.transition)
        if fate is not None:
            facts = replace(facts, protocol=part.protocol, collections=collections, linked=_linked(standing, event))
            if event.transition in _ASK_FOR_THE_BEDSIDE:
                given = fate.conditioned or fate.given[event.number - 1]
                facts = _at_the_bedside(facts, given, repeats=event.transition == "repeat_lymphodepletion")
        found = advance(machine, before, event.transition, facts)
        assert found.verdict.passed, f"patient {referred}: {event} from {before}: {'; '.join(found.verdict.reasons)}"
        standing[own] = found.state
        collections += (event.machine, event.transition) == ("course", "collect")
        yield Walked(referred, event, before, found.state)


def _linked(standing: dict[tuple[str, int], str], event: Event) -> dict[str, frozenset[str]]:
    """States of the objects that belong to an event: the subject, its course, and what carries the same number."""
    found: dict[str, frozenset[str]] = {}
    for name, machine in MACHINES.items():
        if name == "bag" and event.machine == "course":
            bags = frozenset(state for (kind, _), state in standing.items() if kind == "bag")
            found[name] = bags
        else:
            number = 1 if name in _ONE_PER_PATIENT else event.number
            found[name] = frozenset({standing.get((name, number), machine.initial)})
    return found


_ASK_FOR_THE_BEDSIDE = {
    "clear_lymphodepletion",
    "start_lymphodepletion",
    "repeat_lymphodepletion",
    "clear_infusion",
    "infuse",
    "infuse_below_range",
}
_CODE = "the patient's code"
_BAGS = frozenset({"the patient's bag"})


@cache
def _in_order(machine: str, transition: str) -> Facts:
    """Facts of a step whose administration is in order (it is not simulated), with the verdicts already drawn."""
    ways = [one for one in MACHINES[machine].transitions if one.name == transition]
    signed = [
        Signed(
            person=f"{sign.role}, {sign.meaning}", role=sign.role, meaning=sign.meaning, delegated=True, trained=True
        )
        for way in ways
        for sign in way.signs
    ]
    judged = {name: PASSED for name in all_guards() if name.startswith("eligible_")}
    judged |= {"collection_is_enough": PASSED, "in_specification": PASSED}
    if transition == "hold_out_of_specification":
        judged["in_specification"] = Verdict(Outcome.FAIL, ("release test out of specification",))
    return Facts(
        patient=_CODE,
        scans=(_CODE,),
        bags_scanned=_BAGS,
        bags_on_manifest=_BAGS,
        confirmed=dict.fromkeys([*all_guards(), "cohort_open"], True),
        decided=judged,
        signed=tuple(signed),
    )


def _at_the_bedside(facts: Facts, given: _Given, *, repeats: bool) -> Facts:
    """The facts that the rules of lymphodepletion and infusion ask for, from the simulated treatment."""
    first = replace(given.ask, conditioning=given.ask.conditioning[:1], infusion=given.ask.conditioning[-1])
    since = days_after_conditioning(first if repeats else given.ask)
    now = datetime.combine(calendar_date(given.infusion), time())
    bedside = Bedside(
        patient=_CODE,
        wristband=_CODE,
        bag_identities=(_CODE,),
        bags_scanned=_BAGS,
        bags_on_manifest=_BAGS,
        second_person_agrees=True,
        expires=datetime.combine(calendar_date(given.ask.expires), time()),
        now=now,
        active_infection=False,
        fever=False,
        tocilizumab_doses=given.ask.protocol.infusion.minimum_tocilizumab_doses,
        days_after_conditioning=since,
        weight_kg=given.ask.weight_kg,
    )
    in_date = given.infusion < given.ask.expires
    return replace(
        facts,
        protocol=given.ask.protocol,
        stagger=given.stagger,
        dose=given.dose,
        bedside=bedside,
        cells_usable=in_date,
        may_repeat_conditioning=in_date,
        confirmed={**facts.confirmed, "product_in_date": in_date},
    )


def _until_eligible(part: Part, referred: int) -> list[Event]:
    """Referral to the end of screening."""
    screening, first = part.screening, int(part.arrivals.day[referred])
    passed = bool(screening.passed[referred])
    last = first + int(np.ceil(screening.days[referred]))
    steps_done = part.protocol.screening
    reached = min(int(screening.last_step[referred]), len(steps_done) - 1)
    names = ["consent_to_prescreening", "begin_prescreening"]
    events = [Event(first, "subject", 1, name) for name in names]
    if passed or steps_done[reached].stage == "screening":
        events += [Event(last, "subject", 1, name) for name in ("consent_to_trial", "begin_screening")]
    if passed:
        return [*events, *(Event(last, "subject", 1, name) for name in ("find_eligible", "hold_slot"))]
    ending = {"died": "die", "withdrew": "withdraw"}.get(str(screening.reason[referred]), "fail_screening")
    return [*events, Event(last, "subject", 1, ending)]


def _collection_and_product(part: Part, row: int, fate: _Fate) -> list[Event]:
    """Collections, batches, release and the way to the hospital."""
    own, interval = part.apheresed, int(part.protocol.apheresis.interval.to("days"))
    history = own.history[row]
    events: list[Event] = []
    day = int(own.day[row])
    for place, batch in enumerate(history):
        if place:
            decided = history[place - 1].decided
            day = decided + interval
            again = batch.collections > 0
            events.append(Event(decided, "course", 1, "collect_again" if again else "remake"))
            if again:
                events.append(Event(decided, "subject", 1, "book_another_collection"))
        if batch.collections:
            events += _collections(day, interval, batch.collections)
            sent = day + interval * (batch.collections - 1)
            events.append(Event(sent, "course", 1, "ship_to_plant"))
            events += [Event(batch.received, "course", 1, name) for name in ("receive_at_plant", "accept")]
        events.append(Event(batch.started, "course", 1, "start_manufacture"))
        released = bool(own.released[row]) and place == len(history) - 1
        names = ("finish_manufacture", "release" if released else "hold_out_of_specification")
        events += [Event(batch.decided, "course", 1, name) for name in names]
    left_over = int(own.collections[row]) - sum(one.collections for one in history)
    if left_over > 0:
        if history:
            day = history[-1].decided + interval
            events.append(Event(history[-1].decided, "course", 1, "collect_again"))
            events.append(Event(history[-1].decided, "subject", 1, "book_another_collection"))
        events += _collections(day, interval, left_over)
    leaves = _leaves(part, row, fate)
    released_by_then = bool(own.released[row]) and int(own.made[row]) <= leaves
    if not released_by_then:
        events = [event for event in events if event.day <= leaves]
    else:
        events += _to_hospital(1, int(own.made[row]), int(own.ready[row]))
    return events + _end_of_material(part, row, fate, events, leaves)


def _collections(day: int, interval: int, number: int) -> list[Event]:
    """Collections at intervals until one is enough; the subject is called again each time."""
    events: list[Event] = []
    for k in range(number):
        now = day + k * interval
        if k:
            before = now - interval
            events.append(Event(before, "course", 1, "collect_again"))
            events.append(Event(before, "subject", 1, "book_another_collection"))
        events.append(Event(now, "subject", 1, "ready_for_collection"))
        events += [Event(now, "course", 1, "collect"), Event(now, "subject", 1, "collect")]
    return events


def _to_hospital(number: int, sent: int, arrives: int) -> list[Event]:
    """One bag in one shipment, from release to the store of the hospital."""
    out = [("bag", "release"), ("shipment", "dispatch"), ("bag", "ship")]
    there = [
        ("shipment", "arrive"),
        ("shipment", "receive"),
        ("bag", "receive"),
        ("bag", "store"),
        ("shipment", "file"),
    ]
    return [Event(sent, machine, number, name) for machine, name in out] + [
        Event(arrives, machine, number, name) for machine, name in there
    ]


def _leaves(part: Part, row: int, fate: _Fate) -> int:
    """Calendar day of death or withdrawal of a patient who was not treated; the day after the data cut if neither."""
    if fate.given:
        return cut_days(part.protocol) + 1
    return int(min(fate.dies, fate.withdraws, cut_days(part.protocol) + 1))


def _end_of_material(part: Part, row: int, fate: _Fate, events: list[Event], leaves: int) -> list[Event]:
    """What becomes of the cells of a patient who was not treated: destroyed once nobody needs them."""
    if fate.given:
        return []
    last = max((event.day for event in events), default=leaves)
    if fate.conditioned is not None:
        over = leaves if fate.abandoned is None else fate.abandoned
        return [Event(over, "bag", 1, "destroy"), Event(over, "course", 1, "destroy")]
    day = max(last, min(leaves, fate.ended if fate.ended is not None else last))
    if not any(event.machine == "course" and event.transition == "collect" for event in events):
        return [Event(day, "course", 1, "cancel")]
    found = []
    if fate.why == "product out of date":
        found.append(Event(day, "course", 1, "expire"))
    if any(event.machine == "bag" for event in events):
        found.append(Event(day, "bag", 1, "destroy"))
    return [*found, Event(day, "course", 1, "destroy")]


def _treatment_and_end(part: Part, row: int, fate: _Fate) -> list[Event]:
    """Infusions, or the reason why there was none; then follow-up and the end."""
    events: list[Event] = []
    leaves = _leaves(part, row, fate)
    if fate.postponed is not None and fate.postponed <= leaves:
        events.append(Event(fate.postponed, "subject", 1, "hold_for_rescreen"))
        if fate.given:
            events.append(Event(fate.given[0].lymphodepletion, "subject", 1, "pass_rescreen"))
    if fate.conditioned is not None:
        events += _without_cells(part, fate, fate.conditioned)
    for k, given in enumerate(fate.given):
        events += _one_infusion(part, row, given, k + 1)
    if fate.given:
        events.append(Event(fate.given[-1].infusion, "course", len(fate.given), "close"))
        events += _after_infusion(fate)
    elif fate.conditioned is None and fate.ended is not None and fate.ended < leaves:
        events.append(Event(fate.ended, "subject", 1, "lose_eligibility"))
    if fate.given and np.isfinite(fate.dies):
        events.append(Event(int(fate.dies), "subject", 1, "die"))
    elif not fate.given and leaves <= cut_days(part.protocol):
        events.append(Event(leaves, "subject", 1, "die" if fate.dies <= fate.withdraws else "withdraw"))
    return events


def _without_cells(part: Part, fate: _Fate, given: _Given) -> list[Event]:
    """Lymphodepletion without an infusion: death before it, or given up and rescued."""
    ends = _leaves(part, 0, fate) if fate.abandoned is None else fate.abandoned
    events = []
    if fate.postponed is not None:
        events.append(Event(given.lymphodepletion, "subject", 1, "pass_rescreen"))
    events += [event for event in _conditioned(given.ask, 1) if event.day <= ends]
    if fate.abandoned is not None:
        events += [Event(ends, "infusion", 1, name) for name in ("abandon", "close_abandoned")]
        events.append(Event(ends, "subject", 1, "rescue"))
    return events


def _one_infusion(part: Part, row: int, given: _Given, number: int) -> list[Event]:
    own, start, day = part.apheresed, given.lymphodepletion, given.infusion
    events: list[Event] = []
    if number > 1:
        events += _to_hospital(number, start - int(own.ready[row] - own.made[row]), start)
    events += _conditioned(given.ask, number)
    infuse = "infuse" if given.within_range else "infuse_below_range"
    at_bedside = [("infusion", "clear_infusion"), ("bag", "thaw"), ("infusion", "thaw"), ("infusion", infuse)]
    after = [("bag", "give"), ("subject", "begin_day_1"), ("bag", "close"), ("infusion", "close")]
    return events + [Event(day, machine, number, name) for machine, name in (*at_bedside, *after)]


def _conditioned(ask: Ask, number: int) -> list[Event]:
    """Lymphodepletion of one infusion, with what put the infusion off and lymphodepletion again, up to the infusion."""
    start = ask.lymphodepletion
    first = [("infusion", "clear_lymphodepletion"), ("infusion", "start_lymphodepletion")]
    events = [Event(start, machine, number, name) for machine, name in first]
    if number == 1:
        events.append(Event(start, "subject", number, "start_treatment"))
    for place, begun in enumerate(ask.conditioning):
        if place:
            events.append(Event(begun, "infusion", number, "repeat_lymphodepletion"))
        over = begun + days_to_infusion(ask.protocol) - _planned_gap(ask)
        events.append(Event(over, "infusion", number, "finish_lymphodepletion"))
        if ask.put_off and not place:
            events.append(Event(begun + days_to_infusion(ask.protocol), "infusion", number, "delay"))
    return events


def _planned_gap(ask: Ask) -> int:
    """Days from the last chemotherapy to the infusion as planned."""
    planned = ask.lymphodepletion + days_to_infusion(ask.protocol)
    return days_after_conditioning(replace(ask, conditioning=(ask.lymphodepletion,), infusion=planned))


def _after_infusion(fate: _Fate) -> list[Event]:
    """End of the acute phase of each infusion, and of the main part at progression or the end of its visits."""
    events = []
    last = fate.given[-1]
    for k, given in enumerate(fate.given):
        window = given.ask.protocol.safety.dose_limiting_toxicity.window.last_day
        over = given.infusion + model_time(window) + 1
        following = fate.given[k + 1].infusion if k + 1 < len(fate.given) else None
        if over < fate.dies and (following is None or over < following):
            events.append(Event(over, "subject", 1, "end_acute"))
    over = last.infusion + model_time(last.ask.protocol.safety.dose_limiting_toxicity.window.last_day) + 1
    first, found = fate.given[0].infusion, fate.progression
    progressed = found is not None and found.event and found.reason != "death"
    main = first + (found.days if found is not None and progressed else int(card("trial_followup").to("day")))
    if max(main, over) < fate.dies:
        events.append(Event(max(main, over), "subject", 1, "begin_long_term_follow_up"))
    return events


def _fates(part: Part) -> list[_Fate]:
    """What became of each apheresed patient."""
    own, waiting = part.apheresed, part.waiting
    infusions: dict[int, tuple[tuple[_Given, ...], float, TimeToEvent]] = {}
    place = 0
    for finished in part.finished:
        for k, one in enumerate(finished.treated):
            assert part.treated is not None, "a treated patient has a course"
            outcomes = part.treated.with_cells
            death = float(outcomes.death_day[place])
            dies = one.ask.infusion + death if death <= outcomes.last_day[place] else np.inf
            given = (_first(finished, k), *_second(part, place))
            infusions[one.ask.row] = (given, dies, outcomes.seen.progression[place])
            place += 1
    ends = {row: day for finished in part.finished for row, day in finished.ended.items()}
    postponed = {row: day for finished in part.finished for row, day in finished.postponed.items()}
    begun = {
        row: (_lymphodepleted(finished, one), one)
        for finished in part.finished
        for row, one in finished.lymphodepleted.items()
    }
    why = {row: reason for finished in part.finished for row, reason in finished.not_treated.items()}
    fates = []
    for row in range(len(own.day)):
        given, dies, progression = infusions.get(row, ((), float(own.day[row] + np.floor(waiting.death[row])), None))
        conditioned, found = begun.get(row, (None, None))
        dies = float(found.day) if found is not None and found.died else dies
        fates.append(
            _Fate(
                given=given,
                conditioned=conditioned,
                abandoned=found.day if found is not None and not found.died else None,
                postponed=postponed.get(row),
                ended=None if given or conditioned is not None else _ended(part, row, ends),
                why=why.get(row, ""),
                dies=dies,
                withdraws=np.inf
                if conditioned is not None
                else float(own.day[row] + np.floor(waiting.withdrawal[row])),
                progression=progression,
            )
        )
    return fates


def _ended(part: Part, row: int, ends: dict[int, int]) -> int:
    """Day from which an untreated patient is known not to get cells: never before the last attempt was decided."""
    own = part.apheresed
    if own.released[row]:
        return max(ends[row], int(own.ready[row]))
    interval = int(part.protocol.apheresis.interval.to("days"))
    history = own.history[row]
    left_over = int(own.collections[row]) - sum(one.collections for one in history)
    if history:
        return history[-1].decided + interval * left_over
    return int(own.day[row]) + interval * max(left_over - 1, 0)


def _first(finished: Finished, k: int) -> _Given:
    return _planned(finished.treated[k].ask, [one.ask for one in finished.treated[:k]])


def _lymphodepleted(finished: Finished, found: Lymphodepleted) -> _Given:
    """The infusion planned for a patient who was conditioned and got no cells."""
    ask = found.ask
    return _planned(ask, [one.ask for one in finished.treated if one.ask.infusion <= ask.lymphodepletion])


def _planned(ask: Ask, before: list[Ask]) -> _Given:
    return _Given(
        ask=ask,
        dose=ask.dose,
        lymphodepletion=ask.lymphodepletion,
        infusion=ask.infusion,
        stagger=Stagger(
            level=ask.level,
            infusions_here=tuple(one.infusion for one in before if one.level == ask.level),
            infusions_elsewhere=tuple(one.infusion for one in before if one.level != ask.level),
            today=ask.lymphodepletion,
        ),
    )


def _second(part: Part, place: int) -> tuple[_Given, ...]:
    """The second infusion, if there was one; the stagger is between first infusions and does not count here."""
    assert part.treated is not None, "a treated patient has a course"
    treatment, ask = part.treated.treatment, part.treated.asks[place]
    if np.isnan(treatment.second_day[place]) or not part.protocol.dosing.second_infusion.repeat_conditioning:
        return ()
    day, cells = ask.infusion + int(treatment.second_day[place]), float(treatment.second_cells[place])
    level = next(one for one in ask.protocol.dosing.levels if one.name == ask.level)
    start, allowed = day - days_to_infusion(ask.protocol), dose_range(level, ask.weight_kg)
    dose = Dose(
        assigned=ask.dose.assigned,
        achieved=ask.dose.achieved - ask.dose.given,
        given=cells,
        within_range=allowed is not None and cells >= allowed.lowest,
    )
    stagger = Stagger(level=ask.level, infusions_here=(), infusions_elsewhere=(), today=start)
    again = replace(ask, lymphodepletion=start, conditioning=(start,), infusion=day, put_off="")
    return (_Given(ask=again, dose=dose, lymphodepletion=start, infusion=day, stagger=stagger),)
