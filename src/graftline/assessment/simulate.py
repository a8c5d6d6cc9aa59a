"""What is measured of a virtual patient: visits that are early, late or missed, assays with error and limits, scans.

Draws only; what they mean is decided by the same rules as for real patients. Every draw is keyed by patient and named
by purpose, and visit or lesion number k always takes the k-th number, so that longer schedules move nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..base.streams import Keys, Streams
from ..base.units import MM_PER_CM, SPHERE_VOLUME_PER_CUBED_DIAMETER
from ..evidence import card
from .parameters import assay
from .recist import NonTarget, ScanSeries, choose_targets
from .schedule import VisitSchedule, planned_times

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
Days = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Visits:
    """When virtual patients were seen: `times` (model time) and whether it was `done`, both (patients, visits)."""

    times: Days
    done: Flags


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Readings as a laboratory reports them, (patients, visits), NaN where there is none.

    Below the lower limit of quantification `value` is that limit and `below_limit` is set ("< 50"); above the upper
    limit likewise.
    """

    value: Numbers
    below_limit: Flags
    above_limit: Flags


def draw_visits(schedule: VisitSchedule, keys: Keys, streams: Streams, *, until: int | None = None) -> Visits:
    """Actual days, uniform over the window around the planned ones, and which visits were missed (card).

    `until` leaves out visits planned later (model time). A visit at or after infusion is not moved before it.
    """
    planned = planned_times(schedule, until)
    size = len(planned)
    width = schedule.days_before + schedule.days_after + 1
    drawn = streams.named("assessment", schedule.name, "day").uniform(keys, size)
    shift = np.floor(drawn * width).astype(np.int64) - schedule.days_before
    times = planned + shift
    times = np.where(planned >= 0, np.maximum(times, 0), times)
    missed = streams.named("assessment", schedule.name, "missed").uniform(keys, size)
    return Visits(times=times, done=missed >= card("visit_missed_probability").number)


def measure(
    true_values: Numbers,
    quantity: str,
    keys: Keys,
    streams: Streams,
    *,
    times: NDArray[np.float64] | Days | None = None,
) -> Measured:
    """Readings of a quantity of `parameters.ASSAYS`, (patients, visits), around its true values in that unit.

    The median of the readings is the truth; the kind of error is that of `observables`. Quantities that also wander
    slowly (AFP) need `times` in days, (visits,) or (patients, visits): readings close in time err alike. Limits of
    quantification as in Measured; 0 is below. Hand in all visits of a course at once: the same patients draw the same
    errors again, which is what compares two courses of one patient fairly.
    """
    truth = np.asarray(true_values, dtype=np.float64)
    rule = assay(quantity)
    visits = truth.shape[1]
    error = streams.named("assessment", quantity, "error").normal(keys, visits)
    log_error = rule.log_sd * error
    if rule.slow_days is not None:
        if times is None:
            raise ValueError(f"{quantity} wanders slowly: give the times of its measurements")
        at = np.broadcast_to(np.asarray(times, dtype=np.float64), truth.shape)
        log_error = log_error + rule.slow_log_sd * _wander(
            at / rule.slow_days, streams.named("assessment", quantity, "slow").normal(keys, visits)
        )
    reading = truth * np.exp(log_error)
    if rule.sd > 0:
        reading = truth + rule.sd * error
    none = np.zeros(truth.shape, dtype=np.bool_)
    below = none if rule.lower_limit is None else reading < rule.lower_limit
    above = none if rule.upper_limit is None else reading > rule.upper_limit
    value = np.where(below, rule.lower_limit or 0, np.where(above, rule.upper_limit or 0, reading))
    return Measured(value=value, below_limit=below, above_limit=above)


def at_visits(measured: Measured, visits: Visits) -> Measured:
    """The readings of visits that took place; NaN and no flags for the others."""
    return Measured(
        value=np.where(visits.done, measured.value, np.nan),
        below_limit=measured.below_limit & visits.done,
        above_limit=measured.above_limit & visits.done,
    )


def diameter_mm(volume_cm3: Numbers) -> Numbers:
    """Diameter in mm of a sphere with this volume in cm^3; negative round-off counts as 0."""
    volume = np.maximum(np.asarray(volume_cm3, dtype=np.float64), 0)
    return np.asarray(MM_PER_CM * np.cbrt(volume / SPHERE_VOLUME_PER_CUBED_DIAMETER), dtype=np.float64)


@dataclass(frozen=True, kw_only=True)
class LesionCourse:
    """True lesions of virtual patients.

    `baseline_volumes` (patients, lesions) and `volumes` (patients, visits, lesions) in cm^3, NaN where a patient has no
    such lesion; `organs` (patients, lesions) codes, None if all lie in one organ; `baseline_day` (patients,) in model
    time; `new_lesion_time` (patients,) model time at which a lesion elsewhere becomes visible, infinite if never.
    """

    baseline_day: Days
    baseline_volumes: Numbers
    volumes: Numbers
    new_lesion_time: Numbers
    organs: NDArray[np.int64] | None = None


def draw_scans(course: LesionCourse, visits: Visits, keys: Keys, streams: Streams) -> ScanSeries:
    """The scans of virtual patients, as a reader writes them down: whole millimetres, 5 mm if too small, 0 if gone.

    A lesion is read alike wrong on all its scans (shape, axis, reader) and anew on each; single lesions may not be
    assessable. The targets are chosen from the baseline scan as RECIST 1.1 asks (`choose_targets`); other lesions are
    gone or not, and never "unequivocally progressive" on their own. There are no nodes.
    """
    patients, lesions = course.baseline_volumes.shape
    count = visits.times.shape[1]
    scans = np.concatenate([course.baseline_volumes[:, None, :], course.volumes], axis=1)
    read = read_diameters(diameter_mm(scans), keys, streams)
    start, later = read[:, 0, :], read[:, 1:, :]
    blind = np.stack(
        [streams.named("assessment", "unassessed", lesion).uniform(keys, count) for lesion in range(lesions)], axis=-1
    )
    assessed = visits.done[:, :, None] & (blind >= card("lesion_unassessed_probability").number)
    organs = np.zeros((patients, lesions), dtype=np.int64) if course.organs is None else course.organs
    targets = choose_targets(start, organs)
    return ScanSeries(
        baseline_day=np.asarray(course.baseline_day, dtype=np.int64),
        baseline=np.where(targets, start, np.nan),
        nodes=np.zeros((patients, lesions), dtype=np.bool_),
        days=visits.times,
        diameters=np.where(assessed, later, np.nan),
        non_target=_other_lesions((start > 0) & ~targets, np.where(assessed, later, np.nan)),
        new_lesion=visits.done & (visits.times >= course.new_lesion_time[:, None]),
        done=visits.done,
    )


def read_diameters(diameters: Numbers, keys: Keys, streams: Streams) -> Numbers:
    """What a reader writes down of true diameters in mm, (patients, scans, lesions); NaN where there is no lesion.

    Whole millimetres, 5 mm if too small, 0 if gone; a lesion is read alike wrong on all its scans and anew on each.
    """
    scans, lesions = diameters.shape[1:]
    off = card("scan_lesion_error").number * streams.named("assessment", "lesion").normal(keys, lesions)
    anew = np.stack(
        [
            card("scan_diameter_error").number * streams.named("assessment", "diameter", lesion).normal(keys, scans)
            for lesion in range(lesions)
        ],
        axis=-1,
    )
    return _written(diameters, off[:, None, :] + anew)


def _written(diameter: Numbers, log_error: Numbers) -> Numbers:
    """What is written down for a true diameter in mm: 0 where nothing is seen, else at least the 5 mm of RECIST 1.1."""
    read = np.rint(diameter * np.exp(log_error))
    seen = diameter >= card("scan_gone_below").to("mm")
    written = np.where(seen, np.maximum(read, card("recist_too_small_to_measure").to("mm")), 0)
    return np.where(np.isnan(diameter), np.nan, written)


def _other_lesions(present: Flags, diameters: Numbers) -> NDArray[np.int8]:
    """How the lesions that are no targets do at each visit, (patients, visits), as NonTarget."""
    others = present[:, None, :]
    left = np.any(others & (diameters > 0), axis=-1)
    not_seen = np.any(others & np.isnan(diameters), axis=-1)
    status = np.select(
        [~others.any(axis=-1), left, not_seen], [NonTarget.NONE, NonTarget.NON_CR_NON_PD, NonTarget.NE], NonTarget.CR
    )
    return np.asarray(status, dtype=np.int8)


def _wander(at: Numbers, normal: Numbers) -> Numbers:
    """A stationary first-order autoregression with unit variance at unequal times (in its own time constant)."""
    state = np.empty_like(normal)
    state[:, 0] = normal[:, 0]
    for visit in range(1, normal.shape[1]):
        memory = np.exp(-np.abs(at[:, visit] - at[:, visit - 1]))
        state[:, visit] = memory * state[:, visit - 1] + np.sqrt(1 - memory**2) * normal[:, visit]
    return state
