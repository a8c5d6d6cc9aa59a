"""The virtual patients at referral: joint baseline of advanced, inoperable hepatocellular carcinoma.

Draws are imported from `population.simulate`, so that rules of the real trial never reach a random stream.
"""

from .parameters import PopulationPlan, correlation_matrix, population_cards
from .rules import bclc_stage, child_pugh_score, egfr_ckd_epi_2021

__all__ = [
    "PopulationPlan",
    "bclc_stage",
    "child_pugh_score",
    "correlation_matrix",
    "egfr_ckd_epi_2021",
    "population_cards",
]
