"""Simulated trials as data sets with CDISC ADaM names, so that existing tables-and-figures code works on them.

Days: xxDT are whole days since 2000-01-01; ADY is the protocol day (Day 1 is the infusion, there is no Day 0). Suffix N
of an endpoint marks the no-cells column: the same patient with the effect of the cells set to zero.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..base.verdict import Outcome
from ..evidence import card
from ..trial import Outcomes, Part, cut_days, readings_of
from ._subjects import best_responses, identity_of, treated_identity
from .findings import SCHEMAS, findings

Table = pl.DataFrame
_GRADES = {"ANCGR": "neutrophils", "PLTGR": "platelets", "LYMGR": "lymphocytes", "ALTGR": "alt"}


def tables(part: Part, seed: int) -> dict[str, Table]:
    """All data sets of one part of a simulation, each sorted by replicate and subject."""
    found = {"adsl": _adsl(part, identity_of(part))}
    if part.treated is not None:
        identity = treated_identity(part, part.treated)
        found |= findings(part.treated, identity, readings_of(part, seed))
    else:
        found |= {name: pl.DataFrame(schema=schema) for name, schema in SCHEMAS.items()}
    return {name: table.sort(table.columns[:2], maintain_order=True) for name, table in found.items()}


RECRUITMENT_ENDED = "recruitment ended before collection"


def _adsl(part: Part, identity: NDArray[np.str_]) -> Table:
    """One row per referred patient."""
    arrivals, apheresed = part.arrivals, part.apheresed
    sites = part.protocol.sites
    collected = apheresed.day <= part.closed[apheresed.referred]
    reason = part.screening.reason.astype(object)
    disposition = np.full(len(arrivals), "screen failure", dtype=object)
    disposition[apheresed.referred[collected]] = "apheresed, not infused"
    reason[apheresed.referred] = np.where(collected, "", RECRUITMENT_ENDED)
    replicate = arrivals.keys.replicate.astype(np.int64)
    for number, finished in zip(part.replicates, part.finished, strict=True):
        assert np.all(replicate[apheresed.referred[list(finished.not_treated)]] == number)
        for row, why in finished.not_treated.items():
            if collected[row]:
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
            "LEUKFL": np.isin(np.arange(len(arrivals)), apheresed.referred[collected]),
            "LEUKDT": _spread(len(arrivals), apheresed.referred[collected], apheresed.day[collected]),
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
    table = table.with_columns(_survival_from_apheresis(part, collected))
    return table.filter(pl.Series(arrivals.day <= part.closed))


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
    cells, none = treated.with_cells, treated.no_cells
    judged = {Outcome.FAIL: True, Outcome.UNKNOWN: None, Outcome.PASS: False}
    columns: dict[str, NDArray[np.generic] | list[object]] = {
        "TRTSDT": [ask.infusion for ask in treated.asks],
        "TRT01A": [ask.level for ask in treated.asks],
        "DOSE": treated.treatment.cells,
        "REGIMEN": [regimen.name for regimen in treated.treatment.regimen],
        "ORDER": treated.order,
        "BOR": best_responses(cells),
        "BORN": best_responses(none),
        "CRSGR": cells.crs.worst.astype(np.int64),
        "DLTFL": [judged[one.free] for one in cells.toxicity],
        "DLTEVFL": [one.evaluable for one in cells.toxicity],
        "SECFL": ~np.isnan(treated.treatment.second_day),
        "DTHDY": [int(day) if died else None for day, died in zip(cells.death_day, cells.survival_event, strict=True)],
        "DTHCAUS": [str(cause) or None for cause in cells.death_cause],
        "SOLVFL": (cells.courses.status != 0) | (none.courses.status != 0),
        **{name: cells.blood[test] for name, test in _GRADES.items()},
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
    "DLTEVFL": pl.Boolean,
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


def _survival_from_apheresis(part: Part, collected: NDArray[np.bool_]) -> list[pl.Series]:
    """Intention to treat: everyone apheresed, from apheresis, treated or not, all followed equally long.

    Whoever withdraws while waiting is not followed further; the treated are followed whatever happens.
    """
    apheresed, waiting = part.apheresed, part.waiting
    cut = np.minimum(cut_days(part.protocol) - apheresed.day, int(card("trial_followup").to("day")))
    last = np.minimum(cut, np.where(np.isfinite(waiting.withdrawal), np.floor(waiting.withdrawal), cut))
    death = np.ceil(waiting.death)
    for finished in part.finished:
        for row, found in finished.lymphodepleted.items():
            last[row] = cut[row]
            if found.died:
                death[row] = found.day - apheresed.day[row]
    if part.treated is not None:
        rows = np.array([ask.row for ask in part.treated.asks])
        shift = np.array([ask.infusion for ask in part.treated.asks]) - apheresed.day[rows]
        death[rows], last[rows] = part.treated.with_cells.death_day + shift, cut[rows]
    event = death <= last
    days = np.maximum(np.where(event, death, last), 0).astype(np.int64)
    length, places = len(part.arrivals), apheresed.referred[collected]
    return [
        pl.Series("OSLKDY", _spread(length, places, days[collected]), dtype=pl.Int64),
        pl.Series("OSLKEV", _spread(length, places, event[collected]), dtype=pl.Boolean),
    ]
