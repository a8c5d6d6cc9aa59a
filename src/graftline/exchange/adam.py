"""Simulated trials as data sets with CDISC ADaM names, so that existing tables-and-figures code works on them.

Days: xxDT are whole days since 2000-01-01; ADY is the protocol day (Day 1 is the infusion, there is no Day 0). Suffix N
of an endpoint marks the no-cells column: the same patient with the kill of the cells set to zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..assessment import Response
from ..base.clock import calendar_date, protocol_day
from ..base.units import DAYS_PER_WEEK, PERCENT
from ..evidence import card
from ..trial import Outcomes, Part, Reading, TreatedPatients, cut_days, readings_of

Table = pl.DataFrame
_GRADES = {"ANCGR": "neutrophils", "PLTGR": "platelets", "LYMGR": "lymphocytes", "ALTGR": "alt"}


def tables(part: Part, seed: int) -> dict[str, Table]:
    """All data sets of one part of a simulation, each sorted by replicate and subject."""
    identity = _identity(part)
    found = {"adsl": _adsl(part, identity)}
    if part.treated is not None:
        treated = identity[part.apheresed.referred[[ask.row for ask in part.treated.asks]]]
        found |= _of_treated(part.treated, treated, readings_of(part, seed))
    else:
        found |= {name: pl.DataFrame(schema=schema) for name, schema in SCHEMAS.items()}
    return {name: table.sort(table.columns[:2], maintain_order=True) for name, table in found.items()}


_COURSES = {"AFP": "afp", "TRANSGENE": "copies_per_ug", "TUMOUR": "scan_volume"}
"""true courses, without assay error: ng/mL, copies/ug DNA, cm^3 on the scan"""
_COURSE_SCHEMA: Mapping[str, type[pl.DataType]] = {
    "REPLICATE": pl.Int64,
    "USUBJID": pl.String,
    "ARM": pl.String,
    "ADY": pl.Int64,
    **dict.fromkeys(_COURSES, pl.Float64),
}


def course_table(part: Part) -> Table:
    """Weekly true courses of treated patients while alive and observed, with cells and with their kill set to zero."""
    if part.treated is None:
        return pl.DataFrame(schema=_COURSE_SCHEMA)
    treated, identity = part.treated, _identity(part)[part.apheresed.referred[[a.row for a in part.treated.asks]]]
    replicate = treated.treatment.keys.replicate.astype(np.int64)
    until = card("trial_example_until").to("day")
    found = []
    for arm, outcomes in (("cells", treated.with_kill), ("no cells", treated.without_kill)):
        times = outcomes.courses.times
        chosen = np.flatnonzero((times % DAYS_PER_WEEK == 0) & (times <= until))
        alive = times[chosen][None, :] <= np.minimum(outcomes.death_day, outcomes.last_day)[:, None]
        who, when = np.nonzero(alive)
        columns = {name: getattr(outcomes.courses, read)[:, chosen][who, when] for name, read in _COURSES.items()}
        head = {"REPLICATE": replicate[who], "USUBJID": identity[who], "ARM": arm}
        days = protocol_day(times[chosen][when].astype(np.int64))
        found.append(pl.DataFrame({**head, "ADY": days, **columns}, schema=_COURSE_SCHEMA))
    return pl.concat(found)


def bands(courses: Table) -> Table:
    """5th, 25th, 50th, 75th and 95th percentile of each course by day and arm, over all treated patients."""
    long = courses.unpivot(index=["ARM", "ADY"], on=list(_COURSES), variable_name="PARAMCD", value_name="AVAL")
    shares = (5, 25, 50, 75, 95)
    return (
        long.drop_nans()
        .group_by("PARAMCD", "ARM", "ADY")
        .agg(*[pl.col("AVAL").quantile(share / PERCENT).alias(f"P{share:02d}") for share in shares])
        .sort("PARAMCD", "ARM", "ADY")
    )


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
    seen_to_the_end = [one for one in places if treated.with_kill.survival_days[one] >= until]
    place = min(seen_to_the_end or places, key=lambda one: (abs(float(ages[treated.asks[one].row]) - age), one))
    courses = treated.with_kill.courses
    keep = courses.times <= min(until, float(treated.with_kill.death_day[place]))
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
    base, seen = part.baseline.take(np.array([referred])), treated.with_kill.seen
    best = _best(treated.with_kill)[place]
    events: list[tuple[int, str]] = [
        (int(part.arrivals.day[referred]), "consents to pre-screening"),
        (int(part.apheresed.day[row]), "white blood cells are collected"),
        (int(part.apheresed.made[row]), f"product released: {part.apheresed.cells[row]:.2g} x 1e9 transduced cells"),
        (int(part.apheresed.ready[row]), "product is at the hospital"),
        (ask.lymphodepletion, f"lymphodepletion begins ({treated.treatment.regimen[place].name})"),
        (ask.infusion, f"infusion of {ask.dose.given:.2g} x 1e9 transduced cells ({ask.level})"),
    ]
    second = treated.treatment.second_day[place]
    if not np.isnan(second):
        day, cells = ask.infusion + int(second), treated.treatment.second_cells[place]
        events.append((day, f"second infusion, {cells:.2g} x 1e9 transduced cells"))
        if part.protocol.dosing.second_infusion.repeat_conditioning:
            events.append((day - ask.infusion + ask.lymphodepletion, "lymphodepletion again"))
    worst = int(treated.with_kill.crs.worst[place])
    if worst > 0:
        events.append((ask.infusion + int(treated.with_kill.crs.onset[place]), f"CRS, worst grade {worst}"))
    progression = seen.progression[place]
    if progression.event and progression.reason != "death":
        events.append((ask.infusion + progression.days, progression.reason))
    if treated.with_kill.survival_event[place]:
        events.append((ask.infusion + int(treated.with_kill.survival_days[place]), "death"))
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


SCHEMAS: Mapping[str, Mapping[str, type[pl.DataType]]] = {
    "adtr": {"REPLICATE": pl.Int64, "USUBJID": pl.String, "ADY": pl.Int64, "AVAL": pl.Float64, "PCHG": pl.Float64},
    "adrs": {"REPLICATE": pl.Int64, "USUBJID": pl.String, "ADY": pl.Int64, "AVALC": pl.String},
    "adlb": {
        "REPLICATE": pl.Int64,
        "USUBJID": pl.String,
        "PARAMCD": pl.String,
        "ADY": pl.Int64,
        "AVAL": pl.Float64,
        "AVALC": pl.String,
        "AVALU": pl.String,
    },
    "adpc": {
        "REPLICATE": pl.Int64,
        "USUBJID": pl.String,
        "ADY": pl.Int64,
        "AVAL": pl.Float64,
        "AVALC": pl.String,
        "AVALU": pl.String,
    },
    "adae": {
        "REPLICATE": pl.Int64,
        "USUBJID": pl.String,
        "AETERM": pl.String,
        "ATOXGR": pl.Int64,
        "ASTDY": pl.Int64,
        "DLT": pl.Boolean,
    },
}


def _identity(part: Part) -> NDArray[np.str_]:
    """USUBJID of every referred patient: site and k-th patient there."""
    sites = np.array([site.id for site in part.protocol.sites], dtype=np.str_)
    return np.array(
        [f"{sites[site]}-{kth + 1:04d}" for site, kth in zip(part.arrivals.site, part.arrivals.keys.kth, strict=True)],
        dtype=np.str_,
    )


def _adsl(part: Part, identity: NDArray[np.str_]) -> Table:
    """One row per referred patient."""
    arrivals, apheresed = part.arrivals, part.apheresed
    sites = part.protocol.sites
    reason = part.screening.reason.astype(object)
    disposition = np.full(len(arrivals), "screen failure", dtype=object)
    disposition[apheresed.referred] = "apheresed, not infused"
    reason[apheresed.referred] = ""
    replicate = arrivals.keys.replicate.astype(np.int64)
    for number, finished in zip(part.replicates, part.finished, strict=True):
        assert np.all(replicate[apheresed.referred[list(finished.not_treated)]] == number)
        for row, why in finished.not_treated.items():
            reason[apheresed.referred[row]] = why
    base = part.baseline
    table = pl.DataFrame(
        {
            "REPLICATE": replicate,
            "USUBJID": identity,
            "SITEID": [sites[site].id for site in arrivals.site],
            "COUNTRY": [sites[site].country for site in arrivals.site],
            "AGE": base.age,
            "SEX": base.sex,
            "AETIOL": base.aetiology,
            "ECOGBL": base.ecog,
            "CHPUBL": base.child_pugh,
            "AFPBL": base.afp_serum,
            "VERSION": part.version,
            "RFICDT": arrivals.day,
            "SCRNFL": True,
            "LEUKFL": np.isin(np.arange(len(arrivals)), apheresed.referred),
            "LEUKDT": _spread(len(arrivals), apheresed.referred, apheresed.day),
        }
    )
    own, columns = _treated_columns(part)
    disposition[own] = "infused"
    extra = {name: _spread(len(arrivals), own, values) for name, values in columns.items()}
    types: dict[str, type[pl.DataType]] = {**_TREATED_TYPES, **dict.fromkeys(_GRADES, pl.Int64), **_ENDPOINT_TYPES}
    table = table.with_columns(
        pl.Series("DISPO", disposition.tolist(), dtype=pl.String),
        pl.Series("DCREAS", reason.tolist(), dtype=pl.String),
        pl.Series("TRTFL", np.isin(np.arange(len(arrivals)), own)),
        *(pl.Series(name, values, dtype=types[name]) for name, values in extra.items()),
    )
    return table.with_columns(_survival_from_apheresis(part, own))


def _spread(length: int, places: NDArray[np.intp], values: NDArray[np.generic] | list[object]) -> list[object]:
    """A column with these values at these places and null elsewhere."""
    column: list[object] = [None] * length
    for place, value in zip(places.tolist(), values if isinstance(values, list) else values.tolist(), strict=True):
        column[place] = None if isinstance(value, float) and np.isnan(value) else value
    return column


def _treated_columns(part: Part) -> tuple[NDArray[np.intp], dict[str, NDArray[np.generic] | list[object]]]:
    """Places among the referred, and the columns of ADSL that only treated patients have."""
    treated = part.treated
    if treated is None:
        return np.empty(0, dtype=np.intp), {name: [] for name in (*_TREATED_TYPES, *_GRADES, *_ENDPOINT_TYPES)}
    own = part.apheresed.referred[[ask.row for ask in treated.asks]]
    cells, none = treated.with_kill, treated.without_kill
    free = {0: True, 1: None, 2: False}
    columns: dict[str, NDArray[np.generic] | list[object]] = {
        "TRTSDT": [ask.infusion for ask in treated.asks],
        "TRT01A": [ask.level for ask in treated.asks],
        "DOSE": treated.treatment.cells,
        "REGIMEN": [regimen.name for regimen in treated.treatment.regimen],
        "ORDER": treated.order,
        "BOR": _best(cells),
        "BORN": _best(none),
        "CRSGR": cells.crs.worst.astype(np.int64),
        "DLTFL": [free[int(outcome)] for outcome in cells.free_of_dlt],
        "SECFL": ~np.isnan(treated.treatment.second_day),
        "DTHDY": [int(day) if died else None for day, died in zip(cells.death_day, cells.survival_event, strict=True)],
        "DTHCAUS": [str(cause) or None for cause in cells.death_cause],
        "SOLVFL": (cells.courses.status != 0) | (none.courses.status != 0),
        **{name: cells.grades[test] for name, test in _GRADES.items()},
        **_endpoints(cells, ""),
        **_endpoints(none, "N"),
    }
    return own, columns


_TREATED_TYPES: Mapping[str, type[pl.DataType]] = {
    "TRTSDT": pl.Int64,
    "TRT01A": pl.String,
    "DOSE": pl.Float64,
    "REGIMEN": pl.String,
    "ORDER": pl.Int64,
    "BOR": pl.String,
    "BORN": pl.String,
    "CRSGR": pl.Int64,
    "DLTFL": pl.Boolean,
    "SECFL": pl.Boolean,
    "DTHDY": pl.Int64,
    "DTHCAUS": pl.String,
    "SOLVFL": pl.Boolean,
}
_ENDPOINT_TYPES: Mapping[str, type[pl.DataType]] = {
    f"{name}{suffix}": pl.Int64 if name.endswith("DY") else pl.Boolean
    for suffix in ("", "N")
    for name in ("PFSDY", "PFSEV", "OSDY", "OSEV", "DORDY", "DOREV")
}


def _endpoints(outcomes: Outcomes, suffix: str) -> dict[str, list[object]]:
    seen = outcomes.seen
    columns: dict[str, list[object]] = {
        "PFSDY": [one.days for one in seen.progression],
        "PFSEV": [one.event for one in seen.progression],
        "OSDY": outcomes.survival_days.tolist(),
        "OSEV": outcomes.survival_event.tolist(),
        "DORDY": [None if one is None else one.days for one in seen.duration],
        "DOREV": [None if one is None else one.event for one in seen.duration],
    }
    return {f"{name}{suffix}": values for name, values in columns.items()}


def _best(outcomes: Outcomes) -> list[object]:
    labels = {int(response): response.label for response in Response}
    known = ("CR", "PR", "SD", "PD")
    return [labels[int(code)] if labels[int(code)] in known else "NE" for code in outcomes.seen.best_response]


def _survival_from_apheresis(part: Part, treated: NDArray[np.intp]) -> list[pl.Series]:
    """Intention to treat: everyone apheresed, from apheresis, treated or not."""
    apheresed = part.apheresed
    cut = cut_days(part.protocol) - apheresed.day
    death = np.where(part.waiting.death <= cut, np.ceil(part.waiting.death), np.inf)
    if part.treated is not None:
        rows = np.array([ask.row for ask in part.treated.asks])
        shift = np.array([ask.infusion for ask in part.treated.asks]) - apheresed.day[rows]
        death[rows] = part.treated.with_kill.death_day + shift
        cut[rows] = np.minimum(cut[rows], part.treated.with_kill.last_day + shift)
    for finished in part.finished:
        for row, (_, day) in finished.lymphodepleted.items():
            death[row] = day - apheresed.day[row]
    event = death <= cut
    length = len(part.arrivals)
    days = np.where(event, death, cut).astype(np.int64)
    return [
        pl.Series("OSLKDY", _spread(length, apheresed.referred, days), dtype=pl.Int64),
        pl.Series("OSLKEV", _spread(length, apheresed.referred, event), dtype=pl.Boolean),
    ]


def _of_treated(
    treated: TreatedPatients, identity: NDArray[np.str_], readings: tuple[Reading, ...]
) -> dict[str, Table]:
    """Scans, responses, laboratory, transgene and adverse events of treated patients."""
    replicate, seen = treated.treatment.keys.replicate.astype(np.int64), treated.with_kill.seen
    who, visit = np.nonzero(seen.visits.done)
    days = protocol_day(seen.visits.times[who, visit])
    labels = {int(response): response.label for response in Response}
    head = {"REPLICATE": replicate[who], "USUBJID": identity[who], "ADY": days}
    sums = seen.sums[who, visit]
    change = PERCENT * (sums / seen.baseline_sum[who] - 1)
    found = {
        "adtr": pl.DataFrame({**head, "AVAL": sums, "PCHG": change}, schema=SCHEMAS["adtr"]),
        "adrs": pl.DataFrame(
            {**head, "AVALC": [labels[int(code)] for code in seen.responses[who, visit]]}, schema=SCHEMAS["adrs"]
        ),
        "adae": _adverse_events(treated, replicate, identity),
    }
    long = [_long(reading, replicate, identity) for reading in readings]
    blood = pl.concat(long)
    transgene = blood.filter(pl.col("PARAMCD") == "TRANSGENE").drop("PARAMCD")
    return found | {"adlb": blood.filter(pl.col("PARAMCD") != "TRANSGENE"), "adpc": transgene}


def _long(reading: Reading, replicate: NDArray[np.int64], identity: NDArray[np.str_]) -> Table:
    who, visit = np.nonzero(~np.isnan(reading.values))
    return pl.DataFrame(
        {
            "REPLICATE": replicate[who],
            "USUBJID": identity[who],
            "PARAMCD": reading.code,
            "ADY": protocol_day(reading.times[who, visit]),
            "AVAL": reading.values[who, visit],
            "AVALC": _sign(reading, who, visit),
            "AVALU": reading.unit,
        },
        schema=SCHEMAS["adlb"],
    )


def _sign(reading: Reading, who: NDArray[np.intp], visit: NDArray[np.intp]) -> list[str]:
    """'<50' or '>121000' where a limit of quantification was passed, else empty."""
    values = reading.values[who, visit]
    marks = np.where(reading.below_limit[who, visit], "<", np.where(reading.above_limit[who, visit], ">", ""))
    return [f"{mark}{value:g}" if mark else "" for mark, value in zip(marks.tolist(), values.tolist(), strict=True)]


def _adverse_events(treated: TreatedPatients, replicate: NDArray[np.int64], identity: NDArray[np.str_]) -> Table:
    """Cytokine release syndrome by its worst grade and first day, and every dose-limiting toxicity."""
    rows = []
    crs = treated.with_kill.crs
    for patient, worst in enumerate(crs.worst.tolist()):
        head = {"REPLICATE": int(replicate[patient]), "USUBJID": str(identity[patient])}
        if worst > 0:
            day = protocol_day(int(crs.onset[patient]))
            rows.append({**head, "AETERM": "Cytokine release syndrome", "ATOXGR": worst, "ASTDY": day, "DLT": False})
        for reason in treated.with_kill.dose_limiting[patient]:
            rows.append({**head, "AETERM": reason, "ATOXGR": None, "ASTDY": None, "DLT": True})
    return pl.DataFrame(rows, schema=SCHEMAS["adae"])
