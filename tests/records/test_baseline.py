"""The baseline record: the same for one real patient and for many virtual ones."""

from dataclasses import fields, replace

import numpy as np
import pytest

from graftline.base.units import is_unit
from graftline.records import VARIABLES, Baseline, VariableKind

WORDS = {"sex": "male", "aetiology": "viral", "bclc": "C"}
FLAGS = {
    "macrovascular_invasion",
    "extrahepatic_spread",
    "afp_secretor",
    "hla_excluded_allele",
    "progressed_on_systemic",
    "intolerant_of_systemic",
    "refuses_systemic",
    "resectable_or_transplantable",
}
LESIONS = np.array([[50.0, 30.0, np.nan, np.nan, np.nan], [np.nan] * 5])


def baseline(patients=2, **changed):
    columns = {}
    for field in fields(Baseline):
        if field.name in WORDS:
            columns[field.name] = np.array([WORDS[field.name]] * patients)
        elif field.name in FLAGS:
            columns[field.name] = np.zeros(patients, dtype=bool)
        else:
            columns[field.name] = np.arange(patients, dtype=float)
    columns["lesion_diameters"] = np.resize(LESIONS, (patients, 5))
    columns["hla_a"] = np.resize(np.array([["A*02:01", "other"]]), (patients, 2))
    return Baseline(**(columns | changed))


def test_fields_of_different_length_are_refused():
    with pytest.raises(AssertionError, match="every field needs one row per patient"):
        baseline(2, age=np.array([59.0]))


def test_lesions_are_counted_and_summed_where_there_are_any():
    patients = baseline()
    assert patients.lesion_count.tolist() == [2, 0]
    assert patients.sum_of_diameters.tolist() == [80, 0]
    assert patients.measurable_disease.tolist() == [True, False]
    assert patients.largest_lesion[0] == 50 and np.isnan(patients.largest_lesion[1])


def test_body_surface_area_follows_mosteller():
    patients = replace(baseline(), weight=np.array([80.0, np.nan]), height=np.array([180.0, 170.0]))
    assert patients.body_surface_area[0] == pytest.approx(2.0)  # sqrt(180 cm x 80 kg / 3600)
    assert np.isnan(patients.body_surface_area[1]), "a missing weight is not guessed"


def test_taking_patients_takes_all_their_values():
    patients = baseline(6)
    some = patients.take(np.array([4, 1]))
    assert len(some) == 2 and some.age.tolist() == [4, 1] and some.lesion_diameters.shape == (2, 5)
    assert patients.take(patients.age > 3).age.tolist() == [4, 5]
    assert len(patients.take(np.zeros(6, dtype=bool))) == 0


def test_a_record_cannot_be_changed():
    with pytest.raises(AttributeError, match="cannot assign to field 'age'"):
        baseline().age = np.array([1.0, 2.0])


def test_every_variable_of_a_protocol_has_a_name_a_meaning_and_a_known_unit():
    for name, variable in VARIABLES.items():
        assert name == variable.name and variable.meaning and is_unit(variable.unit)
        assert bool(variable.categories) == (variable.kind is VariableKind.CATEGORY)


def test_every_field_of_the_record_is_a_variable_or_explained_here():
    not_asked_about = {"lesion_diameters", "afp_secretor", "hla_a"}  # latent, or asked about through other variables
    assert {field.name for field in fields(Baseline)} - set(VARIABLES) == not_asked_about


def test_variables_without_a_field_are_read_from_the_record_measured_on_the_day_or_of_another_disease():
    derived = {name for name in VARIABLES if isinstance(getattr(Baseline, name, None), property)}
    measured_later = set(VARIABLES) - {field.name for field in fields(Baseline)} - derived
    assert derived == {"lesion_count", "largest_lesion", "sum_of_diameters", "measurable_disease"}
    of_leukaemia = {"marrow_blasts", "cd19_positive", "karnofsky", "relapsed_or_refractory"}
    assert measured_later == {"active_infection", "fever"} | of_leukaemia


def test_every_number_has_a_range_that_holds_its_whole_scale():
    numbers = {name: one for name, one in VARIABLES.items() if one.kind is VariableKind.NUMBER}
    assert all(one.lowest < one.highest < np.inf and one.lowest >= 0 for one in numbers.values())
    assert (numbers["ecog"].lowest, numbers["ecog"].highest) == (0, 4)
    assert (numbers["child_pugh"].lowest, numbers["child_pugh"].highest) == (5, 15)
    assert all(one.highest == 100 for one in numbers.values() if one.unit == "percent")
