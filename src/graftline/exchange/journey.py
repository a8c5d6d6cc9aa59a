"""The journeys of simulated patients: one row per step of each subject, course, shipment, bag and infusion."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from ..trial import Part
from ..trial.journey_log import steps

JOURNEY_SCHEMA: Mapping[str, type[pl.DataType]] = {
    "REPLICATE": pl.Int64,
    "USUBJID": pl.String,
    "DAY": pl.Int64,
    "MACHINE": pl.String,
    "NUMBER": pl.Int64,
    "FROM": pl.String,
    "TO": pl.String,
    "TRANSITION": pl.String,
}


def journey_table(part: Part) -> pl.DataFrame:
    """Every step of every referred patient in order; DAY is a calendar day number, whole days since 2000-01-01.

    NUMBER tells bags, shipments and infusions of one patient apart (the second infusion has number 2); for the subject
    and the course, it is the number of the infusion that the step belongs to. Raises AssertionError if a simulated
    patient took a step that the tables of the journey do not allow.
    """
    arrivals, sites = part.arrivals, part.protocol.sites
    subjects = [f"{sites[site].id}-{kth + 1:04d}" for site, kth in zip(arrivals.site, arrivals.keys.kth, strict=True)]
    replicates = arrivals.keys.replicate.tolist()
    rows = [
        (
            replicates[one.referred],
            subjects[one.referred],
            one.event.day,
            one.event.machine,
            one.event.number,
            one.before,
            one.after,
            one.event.transition,
        )
        for one in steps(part)
    ]
    return pl.DataFrame(rows, schema=JOURNEY_SCHEMA, orient="row")
