"""The gate before the cells are given, the dose, and the ways on when the infusion window is missed. No chance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ..base.units import BILLION
from ..base.verdict import Verdict, check, check_at_least, check_at_most
from ..protocol.schema import DoseLevel, InfusionWindow
from ..records.dose import Dose


@dataclass(frozen=True, kw_only=True)
class Bedside:
    """What is found at the bedside. None means not known or not looked at; that never counts as in order.

    Identity is the chain-of-identity code as scanned; a scan cannot detect a right label on a wrong bag, for which
    there is the identity test of the product at release.
    """

    patient: str | None
    """code in the treatment order"""
    wristband: str | None
    """code bound to the wristband of the person in the bed"""
    bag_identities: tuple[str | None, ...]
    """code on each bag"""
    bags_scanned: frozenset[str]
    bags_on_manifest: frozenset[str]
    """bags of this shipment, not of the whole lot"""
    second_person_agrees: bool | None
    expires: datetime | None
    now: datetime
    active_infection: bool | None
    fever: bool | None
    tocilizumab_doses: int | None
    """doses at hand for this patient"""
    days_after_conditioning: float | None
    """days since the last chemotherapy"""
    weight_kg: float | None = None
    """body weight, asked for only where the protocol doses by it"""


def may_infuse(bedside: Bedside, dose: Dose, level: DoseLevel, window: InfusionWindow) -> Verdict:
    """Whether the cells may be given to this patient now: pass, fail or unknown, with all reasons."""
    return Verdict.from_checks(
        _identity(bedside),
        check(bedside.second_person_agrees, "a second person did not confirm the identity"),
        check(bool(bedside.bags_scanned), "no bag was scanned"),
        check(bedside.bags_scanned == bedside.bags_on_manifest, "the bags scanned are not those on the manifest"),
        check(None if bedside.expires is None else bedside.now < bedside.expires, "the product has expired"),
        dose_verdict(dose, level, weight_kg=bedside.weight_kg),
        check(_opposite(bedside.active_infection), "active infection"),
        check(_opposite(bedside.fever), "fever"),
        check_at_least(
            bedside.tocilizumab_doses,
            window.minimum_tocilizumab_doses,
            f"fewer than {window.minimum_tocilizumab_doses} doses of tocilizumab at hand",
        ),
        in_window(window, bedside.days_after_conditioning),
    )


def _identity(bedside: Bedside) -> Verdict:
    """Patient, wristband and every bag carry one and the same code."""
    codes = (bedside.patient, bedside.wristband, *bedside.bag_identities)
    known = {code for code in codes if code}
    different = len(known) > 1
    missing = not bedside.bag_identities or not all(codes)
    return check(
        False if different else None if missing else True, "patient, wristband and bag do not carry the same identity"
    )


def _opposite(value: bool | None) -> bool | None:
    return None if value is None else not value


@dataclass(frozen=True, kw_only=True)
class DoseRange:
    """What one patient is to get at a level, 1e9 cells."""

    lowest: float
    target: float
    highest: float


def dose_range(level: DoseLevel, weight_kg: float | None = None) -> DoseRange | None:
    """The range of a level for a patient of this body weight; None where it depends on a weight that is not known."""
    part = level.by_weight
    if part is None:
        cells = [one.to("cells") for one in (level.lowest, level.target, level.highest)]
    elif weight_kg is None or not weight_kg > 0:
        return None
    elif weight_kg > part.up_to.to("kg"):
        cells = [one.to("cells") for one in (level.lowest, level.target, level.highest)]
    else:
        cells = [one.to("cells/kg") * weight_kg for one in (part.lowest, part.target, part.highest)]
    lowest, target, highest = (one / BILLION for one in cells)
    return DoseRange(lowest=lowest, target=target, highest=highest)


def dose_to_give(available_cells: float, level: DoseLevel, *, weight_kg: float | None = None) -> Dose:
    """The dose for a patient at this level from the transduced viable cells that the product holds (1e9 cells).

    All of it within the level's range; above, the highest of the range is given and the rest stays in store; below,
    all of it is on offer but not within range. A product with an unknown number of cells (NaN) is never within range,
    nor is any where the dose goes by a body weight that is not known.
    """
    allowed = dose_range(level, weight_kg)
    if allowed is None:
        return Dose(assigned=math.nan, achieved=available_cells, given=math.nan, within_range=False)
    return Dose(
        assigned=allowed.target,
        achieved=available_cells,
        given=min(available_cells, allowed.highest) if not math.isnan(available_cells) else available_cells,
        within_range=available_cells >= allowed.lowest,
    )


def dose_verdict(dose: Dose, level: DoseLevel, *, weight_kg: float | None = None) -> Verdict:
    """Whether what is to be given lies within the level's range; unknown where that goes by an unknown weight."""
    allowed = dose_range(level, weight_kg)
    if allowed is None:
        return check(None, f"body weight, by which {level.name} is dosed")
    by_weight = level.by_weight is not None and weight_kg is not None and weight_kg <= level.by_weight.up_to.to("kg")
    limits = level.by_weight if by_weight and level.by_weight is not None else level
    return (
        check_at_least(dose.given, allowed.lowest, f"fewer cells than {limits.lowest} for {level.name}")
        & check_at_most(dose.given, allowed.highest, f"more cells than {limits.highest} for {level.name}")
        & check_at_most(dose.given, dose.achieved, "more cells than the product holds")
    )


def in_window(window: InfusionWindow, days_after_conditioning: float | None) -> Verdict:
    """Whether the infusion falls between the earliest and the latest day after the last chemotherapy."""
    earliest, latest = window.earliest_after_conditioning, window.latest_after_conditioning
    return check_at_least(
        days_after_conditioning, earliest.to("days"), f"earlier than {earliest} after conditioning"
    ) & check_at_most(days_after_conditioning, latest.to("days"), f"later than {latest} after conditioning")


Way = Literal["infuse", "delay", "repeat_conditioning", "abandon"]


@dataclass(frozen=True)
class WindowDecision:
    """What to do about the infusion window; there is always a way on."""

    action: Way
    reasons: tuple[str, ...] = ()


def outside_window(
    window: InfusionWindow, days_after_conditioning: float, *, cells_usable: bool, may_repeat: bool
) -> WindowDecision:
    """The way on for a lymphodepleted patient: infuse, delay, repeat lymphodepletion, or abandon.

    Takes the first way that the protocol lists and that is possible: a delay only before the latest day, a repeat only
    if `may_repeat` (patient fit for more chemotherapy, product in date) and either only with usable cells. If none is
    possible the infusion is abandoned; the patient is rescued and followed. `days_after_conditioning` is the first day
    on which the infusion could be given. Every way needs its signatures, which are not decided here.
    """
    verdict = in_window(window, days_after_conditioning)
    if not cells_usable:
        return WindowDecision("abandon", ("no usable cells", *verdict.reasons))
    if verdict.passed:
        return WindowDecision("infuse")
    possible: dict[Way, bool] = {
        "delay": days_after_conditioning < window.earliest_after_conditioning.to("days"),
        "repeat_conditioning": may_repeat,
        "abandon": True,
    }
    action: Way = next((way for way in window.outside if possible[way]), "abandon")
    return WindowDecision(action, verdict.reasons)
