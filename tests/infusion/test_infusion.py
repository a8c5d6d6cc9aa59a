"""The gate at the bedside, the dose and the infusion window."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftline.infusion import Bedside, dose_range, dose_to_give, dose_verdict, in_window, may_infuse, outside_window
from graftline.protocol import load_protocol

NOW = datetime(2020, 10, 5, 10, tzinfo=UTC)
GOOD = Bedside(
    patient="COI-1", wristband="COI-1", bag_identities=("COI-1", "COI-1"), bags_scanned=frozenset({"a", "b"}),
    bags_on_manifest=frozenset({"a", "b"}), second_person_agrees=True, expires=NOW + timedelta(days=1), now=NOW,
    active_infection=False, fever=False, tocilizumab_doses=2, days_after_conditioning=4,
)  # fmt: skip


@pytest.fixture
def level(reference):
    return next(level for level in reference.dosing.levels if level.name == "level_2")


def test_cells_are_given_when_everything_is_in_order(reference, level):
    assert may_infuse(GOOD, dose_to_give(1.0, level), level, reference.infusion).passed


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"wristband": "COI-2"}, "identity"),
        ({"bag_identities": ("COI-1", "COI-2")}, "identity"),
        ({"patient": "COI-2"}, "identity"),
        ({"bags_scanned": frozenset({"a"})}, "manifest"),
        ({"bags_scanned": frozenset(), "bags_on_manifest": frozenset()}, "no bag"),
        ({"second_person_agrees": False}, "second person"),
        ({"expires": NOW}, "expired"),
        ({"active_infection": True}, "infection"),
        ({"fever": True}, "fever"),
        ({"tocilizumab_doses": 1}, "tocilizumab"),
        ({"days_after_conditioning": 2}, "earlier"),
        ({"days_after_conditioning": 11}, "later"),
    ],
)
def test_one_thing_wrong_stops_the_infusion_and_is_named(reference, level, change, word):
    verdict = may_infuse(replace(GOOD, **change), dose_to_give(1.0, level), level, reference.infusion)
    assert verdict.failed
    assert len(verdict.reasons) == 1
    assert word in verdict.reasons[0]


@pytest.mark.parametrize(
    "name",
    ["patient", "wristband", "second_person_agrees", "expires", "active_infection", "fever", "tocilizumab_doses",
     "days_after_conditioning"],
)  # fmt: skip
def test_what_is_not_known_never_counts_as_in_order(reference, level, name):
    assert may_infuse(replace(GOOD, **{name: None}), dose_to_give(1.0, level), level, reference.infusion).unknown


def test_a_bag_that_could_not_be_scanned_is_not_infused(reference, level):
    dose = dose_to_give(1.0, level)
    for bags in ((), ("COI-1", None)):
        assert may_infuse(replace(GOOD, bag_identities=bags), dose, level, reference.infusion).unknown


def test_a_product_above_the_range_is_given_in_part(level):
    dose = dose_to_give(8.0, level)
    assert (dose.assigned, dose.achieved, dose.given, dose.within_range) == (1.0, 8.0, 1.0, True)


def test_a_product_below_the_range_is_not_within_it(level):
    dose = dose_to_give(0.4, level)
    assert (dose.given, dose.within_range) == (0.4, False)
    assert dose_verdict(dose, level).failed


def test_a_product_without_a_count_is_not_within_range(level):
    assert not dose_to_give(float("nan"), level).within_range
    assert dose_verdict(dose_to_give(float("nan"), level), level).unknown


@given(st.floats(0, 100))
def test_nobody_gets_more_than_there_is_or_than_the_level_allows(reference, cells):
    for level in reference.dosing.levels:
        dose = dose_to_give(cells, level)
        assert dose.given <= min(cells, level.highest.to("cells") / 1e9)
        assert dose.within_range == dose_verdict(dose, level).passed


def test_the_window_includes_its_first_and_last_day(reference):
    assert in_window(reference.infusion, 3).passed
    assert in_window(reference.infusion, 10).passed
    assert in_window(reference.infusion, 10.5).failed


def test_too_early_is_a_delay_and_too_late_a_repeat_where_possible(reference):
    window = reference.infusion
    assert outside_window(window, 2, cells_usable=True, may_repeat=True).action == "delay"
    assert outside_window(window, 12, cells_usable=True, may_repeat=True).action == "repeat_conditioning"
    assert outside_window(window, 12, cells_usable=True, may_repeat=False).action == "abandon"
    assert outside_window(window, 5, cells_usable=True, may_repeat=False).action == "infuse"
    assert outside_window(window, 5, cells_usable=False, may_repeat=True).action == "abandon"


@given(st.floats(0, 60), st.booleans(), st.booleans(), st.sets(st.sampled_from(["delay", "repeat_conditioning"])))
def test_there_is_always_a_way_on_and_only_one_the_protocol_allows(reference, day, usable, repeat, ways):
    window = reference.infusion.model_copy(update={"outside": tuple(sorted(ways)) or ("abandon",)})
    action = outside_window(window, day, cells_usable=usable, may_repeat=repeat).action
    assert action in {"infuse", "abandon", *ways}


@pytest.fixture
def by_weight():
    (level,) = load_protocol("tisagenlecleucel_all").protocol.dosing.levels
    return level


@pytest.mark.parametrize(
    ("weight", "lowest", "target", "highest"),
    [(20, 0.004, 0.062, 0.1), (50, 0.01, 0.155, 0.25), (50.1, 0.01, 0.1, 0.25), (90, 0.01, 0.1, 0.25)],
)
def test_up_to_a_weight_the_dose_goes_by_weight(by_weight, weight, lowest, target, highest):
    found = dose_range(by_weight, weight)
    assert (found.lowest, found.target, found.highest) == pytest.approx((lowest, target, highest))
    dose = dose_to_give(5.0, by_weight, weight_kg=weight)
    assert (dose.assigned, dose.given) == pytest.approx((target, highest))
    assert dose_verdict(dose, by_weight, weight_kg=weight).passed


def test_a_child_never_gets_the_dose_of_an_adult(by_weight):
    dose = dose_to_give(5.0, by_weight, weight_kg=70)
    assert dose_verdict(dose, by_weight, weight_kg=20).reasons == ("more cells than 5e+06 cells/kg for single_dose",)


@pytest.mark.parametrize("weight", [None, float("nan"), 0.0])
def test_without_a_body_weight_no_dose_by_weight_is_given(by_weight, reference, weight):
    dose = dose_to_give(0.05, by_weight, weight_kg=weight)
    assert not dose.within_range
    assert math.isnan(dose.given)
    verdict = may_infuse(replace(GOOD, weight_kg=weight), replace(dose, given=0.05), by_weight, reference.infusion)
    assert verdict.unknown
    assert verdict.reasons == ("not known: body weight, by which single_dose is dosed",)
