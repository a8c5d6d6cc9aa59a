"""Wrong input and faults of the surroundings; apart from refusals (verdicts) and numerical failures (statuses)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Fault:
    """One thing wrong with an input: where, what was found, what to write instead.

    `place` reads `file:line path`, for example ``adp_a2afp.yaml:41 dosing.levels[2].target``.
    """

    place: str
    found: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.place}: {self.found}; {self.remedy}"


class InputError(Exception):
    """The input cannot be used; carries every fault found, not only the first. Exit code 2."""

    def __init__(self, faults: Fault | Iterable[Fault]) -> None:
        self.faults: Sequence[Fault] = (faults,) if isinstance(faults, Fault) else tuple(faults)
        assert self.faults, "an InputError names at least one fault"
        super().__init__("\n".join(str(fault) for fault in self.faults))


class SurroundingsError(Exception):
    """The input is fine but the machine refused (disk full, no permission, damaged folder). Exit code 1."""

    def __init__(self, found: str, remedy: str) -> None:
        self.found, self.remedy = found, remedy
        super().__init__(f"{found}; {remedy}")
