"""The table of observables: every one has a read-out of the twin, an error with its card, and can be drawn."""

from dataclasses import replace

import numpy as np
import pytest
from house_patients import keys_of, latents_of, treated, typical_latents, varied_baseline

from graftline.assessment import OBSERVABLES, ErrorKind, observable
from graftline.assessment.parameters import ASSAYS, assay
from graftline.assessment.simulate_observables import draw_observable
from graftline.base.streams import Streams
from graftline.evidence import all_cards, card
from graftline.records import VARIABLES
from graftline.twin import run_courses

STREAMS = Streams(5)
DAYS = np.arange(-7, 29.0)
PATIENTS = 60


@pytest.fixture(scope="module")
def course():
    return run_courses(treated(latents_of(varied_baseline(PATIENTS)), modules=("marrow",)), DAYS)


def truth_for(one, course):
    """What a reading is drawn from: the observable's own truth, or that of the one it is made from."""
    source = OBSERVABLES.get(one.made_from, one)
    return source.factor * getattr(course, source.read_out)


@pytest.mark.parametrize("name", OBSERVABLES)
def test_every_observable_has_a_read_out_and_its_cards(name, course):
    one = observable(name)
    value = one.factor * getattr(course, one.read_out)
    assert value.shape[:2] == (PATIENTS, len(DAYS))
    assert np.isfinite(value).any(axis=tuple(range(1, value.ndim))).all()
    assert set(one.cards) <= set(all_cards())
    assert (one.error_card is None) == (one.error is ErrorKind.DERIVED)
    assert one.error_in_words and one.meaning and one.unit
    if name in VARIABLES and name not in ("fever",):
        assert one.unit == VARIABLES[name].unit


@pytest.mark.parametrize("name", OBSERVABLES)
def test_every_observable_can_be_drawn_with_its_error_and_again_alike(name, course):
    one = observable(name)
    truth = truth_for(one, course)
    drawn = draw_observable(name, truth, keys_of(PATIENTS), STREAMS, times=DAYS)
    again = draw_observable(name, truth, keys_of(PATIENTS), STREAMS, times=DAYS)
    other = draw_observable(name, truth, keys_of(PATIENTS), Streams(6), times=DAYS)
    assert np.array_equal(drawn.value, again.value, equal_nan=True)
    assert not np.array_equal(drawn.value, other.value, equal_nan=True)
    expected = truth.shape if name != "sum_of_diameters" else truth.shape[:2]
    assert drawn.value.shape == drawn.below_limit.shape == expected
    assert np.nanmin(drawn.value) >= 0
    low, high = one.limit(one.lower_limit_card), one.limit(one.upper_limit_card)
    if name != "lesion_diameter" and low is not None:
        assert np.nanmin(drawn.value) >= low
    if high is not None:
        assert np.nanmax(drawn.value) <= high


@pytest.mark.parametrize("name", [one for one in ASSAYS if assay(one).lower_limit is None and one in OBSERVABLES])
def test_the_size_of_an_error_is_that_of_its_card(name):
    one, patients = observable(name), 4000
    centre = 37.0 if name == "temperature" else 50.0
    value = draw_observable(name, np.full((patients, 1), centre), keys_of(patients), STREAMS).value
    size = card(one.error_card).number
    if one.error is ErrorKind.ADDITIVE:
        assert value.std() == pytest.approx(size, rel=0.05)
        assert value.mean() == pytest.approx(centre, abs=5 * size / np.sqrt(patients))
    elif one.error is ErrorKind.PROPORTIONAL:
        assert value.std() / value.mean() == pytest.approx(size, rel=0.06)
    else:
        assert np.log(value).std() == pytest.approx(size, rel=0.05)


def test_a_lesion_is_read_alike_wrong_and_anew_on_each_scan():
    truth = np.full((3000, 2, 1), 400.0)  # so large that whole millimetres do not matter
    read = np.log(draw_observable("lesion_diameter", truth, keys_of(3000), STREAMS).value[:, :, 0] / 400)
    fixed, anew = card("scan_lesion_error").number, card("scan_diameter_error").number
    assert read[:, 0].std() == pytest.approx(np.hypot(fixed, anew), rel=0.05)
    assert (read[:, 1] - read[:, 0]).std() == pytest.approx(anew * np.sqrt(2), rel=0.05)
    two = np.concatenate([truth, truth], axis=2)
    lesions = draw_observable("lesion_diameter", two, keys_of(3000), STREAMS).value
    total = draw_observable("sum_of_diameters", two, keys_of(3000), STREAMS).value
    assert np.array_equal(total, lesions.sum(axis=2))


def test_transgene_copies_rise_when_only_lymphocytes_fall(course):
    fewer = {**course.states, "L": course.states["L"] / 2}
    changed = replace(course, states=fewer)
    there = course.tcrt_per_microlitre > 0
    assert np.array_equal(changed.tcrt_per_microlitre, course.tcrt_per_microlitre, equal_nan=True)
    assert np.array_equal(changed.neutrophils, course.neutrophils, equal_nan=True)
    assert there.any(axis=1).all()
    assert np.all(changed.copies_per_ug[there] > course.copies_per_ug[there])


def test_the_temperature_reaches_fever_where_the_link_to_crs_begins():
    days = np.arange(0, 15.0)
    latents = typical_latents(3).changed(p6=np.array([0.0, 20_000.0, 100_000.0]))
    course = run_courses(treated(latents), days)
    hot = course.il6_effect >= card("crs_il6_onset").to("pg/mL")
    assert hot[1:].any() and not hot[0].any()
    assert np.array_equal(course.temperature >= card("astct_fever").number, hot)
    assert np.array_equal(course.fever == 1, hot)
    assert course.temperature[0] == pytest.approx(card("twin_temperature").number)
    assert np.all(course.temperature[2] >= course.temperature[1])
    assert course.temperature.max() < 43
    grade = draw_observable("crs_grade", course.il6_effect, keys_of(3), STREAMS).value
    assert np.array_equal(grade > 0, hot)


def test_the_sum_of_diameters_is_that_of_the_lesions(course):
    assert np.allclose(course.sum_of_diameters, np.nansum(course.lesion_diameters, axis=2))
    volumes = np.pi / 6 * (course.lesion_diameters / 10) ** 3
    assert np.allclose(np.nansum(volumes, axis=2), course.scan_volume)


def test_an_unknown_observable_is_refused_with_the_known_ones():
    with pytest.raises(KeyError, match="known are transgene"):
        observable("ferritin")
