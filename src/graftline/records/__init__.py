"""The nouns: frozen records with units that simulated and real patients share. They decide and print nothing."""

from .baseline import Baseline
from .batch import Batch, Batches, Sterility
from .dose import Dose
from .refusals import Refusals
from .variables import PRODUCT_VARIABLES, VARIABLES, Variable, VariableKind

__all__ = [
    "PRODUCT_VARIABLES",
    "VARIABLES",
    "Baseline",
    "Batch",
    "Batches",
    "Dose",
    "Refusals",
    "Sterility",
    "Variable",
    "VariableKind",
]
