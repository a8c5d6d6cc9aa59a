"""The nouns: frozen records with units that simulated and real patients share. They decide and print nothing."""

from .baseline import Baseline
from .variables import VARIABLES, Variable, VariableKind

__all__ = ["VARIABLES", "Baseline", "Variable", "VariableKind"]
