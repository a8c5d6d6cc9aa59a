"""From a request to the plain arrays of the control loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..compiling.kernel import CompiledModel
from ..compiling.layout import CONTROL
from ..compiling.program import Program
from ..request import Doses as DoseTable
from ..request import Extinction, Request
from .records import JobArrays, Kernel, Numbers, Places

_SAME_MOMENT, _SAME_MOMENT_AT_ZERO = 1e-15, 1e-99  # what the control loop takes for one moment, and a little more
_WAITING = 64  # room for so many events of one patient that wait for their time, or four times their number


def infused_slots(program: Program, doses: DoseTable) -> tuple[int, ...]:
    """Slots of the states that infusions run into."""
    names = sorted({str(name) for name in doses.state[doses.duration > 0]})
    return tuple(sorted(program.slot(name) for name in names))


def kernel_of(compiled: CompiledModel, observe: int) -> Kernel:
    """Addresses and places; `observe` is the address of the function of outputs, 0 if all outputs are states."""
    layout = compiled.layout
    return Kernel(
        **compiled.machine_code.addresses,
        observe=observe,
        lanes=compiled.lanes,
        states=layout.states,
        constants=layout.constants,
        relations=layout.relations,
        inputs=len(layout.infused),
        first_input=layout.first_input,
        **{name: layout.control(name) for name in CONTROL if name in Kernel._fields},
        relative_tolerance=layout.relative_tolerance,
        lowest=layout.lowest,
        truths=layout.truths,
        new_states=layout.new_states,
        errors=layout.dense - layout.states,
        inside_place=layout.inside,
    )


def job_of(compiled: CompiledModel, request: Request, out: Numbers, *, all_states: bool) -> JobArrays:
    """The request as arrays; results go to `out` (patients, times, outputs).

    `all_states`: some output is more than a state, so that all states are needed wherever there is output.
    """
    program, patients = compiled.program, len(request)
    states = {name: index for index, name in enumerate(program.states)}
    output_states = _places([states[name] for name in request.outputs] if not all_states else [])
    watching = bool(compiled.layout.relations or request.extinctions)
    needed = _places(range(len(states))) if all_states or watching else np.unique(output_states)
    named = {**request.parameters, **request.initial}
    given = {f"given {name}": np.ascontiguousarray(array, dtype=float) for name, array in named.items()}
    times = np.ascontiguousarray(np.atleast_2d(request.times), dtype=float)
    arrays = {
        "given": _places([array.ctypes.data for array in given.values()]),
        "given_slots": _places([program.slot(name) for name in named]),
        "start": np.ascontiguousarray(request.start, dtype=float),
        "times": times,
        "output_states": output_states,
        "needed": needed,
        "out": out,
        "tolerances": _tolerances(program, request),
        **_doses(program, request, compiled.layout.infused),
        **_groups(states, request.extinctions, compiled.layout.infused),
        **_events(program),
        **{name: np.zeros(patients, dtype=np.int64) for name in ("status", "steps", "rejected")},
        "failed_at": np.full(patients, np.nan),
        "failed_in": np.full(patients, -1, dtype=np.int64),
        "next_patient": np.zeros(1, dtype=np.int64),
        "stop": np.zeros(1, dtype=np.int64),
    }
    sizes = {
        "patients": patients,
        "given_columns": len(named),
        "times_count": times.shape[1],
        "times_stride": times.shape[1] if len(times) > 1 else 0,
        "outputs": len(request.outputs),
        "needed_count": len(needed),
        "groups": len(request.extinctions),
        "event_count": len(program.events),
        "assignments": sum(len(event.assignments) for event in program.events),
        "waiting": max(_WAITING, 4 * len(program.events)) if program.events else 0,
        "max_steps": request.max_steps,
        "watching": int(watching),
    }
    return JobArrays(arrays=arrays, sizes=sizes, kept=tuple(given.values()))


def _places(values: Sequence[int] | range) -> Places:
    return np.array(values, dtype=np.int64)


def _tolerances(program: Program, request: Request) -> Numbers:
    absolute = request.absolute_tolerance
    each = absolute if isinstance(absolute, Mapping) else dict.fromkeys(program.states, absolute)
    lowest = [0.0 if name in request.never_negative else -np.inf for name in program.states]
    return np.array([request.relative_tolerance, *(each[name] for name in program.states), *lowest])


def _groups(
    states: Mapping[str, int], rules: Sequence[Extinction], infused: Sequence[int]
) -> dict[str, Numbers | Places]:
    fed_by = [[which for which, slot in enumerate(infused) if slot - 1 in _members(states, rule)] for rule in rules]
    return {
        "threshold": np.array([rule.threshold for rule in rules], dtype=float),
        "member_first": _starts([len(rule.states) for rule in rules]),
        "members": _places([states[name] for rule in rules for name in rule.states]),
        "source_first": _starts([len(rule.not_while_positive) for rule in rules]),
        "sources": _places([states[name] for rule in rules for name in rule.not_while_positive]),
        "group_input_first": _starts([len(inputs) for inputs in fed_by]),
        "group_inputs": _places([which for inputs in fed_by for which in inputs]),
    }


def _members(states: Mapping[str, int], rule: Extinction) -> set[int]:
    return {states[name] for name in rule.states}


def _starts(lengths: Sequence[int]) -> Places:
    """Where each of several runs of these lengths begins, and where the last ends."""
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)


def _doses(program: Program, request: Request, infused: Sequence[int]) -> dict[str, Numbers | Places]:
    """One row per bolus, two per infusion; those at the same time by state and amount, whatever the table's order.

    Doses of nothing are left out. An infusion so short that its end is the moment of its start is a bolus; the rate is
    such that the whole amount is given between the two moments as they are rounded.
    """
    table = request.doses
    some = np.flatnonzero(table.amount != 0)
    time, amount, who = table.time[some].astype(float), table.amount[some].astype(float), table.patient[some]
    names, which_name = np.unique(table.state[some], return_inverse=True)
    slot = _places([program.slot(str(name)) for name in names])[which_name]
    end = time + table.duration[some]
    span = end - time
    runs = span > _SAME_MOMENT * np.abs(time) + _SAME_MOMENT_AT_ZERO
    rate = np.divide(amount, span, out=np.zeros(len(some)), where=runs)
    which = _places([infused.index(one) if one in infused else -1 for one in range(len(program.quantities) + 1)])
    inputs = np.where(runs, which[slot], -1)
    patient = np.concatenate([who, who[runs]])
    columns = {
        "dose_time": np.concatenate([time, end[runs]]),
        "dose_slot": np.concatenate([slot, slot[runs]]),
        "dose_input": np.concatenate([inputs, inputs[runs]]),
        "dose_amount": np.concatenate([np.where(runs, rate, amount), -rate[runs]]),
    }
    order = _dose_order(patient, *columns.values())
    columns = {name: np.ascontiguousarray(column[order]) for name, column in columns.items()}
    counts = np.bincount(patient.astype(np.int64), minlength=len(request))
    volume = _places([program.dose_volume.get(one, 0) for one in range(len(program.quantities) + 1)])
    return {"dose_first": _starts(counts.tolist()), "dose_volume": volume[columns["dose_slot"]], **columns}


def _dose_order(patient: Places, time: Numbers, slot: Places, which: Places, amount: Numbers) -> Places:
    """By patient, time, state and input; only where all of these are equal are amounts compared, which is slow."""
    keys = (which, slot, time, patient)
    order = np.lexsort(keys)
    equal = np.ones(max(len(patient) - 1, 0), dtype=bool)
    for key in keys:
        equal &= key[order[1:]] == key[order[:-1]]
    return np.lexsort((amount, *keys)) if equal.any() else order


def _events(program: Program) -> dict[str, Numbers | Places]:
    events = program.events
    return {
        "initial_value": _places([event.initial_value for event in events]),
        "persistent": _places([event.persistent for event in events]),
        "from_trigger": _places([event.values_from_trigger_time for event in events]),
        "delayed": _places([event.delay is not None for event in events]),
        "event_first": _starts([len(event.assignments) for event in events]),
        "event_slots": _places([slot for event in events for slot in event.assignments]),
    }
