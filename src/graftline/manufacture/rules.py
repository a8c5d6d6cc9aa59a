"""Release of a product and what is tried after a failure. The same code path for one real and many virtual batches."""

from __future__ import annotations

from functools import reduce
from operator import and_

import numpy as np

from ..base.units import PERCENT, Quantity
from ..base.verdict import Outcome, Verdict, Verdicts
from ..protocol.schema import Manufacture, ReleaseSpecification
from ..records.baseline import Numbers, Words
from ..records.batch import Batch, Batches, Sterility


def may_release(batch: Batch, specification: ReleaseSpecification, patient: str) -> Verdict:
    """Whether the batch may leave the plant for this patient: pass, fail or unknown, with all reasons."""
    return releasable(Batches.of(batch, patient), specification)[0]


def releasable(batches: Batches, specification: ReleaseSpecification) -> Verdicts:
    """Whether each batch may leave the plant for its patient, with all reasons.

    With conditional release a pending sterility test is no obstacle; growth always is. Limits: viability, CD3+ and
    transduced share at or above the minimum, copies per transduced cell at or below the maximum.
    """
    specified = specification
    checks = [
        _holds(batches.for_this_patient, "made for another patient"),
        _at_least(batches.transduced_cells, np.nextafter(0.0, 1.0), "the culture did not grow"),
        _at_least(batches.viable_fraction, _share(specified.minimum_viability), "too few viable cells"),
        _at_least(batches.cd3_fraction, _share(specified.minimum_cd3), "too few CD3+ cells"),
        _at_least(batches.transduced_fraction, _share(specified.minimum_transduced), "too few transduced cells"),
        _at_least(
            -batches.copies_per_cell, -specified.maximum_copies.to("copies/cell"), "too many vector copies per cell"
        ),
        _sterile(batches, specified.sterility == "conditional"),
    ]
    if specified.identity_test:
        checks.append(_holds(batches.identity_test, "identity test does not show the patient's cells"))
    return reduce(and_, checks)


def _share(written: Quantity) -> float:
    """The limit as a fraction; by way of percent, so that 70 % is exactly 0.7 and a batch at the limit passes."""
    return written.to("percent") / PERCENT


def _at_least(values: Numbers, limit: float, reason: str) -> Verdicts:
    return Verdicts.from_test(values >= limit, ~np.isnan(values), reason)


def _holds(flags: Numbers, reason: str) -> Verdicts:
    return Verdicts.from_test(flags == 1, ~np.isnan(flags), reason)


def _sterile(batches: Batches, conditional: bool) -> Verdicts:
    pending = batches.sterility == Sterility.PENDING
    sterile = (batches.sterility == Sterility.STERILE) | (pending & conditional)
    return Verdicts.from_test(sterile, ~pending | conditional, "sterility not shown")


def next_attempt(manufacture: Manufacture, attempts_made: int, batches: Batches, least_cells: float) -> Words:
    """What is tried after batches that failed: 'remake', 'reapheresis' or 'stop' for each, (batches,).

    The first way in the protocol's order that is possible: a remake needs at least `least_cells` (1e9 CD3+) in reserve;
    none is possible once `attempts_made` (all batches of the patient so far) reaches the protocol's maximum.
    """
    chosen = np.full(len(batches), "stop", dtype="<U11")
    if attempts_made >= manufacture.max_attempts:
        return chosen
    for way in reversed(manufacture.on_failure):
        possible = batches.reserve_cells >= least_cells if way == "remake" else np.ones(len(batches), dtype=np.bool_)
        chosen = np.where(possible, way, chosen)
    return chosen


def reasons_of_failure(verdicts: Verdicts) -> Words:
    """The first reason of each batch that does not pass, '' where it passes, (batches,)."""
    words = np.full(len(verdicts), "", dtype=object)
    for label, part in reversed(verdicts.reasons):
        words = np.where(part == Outcome.FAIL, label, np.where(part == Outcome.UNKNOWN, f"not known: {label}", words))
    return np.asarray(np.where(verdicts.passed, "", words), dtype=np.str_)
