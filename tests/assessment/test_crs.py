"""ASTCT grades of CRS and ICANS (Lee 2019; tables restated in PMC9327779 and PMC8403007)."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftline.assessment import (
    UNKNOWN_GRADE,
    Consciousness,
    Oedema,
    Oxygen,
    Pressure,
    Seizure,
    grade_crs,
    grade_crs_course,
    grade_icans,
    has_fever,
    oxygen_level,
    pressure_level,
)

PRESSURES = [Pressure.NORMAL, Pressure.LOW, Pressure.ONE_PRESSOR, Pressure.SEVERAL_PRESSORS]
OXYGENS = [Oxygen.NONE, Oxygen.LOW_FLOW, Oxygen.HIGH_FLOW, Oxygen.POSITIVE_PRESSURE]
# rows: pressure normal, low, one pressor, several; columns: no oxygen, low flow, high flow, positive pressure
WITH_FEVER = [[1, 2, 3, 4], [2, 2, 3, 4], [3, 3, 3, 4], [4, 4, 4, 4]]
known = st.sampled_from([0, 1])
levels = st.integers(0, 3)


@pytest.mark.parametrize(("row", "column"), list(product(range(4), range(4))))
@pytest.mark.parametrize("fever", [True, False])
def test_each_of_the_32_cells_of_the_consensus_table(fever, row, column):
    expected = WITH_FEVER[row][column] if fever else 0
    assert grade_crs(fever, PRESSURES[row], OXYGENS[column]) == expected


def test_the_whole_table_at_once_equals_cell_by_cell():
    pressure, oxygen = np.meshgrid(PRESSURES, OXYGENS, indexing="ij")
    assert grade_crs(1, pressure, oxygen).tolist() == WITH_FEVER


def test_after_antipyretic_tocilizumab_or_steroid_fever_is_no_longer_asked_for():
    assert grade_crs(0, Pressure.LOW, Oxygen.NONE) == 0
    assert grade_crs(0, Pressure.LOW, Oxygen.NONE, fever_masked=True) == 2
    assert grade_crs(0, Pressure.NORMAL, Oxygen.POSITIVE_PRESSURE, fever_masked=True) == 4
    assert grade_crs(0, Pressure.NORMAL, Oxygen.NONE, fever_masked=True) == 0  # nothing left of it


def test_vasopressin_beside_one_pressor_does_not_make_several():
    assert pressure_level(True, 1, True) == Pressure.ONE_PRESSOR
    assert pressure_level(True, 0, True) == Pressure.ONE_PRESSOR
    assert pressure_level(True, 2, False) == Pressure.SEVERAL_PRESSORS
    assert pressure_level(True, 0, False) == Pressure.LOW
    assert pressure_level(False, 0, False) == Pressure.NORMAL


@pytest.mark.parametrize(
    ("flow", "mask", "positive", "expected"),
    [
        (0, False, False, Oxygen.NONE),
        (6, False, False, Oxygen.LOW_FLOW),
        (6.5, False, False, Oxygen.HIGH_FLOW),
        (0, True, False, Oxygen.HIGH_FLOW),
        (2, True, True, Oxygen.POSITIVE_PRESSURE),
        (np.nan, False, False, Oxygen.UNKNOWN),
        (np.nan, True, False, Oxygen.HIGH_FLOW),
    ],
)
def test_oxygen_is_low_flow_up_to_six_litres(flow, mask, positive, expected):
    assert oxygen_level(flow, mask, positive) == expected


def test_fever_begins_at_38_degrees_and_is_unknown_if_not_measured():
    assert has_fever([37.9, 38.0, np.nan]).tolist() == [0, 1, -1]


@pytest.mark.parametrize(
    ("fever", "pressure", "oxygen", "expected"),
    [
        (-1, Pressure.LOW, Oxygen.NONE, UNKNOWN_GRADE),
        (1, Pressure.UNKNOWN, Oxygen.LOW_FLOW, UNKNOWN_GRADE),
        (1, Pressure.UNKNOWN, Oxygen.POSITIVE_PRESSURE, 4),
        (0, Pressure.UNKNOWN, Oxygen.UNKNOWN, 0),
    ],
)
def test_a_missing_sign_leaves_the_grade_unknown_if_it_could_change_it(fever, pressure, oxygen, expected):
    assert grade_crs(fever, pressure, oxygen) == expected


def test_signs_with_another_cause_are_no_cytokine_release_syndrome():
    assert grade_crs(1, Pressure.SEVERAL_PRESSORS, Oxygen.NONE, other_cause=True) == 0


def test_a_masking_drug_counts_from_the_first_fever_on():
    fever = np.array([[0, 1, 0, 0, 0], [0, 0, 0, 0, 0]])
    pressure = np.full((2, 5), Pressure.LOW)
    given_on = np.array([[True, False, True, False, False], [True, True, True, True, True]])
    grade = grade_crs_course(fever, pressure, np.zeros((2, 5)), masking_treatment=given_on)
    assert grade.tolist() == [[0, 2, 2, 2, 2], [0, 0, 0, 0, 0]]


@given(known, levels, levels, levels, levels, st.booleans())
def test_worse_signs_never_lower_the_grade(fever, pressure, oxygen, more_pressure, more_oxygen, masked):
    milder = grade_crs(fever, min(pressure, more_pressure), min(oxygen, more_oxygen), fever_masked=masked)
    worse = grade_crs(fever, max(pressure, more_pressure), max(oxygen, more_oxygen), fever_masked=masked)
    assert milder <= worse


@given(st.sampled_from([-1, 0, 1]), st.integers(-1, 3), st.integers(-1, 3), st.booleans())
def test_a_grade_given_despite_missing_signs_holds_whatever_they_were(fever, pressure, oxygen, masked):
    grade = grade_crs(fever, pressure, oxygen, fever_masked=masked)
    possible = {
        int(grade_crs(hot, low, air, fever_masked=masked))
        for hot in ([0, 1] if fever < 0 else [fever])
        for low in (range(4) if pressure < 0 else [pressure])
        for air in (range(4) if oxygen < 0 else [oxygen])
    }
    assert (possible == {int(grade)}) if grade >= 0 else (len(possible) > 1)


# ---- ICANS
@pytest.mark.parametrize(("score", "grade"), [(10, 0), (9, 1), (7, 1), (6, 2), (3, 2), (2, 3), (0, 3)])
def test_the_ice_score_gives_the_grade_of_a_patient_who_is_awake(score, grade):
    assert grade_icans(score, Consciousness.ALERT) == grade


@pytest.mark.parametrize(
    ("finding", "grade"),
    [
        ({"consciousness": Consciousness.AWAKENS_SPONTANEOUSLY}, 1),
        ({"consciousness": Consciousness.AWAKENS_TO_VOICE}, 2),
        ({"consciousness": Consciousness.AWAKENS_TO_TOUCH}, 3),
        ({"consciousness": Consciousness.UNAROUSABLE}, 4),
        ({"seizure": Seizure.RESOLVED}, 3),
        ({"seizure": Seizure.LIFE_THREATENING}, 4),
        ({"focal_motor_weakness": True}, 4),
        ({"oedema": Oedema.FOCAL}, 3),
        ({"oedema": Oedema.DIFFUSE}, 4),
    ],
)
def test_the_worst_domain_decides(finding, grade):
    assert grade_icans(10, **{"consciousness": Consciousness.ALERT, **finding}) == grade
    assert grade_icans(3, **{"consciousness": Consciousness.ALERT, **finding}) == max(grade, 2)


def test_a_score_of_zero_is_grade_four_only_if_the_patient_cannot_be_woken():
    assert grade_icans([0, 0], [Consciousness.ALERT, Consciousness.UNAROUSABLE]).tolist() == [3, 4]


def test_a_domain_not_examined_leaves_icans_unknown_unless_already_the_worst():
    assert grade_icans(np.nan, Consciousness.AWAKENS_TO_VOICE) == UNKNOWN_GRADE
    assert grade_icans(np.nan, Consciousness.UNAROUSABLE) == 4
    assert grade_icans(10, Consciousness.ALERT, seizure=Seizure.UNKNOWN) == UNKNOWN_GRADE


def test_an_impossible_score_is_refused():
    with pytest.raises(ValueError, match="0 to 10"):
        grade_icans(11, Consciousness.ALERT)
