"""RECIST 1.1 at one visit: target lesions, other lesions and new lesions put together.

Eisenhauer et al., Eur J Cancer 2009;45:228. Pure rules; one real patient is the case of one row.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, auto

import numpy as np
from numpy.typing import NDArray

from ..base.verdict import Verdict, check
from .parameters import recist_limits

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
Codes = NDArray[np.int8]


class Response(IntEnum):
    """What a visit, or a whole course, is called; best first, so the smaller number is the better response."""

    CR = 1
    PR = 2
    SD = auto()
    NON_CR_NON_PD = auto()
    """neither, in a patient without target lesions"""
    PD = auto()
    NE = auto()
    """not evaluable"""
    ND = auto()
    """the visit was not done"""
    MISSING = auto()
    """no assessment at all"""

    @property
    def label(self) -> str:
        """The CDISC term, for example NON-CR/NON-PD."""
        return "NON-CR/NON-PD" if self is Response.NON_CR_NON_PD else self.name


class NonTarget(IntEnum):
    """How the lesions that are not measured do."""

    NONE = 0
    """there were none at baseline"""
    CR = 1
    NON_CR_NON_PD = 2
    PD = auto()
    """unequivocal progression"""
    NE = auto()


@dataclass(frozen=True, kw_only=True)
class BaselineScan:
    """The last scan before lymphodepletion: target lesions in fixed order, the rest in a word."""

    day: int
    diameters_mm: tuple[float, ...]
    """longest diameter, short axis for nodes"""
    is_node: tuple[bool, ...]
    organs: tuple[str, ...] = ()
    non_target_present: bool = False

    def __post_init__(self) -> None:
        assert len(self.diameters_mm) == len(self.is_node), "say of each target lesion whether it is a node"
        assert len(self.organs) in (0, len(self.diameters_mm)), "name the organ of each target lesion, or of none"


@dataclass(frozen=True, kw_only=True)
class Scan:
    """One later scan. Days run without a gap (calendar day numbers or model time, not protocol days)."""

    day: int
    diameters_mm: tuple[float, ...]
    """in the order of the baseline; 0 gone, NaN not assessed"""
    non_target: NonTarget = NonTarget.NONE
    new_lesion: bool = False


@dataclass(frozen=True, kw_only=True)
class VisitResponse:
    """The response at one visit with what it was made from. `sum_mm` is NaN if a target lesion was not assessed."""

    day: int
    response: Response
    target: Response
    non_target: NonTarget
    new_lesion: bool
    sum_mm: float


@dataclass(frozen=True, kw_only=True)
class ScanSeries:
    """Scans of many patients in order of time, one row per patient.

    `days` (patients, visits) rise along a row and run without a gap (calendar day numbers or model time); `diameters`
    (patients, visits, lesions) in mm with NaN where not assessed; `baseline` (patients, lesions) with NaN where a
    patient has no such lesion; `nodes` (patients, lesions); `non_target` (patients, visits) NonTarget; `new_lesion`
    (patients, visits) whether one has been seen at that visit; `done` (patients, visits) whether the visit took place.
    """

    baseline_day: NDArray[np.int64]
    baseline: Numbers
    nodes: Flags
    days: NDArray[np.int64]
    diameters: Numbers
    non_target: Codes
    new_lesion: Flags
    done: Flags

    def __post_init__(self) -> None:
        patients, visits, lesions = self.diameters.shape
        assert self.baseline.shape == self.nodes.shape == (patients, lesions), "one baseline per lesion"
        per_visit = (self.days, self.non_target, self.new_lesion, self.done)
        assert all(part.shape == (patients, visits) for part in per_visit), "one entry per patient and visit"
        assert self.baseline_day.shape == (patients,), "one baseline day per patient"
        assert np.all(np.diff(self.days, axis=1) > 0), "visits stand in order of time"

    def __len__(self) -> int:
        return len(self.days)

    @property
    def sums(self) -> Numbers:
        """Sum of diameters in mm, (patients, visits); NaN if any target lesion was not assessed or there is none."""
        present = ~np.isnan(self.baseline)[:, None, :]
        total = np.where(present, self.diameters, 0).sum(axis=-1)
        return np.asarray(np.where(self.done & present.any(axis=-1), total, np.nan), dtype=np.float64)

    @property
    def baseline_sums(self) -> Numbers:
        """Sum of diameters at baseline in mm, (patients,)."""
        return np.asarray(np.nansum(self.baseline, axis=1), dtype=np.float64)

    @property
    def best_change(self) -> Numbers:
        """Largest relative fall (or smallest rise) of the sum from baseline, (patients,); NaN without a full scan."""
        with np.errstate(divide="ignore", invalid="ignore"):
            change = self.sums / self.baseline_sums[:, None] - 1
        best = np.fmin.reduce(change, axis=1, initial=np.inf)
        return np.asarray(np.where(np.isfinite(best), best, np.nan), dtype=np.float64)


def may_serve_as_baseline(baseline: BaselineScan) -> Verdict:
    """Whether the chosen target lesions fit RECIST 1.1: measurable, at most five and at most two per organ."""
    limits = recist_limits()
    least = [limits.measurable_node if node else limits.measurable_lesion for node in baseline.is_node]
    per_organ = [baseline.organs.count(organ) for organ in set(baseline.organs)]
    sizes = list(zip(baseline.diameters_mm, least, strict=True))
    known = not any(math.isnan(size) for size in baseline.diameters_mm)
    return Verdict.from_checks(
        check(bool(sizes), "no target lesion"),
        check(all(size >= limit for size, limit in sizes) if known else None, "a target lesion is too small"),
        check(len(sizes) <= limits.most_targets, "more than five target lesions"),
        check(
            max(per_organ, default=0) <= limits.most_targets_per_organ if baseline.organs else None,
            "more than two target lesions in one organ",
        ),
    )


def choose_targets(diameters: Numbers, organs: NDArray[np.int64]) -> Flags:
    """Which lesions (no nodes) become targets: the largest measurable, at most five and at most two per organ.

    `diameters` (patients, lesions) in mm at baseline, NaN where there is no such lesion; `organs` codes of that shape.
    """
    limits = recist_limits()
    patients, lesions = diameters.shape
    chosen = np.zeros((patients, lesions), dtype=np.bool_)
    order = np.argsort(np.where(np.isnan(diameters), np.inf, -diameters), axis=1, kind="stable")
    rows = np.arange(patients)
    for rank in range(lesions):
        lesion = order[:, rank]
        same_organ = np.sum(chosen & (organs == organs[rows, lesion][:, None]), axis=1)
        chosen[rows, lesion] = (
            (diameters[rows, lesion] >= limits.measurable_lesion)
            & (same_organ < limits.most_targets_per_organ)
            & (chosen.sum(axis=1) < limits.most_targets)
        )
    return chosen


def respond_at_visits(baseline: BaselineScan, scans: Sequence[Scan]) -> tuple[VisitResponse, ...]:
    """The response at each visit of one patient, in order of time whatever the order of `scans`."""
    ordered = sorted(scans, key=lambda scan: scan.day)
    if not ordered:
        return ()
    series = series_of(baseline, ordered)
    targets, overall = target_responses(series)[0], responses(series)[0]
    return tuple(
        VisitResponse(
            day=scan.day,
            response=Response(int(overall[visit])),
            target=Response(int(targets[visit])),
            non_target=scan.non_target,
            new_lesion=scan.new_lesion,
            sum_mm=float(series.sums[0, visit]),
        )
        for visit, scan in enumerate(ordered)
    )


def respond_at_visit(baseline: BaselineScan, earlier: Sequence[Scan], scan: Scan) -> VisitResponse:
    """The response at one visit, given the scans before it (they set the nadir)."""
    assert all(other.day < scan.day for other in earlier), "earlier scans lie before this one"
    return respond_at_visits(baseline, [*earlier, scan])[-1]


def series_of(baseline: BaselineScan, scans: Sequence[Scan]) -> ScanSeries:
    """One patient's scans, in order of time, as a series of one row."""
    visits, lesions = len(scans), len(baseline.diameters_mm)
    assert all(len(scan.diameters_mm) == lesions for scan in scans), "one diameter for each target lesion of baseline"
    return ScanSeries(
        baseline_day=np.array([baseline.day]),
        baseline=np.array([baseline.diameters_mm], dtype=np.float64).reshape(1, lesions),
        nodes=np.array([baseline.is_node], dtype=np.bool_).reshape(1, lesions),
        days=np.array([[scan.day for scan in scans]], dtype=np.int64),
        diameters=np.array([[scan.diameters_mm for scan in scans]], dtype=np.float64).reshape(1, visits, lesions),
        non_target=np.array([[scan.non_target for scan in scans]], dtype=np.int8),
        new_lesion=np.array([[scan.new_lesion for scan in scans]], dtype=np.bool_),
        done=np.ones((1, visits), dtype=np.bool_),
    )


def target_responses(series: ScanSeries) -> Codes:
    """Response of the target lesions at each visit, (patients, visits); MISSING for patients without target lesions.

    - progressive: at least 20 % **and** 5 mm above the nadir (baseline included), or a target lesion that is back after
      all had gone; also if not every lesion was assessed but those that were are already that large;
    - complete: every lesion gone, nodes with a short axis below 10 mm, so the sum need not be 0;
    - not evaluable: a lesion was not assessed, unless progressive;
    - partial: at least 30 % below **baseline**; stable: none of these.
    """
    limits = recist_limits()
    present = ~np.isnan(series.baseline)[:, None, :]
    seen = ~np.isnan(series.diameters)
    nodes = series.nodes[:, None, :]
    sums, start = series.sums, series.baseline_sums[:, None]
    nadir = np.fmin.accumulate(np.concatenate([start, sums], axis=1), axis=1)[:, :-1]
    seen_sum = np.where(present & seen, series.diameters, 0).sum(axis=-1)
    growth = seen_sum - nadir
    grown = _reaches(growth, limits.progression_increase * nadir) & _reaches(
        growth, np.full_like(growth, limits.progression_least_increase)
    )
    normal = np.where(nodes, series.diameters < limits.normal_node, series.diameters == 0)
    complete = series.done & np.all(normal | ~present, axis=-1)
    back = _earlier(complete) & np.any(present & seen & ~nodes & (series.diameters > 0), axis=-1)
    partial = _reaches(start - sums, limits.partial_decrease * start)
    result = np.select(
        [
            np.broadcast_to(~present.any(axis=-1), sums.shape),
            ~series.done,
            complete,
            grown | back,
            np.isnan(sums),
            partial,
        ],
        [Response.MISSING, Response.ND, Response.CR, Response.PD, Response.NE, Response.PR],
        Response.SD,
    )
    return np.asarray(result, dtype=np.int8)


def responses(series: ScanSeries) -> Codes:
    """Overall response at each visit, (patients, visits), after tables 1 and 2 of RECIST 1.1.

    A new lesion or unequivocal progression elsewhere is progressive whatever the target lesions do. Complete response
    needs every other lesion gone too; where those were not all evaluated, or some are left, it is partial.
    """
    target, other = target_responses(series), series.non_target
    without = target == Response.MISSING
    elsewhere_gone = (other == NonTarget.CR) | (other == NonTarget.NONE)
    by_others = np.select(
        [other == NonTarget.CR, other == NonTarget.NON_CR_NON_PD], [Response.CR, Response.NON_CR_NON_PD], Response.NE
    )
    result = np.select(
        [
            ~series.done,
            series.new_lesion | (other == NonTarget.PD) | (target == Response.PD),
            without,
            (target == Response.CR) & ~elsewhere_gone,
        ],
        [
            np.full_like(target, Response.ND),
            np.full_like(target, Response.PD),
            by_others,
            np.full_like(target, Response.PR),
        ],
        target,
    )
    return np.asarray(result, dtype=np.int8)


def _reaches(change: Numbers, limit: Numbers) -> Flags:
    """At or above the limit; "exactly 20 %" stays so although 0.2 has no exact binary form."""
    return np.asarray((change >= limit) | np.isclose(change, limit), dtype=np.bool_)


def _earlier(flag: Flags) -> Flags:
    """Whether the flag was up at any visit before."""
    before = np.zeros_like(flag)
    before[:, 1:] = np.logical_or.accumulate(flag, axis=1)[:, :-1]
    return before
