"""Each hard stop blocks, alone, an otherwise orderly step; random walks never infuse past one."""

from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graftline.base.verdict import PASSED, Outcome, Verdict
from graftline.infusion import Bedside, dose_to_give
from graftline.journey import MACHINES, Facts, Hold, Signed, Stagger, advance, all_guards
from graftline.records import Batch, Sterility

CODE, BAGS = "COI-1", frozenset({"bag 1"})
BAD = Verdict(Outcome.FAIL, ("not so",))
GOOD_BATCH = Batch(
    patient=CODE,
    viable_fraction=0.9,
    cd3_fraction=0.95,
    transduced_fraction=0.4,
    copies_per_cell=2.0,
    transduced_cells=5.0,
    sterility=Sterility.STERILE,
    identity_test=True,
)


def orderly(protocol, machine, name, **changes):
    """Facts with which the transition passes."""
    level = next(one for one in protocol.dosing.levels if one.name == protocol.dosing.escalation.start_level)
    way = next(one for one in MACHINES[machine].transitions if one.name == name)
    bedside = Bedside(
        patient=CODE,
        wristband=CODE,
        bag_identities=(CODE,),
        bags_scanned=BAGS,
        bags_on_manifest=BAGS,
        second_person_agrees=True,
        expires=datetime(2021, 1, 1),
        now=datetime(2020, 1, 1),
        active_infection=False,
        fever=False,
        tocilizumab_doses=2,
        days_after_conditioning=4.0,
    )
    facts = Facts(
        protocol=protocol,
        patient=CODE,
        linked={
            "course": frozenset({"RELEASED"}),
            "bag": frozenset({"STORED"}),
            "subject": frozenset({"AWAITING_PRODUCT"}),
        },
        confirmed=dict.fromkeys([*all_guards(), "cohort_open"], True),
        decided={one: PASSED for one in all_guards() if one.startswith("eligible_")},
        signed=tuple(
            Signed(person=f"{one.role}", role=one.role, meaning=one.meaning, delegated=True, trained=True)
            for one in way.signs
        ),
        scans=(CODE, CODE),
        bags_scanned=BAGS,
        bags_on_manifest=BAGS,
        collected_cells=50.0,
        collections=0,
        batch=GOOD_BATCH,
        stagger=Stagger(level=level.name, infusions_here=(), infusions_elsewhere=(), today=100),
        dose=dose_to_give(5.0, level),
        bedside=bedside,
    )
    return replace(facts, **changes)


STEPS = {
    "release": ("course", "IN_QC", {}),
    "ship_to_plant": ("course", "COLLECTED", {}),
    "accept": ("course", "RECEIVED_MFG", {}),
    "start_manufacture": ("course", "ACCEPTED", {}),
    "clear_lymphodepletion": ("infusion", "PLANNED", {}),
    "start_lymphodepletion": ("infusion", "LD_CLEARED", {}),
    "clear_infusion_urgently": ("infusion", "LD_DONE", {}),
    "receive": ("shipment", "ARRIVED", {}),
    "infuse": ("infusion", "THAWED", {"linked": {"course": frozenset({"RELEASED"}), "bag": frozenset({"THAWED"})}}),
}


def attempt(protocol, name, **changes):
    machine, state, own = STEPS[name]
    return advance(MACHINES[machine], state, name, orderly(protocol, machine, name, **{**own, **changes})).verdict


@pytest.mark.parametrize("name", STEPS)
def test_an_orderly_step_passes(reference, name):
    verdict = attempt(reference, name)
    assert verdict.passed, verdict.reasons


def answers(**wrong):
    return {"confirmed": dict.fromkeys([*all_guards(), "cohort_open"], True) | wrong}


def too_soon(protocol):
    level = protocol.dosing.escalation.start_level
    return {"stagger": Stagger(level=level, infusions_here=(99,), infusions_elsewhere=(), today=100)}


@pytest.mark.parametrize(
    ("number", "name", "changes"),
    [
        ("H1", "infuse", {"scans": (CODE, "COI-2")}),
        ("H1", "infuse", {"scans": (CODE, None)}),
        ("H1", "clear_infusion_urgently", {"holds": frozenset({Hold.IDENTITY})}),
        ("H2", "infuse", {"typed_by_hand": True}),
        ("H3", "accept", answers(transport_in_limits=False)),
        ("H3", "receive", answers(transport_in_limits=None)),
        ("H4", "accept", answers(product_in_date=False)),
        ("H4", "start_lymphodepletion", answers(product_in_date=None)),
        ("H5", "release", {"batch": replace(GOOD_BATCH, viable_fraction=0.1)}),
        ("H5", "release", {"batch": replace(GOOD_BATCH, sterility=Sterility.PENDING)}),
        ("H6", "start_lymphodepletion", {"linked": {"course": frozenset({"IN_QC"}), "bag": frozenset({"STORED"})}}),
        (
            "H6",
            "start_lymphodepletion",
            {"linked": {"course": frozenset({"RELEASED"}), "bag": frozenset({"SHIPPED_OUT"})}},
        ),
        (
            "H6",
            "start_lymphodepletion",
            {"linked": {"course": frozenset({"RELEASED"}), "bag": frozenset({"STORED", "QUARANTINE"})}},
        ),
        ("H7", "start_lymphodepletion", {"decided": {"eligible_before_lymphodepletion": BAD}}),
        ("H7", "start_lymphodepletion", {"decided": {}}),
        ("H8", "start_lymphodepletion", {"holds": frozenset({Hold.CONSENT})}),
        ("H8", "start_lymphodepletion", answers(consent_current=None)),
        ("H9", "receive", {"bags_scanned": frozenset()}),
        ("H9", "receive", {"bags_on_manifest": frozenset({"bag 1", "bag 2"})}),
        ("H10", "start_lymphodepletion", answers(cohort_open=False)),
        ("H11", "start_manufacture", answers(line_clear=False)),
        ("H12", "ship_to_plant", answers(labels_reconciled=False)),
        ("H13", "release", {"signed": ()}),
        ("H13", "release", {"doer": "QP"}),
        ("H14", "release", {"ledger_verifies": False}),
    ],
)
def test_each_hard_stop_blocks_an_otherwise_orderly_step(reference, number, name, changes):
    assert attempt(reference, name).passed
    assert not attempt(reference, name, **changes).passed, number


def test_an_unelapsed_stagger_stops_chemotherapy_but_not_a_slot_and_not_the_infusion(reference):
    assert attempt(reference, "start_lymphodepletion", **too_soon(reference)).failed
    assert attempt(reference, "infuse", **too_soon(reference)).passed
    slot = orderly(reference, "subject", "hold_slot", **too_soon(reference))
    assert advance(MACHINES["subject"], "ELIGIBLE", "hold_slot", slot).verdict.passed


def test_after_chemotherapy_open_administration_takes_the_urgent_path(reference):
    open_points = {"holds": frozenset({Hold.CONSENT}), "ledger_verifies": False}
    assert attempt(reference, "clear_infusion_urgently", **open_points).passed
    assert attempt(reference, "clear_infusion_urgently", **answers(committee_informed=False)).failed


def test_an_expired_training_or_a_missing_delegation_refuses_the_signature(reference):
    facts = orderly(reference, "course", "release")
    for change in ({"delegated": None}, {"trained": False}):
        signed = tuple(replace(one, **change) for one in facts.signed)
        assert not attempt(reference, "release", signed=signed).passed


def test_bags_are_compared_with_the_manifest_of_the_shipment_and_not_with_the_lot(reference):
    lot = frozenset({"bag 1", "bag 2", "bag 3"})
    assert attempt(reference, "receive", bags_scanned=BAGS, bags_on_manifest=BAGS).passed
    assert attempt(reference, "receive", bags_scanned=lot, bags_on_manifest=BAGS).failed


def test_identity_failure_or_growth_is_never_supplied_out_of_specification(reference):
    for change in ({"identity_test": False}, {"sterility": Sterility.GROWTH}, {"patient": "COI-2"}):
        batch = replace(GOOD_BATCH, viable_fraction=0.1, **change)
        facts = orderly(reference, "course", "supply_out_of_specification", batch=batch)
        asked = answers(mycoplasma_negative=True, replication_competent_virus_negative=True)["confirmed"]
        facts = replace(facts, confirmed=asked)
        assert advance(MACHINES["course"], "OOS_HELD", "supply_out_of_specification", facts).verdict.failed


ALL = [(machine.name, way.name) for machine in MACHINES.values() for way in machine.transitions]
TOWARDS = [
    ("bag", "release"), ("shipment", "dispatch"), ("bag", "ship"), ("shipment", "arrive"), ("shipment", "receive"),
    ("bag", "receive"), ("bag", "store"), ("infusion", "clear_lymphodepletion"), ("infusion", "start_lymphodepletion"),
    ("infusion", "finish_lymphodepletion"), ("infusion", "clear_infusion"), ("bag", "thaw"), ("infusion", "thaw"),
    ("infusion", "infuse"),
]  # fmt: skip


@st.composite
def walks(draw):
    """A way to the infusion with steps left out and others thrown in; some steps with something amiss."""
    kept = [one for one in [("course", "release"), *TOWARDS] if draw(st.integers(0, 29)) > 0]
    for place, step in draw(st.lists(st.tuples(st.integers(0, 14), st.sampled_from(ALL)), max_size=2)):
        kept.insert(place, step)
    amiss = st.sampled_from([None] * 40 + ["scans", "batch", "manifest", "hold"])
    return [(machine, name, draw(amiss)) for machine, name in kept]


CHANGES = {
    None: {},
    "scans": {"scans": (CODE, "COI-2")},
    "batch": {"batch": replace(GOOD_BATCH, patient="COI-2")},
    "manifest": {"bags_scanned": frozenset({"bag 9"})},
    "hold": {"holds": frozenset({Hold.IDENTITY})},
}


def walk_to_the_end(protocol, steps):
    """States in the end, and the steps that were taken with what was amiss at each."""
    standing = {name: machine.initial for name, machine in MACHINES.items()}
    standing |= {"subject": "AWAITING_PRODUCT", "course": "IN_QC"}
    taken = []
    for name, transition, amiss in steps:
        linked = {other: frozenset({state}) for other, state in standing.items()}
        facts = orderly(protocol, name, transition, linked=linked, **CHANGES[amiss])
        found = advance(MACHINES[name], standing[name], transition, facts)
        if found.verdict.passed:
            standing[name] = found.state
            taken.append((name, transition, amiss))
    return standing, taken


def test_the_straight_way_ends_in_an_infusion(reference):
    standing, _ = walk_to_the_end(reference, [(*one, None) for one in [("course", "release"), *TOWARDS]])
    assert standing["infusion"] == "INFUSED"


@settings(max_examples=300, deadline=None)
@given(steps=walks())
def test_no_random_walk_infuses_without_release_receipt_and_identity(reference, steps):
    _, taken = walk_to_the_end(reference, steps)
    names = [(machine, transition) for machine, transition, _ in taken]
    for machine, transition, amiss in taken:
        if (machine, transition) in (("infusion", "infuse"), ("infusion", "infuse_below_range")):
            before = names[: names.index((machine, transition))]
            assert {("course", "release"), ("course", "release_conditionally")} & set(before)
            assert {("shipment", "receive"), ("bag", "store"), ("bag", "thaw")} <= set(before)
            assert amiss in (None, "batch")
            assert ("course", "release", "batch") not in taken
