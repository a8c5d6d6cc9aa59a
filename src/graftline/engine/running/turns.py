"""What happens inside a step: a relation turns, a group of states dies out."""

from __future__ import annotations

from ._calls import call_fallen, call_listed, call_step, get, get_whole, njit, put, written_in
from .fields import field, set_field
from .records import Job, Kernel, Lanes

_LOOKS = 4  # within a step, at equal distances
NO_TURN = 2.0  # as the share of a step


@njit
def find_turns(k: Kernel, j: Job, s: Lanes, lanes: int) -> None:
    """End the step of a lane where something turns in it.

    What can turn is looked at a few times; between two looks that differ the first moment of the change is found to
    the last bit of time.
    """
    for lane in range(k.lanes):
        put(s.before_turn, lane, 0.0)
    steady = lanes
    for look in range(1, _LOOKS + 1):
        share = look / _LOOKS
        for lane in range(k.lanes):
            set_field(k, s, k.share, lane, share)
        turned = _turned(k, j, s, steady)
        for lane in range(k.lanes):
            if turned >> lane & 1:
                put(s.turn, lane, share)
            elif steady >> lane & 1:
                put(s.before_turn, lane, share)
        steady &= ~turned
        if steady == 0:
            break
    for lane in range(k.lanes):
        if lanes >> lane & 1 and not steady >> lane & 1:
            _narrow(k, j, s, lane)


@njit
def _narrow(k: Kernel, j: Job, s: Lanes, lane: int) -> None:
    """Set the end of a lane's step to the first moment at which something is other than before."""
    begin, step = field(k, s, 0, lane), field(k, s, k.step_size, lane)
    low, high = get(s.before_turn, lane), get(s.turn, lane)
    while True:
        middle = 0.5 * (low + high)
        moment = begin + middle * step
        if not (begin + low * step < moment and moment < begin + high * step):
            break
        set_field(k, s, k.share, lane, middle)
        if _turned(k, j, s, 1 << lane) != 0:
            high = middle
        else:
            low = middle
    put(s.turn, lane, high)
    set_field(k, s, k.end, lane, begin + high * step)


@njit
def _turned(k: Kernel, j: Job, s: Lanes, lanes: int) -> int:
    """In which of these lanes a relation is other than it was, or a group dies out, at the share of the step set."""
    call_listed(k.inside, s.work, j.needed, j.needed_count)
    found = 0
    if k.relations:
        found = call_step(k.turned, s.work)
    for group in range(j.groups):
        low = lanes & ~found & _group_below(k, j, s, group, k.inside_place)
        if low != 0:
            found |= low & ~_fed(k, j, s, group, k.inside_place)
    return found & lanes


@written_in
def _group_below(k: Kernel, j: Job, s: Lanes, group: int, moment: int) -> int:
    """Lanes in which a group is below its threshold, and not empty; time and states stand at place `moment`."""
    first = get_whole(j.member_first, group)
    count = get_whole(j.member_first, group + 1) - first
    threshold = get(j.threshold, group)
    lanes: int = call_fallen(k.fallen, s.work + 8 * moment * k.lanes, j.members + 8 * first, count, threshold)
    return lanes


@njit
def _fed(k: Kernel, j: Job, s: Lanes, group: int, moment: int) -> int:
    """Lanes in which a source or an infusion still feeds the group."""
    found = 0
    for index in range(get_whole(j.source_first, group), get_whole(j.source_first, group + 1)):
        place = moment + 1 + get_whole(j.sources, index)
        for lane in range(k.lanes):
            if field(k, s, place, lane) > 0.0:
                found |= 1 << lane
    for index in range(get_whole(j.group_input_first, group), get_whole(j.group_input_first, group + 1)):
        place = k.first_input + get_whole(j.group_inputs, index)
        for lane in range(k.lanes):
            if field(k, s, place, lane) > 0.0:
                found |= 1 << lane
    return found


@njit
def die_out(k: Kernel, j: Job, s: Lanes, lane: int) -> None:
    """Empty every group that is below its threshold; one that fed another may let that one follow."""
    again = j.groups > 0
    while again:
        again = False
        for group in range(j.groups):
            if _group_below(k, j, s, group, 0) & ~_fed(k, j, s, group, 0) & 1 << lane:
                for index in range(get_whole(j.member_first, group), get_whole(j.member_first, group + 1)):
                    put(s.work, (1 + get_whole(j.members, index)) * k.lanes + lane, 0.0)
                again = True
