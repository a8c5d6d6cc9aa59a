"""Remission and relapse of leukaemia by the share of lymphoblasts in the marrow, on the same visits as any response.

A remission is recorded as CR (complete, with or without recovery of blood counts), no remission as SD, a relapse as PD,
so that best response, confirmation, progression-free time and duration are those of `best_response`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..protocol.schema import Remission
from .best_response import BestResponse
from .recist import Codes, Response

Numbers = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class RemissionRule:
    """Thresholds of the protocol, shares of nucleated marrow cells."""

    blasts_below: float
    """remission"""
    relapse_at: float
    """and above: relapse of a patient who was in remission; not below `blasts_below`"""

    def __post_init__(self) -> None:
        assert 0 < self.blasts_below <= self.relapse_at <= 1, f"{self}: no order of thresholds"


def remission_rule(written: Remission) -> RemissionRule:
    """The thresholds as the protocol writes them."""
    return RemissionRule(blasts_below=written.blasts_below.to("1"), relapse_at=written.relapse_at.to("1"))


def marrow_response(blasts: float | None, rule: RemissionRule, *, in_remission: bool) -> Response:
    """What one marrow shows; `in_remission`: an earlier one showed remission. None or NaN: it could not be judged.

    Between the two thresholds a patient in remission stays so, and nobody else enters it.
    """
    if blasts is None or np.isnan(blasts):
        return Response.NE
    if blasts < rule.blasts_below:
        return Response.CR
    if not in_remission:
        return Response.SD
    return Response.PD if blasts >= rule.relapse_at else Response.CR


def marrow_responses(blasts: Numbers, rule: RemissionRule) -> Codes:
    """Response codes of many patients, (patients, visits) in the order of time; NaN blasts are not evaluable."""
    patients, visits = blasts.shape
    codes = np.empty((patients, visits), dtype=np.int8)
    in_remission = np.zeros(patients, dtype=np.bool_)
    for visit in range(visits):
        found = blasts[:, visit]
        unknown, low, high = np.isnan(found), found < rule.blasts_below, found >= rule.relapse_at
        judged = np.where(in_remission, np.where(high, int(Response.PD), int(Response.CR)), int(Response.SD))
        codes[:, visit] = np.where(unknown, int(Response.NE), np.where(low, int(Response.CR), judged))
        in_remission |= low
    return codes


def in_overall_remission(best: Sequence[BestResponse], *, within_days: int, time_zero: int) -> NDArray[np.bool_]:
    """Whether each patient had a remission that counts (confirmed, if the protocol asks for it) within that time."""
    return np.array(
        [one.response is Response.CR and one.day is not None and one.day - time_zero <= within_days for one in best],
        dtype=np.bool_,
    )
