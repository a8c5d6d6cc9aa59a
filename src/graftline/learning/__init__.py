"""Learning: natural history fitted to real visits; which unknown moves which result, and which measurements can
tell unknowns apart."""

from .alpha_fetoprotein import SecretionFit, WanderFit, fit_secretion, fit_wander, half_lives
from .cohort_numbers import CohortNumber, cohort_numbers
from .distributions import Distribution, read_distribution
from .fitted_cards import (
    Dataset,
    NaturalHistoryFits,
    cards_as_yaml,
    dataset_of,
    fit_all,
    natural_history_cards,
)
from .growth import GrowthFit, fit_growth
from .hazards import DeathFit, LiverFit, NewLesionFit, fit_child_pugh, fit_death, fit_new_lesions
from .identification import Experiment, FreeParameter, Identification, Ridge, experiment_for, identify
from .measurements import Measurement, read_schedule
from .natural_history import COLUMNS, Intervals, NaturalHistory, read_natural_history
from .predictive_check import Assumptions, Band, Repetition, SurvivalCheck, SurvivalLine, check_courses, check_survival
from .sensitivities import Sensitivity, sensitivities
from .sensitivity import SensitivityResult, Study, StudyOutput, model_study, sensitivity
from .summaries import Summary, read_summary
from .twin_identification import EFFECTIVE_KILL, measured_twin, reference_schedule, twin_experiment, usual_measurements
from .twin_sensitivity import clinical_outputs, read_output, twin_study

__all__ = [
    "COLUMNS",
    "EFFECTIVE_KILL",
    "Assumptions",
    "Band",
    "CohortNumber",
    "Dataset",
    "DeathFit",
    "Distribution",
    "Experiment",
    "FreeParameter",
    "GrowthFit",
    "Identification",
    "Intervals",
    "LiverFit",
    "Measurement",
    "NaturalHistory",
    "NaturalHistoryFits",
    "NewLesionFit",
    "Repetition",
    "Ridge",
    "SecretionFit",
    "Sensitivity",
    "SensitivityResult",
    "Study",
    "StudyOutput",
    "Summary",
    "SurvivalCheck",
    "SurvivalLine",
    "WanderFit",
    "cards_as_yaml",
    "check_courses",
    "check_survival",
    "clinical_outputs",
    "cohort_numbers",
    "dataset_of",
    "experiment_for",
    "fit_all",
    "fit_child_pugh",
    "fit_death",
    "fit_growth",
    "fit_new_lesions",
    "fit_secretion",
    "fit_wander",
    "half_lives",
    "identify",
    "measured_twin",
    "model_study",
    "natural_history_cards",
    "read_distribution",
    "read_natural_history",
    "read_output",
    "read_schedule",
    "read_summary",
    "reference_schedule",
    "sensitivities",
    "sensitivity",
    "twin_experiment",
    "twin_study",
    "usual_measurements",
]
