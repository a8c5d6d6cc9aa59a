"""Global sensitivity of any model: which uncertain input accounts for how much of the spread of which result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .. import engine
from ..base.errors import Fault, InputError
from ..statistics import SobolDesign, SobolIndices, sobol_design, sobol_indices
from .distributions import Distribution
from .summaries import Summary

Numbers = NDArray[np.float64]
Progress = Callable[[int, int], None]
_PATIENTS_AT_ONCE = 2000  # so that memory stays bounded


@dataclass(frozen=True, kw_only=True)
class StudyOutput:
    """A result under study: what is read off a course, in words, with its unit and what was done to it."""

    name: str
    summary: Summary
    meaning: str
    unit: str = ""
    note: str = ""
    """how its scale must be understood"""


@dataclass(frozen=True, kw_only=True)
class Study:
    """Uncertain inputs, results, and a way from the one to the other.

    `evaluate(quantiles, threads)` takes {input: (patients,) between 0 and 1} and gives the results (patients, outputs),
    NaN where a patient could not be solved or a result is undefined, and whether each patient was solved (patients,).
    """

    inputs: Mapping[str, str]
    """name -> meaning, with its distribution"""
    outputs: tuple[StudyOutput, ...]
    evaluate: Callable[[Mapping[str, Numbers], int | None], tuple[Numbers, NDArray[np.bool_]]]
    fixed: Mapping[str, str] = field(default_factory=dict)
    """what else must be said: label -> text"""


@dataclass(frozen=True, kw_only=True)
class SensitivityResult:
    """Sobol indices of every output, with what is needed to judge them."""

    study: Study
    design: SobolDesign
    indices: tuple[SobolIndices, ...]
    """one per output"""
    failed: int
    """patients whose equations could not be solved"""
    undefined: tuple[int, ...]
    """per output: patients that were solved but have no value there"""
    seed: int

    @property
    def failed_share(self) -> float:
        """Share of all patients that could not be solved, 0 to 1."""
        return self.failed / len(self.design)

    def meaning_of(self, factor: str) -> str:
        """A factor in words; of a group its members."""
        if factor in self.study.inputs:
            return self.study.inputs[factor]
        pairs = zip(self.design.inputs, self.design.membership, strict=True)
        return "group of " + ", ".join(name for name, group in pairs if group == factor)

    def table(self) -> pl.DataFrame:
        """A row per output and factor, the largest total index of each output first."""
        frames = []
        for output, found in zip(self.study.outputs, self.indices, strict=True):
            rows = pl.DataFrame(
                {
                    "output": [output.name] * len(found.factors),
                    "output_meaning": [output.meaning] * len(found.factors),
                    "factor": list(found.factors),
                    "factor_meaning": [self.meaning_of(factor) for factor in found.factors],
                    "first": found.first,
                    "first_low": found.first_interval[0],
                    "first_high": found.first_interval[1],
                    "total": found.total,
                    "total_low": found.total_interval[0],
                    "total_high": found.total_interval[1],
                }
            )
            frames.append(rows.sort("total", descending=True, nulls_last=True, maintain_order=True))
        return pl.concat(frames)


def sensitivity(
    study: Study,
    *,
    samples: int = 512,
    seed: int = 1,
    groups: Mapping[str, Sequence[str]] | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> SensitivityResult:
    """Evaluate the study on a Sobol design and estimate first-order and total indices with 95 % intervals.

    `samples` is a power of two; samples x (factors + 2) patients are solved. The same study, samples, seed and groups
    give the same numbers for any `threads`. Raises InputError.
    """
    design = sobol_design(tuple(study.inputs), samples, seed, groups)
    results, solved = _evaluated(study, design, threads, progress)
    return SensitivityResult(
        study=study,
        design=design,
        indices=tuple(sobol_indices(design, column, seed=seed) for column in results.T),
        failed=int(np.sum(~solved)),
        undefined=tuple(int(np.sum(solved & ~np.isfinite(column))) for column in results.T),
        seed=seed,
    )


def _evaluated(
    study: Study, design: SobolDesign, threads: int | None, progress: Progress | None
) -> tuple[Numbers, NDArray[np.bool_]]:
    results, solved = [], []
    for first in range(0, len(design), _PATIENTS_AT_ONCE):
        points = design.points[first : first + _PATIENTS_AT_ONCE]
        quantiles = {name: points[:, place] for place, name in enumerate(design.inputs)}
        values, whole = study.evaluate(quantiles, threads)
        results.append(values)
        solved.append(whole)
        if progress is not None:
            progress(first + len(points), len(design))
    return np.concatenate(results), np.concatenate(solved)


def model_study(
    model: engine.Model,
    request: engine.Request,
    distributions: Mapping[str, Distribution],
    outputs: Sequence[StudyOutput],
) -> Study:
    """A study of any model: parameters and starts of the request's only patient, some of them with a distribution.

    Raises InputError for names that the model does not have and for times outside those of the request.
    """
    assert len(request) == 1 and request.times.ndim == 1, "one patient, one row of times"
    faults = [
        Fault(
            f"parameter {name}", "is no parameter or state of the model", f"choose from {', '.join(model.parameters)}"
        )
        for name in distributions
        if name not in (*model.parameters, *model.states)
    ]
    last = request.times[-1]
    faults += [
        Fault(f"output {one.name}", f"looks at time {time:g}", f"name a time from {request.times[0]:g} to {last:g}")
        for one in outputs
        for time in one.summary.times
        if not request.times[0] <= time <= last
    ]
    if faults:
        raise InputError(faults)
    times = np.union1d(request.times, [time for one in outputs for time in one.summary.times])
    quantities = tuple(dict.fromkeys(one.summary.quantity for one in outputs))

    def evaluate(quantiles: Mapping[str, Numbers], threads: int | None) -> tuple[Numbers, NDArray[np.bool_]]:
        drawn = {name: distributions[name].at(values) for name, values in quantiles.items()}
        solved = engine.solve(model, _for_many(model, request, times, quantities, drawn), threads)
        columns = [one.summary.of(times, solved[one.summary.quantity]) for one in outputs]
        return np.stack(columns, axis=1), np.asarray(solved.status == engine.Status.OK)

    inputs = {name: one.spelled() for name, one in distributions.items()}
    return Study(inputs=inputs, outputs=tuple(outputs), evaluate=evaluate)


def _for_many(
    model: engine.Model,
    request: engine.Request,
    times: Numbers,
    outputs: tuple[str, ...],
    drawn: Mapping[str, Numbers],
) -> engine.Request:
    """The request of one patient for as many as were drawn."""
    count = len(next(iter(drawn.values())))
    doses = request.doses
    parameters = {name: np.repeat(array, count) for name, array in request.parameters.items()}
    initial = {name: np.repeat(array, count) for name, array in request.initial.items()}
    for name, values in drawn.items():
        (parameters if name in model.parameters else initial)[name] = values
    return engine.Request(
        times=times,
        outputs=outputs,
        start=np.repeat(request.start, count),
        parameters=parameters,
        initial=initial,
        doses=engine.Doses(
            patient=np.repeat(np.arange(count), len(doses)),
            time=np.tile(doses.time, count),
            state=np.tile(doses.state, count),
            amount=np.tile(doses.amount, count),
            duration=np.tile(doses.duration, count),
        ),
        extinctions=request.extinctions,
        relative_tolerance=request.relative_tolerance,
        absolute_tolerance=request.absolute_tolerance,
        may_be_negative=(*request.may_be_negative, *(name for name in drawn if name in model.parameters)),
    )
