"""Errors of input: all faults at once, each with place, finding and remedy."""

import pytest

from graftline.base.errors import Fault, InputError, SurroundingsError

FAULT = Fault("adp_a2afp.yaml:41 cohorts[2].dose", '"5e9" has no unit', 'write "5e9 cells"')
OTHER = Fault("adp_a2afp.yaml:7 title", "missing", "write a title")


def test_a_fault_reads_as_place_found_and_remedy():
    assert str(FAULT) == 'adp_a2afp.yaml:41 cohorts[2].dose: "5e9" has no unit; write "5e9 cells"'


def test_an_input_error_carries_every_fault_one_a_line():
    error = InputError([FAULT, OTHER])
    assert tuple(error.faults) == (FAULT, OTHER)
    assert str(error).splitlines() == [str(FAULT), str(OTHER)]
    assert tuple(InputError(FAULT).faults) == (FAULT,)


def test_an_input_error_without_a_fault_cannot_be_made():
    with pytest.raises(AssertionError, match="names at least one fault"):
        InputError([])


def test_faults_sort_by_place():
    assert sorted([OTHER, FAULT]) == [FAULT, OTHER]


def test_a_fault_of_the_surroundings_says_what_to_do():
    error = SurroundingsError("the disk is full", "free 2 GB and run again")
    assert str(error) == "the disk is full; free 2 GB and run again"
    assert (error.found, error.remedy) == ("the disk is full", "free 2 GB and run again")
