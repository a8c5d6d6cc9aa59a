"""Screening of virtual patients, step by step as the protocol writes it, with their clock running."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base.streams import Keys, Streams
from ..base.verdict import Outcome
from ..evidence import card
from ..protocol.criteria import variables_of
from ..protocol.schema import Protocol
from ..records import VARIABLES, Baseline, VariableKind
from ..records.baseline import Flags, Numbers, Words
from .rules import measurements_of, screening_order

DIED, WITHDREW, DETERIORATED = "died", "withdrew", "deteriorated during screening"
_LEFT = (DIED, WITHDREW, DETERIORATED)


@dataclass(frozen=True, kw_only=True)
class ScreeningResult:
    """What screening came to; arrays are (patients,)."""

    days: Numbers
    """from the first step to the end of the last one done (who passes: to apheresis), or to what ended it"""
    passed: Flags
    last_step: NDArray[np.int64]
    """index of the last step begun"""
    reason: Words
    """text of the first criterion not passed, or 'died', 'withdrew', 'deteriorated during screening'; '' if passed"""
    criterion: Words
    """name of that criterion; '' if passed or if the patient left"""

    def __len__(self) -> int:
        return len(self.days)


def screen(protocol: Protocol, baseline: Baseline, keys: Keys, streams: Streams) -> ScreeningResult:
    """Take each patient through the steps in order and stop where the protocol stops.

    After each step the criteria whose variables are known by then are judged; the first that fails or stays unknown
    ends screening, and so does death, withdrawal or deterioration before the step is over, or while an eligible patient
    waits for apheresis.
    """
    ends = np.cumsum(_step_days(protocol, keys, streams), axis=1)  # (patients, steps)
    failed_step, code, reasons, names = _judge(protocol, _measured(protocol, baseline, keys, streams), len(keys))
    final = np.minimum(failed_step, len(protocol.screening) - 1)
    booking = protocol.apheresis.after_eligibility.to("days")
    finished = ends[np.arange(len(keys)), final] + np.where(code == 0, booking, 0.0)
    times = _leaving_times(keys, streams)  # (patients, causes)
    cause = np.argmin(times, axis=1)
    leaves = times[np.arange(len(keys)), cause]
    left = leaves < finished
    code = np.where(left, 0, code)
    return ScreeningResult(
        days=np.where(left, leaves, finished),
        passed=np.asarray(~left & (code == 0), dtype=np.bool_),
        last_step=np.where(left, np.sum(ends <= leaves[:, None], axis=1), final),
        reason=np.where(left, np.array(_LEFT)[cause], np.array(reasons)[code]),
        criterion=np.array(names)[code],
    )


def _judge(
    protocol: Protocol, measured: dict[str, NDArray[Any]], patients: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], list[str], list[str]]:
    """Step of the first criterion not passed (number of steps if none), its code (0 if none), and what codes mean."""
    order = screening_order(protocol)
    step_of = np.full(patients, len(order))
    code = np.zeros(patients, dtype=np.int64)
    reasons, names = [""], [""]
    for step, criteria in enumerate(order):
        for criterion in criteria:
            outcomes = criterion.evaluate(measured).outcomes
            for outcome, words in (
                (Outcome.FAIL, f"not met: {criterion.text}"),
                (Outcome.UNKNOWN, f"not known: {criterion.text}"),
            ):
                first = (code == 0) & (outcomes == outcome)
                code[first], step_of[first] = len(reasons), step
                reasons.append(words)
                names.append(criterion.name)
    return step_of, code, reasons, names


def _measured(protocol: Protocol, baseline: Baseline, keys: Keys, streams: Streams) -> dict[str, NDArray[Any]]:
    """What the steps of screening find: only variables that a step measures; no infection or fever at screening."""
    at_hand = measurements_of(baseline)
    at_hand |= {name: np.zeros(len(keys)) for name in ("active_infection", "fever")}
    no_biopsy = streams.named("screening", "biopsy").uniform(keys)[:, 0] < card("screening_biopsy_missing_share").number
    at_hand["afp_tumour_ihc"] = np.where(no_biopsy, np.nan, at_hand["afp_tumour_ihc"])
    known = {name for step in protocol.screening for name in step.measures}
    asked = {name for criteria in screening_order(protocol) for one in criteria for name in variables_of(one.rule)}
    return {
        name: at_hand[name] if name in known and name in at_hand else _not_measured(name, len(keys)) for name in asked
    }


def _not_measured(name: str, patients: int) -> NDArray[Any]:
    category = VARIABLES[name].kind is VariableKind.CATEGORY
    return np.full(patients, "") if category else np.full(patients, np.nan)


def _step_days(protocol: Protocol, keys: Keys, streams: Streams) -> Numbers:
    """Days that each step takes, (patients, steps): log-normal around the protocol's mean."""
    variance = np.log1p(card("screening_step_variation").number ** 2)
    means = np.array([step.takes.to("days") for step in protocol.screening])
    scores = np.concatenate(
        [streams.named("screening", "step", step.name).normal(keys) for step in protocol.screening], axis=1
    )
    return np.asarray(means * np.exp(np.sqrt(variance) * scores - variance / 2), dtype=np.float64)


def _leaving_times(keys: Keys, streams: Streams) -> Numbers:
    """Days to death, withdrawal and deterioration, (patients, causes), at constant hazards."""
    hazards = (
        np.log(2) / card("screening_death_median").to("days"),
        card("screening_withdrawal_hazard").to("1/day"),
        card("screening_deterioration_hazard").to("1/day"),
    )
    drawn = [streams.named("screening", cause).exponential(keys) for cause in _LEFT]
    return np.asarray(np.concatenate(drawn, axis=1) / np.array(hazards), dtype=np.float64)
