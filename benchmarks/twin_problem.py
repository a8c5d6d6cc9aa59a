"""The patient twin as a problem for solvers: lymphodepletion and one infusion of cells for virtual patients, a year."""

from __future__ import annotations

import numpy as np
from bench import CELLS, DAYS, REGIMEN, course_request
from problem import Dose, Problem

from graftline.base.clock import model_time
from graftline.base.units import HOURS_PER_DAY
from graftline.evidence import card
from graftline.twin.model import twin_model, twin_text

FLOORS = {
    "F": 1e-3, "Y": 1e-3, "L": 1e-3, "I": 1e-2, "G": 1e-3, "M": 1e-3, "E": 1e-3, "T": 1e-3, "X": 1e-3, "A": 1e-3,
    "N": 1e-3, "D": 1e-3, "P": 0.1, "B": 1e-3, "Q": 1e-3, "C": 0.1, "R": 0.1, "J": 1e-5, "U": 0.1, "H": 1e-3,
}  # fmt: skip
"""state -> its smallest value that matters"""


def problem(patients: int) -> Problem:
    """The core without modules; a tumour that dies out stays tiny, because the peers know no extinction."""
    latents = course_request(patients).latents
    volume = {"fludarabine": latents.fludarabine_volume, "cyclophosphamide": latents.cyclophosphamide_volume}
    active = {"fludarabine": card("twin_flu_active_share").number, "cyclophosphamide": 1.0}
    state = {"fludarabine": "F", "cyclophosphamide": "Y"}
    doses = [
        Dose(
            time=float(model_time(np.array([day]))[0]),
            state=state[drug],
            amount=dose * latents.body_surface_area * active[drug] / volume[drug],
            duration=hours / HOURS_PER_DAY,
        )
        for drug, day, dose, hours in REGIMEN
    ]
    cells = Dose(time=0.0, state="G", amount=np.full(patients, CELLS))
    return Problem(
        name="twin",
        text=twin_text(),
        parameters={name: latents.parameters[name] for name in twin_model().parameters},
        doses=(*doses, cells),
        start=min(dose.time for dose in doses),
        times=DAYS[DAYS > 0],  # what stands at the moment of a dose, solvers see differently
        floors=FLOORS,
    )
