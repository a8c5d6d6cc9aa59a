"""All tables together, the hard stops, and the acts for safety that nothing blocks."""

from __future__ import annotations

from .course import COURSE
from .infusion import INFUSION
from .machine import HardStop, Machine, SafetyAct
from .shipment import BAG, SHIPMENT
from .subject import SUBJECT

MACHINES: dict[str, Machine] = {one.name: one for one in (SUBJECT, COURSE, SHIPMENT, BAG, INFUSION)}

HARD_STOPS = (
    HardStop(
        number="H1",
        trigger="identity mismatch in any scan pair",
        forces="material to quarantine, subject frozen",
        way_on="closed by quality and PI; same codes re-scanned by two others; at the bedside never infuse",
    ),
    HardStop(
        number="H2",
        trigger="a code is typed instead of scanned",
        forces="blocked",
        way_on="right check character, second person and reason",
    ),
    HardStop(
        number="H3",
        trigger="temperature outside class, logger silent, shipper tilted or past its hold time",
        forces="quarantine",
        way_on="impact assessed by QC and lifted by QP; starting material may be collected again",
    ),
    HardStop(
        number="H4",
        trigger="material or product expired (time zone included)",
        forces="blocked",
        way_on="none for this material; remake or new collection",
    ),
    HardStop(
        number="H5",
        trigger="release test out of specification",
        forces="held out of specification",
        way_on="remake, new collection, or supply out of specification when all its steps are complete; never for "
        "identity failure, positive sterility, mycoplasma or replication-competent virus",
    ),
    HardStop(
        number="H6",
        trigger="lymphodepletion before the product is released and received at the hospital",
        forces="blocked",
        way_on="none",
    ),
    HardStop(
        number="H7",
        trigger="no longer eligible before lymphodepletion",
        forces="re-screening, product stays in store",
        way_on="re-screen inside expiry, else ineligible; after lymphodepletion this stop does not apply",
    ),
    HardStop(
        number="H8",
        trigger="consent withdrawn, or a superseded version unsigned",
        forces="freeze; no new acts",
        way_on="consent signed again; data already collected stay; after chemotherapy the urgent path",
    ),
    HardStop(
        number="H9",
        trigger="bags scanned differ from the manifest of the shipment, or dose outside the level's range",
        forces="blocked",
        way_on="QP corrects the record by a new event, or a protocol amendment; above the range a part is given",
    ),
    HardStop(
        number="H10",
        trigger="cohort full, stagger not elapsed, or stopping rule met",
        forces="no start of lymphodepletion (a slot only plans dates)",
        way_on="decision of the Safety Review Committee; an unelapsed stagger is never signed away",
    ),
    HardStop(
        number="H11",
        trigger="a second chain of identity open on the line, or two subjects open on one work-station",
        forces="blocked",
        way_on="close the first",
    ),
    HardStop(
        number="H12", trigger="labels not reconciled", forces="blocked", way_on="the count is explained and signed"
    ),
    HardStop(
        number="H13",
        trigger="signer is the doer, training expired or unknown, delegation missing or unknown",
        forces="signature refused",
        way_on="another person",
    ),
    HardStop(
        number="H14",
        trigger="the head of the ledger does not verify",
        forces="read-only, but for safety acts",
        way_on="restored by system administrator and quality, then opened again by signature",
    ),
)

SAFETY_ACTS = (
    SafetyAct("record_adverse_event", "an adverse event with grade, seriousness and attribution"),
    SafetyAct("report_serious_event", "a serious adverse event; the 24-hour clock starts"),
    SafetyAct("treat_cytokine_release", "treatment of cytokine release syndrome"),
    SafetyAct("give_tocilizumab", "tocilizumab"),
    SafetyAct("give_steroids", "corticosteroids"),
    SafetyAct("hold_safety_visit", "a safety visit"),
    SafetyAct("record_death", "death"),
    SafetyAct("record_withdrawal", "withdrawal"),
    SafetyAct("read_in_emergency", "emergency read for a subject at another hospital; recorded, reviewed afterwards"),
    SafetyAct("enter_late", "late entry after downtime, with real time, time of entry and reason"),
)
