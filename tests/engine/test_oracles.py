"""The engine beside libroadrunner on the same text, with reactions, functions of time and events."""

import antimony
import numpy as np
import roadrunner

from graftline import engine

REACTIONS = """
compartment cell = 2.5; species S1 in cell = 10, S2 in cell = 0, $B in cell = 3; substanceOnly species X in cell = 5
k1 = 0.4; k2 = 0.2; K = 2; n = 2.3
J1: S1 -> 2 S2; cell * k1 * S1^n / (K^n + S1^n)
J2: S2 + X -> ; k2 * S2 * X
J3: B -> S1; cell * 0.1 * B * exp(-0.2 * time)
forced := k1 * sin(time); y' = forced - 0.3 * y; y = 1
at (time >= 3): S1 = S1 + 4
at (S2 > 4), persistent=false, priority=2: X = X + 20, k2 = k2 / 2
"""
TIMES = np.linspace(0, 20, 81) + 0.01


def drawn(model, patients, seed):
    """Every number of the text that is above zero, spread by 30 %."""
    rng = np.random.default_rng(seed)
    spread = {
        name: value * np.exp(0.3 * rng.standard_normal(patients))
        for name, value in model.own_values.items()
        if value > 0
    }
    parameters = {name: values for name, values in spread.items() if name in model.parameters}
    return parameters, {name: values for name, values in spread.items() if name in model.states}


def ours(model, parameters, initial, times, outputs, patients):
    request = engine.Request(
        times=times, outputs=outputs, start=np.zeros(patients), parameters=parameters, initial=initial,
        relative_tolerance=1e-9, absolute_tolerance=1e-11,
    )  # fmt: skip
    result = engine.solve(model, request)
    assert not result.messages
    return result.values


def theirs(text, times):
    """The same text in libroadrunner."""
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(text) >= 0, antimony.getLastError()
    runner = roadrunner.RoadRunner(antimony.getSBMLString(antimony.getMainModuleName()))
    runner.integrator.setValue("relative_tolerance", 1e-11)
    runner.integrator.setValue("absolute_tolerance", 1e-13)
    runner.timeCourseSelections = ["[S1]", "[S2]", "X", "y"]
    return np.array(runner.simulate(times=[0.0, *times.tolist()]))[1:]


def test_reactions_and_events_agree_with_libroadrunner():
    model = engine.load_antimony(REACTIONS)
    parameters, initial = drawn(model, 6, 1)
    found = ours(model, parameters, initial, TIMES, ("S1", "S2", "X", "y"), 6)
    for patient in range(6):
        own = {name: values[patient] for name, values in {**parameters, **initial}.items()}
        text = REACTIONS + "\n".join(f"{name} = {value!r}" for name, value in own.items())
        assert np.allclose(found[patient], theirs(text.replace("np.float64", ""), TIMES), rtol=1e-6, atol=1e-8), patient
