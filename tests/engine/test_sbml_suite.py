"""The SBML Test Suite: its numbers are reached, or the model is refused with a reason; never wrong numbers."""

import numpy as np
import pytest
from suite import ARCHIVE, case, numbers

from graftline import engine
from graftline.base.errors import InputError

needs_data = pytest.mark.skipif(not ARCHIVE.exists(), reason="the shared data with the SBML Test Suite are absent")
EVERY = 13  # of the fast tests: one case in so many; all of them in the long ones
ALWAYS = ["01465", "01507", "01533", "01555", "01657"]  # once wrong


def outcome(number):
    """'right', or the refusal, or what is wrong."""
    one = case(number)
    try:
        model = engine.load_sbml(one.model, number)
    except InputError as refusal:
        return f"refused: {refusal}"
    named = {*model.states, *model.parameters, *model.observables}
    outputs = tuple(name if name in named else name.split("(")[-1].rstrip(")") for name in one.names)
    request = engine.Request(
        times=one.times, outputs=outputs, start=np.zeros(1), relative_tolerance=1e-8, absolute_tolerance=1e-12
    )
    solved = engine.solve(model, request, threads=1)
    wrong = one.wrong(solved.values[0])
    return f"wrong: {solved.messages} {np.argwhere(wrong)[:3].tolist()}" if wrong.any() else "right"


@needs_data
@pytest.mark.parametrize("number", sorted({*numbers()[::EVERY], *ALWAYS}) if numbers() else ["absent"])
def test_a_case_of_the_suite_comes_out_right(number):
    assert outcome(number) == "right"


@needs_data
def test_a_constraint_is_refused_by_name():
    assert outcome("01247").startswith("refused: 01247 constraint: is a constraint")


@needs_data
@pytest.mark.long
def test_of_all_cases_none_is_wrong_and_at_most_two_in_a_hundred_are_refused():
    outcomes = {number: outcome(number) for number in numbers()}
    assert not {number: found for number, found in outcomes.items() if found.startswith("wrong")}
    refused = sorted(number for number, found in outcomes.items() if found.startswith("refused"))
    assert refused == ["01247"]
    assert len(outcomes) == 686
