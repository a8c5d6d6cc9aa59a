"""How much responses and cytokine release move when one parameter of the twin moves: the rows of a tornado."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..assessment import Response
from ..base.streams import Streams
from ..evidence import card
from ..twin import CARD_OF, CourseState
from .run import Part
from .treated import CELLS, Arm, Outcomes, evaluate

Numbers = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Swing:
    """One parameter divided and multiplied by `factor`: shares of the treated patients, 0 to 1."""

    parameter: str
    meaning: str
    factor: float
    patients: int
    response: tuple[float, float, float]
    """objective response at the low, the base and the high value"""
    cytokine_release: tuple[float, float, float]
    response_error: tuple[float, float]
    """standard error of the paired difference between low and base, and between high and base"""
    cytokine_release_error: tuple[float, float]


def tornado(part: Part, seed: int) -> tuple[Swing, ...]:
    """The same treated patients with each exposed parameter divided and multiplied by the card's factor."""
    if part.treated is None:
        return ()
    factor = card("trial_tornado_factor").number
    base = _happened(part.treated.with_cells)
    swings = []
    for name, meaning in _EXPOSED.items():
        low, high = (_happened(_again(part, name, by, seed)) for by in (1 / factor, factor))
        swings.append(
            Swing(
                parameter=name,
                meaning=meaning or card(CARD_OF[name]).meaning,
                factor=factor,
                patients=len(part.treated.asks),
                response=_means(low[0], base[0], high[0]),
                cytokine_release=_means(low[1], base[1], high[1]),
                response_error=(_error(low[0], base[0]), _error(high[0], base[0])),
                cytokine_release_error=(_error(low[1], base[1]), _error(high[1], base[1])),
            )
        )
    return tuple(swings)


_CRS_LINK, _NEW_LESIONS, _DEATHS = "crs_link", "new_lesion_hazard", "death_hazard"
_EXPOSED = {
    **dict.fromkeys(("s", "mT", "kap", "rho", "lam0", "x", "aE", "p6", "kQ", "rh", "fN"), ""),
    _CRS_LINK: "cytokine level read as signs of CRS",
    _NEW_LESIONS: "hazard of new lesions",
    _DEATHS: "hazard of death",
}
"""free priors of the twin by symbol (meaning on the card), and what else has no data and moves the endpoints"""


def _again(part: Part, name: str, factor: float, seed: int) -> Outcomes:
    """The treated patients with one thing multiplied by the factor; everything else, chance too, as it was."""
    assert part.treated is not None
    treatment, arm = part.treated.treatment, CELLS
    if name == _CRS_LINK:
        arm = Arm(cytokine_reading=factor)
    elif name in (_NEW_LESIONS, _DEATHS):
        clocks = treatment.clocks.copy()
        column = 1 if name == _NEW_LESIONS else 2
        clocks[:, column] = clocks[:, column] ** (1 / factor)  # a hazard times f fires where -ln(u) / f is reached
        treatment = replace(treatment, clocks=clocks)
    else:
        values = treatment.latents.parameters[name] * factor
        latents = treatment.latents.changed(**{name: values})
        treatment = replace(treatment, latents=latents, start=_start(treatment.start, name, values))
    return evaluate(treatment, part.treated.with_cells.last_day, Streams(seed), arm)


def _start(start: CourseState, symbol: str, values: Numbers) -> CourseState:
    """The state at lymphodepletion; the antigen-negative share is a property of the tumour that is there already."""
    if symbol != "fN":
        return start
    tumour = start.states["A"] + start.states["N"]
    negative = tumour * np.minimum(values, 1.0)
    return CourseState({**start.states, "A": tumour - negative, "N": negative})


def _happened(outcomes: Outcomes) -> tuple[Numbers, Numbers]:
    """Objective response and any cytokine release of each patient, 1 or 0."""
    response = np.isin(outcomes.seen.best_response, (int(Response.CR), int(Response.PR)))
    return response.astype(np.float64), (outcomes.crs.worst > 0).astype(np.float64)


def _means(low: Numbers, base: Numbers, high: Numbers) -> tuple[float, float, float]:
    return float(low.mean()), float(base.mean()), float(high.mean())


def _error(changed: Numbers, base: Numbers) -> float:
    """Standard error of the mean paired difference: the same patients, so most of the chance cancels."""
    return float(np.std(changed - base) / np.sqrt(len(base)))
