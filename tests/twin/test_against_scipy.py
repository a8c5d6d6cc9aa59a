"""The twin in our engine beside the same sympy expressions in SciPy, over patients drawn at random."""

import numpy as np
import sympy as sp
from house_patients import latents_of, varied_baseline
from scipy.integrate import solve_ivp

from graftline import engine
from graftline.engine.system import TIME, symbol
from graftline.twin.courses import referral_state
from graftline.twin.model import twin_model

PATIENTS, DAYS = 4, np.array([0.5, 2.0, 7.0, 20.0, 60.0, 120.0])


def test_the_compiled_twin_solves_the_equations_that_are_shown():
    model = twin_model(("marrow",))
    latents = latents_of(varied_baseline(PATIENTS))
    parameters = {name: latents.parameters[name] for name in model.parameters}
    states = {**referral_state(latents).states, "G": np.full(PATIENTS, 5.0), "F": np.full(PATIENTS, 1.0)}
    initial = {name: states[name] for name in model.states}
    request = engine.Request(
        times=DAYS, outputs=model.states, start=np.zeros(PATIENTS), parameters=parameters, initial=initial,
        relative_tolerance=1e-9, absolute_tolerance=1e-12,
    )  # fmt: skip
    found = engine.solve(model, request).values
    names = [*model.states, *model.parameters]
    rates = sp.lambdify(
        [TIME, *map(symbol, names)], [model.system.rates[name] for name in model.states], ["math", {"Max": max}]
    )
    for patient in range(PATIENTS):
        fixed = [parameters[name][patient] for name in model.parameters]
        begin = [initial[name][patient] for name in model.states]
        theirs = solve_ivp(
            lambda t, y, fixed=fixed: rates(t, *y, *fixed), (0, DAYS[-1]), begin, "LSODA", DAYS, rtol=1e-10, atol=1e-12
        )
        assert np.allclose(found[patient], theirs.y.T, rtol=1e-5, atol=1e-8), patient
