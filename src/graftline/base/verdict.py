"""Three-valued decisions with reasons, for one patient or for many at once.

Missing data are the normal case: a verdict is pass, fail or **unknown**, and unknown never counts as pass. Verdicts
combine after Kleene: `&` fails if either fails and passes only if both pass; `|` passes if either passes and fails
only if both fail; `~` swaps pass and fail. So a protocol reads as a sentence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import reduce

import numpy as np
from numpy.typing import NDArray


class Outcome(IntEnum):
    """What a rule says. The numbers are ordered so that Kleene's and/or are minimum/maximum."""

    FAIL = 0
    UNKNOWN = 1
    PASS = 2


@dataclass(frozen=True)
class Verdict:
    """One decision: pass, fail or unknown, with every reason that kept it from passing."""

    outcome: Outcome
    reasons: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """True only for pass; unknown is not pass."""
        return self.outcome is Outcome.PASS

    @property
    def failed(self) -> bool:
        return self.outcome is Outcome.FAIL

    @property
    def unknown(self) -> bool:
        return self.outcome is Outcome.UNKNOWN

    def __and__(self, other: Verdict) -> Verdict:
        return _joined(Outcome(min(self.outcome, other.outcome)), (self, other))

    def __or__(self, other: Verdict) -> Verdict:
        return _joined(Outcome(max(self.outcome, other.outcome)), (self, other))

    def __bool__(self) -> bool:
        raise TypeError("a verdict has three values: ask .passed, .failed or .unknown")

    @classmethod
    def from_checks(cls, *checks: Verdict) -> Verdict:
        """All checks must pass; keeps the reasons of all that do not."""
        return reduce(lambda one, other: one & other, checks, PASSED)


PASSED = Verdict(Outcome.PASS)


def _joined(outcome: Outcome, parts: Iterable[Verdict]) -> Verdict:
    if outcome is Outcome.PASS:
        return PASSED
    reasons = [reason for part in parts if part.outcome is not Outcome.PASS for reason in part.reasons]
    return Verdict(outcome, tuple(dict.fromkeys(reasons)))


def check(holds: bool | None, reason: str) -> Verdict:
    """Pass if `holds`, fail with `reason` if not, unknown if `holds` is None."""
    if holds is None:
        return Verdict(Outcome.UNKNOWN, (f"not known: {reason}",))
    return PASSED if holds else Verdict(Outcome.FAIL, (reason,))


def check_at_least(value: float | None, limit: float, reason: str) -> Verdict:
    """Pass if `value` is at or above `limit`; unknown if it is missing (None or NaN)."""
    return check(None if value is None or np.isnan(value) else value >= limit, reason)


def check_at_most(value: float | None, limit: float, reason: str) -> Verdict:
    """Pass if `value` is at or below `limit`; unknown if it is missing (None or NaN)."""
    return check(None if value is None or np.isnan(value) else value <= limit, reason)


@dataclass(frozen=True)
class Verdicts:
    """The same decision for many patients: outcomes (patients,) with, per named reason, where it applied.

    `reasons` holds (label, outcomes) for every part; a part counts as a reason for a patient whom it did not let pass.
    A decision about one real patient is the case of length one: `verdicts[0]`.
    """

    outcomes: NDArray[np.int8]
    reasons: tuple[tuple[str, NDArray[np.int8]], ...] = ()

    def __len__(self) -> int:
        return len(self.outcomes)

    def __getitem__(self, index: int) -> Verdict:
        outcome = Outcome(int(self.outcomes[index]))
        if outcome is Outcome.PASS:
            return PASSED
        labels = [
            label if part[index] == Outcome.FAIL else f"not known: {label}"
            for label, part in self.reasons
            if part[index] != Outcome.PASS
        ]
        return Verdict(outcome, tuple(dict.fromkeys(labels)))

    def __iter__(self) -> Iterator[Verdict]:
        return (self[index] for index in range(len(self)))

    @property
    def passed(self) -> NDArray[np.bool_]:
        return np.asarray(self.outcomes == Outcome.PASS, dtype=np.bool_)

    @property
    def failed(self) -> NDArray[np.bool_]:
        return np.asarray(self.outcomes == Outcome.FAIL, dtype=np.bool_)

    @property
    def unknown(self) -> NDArray[np.bool_]:
        return np.asarray(self.outcomes == Outcome.UNKNOWN, dtype=np.bool_)

    def __and__(self, other: Verdicts) -> Verdicts:
        return Verdicts(np.minimum(self.outcomes, other.outcomes), self.reasons + other.reasons)

    def __or__(self, other: Verdicts) -> Verdicts:
        return Verdicts(np.maximum(self.outcomes, other.outcomes), self.reasons + other.reasons)._settled()

    def __invert__(self) -> Verdicts:
        swapped = (Outcome.PASS - self.outcomes).astype(np.int8)
        parts = tuple((f"not ({label})", (Outcome.PASS - part).astype(np.int8)) for label, part in self.reasons)
        return Verdicts(swapped, parts)._settled()

    def _settled(self) -> Verdicts:
        """Where the whole passes, no part remains a reason (a low value does not count once its alternative holds)."""
        passed = self.passed
        parts = tuple((label, np.where(passed, Outcome.PASS, part).astype(np.int8)) for label, part in self.reasons)
        return Verdicts(self.outcomes, parts)

    @classmethod
    def from_test(cls, holds: NDArray[np.bool_], known: NDArray[np.bool_], label: str) -> Verdicts:
        """Pass where `holds`, fail where not, unknown where not `known`; `label` is the reason given."""
        outcomes = np.where(known, np.where(holds, Outcome.PASS, Outcome.FAIL), Outcome.UNKNOWN).astype(np.int8)
        return cls(outcomes, ((label, outcomes),))

    @classmethod
    def all_pass(cls, patients: int) -> Verdicts:
        return cls(np.full(patients, Outcome.PASS, dtype=np.int8))

    def labelled(self, label: str) -> Verdicts:
        """The same outcomes under one reason, for a criterion that is named as a whole."""
        return Verdicts(self.outcomes, ((label, self.outcomes),))
