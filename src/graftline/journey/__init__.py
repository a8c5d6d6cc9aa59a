"""The journey of one patient: linked tables of states, guards, signatures and hard stops. Pure; no chance."""

from .draw import all_guards, draw_tables
from .facts import Facts, Hold, Signed, Stagger
from .machine import Guard, HardStop, Limit, Machine, SafetyAct, Signature, State, Transition
from .rules import Advanced, advance, limit_days, may_act_for_safety, may_advance, signature_given, within_limit
from .tables import HARD_STOPS, MACHINES, SAFETY_ACTS

__all__ = [
    "HARD_STOPS",
    "MACHINES",
    "SAFETY_ACTS",
    "Advanced",
    "Facts",
    "Guard",
    "HardStop",
    "Hold",
    "Limit",
    "Machine",
    "SafetyAct",
    "Signature",
    "Signed",
    "Stagger",
    "State",
    "Transition",
    "advance",
    "all_guards",
    "draw_tables",
    "limit_days",
    "may_act_for_safety",
    "may_advance",
    "signature_given",
    "within_limit",
]
