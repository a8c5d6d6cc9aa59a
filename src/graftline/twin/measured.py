"""The twin with its measurements as part of the model text, so that the engine can differentiate them.

The same read-outs as `Courses`, by name: `P` (AFP), `C` (IL-6), `copies`, `alc`, `tcrt_uL`, `diameter` and every state.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from .. import engine
from ..base.units import MM_PER_CM, PER_uL_PER_e9_L
from .courses import CourseRequest, doses_of, start_times_of
from .model import CORE, twin_text
from .parameters import number

Numbers = NDArray[np.float64]
_NEUTROPHILS = "ANC_seen"


@cache
def measured_model(modules: tuple[str, ...] = ()) -> engine.Model:
    """Core, modules and measurements; raises InputError for a module we do not have."""
    seen = "ANC" if "marrow" in modules else "ANC0"
    text = files(__package__).joinpath("measured.ant").read_text(encoding="utf-8")
    whole = "\n".join((twin_text(modules), text, f"{_NEUTROPHILS} := {seen}"))
    return engine.load_antimony(whole, name="+".join((CORE, *modules, "measured")))


def measured_request(request: CourseRequest, times: Numbers, outputs: Sequence[str]) -> engine.Request:
    """What `run_courses` would solve, for `measured_model` of the same modules and from the untreated patient.

    Without extinction and without a floor at zero, both of which have no derivative: for patients whose tumour and
    graft stay well above one cell. `start` and `kill_scale` of the request are not used.
    """
    model = measured_model(request.modules)
    assert request.start is None and request.kill_scale is None, "from the untreated patient only"
    patients = len(request)
    known = request.latents.parameters
    parameters = {name: known[name] for name in model.parameters if name in known}
    fixed = {name: value for name, value in _fixed().items() if name in model.parameters}
    return engine.Request(
        times=np.asarray(times, dtype=np.float64),
        outputs=tuple(outputs),
        start=start_times_of(request),
        parameters={**parameters, **{name: np.full(patients, value) for name, value in fixed.items()}},
        doses=doses_of(request),
        relative_tolerance=request.relative_tolerance or number("relative_tolerance"),
        absolute_tolerance=number("absolute_tolerance"),
    )


def _fixed() -> dict[str, float]:
    """Parameters of the measurements, from their cards."""
    return {
        "share_b": number("blood_share"),
        "vol_b": number("blood_volume"),
        "vcn": number("copies_per_cell"),
        "genomes": number("genomes_per_ug"),
        "mono": number("monocytes"),
        "ball": number("sphere") / (MM_PER_CM * MM_PER_CM * MM_PER_CM),
        "per_uL": PER_uL_PER_e9_L,
        "ANC0": number("ANC0"),
    }
