"""The gate before chemotherapy, the point of no return, and the doses by renal function. No chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from ..base.units import PERCENT, parse_quantity
from ..base.verdict import Verdict, check
from ..protocol.schema import Regimen, RenalAdjustment
from ..records.baseline import Numbers


class DosingError(ValueError):
    """A dose cannot be planned because something it depends on is not known."""


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """What is known on the day lymphodepletion is to begin. None means not known and never counts as in order.

    Administration (stagger, cohort, consent) is settled here and not after chemotherapy has begun.
    """

    product_released: bool | None
    """released within specification"""
    product_at_site: bool | None
    """received and stored at the treating hospital"""
    product_in_date: bool | None
    """in date on the planned day of infusion, and on the last day of the infusion window"""
    eligibility: Verdict
    """the criteria that must hold before lymphodepletion, judged again"""
    stagger: Verdict
    cohort_open: bool | None
    consent_current: bool | None = True
    supplied_out_of_specification: bool = False
    """the complete path for a product out of specification was followed"""
    second_consent: bool | None = None
    """the patient agreed to a product out of specification; asked only then"""


def may_start_lymphodepletion(ready: Readiness) -> Verdict:
    """Whether chemotherapy may begin today: pass, fail or unknown, with all reasons."""
    if ready.supplied_out_of_specification:
        release = check(ready.second_consent, "no second consent to a product out of specification")
    else:
        release = check(ready.product_released, "the product is not released")
    return Verdict.from_checks(
        release,
        check(ready.product_at_site, "the product is not at the hospital"),
        check(ready.product_in_date, "the product is not in date for the infusion"),
        ready.eligibility,
        ready.stagger,
        check(ready.cohort_open, "the cohort is not open"),
        check(ready.consent_current, "the current consent is not signed"),
    )


@dataclass(frozen=True)
class PlannedDose:
    """One infusion of chemotherapy: dose in mg/m^2/day on a protocol day (there is no Day 0), over that many hours."""

    drug: str
    dose: float
    day: int
    hours: float


def planned_doses(
    regimen: Regimen, adjustments: Sequence[RenalAdjustment], egfr_ml_per_min: float
) -> tuple[PlannedDose, ...]:
    """Every infusion of the regimen, fludarabine reduced by renal function, by day and then as written.

    A drug whose dose comes to nothing is left out. Raises DosingError if the renal function is not known (NaN) and
    the protocol reduces by it.
    """
    fraction = float(fludarabine_fraction(adjustments, np.array([egfr_ml_per_min]))[0])
    doses = []
    for drug in regimen.drugs:
        given = fraction if drug.drug == "fludarabine" else 1
        if np.isnan(given):
            raise DosingError("renal function is not known; measure it before fludarabine is dosed")
        dose = drug.dose.to("mg/m^2/day") * given
        hours = drug.infusion_time.to("hour")
        doses += [PlannedDose(drug.drug, dose, day, hours) for day in drug.days if dose > 0]
    return tuple(sorted(doses, key=lambda planned: planned.day))


def fludarabine_fraction(adjustments: Sequence[RenalAdjustment], egfr_ml_per_min: Numbers) -> Numbers:
    """Share of the full fludarabine dose, (patients,), by glomerular filtration in mL/min.

    Of all limits that a patient is below, the lowest counts. NaN where renal function is unknown and there are limits.
    """
    fraction = np.ones(len(egfr_ml_per_min))
    for limit, share in sorted(
        ((_limit(one.below), one.fraction.to("percent") / PERCENT) for one in adjustments), reverse=True
    ):
        fraction = np.where(egfr_ml_per_min < limit, share, fraction)
    return np.where(np.isnan(egfr_ml_per_min), np.nan, fraction) if adjustments else fraction


@cache
def _limit(text: str) -> float:
    """mL/min"""
    return parse_quantity(text, "mL/min").to("mL/min")
