"""Eligibility at a moment, and which criteria are judged after which step of screening. No chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import and_
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base.verdict import Verdicts
from ..protocol.criteria import Ages, EligibilityCriterion, Moment, variables_of
from ..protocol.schema import Protocol
from ..records import VARIABLES, Baseline, VariableKind

Measured = Mapping[str, NDArray[Any]]

_AT_SCREENING = {Moment.PRESCREENING, Moment.SCREENING}


def eligible(
    criteria: Sequence[EligibilityCriterion], moment: Moment, measured: Measured, ages: Ages | None = None
) -> Verdicts:
    """All criteria that must hold at that moment, for each patient, with the text of each as reason.

    A variable that a criterion asks for and that is not in `measured` is unknown, never passed; so is one that was
    measured longer ago (`ages`, days by variable) than the criterion's window.
    """
    asked = [criterion for criterion in criteria if moment in criterion.when]
    patients = len(next(iter(measured.values())))
    complete = _completed(asked, measured, patients)
    return reduce(and_, (one.evaluate(complete, ages) for one in asked), Verdicts.all_pass(patients))


def _completed(criteria: Sequence[EligibilityCriterion], measured: Measured, patients: int) -> Measured:
    """`measured` with missing values for what nobody measured."""
    names = set().union(*(variables_of(one.rule) for one in criteria)) - set(measured)
    return dict(measured) | {name: _missing(name, patients) for name in names}


def _missing(name: str, patients: int) -> NDArray[Any]:
    if VARIABLES[name].kind is VariableKind.CATEGORY:
        return np.full(patients, "")
    return np.full(patients, np.nan)


def measurements_of(baseline: Baseline) -> dict[str, NDArray[Any]]:
    """Every variable that a baseline knows, by name, (patients,); flags as 1 and 0."""
    measured: dict[str, NDArray[Any]] = {}
    for name, variable in VARIABLES.items():
        if hasattr(baseline, name):
            values = getattr(baseline, name)
            measured[name] = values if variable.kind is VariableKind.CATEGORY else values.astype(np.float64)
    return measured


def screening_order(protocol: Protocol) -> tuple[tuple[EligibilityCriterion, ...], ...]:
    """The criteria judged after each step of screening, in the protocol's order; each is judged exactly once.

    A criterion of pre-screening or screening is judged as soon as all its variables are measured. One that asks for a
    variable which no step measures is judged after the last step, and is then unknown.
    """
    waiting = [one for one in protocol.eligibility if _AT_SCREENING & set(one.when)]
    known: set[str] = set()
    order = []
    for step in protocol.screening:
        known |= set(step.measures)
        last = step is protocol.screening[-1]
        now = [one for one in waiting if last or variables_of(one.rule) <= known]
        waiting = [one for one in waiting if one not in now]
        order.append(tuple(now))
    return tuple(order)
