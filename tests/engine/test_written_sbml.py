"""Models written as SBML with numbers, doses and notes, run again by us and by libroadrunner."""

import libsbml
import numpy as np
import pytest
import roadrunner

from graftline import engine
from graftline.base.errors import InputError

TIMES = np.array([0.5, 1.5, 2.5, 4.0, 7.0, 12.0])
RATES = """
unit time_unit = 86400 second; unit day = 86400 second; unit per_day = 1 / (86400 second); unit mg = 1e-3 gram
k = 0.3; x' = -k * x; y' = k * x - y * k / 2; x = 1; y = 0; k has per_day; x has mg; y has mg
"""
SPECIES = """
compartment c = 2.5; species S1 in c = 4, S2 in c = 0; substanceOnly species X in c = 5
k1 = 0.4; k2 = 0.2
J1: S1 -> S2; c * k1 * S1
J2: S2 -> ; k2 * c * S2
J3: X -> ; k2 * X
"""
MOVING = "compartment c; c' = 0.05; c = 2; species S1 in c = 4; k1 = 0.4; J1: S1 -> ; c * k1 * S1"


def doses(*rows):
    state, amount, time, duration = zip(*rows, strict=True)
    return engine.Doses(
        patient=np.zeros(len(rows), dtype=np.int64), time=np.array(time, float), state=np.array(state),
        amount=np.array(amount, float), duration=np.array(duration, float),
    )  # fmt: skip


def solved(model, given=None):
    request = engine.Request(
        times=TIMES, outputs=model.states, start=np.zeros(1), doses=given or engine.Doses(),
        relative_tolerance=1e-10, absolute_tolerance=1e-13,
    )  # fmt: skip
    result = engine.solve(model, request)
    assert not result.messages
    return dict(zip(model.states, result.values[0].T, strict=True))


def by_libroadrunner(text, names):
    runner = roadrunner.RoadRunner(text)
    runner.integrator.setValue("relative_tolerance", 1e-11)
    runner.integrator.setValue("absolute_tolerance", 1e-14)
    runner.timeCourseSelections = list(names)
    return np.array(runner.simulate(times=[0.0, *TIMES.tolist()]))[1:].T


OVERLAP = [("at the start", 0, 0), ("a bolus", 1, 0), ("at once with it", 1, 0), ("long", 1, 3), ("overlapping", 2, 4)]


@pytest.mark.parametrize(
    ("text", "selections"),
    [
        (RATES, {"x": "x", "y": "y"}),
        (SPECIES, {"S1": "[S1]", "S2": "[S2]", "X": "X"}),
        (MOVING, {"amount(S1)": "S1"}),
    ],
    ids=["rate rules", "species", "moving volume"],
)
def test_doses_written_as_events_give_the_numbers_of_doses_given(text, selections):
    model = engine.load_antimony(text, "dosed")
    table = doses(
        *[(name, 1.0 + place, time, length) for name in selections for place, (_, time, length) in enumerate(OVERLAP)]
    )
    ours = solved(model, table)
    written = engine.as_sbml(model, doses=table)
    again = solved(engine.load_sbml(written, "written"))
    theirs = by_libroadrunner(written, selections.values())
    for name, course in zip(selections, theirs, strict=True):
        assert np.allclose(again[name], ours[name], rtol=1e-7, atol=1e-10), name
        assert np.allclose(course, ours[name], rtol=1e-6, atol=1e-9), name


def test_numbers_that_are_given_stand_in_place_of_the_texts():
    text = engine.as_sbml(
        engine.load_antimony(RATES + "z := 2 * x; w' = -w; w = 3 * k"), values={"k": 0.7, "x": 9.0, "w": 4.0}
    )
    model = engine.load_sbml(text)
    assert {name: model.own_values[name] for name in ("k", "x", "w")} == {"k": 0.7, "x": 9.0, "w": 4.0}
    species = engine.load_sbml(engine.as_sbml(engine.load_antimony(SPECIES), values={"S1": 7.0, "X": 2.0, "c": 3.0}))
    assert {name: species.own_values[name] for name in ("S1", "X", "c")} == {"S1": 7.0, "X": 2.0, "c": 3.0}


def test_units_of_a_dosed_model_still_fit_and_it_is_valid_sbml():
    table = doses(("x", 2.0, 1.0, 0.0), ("y", 3.0, 1.0, 2.0))
    written = engine.as_sbml(engine.load_antimony(RATES), doses=table)
    engine.check_units(engine.load_sbml(written))
    document = libsbml.readSBMLFromString(written)
    document.checkConsistency()
    worst = [document.getError(index).getMessage() for index in range(document.getNumErrors())
             if document.getError(index).getSeverity() >= libsbml.LIBSBML_SEV_ERROR]  # fmt: skip
    assert worst == []
    model = document.getModel()
    assert model.getParameter("dose_1").getValue() == 2.0
    assert model.getParameter("dose_2_duration").getUnits() == model.getTimeUnits()


def test_notes_stand_on_the_equations_they_are_about():
    written = engine.as_sbml(engine.load_antimony(RATES), notes={"x'": "drug is lost & < forgotten"})
    document = libsbml.readSBMLFromString(written)
    rules = {one.getVariable(): one for one in document.getModel().getListOfRules()}
    assert "drug is lost &amp; &lt; forgotten" in rules["x"].getNotesString()
    assert rules["y"].getNotesString() == ""


def test_a_name_that_is_taken_is_not_taken_again():
    model = engine.load_antimony(RATES + "dose_1 = 5")
    again = engine.load_sbml(engine.as_sbml(model, doses=doses(("x", 2.0, 1.0, 0.0))))
    assert (again.own_values["dose_1"], again.own_values["dose_1_"]) == (5.0, 2.0)


def test_unknown_names_and_several_patients_are_refused():
    model = engine.load_antimony(RATES)
    with pytest.raises(InputError, match="blood: no such parameter or state in the model"):
        engine.as_sbml(model, values={"blood": 1.0})
    table = doses(("x", 1.0, 0.0, 0.0), ("x", 1.0, 0.0, 0.0))
    several = engine.Doses(
        patient=np.array([0, 1]), time=table.time, state=table.state, amount=table.amount, duration=table.duration
    )
    with pytest.raises(InputError, match="are of several patients"):
        engine.as_sbml(model, doses=several)
