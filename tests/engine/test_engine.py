"""The engine against closed forms, its refusals, and what must not change a patient's numbers."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graftline import engine
from graftline.base.errors import InputError
from graftline.engine import Doses, Extinction, Request, Status

DECAY = """
k = 0.5; grow = 0
x' = -k * x
z' = grow * z * z
x = 1; z = 1
double := 2 * x
"""
TIMES = np.array([0.0, 1.0, 2.0, 5.0])


@pytest.fixture(scope="module")
def decay():
    return engine.load_antimony(DECAY, "decay")


def doses(*rows):
    patient, time, amount, duration = (np.array(column) for column in zip(*rows, strict=True))
    return Doses(
        patient=patient, time=time.astype(float), state=np.full(len(rows), "x"), amount=amount.astype(float),
        duration=duration.astype(float),
    )  # fmt: skip


def solved(model, patients=1, times=TIMES, outputs=("x",), **more):
    more.setdefault("start", np.zeros(patients))
    tight = {"relative_tolerance": 1e-10, "absolute_tolerance": 1e-12}
    return engine.solve(model, Request(times=times, outputs=outputs, **tight, **more))


def infused(t, begin, amount, duration, k=0.5):
    """Closed form of a zero-order infusion into a state that decays with k."""
    running = np.clip(t - begin, 0, duration)
    return amount / duration / k * (1 - np.exp(-k * running)) * np.exp(-k * np.clip(t - begin - duration, 0, None))


def test_the_names_of_a_model_are_told_apart(decay):
    assert decay.states == ("x", "z")
    assert decay.parameters == ("k", "grow")
    assert decay.observables == ("double",)
    assert decay.own_values == {"k": 0.5, "grow": 0.0, "x": 1.0, "z": 1.0}


def test_decay_and_its_observable_follow_the_closed_form(decay):
    rates = np.array([0.1, 0.5, 3.0])
    solution = solved(decay, 3, outputs=("x", "double"), parameters={"k": rates}, initial={"x": np.array([1.0, 2, 3])})
    expected = np.array([1.0, 2, 3])[:, None] * np.exp(-rates[:, None] * TIMES)
    assert np.allclose(solution["x"], expected, rtol=1e-8)
    assert np.array_equal(solution["double"], 2 * solution["x"])


def test_a_bolus_jumps_and_the_value_at_its_time_is_that_before_it(decay):
    x = solved(decay, times=np.array([0.0, 1.0, 1.5]), doses=doses((0, 1, 10, 0), (0, 0, 4, 0)))["x"][0]
    assert np.allclose(x, [1, 5 * np.exp(-0.5), (5 * np.exp(-0.5) + 10) * np.exp(-0.25)], rtol=1e-8)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 4), st.floats(0.1, 100), st.floats(1e-4, 3)),
        min_size=1,
        max_size=5,
    )
)
def test_infusions_that_overlap_add_up_and_none_is_missed(rows):
    model = engine.load_antimony(DECAY)
    times = np.array([4.0, 8.0, 20.0])
    table = doses(*[(0, *row) for row in rows])
    x = solved(model, times=times, doses=table, initial={"x": np.zeros(1)})["x"][0]
    assert np.allclose(x, sum(infused(times, *row) for row in rows), rtol=1e-6, atol=1e-9)


def test_patients_may_start_and_be_seen_at_different_times(decay):
    times = np.array([[0.0, 1.0, 2.0], [1.0, 3.0, 4.0]])
    x = solved(decay, 2, times=times, start=np.array([1.0, 1.0]))["x"]
    assert np.isnan(x[0, 0])
    assert np.allclose(x[0, 1:], np.exp(-0.5 * np.array([0, 1])), rtol=1e-8)
    assert np.allclose(x[1], np.exp(-0.5 * np.array([0, 2, 3])), rtol=1e-8)


def test_a_patient_who_cannot_be_solved_is_marked_and_the_others_go_on(decay, capfd):
    growing = np.array([0.0, 1.0, 0.0])  # z of the middle patient becomes infinite at time 1
    together = solved(decay, 3, parameters={"grow": growing}, outputs=("x", "z"))
    alone = solved(decay, 1, outputs=("x", "z"))
    assert together.status.tolist() == [Status.OK, Status.NOT_FINITE, Status.OK]
    assert together.messages == {1: "a number is not finite at time 1 in z"}
    assert np.all(np.isnan(together["z"][1, 2:]))
    for row in (0, 2):
        assert np.array_equal(together["x"][row], alone["x"][0])
    assert capfd.readouterr() == ("", "")


OSCILLATOR = """
w = 1; c = 1
a' = w * b - c * a^3
b' = -w * a - 0.01 * b
a = 1; b = 0
"""


def oscillators(patients):
    """A stiff, non-linear batch with doses; patient p is the same wherever it stands."""
    rows = np.array(patients)
    doses_ = Doses(
        patient=np.repeat(np.arange(len(rows)), 2),
        time=np.stack([0.5 + 0.1 * rows, np.full(len(rows), 2.0)], axis=1).ravel(),
        state=np.full(2 * len(rows), "a"),
        amount=np.full(2 * len(rows), 3.0),
        duration=np.tile([0.0, 0.7], len(rows)),
    )
    return Request(
        start=np.zeros(len(rows)),
        times=np.linspace(0, 10, 21),
        outputs=("a", "b"),
        parameters={"w": 1 + 0.3 * rows, "c": 10.0 ** (rows - 2)},
        doses=doses_,
        extinctions=(Extinction(states=("a",), threshold=-0.5),),
    )


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=8))
def test_neither_the_other_patients_nor_their_order_change_a_bit(patients):
    model = engine.load_antimony(OSCILLATOR)
    whole = engine.solve(model, oscillators(range(6)))
    some = engine.solve(model, oscillators(patients))
    for row, patient in enumerate(patients):
        for name in ("a", "b"):
            assert np.array_equal(some[name][row], whole[name][patient])


@pytest.mark.parametrize(("threads", "lanes"), [(2, None), (1, 1), (1, 2), (2, 4), (1, 8)])
def test_neither_threads_nor_lanes_change_a_bit(threads, lanes):
    model = engine.load_antimony(OSCILLATOR)
    request = oscillators(range(6))
    usual = engine.solve(model, request, threads=1)
    other = engine.solve(model, request, threads, lanes=lanes)
    assert np.array_equal(other.steps, usual.steps)
    assert np.array_equal(other.values, usual.values, equal_nan=True)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.floats(0, 10), min_size=1, max_size=30, unique=True))
def test_where_outputs_are_asked_for_changes_no_bit_of_another(times):
    model = engine.load_antimony(OSCILLATOR)
    request = oscillators(range(3))
    more = np.unique([*times, *request.times])
    whole = engine.solve(model, request)
    finer = engine.solve(model, replace(request, times=more))
    assert np.array_equal(finer.values[:, np.isin(more, request.times)], whole.values)


CLONES = """
k = 1; m = 0
a' = -k * a
b' = m * a - k * b
a = 1; b = 1
"""


def clones(groups, **parameters):
    return engine.solve(
        engine.load_antimony(CLONES),
        Request(
            start=np.zeros(1), times=np.arange(0, 20.0), outputs=("a", "b"), extinctions=groups,
            parameters={name: np.array([value]) for name, value in parameters.items()},
            doses=Doses(
                patient=np.array([0]), time=np.array([15.0]), state=np.array(["a"]), amount=np.array([1.0]),
                duration=np.array([0.0]),
            ),
        ),
    )  # fmt: skip


def test_a_group_below_its_threshold_dies_out_as_one_until_a_dose_brings_it_back():
    seen = clones((Extinction(states=("a", "b"), threshold=2e-3),))
    gone = np.arange(7, 16)  # 2 exp(-7) is the first sum below the threshold
    assert np.all(seen["a"][0, gone] == 0) and np.all(seen["b"][0, gone] == 0)
    assert seen["a"][0, 6] > 0 and seen["a"][0, 16] == pytest.approx(np.exp(-1), rel=1e-5)


def test_a_group_that_is_still_fed_does_not_die_out():
    fed = clones((Extinction(states=("b",), threshold=1e-2, not_while_positive=("a",)),), m=1e-3)
    assert np.all(fed["b"] > 0)
    starved = clones(
        (
            Extinction(states=("a",), threshold=1e-3),
            Extinction(states=("b",), threshold=1e-2, not_while_positive=("a",)),
        ),
        m=1e-3,
    )
    assert np.all(starved["b"][0, 9:16] == 0)


def test_a_syntax_error_is_reported_with_its_line():
    with pytest.raises(InputError, match=r"broken:2: .*mend the model text"):
        engine.load_antimony("a = 1\nb' = = a\n", "broken")


def test_a_dose_into_what_is_no_state_is_refused_before_anything_runs(decay):
    wrong = Doses(
        patient=np.array([0]), time=np.zeros(1), state=np.array(["k"]), amount=np.ones(1), duration=np.zeros(1)
    )
    with pytest.raises(InputError, match=r"doses k: is no state of the model; dose one of \['x', 'z'\]"):
        solved(decay, doses=wrong)


def test_all_faults_of_a_request_come_at_once(decay):
    with pytest.raises(InputError) as caught:
        solved(
            decay, times=np.array([1.0, 1.0]), outputs=("w",), parameters={"q": np.ones(1)}, initial={"x": np.ones(2)}
        )
    assert [fault.place for fault in caught.value.faults] == [
        "request.parameters q", "request.outputs w", "request.initial x", "request.times",
    ]  # fmt: skip


@pytest.mark.parametrize("row", [(0, -1, 1, 0), (3, 0, 1, 0), (0, 0, -1, 0), (0, 0, 1, -1), (0, np.nan, 1, 0)])
def test_a_dose_that_makes_no_sense_is_refused(decay, row):
    with pytest.raises(InputError, match=r"request\.doses"):
        solved(decay, doses=doses(row))


def test_a_number_that_stands_neither_in_the_text_nor_in_the_request_is_asked_for():
    model = engine.load_antimony("var k; x' = -k * x; x = 1")
    with pytest.raises(InputError, match=r"request\.parameters k: has no value in the model text"):
        solved(model)
    assert solved(model, parameters={"k": np.ones(1)})["x"][0, 1] == pytest.approx(np.exp(-1))


def test_results_in_pieces_are_those_of_the_whole(tmp_path):
    model = engine.load_antimony(OSCILLATOR)
    request = oscillators([3, 1, 4, 1, 5, 2, 0])
    whole = engine.solve(model, request)
    pieces = list(engine.stream(model, request, chunk=3))
    assert [len(piece) for piece in pieces] == [3, 3, 1]
    assert np.array_equal(np.concatenate([piece.values for piece in pieces]), whole.values)
    files = engine.solve_to_parquet(model, request, tmp_path / "out", chunk=3)
    table = pl.read_parquet(files)
    assert table.columns == ["patient", "status", "time", "a", "b"]
    assert np.array_equal(table["a"].to_numpy().reshape(7, -1), whole["a"])
    with pytest.raises(InputError, match="is not empty; name a new folder"):
        engine.solve_to_parquet(model, request, tmp_path / "out")


def test_one_line_runs_a_model_for_one_patient_or_many(decay):
    times = np.array([0.0, 1.0, 2.0])
    assert decay.compile().run(times=times)["x"][0] == pytest.approx(np.exp(-0.5 * times), rel=1e-5)
    many = decay.run(times=times, parameters={"k": [0.1, 1.0]}, initial={"x": 3}, outputs=["double"], rtol=1e-9)
    assert many["double"] == pytest.approx(6 * np.exp(-np.outer([0.1, 1.0], times)), rel=1e-8)


def test_parameters_and_starts_may_come_as_one_table_each(decay):
    table, starts = np.array([[0.1, 0.0], [0.5, 0.0]]), np.array([[1.0, 1.0], [2.0, 1.0]])
    found = decay.run(times=TIMES, parameters=table, initial=starts, outputs=("x",))
    named = decay.run(times=TIMES, parameters={"k": table[:, 0]}, initial={"x": starts[:, 0]}, outputs=("x",))
    assert np.array_equal(found.values, named.values)
    with pytest.raises(
        InputError, match=r"parameters: has shape \(2, 1\); give \(patients, 2\), a column for each of k, grow"
    ):
        decay.run(times=TIMES, parameters=table[:, :1])


def test_a_parameter_below_zero_is_refused_by_name_unless_it_may_be(decay):
    below = {"k": np.array([-1.0])}
    with pytest.raises(InputError, match=r"parameters k: is below zero; mend it, or name it in may_be_negative"):
        solved(decay, parameters=below)
    grown = solved(decay, parameters=below, may_be_negative=("k",))["x"][0, 1]
    assert grown == pytest.approx(np.e, rel=1e-8)


def test_progress_is_told_and_ends_with_everyone(decay):
    told = []
    request = Request(times=TIMES, outputs=("x",), start=np.zeros(500))
    engine.solve(decay, request, progress=lambda done, all_: told.append((done, all_)))
    assert told[-1] == (500, 500)


def test_what_is_kept_on_disk_may_be_damaged_or_unwritable(tmp_path, monkeypatch):
    monkeypatch.setenv("GRAFTLINE_CACHE", str(tmp_path))
    text = "w = 0.25; x' = -w * x; x = 1"
    first = engine.load_antimony(text).run(times=TIMES).values
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(kept) == 3  # the equations, the layout, the machine code
    for path in kept:
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    from graftline.engine.compiling import kernel

    kernel._compiled.cache_clear()
    assert np.array_equal(engine.load_antimony(text).run(times=TIMES).values, first)
    monkeypatch.setenv("GRAFTLINE_CACHE", "/proc/nowhere")
    kernel._compiled.cache_clear()
    assert np.array_equal(engine.load_antimony(text).run(times=TIMES).values, first)


GRAFT = """
x' = growth * x * K / (K + x); x = 100; K = 50
growth := piecewise(-3, time < 20, 2)
"""


@pytest.mark.parametrize("rtol", [1e-3, 1e-4, 1e-6])
def test_a_state_that_is_never_negative_stays_so_and_does_not_run_into_a_pole_below_zero(rtol):
    """Cells that die to almost nothing: an error within the tolerance would take them below zero, and on to -K."""
    model = engine.load_antimony(GRAFT)
    starts = np.geomspace(1, 1000, 300)
    request = Request(
        times=np.linspace(0, 60, 61), outputs=("x",), start=np.zeros(300), initial={"x": starts},
        relative_tolerance=rtol, absolute_tolerance=rtol * 1e-3,
    )  # fmt: skip
    kept = engine.solve(model, replace(request, never_negative=("x",)))
    assert not kept.messages
    assert kept.values.min() >= 0
    tight = engine.solve(model, replace(request, relative_tolerance=1e-12, absolute_tolerance=1e-30))
    down = slice(0, 20)  # on the way down; what is left of nothing cannot be told afterwards
    assert np.all(np.abs(kept.values - tight.values)[:, down] <= 50 * rtol * (tight.values[:, down] + 1))


def test_what_never_falls_below_zero_may_be_any_state_but_must_not_start_there(decay):
    request = Request(times=TIMES, outputs=("x",), start=np.zeros(1), initial={"x": np.array([-1.0])})
    assert engine.solve(decay, request).values[0, -1, 0] < 0
    with pytest.raises(InputError, match=r"request.initial x: is below zero; mend it, or leave it out of never_neg"):
        engine.solve(decay, replace(request, never_negative=("x",)))
    with pytest.raises(InputError, match=r"request.never_negative y: the model has no such name"):
        engine.solve(decay, replace(request, never_negative=("y",)))
