"""How the fitted numbers move with choices that could have been made otherwise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from ..statistics import NoMaximumError
from .growth import fit_growth
from .hazards import fit_death, fit_new_lesions
from .natural_history import Flags, NaturalHistory

_OTHER_FRESH_DAYS = (60.0, 90.0, 365.0)


@dataclass(frozen=True)
class Sensitivity:
    """A choice and the numbers it leads to, by name; none if the data cannot be fitted under it."""

    choice: str
    values: Mapping[str, float]


def sensitivities(history: NaturalHistory) -> tuple[Sensitivity, ...]:
    """Growth before and after any treatment; death by how long findings hold, and after untreated visits alone."""
    calm, before = ~history.treated, history.treated_before
    choices: list[tuple[str, Callable[[], dict[str, float]]]] = [
        ("growth: no treatment before", partial(_growth, history, ~before)),
        ("growth: treated before", partial(_growth, history, before)),
        *(
            (f"death: findings hold {days:g} days", partial(_death, history, fresh_days=days))
            for days in _OTHER_FRESH_DAYS
        ),
        ("death: only after visits without treatment", partial(_death, history, wanted=calm)),
        ("new lesions: intervals with treatment too", partial(_new_lesions, history)),
    ]
    return tuple(Sensitivity(name, _or_nothing(fit)) for name, fit in choices)


def _or_nothing(fit: Callable[[], dict[str, float]]) -> dict[str, float]:
    try:
        return fit()
    except NoMaximumError:
        return {}


def _growth(history: NaturalHistory, wanted: Flags) -> dict[str, float]:
    growth = fit_growth(history, wanted)
    days, low, high = growth.doubling_days()
    return {
        "people": growth.fit.people,
        "mean constant, 1/day": growth.mean,
        "its SD between series, 1/day": growth.standard_deviation,
        "doubling of those that grow, days": days,
        "its lower limit": low,
        "its upper limit": high,
    }


def _death(
    history: NaturalHistory, *, fresh_days: float | None = None, wanted: Flags | None = None
) -> dict[str, float]:
    death = fit_death(history, wanted=wanted) if fresh_days is None else fit_death(history, fresh_days=fresh_days)
    rises = {name: death.fit[name] for name in death.fit.names if name != "ln_level"}
    return {"deaths": death.deaths, "level, 1/day": death.level[0], **rises}


def _new_lesions(history: NaturalHistory) -> dict[str, float]:
    lesions = fit_new_lesions(history, with_treatment=True)
    return {"intervals": lesions.intervals, "level, 1/day": lesions.level[0], "exponent": lesions.fit["exponent"]}
