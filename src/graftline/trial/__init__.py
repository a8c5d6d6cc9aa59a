"""The whole virtual trial: accrual, calendar, capacity, courses, endpoints."""

from .calendar import Ask, Finished
from .endpoints import endpoint_table
from .judged import SIMULATED_EVENTS
from .one_patient import (
    ASSUMED_FROM,
    MEASURED,
    KnownPatient,
    OnePatient,
    PlannedTreatment,
    SampledArm,
    free_priors,
    simulate_one_patient,
)
from .run import Part, TreatedPatients, cut_days, readings_of, simulate_part
from .sensitivity import Swing, tornado
from .treated import Outcomes, Reading, Treatment

__all__ = [
    "ASSUMED_FROM",
    "MEASURED",
    "SIMULATED_EVENTS",
    "Ask",
    "Finished",
    "KnownPatient",
    "OnePatient",
    "Outcomes",
    "Part",
    "PlannedTreatment",
    "Reading",
    "SampledArm",
    "Swing",
    "TreatedPatients",
    "Treatment",
    "cut_days",
    "endpoint_table",
    "free_priors",
    "readings_of",
    "simulate_one_patient",
    "simulate_part",
    "tornado",
]
