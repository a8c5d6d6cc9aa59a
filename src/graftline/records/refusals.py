"""How often virtual patients were drawn anew because a draw was impossible, and by which rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Refusals:
    """Draws that a plausibility rule refused; a draw that two rules refuse counts with both."""

    by_rule: Mapping[str, NDArray[np.int64]]
    """rule -> draws of each patient that it refused, (patients,); every rule stands there, used or not"""
    draws: NDArray[np.int64]
    """draws of each patient until one was plausible, 1 or more, (patients,)"""

    def __len__(self) -> int:
        return len(self.draws)

    @property
    def patients(self) -> int:
        """How many patients were drawn more than once."""
        return int(np.sum(self.draws > 1))

    @property
    def counts(self) -> Mapping[str, int]:
        """rule -> draws refused"""
        return {rule: int(refused.sum()) for rule, refused in self.by_rule.items()}
