"""Sobol studies of a model with closed-form indices, and of the twin."""

import numpy as np
import pytest

from graftline import engine
from graftline.base.errors import InputError
from graftline.learning import (
    StudyOutput,
    clinical_outputs,
    model_study,
    read_distribution,
    read_output,
    read_summary,
    sensitivity,
    twin_study,
)
from graftline.twin.quantiles import latents_at, spread_inputs

DECAY = "k = 1; x' = -k * x; x = 1; y' = 0; y = 0"


def study_of(model, texts, outputs, until=2.0):
    request = engine.Request(times=np.linspace(0, until, 9), outputs=("x",), start=np.zeros(1))
    distributions = {name: read_distribution(text, name) for name, text in texts.items()}
    asked = [StudyOutput(name=one, summary=read_summary(one, ("x", "y", "nowhere")), meaning=one) for one in outputs]
    return model_study(model, request, distributions, asked)


def test_a_logarithm_that_is_linear_in_the_inputs_has_the_closed_form():
    """ln x(t) = ln x0 - k t: the variances of ln x0 and of k t add up."""
    model = engine.load_antimony(DECAY)
    found = sensitivity(study_of(model, {"x": "1:10:log", "k": "0.5:1.5"}, ["log10:x@2"]), samples=512, threads=1)
    start, rate = np.log(10) ** 2 / 12, 2**2 / 12
    expected = np.array([start, rate]) / (start + rate)
    (indices,) = found.indices
    for low, high in (indices.first_interval, indices.total_interval):
        assert np.all((low <= expected) & (expected <= high))
    assert found.failed == 0
    assert indices.widest < 0.25


def test_an_input_that_does_nothing_has_no_index_and_a_start_can_vary():
    model = engine.load_antimony(DECAY)
    found = sensitivity(study_of(model, {"k": "0.5:1.5", "y": "1:2"}, ["x@1", "peak:y"]), samples=128)
    table = found.table()
    assert table.filter((table["output"] == "x@1") & (table["factor"] == "y"))["total"].item() < 1e-12
    assert table.filter((table["output"] == "peak:y") & (table["factor"] == "y"))["total"].item() > 0.9
    assert table.filter(table["output"] == "x@1")["factor"].to_list() == ["k", "y"]


def test_the_threads_do_not_matter_and_the_seed_does():
    model = engine.load_antimony(DECAY)
    study = study_of(model, {"k": "0.5~0.4", "x": "1:2"}, ["x@1"])
    one, two, other = (
        sensitivity(study, samples=64, seed=seed, threads=threads).table() for seed, threads in ((1, 1), (1, 2), (2, 1))
    )
    assert one.equals(two)
    assert not one.equals(other)


def test_patients_that_fail_are_counted_and_left_out():
    model = engine.load_antimony("k = 1; x' = k * x^2; x = 1")  # infinite at time 1 / k
    found = sensitivity(study_of(model, {"k": "0.1:0.55", "x": "0.9:1"}, ["x@2"]), samples=128)
    (indices,) = found.indices
    assert 0 < found.failed_share < 0.5
    assert indices.left_out > 0
    assert indices.used + indices.left_out == 128
    assert found.undefined == (0,)


def test_a_logarithm_that_does_not_exist_is_counted_as_undefined():
    model = engine.load_antimony(DECAY)
    found = sensitivity(study_of(model, {"k": "0.5:1.5", "x": "1:2"}, ["log10:peak:y"]), samples=16)
    assert found.undefined == (len(found.design),)
    assert np.isnan(found.indices[0].total).all()
    assert found.failed == 0


def test_names_and_times_that_are_not_there_are_told_together():
    model = engine.load_antimony(DECAY)
    with pytest.raises(InputError) as caught:
        study_of(model, {"z": "1:2"}, ["x@9"])
    assert [fault.place for fault in caught.value.faults] == ["parameter z", "output x@9"]


def test_patients_at_quantiles_follow_the_cards():
    cards = spread_inputs()
    assert {"s", "mT", "kap", "rho", "lam0", "V0"} <= set(cards)
    assert "toci" not in cards  # has no spread
    middle = latents_at(1).parameters
    assert middle["s"][0] == pytest.approx(cards["s"].number)
    ends = latents_at(2, {"s": np.array([0.025, 0.975]), "V0": np.array([0.1, 0.9])}).parameters
    assert np.log(ends["s"] / middle["s"]) == pytest.approx(np.array([-1, 1]) * 1.959964 * cards["s"].spread_value)
    assert ends["V0"][0] < middle["V0"][0] < ends["V0"][1]
    assert np.array_equal(ends["kap"], np.repeat(middle["kap"], 2))


@pytest.fixture(scope="module")
def twin():
    """A small study of what drives killing and cytokines."""
    study = twin_study(("s", "p6", "V0", "lam0", "L0"))
    return sensitivity(study, samples=64, seed=1)


def test_the_clinical_results_of_the_twin_are_driven_by_what_the_equations_say(twin):
    assert twin.failed == 0
    assert [one.name for one in twin.study.outputs] == [one.name for one in clinical_outputs()]
    table = twin.table()
    first = {name: rows["factor"][0] for (name,), rows in table.group_by("output", maintain_order=True)}
    assert first["lymphocytes_day_28"] == "L0"
    assert first["best_change"] in ("lam0", "s", "V0")
    unmoved = table.filter((table["output"] == "best_change") & (table["factor"] == "p6"))
    assert unmoved["total"].item() < 1e-12  # IL-6 has no way to the tumour
    moved = table.filter((table["output"] == "crs_latent") & (table["factor"] == "p6"))
    assert moved["total_low"].item() > 0


def test_a_group_of_the_twin_gets_one_index():
    study = twin_study(("s", "kap", "lam0"), (read_output("best_change"),))
    found = sensitivity(study, samples=16, groups={"kill": ("s", "kap")})
    assert set(found.indices[0].factors) == {"kill", "lam0"}
    assert found.meaning_of("kill") == "group of s, kap"


def test_a_distribution_replaces_the_card_of_the_twin():
    narrow = read_distribution("0.249:0.251", "s")
    study = twin_study(("s", "lam0"), (read_output("best_change"),), {"s": narrow})
    found = sensitivity(study, samples=32)
    table = found.table()
    assert table.filter(table["factor"] == "s")["total"].item() < 0.01
    assert "uniform, 0.249 to 0.251" in found.meaning_of("s")


def test_any_state_or_read_out_of_the_twin_can_be_asked_for():
    assert read_output("peak:afp").summary.quantity == "afp"
    assert read_output("log10:T@28").summary.log
    with pytest.raises(InputError, match=r"there is no nothing.*peak_transgene"):
        read_output("peak:nothing")


def test_what_the_twin_does_not_have_is_told_by_name():
    with pytest.raises(InputError) as caught:
        twin_study(("zz", "toci"), (read_output("T@300"),), {"VF": read_distribution("1:2", "VF")})
    assert [fault.place for fault in caught.value.faults] == [
        "parameter zz", "parameter toci", "parameter VF", "output T@300",
    ]  # fmt: skip
