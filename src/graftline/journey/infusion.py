"""The infusion's table: lymphodepletion, thaw, cells. One course may serve several; each has a table of its own."""

from __future__ import annotations

from .guards import (
    IDENTITY,
    bags_are_on_the_manifest,
    cells_are_at_hand,
    cells_are_thawed,
    confirmed,
    eligible_before_lymphodepletion,
    fit_for_infusion,
    in_date,
    linked,
    may_be_given,
    may_be_given_below_range,
    may_start_chemotherapy,
    outside_window_way,
)
from .machine import Limit, Machine, Signature, State, Transition

_REASON = confirmed("reason_recorded", "the reason is recorded")
_PI, _SP = "PI", "SP"
_LYMPHODEPLETED = ("LD_RUNNING", "LD_DONE", "DELAYED", "INFUSION_CLEARED", "THAWED")
_LATEST = "infusion.latest_after_conditioning"
_READY = confirmed("bed_ready", "bed, tocilizumab and staff are ready; a steroid wash-out is over")

_STATES = (
    State(name="PLANNED", meaning="dates are planned against the cohort and the stagger"),
    State(name="LD_CLEARED", meaning="chemotherapy may begin"),
    State(name="LD_RUNNING", meaning="chemotherapy has begun: the point of no return for administration"),
    State(
        name="LD_DONE",
        meaning="last chemotherapy given; the infusion window runs",
        limit=Limit(field=_LATEST, then="cells_not_usable"),
    ),
    State(name="INFUSION_CLEARED", meaning="fit for the cells today"),
    State(
        name="THAWED", meaning="cells thawed at the bedside", limit=Limit(card="journey_thaw", then="cells_not_usable")
    ),
    State(name="INFUSED", meaning="cells given: Day 1"),
    State(
        name="RESCHEDULED",
        meaning="put off before chemotherapy, or to wait for new cells",
        side=True,
        limit=Limit(field="manufacture.shelf_life", then="cancel"),
    ),
    State(
        name="DELAYED",
        meaning="lymphodepleted, not to be infused today",
        side=True,
        limit=Limit(field=_LATEST, then="cells_not_usable"),
    ),
    State(
        name="LYMPHODEPLETED_WITHOUT_CELLS",
        meaning="lymphodepleted without usable cells: bag broken, thaw failed, recall, late positive sterility, fever "
        "or infection on the day, window missed",
        side=True,
        limit=Limit(card="journey_without_cells_decision", then="abandon"),
    ),
    State(
        name="ABANDONED",
        meaning="no infusion after chemotherapy; the patient is rescued and followed",
        side=True,
        limit=Limit(card="journey_side_state_review", then="close_abandoned"),
    ),
    State(name="CLOSED", meaning="recorded and accounted for", terminal=True),
)

_TRANSITIONS = (
    Transition(
        name="clear_lymphodepletion",
        sources=("PLANNED", "RESCHEDULED"),
        to="LD_CLEARED",
        number="T13",
        guards=(
            may_start_chemotherapy,
            cells_are_at_hand,
            linked("subject", "AWAITING_PRODUCT", "ACUTE", "FOLLOW_UP", "LTFU"),
            confirmed("no_pregnancy", "pregnancy is excluded"),
        ),
        signs=(Signature(_PI, "start chemotherapy"),),
    ),
    Transition(
        name="start_lymphodepletion",
        sources=("LD_CLEARED",),
        to="LD_RUNNING",
        number="T13",
        guards=(may_start_chemotherapy, cells_are_at_hand, confirmed("regimen_checked", "regimen and doses checked")),
        signs=(Signature(_PI, "prescribed"), Signature("CT", "checked", second_check=True)),
    ),
    Transition(
        name="reschedule",
        sources=("PLANNED", "LD_CLEARED"),
        to="RESCHEDULED",
        guards=(_REASON,),
        signs=(Signature(_PI, "put off"),),
    ),
    Transition(
        name="cancel",
        sources=("PLANNED", "LD_CLEARED", "RESCHEDULED"),
        to="CLOSED",
        guards=(_REASON,),
        signs=(Signature(_PI, "cancelled"),),
    ),
    Transition(name="finish_lymphodepletion", sources=("LD_RUNNING",), to="LD_DONE", number="T14", never_blocked=True),
    Transition(
        name="clear_infusion",
        sources=("LD_DONE", "DELAYED"),
        to="INFUSION_CLEARED",
        number="T14",
        guards=(fit_for_infusion, cells_are_at_hand, _READY),
        signs=(Signature(_PI, "fit for the cells"),),
    ),
    Transition(
        name="clear_infusion_urgently",
        sources=("LD_DONE", "DELAYED"),
        to="INFUSION_CLEARED",
        number="T14",
        guards=(
            fit_for_infusion,
            cells_are_at_hand,
            confirmed("open_point_recorded", "the open point of administration is recorded"),
            confirmed("committee_informed", "the Safety Review Committee is informed"),
        ),
        signs=(Signature(_PI, "urgent"), Signature(_SP, "urgent", second_check=True)),
        urgent=True,
    ),
    Transition(
        name="delay",
        sources=("LD_DONE", "INFUSION_CLEARED"),
        to="DELAYED",
        signs=(Signature(_PI, "delayed"),),
        never_blocked=True,
    ),
    Transition(
        name="repeat_lymphodepletion",
        sources=("LD_DONE", "DELAYED"),
        to="LD_RUNNING",
        guards=(
            outside_window_way("repeat_conditioning"),
            eligible_before_lymphodepletion,
            cells_are_at_hand,
            in_date,
        ),
        signs=(Signature(_PI, "repeat"), Signature(_SP, "agreed", second_check=True)),
        urgent=True,
    ),
    Transition(
        name="thaw",
        sources=("INFUSION_CLEARED",),
        to="THAWED",
        number="T15",
        guards=(
            *IDENTITY,
            bags_are_on_the_manifest,
            linked("bag", "THAWED"),
            confirmed("thaw_clock_runs", "the thaw clock runs"),
        ),
        signs=(Signature("CT", "thawed"), Signature("second person", "identity", second_check=True)),
        urgent=True,
    ),
    Transition(
        name="infuse",
        sources=("THAWED",),
        to="INFUSED",
        number="T15",
        guards=(*IDENTITY, bags_are_on_the_manifest, cells_are_thawed, may_be_given),
        signs=(
            Signature("SC", "identity"),
            Signature("second person", "identity", second_check=True),
            Signature(_PI, "given"),
        ),
        urgent=True,
    ),
    Transition(
        name="infuse_below_range",
        sources=("THAWED",),
        to="INFUSED",
        number="T15",
        guards=(*IDENTITY, bags_are_on_the_manifest, cells_are_thawed, may_be_given_below_range),
        signs=(
            Signature("SC", "identity"),
            Signature("second person", "identity", second_check=True),
            Signature(_PI, "given below the range"),
            Signature(_SP, "agreed"),
        ),
        urgent=True,
    ),
    Transition(name="cells_not_usable", sources=_LYMPHODEPLETED, to="LYMPHODEPLETED_WITHOUT_CELLS", never_blocked=True),
    Transition(
        name="use_second_bag",
        sources=("LYMPHODEPLETED_WITHOUT_CELLS",),
        to="LD_DONE",
        guards=(cells_are_at_hand, in_date, confirmed("second_bag_enough", "the second bag holds a dose in range")),
        signs=(Signature(_PI, "second bag"), Signature(_SP, "agreed", second_check=True)),
        urgent=True,
    ),
    Transition(
        name="wait_for_remake",
        sources=("LYMPHODEPLETED_WITHOUT_CELLS",),
        to="RESCHEDULED",
        guards=(linked("course", "REMAKE", "REAPHERESIS", "IN_MANUFACTURE", "IN_QC"),),
        signs=(Signature(_PI, "waits for new cells"), Signature(_SP, "agreed", second_check=True)),
        urgent=True,
    ),
    Transition(
        name="abandon",
        sources=("LD_RUNNING", "LD_DONE", "DELAYED", "INFUSION_CLEARED", "LYMPHODEPLETED_WITHOUT_CELLS"),
        to="ABANDONED",
        signs=(Signature(_PI, "rescue and follow-up"), Signature(_SP, "informed")),
        never_blocked=True,
    ),
    Transition(
        name="close",
        sources=("INFUSED",),
        to="CLOSED",
        guards=(linked("bag", "GIVEN", "CLOSED"), confirmed("record_complete", "dose, times and reactions recorded")),
        signs=(Signature(_PI, "complete"),),
    ),
    Transition(
        name="close_abandoned",
        sources=("ABANDONED",),
        to="CLOSED",
        guards=(_REASON,),
        signs=(Signature(_PI, "complete"),),
    ),
)

INFUSION = Machine("infusion", "one infusion: lymphodepletion, thaw, cells", _STATES, _TRANSITIONS)
