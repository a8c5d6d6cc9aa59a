"""Scores that follow from a patient's values by published definition. No chance; the same for real patients."""

from __future__ import annotations

import numpy as np

from ..evidence import card
from ..records.baseline import Flags, Numbers, Words


def child_pugh_score(
    bilirubin: Numbers, albumin: Numbers, inr: Numbers, ascites: Numbers, encephalopathy: Numbers
) -> Numbers:
    """Child-Pugh score, 5 (best) to 15; NaN where any of the five components is missing.

    Bilirubin in umol/L, albumin in g/L, INR without unit; ascites and encephalopathy graded 0, 1, 2 as in
    `records.variables`. Arrays (patients,). Pugh 1973, Br J Surg 60:646, with INR in place of seconds.
    """
    albumin_low, albumin_normal = card("child_pugh_albumin").numbers
    beyond_first = (
        _steps_up(bilirubin, *card("child_pugh_bilirubin").numbers),
        np.where(np.isnan(albumin), np.nan, (albumin <= albumin_normal) + 1.0 * (albumin < albumin_low)),
        _steps_up(inr, *card("child_pugh_inr").numbers),
        ascites,
        encephalopathy,
    )
    return np.asarray(sum((1 + points for points in beyond_first), start=np.zeros_like(bilirubin)), dtype=np.float64)


def _steps_up(value: Numbers, second: float, third: float) -> Numbers:
    """Points beyond the first: 0 below `second`, 1 up to and with `third`, 2 above."""
    return np.where(np.isnan(value), np.nan, (value >= second) + 1.0 * (value > third))


def egfr_ckd_epi_2021(creatinine: Numbers, age: Numbers, sex: Words) -> Numbers:
    """Estimated glomerular filtration rate in mL/min per 1.73 m^2; NaN where creatinine or age is missing.

    Creatinine in umol/L, age in years, sex 'female' or 'male'; arrays (patients,). CKD-EPI creatinine equation
    without race, Inker 2021, N Engl J Med 385:1737.
    """
    female = sex == "female"
    reference = np.where(female, *card("ckd_epi_2021_creatinine").numbers)
    low_exponent = np.where(female, *card("ckd_epi_2021_low_exponent").numbers)
    relative = creatinine / card("creatinine_umol_per_mg").number / reference
    return np.asarray(
        card("ckd_epi_2021_scale").number
        * np.minimum(relative, 1) ** low_exponent
        * np.maximum(relative, 1) ** card("ckd_epi_2021_high_exponent").number
        * card("ckd_epi_2021_per_year").number ** age
        * np.where(female, card("ckd_epi_2021_female").number, 1),
        dtype=np.float64,
    )


def bclc_stage(macrovascular_invasion: Flags, extrahepatic_spread: Flags, ecog: Numbers) -> Words:
    """Barcelona stage of patients who are past stage A and not in D: C with invasion, spread or ECOG 1-2, else B."""
    advanced = macrovascular_invasion | extrahepatic_spread | (ecog >= 1)
    return np.where(advanced, "C", "B")
