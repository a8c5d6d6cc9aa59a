"""One part of a simulation: some replicates of the whole trial, from the first referral to the last visit.

What happens, in this order: accrual, baseline, screening, apheresis, manufacture, waiting, calendar (cohorts, stagger,
lymphodepletion, infusion), treated courses with and without kill, measurements, endpoints.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from ..base.clock import calendar_date, day_number
from ..base.streams import Streams
from ..evidence import card
from ..population import PopulationPlan
from ..population.simulate import draw_baseline
from ..protocol import ProtocolFile
from ..protocol.schema import Protocol
from ..records import Baseline
from ..screening.simulate import ScreeningResult, screen
from ..twin.simulate import draw_latents
from .accrual import Arrivals, draw_arrivals
from .calendar import INFECTION, Answer, Ask, Calendar, Candidate, Finished, Fitness, calendar
from .making import Apheresed, Eligible, collect_and_make
from .second_infusion import second_infusions
from .treated import Outcomes, Reading, Treatment, evaluate, readings
from .waiting import Waiting, reasons_against, wait


@dataclass(frozen=True, kw_only=True)
class TreatedPatients:
    """The treated patients of a part: who (place among the apheresed), how, and the outcomes with and without kill."""

    asks: tuple[Ask, ...]
    order: NDArray[np.int64]
    """k-th infusion of the replicate, from 1"""
    treatment: Treatment
    with_kill: Outcomes
    without_kill: Outcomes


@dataclass(frozen=True, kw_only=True)
class Part:
    """Everything that happened in some replicates."""

    protocol: Protocol
    replicates: NDArray[np.int64]
    arrivals: Arrivals
    version: NDArray[np.int64]
    baseline: Baseline
    screening: ScreeningResult
    apheresed: Apheresed
    waiting: Waiting
    finished: tuple[Finished, ...]
    treated: TreatedPatients | None
    """None if nobody was treated"""


def simulate_part(file: ProtocolFile, replicates: Sequence[int], seed: int) -> Part:
    """Simulate these replicates. A pure function of protocol, replicate numbers and seed."""
    streams, numbers = Streams(seed), np.asarray(replicates, dtype=np.int64)
    protocol = file.protocol
    arrivals = draw_arrivals(protocol, numbers, streams)
    countries = np.array([site.country for site in protocol.sites], dtype=np.str_)
    baseline = draw_baseline(PopulationPlan(country=countries[arrivals.site]), arrivals.keys, streams)
    version = np.array(
        [
            file.version_index(protocol.sites[site].id, calendar_date(day))
            for site, day in zip(arrivals.site, arrivals.day, strict=True)
        ],
        dtype=np.int64,
    )
    screening = _screen(file, arrivals, version, baseline, streams)
    passed = np.flatnonzero(screening.passed)
    interval = int(protocol.apheresis.interval.to("days"))
    eligible = Eligible(
        referred=passed,
        keys=arrivals.keys.take(passed),
        baseline=baseline.take(passed),
        day=arrivals.day[passed] + np.ceil(screening.days[passed]).astype(np.int64) + interval,
        country=countries[arrivals.site[passed]],
    )
    apheresed = collect_and_make(protocol, eligible, streams)
    keys, own = arrivals.keys.take(apheresed.referred), baseline.take(apheresed.referred)
    waiting = wait(protocol, own, draw_latents(own, keys, streams), keys, streams)
    crowd = _Crowd(file, arrivals, version, apheresed, waiting, streams)
    finished = _run_calendars(crowd, numbers)
    return Part(
        protocol=protocol,
        replicates=numbers,
        arrivals=arrivals,
        version=version,
        baseline=baseline,
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
    found = {int(index): screen(file.versions[index], baseline, arrivals.keys, streams) for index in np.unique(version)}
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


@dataclass(frozen=True)
class _Crowd:
    """All apheresed patients of the part, as the calendars ask about them."""

    file: ProtocolFile
    arrivals: Arrivals
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
        died = waiting.death <= waiting.withdrawal
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
                leaving="died while waiting" if died[row] else "withdrew while waiting",
            )
            for row in rows
        ]

    def fitness(self) -> Fitness:
        """Reasons against lymphodepletion, by row and calendar day; an infection counts the first time only."""
        looked_at: set[int] = set()

        def against(row: int, day: int) -> tuple[str, ...]:
            since = day - int(self.apheresed.day[row])
            reasons = reasons_against(self.protocol_of(row), self.waiting, row, since, looked_at=row in looked_at)
            if reasons == (INFECTION,):
                looked_at.add(row)
            return reasons

        return against

    def treatment(self, asks: Sequence[Ask]) -> Treatment:
        """The batch of courses that these questions ask for."""
        rows = np.array([ask.row for ask in asks], dtype=np.intp)
        since = np.array([ask.lymphodepletion for ask in asks], dtype=np.int64) - self.apheresed.day[rows]
        regimen = [
            next(one for one in ask.protocol.conditioning.regimens if one.name == ask.protocol.conditioning.in_force)
            for ask in asks
        ]
        return Treatment(
            keys=self.waiting.keys.take(rows),
            latents=self.waiting.latents.take(rows),
            start=self.waiting.states_on(rows, since),
            regimen=tuple(regimen),
            egfr=self.waiting.baseline.egfr[rows],
            cells=np.array([ask.dose.given for ask in asks]),
            memory_share=self.apheresed.memory_share[rows],
            copies_per_cell=self.apheresed.copies_per_cell[rows],
            clocks=self.waiting.clocks_after(rows, since),
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
        running[number] = calendar(crowd.candidates(number), crowd.protocol_of, crowd.fitness())
        step(number, None)
    while open_asks:
        numbers, asks = zip(*sorted(open_asks.items(), key=lambda item: item[0]), strict=True)
        treatment = crowd.treatment(asks)
        protocol = crowd.file.protocol
        outcomes = evaluate(protocol, treatment, _last_days(protocol, asks), crowd.streams, with_kill=True)
        for place, (number, ask) in enumerate(zip(numbers, asks, strict=True)):
            death = outcomes.death_day[place]
            day = int(death) + ask.infusion if np.isfinite(death) else None
            step(number, Answer(free_of_dlt=int(outcomes.free_of_dlt[place]), death=day))
    return tuple(finished[number] for number in replicates.tolist())


def _final_courses(crowd: _Crowd, finished: Sequence[Finished]) -> TreatedPatients | None:
    """The courses of everyone treated, with second infusions, once more with and once without kill."""
    asks = tuple(one.ask for replicate in finished for one in replicate.treated)
    if not asks:
        return None
    order = [place + 1 for replicate in finished for place in range(len(replicate.treated))]
    protocol, treatment = crowd.file.protocol, crowd.treatment(asks)
    last = _last_days(protocol, asks)
    first = evaluate(protocol, treatment, last, crowd.streams, with_kill=True)
    treatment = second_infusions(protocol, treatment, asks, first, crowd.streams)
    again = first
    if not np.all(np.isnan(treatment.second_day)):
        again = evaluate(protocol, treatment, last, crowd.streams, with_kill=True)
    return TreatedPatients(
        asks=asks,
        order=np.array(order, dtype=np.int64),
        treatment=treatment,
        with_kill=again,
        without_kill=evaluate(protocol, treatment, last, crowd.streams, with_kill=False),
    )


def readings_of(part: Part, seed: int) -> tuple[Reading, ...]:
    """What the laboratory reports of the treated patients of a part."""
    assert part.treated is not None, "nobody was treated"
    return readings(part.protocol, part.treated.treatment, part.treated.with_kill, Streams(seed))
