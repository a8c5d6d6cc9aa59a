"""Second infusions: who gets one, when, and how many cells are left for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..assessment import Response
from ..base.clock import model_time
from ..base.streams import Streams
from ..base.units import BILLION
from ..protocol.schema import Protocol
from .calendar import Ask
from .treated import Outcomes, Treatment


def second_infusions(
    protocol: Protocol, treatment: Treatment, asks: Sequence[Ask], first: Outcomes, streams: Streams
) -> Treatment:
    """The same batch with second infusions where the protocol offers one and the share drawn takes it up.

    Offered once a scan has shown progression, to patients alive with one of the named best responses whose retained
    cells reach the lower end of their dose level. The bags then travel and conditioning is given again, so the infusion
    falls that much later, and not before the earliest day; the cells are what was left, at most the upper end.
    """
    rule = protocol.dosing.second_infusion
    if not rule.allowed or rule.earliest is None or rule.latest is None or rule.share_of_eligible is None:
        return treatment
    codes = {int(response): response.label for response in Response}
    responded = np.array([codes[int(code)] in rule.after_best_response for code in first.seen.best_response])
    progressed = np.array(
        [one.days if one.event and one.reason == "progression" else np.inf for one in first.seen.progression]
    )
    transit = max(country.transit_from_plant.to("days") for country in protocol.countries)
    conditioning = np.array([ask.infusion - ask.lymphodepletion for ask in asks])
    day = np.maximum(progressed + np.ceil(transit) + conditioning, model_time(rule.earliest))
    left = np.array([ask.dose.achieved - ask.dose.given for ask in asks])
    levels = {level.name: level for level in protocol.dosing.levels}
    lowest = np.array([levels[ask.level].lowest.to("cells") / BILLION for ask in asks])
    highest = np.array([levels[ask.level].highest.to("cells") / BILLION for ask in asks])
    in_date = day < np.array([ask.expires - ask.infusion for ask in asks])
    taken = streams.named("second_infusion").uniform(treatment.keys)[:, 0] < rule.share_of_eligible.to("1")
    given = responded & (left >= lowest) & in_date & taken & (day <= model_time(rule.latest)) & (day < first.death_day)
    given &= day < first.last_day
    return replace(
        treatment,
        second_day=np.where(given, day, np.nan),
        second_cells=np.where(given, np.minimum(left, highest), np.nan),
    )
