"""What can be learnt: which unknown moves which result, and which measurements can tell unknowns apart."""

from .distributions import Distribution, read_distribution
from .identification import Experiment, FreeParameter, Identification, Ridge, experiment_for, identify
from .measurements import Measurement, read_schedule
from .sensitivity import SensitivityResult, Study, StudyOutput, model_study, sensitivity
from .summaries import Summary, read_summary
from .twin_identification import EFFECTIVE_KILL, measured_twin, reference_schedule, twin_experiment, usual_measurements
from .twin_sensitivity import clinical_outputs, read_output, twin_study

__all__ = [
    "EFFECTIVE_KILL",
    "Distribution",
    "Experiment",
    "FreeParameter",
    "Identification",
    "Measurement",
    "Ridge",
    "SensitivityResult",
    "Study",
    "StudyOutput",
    "Summary",
    "clinical_outputs",
    "experiment_for",
    "identify",
    "measured_twin",
    "model_study",
    "read_distribution",
    "read_output",
    "read_schedule",
    "read_summary",
    "reference_schedule",
    "sensitivity",
    "twin_experiment",
    "twin_study",
    "usual_measurements",
]
