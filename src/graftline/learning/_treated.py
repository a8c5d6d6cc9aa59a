"""How the twin is treated in studies: as the reference trial's protocol says, at the dose of its expansion."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ..assessment import planned_times
from ..base.units import BILLION
from ..conditioning import planned_doses
from ..evidence import card
from ..protocol import Protocol, load_protocol
from ..trial.treated import regimen_in_force, visit_schedule
from ..twin import Conditioning, CourseRequest, Infusion, Latents

Numbers = NDArray[np.float64]
REFERENCE = "adp_a2afp"


@cache
def reference_protocol() -> Protocol:
    """The reference trial, as amended last."""
    return load_protocol(REFERENCE).protocol


def treated(latents: Latents) -> CourseRequest:
    """Conditioning in force and one infusion of the expansion's target dose on Day 1; kidneys as the card says."""
    protocol = reference_protocol()
    regimen = regimen_in_force(protocol)
    renal = card("twin_egfr").to("mL/min")
    planned = planned_doses(regimen, protocol.conditioning.fludarabine_by_renal_function, renal)
    count = len(latents)
    return CourseRequest(
        latents=latents,
        conditioning=Conditioning(
            patient=np.repeat(np.arange(count), len(planned)),
            drug=np.tile(np.array([one.drug for one in planned]), count),
            dose=np.tile(np.array([one.dose for one in planned]), count),
            protocol_day=np.tile(np.array([one.day for one in planned]), count),
            hours=np.tile(np.array([one.hours for one in planned]), count),
        ),
        infusions=(Infusion(cells=np.full(count, target_cells()), time=np.zeros(count)),),
        modules=protocol.model.modules,
    )


def target_cells() -> float:
    """1e9"""
    protocol = reference_protocol()
    level = next(one for one in protocol.dosing.levels if one.name == protocol.dosing.expansion.level)
    return level.target.to("cells") / BILLION


def treatment_in_words() -> str:
    """For captions and notes."""
    regimen = regimen_in_force(reference_protocol())
    return f"conditioning {regimen.name}, {target_cells():g}e9 transduced cells on Day 1 (protocol {REFERENCE})"


def visits(assessment: str, until: float) -> Numbers:
    """Planned model times of an assessment of the protocol, up to `until`."""
    found = next(one for one in reference_protocol().assessments if one.name == assessment)
    return np.asarray(planned_times(visit_schedule(found), int(until)), dtype=np.float64)


def first_conditioning() -> float:
    """Model time at which conditioning begins."""
    return float(min(_days()))


def _days() -> Iterator[int]:
    for drug in regimen_in_force(reference_protocol()).drugs:
        yield from drug.days
