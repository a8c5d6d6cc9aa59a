"""The course of one patient as an SBML file: composed equations, the patient's numbers, the doses as events."""

from __future__ import annotations

import numpy as np

from .. import engine
from .courses import CourseRequest, solver_request
from .model import twin_meanings, twin_model


def course_as_sbml(request: CourseRequest, patient: int = 0) -> str:
    """The course of one patient of the request as SBML, for any tool that reads it.

    Time 0 of the file is the patient's start (the first conditioning, or `start_time`), in days. Each equation carries
    its meaning as a note. The rules by which a clone or the graft dies out below one cell are not part of SBML: what is
    computed from the file goes on below one cell. Raises InputError as `run_courses` does.
    """
    model, asked = twin_model(request.modules), solver_request(request, np.zeros(1))
    start = float(asked.start[patient])
    numbers = {**asked.parameters, **asked.initial}
    own = asked.doses.patient == patient
    return engine.as_sbml(
        model,
        values={symbol: float(values[patient]) for symbol, values in numbers.items()},
        doses=engine.Doses(
            patient=np.zeros(int(own.sum()), dtype=np.int64),
            time=asked.doses.time[own] - start,
            state=asked.doses.state[own],
            amount=asked.doses.amount[own],
            duration=asked.doses.duration[own],
        ),
        notes=twin_meanings(request.modules),
    )
