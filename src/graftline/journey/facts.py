"""What is known at the moment of an act. None, or a name that is absent, is not known and never counts as in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from numpy.typing import NDArray

from ..base.verdict import Verdict
from ..infusion import Bedside
from ..protocol.schema import Protocol
from ..records import Batch, Dose


class Hold(StrEnum):
    """Why a subject is frozen."""

    IDENTITY = "identity"
    """a scan did not match (H1)"""
    CONSENT = "consent"
    """consent withdrawn, or a superseded version unsigned (H8)"""


@dataclass(frozen=True, kw_only=True)
class Signed:
    """A signature given: who, in which role, meaning what, and whether the person may sign today."""

    person: str
    role: str
    meaning: str
    delegated: bool | None
    trained: bool | None


@dataclass(frozen=True, kw_only=True)
class Stagger:
    """Infusions so far (calendar day numbers) at this dose level and at the others, and today."""

    level: str
    infusions_here: tuple[int, ...]
    infusions_elsewhere: tuple[int, ...]
    today: int


def _nothing() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Everything that the guards of one transition may ask about. A guard reads what it needs and no more."""

    protocol: Protocol | None = None
    """the version the subject is bound by"""
    patient: str | None = None
    """chain-of-identity code of the subject"""
    linked: Mapping[str, frozenset[str]] = field(default_factory=_nothing)
    """by machine, the states of the objects that belong to this act (course, bags on the manifest, infusion, …)"""
    confirmed: Mapping[str, bool | None] = field(default_factory=_nothing)
    """answers of people and devices, by the name of the guard that asks"""
    decided: Mapping[str, Verdict] = field(default_factory=_nothing)
    """verdicts that a step's rule has already given today, by guard; a simulated trial judges many patients at once"""
    measured: Mapping[str, NDArray[Any]] | None = None
    """variables of this subject as arrays of length one, for the eligibility criteria"""
    holds: frozenset[Hold] | None = frozenset()
    ledger_verifies: bool | None = True
    doer: str | None = None
    signed: tuple[Signed, ...] = ()
    scans: tuple[str | None, ...] = ()
    """identity codes as read: order, person, kit, bag, label"""
    typed_by_hand: bool = False
    """a code was typed instead of scanned"""
    bags_scanned: frozenset[str] | None = None
    bags_on_manifest: frozenset[str] | None = None
    """of this shipment or infusion, not of the whole lot"""
    collected_cells: float | None = None
    """CD3+ cells, 1e9"""
    collections: int | None = None
    """collections done so far"""
    batch: Batch | None = None
    stagger: Stagger | None = None
    dose: Dose | None = None
    bedside: Bedside | None = None
    cells_usable: bool | None = None
    may_repeat_conditioning: bool | None = None
    second_consent: bool | None = None
    """to a product out of specification; asked only then"""
