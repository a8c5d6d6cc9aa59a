"""True courses of treated patients over time, and their spread over all of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from ..base.clock import protocol_day
from ..base.units import DAYS_PER_WEEK, PERCENT
from ..evidence import card
from ..trial import Part
from ._subjects import treated_identity

Table = pl.DataFrame
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
    """Weekly true courses of treated patients while alive and observed, with cells and without their effect."""
    if part.treated is None:
        return pl.DataFrame(schema=_COURSE_SCHEMA)
    treated, identity = part.treated, treated_identity(part, part.treated)
    replicate = treated.treatment.keys.replicate.astype(np.int64)
    until = card("trial_example_until").to("day")
    found = []
    for arm, outcomes in (("cells", treated.with_cells), ("no cells", treated.no_cells)):
        times = outcomes.courses.times
        chosen = np.flatnonzero((times % DAYS_PER_WEEK == 0) & (times >= -DAYS_PER_WEEK) & (times <= until))
        begun = times[chosen][None, :] >= treated.treatment.begins[:, None]
        alive = begun & (times[chosen][None, :] <= np.minimum(outcomes.death_day, outcomes.last_day)[:, None])
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
