"""Where solvers go wrong without a word: infinite slopes and rates, doses of nothing, infusions at their limits, NaN."""

import _thread
import signal
import threading
import time

import numpy as np
import pytest

from graftline import engine
from graftline.engine import Doses, Extinction, Request, Status
from graftline.engine.running import _calls, loop


def doses(*rows):
    patient, time, state, amount, duration = zip(*rows, strict=True)
    return Doses(
        patient=np.array(patient), time=np.array(time, dtype=float), state=np.array(state),
        amount=np.array(amount, dtype=float), duration=np.array(duration, dtype=float),
    )  # fmt: skip


def run(text, times, **more):
    return engine.load_antimony(text).run(times=times, **more)


@pytest.mark.parametrize("rate", ["1 / x", "ln(x)", "-k * x"])
def test_a_rate_that_is_infinite_at_the_start_fails_and_does_not_hang(rate):
    found = run(f"x' = {rate}; x = {1 if 'k' in rate else 0}; k = INF", [0, 1])
    assert found.status[0] == Status.NOT_FINITE
    assert found.messages[0] == "a number is not finite at time 0 in x"


def test_a_huge_rate_is_solved():
    assert run("x' = 1e150; x = 0", [0, 1, 2]).values[0, :, 0] == pytest.approx([0, 1e150, 2e150])


def test_a_root_with_an_infinite_slope_at_the_start_is_left():
    """x' = 1 - sqrt(x) from 0: t = -2 sqrt(x) - 2 ln(1 - sqrt(x))."""
    found = run("x' = 1 - sqrt(x); x = 0", [0, 1, 2], rtol=1e-8)
    root = np.sqrt(found.values[0, 1:, 0])
    assert not found.messages
    assert -2 * root - 2 * np.log(1 - root) == pytest.approx([1, 2], rel=1e-6)


@pytest.mark.parametrize("term", ["sqrt(y)", "y^0.5", "1 / (1 + K / y)"])
def test_a_slope_that_is_not_finite_at_the_start_costs_no_accuracy(term):
    """y = 10 (1 - exp(-t / 10)) drives x through a term whose slope is infinite, or no number, at 0."""
    text = f"y = 0; K = 2; y' = 1 - 0.1 * y; x = 0; x' = {term} - x"
    usual, tight = (run(text, [0, 1, 2], outputs=("x", "y"), rtol=rtol) for rtol in (1e-6, 1e-11))
    assert not usual.messages
    assert usual.values == pytest.approx(tight.values, rel=1e-5)
    assert tight.values[0, :, 1] == pytest.approx(10 * (1 - np.exp([0, -0.1, -0.2])), rel=1e-9)


def test_doses_go_into_species_that_nothing_else_changes():
    text = "compartment c = 2; species S in c = 1, $B in c = 3; k = 0.1; J: S -> ; c * k * S * B"
    given = doses((0, 1, "B", 2, 0), (0, 0, "S", 4, 1))
    found = run(text, [0, 1, 2], outputs=("S", "B"), doses=given)
    first = np.exp(-0.3) + 2 / 0.3 * (1 - np.exp(-0.3))
    assert found.values[0, :, 0] == pytest.approx([1, first, first * np.exp(-0.4)], rel=1e-5)
    assert found.values[0, :, 1] == pytest.approx([3, 3, 4])


def test_sensitivities_of_a_hill_term_hold_where_the_drug_is_still_absent():
    model = engine.load_antimony("z' = E0*S^h/(K^h + S^h) - 0.2*z; S' = -S; z = 0; S = 0; E0 = 2; h = 1.7; K = 0.5")

    def asked(**parameters):
        return Request(
            times=np.linspace(0, 5, 6), outputs=("z",), start=np.zeros(1), doses=doses((0, 1, "S", 2, 0)),
            parameters={name: np.array([value]) for name, value in parameters.items()},
            relative_tolerance=1e-9, absolute_tolerance=1e-11,
        )  # fmt: skip

    found = engine.sensitivities(model, asked(), ("h", "K"))
    assert not found.result.messages
    for place, name in enumerate(("h", "K")):
        own, step = model.own_values[name], 1e-5
        above, below = (engine.solve(model, asked(**{name: own * (1 + sign * step)})) for sign in (1, -1))
        slope = (above.values - below.values)[0, :, 0] / (2 * own * step)
        assert found.values[0, :, 0, place] == pytest.approx(slope, rel=1e-4, abs=1e-7)


def test_a_dose_of_nothing_changes_nothing():
    given = doses((0, 0, "x", 10, 10), (0, 2, "x", 0, 2), (0, 3, "x", 0, 0))
    assert run("x' = 0 * x; x = 0", [0, 2, 4, 6, 10], doses=given).values[0, :, 0] == pytest.approx([0, 2, 4, 6, 10])


@pytest.mark.parametrize(
    ("time", "duration"), [(1e6 + 0.1, 1e-10), (0.5, 1e-17), (0.5, 1e-14), (0.5, 1e-9), (-7.0, 1e-15)]
)
def test_however_short_an_infusion_is_all_of_it_is_given(time, duration):
    found = run("x' = -0.1 * x; x = 0", [time - 1, time + 1], doses=doses((0, time, "x", 1, duration)))
    assert found.values[0, -1, 0] == pytest.approx(np.exp(-0.1), rel=1e-5)


def test_a_group_is_not_extinct_while_an_infusion_runs_into_it():
    model = engine.load_antimony("T' = -0.1 * T; T = 0")
    request = Request(
        times=np.array([0.0, 5, 10, 20, 200]), outputs=("T",), start=np.zeros(1), doses=doses((0, 0, "T", 10, 10)),
        extinctions=(Extinction(states=("T",), threshold=0.5),),
    )  # fmt: skip
    found = engine.solve(model, request)
    assert not found.messages
    run_in = 10 * (1 - np.exp(-0.1 * np.array([0, 5, 10.0])))
    assert found.values[0, :3, 0] == pytest.approx(run_in, rel=1e-5)
    assert found.values[0, 3, 0] == pytest.approx(run_in[2] * np.exp(-1), rel=1e-5)
    assert found.values[0, 4, 0] == 0


NO_NUMBERS = {
    "observable": ("x' = -1; x = 1; y := ln(x)", ("y",), [0, 0.5, 2, 3], "at time 2 in y"),
    "parameter": ("x' = 0; x = 1; p = 0; k = ln(p - 1)", ("x", "k"), [0, 5], "at time 0 in k"),
    "event": ("x' = -x; x = 1; at time >= 5: x = ln(-x)", ("x",), [0, 5], "at time 5 in x"),
}


@pytest.mark.parametrize("name", NO_NUMBERS)
def test_an_output_that_is_not_a_number_is_never_silent(name):
    text, outputs, times, words = NO_NUMBERS[name]
    found = run(text, times, outputs=outputs)
    assert found.status[0] == Status.OUTPUT_NOT_A_NUMBER
    assert found.messages[0] == f"solved to the end, but an output is not a number {words}"
    assert np.isfinite(found.values[0, 0, 0])


def test_a_delay_that_is_not_a_number_is_told():
    assert run("x' = -x; x = 1; at ln(-x) after (x < 0.5): x = 3", [0, 5]).status[0] == Status.NOT_FINITE


def test_observables_see_the_time_that_was_asked():
    times = np.concatenate([[0.0], np.sort(np.random.default_rng(1).uniform(0, 5, 999))])
    found = run("x' = -x * sin(3 * time); x = 1; y := time", times, outputs=("y",))
    assert np.array_equal(found.values[0, :, 0], times)


def test_an_interrupt_is_told_only_when_no_thread_works_any_more(monkeypatch):
    """Their memory is freed after. An interrupt that falls into waiting for them, even a second one, cuts nothing short."""
    working, done = [], []

    def slow(*_records):
        working.append(1)
        time.sleep(0.5)
        done.append(1)

    monkeypatch.setattr(loop, "run_lanes", slow)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        for after in (0.1, 0.3):
            threading.Timer(after, _thread.interrupt_main).start()
        with pytest.raises(KeyboardInterrupt):
            run("x' = -x; x = 1", [0, 1], initial={"x": np.ones(8)}, threads=2)
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(done) == len(working) == 2


def test_kept_code_of_the_control_loop_is_old_when_any_of_its_files_changes():
    assert loop.run_lanes._cache._cache_file._source_stamp == _calls._digest()
