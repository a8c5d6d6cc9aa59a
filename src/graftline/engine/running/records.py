"""What the control loop is handed: whole numbers and addresses only, so that it is compiled once for all models.

It gets each record as one address (`packed`), because handing dozens of fields from function to function takes longer
than a step.

Arrays stay with the caller, who keeps them alive; a field whose text begins with "address" is where one begins. All
whole numbers in them are 64 bits wide, rows follow each other.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Places = NDArray[np.int64]


class Kernel(NamedTuple):
    """Addresses of a model's compiled functions and where things stand in their workspace (`compiling.layout`)."""

    step: int
    dense: int
    inside: int
    fallen: int
    turned: int
    begin: int
    prepare: int
    rates: int
    conditions: int
    events: int
    observe: int
    """0 if all outputs are states"""
    lanes: int
    states: int
    constants: int
    relations: int
    inputs: int
    first_input: int
    step_size: int
    planned: int
    rejected: int
    steps: int
    step_limit: int
    stop: int
    look: int
    end: int
    error: int
    last_log_error: int
    accepted: int
    taken: int
    share: int
    mend: int
    relative_tolerance: int
    lowest: int
    truths: int
    new_states: int
    errors: int
    """of the states after the step"""
    inside_place: int


class Job(NamedTuple):
    """A batch of patients and where their results go. Shared by all threads; each patient is written by one."""

    patients: int
    given_columns: int
    given: int
    """address, (given quantities,): of each one's numbers, (patients,)"""
    given_slots: int
    """address, (given quantities,)"""
    start: int
    """address, (patients,)"""
    times: int
    """address, (1 or patients, times), rising"""
    times_count: int
    times_stride: int
    """0 if all patients share the times"""
    outputs: int
    output_states: int
    """address, (outputs,): state, 0 …; used if there is no `observe`"""
    needed: int
    """address: states whose dense output is needed"""
    needed_count: int
    out: int
    """address, (patients, times, outputs); the loop writes every row, NaN where there is no course"""
    tolerances: int
    """address: relative, then absolute per state, then the lowest value per state"""
    dose_first: int
    """address, (patients + 1,): where a patient's doses begin; they are sorted by time"""
    dose_time: int
    """address, as are the next"""
    dose_slot: int
    """slot of the state"""
    dose_amount: int
    """units of the state for a bolus, per time for an infusion; negative where an infusion ends"""
    dose_input: int
    """-1 for a bolus, else which of the infused states"""
    dose_volume: int
    """slot the amount is divided by, 0 for none"""
    groups: int
    """how many groups of states die out as one"""
    threshold: int
    """address, (groups,)"""
    member_first: int
    members: int
    source_first: int
    sources: int
    group_input_first: int
    group_inputs: int
    """which of the infused states belong to a group; while such an infusion runs the group is fed"""
    event_count: int
    assignments: int
    """of all events together"""
    waiting: int
    """how many events of one patient can wait for their time at once"""
    initial_value: int
    """address, (events,), as are the next three"""
    persistent: int
    from_trigger: int
    delayed: int
    event_first: int
    """address, (events + 1,): where an event's assignments begin"""
    event_slots: int
    """address, (assignments,): slot that is set"""
    max_steps: int
    watching: int
    """1 if something may happen within a step: a relation turns, a group dies out"""
    status: int
    """address, (patients,), as are the next four"""
    failed_at: int
    failed_in: int
    """quantity that failed, 0 …; -1: none in particular"""
    steps: int
    rejected: int
    next_patient: int
    """address of the number of the next patient nobody works on yet"""
    stop: int
    """address of a number; not 0 ends the work early"""


class Lanes(NamedTuple):
    """What one thread keeps: addresses of its workspace and of what it knows of each lane, (lanes,) or (lanes, …)."""

    work: int
    """(places, lanes): see `compiling.layout`"""
    patient: int
    """-1: nobody"""
    output: int
    """next output time"""
    dose: int
    """next dose"""
    turn: int
    """share of the step at which something turned; above 1: nothing has"""
    before_turn: int
    """the last share at which it was seen not to have turned"""
    running: int
    """(lanes, infused states): infusions that run"""
    triggers: int
    """(lanes, events): 1 where true"""
    pending: int
    """(lanes,): events that wait"""
    pending_time: int
    """(lanes, waiting)"""
    pending_event: int
    pending_values: int
    """(lanes, waiting, assignments)"""
    buffer: int
    """room for what a function of one patient gives"""


@dataclass(frozen=True, kw_only=True)
class JobArrays:
    """The arrays behind a `Job`; it is valid as long as this lives."""

    arrays: dict[str, NDArray[Any]]
    sizes: dict[str, int]
    kept: tuple[NDArray[Any], ...] = ()
    """arrays whose addresses stand in others"""

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.arrays[name]

    @property
    def job(self) -> Job:
        """As the loop takes it."""
        addresses = {name: int(array.ctypes.data) for name, array in self.arrays.items()}
        return Job(**addresses, **self.sizes)


@dataclass(frozen=True, kw_only=True)
class LaneArrays:
    """The arrays behind `Lanes`, for one thread."""

    work: Numbers
    patient: Places
    output: Places
    dose: Places
    turn: Numbers
    before_turn: Numbers
    running: Places
    triggers: Numbers
    pending: Places
    pending_time: Numbers
    pending_event: Places
    pending_values: Numbers
    buffer: Numbers

    @property
    def lanes(self) -> Lanes:
        """As the loop takes it."""
        return Lanes(**{field.name: int(getattr(self, field.name).ctypes.data) for field in fields(self)})


def packed(record: Kernel | Job | Lanes) -> Any:
    """The record as compiled code takes it; whoever holds it keeps it alive."""
    kind = np.dtype([(name, np.int64) for name in record._fields])
    return np.array([tuple(record)], dtype=kind)[0]


def new_lanes(kernel: Kernel, job: Job, places: int) -> LaneArrays:
    """Room for one thread; the workspace begins at a cache line, so that vectors do not straddle two."""
    lanes, events = kernel.lanes, job.event_count
    waiting = job.waiting
    room = max(3 * events + 2 * job.assignments, kernel.relations, 3 * kernel.states, job.outputs, 1)
    return LaneArrays(
        work=_aligned(places * lanes),
        patient=np.full(lanes, -1, dtype=np.int64),
        output=np.zeros(lanes, dtype=np.int64),
        dose=np.zeros(lanes, dtype=np.int64),
        turn=np.zeros(lanes),
        before_turn=np.zeros(lanes),
        running=np.zeros((lanes, kernel.inputs), dtype=np.int64),
        triggers=np.zeros((lanes, events)),
        pending=np.zeros(lanes, dtype=np.int64),
        pending_time=np.zeros((lanes, waiting)),
        pending_event=np.zeros((lanes, waiting), dtype=np.int64),
        pending_values=np.zeros((lanes, waiting, job.assignments)),
        buffer=_aligned(room),
    )


def _aligned(size: int) -> Numbers:
    line = 64
    room = np.zeros(size + line // 8)
    return room[(-room.ctypes.data % line) // 8 :][:size]
