"""Time: no Day 0, and conversions that come back."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftline.base.clock import EPOCH, calendar_date, day_number, model_time, protocol_day

protocol_days = st.integers(-10_000, 10_000).filter(lambda day: day != 0)


@pytest.mark.parametrize(("day", "time"), [(-7, -7), (-1, -1), (1, 0), (2, 1), (29, 28)])
def test_day_1_is_model_time_0_and_the_day_before_is_day_minus_1(day, time):
    assert model_time(day) == time
    assert protocol_day(time) == day


def test_there_is_no_day_0():
    with pytest.raises(ValueError, match="there is no Day 0: Day 1 is the day of infusion"):
        model_time(0)
    with pytest.raises(ValueError, match="there is no Day 0"):
        model_time(np.array([-1, 0, 1]))


@given(protocol_days)
def test_protocol_days_come_back_from_model_time(day):
    assert protocol_day(model_time(day)) == day


@given(st.lists(st.integers(-1_000, 1_000), min_size=1))
def test_whole_arrays_convert_like_single_days_and_never_give_day_0(times):
    days = protocol_day(np.array(times))
    assert days.tolist() == [protocol_day(time) for time in times]
    assert not np.any(days == 0)
    assert model_time(days).tolist() == times


@given(protocol_days, protocol_days)
def test_later_days_are_later_times(one, other):
    assert (one < other) == (model_time(one) < model_time(other))


@given(st.dates(date(1950, 1, 1), date(2100, 1, 1)))
def test_calendar_dates_come_back_from_day_numbers(day):
    assert calendar_date(day_number(day)) == day
    assert day_number(day + timedelta(days=1)) == day_number(day) + 1


def test_day_numbers_count_from_the_epoch():
    assert day_number(EPOCH) == 0
    assert calendar_date(np.int64(366)) == date(2001, 1, 1)
