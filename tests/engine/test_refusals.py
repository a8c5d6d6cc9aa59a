"""What the engine does not support is refused with the element's name before anything runs."""

from dataclasses import replace

import numpy as np
import pytest
from texts import apply, compartment, csymbol, event, initial, made, parameters, rule, sbml, several, species

from graftline import engine
from graftline.base.errors import InputError

HEAD = '<?xml version="1.0" encoding="UTF-8"?><sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1"{more}><model id="m">'
X = '<listOfParameters><parameter id="x" value="1" constant="false"/></listOfParameters>'
MATH = '<math xmlns="http://www.w3.org/1998/Math/MathML">{inside}</math>'
DELAY = (
    '<apply><csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/delay">delay</csymbol>'
    "<ci>x</ci><cn>1</cn></apply>"
)
FAST = (
    '<listOfReactions><reaction id="J0" reversible="false" fast="true">'
    f"<kineticLaw>{MATH.format(inside='<cn>1</cn>')}</kineticLaw></reaction></listOfReactions>"
)
CASES = {
    "algebraic": (f"{X}<listOfRules><algebraicRule>{MATH.format(inside='<ci>x</ci>')}</algebraicRule></listOfRules>", "is an algebraic rule"),
    "fast": (f"{X}{FAST}", "m J0: is a fast reaction; give it a finite rate"),
    "delay": (f'{X}<listOfRules><rateRule variable="x">{MATH.format(inside=DELAY)}</rateRule></listOfRules>', r"m x: uses delay\(\)"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_an_element_that_is_not_supported_is_refused_by_name(name):
    inside, words = CASES[name]
    with pytest.raises(InputError, match=words):
        engine.load_sbml(f"{HEAD.format(more='')}{inside}</model></sbml>", "m")


def test_a_package_that_changes_the_model_is_refused():
    more = ' xmlns:comp="http://www.sbml.org/sbml/level3/version1/comp/version1" comp:required="true"'
    with pytest.raises(InputError, match="needs the SBML package comp"):
        engine.load_sbml(f"{HEAD.format(more=more)}{X}</model></sbml>", "m")


def test_a_name_that_is_not_defined_and_a_rule_that_uses_itself_are_told():
    with pytest.raises(InputError):
        engine.load_sbml("<sbml>", "m")
    with pytest.raises(InputError, match="Loop detected"):
        engine.load_antimony("a := b + 1; b := a + 1; x' = a; x = 1")


def model(*, of_species=None, assignments=(), rules=(), reactions=(), events=(), more=""):
    given = {"Compartments": [compartment()], "Species": [species()] if of_species is None else of_species}
    given |= {"InitialAssignments": assignments, "Rules": rules, "Reactions": reactions, "Events": events}
    before = {name: given.pop(name) for name in ("Compartments", "Species")}
    lists = [several(name, *ones) for name, ones in before.items()]
    return sbml("".join([*lists, more, *[several(name, *ones) for name, ones in given.items()]]))


TWO = parameters(a=1, b=2)
BROKEN = {
    "a compartment that is not there": (model(of_species=[species(within="D")]), "species> with id 'S' refers to the compartment 'D'"),
    "a species that is not there": (model(reactions=[made("Z")]), "references species 'Z', which is undefined"),
    "a rule of what is not there": (model(rules=[rule("assignment", "z", 1)]), "variable 'z' does not refer to an existing"),
    "an initial value of what is not there": (model(assignments=[initial("z", 1)]), "symbol 'z' does not refer to an existing"),
    "an event that sets what is not there": (model(events=[event(apply("gt", 2, 1), ("z", 1))]), "variable 'z' does not refer"),
    "a formula with what is not there": (model(reactions=[made(rate="z")]), "uses 'z' that is not the id"),
    "an id used twice": (model(more=parameters(S=1)), "id 'S' conflicts with the previously defined <species> id 'S'"),
    "two rules": (model(more=TWO, rules=[rule("assignment", "a", 1), rule("rate", "a", 1)]), "variable 'a' conflicts"),
    "an initial value and a rule": (model(more=TWO, assignments=[initial("a", 1)], rules=[rule("assignment", "a", 1)]), "variable 'a' conflicts"),
    "an event and a rule": (model(more=TWO, rules=[rule("assignment", "a", 1)], events=[event(apply("gt", 2, 1), ("a", 1))]), "a"),
    "a rule and a reaction": (model(rules=[rule("rate", "S", 1)], reactions=[made()]), "species 'S' occurs in both a rule and reaction 'J'"),
    "a rule of a constant": (model(rules=[rule("rate", "C", 1)]), "compartment with id 'C' should have a constant value of 'false'"),
    "a constant species that reacts": (model(of_species=[species(constant="true")], reactions=[made()]), "species> with id 'S' cannot"),
    "too many arguments": (model(reactions=[made(rate=apply("divide", 1, 2, 3))]), "inappropriate number of arguments"),
    "circular rules": (model(more=TWO, rules=[rule("assignment", "a", "b"), rule("assignment", "b", "a")]), "m [ab]: depends on itself: (a -> b -> a|b -> a -> b)"),
    "a circular rate": (model(more=TWO, rules=[rule("rate", "a", csymbol("rateOf", "b")), rule("rate", "b", csymbol("rateOf", "a"))]), "the rate of a depends on itself"),
    "circular initial values": (model(more=TWO, assignments=[initial("a", "b"), initial("b", "a")]), "m a: its initial value depends on itself"),
    "a reaction that uses its own rate": (model(reactions=[made(rate="J")]), "m J: depends on itself: J -> J"),
    "an id with a sign": (model(more=parameters(**{"a-b": 1})), "SId"),
    "an id with a letter beyond ASCII": (model(more=parameters(é=1)), "SId"),
    "a number that is none": (model(more=parameters(a="one")), "must be a double"),
    "no text": ("", "not well-formed"),
    "no SBML": ("<html></html>", "must conform to the XML Schema"),
    "half a text": (model()[:200], ":1: "),
    "no model": ('<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2"/>', "holds no model"),
    "a version to come": (model().replace('version="2"', 'version="9"'), "level and version"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_breaks_the_rules_of_sbml_is_refused_by_name(name):
    text, words = BROKEN[name]
    with pytest.raises(InputError, match=words):
        engine.load_sbml(text, "m")


HARMLESS = {
    "a unit that is not there": model(more='<listOfParameters><parameter id="k" value="1" units="bananas" constant="true"/></listOfParameters>'),
    "metaids used twice": model(more=parameters(a=1, b=2).replace("<parameter ", '<parameter metaid="x" ')),
    "a species that is used but not named as a modifier": model(
        of_species=[species(), species("P")], reactions=[made("P", rate="S")]
    ),
    "a byte order mark": "\ufeff" + model(),
}  # fmt: skip


@pytest.mark.parametrize("name", HARMLESS)
def test_what_changes_no_equation_is_no_reason_to_refuse(name):
    assert "S" in {*engine.load_sbml(HARMLESS[name]).states, *engine.load_sbml(HARMLESS[name]).parameters}


def test_a_letter_that_antimony_does_not_know_is_told_with_its_line():
    with pytest.raises(InputError, match=r"m:2: .*α may stand in remarks only"):
        engine.load_antimony("x = 1\nα = 2", "m")
    assert engine.load_antimony("x = 1 # α").own_values == {"x": 1}


DECAY = "x' = -k * x; x = 1; k = 0.5"
REQUEST = engine.Request(times=np.array([0.0, 1.0]), outputs=("x",), start=np.zeros(1))
WRONG = {
    "times": ([0.0, 1.0], r"request.times: is of type list; give a numpy array of numbers"),
    "start": (np.zeros((1, 1)), r"request.start: has shape \(1, 1\); give \(patients,\)"),
    "outputs": ("x", r"request.outputs: is the text 'x'; give a tuple of names"),
    "parameters": ({"k": np.array(["a"])}, r"request.parameters k: is an array of <U1"),
    "relative_tolerance": (np.inf, r"request: has inf as a tolerance or threshold"),
    "absolute_tolerance": (np.nan, r"request: has nan as a tolerance or threshold"),
    "max_steps": (2**70, r"request.max_steps: is 1180591620717411303424"),
    "extinctions": ((engine.Extinction(states=(), threshold=1.0),), r"request.extinctions: .* has no states"),
    "doses": (engine.Doses(patient=np.zeros(1)), r"request.doses.patient: is an array of float64; give a numpy array of whole"),
}  # fmt: skip


@pytest.mark.parametrize("field", WRONG)
def test_what_cannot_be_meant_is_refused_by_name(field):
    wrong, words = WRONG[field]
    with pytest.raises(InputError, match=words):
        engine.solve(engine.load_antimony(DECAY), replace(REQUEST, **{field: wrong}))


def test_no_threads_and_odd_lanes_are_refused():
    model = engine.load_antimony(DECAY)
    with pytest.raises(InputError, match="threads: is -1; give 1 or more"):
        engine.solve(model, REQUEST, -1)
    with pytest.raises(InputError, match="lanes: is 3; give one of 1, 2, 4, 8, 16"):
        engine.solve(model, REQUEST, 1, lanes=3)


@pytest.mark.parametrize(("times", "words"), [(3.0, r"shape \(\)"), ([], r"shape \(0,\)"), (["a"], "no numbers")])
def test_times_that_are_none_are_refused(times, words):
    with pytest.raises(InputError, match=words):
        engine.load_antimony(DECAY).run(times=times)


def test_a_table_of_results_keeps_its_own_columns(tmp_path):
    model = engine.load_antimony("patient' = 1; patient = 0")
    request = replace(REQUEST, outputs=("patient",))
    with pytest.raises(InputError, match="outputs patient: is a column of every table"):
        engine.solve_to_parquet(model, request, tmp_path / "out")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="is a file; name a new folder"):
        engine.solve_to_parquet(engine.load_antimony(DECAY), REQUEST, tmp_path / "file")


def test_a_file_in_another_encoding_is_read_as_it_says(tmp_path):
    text = (
        engine.as_sbml(engine.load_antimony("x' = -x; x = 1"))
        .replace("UTF-8", "ISO-8859-1")
        .replace("<model", "<!-- é --><model")
    )
    (tmp_path / "m.xml").write_bytes(text.encode("latin-1"))
    assert engine.load(tmp_path / "m.xml").states == ("x",)
    (tmp_path / "m.ant").write_bytes(b"\xef\xbb\xbfx' = -x; x = 1")
    assert engine.load(tmp_path / "m.ant").states == ("x",)
