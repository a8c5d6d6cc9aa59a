"""What the protocol says is what the simulation does: version by version, field by field, or it is refused."""

import re

import numpy as np
import pytest

from graftline.base.errors import InputError
from graftline.exchange import journey_table
from graftline.protocol import load_protocol, read_protocol, shipped_text
from graftline.trial import simulate_part

SEED = 5
TEXT = re.sub(
    r"screening_rate: [0-9.]+ people/month", "screening_rate: 0.5 people/month", shipped_text("adp_a2afp").decode()
)


def simulated(*changes, replicates=(0,)):
    text = TEXT
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return simulate_part(read_protocol(text.encode(), "changed.yaml"), list(replicates), SEED)


@pytest.fixture(scope="module")
def base():
    return simulated()


def best(part):
    return part.treated.with_cells.seen.best_response.tolist()


def amendment(changes):
    head = "\namendments:\n"
    first = "  - id: first\n    date: 2017-05-09\n    summary: a test\n    approval_lag: 0 days\n    changes:\n"
    return head, f"{head}{first}      {changes}\n"


def test_an_amended_response_rule_binds_those_who_consented_after_it(base):
    amended = simulated(amendment("response.stable_disease_minimum: 400 days"))
    written = simulated(("stable_disease_minimum: {value: 28 days", "stable_disease_minimum: {value: 400 days"))
    assert best(amended) == best(written) != best(base)


def test_an_amended_toxicity_definition_binds(base):
    lenient = simulated(amendment("safety.dose_limiting_toxicity.window.last_day: 3"))
    short, written = ([one.evaluable for one in part.treated.with_cells.toxicity] for part in (lenient, base))
    died_early = [day < 28 for day in base.treated.with_cells.death_day]
    assert sum(short) > sum(written) if any(died_early) else sum(short) >= sum(written)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ([amendment("manufacture.slots: 3 slots/week")], "an amendment changes manufacture"),
        ([("comparators: [no_cells]", "comparators: []")], "comparators"),
    ],
)
def test_what_the_simulation_cannot_follow_is_refused(changes, words):
    with pytest.raises(InputError, match=words):
        simulated(*changes)


def test_a_criterion_before_apheresis_is_judged(base):
    stopped = simulated(
        (
            "when: [screening, before_lymphodepletion]\n    rule: {variable: ecog, at_most: 1}",
            "when: [before_apheresis]\n    rule: {variable: ecog, at_most: 0}",
        )
    )
    assert len(stopped.apheresed.day) < len(base.apheresed.day)
    assert any(reason.startswith("before apheresis, not met") for reason in stopped.screening.reason)


def test_a_criterion_before_infusion_is_judged():
    never = simulated(
        (
            "when: [before_infusion]\n    rule: {variable: fever, holds: false}",
            "when: [before_infusion]\n    rule: {variable: fever, holds: true}",
        )
    )
    put_off = [bool(one.ask.put_off) for finished in never.finished for one in finished.treated]
    assert np.mean(put_off) > 0.8  # only who has a fever now meets it


def test_collection_waits_for_need_where_the_protocol_says_so(base):
    on_need = simulated(("hold_until_needed: {value: true", "hold_until_needed: {value: false"))
    assert len(on_need.apheresed.day) < len(base.apheresed.day)
    assert any("not collected ahead of need" in reason for reason in on_need.screening.reason)


def test_nobody_is_screened_or_collected_after_dosing_has_closed():
    few = simulated(("planned_enrolment: {value: 45", "planned_enrolment: {value: 2"), replicates=(0, 1))
    assert sum(len(finished.treated) for finished in few.finished) == 4
    assert np.all(few.closed < np.iinfo(np.int32).max)


def test_another_start_of_conditioning_moves_nobody_else():
    """A regimen that begins on Day -9 for some must not change the courses of those who begin on Day -7."""
    earlier = simulated(("dose: 600 mg/m^2/day, days: [-7, -6, -5]", "dose: 600 mg/m^2/day, days: [-9, -8, -7]"))
    plain = simulated()
    rows = [
        place
        for place, ask in enumerate(plain.treated.asks)
        if ask.protocol.conditioning.in_force == "cy500_flu20" and place < len(earlier.treated.asks)
    ]
    same = [
        place
        for place in rows
        if earlier.treated.asks[place].row == plain.treated.asks[place].row
        and earlier.treated.asks[place].infusion == plain.treated.asks[place].infusion
    ]
    assert same
    for place in same:
        for symbol in ("A", "C", "L"):
            one, other = (part.treated.with_cells.courses.states[symbol][place] for part in (plain, earlier))
            assert np.array_equal(one, other, equal_nan=True)


def test_clocks_that_are_left_are_uniform():
    part = simulated(replicates=range(6))
    rows = np.arange(len(part.waiting))
    days = np.minimum(part.waiting.leaves, 90).astype(np.int64)
    left = part.waiting.clocks_after(rows, days)
    alive = part.waiting.death > days
    assert np.all((left[:, 1] > 0) & (left[:, 1] <= 1))
    assert np.all(left[alive, 2] < 1)


def test_the_no_cells_column_has_no_cytokines_no_kill_and_no_second_infusion(base):
    none = base.treated.no_cells
    assert none.crs.worst.max() <= 0
    assert np.nanmax(none.courses.il6) <= 1.001 * np.nanmax(none.courses.latents.parameters["C0"])
    with_cells, without = base.treated.with_cells.courses, none.courses
    late = with_cells.times == 56
    assert np.all(without.viable_volume[:, late] >= with_cells.viable_volume[:, late] * (1 - 1e-6))


def test_a_decompensated_liver_stays_so_under_treatment(base):
    treatment, outcomes = base.treated.treatment, base.treated.with_cells
    before = treatment.decompensated
    assert np.all(outcomes.decompensation_day[before] <= treatment.begins[before])


def test_batches_never_begin_for_patients_who_have_left():
    part = simulated(replicates=range(4))
    for row, history in enumerate(part.apheresed.history):
        for attempt in history:
            assert attempt.started < part.apheresed.day[row] + part.waiting.leaves[row]


def test_a_trial_of_another_disease_is_refused_whole_and_not_simulated_in_part():
    with pytest.raises(InputError) as refusal:
        simulate_part(load_protocol("tisagenlecleucel_all"), [0], SEED)
    places = {fault.place.removeprefix("tisagenlecleucel_all.yaml ") for fault in refusal.value.faults}
    assert places == {
        "model.own",
        "receptor.kind",
        "response.criteria",
        "screening.history.measures",
        "screening.marrow.measures",
        "screening.clinic.measures",
    }


BY_WEIGHT = "by_weight: {up_to: 70 kg, target: 1e7 cells/kg, lowest: 1e6 cells/kg, highest: 1.5e7 cells/kg}"


def test_a_dose_by_weight_is_given_by_the_weight_of_each_patient():
    part = simulated(("highest: 0.1e9 cells", f"highest: 0.1e9 cells\n      {BY_WEIGHT}"))
    first = [ask for ask in part.treated.asks if ask.level == "level_1"]
    assert first
    for ask in first:
        assert ask.weight_kg == part.waiting.baseline.weight[ask.row]
        target, highest = (0.01 * ask.weight_kg, 0.015 * ask.weight_kg) if ask.weight_kg <= 70 else (0.1, 0.1)
        assert ask.dose.assigned == pytest.approx(target)
        assert ask.dose.given == pytest.approx(min(ask.dose.achieved, highest))
    assert journey_table(part).height  # every step was allowed, the gate at the bedside included


def test_a_single_arm_treats_everybody_at_one_level_and_nobody_later_than_an_escalation_does(base):
    levels = TEXT[TEXT.index("    - name: level_1") : TEXT.index("    - name: expansion")]
    escalation = TEXT[TEXT.index("  escalation:") : TEXT.index("  expansion:\n")]
    part = simulated((levels, ""), (escalation, ""))
    assert {ask.level for ask in part.treated.asks} == {"expansion"}
    assert len(part.treated.asks) <= 30
    single, climbing = (sorted(ask.infusion for ask in one.treated.asks) for one in (part, base))
    assert len(single) >= len(climbing)
    assert all(early <= late for early, late in zip(single, climbing, strict=False))
    assert journey_table(part).height
