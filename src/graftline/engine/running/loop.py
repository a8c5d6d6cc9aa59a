"""The control loop: step sizes, doses, events and outputs of each lane. The same compiled code serves every model.

A lane holds one patient. When the patient is finished the next one takes the lane, so no lane waits for another.
Nothing here depends on which lane a patient has, on the others, or on where outputs are asked for: steps end at doses,
at events and where the error control ends them, and outputs in between are interpolated.

`k` is the kernel, `j` the job, `s` what this thread keeps of its lanes, `w` the address of its workspace.
"""

from __future__ import annotations

import math

from ..result import Status
from ._calls import call_dense, call_lanes, call_one, get, get_whole, njit, put, put_whole, take_ticket, written_in
from ._roots import fifth_root
from .records import Job, Kernel, Lanes

_OK, _TOO_SMALL, _TOO_MANY, _NOT_FINITE, _EVENTS, _STOPPED = (int(one) for one in Status)
_SHRINK_MOST, _SHRINK_ACCEPTED, _GROW_MOST = 0.1, 0.2, 8.0
_LAST_ERROR_LEAST, _LAST_ERROR_FIRST = math.log(1e-3), math.log(1e-4)
_EVENT_ROUNDS = 10_000  # events at one moment; beyond it they feed each other
_LOOKS = 4  # relations are looked at so many times within a step, at equal distances


@njit
def run_lanes(k: Kernel, j: Job, s: Lanes) -> None:
    """Work until no patient is left. Several threads may do so at once with the same job and their own lanes."""
    width, w = k.lanes, s.work
    watching = k.relations > 0 or j.groups > 0
    alive = 0
    for lane in range(width):
        alive += _take_next(k, j, s, lane)
    while alive > 0:
        if get_whole(j.stop, 0) != 0:
            for lane in range(width):
                if get_whole(s.patient, lane) >= 0:
                    _fail(j, s, lane, _STOPPED, -1)
            return
        for lane in range(width):
            put(w, k.step_size * width + lane, _limited(get(s.step, lane), get(w, lane), get(s.stop, lane)))
            put(w, (k.error + 5) * width + lane, 0.0)
        call_lanes(k.step, w)
        has_dense = False
        for lane in range(width):
            patient = get_whole(s.patient, lane)
            if patient < 0:
                continue
            if _accepted(k, j, s, lane, patient):
                begin, step = get(w, lane), get(w, k.step_size * width + lane)
                end = begin + step
                # the usual cases: nothing to see before the end, or outputs only
                ahead = not watching and end < get(s.stop, lane)
                if ahead:
                    if end >= get(s.look, lane):
                        if not has_dense:
                            call_dense(k.dense, w, j.needed, j.needed_count)
                            has_dense = True
                        _write_until(k, j, s, lane, begin, step, end, False)
                        _look_ahead(j, s, lane)
                    put(w, lane, end)
                    put(w, (k.error + 5) * width + lane, 1.0)
                else:
                    has_dense = _advance(k, j, s, lane, has_dense)
                if get_whole(j.status, patient) == _OK and get_whole(s.output, lane) < j.times_count:
                    continue
            elif get_whole(j.status, patient) == _OK:
                continue
            alive += _take_next(k, j, s, lane) - 1
        call_lanes(k.take, w)


@written_in
def _limited(step: float, now: float, stop: float) -> float:
    """The step, cut so that it ends on `stop` and leaves no sliver before it."""
    rest = stop - now
    if step >= rest * 0.999999999:
        return rest
    if step > 0.5 * rest:
        return 0.5 * rest
    return step


@njit
def _fail(j: Job, s: Lanes, lane: int, status: int, quantity: int) -> None:
    """Mark the patient of a lane; what is not computed yet stays NaN."""
    patient = get_whole(s.patient, lane)
    put_whole(j.status, patient, status)
    put(j.failed_at, patient, get(s.work, lane))
    put_whole(j.failed_in, patient, quantity)


@njit
def _take_next(k: Kernel, j: Job, s: Lanes, lane: int) -> int:
    """Give the lane to the next patient who has something to be computed; 1 if there is one, else 0."""
    while True:
        patient = take_ticket(j.next_patient)
        put(s.work, (k.error + 5) * k.lanes + lane, 0.0)
        if patient >= j.patients:
            put_whole(s.patient, lane, -1)
            put(s.step, lane, 1.0)
            put(s.stop, lane, math.inf)
            return 0
        put_whole(s.patient, lane, patient)
        _begin(k, j, s, lane, patient)
        if get_whole(j.status, patient) == _OK and get_whole(s.output, lane) < j.times_count:
            return 1


@njit
def _begin(k: Kernel, j: Job, s: Lanes, lane: int, patient: int) -> None:
    """Set everything of the lane anew for a patient at the start."""
    width, w = k.lanes, s.work
    for place in range(1, 1 + k.states + k.constants):
        put(w, place * width + lane, math.nan)
    for column in range(j.given_columns):
        put(w, get_whole(j.given_slots, column) * width + lane, get(j.given, patient * j.given_columns + column))
    for place in range(k.states + 1):
        put(w, (k.relative_tolerance + place) * width + lane, get(j.tolerances, place))
    put(w, lane, get(j.start, patient))
    here = w + 8 * lane
    call_one(k.begin, here, here, s.buffer)
    for place in range(1, 1 + k.states):
        if not math.isfinite(get(w, place * width + lane)):
            _fail(j, s, lane, _NOT_FINITE, place - 1)
            return
    call_one(k.prepare, here, here, s.buffer)
    for place in range(k.inputs):
        put_whole(s.running, lane * k.inputs + place, 0)
        put(w, (k.first_input + place) * width + lane, 0.0)
    put_whole(s.pending, lane, 0)
    for event in range(j.event_count):
        put(s.triggers, lane * j.event_count + event, float(get_whole(j.initial_value, event)))
    put_whole(s.dose, lane, get_whole(j.dose_first, patient))
    put_whole(s.output, lane, 0)
    while get_whole(s.output, lane) < j.times_count and _output_time(j, s, lane) < get(w, lane):
        put_whole(s.output, lane, get_whole(s.output, lane) + 1)
    _die_out(k, j, s, lane)
    if j.event_count:
        _happen(k, j, s, lane)
    _write_now(k, j, s, lane)
    _give_doses(k, j, s, lane)
    _restart(k, j, s, lane)


@written_in
def _output_time(j: Job, s: Lanes, lane: int) -> float:
    """The next time an output is asked for; there must be one."""
    time: float = get(j.times, get_whole(s.patient, lane) * j.times_stride + get_whole(s.output, lane))
    return time


@written_in
def _accepted(k: Kernel, j: Job, s: Lanes, lane: int, patient: int) -> bool:
    """Judge the step of a lane, and choose the size of the next."""
    width, w = k.lanes, s.work
    place = k.error * width + lane
    step, error = get(w, k.step_size * width + lane), get(w, place)
    steps = get_whole(j.steps, patient) + 1
    put_whole(j.steps, patient, steps)
    if error <= 1.0 and steps < j.max_steps:
        factor = min(_GROW_MOST, max(_SHRINK_ACCEPTED, get(w, place + width)))
        if get_whole(s.rejected, lane) == 1:
            factor = min(factor, 1.0)
            put_whole(s.rejected, lane, 0)
        put(w, place + 4 * width, max(get(w, place + 3 * width), _LAST_ERROR_LEAST))
        planned = get(s.step, lane)
        following = factor * step
        if step < planned and factor > 1.0:  # it was cut for a stop, not for its error
            following = max(following, planned)
        put(s.step, lane, following)
        return True
    _reject(k, j, s, lane, patient)
    return False


@njit
def _reject(k: Kernel, j: Job, s: Lanes, lane: int, patient: int) -> None:
    """A smaller step next time, or none if it cannot be smaller."""
    width, w = k.lanes, s.work
    place = k.error * width + lane
    step, error = get(w, k.step_size * width + lane), get(w, place)
    if get_whole(j.steps, patient) >= j.max_steps:
        _fail(j, s, lane, _TOO_MANY, _worst(k, s, lane))
        return
    put_whole(j.rejected, patient, get_whole(j.rejected, patient) + 1)
    put_whole(s.rejected, lane, 1)
    factor = max(_SHRINK_MOST, get(w, place + 2 * width)) if error < 1e30 else _SHRINK_MOST
    put(s.step, lane, factor * step)
    now = get(w, lane)
    if now + factor * step * 1e-2 == now or factor * step < 1e-280:
        _fail(j, s, lane, _TOO_SMALL if error < 1e300 else _NOT_FINITE, _worst(k, s, lane))


@njit
def _worst(k: Kernel, s: Lanes, lane: int) -> int:
    """The state with the largest error against what is tolerated; the first that is not finite before all."""
    width, w = k.lanes, s.work
    found, most = -1, -1.0
    for state in range(k.states):
        new = get(w, (k.new_states + state) * width + lane)
        if not math.isfinite(new):
            return state
        allowed = _tolerated(k, s, lane, state, max(abs(new), abs(get(w, (1 + state) * width + lane))))
        share = abs(get(w, (k.dense_place - k.states + state) * width + lane)) / allowed
        if share > most:
            found, most = state, share
    return found


@njit
def _tolerated(k: Kernel, s: Lanes, lane: int, state: int, size: float) -> float:
    place = k.relative_tolerance * k.lanes + lane
    allowed: float = get(s.work, place + (1 + state) * k.lanes) + get(s.work, place) * size
    return allowed


@njit
def _advance(k: Kernel, j: Job, s: Lanes, lane: int, has_dense: bool) -> bool:
    """Take over an accepted step up to the first happening in it; returns whether dense output was computed."""
    width, w = k.lanes, s.work
    begin, step, stop = get(w, lane), get(w, k.step_size * width + lane), get(s.stop, lane)
    end = stop if step == stop - begin else begin + step
    watching = k.relations > 0 or j.groups > 0
    wanted = get_whole(s.output, lane) < j.times_count and _output_time(j, s, lane) <= end
    if (watching or wanted) and not has_dense:
        call_dense(k.dense, w, j.needed, j.needed_count)
        has_dense = True
    share = _first_turn(k, j, s, lane, begin, step) if watching else 2.0
    turned = share <= 1.0
    if turned:
        end = begin + share * step
    happens = turned or (end == stop and _event_due(j, s, lane, end))
    if wanted:
        _write_until(k, j, s, lane, begin, step, end, happens)
    source = k.new_states
    if turned:
        _look_inside(k, j, s, lane, begin, step, share)
        source = k.inside + 1
    for state in range(k.states):
        put(w, (1 + state) * width + lane, get(w, (source + state) * width + lane))
    put(w, lane, end)
    if turned or end == stop:
        _die_out(k, j, s, lane)
        if happens:
            _happen(k, j, s, lane)
            _write_now(k, j, s, lane)
        _give_doses(k, j, s, lane)
        _restart(k, j, s, lane)
    else:
        _look_ahead(j, s, lane)
    return has_dense


@written_in
def _look_ahead(j: Job, s: Lanes, lane: int) -> None:
    """Note the next moment that needs a closer look."""
    look = get(s.stop, lane)
    if get_whole(s.output, lane) < j.times_count:
        look = min(look, _output_time(j, s, lane))
    put(s.look, lane, look)


@njit
def _look_inside(k: Kernel, j: Job, s: Lanes, lane: int, begin: float, step: float, share: float) -> None:
    """Put time and the needed states at a share of the step into the place for a moment inside it."""
    width, w = k.lanes, s.work
    put(w, k.inside * width + lane, begin + share * step)
    for index in range(j.needed_count):
        state = get_whole(j.needed, index)
        put(w, (k.inside + 1 + state) * width + lane, _inside(k, s, lane, state, share))


@written_in
def _write_until(k: Kernel, j: Job, s: Lanes, lane: int, begin: float, step: float, end: float, before: bool) -> None:
    """Outputs up to `end`; with `before`, those at `end` itself wait for what happens there."""
    while get_whole(s.output, lane) < j.times_count:
        time = _output_time(j, s, lane)
        if time > end or (before and time == end):
            return
        share = (time - begin) / step if time < begin + step else 1.0
        if k.observe == 0:
            _write_states(k, j, s, lane, share)
        else:
            _look_inside(k, j, s, lane, begin, step, share)
            _write(k, j, s, lane, k.inside)


@written_in
def _write_states(k: Kernel, j: Job, s: Lanes, lane: int, share: float) -> None:
    """One row of outputs that are states, at a share of the step."""
    output = get_whole(s.output, lane)
    row = (get_whole(s.patient, lane) * j.times_count + output) * j.outputs
    put_whole(s.output, lane, output + 1)
    for column in range(j.outputs):
        put(j.out, row + column, _inside(k, s, lane, get_whole(j.output_states, column), share))


@written_in
def _inside(k: Kernel, s: Lanes, lane: int, state: int, share: float) -> float:
    """A state at a share of the step."""
    width, w = k.lanes, s.work
    dense, further = (k.dense_place + state) * width + lane, k.states * width
    bend = get(w, dense) + share * (get(w, dense + further) + share * get(w, dense + 2 * further))
    old, new = get(w, (1 + state) * width + lane), get(w, (k.new_states + state) * width + lane)
    value: float = (1.0 - share) * old + share * new + share * (1.0 - share) * bend
    return value


@njit
def _write_now(k: Kernel, j: Job, s: Lanes, lane: int) -> None:
    """The output at this very moment, if one is asked."""
    if get_whole(s.output, lane) < j.times_count and _output_time(j, s, lane) == get(s.work, lane):
        _write(k, j, s, lane, 0)


@njit
def _write(k: Kernel, j: Job, s: Lanes, lane: int, moment: int) -> None:
    """One row of outputs from the time and states that stand at place `moment`."""
    width, w, output = k.lanes, s.work, get_whole(s.output, lane)
    row = (get_whole(s.patient, lane) * j.times_count + output) * j.outputs
    put_whole(s.output, lane, output + 1)
    if k.observe == 0:
        for column in range(j.outputs):
            state = get_whole(j.output_states, column)
            put(j.out, row + column, get(w, (moment + 1 + state) * width + lane))
        return
    here = w + 8 * lane
    call_one(k.observe, here + 8 * moment * width, here, j.out + 8 * row)


@njit
def _turns(k: Kernel, j: Job, s: Lanes, lane: int, moment: int) -> bool:
    """Whether at `moment` a relation is other than it was, or a group dies out."""
    width = k.lanes
    if k.relations:
        here = s.work + 8 * lane
        call_one(k.conditions, here + 8 * moment * width, here, s.buffer)
        for relation in range(k.relations):
            if get(s.buffer, relation) != get(s.relations, lane * k.relations + relation):
                return True
    for group in range(j.groups):
        if _is_below(k, j, s, lane, group, moment + 1):
            return True
    return False


@njit
def _is_below(k: Kernel, j: Job, s: Lanes, lane: int, group: int, states: int) -> bool:
    """Whether a group that is neither empty nor fed is below its threshold; the states stand from place `states` on."""
    width, w = k.lanes, s.work
    total = 0.0
    for index in range(get_whole(j.member_first, group), get_whole(j.member_first, group + 1)):
        total += get(w, (states + get_whole(j.members, index)) * width + lane)
    if total >= get(j.threshold, group) or total == 0.0:
        return False
    for index in range(get_whole(j.source_first, group), get_whole(j.source_first, group + 1)):
        if get(w, (states + get_whole(j.sources, index)) * width + lane) > 0.0:
            return False
    return True


@njit
def _first_turn(k: Kernel, j: Job, s: Lanes, lane: int, begin: float, step: float) -> float:
    """The first share of the step at which something has turned, to the last bit of the time; 2 if nothing has."""
    low, high = 0.0, 2.0
    for look in range(1, _LOOKS + 1):
        share = look / _LOOKS
        _look_inside(k, j, s, lane, begin, step, share)
        if _turns(k, j, s, lane, k.inside):
            high = share
            break
        low = share
    while high <= 1.0:
        middle = 0.5 * (low + high)
        moment = begin + middle * step
        if not (begin + low * step < moment and moment < begin + high * step):
            break
        _look_inside(k, j, s, lane, begin, step, middle)
        if _turns(k, j, s, lane, k.inside):
            high = middle
        else:
            low = middle
    return high


@njit
def _die_out(k: Kernel, j: Job, s: Lanes, lane: int) -> None:
    """Empty every group that is below its threshold; one that fed another may let that one follow."""
    again = j.groups > 0
    while again:
        again = False
        for group in range(j.groups):
            if _is_below(k, j, s, lane, group, 1):
                for index in range(get_whole(j.member_first, group), get_whole(j.member_first, group + 1)):
                    put(s.work, (1 + get_whole(j.members, index)) * k.lanes + lane, 0.0)
                again = True


@njit
def _give_doses(k: Kernel, j: Job, s: Lanes, lane: int) -> None:
    """Everything due at this moment."""
    width, w = k.lanes, s.work
    row, last = get_whole(s.dose, lane), get_whole(j.dose_first, get_whole(s.patient, lane) + 1)
    given, now = False, get(w, lane)
    now += 4e-16 * abs(now) + 1e-100  # moments that no step could tell apart are one
    while row < last and get(j.dose_time, row) <= now:
        amount = get(j.dose_amount, row)
        volume, which = get_whole(j.dose_volume, row), get_whole(j.dose_input, row)
        if volume > 0:
            amount /= get(w, volume * width + lane)
        if which < 0:
            place = get_whole(j.dose_slot, row) * width + lane
            put(w, place, get(w, place) + amount)
        else:
            _turn_infusion(k, s, lane, which, amount)
        row += 1
        given = True
    put_whole(s.dose, lane, row)
    if given:
        _die_out(k, j, s, lane)
        if j.event_count:
            _happen(k, j, s, lane)


@njit
def _turn_infusion(k: Kernel, s: Lanes, lane: int, which: int, rate: float) -> None:
    """Add a rate; when no infusion runs any more the rate is zero to the last bit."""
    place, count = (k.first_input + which) * k.lanes + lane, lane * k.inputs + which
    running = get_whole(s.running, count) + (1 if rate > 0 else -1)
    put_whole(s.running, count, running)
    put(s.work, place, get(s.work, place) + rate if running > 0 else 0.0)


@njit
def _restart(k: Kernel, j: Job, s: Lanes, lane: int) -> None:
    """After a jump: where the next stop is, what is true now, and a first step from the rates."""
    row, stop = get_whole(s.dose, lane), math.inf
    if row < get_whole(j.dose_first, get_whole(s.patient, lane) + 1):
        stop = get(j.dose_time, row)
    for index in range(get_whole(s.pending, lane)):
        stop = min(stop, get(s.pending_time, lane * j.waiting + index))
    put(s.stop, lane, stop)
    here = s.work + 8 * lane
    if k.relations:
        call_one(k.conditions, here, here, s.buffer)
        for relation in range(k.relations):
            put(s.relations, lane * k.relations + relation, get(s.buffer, relation))
    put(s.step, lane, _first_step(k, s, lane))
    put(s.work, (k.error + 4) * k.lanes + lane, _LAST_ERROR_FIRST)
    put_whole(s.rejected, lane, 0)
    _look_ahead(j, s, lane)


@njit
def _first_step(k: Kernel, s: Lanes, lane: int) -> float:
    """A first step after Hairer, Norsett & Wanner, Solving Ordinary Differential Equations I, II.4."""
    width, w, states = k.lanes, s.work, k.states
    here = w + 8 * lane
    call_one(k.rates, here, here, s.buffer)
    size = slope = bend = 0.0
    for state in range(states):
        old, rate = get(w, (1 + state) * width + lane), get(s.buffer, state)
        allowed = _tolerated(k, s, lane, state, abs(old))
        size += (old / allowed) * (old / allowed)
        slope += (rate / allowed) * (rate / allowed)
        put(s.buffer, states + state, rate)
    size, slope = math.sqrt(size / max(states, 1)), math.sqrt(slope / max(states, 1))
    first = 0.01 * size / slope if size > 1e-5 and slope > 1e-5 else 1e-6
    if not (first > 0.0 and math.isfinite(first)):
        first = 1e-6
    put(w, k.inside * width + lane, get(w, lane) + first)
    for state in range(states):
        moved = get(w, (1 + state) * width + lane) + first * get(s.buffer, state)
        put(w, (k.inside + 1 + state) * width + lane, moved)
    call_one(k.rates, here + 8 * k.inside * width, here, s.buffer)
    for state in range(states):
        allowed = _tolerated(k, s, lane, state, abs(get(w, (1 + state) * width + lane)))
        change = (get(s.buffer, state) - get(s.buffer, states + state)) / allowed
        bend += change * change
    largest = max(slope, math.sqrt(bend / max(states, 1)) / first)
    second = max(1e-6, first * 1e-3)
    if largest > 1e-15:
        second = fifth_root(0.01 / largest)
    found = min(100.0 * first, second)
    return found if found > 0.0 and math.isfinite(found) else 1e-6


@njit
def _event_due(j: Job, s: Lanes, lane: int, now: float) -> bool:
    for index in range(get_whole(s.pending, lane)):
        if get(s.pending_time, lane * j.waiting + index) <= now:
            return True
    return False


@njit
def _happen(k: Kernel, j: Job, s: Lanes, lane: int) -> None:
    """Let events happen at this moment until none is due: by priority, each one after looking at triggers anew."""
    here = s.work + 8 * lane
    if j.event_count == 0:
        return
    for _ in range(_EVENT_ROUNDS):
        call_one(k.events, here, here, s.buffer)
        if not _note_triggers(j, s, lane):
            break
        index = _most_urgent(j, s, lane)
        if index < 0:
            return
        _execute(k, j, s, lane, index)
    _fail(j, s, lane, _EVENTS, -1)


@njit
def _note_triggers(j: Job, s: Lanes, lane: int) -> bool:
    """Queue what turned true, drop what may be dropped; False if too many wait."""
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
    """Let an event wait for its time, with the values it has now; False if there is no room."""
    waiting = get_whole(s.pending, lane)
    if waiting >= j.waiting:
        return False
    delay = get(s.buffer, j.event_count + event) if get_whole(j.delayed, event) else 0.0
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
