"""The patient twin: mechanistic courses of virtual patients with and without TCR-T cells.

No published TCR-T kinetic model and no public per-patient TCR-T data exist: TCR-T-specific parameters are free priors.
Draws (`draw_latents`) are imported from `simulate`.
"""

from .courses import Conditioning, CourseRequest, Infusion, referral_state, run_courses
from .hazards import death_hazard, decompensation_hazard, first_event, lethal_cytokine_hazard, new_lesion_hazard
from .latents import Latents
from .model import twin_model, twin_text
from .parameters import CARD_OF, CARDS
from .readouts import Courses, CourseState

__all__ = [
    "CARDS",
    "CARD_OF",
    "Conditioning",
    "CourseRequest",
    "CourseState",
    "Courses",
    "Infusion",
    "Latents",
    "death_hazard",
    "decompensation_hazard",
    "first_event",
    "lethal_cytokine_hazard",
    "new_lesion_hazard",
    "referral_state",
    "run_courses",
    "twin_model",
    "twin_text",
]
