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
from .treated import Outcomes, evaluate

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
    base = _happened(part.treated.with_kill)
    swings = []
    for symbol in TORNADO_PARAMETERS:
        values = part.treated.treatment.latents.parameters[symbol]
        low, high = (_happened(_again(part, symbol, values * by, seed)) for by in (1 / factor, factor))
        swings.append(
            Swing(
                parameter=symbol,
                meaning=card(CARD_OF[symbol]).meaning if symbol in CARD_OF else symbol,
                factor=factor,
                patients=len(part.treated.asks),
                response=_means(low[0], base[0], high[0]),
                cytokine_release=_means(low[1], base[1], high[1]),
                response_error=(_error(low[0], base[0]), _error(high[0], base[0])),
                cytokine_release_error=(_error(low[1], base[1]), _error(high[1], base[1])),
            )
        )
    return tuple(swings)


TORNADO_PARAMETERS = ("s", "mT", "kap", "rho", "lam0", "x", "aE", "p6", "kQ", "rh", "fN")
"""free priors of the twin: signal, homing, kill, growth in tumour, tumour growth, exhaustion, engagement, cytokine"""


def _again(part: Part, symbol: str, values: Numbers, seed: int) -> Outcomes:
    assert part.treated is not None
    treatment = part.treated.treatment
    latents = treatment.latents.changed(**{symbol: values})
    changed = replace(treatment, latents=latents, start=_start(treatment.start, symbol, values))
    return evaluate(part.protocol, changed, part.treated.with_kill.last_day, Streams(seed), with_kill=True)


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
