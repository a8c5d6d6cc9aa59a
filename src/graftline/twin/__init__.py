"""The patient twin: mechanistic courses of virtual patients with and without TCR-T cells.

No published TCR-T kinetic model and no public per-patient TCR-T data exist: TCR-T-specific parameters are free priors.
Draws (`draw_latents`) are imported from `simulate`.
"""

from .courses import Conditioning, CourseRequest, Infusion, referral_state, run_courses
from .hazards import death_hazard, decompensation_hazard, first_event, lethal_cytokine_hazard, new_lesion_hazard
from .latents import Latents
from .model import twin_model, twin_text
from .parameters import CARD_OF, CARDS
from .published_models import (
    ExtinctionRule,
    LeftOutModel,
    PublishedModel,
    PublishedQuantity,
    PublishedSpread,
    models_left_out,
    published_model,
    published_models,
)
from .readouts import Courses, CourseState

__all__ = [
    "CARDS",
    "CARD_OF",
    "Conditioning",
    "CourseRequest",
    "CourseState",
    "Courses",
    "ExtinctionRule",
    "Infusion",
    "Latents",
    "LeftOutModel",
    "PublishedModel",
    "PublishedQuantity",
    "PublishedSpread",
    "death_hazard",
    "decompensation_hazard",
    "first_event",
    "lethal_cytokine_hazard",
    "models_left_out",
    "new_lesion_hazard",
    "published_model",
    "published_models",
    "referral_state",
    "run_courses",
    "twin_model",
    "twin_text",
]
