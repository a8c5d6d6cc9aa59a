"""The patient twin: mechanistic courses of virtual patients with and without TCR-T cells.

No published TCR-T kinetic model and no public per-patient TCR-T data exist: TCR-T-specific parameters are free priors.
Draws (`draw_latents`) are imported from `simulate`, patients at chosen quantiles from `quantiles`.
"""

from .comparators import COMPARATORS, on_comparator
from .courses import (
    Conditioning,
    CourseRequest,
    Infusion,
    SecondProduct,
    SupportiveDoses,
    referral_state,
    run_courses,
)
from .exporting import course_as_sbml
from .hazards import (
    DeathCoefficients,
    death_hazard,
    decompensation_hazard,
    first_event,
    lethal_cytokine_hazard,
    new_lesion_hazard,
)
from .latents import Latents
from .measured import measured_model, measured_request
from .model import MODULES, Equation, twin_equations, twin_meanings, twin_model, twin_text
from .own_courses import OwnCourseRequest, OwnCourses, SeenCourses, draw_own_parameters, run_own_courses
from .parameters import CARD_OF, CARDS
from .plausibility import LATENT_RULES, implausible_latents
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
from .signal import Potency, limited_signal, proofreading_survival, relative_strength

__all__ = [
    "CARDS",
    "CARD_OF",
    "COMPARATORS",
    "LATENT_RULES",
    "MODULES",
    "Conditioning",
    "CourseRequest",
    "CourseState",
    "Courses",
    "DeathCoefficients",
    "Equation",
    "ExtinctionRule",
    "Infusion",
    "Latents",
    "LeftOutModel",
    "OwnCourseRequest",
    "OwnCourses",
    "Potency",
    "PublishedModel",
    "PublishedQuantity",
    "PublishedSpread",
    "SecondProduct",
    "SeenCourses",
    "SupportiveDoses",
    "course_as_sbml",
    "death_hazard",
    "decompensation_hazard",
    "draw_own_parameters",
    "first_event",
    "implausible_latents",
    "lethal_cytokine_hazard",
    "limited_signal",
    "measured_model",
    "measured_request",
    "models_left_out",
    "new_lesion_hazard",
    "on_comparator",
    "proofreading_survival",
    "published_model",
    "published_models",
    "referral_state",
    "relative_strength",
    "run_courses",
    "run_own_courses",
    "twin_equations",
    "twin_meanings",
    "twin_model",
    "twin_text",
]
