"""From eligible patients to products at the hospital: collection, slots of the plant, release, remake."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..apheresis import accept_collection, may_collect_again
from ..apheresis.simulate import draw_collection
from ..base.streams import Keys, Streams
from ..base.units import BILLION, DAYS_PER_WEEK
from ..manufacture import next_attempt, reasons_of_failure, releasable
from ..manufacture.simulate import draw_batch
from ..protocol.schema import Protocol
from ..records import Baseline

Days = NDArray[np.int64]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One batch of one patient, in calendar days."""

    collections: int
    """collections done for it: 0 if made from the reserve"""
    received: int
    """starting material at the plant and accepted, or reserve taken out"""
    started: int
    decided: int
    """release tests are in"""


@dataclass(frozen=True, kw_only=True)
class Apheresed:
    """Patients whose cells were collected, with what the plant made; arrays are (patients,), days are calendar days."""

    referred: NDArray[np.intp]
    """place in the table of arrivals"""
    day: Days
    """first collection"""
    released: NDArray[np.bool_]
    ready: Days
    """day on which the released product is at the hospital"""
    made: Days
    """day of release"""
    cells: Numbers
    """viable transduced cells, 1e9"""
    memory_share: Numbers
    copies_per_cell: Numbers
    no_product: NDArray[np.str_]
    """why there is none; empty where there is one"""
    attempts: Days
    """batches begun"""
    history: tuple[tuple[Attempt, ...], ...]
    """per patient, the batches begun"""
    collections: Days
    """all collections done"""
    country: NDArray[np.str_]


@dataclass(frozen=True, kw_only=True)
class Eligible:
    """Patients found eligible: place among the arrivals, keys, baseline, day of the first collection, country."""

    referred: NDArray[np.intp]
    keys: Keys
    baseline: Baseline
    day: Days
    country: NDArray[np.str_]
    leaves: Days
    """days from the first collection to death or withdrawal, whichever is first; far in the future if neither"""
    leaving: NDArray[np.str_]
    """what that is, in words"""


@dataclass
class _Progress:
    """Where each patient stands while attempts go on."""

    procedures: Days
    at_hand: Numbers
    """CD3+ cells for the next batch, 1e9"""
    no_product: NDArray[np.object_]
    cells: Numbers
    memory_share: Numbers
    copies_per_cell: Numbers
    released: NDArray[np.bool_]
    legs: list[list[tuple[int, float]]]
    """per patient and batch: days from the end of what was before to arrival at the plant, and days in the plant"""
    collected_for: list[list[int]]
    """per patient and batch: collections done for it"""


def collect_and_make(protocol: Protocol, eligible: Eligible, streams: Streams) -> Apheresed:
    """Collect from everyone and make products; what the plant can start when is decided by its slots."""
    patients = len(eligible.day)
    progress = _Progress(
        procedures=np.zeros(patients, dtype=np.int64),
        at_hand=np.zeros(patients),
        no_product=np.full(patients, "", dtype=object),
        cells=np.zeros(patients),
        memory_share=np.full(patients, np.nan),
        copies_per_cell=np.full(patients, np.nan),
        released=np.zeros(patients, dtype=np.bool_),
        legs=[[] for _ in range(patients)],
        collected_for=[[] for _ in range(patients)],
    )
    making = _Making(protocol, eligible, progress, streams)
    to_plant = _transit(protocol, eligible.country, to_plant=True)
    delay = to_plant + making.collect(np.arange(patients))
    rows = np.flatnonzero(progress.no_product == "")
    for attempt in range(1, protocol.manufacture.max_attempts + 1):
        if not len(rows):
            break
        again, following = making.attempt(rows, delay[rows], attempt)
        delay[rows] = following
        rows = again
    made, history = _plant_calendar(protocol, eligible, progress)
    from_plant = _transit(protocol, eligible.country, to_plant=False)
    return Apheresed(
        referred=eligible.referred,
        day=eligible.day,
        released=progress.released,
        made=made,
        ready=made + from_plant,
        cells=progress.cells,
        memory_share=progress.memory_share,
        copies_per_cell=progress.copies_per_cell,
        no_product=progress.no_product.astype(np.str_),
        attempts=np.array([len(legs) for legs in progress.legs], dtype=np.int64),
        history=history,
        collections=progress.procedures,
        country=eligible.country,
    )


def _transit(protocol: Protocol, countries: NDArray[np.str_], *, to_plant: bool) -> Days:
    days = {
        one.code: int(np.ceil((one.transit_to_plant if to_plant else one.transit_from_plant).to("days")))
        for one in protocol.countries
    }
    return np.array([days[str(code)] for code in countries], dtype=np.int64)


@dataclass(frozen=True)
class _Making:
    """Collections and batches of all patients, in rounds; `progress` is carried on."""

    protocol: Protocol
    eligible: Eligible
    progress: _Progress
    streams: Streams

    def collect(self, rows: NDArray[np.intp]) -> Days:
        """Collect until a collection is accepted or no more are allowed; days that the repeats took, (rows,)."""
        waited = np.zeros(len(rows), dtype=np.int64)
        left = np.arange(len(rows))
        for _ in range(self.protocol.apheresis.max_procedures):
            again = np.array(
                [
                    may_collect_again(int(n), self.protocol.apheresis).passed
                    for n in self.progress.procedures[rows[left]]
                ]
            )
            stopped = left[~again.astype(np.bool_)] if len(left) else left
            self.progress.no_product[rows[stopped]] = "collection below the minimum"
            left = left[again.astype(np.bool_)] if len(left) else left
            if not len(left):
                return waited
            for number in np.unique(self.progress.procedures[rows[left]]):
                some = left[self.progress.procedures[rows[left]] == number]
                who = rows[some]
                found = draw_collection(
                    self.protocol.apheresis,
                    self.eligible.baseline.take(who),
                    self.eligible.keys.take(who),
                    self.streams,
                    int(number) + 1,
                )
                self.progress.at_hand[who] = found.cd3_cells
            waited[left] += np.where(
                self.progress.procedures[rows[left]] > 0, int(self.protocol.apheresis.interval.to("days")), 0
            )
            self.progress.procedures[rows[left]] += 1
            left = left[~accept_collection(self.progress.at_hand[rows[left]], self.protocol.apheresis).passed]
        self.progress.no_product[rows[left]] = "collection below the minimum"
        return waited

    def attempt(self, rows: NDArray[np.intp], delay: Days, attempt: int) -> tuple[NDArray[np.intp], Days]:
        """Make a batch for each row; the rows that try again, and the days all rows wait before the next batch."""
        plant = self.protocol.manufacture
        batches = draw_batch(
            plant,
            self.eligible.baseline.take(rows),
            self.progress.at_hand[rows],
            self.eligible.keys.take(rows),
            self.streams,
            attempt,
        )
        verdicts = releasable(batches, plant.release)
        for place, row in enumerate(rows.tolist()):
            self.progress.legs[row].append((int(delay[place]), float(batches.turnaround_days[place])))
            self.progress.collected_for[row].append(
                int(self.progress.procedures[row]) - sum(self.progress.collected_for[row])
            )
        released = verdicts.passed
        self.progress.released[rows] = released
        for field in ("memory_share", "copies_per_cell"):
            getattr(self.progress, field)[rows] = getattr(batches, field)
        self.progress.cells[rows] = np.where(released, batches.transduced_cells, 0)
        ways = next_attempt(plant, attempt, batches, self.protocol.apheresis.minimum_cells.to("cells") / BILLION)
        reasons = reasons_of_failure(verdicts)
        failed = ~released
        self.progress.no_product[rows[failed & (ways == "stop")]] = reasons[failed & (ways == "stop")]
        self.progress.at_hand[rows] = batches.reserve_cells
        again = np.flatnonzero(failed & (ways == "reapheresis"))
        following = np.zeros(len(rows), dtype=np.int64)
        if len(again):
            to_plant = _transit(self.protocol, self.eligible.country[rows[again]], to_plant=True)
            interval = int(self.protocol.apheresis.interval.to("days"))
            following[again] = interval + to_plant + self.collect(rows[again])
        goes_on = failed & (ways != "stop") & (self.progress.no_product[rows] == "")
        return rows[goes_on], following


def _plant_calendar(
    protocol: Protocol, eligible: Eligible, progress: _Progress
) -> tuple[Days, tuple[tuple[Attempt, ...], ...]]:
    """Day on which each patient's last batch is decided on, and all batches: slots in order of arrival at the plant."""
    every = DAYS_PER_WEEK / protocol.manufacture.slots.to("slots/week")
    finished = eligible.day.copy()
    history: list[list[Attempt]] = [[] for _ in finished]
    for replicate in np.unique(eligible.keys.replicate):
        rows = np.flatnonzero(eligible.keys.replicate == replicate)
        waiting = [
            (int(eligible.day[row]) + progress.legs[row][0][0], int(eligible.keys.site[row]), int(row), 0)
            for row in rows
            if progress.legs[row]
        ]
        heapq.heapify(waiting)
        next_slot = 0.0
        while waiting:
            arrival, site, row, attempt = heapq.heappop(waiting)
            start = max(next_slot, float(arrival))
            if start >= eligible.day[row] + eligible.leaves[row]:
                progress.released[row] = False  # gone before the plant could begin: the slot goes to the next
                progress.no_product[row] = str(eligible.leaving[row])
                continue
            next_slot = start + every
            finished[row] = int(np.ceil(start + progress.legs[row][attempt][1]))
            history[row].append(
                Attempt(
                    collections=progress.collected_for[row][attempt],
                    received=arrival,
                    started=int(np.floor(start)),
                    decided=int(finished[row]),
                )
            )
            if attempt + 1 < len(progress.legs[row]):
                again = (int(finished[row]) + progress.legs[row][attempt + 1][0], site, row, attempt + 1)
                heapq.heappush(waiting, again)
    return finished, tuple(tuple(one) for one in history)
