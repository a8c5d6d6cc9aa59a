"""Release of a product, what is tried after a failure, and simulated batches."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftline.base.streams import Keys, Streams
from graftline.base.verdict import Outcome
from graftline.manufacture import (
    Batch,
    Batches,
    Sterility,
    may_release,
    next_attempt,
    reasons_of_failure,
    releasable,
)
from graftline.manufacture.simulate import draw_batch
from graftline.population import PopulationPlan
from graftline.population.simulate import draw_baseline

GOOD = Batch(
    patient="COI-1", viable_fraction=0.9, cd3_fraction=0.95, transduced_fraction=0.3, copies_per_cell=2.0,
    transduced_cells=5.0, sterility=Sterility.STERILE, identity_test=True,
)  # fmt: skip
PATIENTS = 4000


@pytest.fixture(scope="module")
def keys():
    return Keys.of(0, 7, np.arange(PATIENTS))


@pytest.fixture(scope="module")
def baseline(keys):
    return draw_baseline(PopulationPlan(country=np.full(PATIENTS, "FR")), keys, Streams(1))


@pytest.fixture(scope="module")
def drawn(reference, baseline, keys):
    return draw_batch(reference.manufacture, baseline, np.full(PATIENTS, 3.0), keys, Streams(1), 1)


def test_a_good_batch_is_released_for_its_patient(reference):
    assert may_release(GOOD, reference.manufacture.release, "COI-1").passed


def test_a_batch_for_another_patient_is_never_released(reference):
    for sterility in ("required", "conditional"):
        specification = reference.manufacture.release.model_copy(update={"sterility": sterility})
        assert "another patient" in may_release(GOOD, specification, "COI-2").reasons[0]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"viable_fraction": 0.69}, "viable"),
        ({"cd3_fraction": 0.79}, "CD3"),
        ({"transduced_fraction": 0.09}, "transduced"),
        ({"copies_per_cell": 5.1}, "copies"),
        ({"transduced_cells": 0.0}, "grow"),
        ({"sterility": Sterility.GROWTH}, "sterility"),
        ({"identity_test": False}, "identity"),
    ],
)
def test_one_result_out_of_specification_holds_the_batch_and_is_named(reference, change, word):
    verdict = may_release(replace(GOOD, **change), reference.manufacture.release, "COI-1")
    assert verdict.failed
    assert len(verdict.reasons) == 1
    assert word in verdict.reasons[0]


@pytest.mark.parametrize("name", ["viable_fraction", "cd3_fraction", "transduced_fraction", "copies_per_cell"])
def test_results_at_the_limit_pass_and_missing_ones_are_unknown(reference, name):
    specification = reference.manufacture.release
    limits = {"viable_fraction": 0.7, "cd3_fraction": 0.8, "transduced_fraction": 0.1, "copies_per_cell": 5.0}
    assert may_release(replace(GOOD, **{name: limits[name]}), specification, "COI-1").passed
    assert may_release(replace(GOOD, **{name: None}), specification, "COI-1").unknown


def test_a_pending_sterility_test_holds_the_batch_unless_release_is_conditional(reference):
    pending = replace(GOOD, sterility=Sterility.PENDING)
    conditional = reference.manufacture.release.model_copy(update={"sterility": "conditional"})
    assert may_release(pending, reference.manufacture.release, "COI-1").unknown
    assert may_release(pending, conditional, "COI-1").passed
    assert may_release(replace(GOOD, sterility=Sterility.GROWTH), conditional, "COI-1").failed


def test_without_an_identity_test_in_the_protocol_its_result_is_not_asked(reference):
    specification = reference.manufacture.release.model_copy(update={"identity_test": False})
    assert may_release(replace(GOOD, identity_test=None), specification, "COI-1").passed
    assert may_release(replace(GOOD, identity_test=None), reference.manufacture.release, "COI-1").unknown


def test_all_reasons_are_kept(reference):
    bad = replace(GOOD, viable_fraction=0.1, cd3_fraction=0.1)
    assert len(may_release(bad, reference.manufacture.release, "COI-2").reasons) == 3


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3), st.floats(0, 10))
def test_many_batches_are_judged_as_each_alone(reference, shares, copies):
    batch = replace(
        GOOD, viable_fraction=shares[0], cd3_fraction=shares[1], transduced_fraction=shares[2], copies_per_cell=copies
    )
    alone = may_release(batch, reference.manufacture.release, "COI-1")
    one, good = Batches.of(batch, "COI-1"), Batches.of(GOOD, "COI-1")
    both = Batches(**{name: np.concatenate([getattr(good, name), value]) for name, value in vars(one).items()})
    together = releasable(both, reference.manufacture.release)
    assert together[0].passed
    assert together[1] == alone


def with_reserve(*cells):
    one = Batches.of(GOOD, "COI-1").take(np.zeros(len(cells), dtype=np.intp))
    return replace(one, reserve_cells=np.array(cells))


def test_a_remake_needs_a_reserve_and_else_there_is_a_new_collection(reference):
    batches = with_reserve(1.0, 0.6, 0.5, np.nan)
    expected = ["remake", "remake", "reapheresis", "reapheresis"]
    assert next_attempt(reference.manufacture, 1, batches, 0.6).tolist() == expected


def test_after_the_last_attempt_or_without_a_way_the_patient_gets_no_product(reference):
    assert next_attempt(reference.manufacture, 3, with_reserve(9.0), 0.6).tolist() == ["stop"]
    only_remake = reference.manufacture.model_copy(update={"on_failure": ("remake",)})
    assert next_attempt(only_remake, 1, with_reserve(0.0), 0.6).tolist() == ["stop"]


def test_simulated_failures_lie_in_the_range_published_for_other_products(reference, drawn):
    failed = 1 - releasable(drawn, reference.manufacture.release).passed.mean()
    assert 0.02 < failed < 0.12


def test_turnaround_has_the_mean_and_spread_of_the_protocol(drawn):
    assert drawn.turnaround_days.mean() == pytest.approx(30, rel=0.02)
    assert drawn.turnaround_days.std() / drawn.turnaround_days.mean() == pytest.approx(0.25, rel=0.08)


def test_where_sterility_is_required_no_batch_is_released_before_the_test_is_over(drawn):
    assert drawn.turnaround_days.min() >= 14
    assert Sterility.PENDING not in drawn.sterility


def test_with_conditional_release_a_quick_batch_leaves_with_the_test_pending(reference, baseline, keys):
    release = reference.manufacture.release.model_copy(update={"sterility": "conditional"})
    batches = draw_batch(
        reference.manufacture.model_copy(update={"release": release}), baseline, np.full(PATIENTS, 3.0), keys,
        Streams(1), 1,
    )  # fmt: skip
    quick = batches.turnaround_days < 14
    assert quick.any()
    assert np.array_equal(quick, batches.sterility == Sterility.PENDING)


def test_the_memory_like_share_stays_in_its_range(drawn):
    assert np.median(drawn.memory_share) == pytest.approx(0.15, rel=0.06)
    assert drawn.memory_share.min() >= 0.02
    assert drawn.memory_share.max() <= 0.8


def test_more_cells_collected_never_make_fewer_and_leave_more_in_reserve(reference, baseline, keys):
    few, many = (
        draw_batch(reference.manufacture, baseline, np.full(PATIENTS, cells), keys, Streams(1), 1)
        for cells in (0.7, 4.0)
    )
    assert np.all(many.transduced_cells >= few.transduced_cells)
    assert np.all(few.reserve_cells == 0)
    assert np.all(many.reserve_cells == 2)


def test_another_attempt_is_another_batch_and_the_same_attempt_the_same(reference, baseline, keys, drawn):
    again = draw_batch(reference.manufacture, baseline, np.full(PATIENTS, 3.0), keys, Streams(1), 1)
    other = draw_batch(reference.manufacture, baseline, np.full(PATIENTS, 3.0), keys, Streams(1), 2)
    assert np.array_equal(again.transduced_cells, drawn.transduced_cells)
    assert not np.array_equal(other.transduced_cells, drawn.transduced_cells)


def test_a_patients_batch_does_not_depend_on_who_else_is_drawn(reference, baseline, keys, drawn):
    some = np.arange(5, 50, 7)
    alone = draw_batch(reference.manufacture, baseline.take(some), np.full(7, 3.0), keys.take(some), Streams(1), 1)
    assert np.array_equal(alone.transduced_cells, drawn.transduced_cells[some])


def test_the_first_reason_of_a_failure_is_told(reference, drawn):
    verdicts = releasable(drawn, reference.manufacture.release)
    reasons = reasons_of_failure(verdicts)
    assert np.array_equal(reasons == "", verdicts.passed)
    assert "the culture did not grow" in reasons
    place = int(np.flatnonzero(verdicts.outcomes == Outcome.FAIL)[0])
    assert reasons[place] == verdicts[place].reasons[0]
