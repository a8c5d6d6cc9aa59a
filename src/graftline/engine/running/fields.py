"""Numbers of a lane, and how a patient fails."""

from __future__ import annotations

from ._calls import get, get_whole, njit, put, put_whole, written_in
from .records import Job, Kernel, Lanes


@written_in
def field(k: Kernel, s: Lanes, place: int, lane: int) -> float:
    """A number of a lane's workspace."""
    value: float = get(s.work, place * k.lanes + lane)
    return value


@written_in
def set_field(k: Kernel, s: Lanes, place: int, lane: int, value: float) -> None:
    put(s.work, place * k.lanes + lane, value)


@njit
def fail(k: Kernel, j: Job, s: Lanes, lane: int, status: int, quantity: int) -> None:
    """Mark the patient of a lane."""
    patient = get_whole(s.patient, lane)
    put_whole(j.status, patient, status)
    put(j.failed_at, patient, field(k, s, 0, lane))
    put_whole(j.failed_in, patient, quantity)
