"""The guards of the tables. Where one is a clinical rule it calls the rule of the step, which the plan calls too."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..apheresis import accept_collection, may_collect_again
from ..base.units import Quantity
from ..base.verdict import PASSED, Outcome, Verdict, check, check_at_least
from ..conditioning import Readiness, may_start_lymphodepletion
from ..escalation import may_treat_next
from ..infusion import in_window, may_infuse, outside_window
from ..manufacture import Sterility, may_release
from ..protocol.criteria import Moment
from ..screening import eligible
from .facts import Facts, Hold
from .machine import Guard

USABLE_PRODUCT = frozenset({"RELEASED", "RELEASED_CONDITIONALLY", "SUPPLIED_OOS"})
NOT_KNOWN = Verdict(Outcome.UNKNOWN, ("not known: the record that this guard needs",))


def confirmed(name: str, text: str, *hard_stops: str, administrative: bool = False) -> Guard:
    """A guard that a person or a device answers."""
    return Guard(
        name=name,
        text=text,
        rule=lambda facts: check(facts.confirmed.get(name), text),
        hard_stops=hard_stops,
        administrative=administrative,
    )


def linked(machine: str, *states: str) -> Guard:
    """A guard across machines: every object of that machine which belongs to the act stands in one of the states."""
    text = f"{machine} in {' or '.join(states)}"
    return Guard(
        name=f"{machine}_{'_or_'.join(states).lower()}",
        text=text,
        rule=lambda facts: check(_all_in(facts, machine, frozenset(states)), text),
    )


def _all_in(facts: Facts, machine: str, states: frozenset[str]) -> bool | None:
    found = facts.linked.get(machine)
    return found <= states if found else None


def _rule(
    name: str, text: str, rule: Callable[[Facts], Verdict], *hard_stops: str, administrative: bool = False
) -> Guard:
    """A guard that asks a step's rule, unless the rule was already asked for many patients at once."""
    return Guard(
        name=name,
        text=text,
        rule=lambda facts: facts.decided[name] if name in facts.decided else rule(facts),
        hard_stops=hard_stops,
        administrative=administrative,
    )


def _eligible(facts: Facts, *moments: Moment) -> Verdict:
    if facts.protocol is None or facts.measured is None:
        return NOT_KNOWN
    criteria, measured = facts.protocol.eligibility, facts.measured
    return Verdict.from_checks(*(eligible(criteria, moment, measured)[0] for moment in moments))


def _eligibility(name: str, text: str, *moments: Moment) -> Guard:
    return _rule(name, text, lambda facts: _eligible(facts, *moments), "H7")


eligible_at_prescreening = _eligibility(
    "eligible_at_prescreening", "criteria of pre-screening hold, none unknown", Moment.PRESCREENING
)
eligible_at_screening = _eligibility(
    "eligible_at_screening",
    "criteria of pre-screening and screening hold, none unknown, no waivers",
    Moment.PRESCREENING,
    Moment.SCREENING,
)
eligible_before_apheresis = _eligibility(
    "eligible_before_apheresis", "criteria that must hold before apheresis hold", Moment.BEFORE_APHERESIS
)
eligible_before_lymphodepletion = _eligibility(
    "eligible_before_lymphodepletion",
    "criteria that must hold before lymphodepletion hold",
    Moment.BEFORE_LYMPHODEPLETION,
)


def _identity(facts: Facts) -> Verdict:
    codes = (facts.patient, *facts.scans)
    different = len({code for code in codes if code}) > 1
    missing = not facts.scans or not all(codes)
    return check(False if different else None if missing else True, "the codes scanned are not one and the same")


identity_matches = Guard(
    name="identity_matches", text="every code scanned is the subject's", rule=_identity, hard_stops=("H1",)
)


def _scanned(facts: Facts) -> Verdict:
    if not facts.typed_by_hand:
        return PASSED
    asked = ("check_character_right", "second_person_read_it_too", "reason_for_typing")
    return Verdict.from_checks(*(check(facts.confirmed.get(name), name.replace("_", " ")) for name in asked))


scanned_not_typed = Guard(
    name="scanned_not_typed",
    text="codes are scanned; typed only with the right check character, a second person and a reason",
    rule=_scanned,
    hard_stops=("H2",),
)
IDENTITY = (identity_matches, scanned_not_typed)


def _manifest(facts: Facts) -> Verdict:
    scanned, listed = facts.bags_scanned, facts.bags_on_manifest
    known = scanned is not None and listed is not None
    return check((bool(scanned) and scanned == listed) if known else None, "the bags scanned are those on the manifest")


bags_are_on_the_manifest = Guard(
    name="bags_are_on_the_manifest",
    text="the bags scanned are those on the manifest of this shipment (not of the lot)",
    rule=_manifest,
    hard_stops=("H9",),
)


def _enough(facts: Facts) -> Verdict:
    if facts.protocol is None or facts.collected_cells is None:
        return NOT_KNOWN
    return accept_collection(np.array([facts.collected_cells]), facts.protocol.apheresis)[0]


collection_is_enough = _rule("collection_is_enough", "the collection reaches the protocol's minimum", _enough)


def _again(facts: Facts) -> Verdict:
    if facts.protocol is None or facts.collections is None:
        return NOT_KNOWN
    return may_collect_again(facts.collections, facts.protocol.apheresis)


may_be_collected_again = _rule("may_be_collected_again", "the protocol allows one more collection", _again)


def _released(facts: Facts, *, conditional: bool) -> Verdict:
    if facts.protocol is None or facts.batch is None or facts.patient is None:
        return NOT_KNOWN
    written = facts.protocol.manufacture.release
    if conditional:
        allowed = check(written.sterility == "conditional", "the protocol does not allow conditional release")
        return allowed & may_release(facts.batch, written, facts.patient)
    return may_release(facts.batch, written.model_copy(update={"sterility": "required"}), facts.patient)


in_specification = _rule(
    "in_specification",
    "all release results are in, within specification, sterile and of this patient",
    lambda facts: _released(facts, conditional=False),
    "H1",
    "H5",
)
in_specification_but_for_pending = _rule(
    "in_specification_but_for_pending",
    "the protocol allows conditional release and all results but the pending sterility test are within specification",
    lambda facts: _released(facts, conditional=True),
    "H1",
    "H5",
)


def _out(facts: Facts) -> Verdict:
    verdict = facts.decided.get("in_specification", _released(facts, conditional=False))
    return check(None if verdict.unknown else verdict.failed, "a release result is out of specification")


out_of_specification = Guard(
    name="out_of_specification", text="a release result is out of specification", rule=_out, hard_stops=("H5",)
)


def _may_be_supplied(facts: Facts) -> Verdict:
    batch = facts.batch
    if batch is None or facts.patient is None:
        return NOT_KNOWN
    sterile = None if batch.sterility is Sterility.PENDING else batch.sterility is Sterility.STERILE
    return Verdict.from_checks(
        check(batch.patient == facts.patient, "made for another patient"),
        check(batch.identity_test, "identity test does not show the patient's cells"),
        check(sterile, "never supplied with positive sterility"),
        check(facts.confirmed.get("mycoplasma_negative"), "never supplied with mycoplasma"),
        check(facts.confirmed.get("replication_competent_virus_negative"), "never with replication-competent virus"),
    )


may_be_supplied_out_of_specification = Guard(
    name="may_be_supplied_out_of_specification",
    text="not for identity failure, positive sterility, mycoplasma or replication-competent virus",
    rule=_may_be_supplied,
    hard_stops=("H1", "H5"),
)


def _stagger(facts: Facts) -> Verdict:
    if facts.protocol is None or facts.stagger is None:
        return NOT_KNOWN
    so_far = facts.stagger
    return may_treat_next(
        facts.protocol.dosing, so_far.level, so_far.infusions_here, so_far.infusions_elsewhere, so_far.today
    )


def _may_start(facts: Facts) -> Verdict:
    out = bool(_all_in(facts, "course", frozenset({"SUPPLIED_OOS"})))
    ready = Readiness(
        product_released=_all_in(facts, "course", USABLE_PRODUCT),
        product_at_site=_all_in(facts, "bag", frozenset({"STORED"})),
        product_in_date=facts.confirmed.get("product_in_date"),
        eligibility=eligible_before_lymphodepletion.rule(facts),
        stagger=_stagger(facts),
        cohort_open=facts.confirmed.get("cohort_open"),
        consent_current=facts.confirmed.get("consent_current"),
        supplied_out_of_specification=out,
        second_consent=facts.second_consent,
    )
    return may_start_lymphodepletion(ready)


may_start_chemotherapy = Guard(
    name="may_start_chemotherapy",
    text="product released, stored at the hospital and in date; still eligible; stagger elapsed; cohort open; consent",
    rule=_may_start,
    hard_stops=("H4", "H6", "H7", "H8", "H10"),
)
cells_are_at_hand = Guard(
    name="cells_are_at_hand",
    text="the course is released (or supplied out of specification) and every bag is stored at the hospital",
    rule=lambda facts: (
        check(_all_in(facts, "course", USABLE_PRODUCT), "the product is not released")
        & check(_all_in(facts, "bag", frozenset({"STORED"})), "the bags are not stored at the hospital")
    ),
    hard_stops=("H6",),
)
cells_are_thawed = Guard(
    name="cells_are_thawed",
    text="the course is released (or supplied out of specification) and the bag is thawed at the bedside",
    rule=lambda facts: (
        check(_all_in(facts, "course", USABLE_PRODUCT), "the product is not released")
        & check(_all_in(facts, "bag", frozenset({"THAWED"})), "the bag is not thawed")
    ),
)


def _ready(facts: Facts) -> Verdict:
    bedside = facts.bedside
    if facts.protocol is None or bedside is None:
        return NOT_KNOWN
    window = facts.protocol.infusion
    return Verdict.from_checks(
        check(None if bedside.active_infection is None else not bedside.active_infection, "active infection"),
        check(None if bedside.fever is None else not bedside.fever, "fever"),
        check_at_least(bedside.tocilizumab_doses, window.minimum_tocilizumab_doses, "too few doses of tocilizumab"),
        in_window(window, bedside.days_after_conditioning),
    )


fit_for_infusion = Guard(
    name="fit_for_infusion",
    text="inside the infusion window; no active infection, no fever; tocilizumab at hand",
    rule=_ready,
)


def _may_give(facts: Facts, *, below_range: bool = False) -> Verdict:
    if facts.protocol is None or facts.bedside is None or facts.dose is None or facts.stagger is None:
        return NOT_KNOWN
    level = next((one for one in facts.protocol.dosing.levels if one.name == facts.stagger.level), None)
    if level is None:
        return Verdict(Outcome.FAIL, ("the dose level is not in the protocol",))
    if below_range:
        level = level.model_copy(update={"lowest": Quantity(0.0, "cells")})
    ordered = check(facts.dose.given > 0, "no cells") & check(
        None if facts.patient is None else facts.patient == facts.bedside.patient, "the order is not this subject's"
    )
    return ordered & may_infuse(facts.bedside, facts.dose, level, facts.protocol.infusion)


may_be_given = Guard(
    name="may_be_given",
    text="wristband, order and bags carry one code, two persons; bags as on the manifest; in date; dose in range",
    rule=_may_give,
    hard_stops=("H1", "H4", "H9"),
)


may_be_given_below_range = Guard(
    name="may_be_given_below_range",
    text="as may_be_given, but for the lower end of the dose range: the subject counts at the dose achieved",
    rule=lambda facts: _may_give(facts, below_range=True),
    hard_stops=("H1", "H4", "H9"),
)


def outside_window_way(way: str) -> Guard:
    """The way on that the protocol's rule names for a lymphodepleted patient who cannot be infused today."""

    def rule(facts: Facts) -> Verdict:
        bedside, usable, repeat = facts.bedside, facts.cells_usable, facts.may_repeat_conditioning
        if facts.protocol is None or bedside is None or bedside.days_after_conditioning is None:
            return NOT_KNOWN
        if usable is None or repeat is None:
            return NOT_KNOWN
        days = bedside.days_after_conditioning
        decision = outside_window(facts.protocol.infusion, days, cells_usable=usable, may_repeat=repeat)
        return check(decision.action == way, f"the way on is '{decision.action}'")

    return Guard(
        name=f"way_on_is_{way}", text=f"outside the infusion window the protocol's rule says '{way}'", rule=rule
    )


def _no_hold(kind: Hold, text: str, hard_stop: str, *, administrative: bool) -> Guard:
    return Guard(
        name=f"no_{kind.value}_hold",
        text=text,
        rule=lambda facts: check(None if facts.holds is None else kind not in facts.holds, f"frozen: {text} is open"),
        hard_stops=(hard_stop,),
        administrative=administrative,
    )


EVERYWHERE = (
    _no_hold(Hold.IDENTITY, "investigation of an identity mismatch", "H1", administrative=False),
    _no_hold(Hold.CONSENT, "consent to the version in force", "H8", administrative=True),
    Guard(
        name="ledger_verifies",
        text="the head of the ledger verifies",
        rule=lambda facts: check(facts.ledger_verifies, "the head of the ledger does not verify"),
        hard_stops=("H14",),
        administrative=True,
    ),
)
"""asked at every transition that is not a safety act"""

consent_current = confirmed("consent_current", "the consent in force for site and language is signed", "H8")
in_date = confirmed("product_in_date", "material or product is in date, time zone included", "H4")
labels_reconciled = confirmed("labels_reconciled", "labels printed = used + destroyed", "H12")
line_clear = confirmed(
    "line_clear", "line cleared; one chain of identity in the room, one subject on the screen", "H11"
)
transport_in_limits = confirmed(
    "transport_in_limits", "seal intact; temperature, logger, tilt and hold time within limits", "H3"
)
impact_assessed = confirmed("impact_assessed", "quality has assessed the impact and the investigation is closed", "H3")
rescanned_by_two_others = confirmed("rescanned_by_two_others", "the same codes re-scanned by two others", "H1")
shipper_qualified = confirmed(
    "shipper_qualified", "shipper qualified and inside its hold time, logger started, temperature class set", "H3"
)
