"""The virtual patients at referral: joint baseline of advanced, inoperable hepatocellular carcinoma.

Draws are imported from `population.simulate`, so that rules of the real trial never reach a random stream.
"""

from .parameters import PopulationPlan, correlation_matrix, population_cards
from .plausibility import BASELINE_RULES, implausible_baseline
from .rules import bclc_stage, child_pugh_score, egfr_ckd_epi_2021

__all__ = [
    "BASELINE_RULES",
    "PopulationPlan",
    "bclc_stage",
    "child_pugh_score",
    "correlation_matrix",
    "egfr_ckd_epi_2021",
    "implausible_baseline",
    "population_cards",
]
