"""The course's table: one collection, its manufacture and its product lot, under one chain-of-identity code."""

from __future__ import annotations

from .guards import (
    IDENTITY,
    bags_are_on_the_manifest,
    collection_is_enough,
    confirmed,
    impact_assessed,
    in_date,
    in_specification,
    in_specification_but_for_pending,
    labels_reconciled,
    line_clear,
    linked,
    may_be_collected_again,
    may_be_supplied_out_of_specification,
    out_of_specification,
    rescanned_by_two_others,
    shipper_qualified,
    transport_in_limits,
)
from .machine import Limit, Machine, Signature, State, Transition

_REASON = confirmed("reason_recorded", "the reason is recorded")
_UNBROKEN = (
    confirmed("deviations_closed", "deviations are closed or assessed"),
    confirmed("chains_unbroken", "chains of identity and custody are unbroken"),
)
_TWO_WITNESSES = (
    Signature("MO", "destroyed or kept as the consent allows"),
    Signature("QC", "witnessed", second_check=True),
)
_CERTIFIED = (Signature("QC", "results"), Signature("QP", "certified", second_check=True))
_REVIEW = "journey_side_state_review"
_STARTING = ("COLLECTED", "SHIPPED_IN", "RECEIVED_MFG", "ACCEPTED")
_PRODUCT = ("IN_MANUFACTURE", "IN_QC", "RELEASED_CONDITIONALLY", "RELEASED", "SUPPLIED_OOS")
_STOPPED = ("REMAKE", "REAPHERESIS", "QUARANTINE_MATERIAL", "QUARANTINE_PRODUCT", "OOS_HELD", "RECALLED", "EXPIRED")

_STATES = (
    State(name="COI_ISSUED", meaning="the chain-of-identity code is issued, nothing is collected yet"),
    State(name="COLLECTED", meaning="starting material is collected and labelled"),
    State(
        name="SHIPPED_IN",
        meaning="on its way to the plant",
        limit=Limit(card="journey_fresh_material", then="quarantine_material"),
    ),
    State(name="RECEIVED_MFG", meaning="at the plant, not accepted yet"),
    State(name="ACCEPTED", meaning="accepted as starting material; waits for its slot"),
    State(name="IN_MANUFACTURE", meaning="on the line"),
    State(
        name="IN_QC",
        meaning="made; release tests are running",
        limit=Limit(card="journey_qc", then="quarantine_product"),
    ),
    State(
        name="RELEASED_CONDITIONALLY",
        meaning="released with the sterility test pending",
        side=True,
        limit=Limit(field="manufacture.release.sterility_takes", then="release"),
    ),
    State(name="RELEASED", meaning="certified", limit=Limit(field="manufacture.shelf_life", then="expire")),
    State(
        name="OOS_HELD",
        meaning="a release result is out of specification",
        side=True,
        limit=Limit(card=_REVIEW, then="destroy"),
    ),
    State(
        name="SUPPLIED_OOS",
        meaning="supplied out of specification at the physician's request, all five steps complete",
        side=True,
        limit=Limit(field="manufacture.shelf_life", then="expire"),
    ),
    State(
        name="REMAKE",
        meaning="to be made again from frozen reserve",
        side=True,
        limit=Limit(card=_REVIEW, then="give_up_remake"),
    ),
    State(
        name="REAPHERESIS",
        meaning="to be collected again: new donation number, same chain of identity",
        side=True,
        limit=Limit(card=_REVIEW, then="destroy"),
    ),
    State(
        name="QUARANTINE_MATERIAL",
        meaning="starting material kept apart until its case is decided",
        side=True,
        limit=Limit(card=_REVIEW, then="destroy"),
    ),
    State(
        name="QUARANTINE_PRODUCT",
        meaning="product kept apart until its case is decided",
        side=True,
        limit=Limit(card=_REVIEW, then="destroy"),
    ),
    State(
        name="RECALLED",
        meaning="called back after release (late positive result); the treating physician is told at once",
        side=True,
        limit=Limit(card=_REVIEW, then="destroy"),
    ),
    State(name="EXPIRED", meaning="out of date", side=True, limit=Limit(card=_REVIEW, then="destroy")),
    State(name="DESTROYED", meaning="destroyed, or kept for research under the consent given", terminal=True),
    State(name="CLOSED", meaning="every bag is accounted for", terminal=True),
)

_TRANSITIONS = (
    Transition(
        name="collect",
        sources=("COI_ISSUED", "REAPHERESIS"),
        to="COLLECTED",
        number="T6",
        guards=(
            *IDENTITY,
            linked("subject", "COLLECTION_READY"),
            may_be_collected_again,
            confirmed("collection_recorded", "start, stop, volume and anticoagulant are recorded"),
            labels_reconciled,
        ),
        signs=(
            Signature("AP", "identity"),
            Signature("second person", "identity", second_check=True),
            Signature("AM", "complete"),
        ),
    ),
    Transition(
        name="ship_to_plant",
        sources=("COLLECTED",),
        to="SHIPPED_IN",
        number="T7",
        guards=(
            *IDENTITY,
            bags_are_on_the_manifest,
            collection_is_enough,
            labels_reconciled,
            shipper_qualified,
        ),
        signs=(Signature("AP", "given"), Signature("CU", "taken", second_check=True)),
    ),
    Transition(
        name="receive_at_plant",
        sources=("SHIPPED_IN",),
        to="RECEIVED_MFG",
        number="T8",
        guards=(*IDENTITY, bags_are_on_the_manifest, confirmed("logger_read", "seal looked at, logger read")),
        signs=(Signature("CU", "given"), Signature("MR", "taken", second_check=True)),
    ),
    Transition(
        name="accept",
        sources=("RECEIVED_MFG",),
        to="ACCEPTED",
        number="T9",
        guards=(transport_in_limits, in_date, collection_is_enough),
        signs=(Signature("QC", "starting material accepted"),),
    ),
    Transition(
        name="start_manufacture",
        sources=("ACCEPTED", "REMAKE"),
        to="IN_MANUFACTURE",
        number="T10",
        guards=(*IDENTITY, line_clear, in_date),
        signs=(Signature("MO", "line cleared"), Signature("second person", "identity", second_check=True)),
    ),
    Transition(
        name="finish_manufacture",
        sources=("IN_MANUFACTURE",),
        to="IN_QC",
        number="T11",
        guards=(confirmed("batch_record_complete", "batch record complete"), labels_reconciled),
        signs=(Signature("MO", "made"),),
    ),
    Transition(
        name="release_conditionally",
        sources=("IN_QC",),
        to="RELEASED_CONDITIONALLY",
        number="T11",
        guards=(in_specification_but_for_pending, *_UNBROKEN, in_date),
        signs=_CERTIFIED,
    ),
    Transition(
        name="release",
        sources=("IN_QC", "RELEASED_CONDITIONALLY"),
        to="RELEASED",
        number="T11",
        guards=(in_specification, *_UNBROKEN, in_date),
        signs=_CERTIFIED,
    ),
    Transition(
        name="hold_out_of_specification",
        sources=("IN_QC",),
        to="OOS_HELD",
        guards=(out_of_specification,),
        signs=(Signature("QC", "results"),),
    ),
    Transition(
        name="supply_out_of_specification",
        sources=("OOS_HELD",),
        to="SUPPLIED_OOS",
        guards=(
            may_be_supplied_out_of_specification,
            confirmed("physician_asked", "the physician asks, because no alternative averts an immediate hazard"),
            confirmed("risk_evaluation_sent", "the manufacturer has sent its risk evaluation", "H5"),
            confirmed("physician_accepted", "the physician has accepted the product as it is"),
            confirmed("sponsor_told", "the manufacturer has told the sponsor"),
            confirmed("authority_told", "the sponsor has told the authority, as the country's rule asks"),
            confirmed("patient_informed", "the patient is informed and agrees"),
        ),
        signs=(
            Signature("PI", "requested and accepted"),
            Signature("QP", "risk evaluated", second_check=True),
            Signature("SP", "authority told"),
        ),
    ),
    Transition(
        name="remake",
        sources=("OOS_HELD", "QUARANTINE_PRODUCT", "RECALLED", "EXPIRED", "IN_MANUFACTURE"),
        to="REMAKE",
        guards=(
            confirmed("reserve_kept", "frozen reserve of the collection is enough"),
            confirmed("attempt_allowed", "the protocol allows one more batch"),
        ),
        signs=(Signature("QC", "reserve usable"), Signature("PI", "remake")),
    ),
    Transition(
        name="collect_again",
        sources=("COLLECTED", "IN_MANUFACTURE", *_STOPPED[:1], *_STOPPED[2:]),
        to="REAPHERESIS",
        guards=(may_be_collected_again, confirmed("attempt_allowed", "the protocol allows one more batch")),
        signs=(Signature("PI", "new collection"),),
    ),
    Transition(name="give_up_remake", sources=("REMAKE",), to="OOS_HELD", signs=(Signature("QC", "not usable"),)),
    Transition(name="quarantine_material", sources=_STARTING, to="QUARANTINE_MATERIAL", never_blocked=True),
    Transition(name="quarantine_product", sources=_PRODUCT, to="QUARANTINE_PRODUCT", never_blocked=True),
    Transition(
        name="lift_quarantine_of_material",
        sources=("QUARANTINE_MATERIAL",),
        to="RECEIVED_MFG",
        guards=(*IDENTITY, impact_assessed, rescanned_by_two_others, in_date),
        signs=(Signature("QC", "impact assessed"), Signature("QP", "lifted", second_check=True)),
    ),
    Transition(
        name="lift_quarantine_of_product",
        sources=("QUARANTINE_PRODUCT",),
        to="IN_QC",
        guards=(*IDENTITY, impact_assessed, rescanned_by_two_others, in_date),
        signs=(Signature("QC", "impact assessed"), Signature("QP", "lifted", second_check=True)),
    ),
    Transition(
        name="recall",
        sources=("RELEASED_CONDITIONALLY", "RELEASED", "SUPPLIED_OOS"),
        to="RECALLED",
        signs=(Signature("QP", "recalled; physician told at once"),),
        never_blocked=True,
    ),
    Transition(
        name="expire",
        sources=(*_STARTING, "IN_QC", "RELEASED_CONDITIONALLY", "RELEASED", "SUPPLIED_OOS"),
        to="EXPIRED",
        never_blocked=True,
    ),
    Transition(
        name="destroy",
        sources=(*_STARTING, *_PRODUCT, *_STOPPED),
        to="DESTROYED",
        guards=(_REASON, confirmed("as_consented", "destroyed, or used for research only as the consent allows")),
        signs=_TWO_WITNESSES,
    ),
    Transition(
        name="cancel", sources=("COI_ISSUED",), to="CLOSED", guards=(_REASON,), signs=(Signature("SP", "cancelled"),)
    ),
    Transition(
        name="close",
        sources=("RELEASED", "SUPPLIED_OOS"),
        to="CLOSED",
        guards=(linked("bag", "CLOSED", "DESTROYED"),),
        signs=(Signature("QC", "accounted for"),),
    ),
)

COURSE = Machine("course", "one collection, its manufacture and its product lot", _STATES, _TRANSITIONS)
