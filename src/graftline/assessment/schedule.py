"""When a patient is seen: planned days with their windows, and whether a visit lies inside its window."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..base.clock import model_time
from ..base.errors import Fault, InputError
from ..base.verdict import Verdict, check

Days = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class VisitSchedule:
    """Planned days of one kind of assessment, as protocol days (…, -2, -1, 1, 2, …), and the window in days."""

    name: str
    protocol_days: tuple[int, ...]
    days_before: int = 0
    """how much earlier than planned a visit may be"""
    days_after: int = 0


def check_schedule(schedule: VisitSchedule, place: str = "schedule") -> None:
    """Refuse a schedule that cannot be kept; raises InputError with every fault. `place` says where it was written."""
    days, where = schedule.protocol_days, f"{place} {schedule.name}"
    faults = []
    if not days:
        faults.append(Fault(where, "no days", "list at least one protocol day"))
    if 0 in days:
        faults.append(Fault(where, "a Day 0", "write 1 for the day of infusion, -1 for the day before"))
    if any(later <= earlier for earlier, later in pairwise(days)):
        faults.append(Fault(where, f"days out of order: {', '.join(map(str, days))}", "list each day once, in order"))
    if schedule.days_before < 0 or schedule.days_after < 0:
        faults.append(Fault(where, "a negative window", "write how many days earlier and later a visit may be"))
    if faults:
        raise InputError(faults)
    gaps = np.diff(planned_times(schedule))
    if np.any(gaps <= schedule.days_before + schedule.days_after):
        found = f"windows of neighbouring visits overlap ({schedule.days_before} before, {schedule.days_after} after)"
        raise InputError(Fault(where, found, "narrow the window or space the visits"))


def planned_times(schedule: VisitSchedule, until: int | None = None) -> Days:
    """Planned visits in model time (whole days, 0 is the day of infusion), (visits,); up to and including `until`."""
    times = model_time(np.asarray(schedule.protocol_days, dtype=np.int64))
    return times if until is None else times[times <= until]


def in_window(schedule: VisitSchedule, visit: int, actual_time: int | None) -> Verdict:
    """Whether the visit (by its place in the schedule) was made inside its window; times in model time."""
    planned = int(planned_times(schedule)[visit])
    day = schedule.protocol_days[visit]
    return Verdict.from_checks(
        check(
            None if actual_time is None else actual_time >= planned - schedule.days_before,
            f"{schedule.name} before the window of Day {day}",
        ),
        check(
            None if actual_time is None else actual_time <= planned + schedule.days_after,
            f"{schedule.name} after the window of Day {day}",
        ),
    )
