"""Verdicts: Kleene's three values, reasons kept, and the same answer for one patient and for many."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftline.base.verdict import (
    PASSED,
    Outcome,
    Verdict,
    Verdicts,
    check,
    check_at_least,
    check_at_most,
)

F, U, P = Outcome.FAIL, Outcome.UNKNOWN, Outcome.PASS

AND = {(F, F): F, (F, U): F, (F, P): F, (U, F): F, (U, U): U, (U, P): U, (P, F): F, (P, U): U, (P, P): P}
OR = {(F, F): F, (F, U): U, (F, P): P, (U, F): U, (U, U): U, (U, P): P, (P, F): P, (P, U): P, (P, P): P}
NOT = {F: P, U: U, P: F}

outcomes = st.sampled_from(list(Outcome))
KNOWN = {F: False, U: None, P: True}


def one(outcome, reason="a reason"):
    return check(KNOWN[outcome], reason)


def many(*values, label="a reason"):
    held = np.array([value is P for value in values])
    known = np.array([value is not U for value in values])
    return Verdicts.from_test(held, known, label)


@pytest.mark.parametrize("pair", AND)
def test_and_follows_kleene(pair):
    assert (one(pair[0]) & one(pair[1])).outcome is AND[pair]
    assert (many(pair[0]) & many(pair[1]))[0].outcome is AND[pair]


@pytest.mark.parametrize("pair", OR)
def test_or_follows_kleene(pair):
    assert (one(pair[0]) | one(pair[1])).outcome is OR[pair]
    assert (many(pair[0]) | many(pair[1]))[0].outcome is OR[pair]


@pytest.mark.parametrize("value", NOT)
def test_not_swaps_pass_and_fail_and_leaves_unknown(value):
    assert (~many(value))[0].outcome is NOT[value]


@given(st.lists(st.tuples(outcomes, outcomes), min_size=1, max_size=9))
def test_de_morgan_holds(pairs):
    first, second = many(*(pair[0] for pair in pairs)), many(*(pair[1] for pair in pairs))
    assert np.array_equal((~(first & second)).outcomes, (~first | ~second).outcomes)
    assert np.array_equal((~(first | second)).outcomes, (~first & ~second).outcomes)
    assert np.array_equal((~~first).outcomes, first.outcomes)


@given(st.lists(st.tuples(outcomes, outcomes, outcomes), min_size=1, max_size=9))
def test_one_patient_and_many_get_the_same_outcome_and_reasons(rows):
    columns = [many(*column, label=label) for column, label in zip(zip(*rows, strict=True), "abc", strict=True)]
    together = columns[0] & (columns[1] | columns[2])
    for row, (a, b, c) in enumerate(rows):
        alone = one(a, "a") & (one(b, "b") | one(c, "c"))
        assert together[row] == alone


def test_a_failed_alternative_is_no_reason_once_the_other_holds():
    afp = many(F, label="low serum AFP") | many(P, label="few stained cells")
    assert (afp & many(F, label="too old"))[0].reasons == ("too old",)
    not_infected = ~(many(P, label="fever") & many(F, label="infection"))
    assert (not_infected & many(F, label="too old"))[0].reasons == ("too old",)


@given(outcomes)
def test_unknown_never_counts_as_pass(other):
    assert not one(U).passed and not one(U).failed and one(U).unknown
    assert not (one(U) & one(other)).passed
    assert not (many(U) & many(other)).passed[0]
    assert not many(U).passed[0] and not (~many(U)).passed[0]


def test_a_verdict_has_no_truth_value():
    with pytest.raises(TypeError, match=r"a verdict has three values: ask \.passed, \.failed or \.unknown"):
        bool(PASSED)


def test_a_failure_keeps_every_reason_once_and_says_what_is_not_known():
    verdict = Verdict.from_checks(one(F, "too old"), one(P, "fine"), one(U, "HLA type"), one(F, "too old"))
    assert verdict == Verdict(F, ("too old", "not known: HLA type"))
    together = many(F, label="too old") & many(P, label="fine") & many(U, label="HLA type") & many(F, label="too old")
    assert together[0] == verdict


def test_a_pass_carries_no_reasons():
    assert (one(F, "low AFP") | one(P, "stained")).reasons == ()
    assert (many(F, label="low AFP") | many(P, label="stained"))[0] == PASSED


def test_no_checks_pass():
    assert Verdict.from_checks() == PASSED
    assert Verdicts.all_pass(3).passed.all() and len(Verdicts.all_pass(3)) == 3


@pytest.mark.parametrize("missing", [None, np.nan])
def test_a_missing_value_is_unknown_at_any_limit(missing):
    assert check_at_least(missing, 400, "serum AFP").unknown
    assert check_at_most(missing, 6, "Child-Pugh score").unknown


def test_limits_belong_to_what_passes():
    assert check_at_least(400, 400, "low").passed and check_at_least(399.9, 400, "low").failed
    assert check_at_most(6, 6, "high").passed and check_at_most(7, 6, "high").failed


def test_a_negated_reason_reads_as_one():
    assert (~many(P, label="active infection"))[0].reasons == ("not (active infection)",)


def test_a_labelled_criterion_gives_one_reason():
    both = (many(F, F, label="low serum AFP") | many(F, P, label="few stained cells")).labelled("no AFP")
    assert [verdict.reasons for verdict in both] == [("no AFP",), ()]


def test_counts_of_passed_failed_and_unknown_cover_everybody():
    verdicts = many(F, U, P, P)
    assert [verdicts.failed.sum(), verdicts.unknown.sum(), verdicts.passed.sum()] == [1, 1, 2]
