"""The control loop: step sizes, doses, events and outputs of each lane. The same compiled code serves every model.

A lane holds one patient. When the patient is finished the next one takes the lane, so no lane waits for another.
Nothing here depends on which lane a patient has, on the others, or on where outputs are asked for: steps end at doses,
at events and where the error control ends them, and outputs in between are interpolated.

`k` is the kernel, `j` the job, `s` what this thread keeps of its lanes, `w` the address of its workspace.
"""

from __future__ import annotations

import math

from ..result import Status
from ._calls import (
    call_listed,
    call_one,
    call_step,
    get,
    get_whole,
    lowest,
    njit,
    put,
    put_whole,
    take_ticket,
    written_in,
)
from ._roots import inverse_fifth_root
from .events import event_due, happen
from .fields import fail, field, set_field
from .records import Job, Kernel, Lanes
from .turns import NO_TURN, die_out, find_turns

_OK, _TOO_SMALL, _TOO_MANY = int(Status.OK), int(Status.STEP_TOO_SMALL), int(Status.TOO_MANY_STEPS)
_NOT_FINITE, _STOPPED, _NO_NUMBER = int(Status.NOT_FINITE), int(Status.STOPPED), int(Status.OUTPUT_NOT_A_NUMBER)
_SHRINK_MOST, _SAFETY = 0.1, 0.9
_LAST_ERROR_FIRST = math.log(1e-4)


@njit
def run_lanes(k: Kernel, j: Job, s: Lanes) -> None:
    """Work until no patient is left. Several threads may do so at once with the same job and their own lanes."""
    alive = 0
    for lane in range(k.lanes):
        for place in range(2 * k.states + 1):
            set_field(k, s, k.relative_tolerance + place, lane, get(j.tolerances, place))
        set_field(k, s, k.step_limit, lane, float(j.max_steps))
        alive += _take_next(k, j, s, lane)
    while alive > 0:
        if get_whole(j.stop, 0) != 0:
            _stop(k, j, s)
            return
        open_lanes = call_step(k.step, s.work)
        if open_lanes != 0:
            alive += _follow(k, j, s, open_lanes)


@njit
def _stop(k: Kernel, j: Job, s: Lanes) -> None:
    """Leave every patient where they are."""
    for lane in range(k.lanes):
        if get_whole(s.patient, lane) >= 0:
            fail(k, j, s, lane, _STOPPED, -1)
            _leave(k, j, s, lane)


@written_in
def _follow(k: Kernel, j: Job, s: Lanes, open_lanes: int) -> int:
    """Look at the step of these lanes (bits); the change of the number of lanes that have a patient."""
    accepted, due, done = 0, j.watching != 0, 0
    left = open_lanes
    while left != 0:
        lane = lowest(left)
        left &= left - 1
        if get_whole(s.patient, lane) < 0:
            continue
        if field(k, s, k.accepted, lane) > 0.5:
            accepted |= 1 << lane
            put(s.turn, lane, NO_TURN)
            due = due or _is_due(k, j, s, lane)
        elif _reject(k, j, s, lane):
            done |= 1 << lane
    if due:
        call_listed(k.dense, s.work, j.needed, j.needed_count)
        if j.watching != 0:
            find_turns(k, j, s, accepted)
        _write_outputs(k, j, s, accepted)
    left = accepted
    while left != 0:
        lane = lowest(left)
        left &= left - 1
        if get(s.turn, lane) > 1.0 and field(k, s, k.end, lane) != field(k, s, k.stop, lane):
            set_field(k, s, k.taken, lane, 1.0)  # by the next step, as in lanes that nobody looks at
            _look_ahead(k, j, s, lane)
        elif _arrive(k, j, s, lane):
            done |= 1 << lane
        if get_whole(s.output, lane) >= j.times_count:
            done |= 1 << lane
    change = 0
    while done != 0:
        lane = lowest(done)
        done &= done - 1
        _leave(k, j, s, lane)
        change += _take_next(k, j, s, lane) - 1
    return change


@njit
def _leave(k: Kernel, j: Job, s: Lanes, lane: int) -> None:
    """The patient of a lane is done with; what was not computed is NaN."""
    patient = get_whole(s.patient, lane)
    put_whole(j.steps, patient, int(field(k, s, k.steps, lane)))
    if get_whole(j.status, patient) == _OK and not math.isnan(get(j.failed_at, patient)):
        put_whole(j.status, patient, _NO_NUMBER)
    while get_whole(s.output, lane) < j.times_count:
        _write_nothing(j, s, lane)


@njit
def _write_nothing(j: Job, s: Lanes, lane: int) -> None:
    """One row of NaN."""
    output = get_whole(s.output, lane)
    row = (get_whole(s.patient, lane) * j.times_count + output) * j.outputs
    for column in range(j.outputs):
        put(j.out, row + column, math.nan)
    put_whole(s.output, lane, output + 1)


@njit
def _take_next(k: Kernel, j: Job, s: Lanes, lane: int) -> int:
    """Give the lane to the next patient who has something to be computed; 1 if there is one, else 0."""
    while True:
        patient = take_ticket(j.next_patient)
        set_field(k, s, k.taken, lane, 0.0)
        if patient >= j.patients:
            put_whole(s.patient, lane, -1)
            set_field(k, s, k.planned, lane, 1.0)
            set_field(k, s, k.stop, lane, math.inf)
            set_field(k, s, k.look, lane, math.inf)
            return 0
        put_whole(s.patient, lane, patient)
        _begin(k, j, s, lane, patient)
        if get_whole(j.status, patient) == _OK and get_whole(s.output, lane) < j.times_count:
            return 1
        _leave(k, j, s, lane)


@njit
def _begin(k: Kernel, j: Job, s: Lanes, lane: int, patient: int) -> None:
    """Set everything of the lane anew for a patient at the start."""
    width, w = k.lanes, s.work
    for place in range(1, 1 + k.states + k.constants):
        put(w, place * width + lane, math.nan)
    for column in range(j.given_columns):
        put(w, get_whole(j.given_slots, column) * width + lane, get(get_whole(j.given, column), patient))
    put(w, lane, get(j.start, patient))
    put(w, k.steps * width + lane, 0.0)
    put_whole(s.output, lane, 0)
    here = w + 8 * lane
    call_one(k.begin, here, here, s.buffer)
    for place in range(1, 1 + k.states):
        if not math.isfinite(get(w, place * width + lane)):
            fail(k, j, s, lane, _NOT_FINITE, place - 1)
            return
    call_one(k.prepare, here, here, s.buffer)
    for place in range(k.inputs):
        put_whole(s.running, lane * k.inputs + place, 0)
        put(w, (k.first_input + place) * width + lane, 0.0)
    put_whole(s.pending, lane, 0)
    for event in range(j.event_count):
        put(s.triggers, lane * j.event_count + event, float(get_whole(j.initial_value, event)))
    put_whole(s.dose, lane, get_whole(j.dose_first, patient))
    while get_whole(s.output, lane) < j.times_count and _output_time(j, s, lane) < get(w, lane):
        _write_nothing(j, s, lane)
    die_out(k, j, s, lane)
    if j.event_count:
        happen(k, j, s, lane)
    _write_now(k, j, s, lane)
    _give_doses(k, j, s, lane)
    _restart(k, j, s, lane)


@written_in
def _output_time(j: Job, s: Lanes, lane: int) -> float:
    """The next time an output is asked for; there must be one."""
    time: float = get(j.times, get_whole(s.patient, lane) * j.times_stride + get_whole(s.output, lane))
    return time


@njit
def _reject(k: Kernel, j: Job, s: Lanes, lane: int) -> bool:
    """A smaller step next time; true if it cannot be smaller, or was the last that may be tried."""
    patient = get_whole(s.patient, lane)
    step, error = field(k, s, k.step_size, lane), field(k, s, k.error, lane)
    if field(k, s, k.steps, lane) >= field(k, s, k.step_limit, lane):
        fail(k, j, s, lane, _TOO_MANY, _worst(k, s, lane))
        return True
    put_whole(j.rejected, patient, get_whole(j.rejected, patient) + 1)
    set_field(k, s, k.rejected, lane, 1.0)
    if not math.isfinite(error):
        set_field(k, s, k.mend, lane, 1.0)
    factor = max(_SHRINK_MOST, _SAFETY * inverse_fifth_root(error)) if 1.0 < error < 1e30 else _SHRINK_MOST
    set_field(k, s, k.planned, lane, factor * step)
    now = field(k, s, 0, lane)
    if now + factor * step * 1e-2 == now or factor * step < 1e-280:
        fail(k, j, s, lane, _TOO_SMALL if error < 1e300 else _NOT_FINITE, _worst(k, s, lane))
        return True
    return False


@njit
def _worst(k: Kernel, s: Lanes, lane: int) -> int:
    """The state with the largest error against what is tolerated; the first that is not finite before all."""
    found, most = -1, -1.0
    for state in range(k.states):
        new = field(k, s, k.new_states + state, lane)
        if not math.isfinite(new):
            return state
        allowed = _tolerated(k, s, lane, state, max(abs(new), abs(field(k, s, 1 + state, lane))))
        share = abs(field(k, s, k.errors + state, lane)) / allowed
        if share > most:
            found, most = state, share
    return found


@njit
def _tolerated(k: Kernel, s: Lanes, lane: int, state: int, size: float) -> float:
    place = k.relative_tolerance * k.lanes + lane
    allowed: float = get(s.work, place + (1 + state) * k.lanes) + get(s.work, place) * size
    return allowed


@written_in
def _is_due(k: Kernel, j: Job, s: Lanes, lane: int) -> bool:
    """Whether an output is asked in the step, its end included."""
    due: bool = get_whole(s.output, lane) < j.times_count and _output_time(j, s, lane) <= field(k, s, k.end, lane)
    return due


@written_in
def _happens(k: Kernel, j: Job, s: Lanes, lane: int) -> bool:
    """Whether an event may happen at the end of the step, so that an output asked there waits for it."""
    end = field(k, s, k.end, lane)
    happens: bool = get(s.turn, lane) <= 1.0 or (end == field(k, s, k.stop, lane) and event_due(j, s, lane, end))
    return happens


@written_in
def _write_outputs(k: Kernel, j: Job, s: Lanes, lanes: int) -> None:
    """All outputs asked in the steps of these lanes; in each turn the next one of every lane."""
    writing = lanes
    while writing != 0:
        left = writing
        while left != 0:
            lane = lowest(left)
            left &= left - 1
            if not _is_due(k, j, s, lane) or _waits(k, j, s, lane):
                writing &= ~(1 << lane)
                continue
            time, begin, step = _output_time(j, s, lane), field(k, s, 0, lane), field(k, s, k.step_size, lane)
            set_field(k, s, k.share, lane, (time - begin) / step if time < begin + step else 1.0)
        if writing != 0:
            call_listed(k.inside, s.work, j.needed, j.needed_count)
        left = writing
        while left != 0:
            lane = lowest(left)
            left &= left - 1
            set_field(k, s, k.inside_place, lane, _output_time(j, s, lane))  # as asked, to the last bit
            _write(k, j, s, lane, k.inside_place)


@written_in
def _waits(k: Kernel, j: Job, s: Lanes, lane: int) -> bool:
    """Whether the next output is asked at the end of the step and an event may happen there first."""
    waits: bool = _output_time(j, s, lane) == field(k, s, k.end, lane) and _happens(k, j, s, lane)
    return waits


@njit
def _arrive(k: Kernel, j: Job, s: Lanes, lane: int) -> bool:
    """The end of the step becomes the beginning of the next, with all that happens there; true if that failed."""
    happens, source = _happens(k, j, s, lane), k.new_states
    if get(s.turn, lane) <= 1.0:
        set_field(k, s, k.share, lane, get(s.turn, lane))
        call_listed(k.inside, s.work, j.needed, j.needed_count)
        source = k.inside_place + 1
    for state in range(k.states):
        least, end = field(k, s, k.lowest + state, lane), field(k, s, source + state, lane)
        set_field(k, s, 1 + state, lane, least if end < least else end)
    set_field(k, s, 0, lane, field(k, s, k.end, lane))
    die_out(k, j, s, lane)
    if happens:
        happen(k, j, s, lane)
        _write_now(k, j, s, lane)
    _give_doses(k, j, s, lane)
    _restart(k, j, s, lane)
    status: int = get_whole(j.status, get_whole(s.patient, lane))
    return status != _OK


@written_in
def _look_ahead(k: Kernel, j: Job, s: Lanes, lane: int) -> None:
    """Note the next moment that needs a closer look; when anything may turn, every step does."""
    look = field(k, s, k.stop, lane)
    if get_whole(s.output, lane) < j.times_count:
        look = min(look, _output_time(j, s, lane))
    set_field(k, s, k.look, lane, -math.inf if j.watching != 0 else look)


@njit
def _write_now(k: Kernel, j: Job, s: Lanes, lane: int) -> None:
    """The output at this very moment, if one is asked."""
    if get_whole(s.output, lane) < j.times_count and _output_time(j, s, lane) == get(s.work, lane):
        _write(k, j, s, lane, 0)


@written_in
def _write(k: Kernel, j: Job, s: Lanes, lane: int, moment: int) -> None:
    """One row of outputs from the time and states that stand at place `moment`."""
    width, w, output, columns = k.lanes, s.work, get_whole(s.output, lane), j.outputs
    row = (get_whole(s.patient, lane) * j.times_count + output) * columns
    out, total = j.out + 8 * row, 0.0
    put_whole(s.output, lane, output + 1)
    if k.observe == 0:
        asked, states = j.output_states, w + 8 * ((moment + 1) * width + lane)  # read once, not for every column
        for column in range(columns):
            value = get(states, get_whole(asked, column) * width)
            put(out, column, value)
            total += 0.0 * value
    else:
        here = w + 8 * lane
        call_one(k.observe, here + 8 * moment * width, here, out)
        for column in range(columns):
            total += 0.0 * get(out, column)
    if total != 0.0:  # as it is only if a number is infinite or none
        _note_no_number(k, j, s, lane, row)


@njit
def _note_no_number(k: Kernel, j: Job, s: Lanes, lane: int, row: int) -> None:
    """Note when and in which output something was not a number for the first time."""
    patient = get_whole(s.patient, lane)
    for column in range(j.outputs):
        if math.isnan(get(j.out, row + column)) and math.isnan(get(j.failed_at, patient)):
            put(j.failed_at, patient, get(j.times, patient * j.times_stride + get_whole(s.output, lane) - 1))
            put_whole(j.failed_in, patient, column)


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
        die_out(k, j, s, lane)
        if j.event_count:
            happen(k, j, s, lane)


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
    set_field(k, s, k.stop, lane, stop)
    here = s.work + 8 * lane
    if k.relations:
        call_one(k.conditions, here, here, s.buffer)
        for relation in range(k.relations):
            set_field(k, s, k.truths + relation, lane, get(s.buffer, relation))
    set_field(k, s, k.planned, lane, _first_step(k, s, lane))
    set_field(k, s, k.last_log_error, lane, _LAST_ERROR_FIRST)
    set_field(k, s, k.rejected, lane, 0.0)
    set_field(k, s, k.mend, lane, 0.0)
    set_field(k, s, k.taken, lane, 0.0)
    _look_ahead(k, j, s, lane)


@njit
def _first_step(k: Kernel, s: Lanes, lane: int) -> float:
    """A first step after Hairer, Norsett & Wanner, Solving Ordinary Differential Equations I, II.4."""
    width, w, states = k.lanes, s.work, k.states
    here = w + 8 * lane
    call_one(k.rates, here, here, s.buffer)
    size = slope = bend = 0.0
    for state in range(states):
        old, rate = get(w, (1 + state) * width + lane), get(s.buffer, state)
        per_allowed = 1.0 / _tolerated(k, s, lane, state, abs(old))
        size += (old * per_allowed) * (old * per_allowed)
        slope += (rate * per_allowed) * (rate * per_allowed)
        put(s.buffer, states + state, rate)
        put(s.buffer, 2 * states + state, per_allowed)
    size, slope = math.sqrt(size / max(states, 1)), math.sqrt(slope / max(states, 1))
    first = 0.01 * size / slope if size > 1e-5 and slope > 1e-5 else 1e-6
    if not (first > 0.0 and math.isfinite(first)):
        first = 1e-6
    put(w, k.inside_place * width + lane, get(w, lane) + first)
    for state in range(states):
        moved = get(w, (1 + state) * width + lane) + first * get(s.buffer, state)
        put(w, (k.inside_place + 1 + state) * width + lane, moved)
    call_one(k.rates, here + 8 * k.inside_place * width, here, s.buffer)
    for state in range(states):
        change = (get(s.buffer, state) - get(s.buffer, states + state)) * get(s.buffer, 2 * states + state)
        bend += change * change
    largest = max(slope, math.sqrt(bend / max(states, 1)) / first)
    second = inverse_fifth_root(100.0 * largest) if largest > 1e-15 else max(1e-6, first * 1e-3)
    found = min(100.0 * first, second)
    return found if found > 0.0 and math.isfinite(found) else 1e-6
