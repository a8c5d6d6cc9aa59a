"""Dose-limiting toxicity: what the protocol counts, applied to the toxicities of one patient.

The definition is protocol data and is handed in. Days are protocol days from infusion on (Day 1, 2, …).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, auto

from ..base.verdict import PASSED, Outcome, Verdict, check


class Attribution(IntEnum):
    """How far the investigator holds the cells responsible."""

    UNRELATED = 0
    UNLIKELY = 1
    POSSIBLE = 2
    PROBABLE = auto()
    DEFINITE = auto()


@dataclass(frozen=True, kw_only=True)
class ToxicityEvent:
    """One toxicity: its highest grade and how long it lasted at a level that matters.

    `last_day` is the last day before it had resolved to the level that the criterion asks for (see
    `toxicity_events`), None while it goes on. `attribution` None: not judged yet.
    """

    kind: str
    """such as crs, icans, neutropenia, thrombocytopenia, lymphopenia, alt, progression"""
    grade: int
    first_day: int
    last_day: int | None
    attribution: Attribution | None
    expected_from_lymphodepletion: bool = False

    def __post_init__(self) -> None:
        assert self.first_day >= 1, "dose-limiting toxicities begin on Day 1 or later"
        assert self.last_day is None or self.last_day >= self.first_day, "a toxicity ends after it began"


@dataclass(frozen=True, kw_only=True)
class DltCriterion:
    """One line of the definition, for example: ICANS, grade 3 or more, for more than 3 days."""

    name: str
    """as it appears among the reasons"""
    least_grade: int
    most_grade: int | None = None
    """for lines that hold for a lower grade only, such as CRS grade 3 where grade 4 has a line of its own"""
    kinds: tuple[str, ...] = ()
    """empty: any kind but `other_than`"""
    other_than: tuple[str, ...] = ()
    allowed_days: int | None = None
    """dose-limiting if it lasts longer; None: at once"""
    resolves_to: int | None = None
    """grade at or below which it has resolved; None: anything below `least_grade`"""
    beyond_day: int | None = None
    """dose-limiting only if still there after this protocol day; may lie after the window"""
    even_if_expected: bool = False
    """whether it counts although lymphodepletion is expected to cause it"""

    def covers(self, kind: str, grade: int) -> bool:
        """Whether this line speaks about a toxicity of that kind and grade."""
        graded = grade >= self.least_grade and (self.most_grade is None or grade <= self.most_grade)
        return graded and (kind in self.kinds if self.kinds else kind not in self.other_than)


@dataclass(frozen=True, kw_only=True)
class DltDefinition:
    """A protocol's definition of dose-limiting toxicity, its window and who counts as evaluable."""

    first_day: int
    last_day: int
    criteria: tuple[DltCriterion, ...]
    least_attribution: Attribution
    excluded_kinds: tuple[str, ...] = ()
    """never dose-limiting, such as progression"""
    least_dose_fraction: float | None = None
    """evaluable only with at least this share of the target dose; None: any dose"""

    def __post_init__(self) -> None:
        assert 1 <= self.first_day <= self.last_day, "the window lies after infusion: Day 1 or later"
        assert self.criteria, "a definition has at least one criterion"


def free_of_dose_limiting_toxicity(
    events: Sequence[ToxicityEvent], definition: DltDefinition, *, observed_until: int
) -> Verdict:
    """Pass: no dose-limiting toxicity. Fail: the reasons are the toxicities. Unknown: something is still open.

    Open are: the window is not over on `observed_until` (the last day the patient was seen), a toxicity goes on that
    may still resolve in time, or its attribution is not judged. What failed stays failed however much else is open.
    """
    verdicts = [_judge(event, line, definition, observed_until) for event in events for line in definition.criteria]
    complete = check(True if observed_until >= definition.last_day else None, f"window to Day {definition.last_day}")
    failed = [verdict for verdict in verdicts if verdict.failed]
    if failed:
        return Verdict.from_checks(*failed)
    return Verdict.from_checks(*verdicts, complete)


def is_evaluable(
    events: Sequence[ToxicityEvent],
    definition: DltDefinition,
    *,
    observed_until: int,
    dose_fraction: float | None,
    gone: bool = False,
) -> Verdict:
    """Whether the patient counts for dose finding: a dose-limiting toxicity, or the whole window seen, on enough cells.

    `dose_fraction`: infused over target dose, None if not known. `gone`: died, withdrew or was lost, so that the
    window will never be complete; such a patient without dose-limiting toxicity is to be replaced.
    """
    least = definition.least_dose_fraction
    enough = None if dose_fraction is None else least is None or dose_fraction >= least
    dosed = check(enough, "too small a share of the target dose")
    free = free_of_dose_limiting_toxicity(events, definition, observed_until=observed_until)
    seen = observed_until >= definition.last_day
    followed = check(True if free.failed or seen else (False if gone else None), "window not completed")
    return dosed & followed


def toxicity_events(
    kind: str,
    daily_grades: Sequence[int],
    criterion: DltCriterion,
    *,
    attribution: Attribution | None,
    expected_from_lymphodepletion: bool = False,
) -> tuple[ToxicityEvent, ...]:
    """The episodes in a course of daily grades (from Day 1 on) that a criterion speaks about.

    An episode begins on the first day at the criterion's grade and ends on the last day above the grade at which it has
    resolved; one that reaches the last day goes on. Days that were not graded (negative) change nothing.
    """
    floor = criterion.least_grade - 1 if criterion.resolves_to is None else criterion.resolves_to
    found: list[ToxicityEvent] = []
    start: int | None = None
    worst = 0
    for day, grade in enumerate(daily_grades, start=1):
        if grade < 0:
            continue
        if start is None and grade >= criterion.least_grade:
            start, worst = day, grade
        elif start is not None and grade <= floor:
            found.append(_episode(kind, worst, (start, day - 1), attribution, expected_from_lymphodepletion))
            start = None
        worst = max(worst, grade)
    if start is not None:
        found.append(_episode(kind, worst, (start, None), attribution, expected_from_lymphodepletion))
    return tuple(event for event in found if criterion.covers(event.kind, event.grade))


def _episode(
    kind: str, grade: int, days: tuple[int, int | None], attribution: Attribution | None, expected: bool
) -> ToxicityEvent:
    return ToxicityEvent(
        kind=kind,
        grade=grade,
        first_day=days[0],
        last_day=days[1],
        attribution=attribution,
        expected_from_lymphodepletion=expected,
    )


def _judge(event: ToxicityEvent, line: DltCriterion, definition: DltDefinition, observed_until: int) -> Verdict:
    """Pass if this event is no dose-limiting toxicity by this line."""
    if not line.covers(event.kind, event.grade) or event.kind in definition.excluded_kinds:
        return PASSED
    if event.expected_from_lymphodepletion and not line.even_if_expected:
        return PASSED
    if not definition.first_day <= event.first_day <= definition.last_day:
        return PASSED
    if event.attribution is not None and event.attribution < definition.least_attribution:
        return PASSED
    harmless = _ended_in_time(event, line, observed_until)
    where = f"{line.name}: {event.kind} grade {event.grade} from Day {event.first_day}"
    if harmless is False and event.attribution is None:
        return Verdict(Outcome.UNKNOWN, (f"attribution not judged: {where}",))
    return check(harmless, where)


def _ended_in_time(event: ToxicityEvent, line: DltCriterion, observed_until: int) -> bool | None:
    """Whether the event was over soon enough by this line; None while it goes on and may still be."""
    last = observed_until if event.last_day is None else event.last_day
    limits = []
    if line.allowed_days is not None:
        limits.append(event.first_day + line.allowed_days - 1)
    if line.beyond_day is not None:
        limits.append(line.beyond_day)
    if not limits or last > max(limits):
        return False
    return None if event.last_day is None else True
