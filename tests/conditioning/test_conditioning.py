"""The gate before chemotherapy and doses by renal function."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftline.base.verdict import PASSED, check
from graftline.conditioning import (
    DosingError,
    Readiness,
    fludarabine_fraction,
    may_start_lymphodepletion,
    planned_doses,
)

READY = Readiness(
    product_released=True, product_at_site=True, product_in_date=True, eligibility=PASSED, stagger=PASSED,
    cohort_open=True,
)  # fmt: skip


def test_chemotherapy_begins_when_everything_is_in_order():
    assert may_start_lymphodepletion(READY).passed


@pytest.mark.parametrize(
    "name", ["product_released", "product_at_site", "product_in_date", "cohort_open", "consent_current"]
)
def test_chemotherapy_never_begins_with_one_thing_wrong_or_unknown(name):
    assert may_start_lymphodepletion(replace(READY, **{name: False})).failed
    assert may_start_lymphodepletion(replace(READY, **{name: None})).unknown


@pytest.mark.parametrize("name", ["eligibility", "stagger"])
def test_lost_eligibility_or_an_unelapsed_stagger_stops_it_with_its_own_reason(name):
    verdict = may_start_lymphodepletion(replace(READY, **{name: check(False, "why not")}))
    assert verdict.failed
    assert verdict.reasons == ("why not",)


def test_a_product_out_of_specification_needs_a_second_consent():
    held = replace(READY, product_released=False, supplied_out_of_specification=True)
    assert may_start_lymphodepletion(held).unknown
    assert may_start_lymphodepletion(replace(held, second_consent=False)).failed
    assert may_start_lymphodepletion(replace(held, second_consent=True)).passed


def regimen_named(reference, name):
    return next(one for one in reference.conditioning.regimens if one.name == name)


def test_the_first_regimen_is_500_by_3_and_20_by_3(reference):
    table = reference.conditioning.fludarabine_by_renal_function
    doses = planned_doses(regimen_named(reference, "cy500_flu20"), table, 90.0)
    assert [(one.drug, one.dose, one.day, one.hours) for one in doses] == [
        (drug, dose, day, hours)
        for day in (-7, -6, -5)
        for drug, dose, hours in (("cyclophosphamide", 500, 1), ("fludarabine", 20, 0.5))
    ]


@pytest.mark.parametrize(("egfr", "fraction"), [(90, 1), (70, 1), (69.9, 0.75), (30, 0.75), (29.9, 0)])
def test_fludarabine_follows_the_table_at_its_limits(reference, egfr, fraction):
    table = reference.conditioning.fludarabine_by_renal_function
    assert fludarabine_fraction(table, np.array([egfr])) == pytest.approx(fraction)
    assert fludarabine_fraction(table[::-1], np.array([egfr])) == pytest.approx(fraction), "order of lines"


def test_without_renal_function_to_speak_of_only_cyclophosphamide_is_left(reference):
    table = reference.conditioning.fludarabine_by_renal_function
    doses = planned_doses(regimen_named(reference, "cy600_flu30"), table, 20.0)
    assert {one.drug for one in doses} == {"cyclophosphamide"}


def test_unknown_renal_function_is_not_taken_for_a_good_one(reference):
    table = reference.conditioning.fludarabine_by_renal_function
    with pytest.raises(DosingError, match="renal function is not known"):
        planned_doses(reference.conditioning.regimens[0], table, float("nan"))


@given(st.floats(0, 200), st.floats(0, 200))
def test_a_better_kidney_never_gets_less(reference, one, other):
    fractions = fludarabine_fraction(
        reference.conditioning.fludarabine_by_renal_function, np.array(sorted((one, other)))
    )
    assert fractions[0] <= fractions[1]
