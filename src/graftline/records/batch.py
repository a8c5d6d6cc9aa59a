"""A manufactured product as released or held: one real batch, or arrays over many virtual ones."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Self

import numpy as np
from numpy.typing import NDArray

from .baseline import Numbers


class Sterility(IntEnum):
    """Result of the sterility test. The numbers are ordered as fail, unknown, pass."""

    GROWTH = 0
    PENDING = 1
    STERILE = 2


@dataclass(frozen=True, kw_only=True)
class Batch:
    """One manufactured product. Made once, never changed; a correction is a new record. None is not known."""

    patient: str
    """chain-of-identity code of the patient it was made for"""
    viable_fraction: float | None
    cd3_fraction: float | None
    transduced_fraction: float | None
    copies_per_cell: float | None
    """vector copies per transduced cell"""
    transduced_cells: float | None
    """viable transduced cells, 1e9"""
    sterility: Sterility
    identity_test: bool | None
    """whether the product's HLA or STR profile is the patient's"""


@dataclass(frozen=True, kw_only=True)
class Batches:
    """Many products; arrays are (batches,). NaN is not known; flags are 1, 0 or NaN."""

    for_this_patient: Numbers
    viable_fraction: Numbers
    cd3_fraction: Numbers
    transduced_fraction: Numbers
    copies_per_cell: Numbers
    transduced_cells: Numbers
    """viable transduced cells, 1e9; 0 where the culture did not grow"""
    sterility: NDArray[np.int8]
    identity_test: Numbers
    turnaround_days: Numbers
    """from receipt of the starting material at the plant to the decision on release"""
    memory_share: Numbers
    """memory-like cells among the transduced"""
    reserve_cells: Numbers
    """CD3+ cells of the collection that were kept and not used, 1e9"""

    def __len__(self) -> int:
        return len(self.viable_fraction)

    def take(self, index: NDArray[np.intp] | NDArray[np.bool_]) -> Self:
        """The batches at these places (indices or a mask)."""
        return type(self)(**{field.name: getattr(self, field.name)[index] for field in fields(self)})

    @classmethod
    def of(cls, batch: Batch, patient: str) -> Batches:
        """One real batch as the case of length one, looked at for this patient."""
        unknown = np.full(1, np.nan)
        return Batches(
            for_this_patient=np.array([float(batch.patient == patient)]),
            viable_fraction=_one(batch.viable_fraction),
            cd3_fraction=_one(batch.cd3_fraction),
            transduced_fraction=_one(batch.transduced_fraction),
            copies_per_cell=_one(batch.copies_per_cell),
            transduced_cells=_one(batch.transduced_cells),
            sterility=np.array([batch.sterility], dtype=np.int8),
            identity_test=_one(batch.identity_test),
            turnaround_days=unknown,
            memory_share=unknown,
            reserve_cells=unknown,
        )


def _one(value: float | None) -> Numbers:
    return np.array([np.nan if value is None else float(value)])
