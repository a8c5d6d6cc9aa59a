"""The twin of one measured patient: what is given stays, what is not is drawn, and the directions that must hold."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from graftline.base.errors import InputError
from graftline.evidence import all_cards, card
from graftline.exchange import BAND_SCHEMA, chance_rows, course_bands, outcome_rows
from graftline.protocol import load_protocol
from graftline.trial import (
    ASSUMED_FROM,
    MEASURED,
    KnownPatient,
    PlannedTreatment,
    free_priors,
    simulate_one_patient,
)
from graftline.twin import CARD_OF

GIVEN = {
    "age": 59.0, "weight": 70.0, "height": 175.0, "afp_serum": 2000.0, "afp_tumour_ihc": 80.0, "afp_nontumour_ihc": 0.5,
    "hla_a0201p_alleles": 1.0, "egfr": 60.0, "bilirubin": 20.0, "albumin": 37.0, "inr": 1.1, "ascites": 0.0,
    "encephalopathy": 0.0, "lymphocytes": 900.0, "neutrophils": 3000.0, "platelets": 140.0, "alt": 50.0, "crp": 20.0,
}  # fmt: skip
FULL = KnownPatient(numbers=GIVEN, sex="female", lesion_diameters=(30.0, 66.0))
SAMPLES = 40


@cache
def protocol():
    return load_protocol("adp_a2afp").protocol


def plan(**changes):
    fields = {"regimen": "cy600_flu30", "cells": 5e9, "modules": ("marrow",), "last_day": 169}
    return PlannedTreatment(protocol=protocol(), **{**fields, **changes})


@pytest.fixture(scope="module")
def full():
    return simulate_one_patient(FULL, plan(), samples=SAMPLES, seed=7)


@pytest.fixture(scope="module")
def nothing_known():
    return simulate_one_patient(KnownPatient(), plan(), samples=SAMPLES, seed=7)


def peak(patient, read_out="tcrt_per_microlitre", arm="cells"):
    return np.nanmax(getattr(patient.arms[arm].outcomes.courses, read_out), axis=1)


def at_start(patient, read_out, arm="cells"):
    courses = patient.arms[arm].outcomes.courses
    return getattr(courses, read_out)[:, np.searchsorted(courses.times, patient.begins)]


def test_what_was_given_stands_in_every_sample(full):
    for name, value in GIVEN.items():
        assert np.all(getattr(full.baseline, name) == value), name
    assert set(GIVEN) == set(MEASURED)
    assert np.all(full.baseline.sex == "female") and np.all(full.baseline.child_pugh == 5)
    assert full.baseline.lesion_diameters[0, :2].tolist() == [66.0, 30.0]
    assert np.allclose(at_start(full, "afp"), 2000)
    assert np.allclose(at_start(full, "sum_of_diameters"), 96)
    assert np.allclose(at_start(full, "lymphocytes"), 0.9) and np.allclose(at_start(full, "platelets"), 140)
    assert np.allclose(at_start(full, "bilirubin"), 20) and np.allclose(at_start(full, "alt"), 50)


def test_what_was_not_given_differs_between_the_samples(nothing_known):
    base = nothing_known.baseline
    for name in set(MEASURED) - {"hla_a0201p_alleles", "encephalopathy", "ascites"}:
        assert len(np.unique(getattr(base, name))) > SAMPLES / 2, name
    assert len(np.unique(base.sum_of_diameters)) == SAMPLES
    assert {"male", "female"} >= set(base.sex)
    assert len(np.unique(peak(nothing_known))) == SAMPLES


def test_a_value_more_moves_nothing_but_what_depends_on_it(nothing_known):
    with_afp = simulate_one_patient(
        KnownPatient(numbers={"afp_serum": 2000.0}), plan(), samples=SAMPLES, seed=7, without_cells=False
    )
    for name in MEASURED:
        same = np.array_equal(getattr(with_afp.baseline, name), getattr(nothing_known.baseline, name), equal_nan=True)
        assert same == (name != "afp_serum"), name
    assert np.allclose(peak(with_afp), peak(nothing_known), rtol=1e-5)  # AFP acts on nothing but the solver's steps
    assert list(with_afp.arms) == ["cells"]


def test_the_same_seed_gives_the_same_and_more_samples_move_nobody(full):
    again = simulate_one_patient(FULL, plan(), samples=SAMPLES, seed=7)
    fewer = simulate_one_patient(FULL, plan(), samples=10, seed=7)
    other = simulate_one_patient(FULL, plan(), samples=10, seed=8)
    assert outcome_rows(again) == outcome_rows(full) and chance_rows(again) == chance_rows(full)
    assert course_bands(again).equals(course_bands(full))
    assert np.array_equal(peak(fewer), peak(full)[:10])
    assert not np.any(peak(other) == peak(full)[:10])


@pytest.mark.parametrize(("less", "more"), [(0.1e9, 1e9), (1e9, 5e9), (5e9, 10e9)])
def test_more_dose_is_never_fewer_cells(less, more):
    low, high = (simulate_one_patient(FULL, plan(cells=dose), samples=SAMPLES, seed=7) for dose in (less, more))
    assert np.all(peak(high) >= 0.999 * peak(low))
    assert np.median(peak(high)) > 1.2 * np.median(peak(low))
    assert np.all(peak(high, arm="no cells") == 0)


def test_without_cells_nothing_comes_of_cells_and_conditioning_is_the_same(full):
    with_cells, without = full.arms["cells"].outcomes, full.arms["no cells"].outcomes
    before = with_cells.courses.times < 0
    for read_out in ("lymphocytes", "neutrophils", "afp"):
        one, other = (getattr(out.courses, read_out)[:, before] for out in (with_cells, without))
        assert np.allclose(one, other, rtol=1e-6, equal_nan=True), read_out
    assert np.allclose(without.courses.il6[:, ~before], card("twin_C0").number)
    assert np.all(without.crs.worst <= 0)
    assert {row.name for row in outcome_rows(full) if set(row.arms) == {"cells"}} >= {"transgene_peak", "tcrt_peak"}


def test_a_patient_without_the_allele_gets_no_response_from_the_cells():
    known = replace(FULL, numbers={**GIVEN, "hla_a0201p_alleles": 0.0})
    none = simulate_one_patient(known, plan(), samples=SAMPLES, seed=7)
    with_cells, without = (none.arms[arm].outcomes for arm in ("cells", "no cells"))
    assert np.allclose(with_cells.courses.scan_volume, without.courses.scan_volume, rtol=1e-5, equal_nan=True)
    assert np.array_equal(with_cells.seen.best_response, without.seen.best_response)


def test_worse_kidneys_get_less_fludarabine():
    def lymphocytes_at_infusion(egfr):
        known = replace(FULL, numbers={**GIVEN, "egfr": egfr})
        patient = simulate_one_patient(known, plan(), samples=SAMPLES, seed=7, without_cells=False)
        courses = patient.arms["cells"].outcomes.courses
        return np.nanmin(courses.lymphocytes[:, courses.times <= 0], axis=1)

    assert np.all(lymphocytes_at_infusion(25.0) > lymphocytes_at_infusion(90.0))  # below 30 there is none


def test_probabilities_of_a_kind_sum_to_one(full, nothing_known):
    for patient in (full, nothing_known):
        for kind in ("crs_grade", "best_response"):
            for arm in patient.arms:
                total = sum(row.arms[arm].share for row in chance_rows(patient) if row.name.startswith(kind))
                assert total == pytest.approx(1)
        for row in chance_rows(patient):
            for one in row.arms.values():
                assert 0 <= one.low <= one.share + 1e-12 and one.share <= one.high + 1e-12 <= 1 + 1e-9


def test_bands_are_in_order_and_end_with_the_follow_up(full):
    bands = course_bands(full)
    assert dict(bands.schema) == dict(BAND_SCHEMA)
    levels = bands.select("P05", "P25", "P50", "P75", "P95").to_numpy()
    assert np.all(np.diff(levels, axis=1) >= 0)
    assert bands["ADY"].min() == -7 and bands["ADY"].max() == 169 and 0 not in bands["ADY"].to_list()
    assert {"transgene", "tcrt", "afp", "il6", "sum_of_diameters", "child_pugh"} <= set(bands["PARAMCD"])
    read = course_bands(full, as_measured=True)
    wider = [
        table.filter((table["PARAMCD"] == "afp") & (table["ARM"] == "no cells") & (table["ADY"] == 29))
        for table in (read, bands)
    ]
    assert (wider[0]["P95"] / wider[0]["P05"]).item() > 2 * (wider[1]["P95"] / wider[1]["P05"]).item()


def test_samples_that_cannot_be_solved_are_counted_and_left_out(full):
    arm = full.arms["cells"]
    status = arm.outcomes.courses.status.copy()
    status[:3] = 1
    courses = replace(arm.outcomes.courses, status=status)
    broken = replace(full, arms={"cells": replace(arm, outcomes=replace(arm.outcomes, courses=courses))})
    assert broken.arms["cells"].solved.sum() == SAMPLES - 3
    assert all(row.arms["cells"].samples == SAMPLES - 3 for row in chance_rows(broken))
    assert max(row.arms["cells"].samples for row in outcome_rows(broken)) <= SAMPLES - 3
    assert course_bands(broken)["N"].max() == SAMPLES - 3


def test_every_assumption_names_its_cards():
    assert {name for cards in ASSUMED_FROM.values() for name in cards} <= set(all_cards())
    assert set(MEASURED) <= set(ASSUMED_FROM)


def test_free_priors_are_those_without_a_source():
    priors, with_marrow = free_priors(), free_priors(("marrow",))
    assert {"kap", "mT", "rho", "s"} <= set(priors) < set(with_marrow)
    assert not {"V0", "L0", "ANC0", "dM", "kL"} & set(with_marrow)
    assert all(card(CARD_OF[symbol]).is_placeholder for symbol in with_marrow)


def test_values_that_cannot_be_meant_are_refused_all_at_once():
    known = KnownPatient(
        numbers={"age": 590.0, "ascites": 0.5, "ecog": 1.0}, sex="m", lesion_diameters=(66.0, 1.0, 30, 30, 30, 30)
    )
    wrong = plan(cells=5.0, regimen="cy9", modules=("narrow",), last_day=10, memory_share=15.0, copies_per_cell=0.0)
    with pytest.raises(InputError) as refused:
        simulate_one_patient(known, wrong, samples=0, seed=1)
    places = {fault.place for fault in refused.value.faults}
    assert places == {
        *("age", "ascites", "ecog", "sex", "lesion", "dose", "regimen", "model.modules narrow", "until"),
        *("memory_share", "copies_per_cell", "samples"),
    }
    texts = {fault.place: str(fault) for fault in refused.value.faults}
    assert "write 18 to 110 years" in texts["age"] and "write 29 to 729" in texts["until"]
    assert "a whole number, 0 to 2" in texts["ascites"] and "cy500_flu20, cy600_flu30" in texts["regimen"]


def test_a_protocol_with_a_model_of_its_own_is_not_followed_with_the_twin_of_another_disease():
    other = load_protocol("tisagenlecleucel_all").protocol
    planned = replace(plan(regimen=other.conditioning.in_force), protocol=other)
    with pytest.raises(InputError, match="protocol: brings a model of its own"):
        simulate_one_patient(KnownPatient(), planned, samples=1, seed=1)
