"""Events of one patient (SBML Level 3): triggers, delays, priorities, and what is set."""

from __future__ import annotations

import math

from ..result import Status
from ._calls import call_one, get, get_whole, njit, put, put_whole
from .fields import fail
from .records import Job, Kernel, Lanes

_TOO_MANY_EVENTS, _NOT_FINITE = int(Status.TOO_MANY_EVENTS), int(Status.NOT_FINITE)
_ROUNDS = 10_000  # events at one moment; beyond it they feed each other


@njit
def event_due(j: Job, s: Lanes, lane: int, now: float) -> bool:
    for index in range(get_whole(s.pending, lane)):
        if get(s.pending_time, lane * j.waiting + index) <= now:
            return True
    return False


@njit
def happen(k: Kernel, j: Job, s: Lanes, lane: int) -> None:
    """Let events happen at this moment until none is due: by priority, each one after looking at triggers anew."""
    here = s.work + 8 * lane
    if j.event_count == 0:
        return
    for _ in range(_ROUNDS):
        call_one(k.events, here, here, s.buffer)
        if not _note_triggers(j, s, lane):
            if _has_no_delay(j, s):
                fail(k, j, s, lane, _NOT_FINITE, -1)
                return
            break
        index = _most_urgent(j, s, lane)
        if index < 0:
            return
        _execute(k, j, s, lane, index)
    fail(k, j, s, lane, _TOO_MANY_EVENTS, -1)


@njit
def _has_no_delay(j: Job, s: Lanes) -> bool:
    """Whether the delay of some event is not a number."""
    for event in range(j.event_count):
        if math.isnan(get(s.buffer, j.event_count + event)):
            return True
    return False


@njit
def _note_triggers(j: Job, s: Lanes, lane: int) -> bool:
    """Queue what turned true, drop what may be dropped; False if too many wait, or one has no delay."""
    count = j.event_count
    for event in range(count):
        place = lane * count + event
        was, now_true = get(s.triggers, place), get(s.buffer, event)
        put(s.triggers, place, now_true)
        if now_true == 0.0 and get_whole(j.persistent, event) == 0:
            _drop(j, s, lane, event)
        if now_true != 0.0 and was == 0.0 and not _enqueue(j, s, lane, event):
            return False
    return True


@njit
def _enqueue(j: Job, s: Lanes, lane: int, event: int) -> bool:
    """Let an event wait for its time, with the values it has now; False if there is no room or no delay."""
    waiting = get_whole(s.pending, lane)
    delay = get(s.buffer, j.event_count + event) if get_whole(j.delayed, event) else 0.0
    if waiting >= j.waiting or math.isnan(delay):
        return False
    place = lane * j.waiting + waiting
    put(s.pending_time, place, get(s.work, lane) + max(delay, 0.0))
    put_whole(s.pending_event, place, event)
    for index in range(get_whole(j.event_first, event), get_whole(j.event_first, event + 1)):
        put(s.pending_values, place * j.assignments + index, get(s.buffer, 3 * j.event_count + index))
    put_whole(s.pending, lane, waiting + 1)
    return True


@njit
def _drop(j: Job, s: Lanes, lane: int, event: int) -> None:
    """Take all of an event's entries out of the queue."""
    index = 0
    while index < get_whole(s.pending, lane):
        if get_whole(s.pending_event, lane * j.waiting + index) == event:
            _remove(j, s, lane, index)
        else:
            index += 1


@njit
def _remove(j: Job, s: Lanes, lane: int, index: int) -> None:
    left = get_whole(s.pending, lane) - 1
    for place in range(lane * j.waiting + index, lane * j.waiting + left):
        put(s.pending_time, place, get(s.pending_time, place + 1))
        put_whole(s.pending_event, place, get_whole(s.pending_event, place + 1))
        for column in range(j.assignments):
            following = get(s.pending_values, (place + 1) * j.assignments + column)
            put(s.pending_values, place * j.assignments + column, following)
    put_whole(s.pending, lane, left)


@njit
def _most_urgent(j: Job, s: Lanes, lane: int) -> int:
    """The waiting event to happen next at this moment; of equal priorities the one that waited first; -1: none."""
    found, highest = -1, -math.inf
    for index in range(get_whole(s.pending, lane)):
        place = lane * j.waiting + index
        if get(s.pending_time, place) > get(s.work, lane):
            continue
        priority = get(s.buffer, 2 * j.event_count + get_whole(s.pending_event, place))
        if found < 0 or priority > highest:
            found, highest = index, priority
    return found


@njit
def _execute(k: Kernel, j: Job, s: Lanes, lane: int, index: int) -> None:
    """Set what the event sets, and take it out of the queue."""
    waiting = lane * j.waiting + index
    event = get_whole(s.pending_event, waiting)
    for place in range(get_whole(j.event_first, event), get_whole(j.event_first, event + 1)):
        value = get(s.buffer, 3 * j.event_count + place)
        if get_whole(j.from_trigger, event):
            value = get(s.pending_values, waiting * j.assignments + place)
        value *= get(s.buffer, 3 * j.event_count + j.assignments + place)
        put(s.work, get_whole(j.event_slots, place) * k.lanes + lane, value)
    _remove(j, s, lane, index)
    here = s.work + 8 * lane
    call_one(k.prepare, here, here, s.buffer)
