"""Identification of the patient twin from AFP, scans and transgene, as the reference trial measures them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from .. import engine
from ..assessment.parameters import assay
from ..base.errors import Fault, InputError
from ..evidence import Card, SpreadKind, card
from ..twin import CARD_OF, measured_model, measured_request
from ..twin.quantiles import latents_at, spread_inputs
from ._treated import first_conditioning, reference_protocol, treated, treatment_in_words, visits
from .identification import Experiment, FreeParameter, experiment_for
from .measurements import Measurement

EFFECTIVE_KILL = ("mT", "s", "kap", "rho")
"""entry into the tumour, signal strength, kill constant, growth in the tumour: the known ridge"""
ESTIMATED = (*EFFECTIVE_KILL, "rh", "dE", "dM", "lam0", "V0", "sP")
"""what is estimated unless named otherwise"""


def usual_measurements(until: float | None = None) -> dict[str, Measurement]:
    """What can be measured of the twin, by name, at the protocol's visits up to day `until` with the cards' errors.

    Scans are of one lesion and begin with the one before conditioning. Default `until`: week 24.
    """
    last = card("trial_example_until").to("day") if until is None else until
    baseline = first_conditioning()
    afp, transgene, il6, lymphocytes = (assay(name) for name in ("afp", "transgene", "il6", "lymphocytes"))
    return {
        "afp": Measurement(
            output="P",
            times=tuple(visits("afp", last)),
            sd=afp.log_sd,
            slow_sd=afp.slow_log_sd,
            slow_time=afp.slow_days or math.inf,
            lower_limit=afp.lower_limit or 0.0,
            upper_limit=afp.upper_limit or math.inf,
            meaning="AFP in serum",
            unit="ng/mL",
        ),
        "diameter": Measurement(
            output="diameter",
            times=(baseline, *visits("imaging", last)),
            sd=card("scan_diameter_error").number,
            shared_sd=card("scan_lesion_error").number,
            meaning="diameter on the scan",
            unit="mm",
        ),
        "transgene": Measurement(
            output="copies",
            times=tuple(visits("transgene", last)),
            sd=transgene.log_sd,
            lower_limit=transgene.lower_limit or 0.0,
            meaning="transgene in blood",
            unit="copies/µg DNA",
        ),
        "lymphocytes": Measurement(
            output="alc",
            times=tuple(visits("laboratory", last)),
            sd=lymphocytes.log_sd,
            meaning="lymphocytes in blood",
            unit="1e9/L",
        ),
        "il6": Measurement(
            output="C",
            times=tuple(visits("cytokines", last)),
            sd=il6.log_sd,
            lower_limit=il6.lower_limit or 0.0,
            upper_limit=il6.upper_limit or math.inf,
            meaning="IL-6 in serum",
            unit="pg/mL",
        ),
    }


def measured_twin() -> engine.Model:
    """The equations of the reference trial's twin with its measurements."""
    return measured_model(reference_protocol().model.modules)


def reference_schedule(until: float | None = None) -> tuple[Measurement, ...]:
    """AFP, scans and transgene."""
    usual = usual_measurements(until)
    return usual["afp"], usual["diameter"], usual["transgene"]


def twin_experiment(
    parameters: Sequence[str] = ESTIMATED,
    measurements: Sequence[Measurement] = (),
    *,
    changed: Mapping[str, float] | None = None,
    threads: int | None = None,
) -> Experiment:
    """The typical patient of the cards, treated as in the reference trial, with priors from the cards' spreads.

    `measurements` default to `reference_schedule`; `changed` sets parameters of this patient to other values. What is
    not estimated is taken as known at its typical value, which makes the others look better known than they are. Raises
    InputError.
    """
    latents = latents_at(1)
    unknown = [name for name in (*parameters, *(changed or {})) if name not in latents.parameters]
    if unknown:
        known = ", ".join(latents.parameters)
        raise InputError(
            [Fault(f"parameter {name}", "is none of the twin's", f"choose from {known}") for name in unknown]
        )
    latents = latents.changed(**(changed or {}))
    model = measured_twin()
    chosen = tuple(measurements) or reference_schedule()
    request = measured_request(treated(latents), np.array([first_conditioning()]), ("P",))
    values = {name: float(latents.parameters[name][0]) for name in parameters}
    free = [_free(name, values[name], model.units.get(name, "")) for name in parameters]
    found = experiment_for(model, request, free, chosen, threads)
    return replace(found, notes=_notes(changed or {}))


def _notes(changed: Mapping[str, float]) -> dict[str, str]:
    settings = ", ".join(f"{name} {value:g}" for name, value in changed.items())
    return {
        "treatment": treatment_in_words(),
        "patient": "typical (medians of the cards), one lesion" + (f"; but {settings}" if settings else ""),
        "known": "TCR-T-specific parameters are free priors; a posterior that narrows one of the effective kill "
        f"({' x '.join(EFFECTIVE_KILL)}) alone comes from its prior",
    }


def _free(name: str, value: float, unit: str) -> FreeParameter:
    words = "tumour at referral" if name == "V0" else card(CARD_OF[name]).meaning
    unit = _spelled(unit)
    found = spread_inputs().get(name)
    if found is None:
        return FreeParameter(name=name, value=value, meaning=words, unit=unit)
    scale, spread = _prior(found)
    if name == "V0":
        spread *= _VOLUME_PER_DIAMETER
    return FreeParameter(
        name=name, value=value, meaning=words, unit=unit, scale="logit" if scale == "logit" else "log", prior_sd=spread
    )


def _spelled(unit: str) -> str:
    """A unit of the model text for readers."""
    text = unit.removeprefix("dimensionless").replace("e9_cells", "1e9 cells").replace("ng_per_mL", "ng/mL")
    return text.replace("_per_", "/").replace("per_", "1/").replace("_", " ")


_VOLUME_PER_DIAMETER = 3  # logarithm of a volume per logarithm of a diameter


def _prior(one: Card) -> tuple[str, float]:
    """Scale of estimation and prior standard deviation on it; bounds are not used. A spread of the value itself
    becomes one of its logarithm by division."""
    match one.spread.kind:
        case SpreadKind.CV:
            return "log", math.sqrt(math.log1p(one.spread_value**2))
        case SpreadKind.LOG_SD:
            return "log", one.spread_value
        case SpreadKind.LOGIT_SD:
            return "logit", one.spread_value
        case SpreadKind.VARIANCE:
            return "log", math.sqrt(one.spread_value) / one.number
        case _:
            return "log", one.spread_value / one.number
