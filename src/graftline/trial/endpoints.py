"""The protocol's endpoints, estimated from a subject-level data set (ADSL), simulated or real, trial by trial."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

import numpy as np
import polars as pl

from ..protocol.schema import Endpoint, Protocol
from ..statistics import Transform, clopper_pearson, kaplan_meier, wilson

_TRANSFORM = Transform.LOG_LOG
"""of the interval of a median; named because R's default is another"""
_RESPONSES: Mapping[str, tuple[str, ...]] = {
    "objective_response_rate": ("CR", "PR"),
    "disease_control_rate": ("CR", "PR", "SD"),
}
_TIMES: Mapping[tuple[str, str], tuple[str, str]] = {
    ("progression_free_survival", "infusion"): ("PFSDY", "PFSEV"),
    ("overall_survival", "infusion"): ("OSDY", "OSEV"),
    ("overall_survival", "apheresis"): ("OSLKDY", "OSLKEV"),
    ("duration_of_response", "first_response"): ("DORDY", "DOREV"),
}
_OVER_TIME = {name for name, _ in _TIMES}
_POPULATIONS: Mapping[str, Callable[[], pl.Expr]] = {
    "consented": lambda: pl.col("SCRNFL"),
    "apheresed": lambda: pl.col("LEUKFL"),
    "infused": lambda: pl.col("TRTFL"),
    "dlt_evaluable": lambda: pl.col("TRTFL") & pl.col("DLTEVFL"),
}


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """One endpoint of one trial. Shares are 0 to 1 with 95 % limits; times are medians in days with 95 % limits."""

    REPLICATE: int
    ENDPOINT: str
    POPULATION: str
    TIMEZERO: str
    KIND: str
    """share or median"""
    N: int
    EVENTS: int
    VALUE: float | None
    """None where it cannot be estimated (nobody at risk, median not reached)"""
    LOW: float | None
    """Clopper-Pearson for a share, log-log for a median"""
    HIGH: float | None
    WILSONLO: float | None
    WILSONHI: float | None


SCHEMA = {
    "REPLICATE": pl.Int64,
    **dict.fromkeys(("ENDPOINT", "POPULATION", "TIMEZERO", "KIND"), pl.String),
    **dict.fromkeys(("N", "EVENTS"), pl.Int64),
    **dict.fromkeys(("VALUE", "LOW", "HIGH", "WILSONLO", "WILSONHI"), pl.Float64),
}


def endpoint_table(protocol: Protocol, adsl: pl.DataFrame) -> pl.DataFrame:
    """Every endpoint that the protocol lists, for each trial in the data set; best response in its four kinds."""
    rows = [
        asdict(estimate)
        for (replicate,), subjects in adsl.sort("REPLICATE").group_by("REPLICATE", maintain_order=True)
        for endpoint in protocol.endpoints
        for estimate in _estimates(int(str(replicate)), endpoint, subjects)
    ]
    return pl.DataFrame(rows, schema=SCHEMA)


def _estimates(replicate: int, endpoint: Endpoint, subjects: pl.DataFrame) -> list[Estimate]:
    people = subjects.filter(_POPULATIONS[endpoint.population]().fill_null(False))
    if endpoint.name in _OVER_TIME:
        return [_median(replicate, endpoint, people, _TIMES[endpoint.name, endpoint.time_zero])]
    if endpoint.name == "best_overall_response":
        kinds = ("CR", "PR", "SD", "PD")
        return [_share(replicate, endpoint, people, pl.col("BOR") == kind, f" {kind}") for kind in kinds]
    if endpoint.name in _RESPONSES:
        return [_share(replicate, endpoint, people, pl.col("BOR").is_in(_RESPONSES[endpoint.name]))]
    happened = pl.col("DLTFL") if endpoint.name == "dose_limiting_toxicity" else pl.col("CRSGR") > 0
    return [_share(replicate, endpoint, people, happened)]


def _share(replicate: int, endpoint: Endpoint, people: pl.DataFrame, happened: pl.Expr, kind: str = "") -> Estimate:
    trials, successes = people.height, people.filter(happened.fill_null(False)).height
    exact, score = clopper_pearson(successes, trials), wilson(successes, trials)
    return Estimate(
        REPLICATE=replicate,
        ENDPOINT=endpoint.name + kind,
        POPULATION=endpoint.population,
        TIMEZERO=endpoint.time_zero,
        KIND="share",
        N=trials,
        EVENTS=successes,
        VALUE=successes / trials if trials else None,
        LOW=float(exact.low),
        HIGH=float(exact.high),
        WILSONLO=float(score.low),
        WILSONHI=float(score.high),
    )


def _median(replicate: int, endpoint: Endpoint, people: pl.DataFrame, columns: tuple[str, str]) -> Estimate:
    days, event = columns
    known = people.drop_nulls([days, event])
    found: tuple[float | None, ...] = (None, None, None)
    if known.height:
        curve = kaplan_meier(known[days].to_numpy(), known[event].to_numpy(), transform=_TRANSFORM)
        median = curve.median()
        found = tuple(value if np.isfinite(value) else None for value in (median.days, median.low, median.high))
    return Estimate(
        REPLICATE=replicate,
        ENDPOINT=endpoint.name,
        POPULATION=endpoint.population,
        TIMEZERO=endpoint.time_zero,
        KIND="median",
        N=known.height,
        EVENTS=int(known[event].sum() or 0),  # a column without any entry has no sum
        VALUE=found[0],
        LOW=found[1],
        HIGH=found[2],
        WILSONLO=None,
        WILSONHI=None,
    )
