"""The numbers of the twin: which evidence card stands behind each symbol, and how a patient is drawn around it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtr, ndtri

from ..base.errors import Fault, InputError
from ..evidence import Card, SpreadKind, card

Numbers = NDArray[np.float64]

DRAWN = (
    *("kpF", "KF", "kpY", "KY", "kL", "rL", "cI", "kI", "KI", "zS", "S0", "Smax", "kG", "fE", "fM", "rh", "aM", "aE"),
    *("n", "r", "eM", "dM", "dE", "mT", "KV", "kout", "rho", "Tmax", "x", "dT", "dX", "kap", "Vh", "h", "beta", "lam0"),
    *("Vmax", "mu", "kclr", "eps", "mlam", "kS", "qN", "kB", "kQ", "aQ", "kQr", "k6", "C0", "p6", "toci", "kR", "pR"),
    *("KR", "kJ", "kO", "sO", "kU", "sU", "rH", "H0", "VL", "dH", "dJ", "dV", "gN", "gP", "mN", "mP", "floor0"),
    *("mToc", "KToc", "nToc", "KDex", "lDex", "bDex", "kZ", "dZ"),
)
"""Symbols of the model texts whose number is a draw around their card and nothing else."""

CARD_OF: Mapping[str, str] = MappingProxyType(
    {symbol: f"twin_{symbol}" for symbol in DRAWN}
    | {
        "kF": "twin_CLF_renal",
        "kY": "twin_CLY",
        "s": "twin_pot0",
        "sP": "twin_sP",
        "kP": "afp_half_life",
        "L0": "twin_L0",
        "R0": "twin_R0",
        "U0": "twin_U0",
        "J0": "twin_J0",
        "fN": "twin_fN",
        "V0": "twin_V0_smallest",
        "ktrN": "twin_mttN",
        "ktrP": "twin_mttP",
        "ANC0": "twin_ANC0",
        "PLT0": "twin_PLT0",
        "kToc": "twin_CLToc",
        "vToc": "twin_vToc",
        "kDex": "twin_CLDex",
        "s2": "twin_pot0",
        "fM2": "twin_fM",
    }
)
"""Symbol of the model texts -> its card; the second part also depends on the patient's baseline or on further cards."""

CARDS: tuple[str, ...] = (
    *CARD_OF.values(),
    "twin_unstained_negative",
    *("twin_VToc", "twin_VDex"),
    *("twin_reference_ec50", "twin_reference_dissociation_rate", "twin_proofreading_delay", "twin_proofreading_steps"),
    *(
        f"twin_limited_{name}"
        for name in ("steps", "step_rate", "stop_rate", "receptors", "association_rate", "ligands")
    ),
    *(f"comparator_{drug}_{what}" for drug in ("regorafenib", "cabozantinib") for what in ("growth", "kill")),
    *("twin_CLF_nonrenal", "twin_VF", "twin_VY", "twin_VY_bsa", "twin_VY_bsa_exponent", "twin_CLY_liver_failure"),
    *("twin_CLY_child_pugh", "twin_egfr", "twin_flu_active_share", "twin_V0_share", "twin_one_cell", "twin_one_tcell"),
    *("twin_bil0", "twin_alb0", "twin_inr0", "twin_qb", "twin_qa", "twin_qi", "twin_blood_share", "twin_blood_volume"),
    *("twin_genomes_per_ug", "twin_monocytes", "twin_child_pugh_bilirubin", "twin_child_pugh_albumin"),
    *(
        "twin_child_pugh_inr",
        "twin_child_pugh_lowest",
        "twin_hd",
        "twin_gammad",
        "twin_hn",
        "twin_hn_volume",
        "twin_hD",
    ),
    *("twin_gamma1", "twin_gamma2", "twin_gamma3", "twin_gamma4", "twin_afp_high", "twin_hX", "twin_il6_lethal"),
    *("twin_sphere", "twin_alleles", "twin_copies_per_cell", "twin_chain_steps", "twin_relative_tolerance"),
    "twin_absolute_tolerance",
    "twin_temperature",
)
"""Every card the twin asks for."""


def number(name: str) -> float:
    """The single number of the card ``twin_<name>``, in the card's own unit."""
    return card(f"twin_{name}").number


def numbers(name: str) -> tuple[float, ...]:
    """The list on the card ``twin_<name>``, in the card's own unit."""
    return card(f"twin_{name}").numbers


def draw_around(one: Card, uniform: Numbers) -> Numbers:
    """Patients' values of a card from uniform draws (patients,): the card's spread, in the sense its kind says.

    The card's value is the median of a log-normal (cv, log_sd) or logit-normal (logit_sd), the mean of a normal (sd,
    variance). Bounds truncate: the distribution between them is kept in shape. Spreads of kind iqr, range, ci95, se and
    none describe groups or knowledge, not patients: everybody gets the value. Raises InputError for a spread whose kind
    is unsettled: nothing may be drawn from it before its source is read.
    """
    scale, spread = _scale(one)
    if spread == 0:
        return np.full(len(uniform), one.number)
    to_scale, from_scale = _SCALES[scale]
    centre = to_scale(np.array(one.number))
    low, high = (0.0, 1.0) if one.bounds is None else ndtr((_to_infinity(to_scale, one.bounds) - centre) / spread)
    drawn = from_scale(centre + spread * ndtri(low + uniform * (high - low)))
    return np.asarray(drawn if one.bounds is None else np.clip(drawn, *one.bounds), dtype=np.float64)


def _same(values: Numbers) -> Numbers:
    return values


_SCALES = MappingProxyType({"plain": (_same, _same), "log": (np.log, np.exp), "logit": (logit, expit)})


def _to_infinity(to_scale: np.ufunc, bounds: tuple[float, float]) -> Numbers:
    """Bounds on the scale of the draw; zero on a log scale is minus infinity."""
    with np.errstate(divide="ignore"):
        return np.asarray(to_scale(np.array(bounds)), dtype=np.float64)


def _scale(one: Card) -> tuple[str, float]:
    """On which scale the card is normal, and its standard deviation there."""
    kind = one.spread.kind
    match kind:
        case SpreadKind.CV:
            return "log", float(np.sqrt(np.log1p(one.spread_value**2)))
        case SpreadKind.LOG_SD:
            return "log", one.spread_value
        case SpreadKind.LOGIT_SD:
            return "logit", one.spread_value
        case SpreadKind.SD:
            return "plain", one.spread_value
        case SpreadKind.VARIANCE:
            return "plain", float(np.sqrt(one.spread_value))
        case SpreadKind.UNSETTLED:
            found = f"its spread {one.spread.value:g} may be a variance or a standard deviation"
            raise InputError(Fault(f"card {one.name}", found, "read the source, then write variance, sd or log_sd"))
        case _:
            assert kind is not SpreadKind.LOG10_SD, f"card {one.name}: write the spread as log_sd"
            return "plain", 0.0
