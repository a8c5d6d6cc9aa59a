"""Collections: enough or not, how many cells, blood volume."""

from dataclasses import replace

import numpy as np
import pytest

from graftline.apheresis import accept_collection, blood_volume_litres, may_collect_again
from graftline.apheresis.simulate import draw_collection
from graftline.base.streams import Keys, Streams
from graftline.evidence import card
from graftline.population import PopulationPlan
from graftline.population.simulate import draw_baseline

PATIENTS = 4000
CD3_SHARE = 0.7


@pytest.fixture(scope="module")
def keys():
    return Keys.of(0, 7, np.arange(PATIENTS))


@pytest.fixture(scope="module")
def baseline(keys):
    return draw_baseline(PopulationPlan(country=np.full(PATIENTS, "FR")), keys, Streams(1))


def collected(reference, baseline, keys, cd3_per_uL):
    counted = replace(baseline, lymphocytes=np.full(PATIENTS, cd3_per_uL / CD3_SHARE))
    return draw_collection(reference.apheresis, counted, keys, Streams(1), 1)


def test_a_collection_at_the_minimum_is_accepted_and_an_uncounted_one_is_not(reference):
    verdicts = accept_collection(np.array([0.6, 0.59, np.nan]), reference.apheresis)
    assert [one.passed for one in verdicts] == [True, False, False]
    assert verdicts[2].unknown


def test_no_more_collections_than_the_protocol_allows(reference):
    assert may_collect_again(1, reference.apheresis).passed
    assert may_collect_again(2, reference.apheresis).failed


def test_blood_volume_of_a_man_and_a_woman_after_nadler():
    volumes = blood_volume_litres(np.array(["male", "female"]), np.array([175.0, 165.0]), np.array([75.0, 62.0]))
    assert volumes == pytest.approx([4.985, 3.834], abs=0.005)


def test_yields_at_the_published_blood_count_reach_the_published_shares(reference, baseline, keys):
    cells = collected(reference, baseline, keys, 914).cd3_cells
    assert np.mean(cells >= 0.6) >= card("published_collection_minimum_share").number
    assert np.mean(cells >= 2) >= card("published_collection_target_share").number


def test_patients_with_the_low_published_blood_count_often_miss_the_target(reference, baseline, keys):
    assert 0.3 < np.mean(collected(reference, baseline, keys, 349).cd3_cells < 2) < 0.9


def test_more_lymphocytes_or_more_blood_processed_give_more_cells(reference, baseline, keys):
    low, high = (collected(reference, baseline, keys, count).cd3_cells for count in (400, 800))
    assert high == pytest.approx(2 * low)


def test_complications_are_as_frequent_as_published(reference, baseline, keys):
    assert collected(reference, baseline, keys, 914).complication.mean() == pytest.approx(0.15, abs=0.02)


def test_an_uncounted_patient_gives_an_uncounted_collection(reference, baseline, keys):
    cells = collected(reference, baseline, keys, np.nan).cd3_cells
    assert accept_collection(cells, reference.apheresis).unknown.all()


def test_a_patients_collection_does_not_depend_on_who_else_is_drawn(reference, baseline, keys):
    every = draw_collection(reference.apheresis, baseline, keys, Streams(1), 1)
    some = np.arange(3, 40, 5)
    alone = draw_collection(reference.apheresis, baseline.take(some), keys.take(some), Streams(1), 1)
    other = draw_collection(reference.apheresis, baseline.take(some), keys.take(some), Streams(1), 2)
    assert np.array_equal(alone.cd3_cells, every.cd3_cells[some])
    assert not np.array_equal(other.cd3_cells, alone.cd3_cells)
