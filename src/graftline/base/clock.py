"""Calendar dates, protocol days and model time. The conversions exist here once.

Day 1 is the day of infusion and there is no Day 0 (Day -1 is followed by Day 1). Model time 0 is the moment of
infusion on Day 1, so Day 2 begins at model time 1 and Day -1 at model time -1.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import overload

import numpy as np
from numpy.typing import NDArray

EPOCH = date(2000, 1, 1)
"""Calendar days are counted from here as integers wherever arrays hold dates."""


def day_number(day: date) -> int:
    """The calendar date as whole days since EPOCH."""
    return (day - EPOCH).days


def calendar_date(number: int) -> date:
    """The calendar date of a day number."""
    return EPOCH + timedelta(days=int(number))


@overload
def model_time(protocol_day: int) -> int: ...
@overload
def model_time(protocol_day: NDArray[np.int64]) -> NDArray[np.int64]: ...
def model_time(protocol_day: int | NDArray[np.int64]) -> int | NDArray[np.int64]:
    """Protocol day (…, -2, -1, 1, 2, …) to model time in days (…, -2, -1, 0, 1, …). Day 0 raises ValueError."""
    days = np.asarray(protocol_day)
    if np.any(days == 0):
        raise ValueError("there is no Day 0: Day 1 is the day of infusion, the day before is Day -1")
    times = np.where(days > 0, days - 1, days)
    return int(times) if times.ndim == 0 else times


@overload
def protocol_day(time: int) -> int: ...
@overload
def protocol_day(time: NDArray[np.int64]) -> NDArray[np.int64]: ...
def protocol_day(time: int | NDArray[np.int64]) -> int | NDArray[np.int64]:
    """Model time in whole days to protocol day; the inverse of `model_time`."""
    times = np.asarray(time)
    days = np.where(times >= 0, times + 1, times)
    return int(days) if days.ndim == 0 else days
