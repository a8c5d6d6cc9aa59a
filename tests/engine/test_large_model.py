"""A model of 150 states compiles in bearable time and gives the numbers of SciPy."""

import numpy as np
import pytest
import sympy as sp
from scipy.integrate import solve_ivp

from graftline import engine
from graftline.engine.system import TIME, symbol

STATES = 150


def text():
    """A ring of states that exchange, saturate and kill, with partners at random."""
    rng = np.random.default_rng(1)
    lines = []
    for i in range(STATES):
        j, k = rng.integers(0, STATES, 2)
        lines.append(f"S{i}' = k{i}*S{i - 1 if i else STATES - 1} - d{i}*S{i} + a{i}*S{j}/(1+S{j}) - b{i}*S{i}*S{k}")
        lines.append(f"S{i} = {1 + 0.1 * i}; k{i} = 0.5; d{i} = 0.6; a{i} = 0.1; b{i} = 0.05")
    return "\n".join(lines)


@pytest.mark.long
def test_a_model_of_150_states_is_compiled_and_right():
    model = engine.load_antimony(text(), "large")
    times = np.linspace(0, 20, 5)
    found = model.run(times=times, rtol=1e-8)
    assert not found.messages
    own = model.own_values
    names = [*model.states, *model.parameters]
    rates = sp.lambdify([TIME, *map(symbol, names)], [model.system.rates[name] for name in model.states], "math")
    fixed = [own[name] for name in model.parameters]
    theirs = solve_ivp(
        lambda t, y: rates(t, *y, *fixed),
        (0, 20),
        [own[name] for name in model.states],
        "LSODA",
        times,
        rtol=1e-9,
        atol=1e-12,
    )
    assert np.allclose(found.values[0], theirs.y.T, rtol=1e-6, atol=1e-9)
