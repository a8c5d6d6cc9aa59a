"""The modified 3+3 and the stagger."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftline.escalation import CohortState, decide, may_treat_next
from graftline.protocol import load_protocol

LADDER = ["level_1", "level_2", "level_3"]


def state(level, evaluable=0, toxic=0, pending=0):
    return CohortState(
        level=level, evaluable=evaluable, pending=pending, dose_limiting=toxic, treated=evaluable + pending
    )


def test_the_first_patient_is_treated_at_the_start_level(reference):
    assert decide(reference.dosing, []).action == "enrol"
    assert decide(reference.dosing, []).level == "level_1"


def test_two_patients_without_toxicity_may_suffice_at_the_lowest_level_and_the_reason_names_the_committee(reference):
    decision = decide(reference.dosing, [state("level_1", 2)])
    assert (decision.action, decision.level) == ("escalate", "level_2")
    assert "committee" in decision.reasons[0]


def test_two_patients_do_not_suffice_at_a_higher_level(reference):
    decision = decide(reference.dosing, [state("level_1", 2), state("level_2", 2)])
    assert (decision.action, decision.level) == ("enrol", "level_2")


def test_two_patients_do_not_suffice_while_a_third_is_pending(reference):
    assert decide(reference.dosing, [state("level_1", 2, pending=1)]).action == "wait"


@pytest.mark.parametrize(
    ("states", "action", "level"),
    [
        ([state("level_1", 3, 1)], "expand_cohort", "level_1"),
        ([state("level_1", 2, 1)], "enrol", "level_1"),
        ([state("level_1", 6, 1)], "escalate", "level_2"),
        ([state("level_1", 5, 1, pending=1)], "wait", None),
        ([state("level_1", 2, 2)], "stop", None),
        ([state("level_1", 3), state("level_2", 3, 2)], "deescalate", "level_1"),
        ([state("level_1", 3, 0, pending=3), state("level_2", 3, 2)], "wait", None),
        ([state("level_1", 6, 1), state("level_2", 3, 2)], "expansion", "level_1"),
        ([state("level_1", 6, 2), state("level_2", 3, 2)], "stop", None),
        ([state("level_1", 3), state("level_2", 3), state("level_3", 3)], "expansion", "expansion"),
        ([state("level_1", 3), state("level_2", 3), state("level_3", 3), state("expansion", 30)], "stop", None),
        ([state("level_1", 3), state("level_2", 3), state("level_3", 3), state("expansion", 4, 2)], "stop", None),
        ([state("level_1", 3), state("level_2", 3), state("level_3", 3), state("expansion", 4, 2, 9)], "wait", None),
        ([state("level_1", 3), state("level_2", 3), state("level_3", 3), state("expansion", 16, 2)], "expansion",
         "expansion"),
    ],
)  # fmt: skip
def test_published_corner_cases_of_the_three_plus_three(reference, states, action, level):
    decision = decide(reference.dosing, states)
    assert (decision.action, decision.level) == (action, level)
    assert decision.reasons


def test_the_expansion_never_goes_above_the_highest_level_tolerated(reference):
    states = [state("level_1", 3), state("level_2", 6, 1), state("level_3", 3, 2)]
    assert decide(reference.dosing, states).level == "level_2"


def _paths(dosing):
    """Every state reachable when outcomes come in one at a time, with the decision taken in it."""
    seen, todo = {}, [((0, 0),) * 4]
    names = [*LADDER, "expansion"]
    while todo:
        counts = todo.pop()
        if counts in seen:
            continue
        states = [state(name, n, d) for name, (n, d) in zip(names, counts, strict=True)]
        seen[counts] = decision = decide(dosing, states)
        if decision.level is None:
            continue
        place = names.index(decision.level)
        n, toxic = counts[place]
        todo += [(*counts[:place], (n + 1, toxic + one), *counts[place + 1 :]) for one in (0, 1)]
    return seen


def test_on_every_path_the_recommended_level_is_admissible_or_dosing_stops(reference):
    short = reference.dosing.model_copy(update={"expansion": reference.dosing.expansion.model_copy(update={"size": 8})})
    seen = _paths(short)
    names = [*LADDER, "expansion"]
    assert {decision.action for decision in seen.values()} == {
        "enrol", "escalate", "expand_cohort", "deescalate", "expansion", "stop"
    }  # fmt: skip
    for counts, decision in seen.items():
        if decision.level is None:
            assert decision.action == "stop", "with no outcome pending there is nothing to wait for"
            continue
        place = names.index(decision.level)
        assert all(not (toxic >= 2 and n <= 6) for n, toxic in counts[: place + 1] if place < 3)
        n, toxic = counts[place]
        assert not (toxic >= 2 and n <= 6)


def test_no_level_is_skipped_on_the_way_up(reference):
    for counts, decision in _paths(reference.dosing).items():
        if decision.action == "escalate":
            assert counts[LADDER.index(decision.level) - 1][0] >= 2


@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(0, 3)), min_size=4, max_size=4),
)
def test_no_state_whatever_leads_to_a_level_with_two_toxicities_in_six(reference, counts):
    states = [state(name, n, min(d, n), p) for name, (n, d, p) in zip([*LADDER, "expansion"], counts, strict=True)]
    decision = decide(reference.dosing, states)
    assert decision.reasons
    for one in states:
        if one.level == decision.level:
            assert one.dose_limiting < 2


def test_an_outcome_more_without_toxicity_never_lowers_the_level(reference):
    for n in range(2, 6):
        for toxic in (0, 1):
            before = decide(reference.dosing, [state("level_1", 3), state("level_2", n, toxic)])
            after = decide(reference.dosing, [state("level_1", 3), state("level_2", n + 1, toxic)])
            assert LADDER.index(after.level) >= LADDER.index(before.level)


def test_the_stagger_ends_on_its_last_day(reference):
    assert may_treat_next(reference.dosing, "level_1", [100], [], 113).failed
    assert may_treat_next(reference.dosing, "level_1", [86, 100], [], 114).passed


def test_a_new_cohort_waits_for_the_last_patient_of_the_one_before(reference):
    assert may_treat_next(reference.dosing, "level_2", [], [50, 100], 127).failed
    assert may_treat_next(reference.dosing, "level_2", [], [50, 100], 128).passed


def test_the_expansion_has_its_own_stagger_but_its_first_patient_waits_for_the_last_cohort(reference):
    assert may_treat_next(reference.dosing, "expansion", [], [100], 101).failed
    assert may_treat_next(reference.dosing, "expansion", [130], [100], 130).passed


def test_an_infusion_still_to_come_holds_back_the_next_patient(reference):
    assert may_treat_next(reference.dosing, "level_1", [107], [], 101).failed


def test_the_very_first_patient_waits_for_nobody(reference):
    assert may_treat_next(reference.dosing, "level_1", [], [], 0).passed


@pytest.fixture
def single_arm():
    return load_protocol("tisagenlecleucel_all").protocol.dosing


def test_without_an_escalation_everybody_is_treated_at_the_one_level_until_the_trial_is_full(single_arm):
    level = single_arm.expansion.level
    assert decide(single_arm, []).level == level
    toxic = CohortState(level=level, evaluable=78, dose_limiting=50, pending=0, treated=78)
    assert decide(single_arm, [toxic]).action == "expansion"
    full = CohortState(level=level, evaluable=70, dose_limiting=0, pending=9, treated=79)
    assert decide(single_arm, [full]).action == "stop"
    assert decide(single_arm, [full]).reasons == ("the trial is full (79 of 79 treated)",)


def test_without_an_escalation_nobody_waits_but_for_the_stagger_of_the_expansion(single_arm):
    assert may_treat_next(single_arm, single_arm.expansion.level, [100], [], 100).passed
