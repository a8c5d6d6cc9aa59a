"""The whole virtual trial: accrual, calendar, capacity, courses, endpoints."""

from .calendar import Ask, Finished
from .endpoints import endpoint_table
from .judged import SIMULATED_EVENTS
from .run import Part, TreatedPatients, cut_days, readings_of, simulate_part
from .sensitivity import Swing, tornado
from .treated import Outcomes, Reading, Treatment

__all__ = [
    "SIMULATED_EVENTS",
    "Ask",
    "Finished",
    "Outcomes",
    "Part",
    "Reading",
    "Swing",
    "TreatedPatients",
    "Treatment",
    "cut_days",
    "endpoint_table",
    "readings_of",
    "simulate_part",
    "tornado",
]
