"""The tables of a shipment to the hospital and of each bag: one bag of three may stand in quarantine."""

from __future__ import annotations

from .guards import (
    IDENTITY,
    USABLE_PRODUCT,
    bags_are_on_the_manifest,
    confirmed,
    impact_assessed,
    in_date,
    labels_reconciled,
    linked,
    rescanned_by_two_others,
    shipper_qualified,
    transport_in_limits,
)
from .machine import Limit, Machine, Signature, State, Transition

_REVIEW = "journey_side_state_review"
_REASON = confirmed("reason_recorded", "the reason is recorded")
_FROZEN = confirmed("never_thawed", "the bag has stayed frozen")
_HAND_OVER = (Signature("CU", "given"), Signature("CT", "taken", second_check=True))
_USABLE = tuple(sorted(USABLE_PRODUCT))

SHIPMENT = Machine(
    "shipment",
    "the bags of one manifest on their way from the plant to the hospital",
    (
        State(name="PREPARED", meaning="manifest written, bags packed"),
        State(
            name="IN_TRANSIT",
            meaning="with the courier",
            limit=Limit(card="journey_shipper_hold", then="overdue"),
        ),
        State(name="ARRIVED", meaning="at the hospital, not compared with its manifest yet"),
        State(name="RECEIVED", meaning="every bag is on the manifest and every bag of the manifest is here"),
        State(
            name="OVERDUE",
            meaning="beyond its time or without signal",
            side=True,
            limit=Limit(card=_REVIEW, then="write_off"),
        ),
        State(
            name="QUARANTINE",
            meaning="out of limits, or bags differ from the manifest",
            side=True,
            limit=Limit(card=_REVIEW, then="write_off"),
        ),
        State(name="CLOSED", meaning="received and filed, called off, or written off", terminal=True),
    ),
    (
        Transition(
            name="dispatch",
            sources=("PREPARED",),
            to="IN_TRANSIT",
            number="T12",
            guards=(
                *IDENTITY,
                linked("course", *_USABLE),
                linked("bag", "RELEASED"),
                bags_are_on_the_manifest,
                confirmed("certified_for_destination", "certified for the destination where the country asks for it"),
                shipper_qualified,
                labels_reconciled,
                in_date,
            ),
            signs=(Signature("MO", "given"), Signature("CU", "taken", second_check=True)),
        ),
        Transition(
            name="call_off",
            sources=("PREPARED",),
            to="CLOSED",
            guards=(_REASON,),
            signs=(Signature("SP", "called off"),),
        ),
        Transition(
            name="arrive",
            sources=("IN_TRANSIT", "OVERDUE"),
            to="ARRIVED",
            number="T12",
            guards=(confirmed("logger_read", "seal looked at, logger read"),),
            signs=_HAND_OVER,
        ),
        Transition(
            name="receive",
            sources=("ARRIVED",),
            to="RECEIVED",
            number="T12",
            guards=(*IDENTITY, bags_are_on_the_manifest, transport_in_limits),
            signs=(Signature("CT", "received"),),
        ),
        Transition(name="overdue", sources=("IN_TRANSIT",), to="OVERDUE", never_blocked=True),
        Transition(
            name="quarantine", sources=("IN_TRANSIT", "OVERDUE", "ARRIVED"), to="QUARANTINE", never_blocked=True
        ),
        Transition(
            name="lift_quarantine",
            sources=("QUARANTINE",),
            to="ARRIVED",
            guards=(impact_assessed, rescanned_by_two_others),
            signs=(Signature("QC", "impact assessed"), Signature("QP", "lifted", second_check=True)),
        ),
        Transition(
            name="write_off",
            sources=("OVERDUE", "QUARANTINE"),
            to="CLOSED",
            guards=(_REASON, linked("bag", "DESTROYED", "CLOSED", "QUARANTINE", "BROKEN")),
            signs=(Signature("QP", "written off"), Signature("SP", "informed")),
        ),
        Transition(name="file", sources=("RECEIVED",), to="CLOSED", signs=(Signature("CT", "filed"),)),
    ),
)

_BAG_TRANSITIONS = (
    Transition(
        name="release",
        sources=("FILLED", "RETAINED"),
        to="RELEASED",
        number="T11",
        guards=(linked("course", *_USABLE), in_date),
        signs=(Signature("QC", "results"), Signature("QP", "certified", second_check=True)),
    ),
    Transition(
        name="retain",
        sources=("RELEASED", "STORED"),
        to="RETAINED",
        guards=(_REASON,),
        signs=(Signature("QC", "retained"),),
    ),
    Transition(
        name="ship",
        sources=("RELEASED",),
        to="SHIPPED_OUT",
        number="T12",
        guards=(*IDENTITY, linked("course", *_USABLE), linked("shipment", "IN_TRANSIT")),
    ),
    Transition(
        name="receive",
        sources=("SHIPPED_OUT",),
        to="RECEIVED_SITE",
        number="T12",
        guards=(*IDENTITY, linked("shipment", "RECEIVED", "CLOSED")),
    ),
    Transition(
        name="store",
        sources=("RECEIVED_SITE",),
        to="STORED",
        number="T12",
        guards=(confirmed("cold_enough", "in vapour phase before the shipper expires", "H3"), in_date),
        signs=(Signature("CT", "stored"),),
    ),
    Transition(
        name="thaw",
        sources=("STORED",),
        to="THAWED",
        number="T15",
        guards=(*IDENTITY, linked("course", *_USABLE), linked("infusion", "INFUSION_CLEARED"), in_date),
        signs=(Signature("CT", "thawed"), Signature("second person", "identity", second_check=True)),
    ),
    Transition(name="give", sources=("THAWED",), to="GIVEN", number="T15", guards=(linked("infusion", "INFUSED"),)),
    Transition(
        name="close",
        sources=("GIVEN",),
        to="CLOSED",
        guards=(confirmed("volume_reconciled", "volume given and volume left are reconciled"),),
        signs=(Signature("SC", "accounted for"),),
    ),
    Transition(
        name="quarantine",
        sources=("FILLED", "RELEASED", "RETAINED", "SHIPPED_OUT", "RECEIVED_SITE", "STORED", "THAWED"),
        to="QUARANTINE",
        never_blocked=True,
    ),
    Transition(
        name="lift_quarantine",
        sources=("QUARANTINE",),
        to="RETAINED",
        guards=(*IDENTITY, _FROZEN, impact_assessed, rescanned_by_two_others, in_date),
        signs=(Signature("QC", "impact assessed"), Signature("QP", "lifted", second_check=True)),
    ),
    Transition(
        name="lift_quarantine_at_hospital",
        sources=("QUARANTINE",),
        to="RECEIVED_SITE",
        guards=(
            *IDENTITY,
            linked("shipment", "RECEIVED", "CLOSED"),
            linked("course", *_USABLE),
            _FROZEN,
            impact_assessed,
            rescanned_by_two_others,
            in_date,
        ),
        signs=(Signature("QC", "impact assessed"), Signature("QP", "lifted", second_check=True)),
    ),
    Transition(
        name="break",
        sources=("FILLED", "RELEASED", "RETAINED", "SHIPPED_OUT", "RECEIVED_SITE", "STORED", "THAWED"),
        to="BROKEN",
        never_blocked=True,
    ),
    Transition(
        name="destroy",
        sources=(
            "FILLED",
            "RELEASED",
            "RETAINED",
            "SHIPPED_OUT",
            "RECEIVED_SITE",
            "STORED",
            "THAWED",
            "QUARANTINE",
            "BROKEN",
        ),
        to="DESTROYED",
        guards=(_REASON, confirmed("as_consented", "destroyed, or used for research only as the consent allows")),
        signs=(Signature("CT", "destroyed"), Signature("second person", "witnessed", second_check=True)),
    ),
)

BAG = Machine(
    "bag",
    "one bag of the product",
    (
        State(name="FILLED", meaning="filled and frozen at the plant"),
        State(
            name="RELEASED", meaning="may leave the plant", limit=Limit(field="manufacture.shelf_life", then="destroy")
        ),
        State(
            name="RETAINED",
            meaning="kept back for a second dose or as reserve",
            side=True,
            limit=Limit(field="manufacture.shelf_life", then="destroy"),
        ),
        State(name="SHIPPED_OUT", meaning="on its way", limit=Limit(card="journey_shipper_hold", then="quarantine")),
        State(name="RECEIVED_SITE", meaning="at the hospital, as the manifest says"),
        State(
            name="STORED",
            meaning="in vapour phase at the hospital",
            limit=Limit(field="manufacture.shelf_life", then="destroy"),
        ),
        State(
            name="THAWED",
            meaning="thawed at the bedside; its clock runs",
            limit=Limit(card="journey_thaw", then="destroy"),
        ),
        State(name="GIVEN", meaning="given"),
        State(
            name="QUARANTINE",
            meaning="kept apart until its case is decided",
            side=True,
            limit=Limit(card=_REVIEW, then="destroy"),
        ),
        State(
            name="BROKEN", meaning="broken or thawed by accident", side=True, limit=Limit(card=_REVIEW, then="destroy")
        ),
        State(name="DESTROYED", meaning="destroyed, or kept for research under the consent given", terminal=True),
        State(name="CLOSED", meaning="given and accounted for", terminal=True),
    ),
    _BAG_TRANSITIONS,
)
