"""One simulated patient followed from referral: course and story."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from ..base.clock import calendar_date, protocol_day
from ..evidence import card
from ..trial import Part, TreatedPatients
from ._subjects import best_responses

Table = pl.DataFrame


def example_patient(part: Part) -> tuple[Table, dict[str, Any]] | None:
    """The treated patient of the expansion nearest in age to the one of Rennes: course to week 24 and facts.

    Among those seen alive at week 24, if there are any, so that there is something to follow; the facts say so. None
    if nobody was treated there; of equals the first treated.
    """
    treated = part.treated
    level = part.protocol.dosing.expansion.level
    places = [place for place, ask in enumerate(treated.asks) if ask.level == level] if treated else []
    if treated is None or not places:
        return None
    ages = part.waiting.baseline.age
    age, until = card("trial_example_age").to("year"), card("trial_example_until").to("day")
    seen_to_the_end = [one for one in places if treated.with_cells.survival_days[one] >= until]
    place = min(seen_to_the_end or places, key=lambda one: (abs(float(ages[treated.asks[one].row]) - age), one))
    courses = treated.with_cells.courses
    begins, ends = treated.treatment.begins[place], min(until, float(treated.with_cells.death_day[place]))
    keep = (courses.times >= begins) & (courses.times <= ends)
    read_outs = {
        "VOLUME": courses.scan_volume,
        "AFP": courses.afp,
        "TCRT": courses.tcrt_per_microlitre,
        "COPIES": courses.copies_per_ug,
        "IL6": courses.il6,
        "ANC": courses.neutrophils,
        "PLT": courses.platelets,
        "LYM": courses.lymphocytes,
    }
    table = pl.DataFrame({"TIME": courses.times[keep], **{name: v[place][keep] for name, v in read_outs.items()}})
    chosen = "among those alive at week 24" if seen_to_the_end else "nobody of that level lived to week 24"
    return table, {
        **_story(part, treated, place),
        "chosen": f"nearest in age to {age:g}, dose of the expansion, {chosen}",
    }


def _story(part: Part, treated: TreatedPatients, place: int) -> dict[str, Any]:
    ask, row = treated.asks[place], treated.asks[place].row
    referred = part.apheresed.referred[row]
    site = part.protocol.sites[part.arrivals.site[referred]]
    base, seen = part.baseline.take(np.array([referred])), treated.with_cells.seen
    best = best_responses(treated.with_cells)[place]
    events: list[tuple[int, str]] = [
        (int(part.arrivals.day[referred]), "consents to pre-screening"),
        (int(part.apheresed.day[row]), "white blood cells are collected"),
        (int(part.apheresed.made[row]), f"product released: {part.apheresed.cells[row]:.2g} x 1e9 transduced cells"),
        (int(part.apheresed.ready[row]), "product is at the hospital"),
        (ask.lymphodepletion, f"lymphodepletion begins ({treated.treatment.regimen[place].name})"),
        (ask.infusion, f"infusion of {ask.dose.given:.2g} x 1e9 transduced cells ({ask.level})"),
    ]
    if ask.put_off:
        events.append((ask.lymphodepletion, f"infusion put off: {ask.put_off}"))
    second = treated.treatment.second_day[place]
    if not np.isnan(second):
        day, cells = ask.infusion + int(second), treated.treatment.second_cells[place]
        events.append((day, f"second infusion, {cells:.2g} x 1e9 transduced cells"))
        if part.protocol.dosing.second_infusion.repeat_conditioning:
            events.append((day - ask.infusion + ask.lymphodepletion, "lymphodepletion again"))
    worst = int(treated.with_cells.crs.worst[place])
    if worst > 0:
        events.append((ask.infusion + int(treated.with_cells.crs.onset[place]), f"CRS, worst grade {worst}"))
    progression = seen.progression[place]
    if progression.event and progression.reason != "death":
        events.append((ask.infusion + progression.days, progression.reason))
    if treated.with_cells.survival_event[place]:
        events.append((ask.infusion + int(treated.with_cells.survival_days[place]), "death"))
    return {
        "age": round(float(base.age[0])),
        "sex": str(base.sex[0]),
        "site": site.name,
        "country": site.country,
        "aetiology": str(base.aetiology[0]),
        "afp_ng_mL": round(float(base.afp_serum[0]), 1),
        "sum_of_diameters_mm": round(float(base.sum_of_diameters[0])),
        "child_pugh": int(base.child_pugh[0]),
        "best_response": best,
        "events": [
            {
                "day": protocol_day(day - ask.infusion),
                "time": day - ask.infusion,
                "date": calendar_date(day).isoformat(),
                "text": text,
            }
            for day, text in sorted(events, key=lambda one: one[0])
        ],
    }
