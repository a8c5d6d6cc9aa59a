"""Second infusions: who gets one, when, and how many cells are left for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..assessment import Response
from ..base.clock import day_number, model_time
from ..base.streams import Streams
from ..infusion import dose_range
from ..protocol.criteria import Moment, variables_of
from ..protocol.schema import Protocol
from .calendar import Ask, days_to_infusion
from .treated import Outcomes, Treatment


def second_infusions(
    treatment: Treatment, asks: Sequence[Ask], first: Outcomes, countries: Sequence[str], streams: Streams
) -> Treatment:
    """The same batch with second infusions where the protocol offers one and the share drawn takes it up.

    Offered once a scan has shown progression, to patients alive with one of the named best responses, whose liver still
    meets the criteria of lymphodepletion and whose retained cells reach the lower end of their dose level. The bags
    then travel and conditioning is given again, so the infusion falls that much later, and not before the earliest day
    nor after the last day of infusions; the cells are what was left, at most the upper end.
    """
    drawn = streams.named("second_infusion").uniform(treatment.keys)[:, 0]
    day = np.full(len(treatment), np.nan)
    cells = np.full(len(treatment), np.nan)
    for place, ask in enumerate(asks):
        rule = ask.protocol.dosing.second_infusion
        if not rule.allowed or rule.share_of_eligible is None or drawn[place] >= rule.share_of_eligible.to("1"):
            continue
        on, left = _day(ask, first, place, countries[place]), ask.dose.achieved - ask.dose.given
        level = next(one for one in ask.protocol.dosing.levels if one.name == ask.level)
        allowed = dose_range(level, ask.weight_kg)
        if allowed is None:
            continue
        if on is not None and left >= allowed.lowest and _may(ask, first, place, on):
            day[place], cells[place] = on, min(left, allowed.highest)
    return replace(treatment, second_day=day, second_cells=cells)


def _day(ask: Ask, first: Outcomes, place: int, country: str) -> int | None:
    """Model time of the second infusion, if there is a reason for one."""
    rule, progression = ask.protocol.dosing.second_infusion, first.seen.progression[place]
    if rule.earliest is None or not progression.event or progression.reason != "progression":
        return None
    transit = next(one for one in ask.protocol.countries if one.code == country).transit_from_plant
    ready = progression.days + int(np.ceil(transit.to("days"))) + days_to_infusion(ask.protocol)
    return max(ready, model_time(rule.earliest))


def _may(ask: Ask, first: Outcomes, place: int, day: int) -> bool:
    """Whether the patient responded as asked, is alive and observed, in time, and fit on that day."""
    rule = ask.protocol.dosing.second_infusion
    best = {int(response): response.label for response in Response}[int(first.seen.best_response[place])]
    calendar_day = ask.infusion + day
    in_time = rule.latest is not None and day <= model_time(rule.latest) and calendar_day < ask.expires
    in_time = in_time and calendar_day <= day_number(ask.protocol.recruitment.last_infusion)
    alive = day < first.death_day[place] and day < first.last_day[place]
    return (
        best in rule.after_best_response and in_time and bool(alive) and _liver_allows(ask.protocol, first, place, day)
    )


def _liver_allows(protocol: Protocol, first: Outcomes, place: int, day: int) -> bool:
    """Whether Child-Pugh score and bilirubin still meet what the protocol asks before lymphodepletion."""
    courses = first.courses
    at = int(np.clip(np.searchsorted(courses.times, day), 0, len(courses.times) - 1))
    before = courses.latents.ascites
    ascites = np.where(first.decompensation_day <= day, np.maximum(before, 1.0), before)[:, None]
    found = {
        "child_pugh": courses.child_pugh_with(ascites)[place : place + 1, at],
        "bilirubin": courses.bilirubin[place : place + 1, at],
    }
    asked = [
        one
        for one in protocol.eligibility
        if Moment.BEFORE_LYMPHODEPLETION in one.when and variables_of(one.rule) <= set(found)
    ]
    return all(bool(one.evaluate(found).passed[0]) for one in asked)
