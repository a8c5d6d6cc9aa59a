"""Draws of the twin: from the baseline record of a patient to the parameters underneath it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..base.streams import Keys, Streams
from ..base.units import HOURS_PER_DAY, MINUTES_PER_DAY, ML_PER_L, MM_PER_CM, PERCENT, PER_uL_PER_e9_L
from ..evidence import card
from ..population.plausibility import draw_plausible
from ..records import Baseline
from ..records.refusals import Refusals
from .latents import Latents
from .parameters import DRAWN, draw_around, number, numbers
from .plausibility import implausible_latents
from .signal import REFERENCE, Potency, relative_strength

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class _Chance:
    """Draws of these patients; the stream of a symbol is named ("twin", symbol)."""

    keys: Keys
    streams: Streams

    def around(self, name: str, symbol: str) -> Numbers:
        """Values around a card, (patients,)."""
        return draw_around(card(name), self.streams.named("twin", symbol).uniform(self.keys)[:, 0])


def draw_latents(baseline: Baseline, keys: Keys, streams: Streams, potency: Potency = REFERENCE) -> Latents:
    """The parameters of each patient: draws around the cards, tied to what was measured at referral.

    Measured: eGFR (fludarabine clearance), body surface area and Child-Pugh (cyclophosphamide), lesion diameters
    (tumour volume), serum AFP (AFP production), share of tumour and of normal liver stained (antigen-negative share,
    liver target), HLA alleles (signal), lymphocytes, ALT, CRP, blood counts, bilirubin, albumin and INR at rest. What
    is missing (NaN) is drawn around, or set to, its card. Each symbol has its own stream, so nothing moves with the
    treatment or with another parameter. `potency` is what the protocol says of the receptor.
    """
    assert len(baseline) == len(keys), "one key per patient"
    chance = _Chance(keys, streams)
    parameters = {symbol: chance.around(f"twin_{symbol}", symbol) for symbol in DRAWN}
    parameters |= _resting(baseline, chance) | _marrow(baseline, chance)
    fludarabine_volume, cyclophosphamide_volume = _drug_volumes(baseline, chance)
    parameters["kF"] = _fludarabine_clearance(baseline, chance) / fludarabine_volume
    parameters["kY"] = _cyclophosphamide_clearance(baseline, chance) / cyclophosphamide_volume
    alleles = _or(baseline.hla_a0201p_alleles, number("alleles"))
    parameters["s"] = chance.around("twin_pot0", "s") * relative_strength(potency, alleles)
    supportive, tocilizumab_volume, corticosteroid_volume = _supportive_drugs(chance)
    parameters |= supportive
    volumes = _lesion_volumes(baseline)
    parameters |= _tumour(baseline, volumes, parameters, chance)
    parameters["sP"] = _afp_production(baseline, parameters, chance)
    return Latents(
        parameters=parameters,
        fludarabine_volume=fludarabine_volume,
        cyclophosphamide_volume=cyclophosphamide_volume,
        tocilizumab_volume=tocilizumab_volume,
        corticosteroid_volume=corticosteroid_volume,
        body_surface_area=baseline.body_surface_area,
        bilirubin=_or(baseline.bilirubin, number("bil0")),
        albumin=_or(baseline.albumin, number("alb0")),
        inr=_or(baseline.inr, number("inr0")),
        ascites=_or(baseline.ascites, 0.0),
        encephalopathy=_or(baseline.encephalopathy, 0.0),
        lesion_shares=volumes / np.fmax(np.nansum(volumes, axis=1), np.finfo(float).tiny)[:, None],
    )


def draw_plausible_latents(
    baseline: Baseline, keys: Keys, streams: Streams, potency: Potency = REFERENCE
) -> tuple[Latents, Refusals]:
    """Parameters as `draw_latents` draws them, but none that nobody can have (`LATENT_RULES`), with what was refused.

    The baseline stays; only what lies underneath is drawn again. Raises InputError if the rules leave nobody.
    """

    def draw(rows: NDArray[np.intp], chance: Streams) -> Latents:
        return draw_latents(baseline.take(rows), keys.take(rows), chance, potency)

    return draw_plausible(draw, implausible_latents, len(keys), streams)


def _or(measured: Numbers, otherwise: Numbers | float) -> Numbers:
    """What was measured, else the other."""
    return np.where(np.isnan(measured), otherwise, measured).astype(np.float64)


def _resting(baseline: Baseline, chance: _Chance) -> dict[str, Numbers]:
    """Blood values at rest: as measured, else as drawn; AFP-positive normal liver likewise."""
    return {
        "L0": _or(baseline.lymphocytes / PER_uL_PER_e9_L, chance.around("twin_L0", "L0")),
        "U0": _or(baseline.alt, number("U0")),
        "R0": _or(baseline.crp, number("R0")),
        "J0": _or(baseline.afp_nontumour_ihc / PERCENT, chance.around("twin_J0", "J0")),
        "kP": math.log(2) / chance.around("afp_half_life", "kP"),
    }


def _marrow(baseline: Baseline, chance: _Chance) -> dict[str, Numbers]:
    """Blood counts at rest and the rates of the marrow chains."""
    steps = number("chain_steps") * HOURS_PER_DAY
    return {
        "ANC0": _or(baseline.neutrophils / PER_uL_PER_e9_L, number("ANC0")),
        "PLT0": _or(baseline.platelets, number("PLT0")),
        "ktrN": steps / chance.around("twin_mttN", "mttN"),
        "ktrP": steps / chance.around("twin_mttP", "mttP"),
    }


def _drug_volumes(baseline: Baseline, chance: _Chance) -> tuple[Numbers, Numbers]:
    """Volumes of distribution in L: fludarabine, cyclophosphamide (with body surface area)."""
    relative = baseline.body_surface_area / number("VY_bsa")
    cyclophosphamide = chance.around("twin_VY", "VY") * relative ** number("VY_bsa_exponent")
    return chance.around("twin_VF", "VF"), np.asarray(cyclophosphamide, dtype=np.float64)


def _fludarabine_clearance(baseline: Baseline, chance: _Chance) -> Numbers:
    """L/day: a non-renal part and one in proportion to eGFR (mL/min); both vary together between patients."""
    renal = number("CLF_renal") * _or(baseline.egfr, number("egfr")) * MINUTES_PER_DAY / ML_PER_L
    nonrenal = card("twin_CLF_nonrenal")
    spread = chance.around("twin_CLF_nonrenal", "CLF") / nonrenal.number
    return np.asarray((nonrenal.to("L/day") + renal) * spread, dtype=np.float64)


def _cyclophosphamide_clearance(baseline: Baseline, chance: _Chance) -> Numbers:
    """L/day: full up to a Child-Pugh score, falling in a line to that of liver failure."""
    full, failing = numbers("CLY_child_pugh")
    score = _or(baseline.child_pugh, full)
    share = np.interp(score, [full, failing], [1.0, number("CLY_liver_failure")])
    return np.asarray(chance.around("twin_CLY", "CLY") * HOURS_PER_DAY * share, dtype=np.float64)


def _supportive_drugs(chance: _Chance) -> tuple[dict[str, Numbers], Numbers, Numbers]:
    """Rates of tocilizumab and dexamethasone from clearance and volume; the two volumes of distribution in L."""
    tocilizumab, corticosteroid = chance.around("twin_VToc", "VToc"), chance.around("twin_VDex", "VDex")
    dexamethasone = chance.around("twin_CLDex", "CLDex") * MINUTES_PER_DAY / ML_PER_L
    rates = {
        "kToc": chance.around("twin_CLToc", "CLToc") / tocilizumab,
        "vToc": chance.around("twin_vToc", "vToc") / tocilizumab,
        "kDex": dexamethasone / corticosteroid,
    }
    return rates, tocilizumab, corticosteroid


def _lesion_volumes(baseline: Baseline) -> Numbers:
    """Volumes of the lesions as spheres, cm^3, (patients, lesions)."""
    diameter = baseline.lesion_diameters / MM_PER_CM
    return np.asarray(number("sphere") * diameter * diameter * diameter, dtype=np.float64)


def _tumour(
    baseline: Baseline, volumes: Numbers, parameters: dict[str, Numbers], chance: _Chance
) -> dict[str, Numbers]:
    """Tumour at referral and its antigen-negative share.

    V0 is what the scan shows; a patient whose tumour fills more than the largest share of the drawn Vmax gets a larger
    Vmax, so that scans at referral and in the course agree.
    """
    tumour = np.fmax(np.nansum(volumes, axis=1), number("V0_smallest"))
    unstained = 1 - baseline.afp_tumour_ihc / PERCENT
    negative = unstained * number("unstained_negative")
    return {
        "V0": tumour,
        "Vmax": np.maximum(parameters["Vmax"], tumour / number("V0_share")),
        "fN": np.clip(_or(negative, chance.around("twin_fN", "fN")), 0.0, 1.0),
    }


def _afp_production(baseline: Baseline, parameters: dict[str, Numbers], chance: _Chance) -> Numbers:
    """ng/mL/cm^3/day such that quasi-steady AFP at referral is the measured one, for tumours that secrete or not."""
    tumour, negative = parameters["V0"], parameters["fN"]
    growth = parameters["lam0"] * np.maximum(0.0, np.log(parameters["Vmax"] / (tumour + parameters["eps"])))
    making = tumour * (1 - negative + parameters["qN"] * negative)
    return _or(baseline.afp_serum * (parameters["kP"] + growth) / making, chance.around("twin_sP", "sP"))
