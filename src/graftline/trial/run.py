"""One part of a simulation: some replicates of the whole trial, from the first referral to the last visit.

What happens, in this order: accrual, baseline (of possible patients), screening, the clock of those who wait,
apheresis, manufacture, calendar (cohorts, stagger, lymphodepletion, infusion), treated courses with and without effect,
measurements, endpoints.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from ..base.clock import calendar_date, day_number
from ..base.streams import Streams
from ..base.verdict import Outcome
from ..evidence import card
from ..population import PopulationPlan
from ..population.simulate import draw_plausible_baseline
from ..protocol import ProtocolFile
from ..protocol.criteria import Moment
from ..protocol.schema import Protocol
from ..records import Baseline, Refusals
from ..screening import eligible, measurements_of
from ..screening.simulate import ScreeningResult, screen
from ..twin import Potency
from ..twin.simulate import draw_plausible_latents
from .accrual import Arrivals, draw_arrivals
from .calendar import INFECTION, Answer, Ask, Calendar, Candidate, Finished, Patients, calendar
from .making import Apheresed, Eligible, collect_and_make
from .second_infusion import second_infusions
from .supported import check_supported
from .treated import (
    NO_CELLS,
    Outcomes,
    Reading,
    Treatment,
    evaluate,
    readings,
)
from .waiting import Waiting, on_the_day, reasons_against, wait


@dataclass(frozen=True, kw_only=True)
class TreatedPatients:
    """The treated patients of a part: who (place among the apheresed), how, and outcomes with and without effect."""

    asks: tuple[Ask, ...]
    order: NDArray[np.int64]
    """k-th infusion of the replicate, from 1"""
    treatment: Treatment
    with_cells: Outcomes
    no_cells: Outcomes


@dataclass(frozen=True, kw_only=True)
class Part:
    """Everything that happened in some replicates."""

    protocol: Protocol
    replicates: NDArray[np.int64]
    arrivals: Arrivals
    version: NDArray[np.int64]
    baseline: Baseline
    refused: Refusals
    """draws of a baseline that were impossible, over everyone referred"""
    refused_underneath: Refusals
    """draws of what lies underneath that were impossible, over the apheresed"""
    screening: ScreeningResult
    apheresed: Apheresed
    waiting: Waiting
    finished: tuple[Finished, ...]
    treated: TreatedPatients | None
    """None if nobody was treated"""

    @property
    def closed(self) -> NDArray[np.int64]:
        """Calendar day on which recruitment ended in each patient's replicate, (arrivals,): nobody comes after."""
        days = {
            int(number): finished.closed if finished.closed is not None else _FAR
            for number, finished in zip(self.replicates, self.finished, strict=True)
        }
        return np.array([days[int(number)] for number in self.arrivals.keys.replicate], dtype=np.int64)


_FAR = np.iinfo(np.int32).max


def simulate_part(file: ProtocolFile, replicates: Sequence[int], seed: int) -> Part:
    """Simulate these replicates. A pure function of protocol, replicate numbers and seed.

    Raises InputError for a protocol that says something which the simulation cannot follow.
    """
    check_supported(file)
    streams, numbers = Streams(seed), np.asarray(replicates, dtype=np.int64)
    protocol = file.protocol
    arrivals = draw_arrivals(protocol, numbers, streams)
    countries = np.array([site.country for site in protocol.sites], dtype=np.str_)[arrivals.site]
    baseline, refused = draw_plausible_baseline(PopulationPlan(country=countries), arrivals.keys, streams)
    version = np.array(
        [
            file.version_index(protocol.sites[site].id, calendar_date(day))
            for site, day in zip(arrivals.site, arrivals.day, strict=True)
        ],
        dtype=np.int64,
    )
    screening = _screen(file, arrivals, version, baseline, streams)
    passed = np.flatnonzero(screening.passed)
    keys, own = arrivals.keys.take(passed), baseline.take(passed)
    latents, refused_underneath = draw_plausible_latents(own, keys, streams, Potency.of(protocol.receptor))
    waiting = wait(protocol, own, latents, keys, streams)
    eligible_patients = Eligible(
        referred=passed,
        keys=keys,
        baseline=own,
        day=arrivals.day[passed] + np.ceil(screening.days[passed]).astype(np.int64),
        country=countries[passed],
        leaves=waiting.leaves,
        leaving=waiting.leaving,
    )
    apheresed = collect_and_make(protocol, eligible_patients, streams)
    crowd = _Crowd(file, version, apheresed, waiting, streams)
    finished = _run_calendars(crowd, numbers)
    return Part(
        protocol=protocol,
        replicates=numbers,
        arrivals=arrivals,
        version=version,
        baseline=baseline,
        refused=refused,
        refused_underneath=refused_underneath,
        screening=screening,
        apheresed=apheresed,
        waiting=waiting,
        finished=finished,
        treated=_final_courses(crowd, finished),
    )


def _screen(
    file: ProtocolFile, arrivals: Arrivals, version: NDArray[np.int64], baseline: Baseline, streams: Streams
) -> ScreeningResult:
    """Screening of everyone, each by the version of the protocol they consented to."""
    found = {int(index): _screened(file.versions[index], baseline, arrivals, streams) for index in np.unique(version)}
    if not found:
        return screen(file.protocol, baseline, arrivals.keys, streams)
    results = list(found.values())
    by_version = np.searchsorted(list(found), version)
    rows = np.arange(len(version))
    columns = {
        field.name: np.stack([getattr(result, field.name) for result in results])[by_version, rows]
        for field in fields(ScreeningResult)
    }
    return ScreeningResult(**columns)


def _screened(protocol: Protocol, baseline: Baseline, arrivals: Arrivals, streams: Streams) -> ScreeningResult:
    """Screening, then the criteria that must hold before apheresis, judged on the day of collection."""
    result = screen(protocol, baseline, arrivals.keys, streams)
    measured = measurements_of(baseline)
    measured |= {name: np.zeros(len(baseline)) for name in ("active_infection", "fever")}
    known = measured["progressed_on_systemic"] + measured["intolerant_of_systemic"] + measured["refuses_systemic"]
    verdicts = eligible(protocol.eligibility, Moment.BEFORE_APHERESIS, measured)
    ahead_of_need = (known == 0) & (not protocol.apheresis.hold_until_needed)
    stopped = result.passed & (~verdicts.passed | ahead_of_need)
    reasons = [
        "still on systemic therapy, not collected ahead of need"
        if ahead_of_need[row]
        else f"before apheresis, not met: {verdicts[row].reasons[0]}"
        for row in np.flatnonzero(stopped).tolist()
    ]
    reason = result.reason.astype(object)
    reason[stopped] = reasons
    return ScreeningResult(
        days=result.days,
        passed=result.passed & ~stopped,
        last_step=result.last_step,
        reason=reason.astype(np.str_),
        criterion=result.criterion,
    )


@dataclass(frozen=True)
class _Crowd:
    """All apheresed patients of the part, as the calendars ask about them."""

    file: ProtocolFile
    version: NDArray[np.int64]
    apheresed: Apheresed
    waiting: Waiting
    streams: Streams

    def protocol_of(self, row: int) -> Protocol:
        """The version the patient is bound by."""
        return self.file.versions[int(self.version[self.apheresed.referred[row]])]

    def candidates(self, replicate: int) -> list[Candidate]:
        """The apheresed patients of one replicate, as its calendar sees them."""
        own, waiting = self.apheresed, self.waiting
        rows = np.flatnonzero(waiting.keys.replicate == replicate)
        shelf = int(self.file.protocol.manufacture.shelf_life.to("days"))
        return [
            Candidate(
                row=int(row),
                available=int(max(own.ready[row], own.day[row] + np.ceil(waiting.need[row])))
                if own.released[row]
                else None,
                no_product=str(own.no_product[row]),
                cells=float(own.cells[row]),
                expires=int(own.made[row]) + shelf,
                leaves=int(own.day[row] + waiting.leaves[row]),
                leaving=str(waiting.leaving[row]),
                weight_kg=float(waiting.baseline.weight[row]),
            )
            for row in rows
        ]

    def patients(self) -> Patients:
        """What one calendar may ask; an infection counts the first time only."""
        looked_at: set[int] = set()

        def against(row: int, day: int) -> tuple[str, ...]:
            since = day - int(self.apheresed.day[row])
            reasons = reasons_against(self.protocol_of(row), self.waiting, row, since, looked_at=row in looked_at)
            if reasons == (INFECTION,):
                looked_at.add(row)
            return reasons

        return Patients(
            protocol_of=self.protocol_of,
            against_lymphodepletion=against,
            on_the_day=lambda row: on_the_day(self.protocol_of(row), self.waiting, row),
        )

    def treatment(self, asks: Sequence[Ask]) -> Treatment:
        """The batch of courses that these questions ask for."""
        rows = np.array([ask.row for ask in asks], dtype=np.intp)
        since = np.array([ask.lymphodepletion for ask in asks], dtype=np.int64) - self.apheresed.day[rows]
        return Treatment(
            keys=self.waiting.keys.take(rows),
            latents=self.waiting.latents.take(rows),
            start=self.waiting.states_on(rows, since),
            protocols=tuple(ask.protocol for ask in asks),
            conditioning_starts=tuple(tuple(start - ask.infusion for start in ask.conditioning) for ask in asks),
            egfr=self.waiting.baseline.egfr[rows],
            cells=np.array([ask.dose.given for ask in asks]),
            target=np.array([ask.dose.assigned for ask in asks]),
            memory_share=self.apheresed.memory_share[rows],
            copies_per_cell=self.apheresed.copies_per_cell[rows],
            clocks=self.waiting.clocks_after(rows, since),
            decompensated=np.asarray(self.waiting.decompensation[rows] <= since, dtype=np.bool_),
            second_day=np.full(len(rows), np.nan),
            second_cells=np.full(len(rows), np.nan),
        )


def cut_days(protocol: Protocol) -> int:
    """Calendar day of the data cut."""
    return day_number(protocol.recruitment.data_cutoff)


def _last_days(protocol: Protocol, asks: Sequence[Ask]) -> NDArray[np.int64]:
    """Last day of observation of each treated patient, in model time."""
    infusion = np.array([ask.infusion for ask in asks], dtype=np.int64)
    return np.minimum(int(card("trial_followup").to("day")), np.maximum(cut_days(protocol) - infusion, 0))


def _run_calendars(crowd: _Crowd, replicates: NDArray[np.int64]) -> tuple[Finished, ...]:
    """All calendars side by side: one batch of courses for the questions that are open at a time."""
    running: dict[int, Calendar] = {}
    finished: dict[int, Finished] = {}
    open_asks: dict[int, Ask] = {}

    def step(number: int, answer: Answer | None) -> None:
        try:
            open_asks[number] = next(running[number]) if answer is None else running[number].send(answer)
        except StopIteration as stop:
            finished[number] = stop.value
            open_asks.pop(number, None)

    for number in replicates.tolist():
        running[number] = calendar(crowd.candidates(number), crowd.patients())
        step(number, None)
    while open_asks:
        numbers, asks = zip(*sorted(open_asks.items(), key=lambda item: item[0]), strict=True)
        outcomes = evaluate(crowd.treatment(asks), _last_days(crowd.file.protocol, asks), crowd.streams)
        for place, (number, ask) in enumerate(zip(numbers, asks, strict=True)):
            step(number, _answer(ask, outcomes, place))
    return tuple(finished[number] for number in replicates.tolist())


def _answer(ask: Ask, outcomes: Outcomes, place: int) -> Answer:
    """What the calendar learns of a treated course, in calendar days."""
    death, toxicity = outcomes.death_day[place], outcomes.toxicity[place]
    return Answer(
        free_of_dlt=Outcome(toxicity.free),
        evaluable=toxicity.evaluable,
        dlt_day=None if toxicity.first_day is None else ask.infusion + toxicity.first_day,
        death=ask.infusion + int(death) if np.isfinite(death) else None,
    )


def _final_courses(crowd: _Crowd, finished: Sequence[Finished]) -> TreatedPatients | None:
    """The courses of everyone treated, with second infusions, once more with cells and once without their effect."""
    asks = tuple(one.ask for replicate in finished for one in replicate.treated)
    if not asks:
        return None
    order = [place + 1 for replicate in finished for place in range(len(replicate.treated))]
    first = crowd.treatment(asks)
    last = _last_days(crowd.file.protocol, asks)
    with_cells = evaluate(first, last, crowd.streams)
    countries = [str(crowd.apheresed.country[ask.row]) for ask in asks]
    treatment = second_infusions(first, asks, with_cells, countries, crowd.streams)
    again = bool(np.any(~np.isnan(treatment.second_day)))
    return TreatedPatients(
        asks=asks,
        order=np.array(order, dtype=np.int64),
        treatment=treatment,
        with_cells=evaluate(treatment, last, crowd.streams) if again else with_cells,
        no_cells=evaluate(treatment, last, crowd.streams, NO_CELLS),
    )


def readings_of(part: Part, seed: int) -> tuple[Reading, ...]:
    """What the laboratory reports of the treated patients of a part."""
    assert part.treated is not None, "nobody was treated"
    return readings(part.protocol.assessments, part.treated.treatment, part.treated.with_cells, Streams(seed))
