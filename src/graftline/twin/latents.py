"""What a virtual patient is, underneath: the draws that stay the same whatever is done to the patient later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Latents:
    """Parameters of many patients; every array is over patients. Nothing here depends on treatment."""

    parameters: Mapping[str, Numbers]
    """symbol of the model texts, core and all modules, but for s2 and fM2 of a second product -> (patients,)"""
    fludarabine_volume: Numbers
    """L"""
    cyclophosphamide_volume: Numbers
    """L"""
    tocilizumab_volume: Numbers
    """L"""
    corticosteroid_volume: Numbers
    """L"""
    body_surface_area: Numbers
    """m^2"""
    bilirubin: Numbers
    """umol/L at referral"""
    albumin: Numbers
    """g/L at referral"""
    inr: Numbers
    """at referral"""
    ascites: Numbers
    """0 none, 1 slight, 2 moderate or more, at referral"""
    encephalopathy: Numbers
    """0 none, 1 grade 1-2, 2 grade 3-4, at referral"""
    lesion_shares: Numbers
    """(patients, lesions): share of the tumour volume in each lesion, fixed for life; NaN where there is no lesion"""

    def __len__(self) -> int:
        return len(self.body_surface_area)

    def take(self, index: NDArray[np.intp] | NDArray[np.bool_]) -> Self:
        """The patients at these places (indices or a mask)."""
        arrays = {one.name: getattr(self, one.name)[index] for one in fields(self) if one.name != "parameters"}
        chosen = {symbol: values[index] for symbol, values in self.parameters.items()}
        return type(self)(parameters=chosen, **arrays)

    def replaced(self, index: NDArray[np.intp], others: Self) -> Self:
        """The same patients, with others in these places."""
        arrays = {one.name: getattr(self, one.name).copy() for one in fields(self) if one.name != "parameters"}
        for name, array in arrays.items():
            array[index] = getattr(others, name)
        parameters = {symbol: values.copy() for symbol, values in self.parameters.items()}
        for symbol, values in parameters.items():
            values[index] = others.parameters[symbol]
        return type(self)(parameters=parameters, **arrays)

    def changed(self, **parameters: Numbers | float) -> Self:
        """The same patients with some parameters set (by symbol), for paired comparisons."""
        unknown = set(parameters) - set(self.parameters)
        assert not unknown, f"no such parameters: {sorted(unknown)}"
        new = {
            symbol: np.broadcast_to(values, (len(self),)).astype(np.float64) for symbol, values in parameters.items()
        }
        return replace(self, parameters={**self.parameters, **new})
