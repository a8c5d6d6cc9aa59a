"""The modified 3+3 design as a pure function of what is known today, and the stagger between patients.

The design never sees a true toxicity curve. A decision is a recommendation to the safety review committee: the
committee, not this function, opens a level. Dose levels form a ladder in the order written in the protocol, up to
`highest_level`; levels below `start_level`, if any, are there for de-escalation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ..base.verdict import Verdict, check
from ..protocol.schema import Dosing, Escalation

Action = Literal["enrol", "wait", "escalate", "expand_cohort", "deescalate", "stop", "expansion"]

_INTOLERABLE = 2  # patients with dose-limiting toxicity in a cohort of at most the expanded size


@dataclass(frozen=True, kw_only=True)
class CohortState:
    """What is known today of the patients at one dose level.

    `evaluable` counts patients whose observation is complete or who had a dose-limiting toxicity, `pending` those
    treated (or in lymphodepletion) whose outcome is not known yet. Patients treated but not evaluable are in `treated`
    only, so that they are replaced.
    """

    level: str
    evaluable: int = 0
    pending: int = 0
    dose_limiting: int = 0
    treated: int = 0

    def __post_init__(self) -> None:
        assert 0 <= self.dose_limiting <= self.evaluable, f"{self}: more toxicities than patients"
        assert self.pending >= 0, f"{self}: a negative number of patients"

    @property
    def begun(self) -> bool:
        """Whether any patient has been treated at this level."""
        return self.treated + self.pending + self.evaluable > 0

    @property
    def counted(self) -> int:
        """Patients who take a place in the cohort."""
        return self.evaluable + self.pending


@dataclass(frozen=True)
class Decision:
    """What the rule recommends: the action, the level at which the next patient is treated, and why.

    `level` is None for 'wait' and 'stop': nobody is treated now.
    """

    action: Action
    level: str | None
    reasons: tuple[str, ...]


def decide(dosing: Dosing, states: Sequence[CohortState]) -> Decision:
    """What to do next: enrol at a level, wait for outcomes, climb, add patients, step down, stop, or expand.

    Never names a level at which 2 or more of at most 6 evaluable patients (in larger groups: the same share) had
    dose-limiting toxicity, nor a ladder level above one. Levels missing from `states` have no patients yet. Without an
    escalation in the protocol, everybody is treated at the level of the expansion until it is full.
    """
    by_level = {state.level: state for state in states}
    if dosing.escalation is None:
        return _single_arm(dosing, by_level)
    names = [level.name for level in dosing.levels]
    ladder = names[: names.index(_climb(dosing).highest_level) + 1]
    rungs = [by_level.get(name, CohortState(level=name)) for name in ladder]
    for state in rungs:
        if _too_toxic(dosing, state) and not _settled(dosing, state):
            return _wait(state, "a pending outcome may still bring the share of toxicities under the limit")
    ceiling = next((place for place, state in enumerate(rungs) if _too_toxic(dosing, state)), len(rungs))
    if ceiling == 0:
        return Decision("stop", None, (_toxicities(rungs[0]), "there is no lower level"))
    begun = [place for place, state in enumerate(rungs[:ceiling]) if state.begun]
    if ceiling < len(rungs):
        return _under_a_ceiling(dosing, rungs[ceiling - 1], rungs[ceiling], by_level)
    if not begun:
        return Decision("enrol", _climb(dosing).start_level, ("first patient of the start level",))
    return _climbing(dosing, rungs, begun[-1], by_level)


def _climb(dosing: Dosing) -> Escalation:
    assert dosing.escalation is not None, "asked of an escalation only"
    return dosing.escalation


def _single_arm(dosing: Dosing, by_level: dict[str, CohortState]) -> Decision:
    """Without escalation: everybody at the one level, until the trial is full."""
    level, places = dosing.expansion.level, dosing.expansion.size
    state = by_level.get(level, CohortState(level=level))
    treated = max(state.treated, state.counted)
    if treated >= places:
        return Decision("stop", None, (f"the trial is full ({treated} of {places} treated)",))
    return Decision("expansion", level, ("a single arm, without escalation",))


def _climbing(dosing: Dosing, rungs: list[CohortState], place: int, by_level: dict[str, CohortState]) -> Decision:
    """No level was too toxic so far: fill the cohort at the highest level begun, then go up."""
    rule, state = _climb(dosing), rungs[place]
    needed = rule.expanded_cohort_size if state.dose_limiting else rule.cohort_size
    top = place == len(rungs) - 1
    if state.counted < needed:
        if place == 0 and not top and _two_may_suffice(dosing, state):
            reason = (
                f"{state.evaluable} patients without dose-limiting toxicity at the lowest level may suffice: "
                "the committee decides"
            )
            return Decision("escalate", rungs[place + 1].level, (reason,))
        if state.dose_limiting and state.counted >= rule.cohort_size:
            return Decision("expand_cohort", state.level, (_toxicities(state), f"the cohort grows to {needed}"))
        return Decision("enrol", state.level, (f"{state.counted} of {needed} places taken at {state.level}",))
    if state.pending:
        return _wait(state, "the cohort is full")
    if top:
        return _expansion(dosing, state, by_level, tolerated_throughout=True)
    return Decision("escalate", rungs[place + 1].level, (_toxicities(state),))


def _under_a_ceiling(
    dosing: Dosing, below: CohortState, toxic: CohortState, by_level: dict[str, CohortState]
) -> Decision:
    """A level was too toxic: the one below is filled to the expanded size before it counts as tolerated."""
    needed = _climb(dosing).expanded_cohort_size
    if below.counted < needed:
        reason = f"{below.level} needs {needed} patients to count as tolerated and has {below.counted}"
        return Decision("deescalate", below.level, (_toxicities(toxic), reason))
    if below.pending:
        return _wait(below, "the cohort is full")
    return _expansion(dosing, below, by_level, tolerated_throughout=False)


def _expansion(
    dosing: Dosing, found: CohortState, by_level: dict[str, CohortState], *, tolerated_throughout: bool
) -> Decision:
    """Escalation is over with `found` as the highest tolerated level: treat the expansion there, or as written.

    The protocol's expansion level is used if the whole ladder was tolerated or its target is no higher than the level
    found; otherwise the expansion is treated at the level found. Patients treated there before count towards its size.
    """
    targets = {level.name: level.target.to("cells") for level in dosing.levels}
    written = dosing.expansion.level
    level = written if tolerated_throughout or targets[written] <= targets[found.level] else found.level
    state = by_level.get(level, CohortState(level=level))
    over = f"escalation is over: {found.level} is the highest level tolerated"
    if _too_toxic(dosing, state):
        if not _settled(dosing, state):
            return _wait(state, "a pending outcome may still bring the share of toxicities under the limit")
        return Decision("stop", None, (over, _toxicities(state)))
    places = dosing.expansion.size
    treated = max(state.treated, state.counted)
    if treated >= places:
        return Decision("stop", None, (over, f"the expansion is complete ({treated} of {places} treated)"))
    return Decision("expansion", level, (over,))


def _too_toxic(dosing: Dosing, state: CohortState) -> bool:
    """2 or more toxicities among at most 6; among more, the same share or above."""
    return _over_the_limit(dosing, state, state.evaluable)


def _settled(dosing: Dosing, state: CohortState) -> bool:
    """Whether it stays too toxic even if all whose outcome is pending have no toxicity."""
    return _over_the_limit(dosing, state, state.counted)


def _over_the_limit(dosing: Dosing, state: CohortState, patients: int) -> bool:
    share_reached = state.dose_limiting * _climb(dosing).expanded_cohort_size >= _INTOLERABLE * patients
    return state.dose_limiting >= _INTOLERABLE and share_reached


def _two_may_suffice(dosing: Dosing, state: CohortState) -> bool:
    enough = state.evaluable >= _climb(dosing).lowest_level_may_escalate_after
    return enough and state.dose_limiting == 0 and state.pending == 0


def _wait(state: CohortState, reason: str) -> Decision:
    return Decision("wait", None, (f"{state.pending} outcomes pending at {state.level}", reason))


def _toxicities(state: CohortState) -> str:
    return f"{state.dose_limiting} of {state.evaluable} with dose-limiting toxicity at {state.level}"


def may_treat_next(
    dosing: Dosing, level: str, infusions_here: Sequence[int], infusions_elsewhere: Sequence[int], today: int
) -> Verdict:
    """Whether the next patient at this level may begin lymphodepletion today, as far as the stagger goes.

    Days are calendar day numbers; infusions still to come (patients in lymphodepletion) count with their planned day.
    The interval within a cohort runs from its last infusion, the one between cohorts from the last infusion at any
    other level. In the expansion the protocol's own stagger takes the place of both once its first patient is treated.
    """
    expansion = level == dosing.expansion.level
    within = dosing.expansion.stagger if expansion else _climb(dosing).stagger_within_cohort
    here = _elapsed(infusions_here, within.to("days"), today, f"{within} after the last infusion at {level}")
    if dosing.escalation is None or (expansion and infusions_here):
        return here
    between = _climb(dosing).stagger_between_cohorts
    return here & _elapsed(
        infusions_elsewhere, between.to("days"), today, f"{between} after the last infusion at another level"
    )


def _elapsed(infusions: Sequence[int], interval_days: float, today: int, words: str) -> Verdict:
    elapsed = not infusions or interval_days == 0 or today - max(infusions) >= interval_days
    return check(elapsed, f"not yet {words}")
