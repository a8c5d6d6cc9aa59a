"""Variance-based sensitivity: how much of the spread of a result each uncertain input accounts for. Knows no model.

Sobol (Math Comput Simul 2001;55:271); design and estimators of Saltelli et al. (Comput Phys Commun 2010;181:259) as in
SALib. Inputs are independent; groups of inputs can be moved as one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..base.errors import Fault, InputError

Numbers = NDArray[np.float64]
_CLOSEST_TO_THE_END = 2.0**-40  # a scrambled point may be 0, whose quantile can be infinite


@dataclass(frozen=True, kw_only=True)
class SobolDesign:
    """Where a model must be evaluated. `samples` blocks of rows: one base point, one per factor, another base point."""

    inputs: tuple[str, ...]
    factors: tuple[str, ...]
    """what gets an index each: the groups, and the inputs that are in none"""
    membership: tuple[str, ...]
    """factor of each input"""
    samples: int
    points: Numbers
    """(samples x (factors + 2), inputs), quantiles of the inputs' distributions between 0 and 1"""

    def __len__(self) -> int:
        return len(self.points)


@dataclass(frozen=True, kw_only=True)
class SobolIndices:
    """First-order and total indices of one result with bootstrap intervals; arrays are (factors,).

    A first-order index is the share of the variance that would go if that factor were known; a total index is the share
    that would remain if all others were known. Estimates may fall outside 0 to 1 by their error. NaN where the result
    does not vary, or where too few blocks were solved.
    """

    factors: tuple[str, ...]
    first: Numbers
    first_interval: tuple[Numbers, Numbers]
    total: Numbers
    total_interval: tuple[Numbers, Numbers]
    level: float
    used: int
    """blocks of the design in which every row has a value"""
    left_out: int
    """blocks with a row that has none"""

    @property
    def widest(self) -> float:
        """The widest interval of a total index: the smaller, the better converged."""
        low, high = self.total_interval
        return float(np.max(high - low))


def sobol_design(
    inputs: Sequence[str], samples: int, seed: int, groups: Mapping[str, Sequence[str]] | None = None
) -> SobolDesign:
    """A scrambled Sobol sequence arranged after Saltelli; `samples` is a power of two.

    Raises InputError with every fault. The same arguments give the same points.
    """
    faults = list(_faults(inputs, samples, seed, groups or {}))
    if faults:
        raise InputError(faults)
    from SALib.sample import sobol as sampling  # heavy: brings pandas

    of = {name: group for group, members in (groups or {}).items() for name in members}
    membership = tuple(of.get(name, name) for name in inputs)
    points = sampling.sample(_problem(inputs, membership), samples, calc_second_order=False, seed=seed)
    return SobolDesign(
        inputs=tuple(inputs),
        factors=tuple(dict.fromkeys(membership)),
        membership=membership,
        samples=samples,
        points=np.clip(points, _CLOSEST_TO_THE_END, 1 - _CLOSEST_TO_THE_END),
    )


def sobol_indices(
    design: SobolDesign, values: Numbers, *, seed: int, resamples: int = 200, level: float = 0.95
) -> SobolIndices:
    """Indices of one result from its values (rows,) at the points of the design.

    A block with a value that is not finite is left out whole, which keeps estimators right but not the population: say
    how many. Intervals are estimate plus and minus normal quantile times the bootstrap's standard deviation; the
    bootstrap takes blocks for independent, which Sobol points are not, so intervals are rather too wide.
    """
    assert values.shape == (len(design),), "one value per row of the design"
    blocks = values.reshape(design.samples, len(design.factors) + 2)
    whole = np.isfinite(blocks).all(axis=1)
    kept = blocks[whole]
    left_out = design.samples - len(kept)
    if len(kept) < 2 or np.ptp(kept[:, [0, -1]]) == 0:
        return _nothing(design, level, len(kept), left_out)
    from SALib.analyze import sobol as analysis  # heavy: brings pandas

    found = analysis.analyze(
        _problem(design.inputs, design.membership),
        kept.ravel(),
        calc_second_order=False,
        num_resamples=resamples,
        conf_level=level,
        seed=seed + 1,  # SALib takes 0 for no seed
    )
    first, total = np.asarray(found["S1"]), np.asarray(found["ST"])
    return SobolIndices(
        factors=design.factors,
        first=first,
        first_interval=(first - found["S1_conf"], first + found["S1_conf"]),
        total=total,
        total_interval=(total - found["ST_conf"], total + found["ST_conf"]),
        level=level,
        used=len(kept),
        left_out=left_out,
    )


def _faults(inputs: Sequence[str], samples: int, seed: int, groups: Mapping[str, Sequence[str]]) -> Iterator[Fault]:
    if samples < 2 or samples & (samples - 1):
        yield Fault("samples", f"{samples} is no power of two", "write for example 512")
    if seed < 0:
        yield Fault("seed", f"is {seed}", "write 0 or more")
    if not inputs:
        yield Fault("inputs", "there are none", "name at least one")
    for name in sorted({one for one in inputs if list(inputs).count(one) > 1}):
        yield Fault(f"input {name}", "stands twice", "name it once")
    seen: dict[str, str] = {}
    for group, members in groups.items():
        if group in inputs:
            yield Fault(f"group {group}", "has the name of an input", "name it otherwise")
        for name in members:
            if name not in inputs:
                yield Fault(f"group {group}", f"{name} is not among the inputs", f"choose from {', '.join(inputs)}")
            elif name in seen:
                yield Fault(f"group {group}", f"{name} is in group {seen[name]} already", "put it into one group")
            seen.setdefault(name, group)
    if groups and len({(name in seen, seen.get(name, name)) for name in inputs}) < 2:
        yield Fault("groups", "all inputs are in one", "leave at least one out, or make two groups")


def _problem(inputs: Sequence[str], membership: Sequence[str]) -> dict[str, object]:
    problem: dict[str, object] = {
        "num_vars": len(inputs),
        "names": list(inputs),
        "bounds": [[0.0, 1.0]] * len(inputs),
    }
    return problem if list(membership) == list(inputs) else {**problem, "groups": list(membership)}


def _nothing(design: SobolDesign, level: float, used: int, left_out: int) -> SobolIndices:
    """No index can be told."""
    none = np.full(len(design.factors), np.nan)
    return SobolIndices(
        factors=design.factors,
        first=none,
        first_interval=(none, none),
        total=none,
        total_interval=(none, none),
        level=level,
        used=used,
        left_out=left_out,
    )
