"""Forward sensitivities beside closed forms and finite differences of a tight solve."""

import numpy as np
import pytest

from graftline import engine
from graftline.base.errors import InputError

TEXT = """
k = 0.5; K = 2; n = 2.3; a = 3; b := 2 * a; g = 0
x' = -k * x^n / (K^n + x^n) + g; y' = k * x - 0.1 * y * exp(-k * time); x = a * 2; y = 1
shown := x * K + b
"""
TIMES = np.array([0.0, 0.5, 2.0, 7.0])
PARAMETERS, OUTPUTS = ("k", "K", "n", "a", "g"), ("x", "y", "shown")


def request(model, patients=1, **more):
    settings = {"outputs": OUTPUTS, "relative_tolerance": 1e-10, "absolute_tolerance": 1e-12}
    return engine.Request(times=TIMES, start=np.zeros(patients), **{**settings, **more})


def dosed():
    return engine.Doses(
        patient=np.array([0, 0]), time=np.array([1.0, 3.0]), state=np.array(["x", "x"]), amount=np.array([2.0, 3.0]),
        duration=np.array([0.0, 1.5]),
    )  # fmt: skip


def test_they_are_the_limits_of_finite_differences_with_doses_too():
    model = engine.load_antimony(TEXT)
    found = engine.sensitivities(model, request(model, doses=dosed()), PARAMETERS)
    assert found.values.shape == (1, len(TIMES), 3, 5)
    plain = engine.solve(model, request(model, doses=dosed()))
    assert np.allclose(found.result.values, plain.values, rtol=1e-8)
    for place, name in enumerate(PARAMETERS):
        own, step = model.own_values[name], 1e-4
        ends = [
            engine.solve(
                model, request(model, doses=dosed(), parameters={name: np.array([own + one])}, may_be_negative=(name,))
            )
            for one in (-step, step)
        ]
        slope = (ends[1].values - ends[0].values) / (2 * step)
        assert np.allclose(found.values[..., place], slope, rtol=1e-6, atol=1e-6), name


def test_decay_has_the_closed_form_for_every_patient():
    model = engine.load_antimony("k = 1; x' = -k * x; x = 1")
    rates = np.array([0.1, 0.5, 2.0])
    asked = request(model, 3, outputs=("x",), parameters={"k": rates}, absolute_tolerance={"x": 1e-12})
    found = engine.sensitivities(model, asked, ("k",)).values[:, :, 0, 0]
    assert np.allclose(found, -TIMES * np.exp(-rates[:, None] * TIMES), rtol=1e-8, atol=1e-10)


def test_an_initial_value_that_is_given_does_not_follow_a_parameter():
    model = engine.load_antimony(TEXT)
    found = engine.sensitivities(model, request(model, initial={"x": np.array([6.0])}), ("a",))
    assert np.all(found.values[..., 0] == np.array([0.0, 0.0, 2.0]))


def test_what_cannot_be_differentiated_is_refused():
    model = engine.load_antimony("k = 1; x' = -k * x; x = 1; at (time > 1): x = 2")
    asked = request(model, outputs=("x",), extinctions=(engine.Extinction(states=("x",), threshold=0.1),))
    with pytest.raises(InputError, match="has events") as caught:
        engine.sensitivities(model, asked, ("k", "z"))
    assert [fault.place for fault in caught.value.faults] == ["parameters z", "model", "request.extinctions"]
