"""The tables of the journey: complete, without dead ends, drawn as committed."""

from pathlib import Path

import pytest

from graftline.evidence import all_cards
from graftline.journey import (
    HARD_STOPS,
    MACHINES,
    SAFETY_ACTS,
    Facts,
    Hold,
    advance,
    all_guards,
    draw_tables,
    limit_days,
    may_act_for_safety,
    within_limit,
)

MAY_END = {
    "subject": {"SCREEN_FAIL", "WITHDRAWN", "DIED", "CLOSED"},
    "course": {"DESTROYED", "CLOSED"},
    "shipment": {"CLOSED"},
    "bag": {"DESTROYED", "CLOSED"},
    "infusion": {"CLOSED"},
}
NOTHING_IN_ORDER = Facts(holds=frozenset(Hold), ledger_verifies=False)
machines = pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES)


def reached_from(machine, start):
    found, edge = {start}, [start]
    while edge:
        further = {way.to for way in machine.ways_on(edge.pop())} - found
        found |= further
        edge += further
    return found


@machines
def test_every_state_is_reached_from_the_first(machine):
    assert reached_from(machine, machine.initial) == set(machine.by_state)


@machines
def test_every_state_leads_to_an_end_and_only_ends_have_no_way_out(machine):
    ends = {state.name for state in machine.states if state.terminal}
    assert ends == MAY_END[machine.name]
    for name in machine.by_state:
        assert bool(machine.ways_on(name)) == (name not in ends)
        assert reached_from(machine, name) & ends


@machines
def test_every_side_state_has_a_time_limit_whose_way_on_exists(machine, reference):
    for state in machine.states:
        assert state.limit is not None or not state.side, state.name
        if state.limit is not None:
            assert machine.find(state.name, state.limit.then), (state.name, state.limit.then)
            assert limit_days(state.limit, reference) > 0
            assert state.limit.card == "" or state.limit.card in all_cards()


@machines
def test_transitions_name_states_of_their_own_table(machine):
    for way in machine.transitions:
        assert {*way.sources, way.to} <= set(machine.by_state), way.name


def test_an_overstayed_state_names_the_way_that_is_due(reference):
    infusion = MACHINES["infusion"]
    days = reference.infusion.latest_after_conditioning.to("days")
    assert within_limit(infusion, "LD_DONE", days, reference).passed
    late = within_limit(infusion, "LD_DONE", days + 1, reference)
    assert late.failed and "'cells_not_usable' is due" in late.reasons[0]
    assert within_limit(infusion, "LD_DONE", None, reference).unknown
    assert within_limit(infusion, "INFUSED", None, reference).passed


def test_one_name_of_a_guard_means_one_thing():
    ways = [way for machine in MACHINES.values() for way in machine.transitions]
    texts = {(guard.name, guard.text) for way in ways for guard in way.guards}
    assert len(texts) == len({name for name, _ in texts})


def test_every_hard_stop_is_held_by_a_guard_or_a_signature():
    held = {number for guard in all_guards().values() for number in guard.hard_stops} | {"H13"}
    assert held == {stop.number for stop in HARD_STOPS} == {f"H{number}" for number in range(1, 15)}


@machines
def test_safety_acts_are_never_blocked_in_any_state(machine):
    for state in machine.by_state:
        for act in SAFETY_ACTS:
            assert may_act_for_safety(act.name, machine, state, NOTHING_IN_ORDER).passed


@machines
def test_nothing_but_safety_passes_when_nothing_is_in_order(machine):
    for way in machine.transitions:
        for source in way.sources:
            assert advance(machine, source, way.name, NOTHING_IN_ORDER).verdict.passed == way.never_blocked
            assert advance(machine, source, way.name, NOTHING_IN_ORDER).state == (
                way.to if way.never_blocked else source
            )


def test_death_and_withdrawal_are_possible_in_every_state_that_is_no_end():
    subject = MACHINES["subject"]
    for state in subject.states:
        if not state.terminal:
            assert advance(subject, state.name, "die", NOTHING_IN_ORDER).state == "DIED"
            names = {way.name for way in subject.ways_on(state.name) if way.never_blocked}
            assert names & {"withdraw", "withdraw_after_chemotherapy"} or state.name.startswith("WITHDRAWN")


def test_lymphodepleted_without_cells_has_its_ways_on():
    ways = {way.name for way in MACHINES["infusion"].ways_on("LYMPHODEPLETED_WITHOUT_CELLS")}
    assert ways == {"use_second_bag", "wait_for_remake", "abandon"}
    for state in ("LD_RUNNING", "LD_DONE", "DELAYED", "INFUSION_CLEARED", "THAWED"):
        way = MACHINES["infusion"].find(state, "cells_not_usable")
        assert way is not None and way.never_blocked


def test_an_unknown_transition_is_refused_and_moves_nothing():
    found = advance(MACHINES["infusion"], "PLANNED", "infuse", NOTHING_IN_ORDER)
    assert (
        found.verdict.failed and found.state == "PLANNED" and "no way 'infuse' from PLANNED" in found.verdict.reasons[0]
    )


def test_the_page_in_the_docs_is_the_one_drawn_from_the_tables():
    page = Path(__file__).parents[2] / "docs" / "reference" / "journey.md"
    assert page.read_text("utf-8") == draw_tables(), "run: python -m graftline.journey docs/reference/journey.md"
