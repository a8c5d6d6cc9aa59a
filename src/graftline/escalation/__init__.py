"""Dose finding: which level is open, how many patients it takes, and when the next one may begin. Rules only."""

from .rules import Action, CohortState, Decision, decide, may_treat_next

__all__ = ["Action", "CohortState", "Decision", "decide", "may_treat_next"]
