"""Patients of the twin at chosen quantiles of the cards' spreads, instead of drawn by chance.

Everything is at its median but what is named. Nothing was measured at referral but the size of one tumour; body size is
that of the typical man of the population's cards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from types import MappingProxyType
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ..base.streams import Keys, Streams
from ..base.units import CM_PER_M
from ..evidence import Card, card
from ..records import Baseline
from .latents import Latents
from .parameters import CARD_OF, DRAWN, draw_around
from .simulate import draw_latents

Numbers = NDArray[np.float64]
_TUMOUR = "V0"
_WORDS = ("sex", "aetiology", "bclc")
_FLAGS = (
    *("macrovascular_invasion", "extrahepatic_spread", "afp_secretor", "hla_excluded_allele", "progressed_on_systemic"),
    *("intolerant_of_systemic", "refuses_systemic", "resectable_or_transplantable"),
)
_CARDS = {
    **{symbol: f"twin_{symbol}" for symbol in DRAWN},
    **{symbol: f"twin_{symbol}" for symbol in ("VF", "VY", "CLY", "L0", "J0", "fN", "sP", "mttN", "mttP")},
    "CLF": "twin_CLF_nonrenal",
    "s": CARD_OF["s"],
    "kP": CARD_OF["kP"],
    _TUMOUR: "baseline_largest_lesion",
}


@cache
def spread_inputs() -> Mapping[str, Card]:
    """What varies between patients by its card: symbol -> card.

    Symbols are those of the model texts; `V0`, the tumour at referral, follows from the diameter of one lesion. `VF`,
    `VY`, `CLF` and `CLY` are volumes and clearances of the conditioning drugs, `mttN` and `mttP` the transit times of
    the marrow chains, from which rates of the model texts follow.
    """
    cards = {symbol: card(name) for symbol, name in _CARDS.items()}
    return MappingProxyType({symbol: one for symbol, one in cards.items() if _varies(one)})


def _varies(one: Card) -> bool:
    median, other = draw_around(one, np.array([1 / 2, 1 / 2 / 2]))
    return bool(median != other)


def latents_at(patients: int, quantiles: Mapping[str, Numbers] = MappingProxyType({})) -> Latents:
    """Patients at these quantiles (between 0 and 1, (patients,)) of `spread_inputs`; all else at its median.

    The same distributions as `draw_latents`, which does the work.
    """
    unknown = set(quantiles) - set(spread_inputs())
    assert not unknown, f"no spread between patients: {sorted(unknown)}"
    keys = Keys.of(0, 0, np.arange(patients))
    chosen = cast(Streams, _ChosenStreams(quantiles))
    return draw_latents(_unmeasured(patients, quantiles.get(_TUMOUR)), keys, chosen)


def _unmeasured(patients: int, tumour: Numbers | None) -> Baseline:
    """Nothing measured but one lesion; height and weight of the typical man."""
    middle = np.full(patients, 1 / 2)
    height = np.full(patients, card("baseline_height_male").to("cm"))
    metres = height / CM_PER_M
    unknown: dict[str, Any] = {one.name: np.full(patients, np.nan) for one in fields(Baseline)}
    unknown |= {name: np.full(patients, "") for name in _WORDS}
    unknown |= {name: np.zeros(patients, dtype=np.bool_) for name in _FLAGS}
    lesion = draw_around(card("baseline_largest_lesion"), middle if tumour is None else tumour)
    known = {
        "height": height,
        "weight": card("baseline_body_mass_index").number * metres * metres,
        "lesion_diameters": lesion[:, None],
        "hla_a": np.full((patients, 2), ""),
    }
    return Baseline(**{**unknown, **known})


@dataclass(frozen=True)
class _ChosenStreams:
    """Stands in for chance: the quantile of each symbol, one half where none was chosen."""

    quantiles: Mapping[str, Numbers]

    def named(self, *purpose: str | int) -> _Chosen:
        """The quantile of the symbol that a draw of the twin is named by."""
        return _Chosen(self.quantiles.get(str(purpose[1])))


@dataclass(frozen=True)
class _Chosen:
    quantile: Numbers | None

    def uniform(self, keys: Keys, size: int = 1) -> Numbers:
        """(patients, size)"""
        chosen = np.full(len(keys), 1 / 2) if self.quantile is None else self.quantile
        return np.repeat(chosen[:, None], size, axis=1)
