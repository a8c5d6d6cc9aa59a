"""Systemic comparators: the same patients without cells, on a drug that slows and kills tumour. Tumour-side only."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from ..base.errors import Fault, InputError
from ..evidence import card
from .latents import Latents

SUPPORTIVE_CARE = "supportive_care"
COMPARATORS = (SUPPORTIVE_CARE, "regorafenib", "cabozantinib")
"""names of what patients get instead of cells; supportive care is the natural course"""
_SYMBOL_OF_CARD = MappingProxyType({"growth": "mlam", "kill": "kS"})


def on_comparator(latents: Latents, name: str) -> Latents:
    """The same patients on a systemic drug: its factor on growth and new lesions, and its kill, from the cards.

    Both are one number for everybody: no response of single patients to such a drug is modelled. Raises InputError for
    a drug without cards.
    """
    if name not in COMPARATORS:
        remedy = f"choose from {', '.join(COMPARATORS)}"
        raise InputError(Fault(f"comparator {name}", "there is no such comparator", remedy))
    if name == SUPPORTIVE_CARE:
        return latents.changed(mlam=np.ones(len(latents)), kS=np.zeros(len(latents)))
    return latents.changed(
        **{symbol: card(f"comparator_{name}_{what}").number for what, symbol in _SYMBOL_OF_CARD.items()}
    )
